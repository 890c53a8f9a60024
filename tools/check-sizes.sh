#!/bin/sh
# Sizes: no file over 1,000 lines, no function over 80: check-sizes.sh ROOT
set -eu
cd "${1:-.}"
status=0
for f in $(find src tests tools executor plugin -name '*.[ch]'); do
	n=$(wc -l <"$f")
	[ "$n" -le 1000 ] || { echo "$f has $n lines"; status=1; }
	# A function body: from a '{' in column 0 to the '}' in column 0.
	awk -v f="$f" '
		/^{/ { start = NR }
		/^}/ && start { if (NR - start - 1 > 80) {
				printf "%s:%d: function of %d lines\n", f, start, NR - start - 1
				bad = 1 }
			start = 0 }
		END { exit bad }' "$f" || status=1
done
exit $status
