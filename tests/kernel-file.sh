#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# kernel-file.sh KERNEL/FILE - print where a file of ../shared/kernel is,
# unpacked into /tmp/bugon-cache once; several may ask at a time.
#
#	kernel-file.sh uml-6.17/linux
#	kernel-file.sh x86-6.12/vmlinux
#
# Exits 77 if it is not in ../shared/kernel.
set -eu
shared=$(dirname "$0")/../../shared/kernel
cache=/tmp/bugon-cache

if [ -e "$shared/$1" ]; then
	echo "$shared/$1"
	exit
fi
if [ ! -e "$cache/$1" ]; then
	[ -e "$shared/$1.xz" ] || exit 77
	mkdir -p "$cache/${1%/*}"
	part=$cache/$1.$$
	trap 'rm -f "$part"' EXIT
	xz -dc "$shared/$1.xz" >"$part"
	chmod +x "$part"
	mv "$part" "$cache/$1"
fi
echo "$cache/$1"
