#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# live.sh [KIND] - crash a real kernel now and report it from its console.
#
# Boots as make-logs.sh does, but pipes the console straight into bugon report
# and compares the title with KIND.want: nothing between the serial line and
# the report is a file that was looked at before. About 10 s. Environment:
# BUGON, the program. Exit status 77 when it cannot be done here.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
. "$here/boot.sh"
kind=${1:-lkdtm-read-after-free}
bugon=${BUGON:-$here/../../build/bugon}

line=$(grep "^${kind}[[:space:]]" "$here/kinds.txt") || {
	echo "live.sh: $kind is not in kinds.txt" >&2
	exit 1
}
command -v qemu-system-x86_64 >/dev/null || skip "no qemu-system-x86_64"
command -v python3 >/dev/null || skip "no python3"
prepare_boot
# shellcheck disable=SC2086
set -- $line
kernel=$2 smp=$3 action=$4
shift 4
boot "$kernel" "$smp" "bugon.crash=$action $*" 50 </dev/null |
	tee "$tmp/console" | "$bugon" report --json - >"$tmp/reports" || true
python3 - "$tmp/reports" "$here/../golden/real/$kind.want" <<'EOF' || {
import json
import sys

with open(sys.argv[1], encoding="utf-8") as f:
    titles = [r["title"] for r in json.load(f)]
with open(sys.argv[2], encoding="utf-8") as f:
    wanted = [line[6:].rstrip("\n") for line in f if line.startswith("title ")]
print(titles)
if titles[:len(wanted)] != wanted or not wanted:
    sys.exit(f"not {wanted}")
EOF
	cat "$tmp/console" >&2
	exit 1
}
