/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * scan.h - find any of a set of literals in megabytes of text.
 *
 * Wu and Manber, "A fast algorithm for multi-pattern searching" (1994): a
 * table indexed by two bytes says how far the window may move.  Text without
 * a hit costs about one table look-up per two or three bytes.
 */
#ifndef REPORT_SCAN_H
#define REPORT_SCAN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"

enum { SCAN_MAX_LITERALS = 256, SCAN_MIN_LEN = 4 };

struct scanner {
	uint8_t shift[65536]; /* by the last two bytes of the window */
	uint16_t first[65536]; /* 1 + first literal with that pair, or 0 */
	uint16_t next[SCAN_MAX_LITERALS]; /* 1 + next in that list, or 0 */
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

/** Does literal `which` stand at `p`, within `end`? */
bool scanner_at(const struct scanner *s, unsigned which, const char *p,
		const char *end);

#endif /* REPORT_SCAN_H */
