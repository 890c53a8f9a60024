#!/bin/sh
# A manual page with the options of its command: make-man.sh BUGON PAGE.scd
set -eu
cmd=$(basename "$2" .1.scd)
while IFS= read -r line; do
	if [ "$line" = @OPTIONS@ ]; then
		"$1" "${cmd#bugon-}" --man-options
	else
		printf '%s\n' "$line"
	fi
done <"$2" | scdoc
