/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * qemu.h - what the files of the QEMU machine share: the boards that it plays,
 * and the state of one.
 *
 * To add a processor: a row in board.c, a kernel kind (kernel_file.c), an
 * executor (meson.build) and its registers (qemu_silent.c).
 */
#ifndef VM_QEMU_H
#define VM_QEMU_H

#include "vm/internal.h"
#include "vm/qmp.h"

/* How QEMU plays the computer of a processor. */
struct board {
	const char *arch; /* for people */
	const char *program, *program_env; /* QEMU's name; what overrides it */
	const char *package; /* Debian's, with it */
	const char *machine; /* arguments, whatever the accelerator */
	const char *tcg, *kvm; /* the accelerator's; NULL: not on this host */
	const char *serial; /* arguments: con is the console, msg messages */
	const char *console; /* the guest's name for it */
	const char *console_config; /* what the kernel needs for that */
	const char *cmdline;
	const char *pc; /* how "info registers" begins the program counter */
	const char *kernel_pc; /* ... and one of the kernel's */
	/*
	 * The shared memory's place can be written while the machine is not
	 * running, through the monitor's port I/O (see map_bar()): a snapshot
	 * may leave memory out.
	 */
	bool port_io;
	bool nmi; /* inject-nmi works */
	bool frame_pointers; /* the kernel's stack can be walked by x29 */
};

/** The board for a kernel, or NULL when QEMU cannot boot such a file. */
const struct board *board_for(enum vm_kernel_kind kind);

struct qemu {
	const struct board *board;
	struct vm_qemu program;
	struct qmp qmp;
	bool kvm;
	int ram_fd, state_fd; /* the template; -1: none */
	uint32_t bar[2]; /* where the shared memory was in the snapshot */
	struct kvm_try *kvm_try; /* going on in the background */
};

/* qemu_silent.c: see struct vm_ops. */
fallible qemu_diagnose(struct vm *vm, struct buf *out);
void qemu_explain(struct vm *vm, struct buf *why);

#endif /* VM_QEMU_H */
