# SPDX-License-Identifier: GPL-2.0-or-later
# boot.sh - shell functions to boot the kernels of ../shared/kernel (sourced).
#
#	prepare_boot			builds init and initramfs into $tmp
#	boot KERNEL SMP OPTIONS SECONDS	console to stdout
#
# $here is the directory of this file. Exits 77 when something is missing.
kernels=$here/../../../shared/kernel
cache=${XDG_CACHE_HOME:-/tmp/bugon-cache}
tmp=

skip()
{
	echo "skipped: $*"
	exit 77
}

# Unpack kernel file $1/$2.xz into the cache, once; prints where it is.
unpack()
{
	mkdir -p "$cache/$1"
	if [ ! -e "$cache/$1/$2" ]; then
		xz -dc "$kernels/$1/$2.xz" >"$cache/$1/$2.$$"
		chmod +x "$cache/$1/$2.$$"
		mv "$cache/$1/$2.$$" "$cache/$1/$2"
	fi
	echo "$cache/$1/$2"
}

prepare_boot()
{
	[ -d "$kernels" ] || skip "no ../shared/kernel"
	tmp=$(mktemp -d)
	trap 'rm -rf "$tmp"' EXIT
	trap 'exit 1' INT TERM
	cc=${CC:-cc}
	$cc -std=gnu17 -D_GNU_SOURCE -Os -static -s -o "$tmp/init" \
		"$here/init.c" 2>"$tmp/cc.log" ||
		skip "cannot link a static program: $(cat "$tmp/cc.log")"
	xz -dc "$here/bugs.ko.xz" >"$tmp/bugs.ko"
	"$here/mkinitramfs.py" "$tmp/initramfs" init="$tmp/init" \
		bugs.ko="$tmp/bugs.ko"
}

# The initramfs with a disk image in it, for the file system crashes.
initramfs_for()
{
	case $1 in
	*mount:bcachefs*)
		zstd -dqf "$kernels/images/bcachefs-encrypted.img.zst" \
			-o "$tmp/disk.img"
		"$here/mkinitramfs.py" "$tmp/initramfs.disk" \
			init="$tmp/init" disk.img="$tmp/disk.img"
		echo "$tmp/initramfs.disk" ;;
	*) echo "$tmp/initramfs" ;;
	esac
}

boot()
{
	initrd=$(initramfs_for "$3")
	append="rdinit=/init quiet $3"
	case $1 in
	uml*)
		timeout -k 1 "$4" "$(unpack "$1" linux)" mem=512M \
			initrd="$initrd" con=null con0=null,fd:1 seccomp=on \
			$append 2>&1 ;;
	*)
		command -v qemu-system-x86_64 >/dev/null ||
			skip "no qemu-system-x86_64"
		timeout -k 1 "$4" qemu-system-x86_64 -M pc \
			-accel tcg,thread=multi -cpu max,cx16=off -smp "$2" \
			-m 512 -kernel "$kernels/$1/bzImage" -initrd "$initrd" \
			-nodefaults -no-user-config -display none \
			-serial stdio -no-reboot \
			-append "console=ttyS0 tsc=reliable $append" ;;
	esac
}
