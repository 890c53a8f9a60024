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

enum { NO_LINE = -1 };

struct window_line {
	uint32_t offset, len; /* in the window's text, with the prefix */
	uint32_t text_offset, text_len; /* without it */
	int32_t prev, next; /* of the same caller, or NO_LINE */
	caller_id caller;
	bool has_time;
	bool claimed; /* belongs to a report found already */
};

struct window {
	const char *text; /* what the offsets count from; may move */
	VEC(struct window_line) lines;
	int32_t last[8192]; /* of each caller, by hash */
	int32_t last_panic; /* the last line that announces a panic */
	bool complete; /* no line will follow */
};

void window_clear(struct window *w);

/** Add a line of w->text; it must lie behind those already there. */
void window_add(struct window *w, struct slice line);

/** The message of line `i`. */
struct slice window_text(const struct window *w, int32_t i);

/** Forget the first `n` lines; the text moves down by as many bytes. */
void window_drop(struct window *w, int32_t n, uint32_t bytes);

/**
 * Is line `i` printed once more later?  printk cuts a message short when a
 * console changes hands and prints it again, behind "** replaying previous
 * printk message **", on the line that was cut or on one of its own.
 */
bool window_replayed(const struct window *w, int32_t i);

struct gathered {
	VEC(int32_t) lines; /* of the text, in order */
	size_t header; /* index into lines */
	struct hit hit;
	int32_t last; /* the last line that belongs to it, text or not */
	bool panicked;
	bool harmless; /* a call trace that was asked for: no report */
	bool interrupted; /* by another report, before its own end */
};

/**
 * Collect the report that begins at line `first`, where `hit` was found.
 * False: its end is not in the window yet (never so if w->complete or
 * `force`).  Marks its lines as claimed when true, unless
 * out->harmless.
 */
bool gather(struct window *w, int32_t first, const struct hit *hit, bool force,
	    struct gathered *out);

#endif /* REPORT_GATHER_H */
