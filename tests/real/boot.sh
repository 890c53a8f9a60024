# SPDX-License-Identifier: GPL-2.0-or-later
# boot.sh - shell functions to boot the kernels of ../shared/kernel (sourced).
#
#	prepare_boot			builds init and initramfs into $tmp
#	boot KERNEL SMP OPTIONS SECONDS	console to stdout
#
# $here is the directory of this file. Exits 77 when something is missing.
kernels=$here/../../../shared/kernel
cache=/tmp/bugon-cache
tmp=

skip()
{
	echo "skipped: $*"
	exit 77
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
}

# The initramfs for kernel $1 and options $2: with the module that fits, or
# with a disk image instead, for the file system crashes.
initramfs_for()
{
	case $1,$2 in
	*mount:bcachefs*)
		zstd -dqf "$kernels/images/bcachefs-encrypted.img.zst" \
			-o "$tmp/disk.img"
		set -- "$tmp/initramfs.disk" disk.img="$tmp/disk.img" ;;
	debug*)
		set -- "$tmp/initramfs.debug" bugs.ko="$cache/$1/bugs.ko" ;;
	*)
		set -- "$tmp/initramfs" bugs.ko="$tmp/bugs.ko" ;;
	esac
	[ -e "$1" ] || "$here/mkinitramfs.py" "$1" init="$tmp/init" "$2"
	echo "$1"
}

boot_uml()
{
	timeout -k 1 "$4" "$("$here/../kernel-file.sh" "$1/linux")" mem=512M initrd="$5" \
		con=null con0=null,fd:1 seccomp=on rdinit=/init quiet $3 2>&1
}

boot_qemu()
{
	command -v qemu-system-x86_64 >/dev/null || skip "no qemu-system-x86_64"
	image=$kernels/$1/bzImage
	case $1 in debug*) image=$cache/$1/bzImage ;; esac
	[ -e "$image" ] || skip "no $image"
	timeout -k 1 "$4" qemu-system-x86_64 -M pc -accel tcg,thread=multi \
		-cpu max,cx16=off -smp "$2" -m 512 -kernel "$image" \
		-initrd "$5" -nodefaults -no-user-config -display none \
		-serial stdio -no-reboot -append \
		"console=ttyS0 tsc=reliable rdinit=/init quiet $3"
}

boot()
{
	initrd=$(initramfs_for "$1" "$3")
	case $1 in
	uml*) boot_uml "$@" "$initrd" ;;
	*) boot_qemu "$@" "$initrd" ;;
	esac
}
