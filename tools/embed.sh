#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# embed.sh FILE.c... - each file as a row: HELPER(name, "its text")
set -eu
for f; do
	name=${f##*/}
	printf 'HELPER(%s,\n' "${name%.c}"
	sed 's/[\\"]/\\&/g; s/\t/\\t/g; s/.*/"&\\n"/' "$f"
	echo ')'
done
echo '#undef HELPER'
