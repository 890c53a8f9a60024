/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * board.c - the computers that QEMU plays.
 *
 * x86-64: TCG needs cx16=off: QEMU 7.2's cmpxchg16b misbehaves with
 * thread=multi and KASAN kernels crash at random.
 *
 * arm64: pauth-impdef=on replaces the QARMA cipher of pointer authentication,
 * which TCG computes in software at every function of the kernel, by a cheap
 * one: Debian's kernel boots in 2.7 s instead of 7.4.  The board has one UART;
 * the messages' is on PCI.
 */
#include "vm/qemu.h"

/* Without KASLR addresses mean the same in each boot. */
#define CMDLINE                                                         \
	"rdinit=/init loglevel=5 oops=panic panic=-1 kasan_multi_shot " \
	"sysrq_always_enabled nokaslr "

static const struct board x86 = {
	.arch = "x86-64",
	.program = "qemu-system-x86_64",
	.program_env = "BUGON_QEMU",
	.package = "qemu-system-x86",
	.machine = "-M pc,memory-backend=ram",
	.tcg = "-accel tcg,thread=multi -cpu max,cx16=off",
#ifdef __x86_64__
	.kvm = "-accel kvm -cpu host",
#endif
	.serial = "-serial chardev:con -serial chardev:msg",
	.console = "ttyS0",
	.console_config = "CONFIG_SERIAL_8250_CONSOLE=y",
	.cmdline = CMDLINE "console=ttyS0 bugon_serial=ttyS1 tsc=reliable "
			   "unknown_nmi_panic",
	.pc = "RIP=",
	.kernel_pc = "RIP=ffffffff",
	.port_io = true,
	.nmi = true,
};

static const struct board arm64 = {
	.arch = "arm64",
	.program = "qemu-system-aarch64",
	.program_env = "BUGON_QEMU_ARM64",
	.package = "qemu-system-arm",
	.machine = "-M virt,memory-backend=ram",
	.tcg = "-accel tcg,thread=multi -cpu max,pauth-impdef=on",
	.serial = "-serial chardev:con -device pci-serial,chardev=msg",
	.console = "ttyAMA0",
	.console_config = "CONFIG_SERIAL_AMBA_PL011_CONSOLE=y",
	.cmdline = CMDLINE "console=ttyAMA0 bugon_serial=ttyS0",
	.pc = "PC=",
	.kernel_pc = "PC=ffff",
	.frame_pointers = true,
};

const struct board *board_for(enum vm_kernel_kind kind)
{
	switch (kind) {
	case VM_KERNEL_BZIMAGE:
	case VM_KERNEL_VMLINUX:
		return &x86;
	case VM_KERNEL_ARM64:
		return &arm64;
	default:
		return NULL;
	}
}
