/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * escape.h - take terminal control sequences out of a log.
 *
 * `dmesg --color=always` puts some in front of, behind and into messages,
 * firmware and systemd colour what they say: ESC '[' parameters and a letter
 * (ECMA-48, 5.4: CSI).  What is left out counts in the offsets of the log, so
 * it is noted where that was.
 */
#ifndef REPORT_ESCAPE_H
#define REPORT_ESCAPE_H

#include <stdint.h>

#include "base/buf.h"
#include "base/vec.h"

enum { ESCAPE_MAX = 32 }; /* a longer sequence is text */

/* What stands at `at` or behind has lost `total` bytes in front of it. */
struct escape_cut {
	uint64_t at, total;
};

struct escapes {
	VEC(struct escape_cut) cuts; /* ascending */
	uint64_t total; /* left out so far */
	uint64_t forgotten; /* total of the cuts that are no longer there */
	char held[ESCAPE_MAX]; /* what may become a sequence */
	size_t nr_held;
};

void escapes_deinit(struct escapes *e);

/**
 * Append `piece` to `text` without its sequences, even those that an earlier
 * piece began; `base` is the offset of `text` in all that was left.
 */
void escapes_strip(struct escapes *e, struct slice piece, uint64_t base,
		   struct buf *text);

/** Nothing will follow: append what was held back. */
void escapes_flush(struct escapes *e, struct buf *text);

/**
 * Where in the log it is what stands at `offset` of the text; a sequence right
 * there begins there.  O(log n).
 */
uint64_t escapes_offset(const struct escapes *e, uint64_t offset);

/** No smaller offset than this one will be asked for. O(n). */
void escapes_forget(struct escapes *e, uint64_t offset);

#endif /* REPORT_ESCAPE_H */
