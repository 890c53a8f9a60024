#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# make-debug-kernel.sh - build the kernel of debug.config, and bugs.ko for it.
#
# A second x86 kernel, for what the shared one does not check: lock order,
# sleeping in atomic context, KFENCE, debug objects. 14 min of CPU time.
# It goes to the cache (debug-6.12/bzImage, vmlinux, bugs.ko), where boot.sh
# looks for it; its logs are in git, the kernel is not. Needs Debian's
# linux-source-6.12, gcc, bc, flex, bison, libelf-dev.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
cache=/tmp/bugon-cache
work=$cache/debug-build
out=$cache/debug-6.12

mkdir -p "$work" "$out"
if [ ! -e "$work/linux-source-6.12/Makefile" ]; then
	tar -C "$work" -xf /usr/src/linux-source-6.12.tar.xz
fi
tree=$(realpath "$work/linux-source-6.12")
make -s -C "$tree" tinyconfig
cat "$here/debug.config" >>"$tree/.config"
make -s -C "$tree" olddefconfig
make -s -j2 -C "$tree" bzImage modules_prepare
cp "$tree/arch/x86/boot/bzImage" "$tree/vmlinux" "$out/"
rm -rf "$work/bugs"
cp -r "$here/module" "$work/bugs"
make -s -j2 -C "$tree" M="$work/bugs" KBUILD_MODPOST_WARN=1 \
	KCFLAGS="-ffile-prefix-map=$work/bugs=/home/user/bugs \
		-ffile-prefix-map=$tree=/usr/src/linux-6.12" modules
cp "$work/bugs/bugs.ko" "$out/"
