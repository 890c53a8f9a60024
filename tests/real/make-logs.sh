#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# make-logs.sh [KIND...] - boot, crash, and keep the console log.
#
# For every line of kinds.txt (or those named): boot the kernel of
# ../shared/kernel with an initramfs of init.c and bugs.ko, and write what the
# console printed to ../golden/real/KIND.log. The text is only cut: at most 30
# lines before the crash, at most 60 KB. x86 runs in QEMU without KVM.
#
# The logs are kept in git because a crash has other addresses, registers and
# times each time; titles and frames should not depend on that.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
. "$here/boot.sh"
out=${OUT:-$here/../golden/real}
mkdir -p "$out"

# Cut the raw log $1: 30 lines, then everything from init's last announcement.
cut_log()
{
	awk -v before=30 '
		/bugon: (crash|round) / { start = NR }
		{ line[NR] = $0 }
		END {
			first = start > before ? start - before : 1
			for (i = first; i <= NR; i++)
				print line[i]
		}' "$1" | head -c 61440
}

prepare_boot
grep -v '^#' "$here/kinds.txt" | while read -r name kernel smp action options
do
	[ -n "$name" ] || continue
	[ $# = 0 ] || case " $* " in *" $name "*) ;; *) continue ;; esac
	boot "$kernel" "$smp" "bugon.crash=$action $options" 120 \
		>"$tmp/raw" </dev/null || true
	if ! grep -aq 'bugon: crash ' "$tmp/raw"; then
		echo "$name: the machine did not come up" >&2
		cp "$tmp/raw" "/tmp/$name.raw"
		continue
	fi
	cut_log "$tmp/raw" >"$out/$name.log"
	echo "$name: $(wc -c <"$out/$name.log") bytes"
done
