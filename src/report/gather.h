/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * gather.h - the lines of a window of the log, and which make one report.
 *
 * Lines are chained by caller, so that collecting a report costs its own
 * lines only, however many tasks print at once.
 */
#ifndef REPORT_GATHER_H
#define REPORT_GATHER_H

#include "base/vec.h"
#include "report/console.h"
#include "report/formats.h"

enum {
	NO_LINE = -1,
	WINDOW_LINES = 65536, /* a report ends within so many lines */
	HISTORY_BYTES = 16 * 1024, /* it may have a prelude within so many */
	CALLER_SETS = 1024,
	CALLER_WAYS = 8,
};

struct window_line {
	uint32_t offset, len; /* in the window's text, with the prefix */
	uint32_t text_offset, text_len; /* without it */
	int32_t prev, next; /* of the same caller, or NO_LINE */
	uint32_t panics; /* lines up to this one that announce a panic */
	caller_id caller;
	bool has_time;
	bool hot; /* some format's first words are in it */
	bool replaying; /* it says that a message is printed once more */
	bool claimed; /* belongs to a report found already */
};

struct window {
	const char *text; /* what the offsets count from; may move */
	VEC(struct window_line) lines;
	/* The last lines of callers, by hash, the latest first in each set. */
	int32_t last[CALLER_SETS][CALLER_WAYS];
	int32_t end; /* lines from here on are out of reach; see gather() */
	bool complete; /* no line will follow within reach */
};

void window_clear(struct window *w);

/** Add a line of w->text; it must lie behind those already there. */
void window_add(struct window *w, struct slice line);

/** The message of line `i`. */
struct slice window_text(const struct window *w, int32_t i);

/** formats_find() in the message of line `i`. */
bool window_hit(const struct window *w, int32_t i, struct hit *hit);

/** The first line that begins at or after `offset`; lines.len if none does. */
int32_t window_at(const struct window *w, uint64_t offset);

/** The text loses its first `bytes`: forget the lines that begin there. */
void window_drop(struct window *w, uint32_t bytes);

/**
 * Set w->end and w->complete for a report that begins at line `first`: what
 * is further away than REPORT_WINDOW_BYTES or WINDOW_LINES is out of reach,
 * however much of the log is known.  `end`: no line will follow.
 */
void window_reach(struct window *w, int32_t first, bool end);

/**
 * Is line `i` printed once more later?  printk cuts a message short when a
 * console changes hands and prints it again, behind "** replaying previous
 * printk message **", on the line that was cut or on one of its own.  False in
 * *known: the lines that tell have yet to come.
 */
bool window_replayed(const struct window *w, int32_t i, bool *known);

struct gathered {
	VEC(int32_t) lines; /* of the text, in order */
	size_t header; /* index into lines */
	struct hit hit;
	int32_t reach; /* the last line that certainly belongs to it */
	int32_t last; /* the last line that belongs to it, text or not */
	bool panicked;
	bool harmless; /* a call trace that was asked for: no report */
	bool interrupted; /* by another report, before its own end */
};

/**
 * Collect the report that begins at line `first`, where `hit` was found.
 * Only lines before w->end are looked at.  False: its end is not among them
 * (never so if w->complete).  Marks its lines as claimed when true, unless
 * out->harmless.  What it finds depends on the lines up to that end and on no
 * other.
 */
bool gather(struct window *w, int32_t first, const struct hit *hit,
	    struct gathered *out);

#endif /* REPORT_GATHER_H */
