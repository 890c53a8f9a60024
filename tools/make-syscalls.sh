#!/bin/sh
# make-syscalls.sh CC... - the system calls of every processor that a guest can
# have, from the installed kernel headers, as SYSCALL(arch, "name", number).
set -eu
table() { # ARCH HEADER DEFINES... (the compiler is in $cc)
	arch=$1 header=$2
	shift 2
	printf '#include <%s>\n' "$header" | $cc -E -dM "$@" - 2>/dev/null |
		sed -n 's/^#define __NR_\([a-z0-9_]*\) .*/\1/p' | sort |
		grep -vxE 'syscalls|arch_specific_syscall' |
		{ printf '#include <%s>\n' "$header"
		  sed 's/.*/SYSCALL('"$arch"', "&", __NR_&)/'; } |
		$cc -E -P "$@" - 2>/dev/null | grep '^SYSCALL.* [0-9]*)$' || :
}
cc=$*
table X86_64 asm/unistd_64.h
# arch/arm64/include/uapi/asm/unistd.h is the generic table with these.
table ARM64 asm-generic/unistd.h -D__BITS_PER_LONG=64 -D__ARCH_WANT_RENAMEAT \
	-D__ARCH_WANT_NEW_STAT -D__ARCH_WANT_SET_GET_RLIMIT \
	-D__ARCH_WANT_TIME32_SYSCALLS=0 -D__ARCH_WANT_SYS_CLONE3 \
	-D__ARCH_WANT_MEMFD_SECRET
