/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * code_line.h - the bytes that a crash report shows around the trap.
 *
 * Internal to src/elf: disasm.c turns them into instructions.
 */
#ifndef ELF_CODE_LINE_H
#define ELF_CODE_LINE_H

#include <stdint.h>

#include "elf/disasm.h"

struct code_line {
	enum disasm_arch arch; /* never DISASM_ARCH_AUTO */
	unsigned unit_bytes; /* per word as printed: 1, 2 or 4 */
	size_t len; /* bytes, in memory order */
	size_t trap; /* offset of the trapping instruction */
	uint8_t bytes[DISASM_BYTES_MAX];
};

/** True when the words are printed with the most significant byte first. */
bool arch_is_big_endian(enum disasm_arch arch);

/** The word at the trap, as the kernel printed it; 0 past the end. */
uint32_t code_line_trap_word(const struct code_line *code);

/**
 * Find the first Code line of kernel code in `report`.  `arch` may be AUTO.
 * False when there is none: see disasm_append().
 */
bool code_line_find(struct slice report, enum disasm_arch arch,
		    struct code_line *out);

#endif /* ELF_CODE_LINE_H */
