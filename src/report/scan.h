/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * scan.h - find any of a set of literals in megabytes of text.
 *
 * Of each literal four bytes are chosen that are rare in kernel logs.  Any
 * third byte of the text, with the one behind it, must be one of the three
 * pairs in those four; so one table look-up in three bytes, none of which
 * waits for another, passes over text without a hit.  A skip that depends on
 * what was read (Wu and Manber, 1994) makes no longer steps with short
 * literals and has to wait for each.
 */
#ifndef REPORT_SCAN_H
#define REPORT_SCAN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"

enum { SCAN_MAX_LITERALS = 256, SCAN_MIN_LEN = 4 };

struct scanner {
	uint8_t hot[65536]; /* by pair: some literal has it */
	uint16_t first[65536]; /* 1 + first of the pair's places, or 0 */
	/* Place 3 * i + k is pair k of the four bytes of literal i. */
	uint16_t next[3 * SCAN_MAX_LITERALS]; /* 1 + next of that pair, or 0 */
	uint16_t offset[SCAN_MAX_LITERALS]; /* of the four bytes */
	struct slice literal[SCAN_MAX_LITERALS];
	unsigned nr;
	size_t max_len; /* of a literal */
};

/** Prepare for `nr` literals, each at least SCAN_MIN_LEN bytes long. */
void scanner_init(struct scanner *s, const struct slice *literals, unsigned nr);

/**
 * The first place at or after `from` where a literal begins, or NULL.
 * At equal places the literal with the lowest number is reported in *which.
 */
const char *scanner_find(const struct scanner *s, struct slice text,
			 size_t from, unsigned *which);

#endif /* REPORT_SCAN_H */
