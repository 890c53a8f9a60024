/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * match.h - the reverse of printf() for kernel messages.
 *
 * A pattern is written the way the kernel writes the message:
 *
 *	"BUG: KASAN: {kind} in {func:f}"
 *
 * Literal text matches itself; a blank matches one or more blanks.  `{name}`
 * takes the shortest text up to what follows it in the pattern (at the end: the
 * rest of the line, not empty), `{*}` the same without remembering it, and
 *	{name:a}	what was done to memory: Read or Write
 *	{name:w}	characters other than blanks
 *	{name:d}	decimal digits
 *	{name:x}	hexadecimal digits, with or without 0x
 *	{name:f}	a symbol as %pS prints it: name+0x1/0x2; the name is taken
 * There is no backtracking, so a match takes linear time by construction;
 * this is why the formats need no regular expressions.
 */
#ifndef REPORT_MATCH_H
#define REPORT_MATCH_H

#include <stdbool.h>

#include "base/slice.h"

enum { MATCH_MAX = 8 };

struct match {
	struct slice name[MATCH_MAX], value[MATCH_MAX];
	unsigned nr;
};

/**
 * Match `pattern` against the beginning of `text` (one line).  The pattern
 * need not reach the end of the text.  Captures are added to *m.
 */
bool match_line(const char *pattern, struct slice text, struct match *m);

/** The capture called `name`, or an empty slice. */
struct slice match_get(const struct match *m, const char *name);

/** Set or replace the capture called `name` (a string that outlives *m). */
void match_set(struct match *m, const char *name, struct slice value);

/** Length of the symbol at the start of `s` as the kernel prints it; 0: none. */
size_t symbol_len(struct slice s);

#endif /* REPORT_MATCH_H */
