/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * stream.c - a log in pieces: scan quickly, stop where a report begins.
 *
 * Most of a log is not a crash.  As long as the scanner finds none of the
 * formats' first words, nothing is taken apart: the text passes through a
 * buffer of which only the last lines are kept.  At a hit the lines around it
 * are put into the window (gather.h), which grows until the report is complete
 * or its reach is full.
 *
 * What is found must not depend on how the log is cut into pieces.  So nothing
 * may be decided by how much text is there, only by the text within fixed
 * distances: HISTORY_BYTES back, REPORT_WINDOW_BYTES ahead.
 */
#include <inttypes.h>
#include <stdio.h>

#include <xxhash.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/mem.h"
#include "report/escape.h"
#include "report/gather.h"
#include "report/title.h"

enum {
	MAX_LINE = 8 * 1024, /* longer ones are cut; at most HISTORY_BYTES */
	TRIM_BYTES = 64 * 1024, /* worth forgetting */
	PIECE_BYTES = 64 * 1024, /* taken in at once */
	RETRY_FRACTION = 16, /* of a report must arrive to look again */
};

/* Offsets count from the start of the log, less its control sequences. */
struct report_stream {
	report_fn *fn;
	void *ctx;
	struct buf text;
	struct escapes escapes; /* what was left out of it */
	uint64_t base; /* of the text */
	uint64_t scanned; /* no report begins in what is before */
	uint64_t lexed; /* a line begins here; those before are in the window */
	size_t enough; /* length of the text that makes looking worthwhile */
	uint64_t pending; /* how far the report reaches that is waited for, or 0 */
	uint64_t ticked; /* the same at the last tick */
	bool hurry; /* do not wait for it any longer */
	bool seen_kernel; /* some line had a kernel time stamp */
	struct window window;
	struct gathered gathered;
	struct arena *arena;
};

struct report_stream *report_stream_new(report_fn *fn, void *ctx)
{
	struct report_stream *s = mem_calloc(1, sizeof(*s));

	s->fn = fn;
	s->ctx = ctx;
	s->arena = arena_new();
	window_clear(&s->window);
	return s;
}

void report_stream_free(struct report_stream *s)
{
	buf_deinit(&s->text);
	escapes_deinit(&s->escapes);
	vec_free(&s->window.lines);
	vec_free(&s->gathered.lines);
	arena_free(s->arena);
	free(s);
}

/* Guesses of the unwinder are noise to a reader of the text. */
static bool is_guess(const struct body_line *line)
{
	if (!slice_has(line->text, SLICE("?")))
		return false;
	if (slice_starts(slice_trim(line->text), SLICE("? 0x")))
		return true; /* not even a symbol */
	return line->kind == LINE_FRAME && line->frame.is_guess &&
	       !slice_has(line->text, SLICE("(unreliable)"));
}

/* "syz.3.584" names the process and the program it was executing. */
static void find_executor(struct slice text, struct report *r)
{
	static const struct slice before[] = {
		SLICE("Comm: "),
		SLICE("task "),
		SLICE("process "),
		SLICE(": "),
	};
	const char *p, *end = text.p + text.len;

	while (!r->has_executor && (p = slice_find(text, SLICE("syz.")))) {
		struct slice lead = slice_range(text.p, p);
		unsigned proc, id, names = 0;
		char copy[32] = { 0 };

		for (size_t i = 0; i < ARRAY_LEN(before); i++)
			names |= slice_ends(lead, before[i]);
		text = slice_range(p + 4, end);
		memcpy(copy, text.p, text.len < 31 ? text.len : 31);
		if (names && sscanf(copy, "%6u.%9u", &proc, &id) == 2) {
			r->has_executor = true;
			r->executor_proc = proc;
			r->executor_id = id;
		}
	}
}

/* The harness was killed for want of memory: says nothing of the kernel. */
static bool is_suppressed(struct slice line)
{
	/* mm/oom_kill.c; drivers/staging/android up to 4.11 */
	static const struct slice kills[] = {
		SLICE("Out of memory: Kill"),
		SLICE("lowmemorykiller: Killing"),
	};
	static const struct slice victims[] = {
		SLICE("(syz-fuzzer)"),
		SLICE("'syz-fuzzer'"),
		SLICE("(sshd)"),
		SLICE("(bugon)"),
	};
	bool kill = false;

	if (!slice_has(line, SLICE("Kill")))
		return false; /* as most */
	for (size_t i = 0; i < ARRAY_LEN(kills); i++)
		kill |= slice_has(line, kills[i]);
	for (size_t i = 0; kill && i < ARRAY_LEN(victims); i++)
		if (slice_has(line, victims[i]))
			return true;
	return false;
}

/* Copy a line without odd bytes; the length of what is left. */
static size_t copy_clean(char *to, struct slice line)
{
	size_t n = 0;

	for (size_t i = 0; i < line.len; i++)
		if ((unsigned char)line.p[i] >= ' ' || line.p[i] == '\t')
			to[n++] = line.p[i];
	return n;
}

/* Text and lines of the report, without prefixes and guesses. */
static void make_body(struct report_stream *s, struct body *b, struct report *r)
{
	const struct gathered *g = &s->gathered;
	struct body_line *lines =
		arena_alloc(s->arena, sizeof(*lines) * g->lines.len);
	size_t size = 1, len = 0;

	for (size_t i = 0; i < g->lines.len; i++)
		size += window_text(&s->window, g->lines.data[i]).len + 1;
	char *text = arena_alloc(s->arena, size);

	for (size_t i = 0; i < g->lines.len; i++) {
		struct body_line *line = &lines[b->nr_lines];
		char *p = text + len;

		line->text.p = p;
		line->text.len = copy_clean(p, window_text(&s->window,
							   g->lines.data[i]));
		line->kind = frame_parse(line->text, &line->frame);
		r->suppressed |= is_suppressed(line->text);
		if (i == g->header) {
			b->header = b->nr_lines;
			r->headline = len;
		} else if (is_guess(line)) {
			continue;
		}
		p[line->text.len] = '\n';
		len += line->text.len + 1;
		b->nr_lines++;
	}
	text[len] = '\0';
	b->lines = lines;
	r->text = (struct slice){ text, len };
}

static fallible emit(struct report_stream *s)
{
	const struct gathered *g = &s->gathered;
	const struct window_line *lines = s->window.lines.data;
	const struct window_line *last = &lines[g->last];
	struct report r = { .panicked = g->panicked };
	struct body body = {
		.hit = g->hit,
		.has_callers = lines[g->lines.data[g->header]].caller !=
			       CALLER_NONE,
		.interrupted = g->interrupted,
	};
	arena_reset(s->arena);
	make_body(s, &body, &r);
	/* The hit pointed into the raw line; let it point into the clean one. */
	struct hit hit;
	if (formats_find(body.lines[body.header].text, &hit))
		body.hit = hit;
	title_make(s->arena, &body, &r);
	find_executor(r.text, &r);
	r.start = escapes_offset(
		&s->escapes, s->base + lines[g->lines.data[g->header]].offset);
	r.end = escapes_offset(&s->escapes, s->base + last->offset + last->len);
	r.key = arena_printf(s->arena, "k1-%016" PRIx64,
			     (uint64_t)XXH64(r.title, strlen(r.title), 0));
	return s->fn(s->ctx, &r);
}

/*
 * Where the line that holds offset `at` of the text begins; `at` must not lie
 * before s->lexed.  A line longer than MAX_LINE counts as several.
 */
static uint64_t line_start(const struct report_stream *s, uint64_t at)
{
	uint64_t from = s->lexed, known = from > s->base ? from : s->base;
	const char *text = s->text.data + (known - s->base);
	const char *nl = memrchr(text, '\n', at - known);

	if (nl)
		from = known + (uint64_t)(nl + 1 - text);
	return from + (at - from) / MAX_LINE * MAX_LINE;
}

/* Where the line that begins at `start` ends; *end is behind its '\n'. */
static bool line_end(const struct report_stream *s, uint64_t start,
		     bool partial, size_t *len, uint64_t *end)
{
	struct slice rest =
		slice_from(buf_as_slice(&s->text), (size_t)(start - s->base));
	size_t most = MIN(rest.len, (size_t)MAX_LINE);
	const char *nl = memchr(rest.p, '\n', most);

	if (!nl && most < MAX_LINE && (!partial || !most))
		return false;
	*len = nl ? (size_t)(nl - rest.p) : most;
	*end = start + *len + (nl != NULL);
	return true;
}

/* Cut what is new in the text into lines; `partial`: the last one, too. */
static void lex(struct report_stream *s, bool partial)
{
	uint64_t end;
	size_t len;

	s->window.text = s->text.data;
	while (line_end(s, s->lexed, partial, &len, &end)) {
		const char *p = s->text.data + (s->lexed - s->base);

		window_add(&s->window, (struct slice){ p, len });
		s->lexed = end;
	}
}

/* Let the window reach from HISTORY_BYTES before offset `start` to the end. */
static void open_window(struct report_stream *s, uint64_t start, bool partial)
{
	if (start > s->lexed + HISTORY_BYTES) {
		uint64_t from = start - HISTORY_BYTES;
		uint64_t begin = line_start(s, from);
		size_t len;

		/* There is an end: `start` lies behind it. */
		if (begin < from && !line_end(s, begin, true, &len, &begin))
			begin = start;
		window_clear(&s->window);
		s->lexed = begin;
	}
	lex(s, partial);
}

/*
 * Forget what is too long ago to matter for a report at s->scanned or later.
 * Moving the rest costs no more than was dropped.
 */
static void trim(struct report_stream *s)
{
	uint64_t far = s->base + HISTORY_BYTES + MAX_LINE;
	size_t n = s->scanned > far ? (size_t)(s->scanned - far) : 0;

	if (n < TRIM_BYTES || n < s->text.len - n)
		return;
	if (s->lexed < s->base + n) {
		s->lexed = line_start(s, s->base + n);
		window_clear(&s->window);
	} else {
		window_drop(&s->window, (uint32_t)n);
	}
	buf_consume(&s->text, n);
	s->base += n;
	escapes_forget(&s->escapes, s->base);
}

/* Has the kernel said something before line `i`, as far as we remember? */
static bool seen_kernel(const struct window *w, int32_t i)
{
	uint32_t offset = w->lines.data[i].offset;

	while (--i >= 0 && offset - w->lines.data[i].offset <= HISTORY_BYTES)
		if (w->lines.data[i].has_time)
			return true;
	return false;
}

static bool plausible(struct report_stream *s, const struct hit *hit, int32_t i)
{
	bool has_time = s->window.lines.data[i].has_time;

	s->seen_kernel |= has_time;
	if (hit->format->flags & F_REBOOT)
		return !has_time &&
		       (s->seen_kernel || seen_kernel(&s->window, i));
	return true;
}

/* Report what begins at line `i`, if anything; *more: it is not complete. */
static fallible examine(struct report_stream *s, int32_t i, bool end,
			bool *more)
{
	struct window *w = &s->window;
	struct hit hit;
	bool known;

	*more = false;
	s->gathered.reach = i;
	if (w->lines.data[i].claimed || !window_hit(w, i, &hit))
		return NULL;
	window_reach(w, i, end);
	bool again = window_replayed(w, i, &known);
	*more = !known;
	if (*more || again || !plausible(s, &hit, i))
		return NULL;
	*more = !gather(w, i, &hit, &s->gathered);
	return *more || s->gathered.harmless ? NULL : emit(s);
}

/* The next line of the window to look at closely; false: none. */
static bool scan_lines(struct report_stream *s)
{
	const struct window *w = &s->window;
	int32_t i = window_at(w, s->scanned + 1 - s->base) - 1;

	for (; i < (int32_t)w->lines.len; i++) {
		const struct window_line *l = &w->lines.data[i];

		if (!l->hot || l->claimed)
			continue;
		if (s->scanned < s->base + l->offset)
			s->scanned = s->base + l->offset;
		return true;
	}
	s->scanned = s->lexed;
	return false;
}

/* Find the next place to look at closely; false: none in what is there. */
static bool scan(struct report_stream *s)
{
	if (s->scanned < s->lexed && scan_lines(s))
		return true;
	const struct scanner *scanner = formats_scanner();
	struct slice text = buf_as_slice(&s->text);
	size_t from = (size_t)(s->scanned - s->base);
	unsigned which;
	const char *p = scanner_find(scanner, text, from, &which);

	/* The end of a piece may cut a literal in two. */
	if (p)
		from = (size_t)(p - text.p);
	else if (text.len > from + scanner->max_len)
		from = text.len - scanner->max_len;
	s->scanned = s->base + from;
	return p;
}

/*
 * Work on what is there.  `end`: nothing will follow, at least not soon;
 * `partial`: nor will the end of the last line.
 */
static fallible process(struct report_stream *s, bool end, bool partial)
{
	while ((end || s->text.len >= s->enough) && scan(s)) {
		const struct window *w = &s->window;
		bool more;

		if (s->scanned >= s->lexed)
			open_window(s, line_start(s, s->scanned), partial);
		else
			lex(s, partial);
		if (s->scanned >= s->lexed)
			break; /* its line goes on */
		int32_t i = window_at(w, s->scanned + 1 - s->base) - 1;
		TRY(examine(s, i, end || s->hurry, &more));
		s->hurry = false;
		s->pending = 0;
		if (more) {
			/* Tried at every byte it would take quadratic time. */
			size_t have = s->text.len;
			size_t pending = (size_t)(s->base + have - s->scanned);

			s->enough = have + pending / RETRY_FRACTION;
			s->pending = s->base + 1 +
				     w->lines.data[s->gathered.reach].offset;
			break;
		}
		s->enough = 0;
		s->scanned = i + 1 < (int32_t)w->lines.len ?
				     s->base + w->lines.data[i + 1].offset :
				     s->lexed;
	}
	s->hurry = false;
	size_t before = s->text.len;
	trim(s);
	s->enough -= MIN(s->enough, before - s->text.len);
	return NULL;
}

/* Take in `text`; `end`: it ends the log. */
static fallible feed(struct report_stream *s, struct slice text, bool end)
{
	do {
		size_t n = MIN(text.len, (size_t)PIECE_BYTES);

		escapes_strip(&s->escapes, (struct slice){ text.p, n }, s->base,
			      &s->text);
		text = slice_from(text, n);
		if (end && !text.len)
			escapes_flush(&s->escapes, &s->text);
		TRY(process(s, end && !text.len, end && !text.len));
	} while (text.len);
	return NULL;
}

fallible report_feed(struct report_stream *s, struct slice piece)
{
	return feed(s, piece, false);
}

fallible report_idle(struct report_stream *s)
{
	return process(s, true, false);
}

fallible report_tick(struct report_stream *s)
{
	s->enough = 0; /* look at it afresh */
	TRY(process(s, false, false));
	s->hurry = s->pending && s->pending == s->ticked;
	s->ticked = s->pending;
	if (!s->hurry)
		return NULL;
	s->enough = 0;
	return process(s, false, false);
}

fallible report_finish(struct report_stream *s)
{
	return feed(s, (struct slice){ NULL, 0 }, true);
}

fallible report_parse(struct slice log, report_fn *fn, void *ctx)
{
	_cleanup_(report_stream_freep) struct report_stream *s =
		report_stream_new(fn, ctx);

	return feed(s, log, true);
}
