/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * report.h - find crashes in kernel console output.
 *
 * A console log is hostile text: interleaved, truncated, lossy.  This module
 * finds each oops, warning, lockdep or sanitizer splat in it and says what it
 * is (title, type), where (frames) and how much of it can be trusted.  It
 * knows no kernel binary; addresses are turned into lines by elf/.
 *
 *	static fallible show(void *ctx, const struct report *r)
 *	{
 *		puts(r->title);
 *		return NULL;
 *	}
 *	...
 *	struct report_stream *s = report_stream_new(show, NULL);
 *	TRY(report_feed(s, text));
 *	TRY(report_finish(s));
 *	report_stream_free(s);
 *
 * Limits: a report is looked for in at most REPORT_WINDOW_BYTES of log behind
 * its first line and has at most REPORT_MAX_LINES lines; time is linear in the
 * length of the log and memory is bounded, whatever the log holds.  What is
 * found does not depend on how the log is cut into pieces.  Lines count as
 * several beyond 8 KiB, a message's first 1,024 bytes are looked at for what
 * it says, and whether a panic follows is known 64 KiB behind a report, at a
 * pause, some ticks later or at the end: so long it is held back.
 *
 * Formats are rows of formats.def; a new one needs a row with its doc and an
 * example in tests/golden/report/.  What functions are never blamed is in
 * skip.def.
 */
#ifndef REPORT_REPORT_H
#define REPORT_REPORT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/slice.h"
#include "report/guilty.h"

enum {
	REPORT_WINDOW_BYTES = 512 * 1024,
	REPORT_MAX_LINES = 4000,
	REPORT_MAX_FRAMES = 1024,
	REPORT_TITLE_BYTES = 120,
	REPORT_MAX_ALTS = 8,
};

enum report_type {
#define TYPE(name, text) REPORT_##name,
#include "report/types.def"
#undef TYPE
};

/** The name syzbot's dashboard uses for a type; "" for REPORT_UNKNOWN. */
const char *report_type_name(enum report_type type);

/* A kind of crash that can be found, as formats.def describes it. */
struct report_format {
	const char *id;
	enum report_type type;
	const char *title; /* with the parts that vary in braces */
	const char *doc; /* what happened, and the file that prints it */
};

/** Number `i` in the order they are tried; false: there are not so many. */
bool report_format_get(unsigned i, struct report_format *out);

struct report_frame {
	struct slice function; /* as printed, with .isra and the like */
	uint64_t offset, size; /* 0 if not printed */
	struct slice callee; /* ARM prints what this frame called, too */
	struct slice module; /* empty for the kernel itself */
	struct slice file; /* empty unless symbolized */
	unsigned line;
	bool is_inline;
	bool is_guess; /* printed with '?' or "(unreliable)" */
	bool is_pc; /* a program counter, not a return address */
};

struct report {
	const char *title; /* "KASAN: use-after-free Read in ip_rcv" */
	const char *alts[REPORT_MAX_ALTS]; /* sorted */
	size_t nr_alts;
	enum report_type type;
	const char *frame; /* the function in the title; "" if none */
	const char *corrupted; /* why it cannot be trusted, or NULL */
	bool suppressed; /* the test harness ran out of memory, not a bug */
	bool panicked; /* the kernel stopped after it */
	bool has_executor; /* "syz.<proc>.<id>" was running */
	unsigned executor_proc, executor_id;
	uint64_t start, end; /* byte offsets of its lines in the log */
	struct slice text; /* its lines without prefixes, a few before it */
	size_t headline; /* offset in text of the line that began it */
	const char *key; /* equal for the same bug; docs/format/key.md */
	const char *explanation; /* how the title came about, lines of text */
};

/**
 * The frames and program counters in `text` (that of a report from its
 * headline on, symbolized or not), in order, inlined ones before the physical
 * frame they stand in.  Writes at most `max` of them, which borrow from
 * `text`, and returns how many.
 */
size_t report_frames(struct slice text, struct report_frame *out, size_t max);

/** Called for each report in order of its start; *r lives until it returns. */
typedef struct error *report_fn(void *ctx, const struct report *r);

struct report_stream;

/** A parser for one log, which arrives in pieces. */
struct report_stream *report_stream_new(report_fn *fn, void *ctx);
void report_stream_free(struct report_stream *s);
DEFINE_CLEANUP(struct report_stream *, report_stream_free)

/** The next piece of the log, cut anywhere. Errors: those of the callback. */
fallible report_feed(struct report_stream *s, struct slice piece);

/**
 * Nothing came for a while: print what is complete up to the last line.
 * The log may go on afterwards.
 */
fallible report_idle(struct report_stream *s);

/**
 * To be called every second or two while the log goes on: a report that has
 * come no further since the last call is printed as it is.
 */
fallible report_tick(struct report_stream *s);

/** The log ends here. Errors: those of the callback. */
fallible report_finish(struct report_stream *s);

/**
 * Find the reports in the log `log`, all at once.
 * Errors: those of the callback.
 */
fallible report_parse(struct slice log, report_fn *fn, void *ctx);

#endif /* REPORT_REPORT_H */
