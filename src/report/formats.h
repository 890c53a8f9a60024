/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * formats.h - the table of formats.def and how a line is looked up in it.
 *
 * To teach bugon a new splat: a row in formats.def and an example in
 * tests/golden/report/; see docs/format/report.md.
 */
#ifndef REPORT_FORMATS_H
#define REPORT_FORMATS_H

#include "report/match.h"
#include "report/report.h"
#include "report/scan.h"

/* Where the frame of a title is looked for. */
enum frame_source {
	FROM_NONE, /* the title has no frame */
	FROM_CAPTURED, /* {at} of the pattern, whatever it is */
	FROM_HEAD, /* {at}, then as TRACE */
	FROM_PAIR, /* {a} and {b}, sorted */
	FROM_TRACE, /* the program counter, then the call trace */
	FROM_OBJECT, /* the same; who queued the object is to blame */
	FROM_LOCK, /* the first "at: f", then the trace after the dump */
	FROM_LOCKS, /* the first two "at: f", then the trace after the dump */
	FROM_IRQ_LOCK, /* where the lock became irq-safe, then as LOCKS */
	FROM_HANG, /* the first frame that does not just wait */
	FROM_STALL, /* below the interrupt, above the generic entry code */
	FROM_ROOT, /* above the generic entry code: who began a recursion */
	FROM_LEAK, /* the first frame that is not an allocator */
};

enum format_flags {
	F_NO_TRACE = 1 << 0, /* a report without a call trace is complete */
	F_BROKEN = 1 << 1, /* such a report is never complete */
	F_FOLLOWS = 1 << 2, /* belongs to a report whose trace is to come */
	F_ANYWHERE = 1 << 3, /* may stand in the middle of a word */
	F_START = 1 << 4, /* only at the start of a message */
	F_LOCKDEP = 1 << 5, /* behind "WARNING: ", "[ BUG: " or "[ INFO: " */
	F_IS_WARNING = 1 << 6, /* with F_LOCKDEP: only behind "WARNING: " */
	F_PANIC = 1 << 7, /* the kernel stops here */
	F_NEXT_LINE = 1 << 8, /* the detail is on the very next line */
	F_REBOOT = 1 << 9, /* means something only after other output */
	F_TENTATIVE = 1 << 10, /* gives way to a format on a later line */
	F_WEAK = 1 << 11, /* gives way to a format later in the line */
	F_CATCH_ALL = 1 << 12, /* says only that something was said */
	F_TICK = 1 << 13, /* noticed by the timer interrupt: it is below that */
	F_RULED = 1 << 14, /* closed by a line of '=' */
	F_TRACE = 1 << 15, /* a call trace: part of what it stands in, if any */
};

enum { FORMAT_DOC_BYTES = 100 };

struct format {
	const char *id;
	enum report_type type;
	enum frame_source from;
	unsigned flags;
	const char *line, *detail, *title, *alts, *doc;
};

extern const struct format formats[];
extern const unsigned nr_formats;

/* A place in a message where a report may begin. */
struct hit {
	const struct format *format; /* the first row whose line matches */
	struct slice at; /* the message from where the row matches */
	bool is_warning; /* "WARNING: " led it */
};

/** The scanner for the starts of all formats; made on first use. */
const struct scanner *formats_scanner(void);

/** May a report begin in this message? Faster than formats_find(). */
bool formats_scan(struct slice message);

/** Does a report begin in this message? Fills *hit. */
bool formats_find(struct slice message, struct hit *hit);

/** Does this line announce a call trace that is not of a crash? */
bool formats_harmless_trace(struct slice message);

/** Do the line patterns of `f` match at the hit? Adds the captures. */
bool format_matches(const struct format *f, const struct hit *hit,
		    struct match *m);

#endif /* REPORT_FORMATS_H */
