/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * x86.c - telling instructions of the x86-64 kernel (arch/x86/entry/entry_64.S,
 * include/asm/irq_stack.h, as disassembled from 6.1 and 6.12).
 */
#include <string.h>

#include "insn.h"
#include "wire/format.h"

#define ENTRY_INSNS 5 /* nop, nop, nop or clac, or endbr64, before cld */

static int is(struct code c, const char *bytes, size_t len)
{
	return c.size >= len && !memcmp(c.bytes, bytes, len);
}

#define IS(c, bytes) is(c, bytes, sizeof(bytes) - 1)

/* mov WIRE_MARK + op(%rbx), %ecx */
static unsigned int mark(struct code c)
{
	uint32_t disp;

	if (c.size != 6 || !IS(c, "\x8b\x8b"))
		return 0;
	memcpy(&disp, c.bytes + 2, sizeof(disp));
	disp -= WIRE_MARK;
	return disp <= WIRE_MARK_LAST ? disp : 0;
}

/* mov %rsp, (%reg); `reg` is its number, 0 to 15. */
static int stores_sp(struct code c, unsigned int *reg)
{
	if (c.size < 3 || c.size > 4 || (c.bytes[0] & 0xfe) != 0x48 ||
	    c.bytes[1] != 0x89 || (c.bytes[2] & 0xf8) != 0x20)
		return 0;
	*reg = (c.bytes[0] & 1u) << 3 | (c.bytes[2] & 7u);
	return 1;
}

/* mov %reg, %rsp */
static int loads_sp(struct code c, unsigned int reg)
{
	return c.size == 3 && (c.bytes[0] & 0xfb) == 0x48 &&
	       c.bytes[1] == 0x89 && (c.bytes[2] & 0xc7) == 0xc4 &&
	       reg == ((c.bytes[0] >> 2 & 1u) << 3 | (c.bytes[2] >> 3 & 7u));
}

static enum insn_kind classify(struct code before, struct code c,
			       struct code after, size_t index)
{
	unsigned int reg;

	/* mov TASK_threadsp(%rdi -> %rsi): __switch_to_asm */
	if (c.size == 7 && IS(c, "\x48\x8b\xa6") && IS(before, "\x48\x89\xa7"))
		return INSN_SWITCH;
	if (stores_sp(before, &reg) && loads_sp(c, reg))
		return INSN_IRQ_ENTER;
	if (c.size == 1 && IS(c, "\x5c")) /* pop %rsp */
		return INSN_IRQ_LEAVE;
	if (IS(c, "\x48\xcf")) /* iretq */
		return INSN_TRAP_RETURN;
	if (IS(c, "\x48\x0f\x07")) /* sysretq */
		return INSN_USER_RETURN;
	if (c.size == 1 && IS(c, "\xfc") && index < ENTRY_INSNS) /* cld */
		return INSN_ENTRY;
	/* push $vector; jmp asm_common_interrupt */
	if (!index && IS(c, "\x6a") && (IS(after, "\xe9") || IS(after, "\xeb")))
		return INSN_STUB;
	return INSN_PLAIN;
}

const struct arch arch_x86_64 = {
	.target = "x86_64",
	.mark = mark,
	.classify = classify,
};
