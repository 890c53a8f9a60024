/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * disasm.h - the machine code of a crash report, disassembled.
 *
 * An oops prints the bytes around the instruction that trapped ("Code: 89 ea
 * ... <0f> b6 04 02 ...").  From the text of one report this finds them and
 * the processor they are for, and prints the block that syzbot's readers know:
 *
 *	----------------
 *	Code disassembly (best guess), 7 bytes skipped:
 *	   0:	df 4d 8d             	fisttps -0x73(%rbp)
 *	   ...
 *	* 23:	41 80 3b 00          	cmpb   $0x0,(%r11) <-- trapping instruction
 *
 *	_cleanup_(buf_deinit) struct buf block = {};
 *	if (disasm_append(report, NULL, &block))
 *		fputs(buf_cstr(&block), stdout);
 *
 * The instruction lines are those of `objdump -D -b binary`, of the binutils
 * that bugon was built against, since libopcodes writes both.  Like objdump it
 * leaves long runs of zero bytes out, and the last one or two ("...").
 *
 * Where to start: the bytes before the trap begin anywhere, perhaps in the
 * middle of an instruction.  The fewest bytes are skipped that make valid
 * instructions lead exactly to the trapping one; what follows it is printed
 * as it comes, valid or not.
 *
 * The '*' in front of the trapping instruction is as new as the reports of
 * Linux 5.15: a report of an older kernel gets its block as those had it.
 *
 * Limits: x86-64, i386, arm64, arm (ARM and Thumb), RISC-V and PowerPC; all
 * but the build machine's own need Debian's binutils-multiarch at run time,
 * and without a usable libopcodes there is no block.  Not thread-safe, as
 * libopcodes is not.  At most DISASM_BYTES_MAX bytes of code are looked at.
 *
 * To add a processor: a line in targets[] (disasm.c), what its registers and
 * its Code line look like in code_line.c, its own trap in is_own_trap().
 */
#ifndef ELF_DISASM_H
#define ELF_DISASM_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/slice.h"

/*
 * x86 kernels print at most this much: code_bytes= in
 * Documentation/admin-guide/kernel-parameters.txt (0 - 8192, 64 by default).
 */
#define DISASM_BYTES_MAX 8192

enum disasm_arch {
	DISASM_ARCH_AUTO, /* what the registers of the report say */
	DISASM_X86_64,
	DISASM_I386,
	DISASM_ARM64,
	DISASM_ARM, /* Thumb when the words have 4 digits */
	DISASM_RISCV64,
	DISASM_RISCV32,
	DISASM_PPC64,
	DISASM_PPC64LE,
	DISASM_PPC32,
};

struct disasm_opts {
	/*
	 * With a given processor, code is accepted also when the report does
	 * not show that it was running in the kernel.
	 */
	enum disasm_arch arch;
	/* A hang or a stall: nothing trapped, so there is no block. */
	bool hang;
};

/**
 * Append the block for the first kernel Code line of `report` (one report,
 * console prefixes already removed) to `out`, on a line of its own.
 *
 * False, and nothing appended, when there is nothing to show: no such line or
 * none that can be read, user code only, a hang, or a trap that the kernel set
 * for itself (BUG, WARN, UBSAN: ud2, brk, udf, ebreak, tdi), where the
 * instruction says nothing.  `opts` may be NULL: all defaults.
 */
bool disasm_append(struct slice report, const struct disasm_opts *opts,
		   struct buf *out);

typedef void disasm_insn_fn(void *data, const char *text);

/**
 * Call `insn` with every instruction of x86-64 code that is to be at `address`,
 * as objdump prints it but with plain addresses; what does not decode ends it.
 * `code` is not written to.  False when there is no libopcodes.
 */
bool disasm_function(uint8_t *code, size_t len, uint64_t address,
		     disasm_insn_fn *insn, void *data);

#endif /* ELF_DISASM_H */
