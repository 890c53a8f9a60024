/* SPDX-License-Identifier: GPL-2.0-or-later */
/* qemu_silent.c - what a guest that says nothing is doing. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "vm/qemu.h"

enum {
	ASK_MS = 1500,
	MAX_STACK_FRAMES = 64,
	LITTLE_MIB = 256, /* a kernel with KASAN may end before its console */
};

#define KERNEL_HALF (1ull << 55) /* says which half an address is in */
#define SIGNATURE (0xffffull << 48)

/* Read the console for a while; did it say anything? */
static fallible listen(struct vm *vm, uint64_t *from, struct buf *out)
{
	uint64_t end = vm_now_ms(vm) + vm_scaled(vm, ASK_MS);
	unsigned events;

	while (vm_now_ms(vm) < end && !vm->proc.ended)
		TRY(vm_wait_process(vm, (unsigned)(end - vm_now_ms(vm)),
				    &events));
	*from = vm_console(vm, *from, out);
	return NULL;
}

/* A break and a letter on the serial line: drivers/tty/sysrq.c. */
static fallible sysrq(struct vm *vm, char letter)
{
	struct qemu *q = vm->impl;

	TRY(qmp_command(&q->qmp,
			"{\"execute\":\"chardev-send-break\",\"arguments\":"
			"{\"id\":\"con\"}}",
			-1, QMP_TIMEOUT_MS, NULL));
	ssize_t n = vm->con_fd < 0 ? 0 : write(vm->con_fd, &letter, 1);
	(void)n; /* the guest may not read: then the NMI tells more */
	return NULL;
}

/* The hexadecimal number behind `name`. */
static bool number_after(struct slice text, struct slice name, uint64_t *out)
{
	char digits[17];
	const char *at = slice_find(text, name);

	if (!at)
		return false;
	struct slice s = slice_range(at + name.len, text.p + text.len);
	size_t n = MIN(s.len, sizeof(digits) - 1);

	memcpy(digits, s.p, n);
	digits[n] = '\0';
	char *end;
	*out = strtoull(digits, &end, 16);
	return end > digits;
}

/* The dump without vector registers, which are most of it on arm64. */
static void put_registers(struct slice dump, struct buf *out)
{
	struct slice line;

	buf_str(out, "REGISTERS:\n");
	while (slice_line(&dump, &line)) {
		line = slice_trim(line);
		if (!line.len || *line.p == '[' ||
		    (line.len > 1 && strchr("PQVZ", *line.p) &&
		     line.p[1] >= '0' && line.p[1] <= '9'))
			continue;
		buf_slice(out, line);
		buf_char(out, '\n');
	}
}

/*
 * Frame records, from x29 on (Procedure Call Standard for the Arm 64-bit
 * Architecture, "The Frame Pointer"): the caller's record, the return address,
 * which is signed: in kernel addresses all of the upper 16 bits were ones.
 */
static fallible walk_stack(struct qemu *q, struct slice regs, struct buf *out)
{
	uint64_t pc, fp = 0;

	if (!number_after(regs, SLICE("PC="), &pc))
		return NULL;
	number_after(regs, SLICE("X29="), &fp);
	buf_printf(out, "Call trace:\n [<%016llx>]\n", (unsigned long long)pc);
	for (int i = 0; i < MAX_STACK_FRAMES && fp && !(fp & 7); i++) {
		_cleanup_(buf_deinit) struct buf text = {};
		char command[64];
		uint64_t next, ret;

		snprintf(command, sizeof(command), "x /2gx 0x%llx",
			 (unsigned long long)fp);
		TRY(qmp_human(&q->qmp, command, &text));
		struct slice s = buf_as_slice(&text);
		const char *second;
		if (!number_after(s, SLICE(": 0x"), &next))
			break;
		second = slice_find(s, SLICE(": 0x"));
		s = slice_range(second + 4, s.p + s.len);
		if (!number_after(s, SLICE(" 0x"), &ret) || !ret)
			break;
		if (ret & KERNEL_HALF)
			ret |= SIGNATURE;
		buf_printf(out, " [<%016llx>]\n", (unsigned long long)ret);
		if (next <= fp)
			break;
		fp = next;
	}
	return NULL;
}

fallible qemu_diagnose(struct vm *vm, struct buf *out)
{
	struct qemu *q = vm->impl;
	_cleanup_(buf_deinit) struct buf regs = {};
	uint64_t from = vm->console.total;
	uint64_t before = from;
	static const char letters[] = "lw";

	TRY(qmp_human(&q->qmp, "info registers -a", &regs));
	put_registers(buf_as_slice(&regs), out);
	if (q->board->frame_pointers)
		TRY(walk_stack(q, buf_as_slice(&regs), out));
	for (const char *l = letters; *l; l++) {
		TRY(sysrq(vm, *l));
		buf_printf(out, "SYSRQ %c:\n", *l);
		TRY(listen(vm, &from, out));
		if (from == before)
			break;
	}
	if (from != before || vm->proc.ended || !q->board->nmi)
		return NULL;
	/* It hears no interrupts: one that cannot be masked. */
	TRY(qmp_command(&q->qmp, "{\"execute\":\"inject-nmi\"}", -1,
			QMP_TIMEOUT_MS, NULL));
	buf_str(out, "NMI:\n");
	return listen(vm, &from, out);
}

/* What keeps a kernel silent that runs or ran, the likelier cause first. */
static void put_causes(const struct vm *vm, bool ended, struct buf *why)
{
	const struct board *b = ((const struct qemu *)vm->impl)->board;
	bool little = vm->cfg.memory_mib < LITTLE_MIB;

	if (little)
		buf_printf(why, ": too little memory (%u MiB), or",
			   vm->cfg.memory_mib);
	else
		buf_char(why, ':');
	buf_printf(why, " no serial console (%s)", b->console_config);
	if (ended && !little)
		buf_printf(why, ", or too little memory (%u MiB)",
			   vm->cfg.memory_mib);
	buf_char(why, '?');
}

/* Nothing on the console: is it the console, or does nothing run? */
void qemu_explain(struct vm *vm, struct buf *why)
{
	struct qemu *q = vm->impl;
	const struct board *b = q->board;
	_cleanup_(buf_deinit) struct buf regs = {};

	if (vm->console.total)
		return;
	if (vm->death.kind == VM_SHUTDOWN) {
		buf_printf(why, "the guest ended without a word on %s",
			   b->console);
		put_causes(vm, true, why);
		if (vm->kernel.kind == VM_KERNEL_VMLINUX)
			buf_str(why, " With KASAN, QEMU cannot start a vmlinux:"
				     " boot its bzImage");
	}
	if (vm->proc.ended)
		return;
	struct error *err = qmp_human(&q->qmp, "info registers", &regs);
	if (err) {
		buf_printf(why, "no output, and %s", error_message(err));
		error_free(err);
		return;
	}
	struct slice text = buf_as_slice(&regs);
	const char *pc = slice_find(text, slice_cstr(b->pc));
	if (pc && slice_starts(slice_range(pc, text.p + text.len),
			       slice_cstr(b->kernel_pc))) {
		buf_printf(why,
			   "the kernel runs (%.20s) but prints nothing on %s",
			   pc, b->console);
		put_causes(vm, false, why);
	} else {
		buf_printf(why, "no output on the serial console; %s (%.20s)",
			   q->kvm ? "KVM does not run guests here" :
				    "the processor hangs before the kernel",
			   pc ? pc : "no program counter");
	}
}
