#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# make-module.sh OUT.ko - build module/ for ../shared/kernel/x86-6.12.
#
# Needs Debian's linux-source-6.12 of exactly the kernel's version (without
# CONFIG_MODVERSIONS nothing else would notice a difference), gcc 12, bc,
# flex, bison, libelf-dev. Paths in the debug information are replaced, so
# that the file does not depend on where it was built.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
kernel=$here/../../../shared/kernel/x86-6.12
work=/tmp/bugon-cache/module-build
version=6.12.117
out=$1

mkdir -p "$work"
if [ ! -e "$work/linux-source-6.12/Makefile" ]; then
	tar -C "$work" -xf /usr/src/linux-source-6.12.tar.xz
fi
tree=$(realpath "$work/linux-source-6.12")
cp "$kernel/config" "$tree/.config"
make -s -j2 -C "$tree" olddefconfig modules_prepare
grep -q "\"$version-fuzz\"" "$tree/include/generated/utsrelease.h" || {
	echo "make-module.sh: the kernel is $version, the source is not" >&2
	exit 1
}
rm -rf "$work/bugs"
cp -r "$here/module" "$work/bugs"
# There is no Module.symvers: what is undefined is resolved when loading.
make -s -j2 -C "$tree" M="$work/bugs" KBUILD_MODPOST_WARN=1 \
	KCFLAGS="-ffile-prefix-map=$work/bugs=/home/user/bugs \
		-ffile-prefix-map=$tree=/usr/src/linux-6.12" modules
cp "$work/bugs/bugs.ko" "$out"
