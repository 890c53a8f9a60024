/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * insn.h - the few instructions that tell the plugin what the guest does.
 *
 * QEMU 7.2 tells plugins neither registers nor interrupts.  But each of these
 * things has an instruction of its own, in all kernels of the processor:
 *
 *	mark		what the executor runs around a system call (wire/format.h)
 *	switch		of tasks: loads the next one's stack pointer, from an
 *			address in its task_struct, which so tells tasks apart
 *	entry		first instructions of an exception or interrupt
 *	irq_enter	from a task's stack to the interrupts' one
 *	irq_leave	and back
 *	trap_return	from an exception or interrupt; the outermost: to user mode
 *	user_return	from a system call
 *
 * If a kernel does them differently, coverage has what interrupts and other
 * tasks ran; nothing else depends on it.
 *
 * To add a processor: a struct arch, and its name in the table of cover.c.
 */
#ifndef PLUGIN_INSN_H
#define PLUGIN_INSN_H

#include <stddef.h>
#include <stdint.h>

enum insn_kind {
	INSN_PLAIN,
	INSN_SWITCH, /* its memory access names the next task */
	INSN_IRQ_ENTER,
	INSN_IRQ_LEAVE,
	INSN_TRAP_RETURN,
	INSN_USER_RETURN,
	INSN_ENTRY,
	INSN_STUB, /* before an entry; belongs to the interrupt, too */
};

/* An instruction's bytes; size 0: there is none. */
struct code {
	const unsigned char *bytes;
	size_t size;
};

struct arch {
	const char *target; /* as QEMU calls it */
	/* WIRE_MARK_* when it is one of the executor's marks, else 0. */
	unsigned int (*mark)(struct code insn);
	/* A kernel's instruction, by itself and its neighbours in the block. */
	enum insn_kind (*classify)(struct code before, struct code insn,
				   struct code after, size_t index);
};

extern const struct arch arch_x86_64;

#endif /* PLUGIN_INSN_H */
