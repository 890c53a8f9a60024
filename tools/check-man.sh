#!/bin/sh
# Help and manual agree: check-man.sh ROOT BUGON
# Every command has a page with the options marker, bugon(1) lists it, and
# every option of its help is in the section generated for the page.
set -eu
root=$1 bugon=$2 status=0
for cmd in $("$bugon" help | sed -n 's/^  \([a-z]*\) .*/\1/p'); do
	page=$root/docs/man/bugon-$cmd.1.scd
	grep -q '^@OPTIONS@$' "$page" || { echo "$page: missing, or without @OPTIONS@"; status=1; }
	grep -q "^\*bugon-$cmd\*(1)" "$root/docs/man/bugon.1.scd" ||
		{ echo "bugon.1.scd does not list $cmd"; status=1; }
	subs=$("$bugon" "$cmd" -h | sed -n 's/^  \([a-z][a-z]*\) .*/\1/p')
	for opt in $(for sub in '' $subs; do
			# shellcheck disable=SC2086
			"$bugon" "$cmd" $sub -h
		done | grep -o -- '--[a-z-]*'); do
		"$bugon" "$cmd" --man-options | grep -q -- "\*$opt\*" ||
			{ echo "$cmd: $opt is not in the manual"; status=1; }
	done
done
exit $status
