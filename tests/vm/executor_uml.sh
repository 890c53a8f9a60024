#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The executor's unit test with the executor as PID 1 of the UML kernel:
# executor_uml.sh TEST_EXECUTOR [PATTERN]
here=$(dirname "$0")
kernel=$("$here/../kernel-file.sh" uml-6.17/linux) || {
	echo "1..0 # SKIP no UML kernel in ../shared/kernel"
	exit 0
}
# $INITRD and $SHM are set where it is used.
export BOOT="exec taskset -c 0 $kernel mem=512M initrd=\$INITRD rdinit=/init \
con=null con0=null,fd:1 quiet seccomp=on iomem=mmapper,\$SHM"
exec "$@"
