/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * stream.c - a log in pieces: scan quickly, stop where a report begins.
 *
 * Most of a log is not a crash.  As long as the scanner finds none of the
 * formats' first words, nothing is taken apart: the text passes through a
 * buffer of which only the last lines are kept.  At a hit the buffer is cut
 * into lines (gather.h) and grows until the report is complete or the window
 * is full.
 */
#include <stdio.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/mem.h"
#include "report/frames.h"
#include "report/gather.h"
#include "report/title.h"

enum {
	HISTORY_BYTES = 16 * 1024, /* kept in front of what is scanned */
	MAX_LINE = 64 * 1024, /* longer ones are cut */
	MAX_LITERAL = 64, /* of those the scanner looks for */
	PIECE_BYTES = 256 * 1024, /* taken in at once */
};

struct report_stream {
	report_fn *fn;
	void *ctx;
	struct buf text;
	uint64_t base; /* offset of text in the log */
	size_t scanned; /* no report begins before this offset of text */
	size_t lexed; /* text before this offset is in the window */
	int32_t next_line; /* of the window, to look for hits in */
	bool in_window; /* the text is cut into lines */
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
	return s;
}

void report_stream_free(struct report_stream *s)
{
	buf_deinit(&s->text);
	vec_free(&s->window.lines);
	vec_free(&s->gathered.lines);
	arena_free(s->arena);
	free(s);
}

/* The lines of the report as one text, without prefixes and odd bytes. */
static struct slice make_text(struct report_stream *s)
{
	const struct gathered *g = &s->gathered;
	struct buf out = {};

	for (size_t i = 0; i < g->lines.len; i++) {
		struct slice t = window_text(&s->window, g->lines.data[i]);
		char *p = buf_reserve(&out, t.len + 1);
		size_t n = 0;

		for (size_t k = 0; k < t.len; k++)
			if ((unsigned char)t.p[k] >= ' ' || t.p[k] == '\t')
				p[n++] = t.p[k];
		p[n++] = '\n';
		p[n] = '\0';
		out.len += n;
	}
	struct slice text = arena_slice(s->arena, buf_as_slice(&out));
	buf_deinit(&out);
	return text;
}

/* Guesses of the unwinder are noise to a reader of the text. */
static bool is_guess(struct slice line)
{
	struct report_frame f;

	return frame_parse(line, &f) == LINE_FRAME && f.is_guess &&
	       !slice_has(line, SLICE("(unreliable)"));
}

static void find_frames(struct report_stream *s, struct body *b,
			struct report *r)
{
	struct report_frame *frames = arena_alloc(
		s->arena, sizeof(*frames) * (b->nr_lines < REPORT_MAX_FRAMES ?
						     b->nr_lines :
						     REPORT_MAX_FRAMES));
	size_t n = 0;

	for (size_t i = b->header; i < b->nr_lines && n < REPORT_MAX_FRAMES;
	     i++) {
		enum line_kind kind = frame_parse(b->lines[i], &frames[n]);

		if (kind == LINE_FRAME || kind == LINE_PC)
			n++;
	}
	r->frames = frames;
	r->nr_frames = n;
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
static bool is_suppressed(struct slice text)
{
	static const struct slice victims[] = {
		SLICE("(syz-"),
		SLICE("(syz."),
		SLICE("(sshd)"),
		SLICE("(bugon"),
	};
	const char *kill = slice_find(text, SLICE("Out of memory: Kill"));

	if (!kill)
		return false;
	struct slice rest = slice_range(kill, text.p + text.len), line;
	if (!slice_line(&rest, &line))
		return false;
	for (size_t i = 0; i < ARRAY_LEN(victims); i++)
		if (slice_has(line, victims[i]))
			return true;
	return false;
}

/* Split into lines, leaving out guesses unless there is nothing else. */
static void make_body(struct report_stream *s, struct slice text,
		      struct body *b)
{
	const struct gathered *g = &s->gathered;
	struct slice *lines =
		arena_alloc(s->arena, sizeof(*lines) * (g->lines.len + 1));
	struct slice line;
	size_t n = 0, at = 0;

	while (slice_line(&text, &line)) {
		size_t i = at++;

		if (i == g->header)
			b->header = n;
		else if (is_guess(line))
			continue;
		lines[n++] = line;
	}
	b->lines = lines;
	b->nr_lines = n;
}

static struct slice join(struct arena *arena, const struct body *b)
{
	struct buf out = {};

	for (size_t i = 0; i < b->nr_lines; i++) {
		buf_slice(&out, b->lines[i]);
		buf_char(&out, '\n');
	}
	struct slice text = arena_slice(arena, buf_as_slice(&out));
	buf_deinit(&out);
	return text;
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
	struct slice all;

	arena_reset(s->arena);
	all = make_text(s);
	make_body(s, all, &body);
	/* The hit pointed into the raw line; let it point into the clean one. */
	struct hit hit;
	if (formats_find(body.lines[body.header], &hit))
		body.hit = hit;
	title_make(s->arena, &body, &r);
	find_frames(s, &body, &r);
	r.text = join(s->arena, &body);
	find_executor(r.text, &r);
	r.suppressed = is_suppressed(all);
	r.guilty_file = report_guilty(slice_cstr(r.title), r.text);
	r.start = s->base + lines[g->lines.data[g->header]].offset;
	r.end = s->base + last->offset + last->len;
	r.key = arena_printf(s->arena, "v1:%s", r.title);
	return s->fn(s->ctx, &r);
}

/* Cut what is new in the text into lines; `all`: an unfinished one, too. */
static void lex(struct report_stream *s, bool all)
{
	struct slice rest = slice_from(buf_as_slice(&s->text), s->lexed);
	struct slice line;

	s->window.text = s->text.data;
	while (rest.len) {
		size_t before = rest.len;

		if (!all && rest.len < MAX_LINE &&
		    !memchr(rest.p, '\n', rest.len))
			break;
		(void)slice_line(&rest, &line);
		window_add(&s->window, line);
		s->lexed += before - rest.len;
	}
}

static void drop_text(struct report_stream *s, size_t n)
{
	buf_consume(&s->text, n);
	s->base += n;
	s->scanned -= n;
	s->window.text = s->text.data;
}

/* All of the window is searched: keep only the last lines, as text. */
static void close_window(struct report_stream *s)
{
	s->in_window = false;
	s->scanned = s->lexed;
	if (s->scanned > HISTORY_BYTES)
		drop_text(s, s->scanned - HISTORY_BYTES);
}

/* Forget the lines long before the next one to look at. */
static void trim_window(struct report_stream *s)
{
	const struct window_line *lines = s->window.lines.data;
	int32_t n = s->next_line;
	size_t end = lines[n].offset;

	if (end < REPORT_WINDOW_BYTES / 2)
		return;
	while (n > 0 && end - lines[n].offset < HISTORY_BYTES)
		n--;
	uint32_t bytes = lines[n].offset;
	window_drop(&s->window, n, bytes);
	s->next_line -= n;
	s->lexed -= bytes;
	s->scanned = s->scanned > bytes ? s->scanned : bytes;
	drop_text(s, bytes);
}

static bool plausible(const struct report_stream *s, const struct hit *hit,
		      const struct window_line *line)
{
	if (hit->format->flags & F_REBOOT)
		return s->seen_kernel && !line->has_time;
	return true;
}

/* Look for reports in the window; *more: one needs more text to be complete. */
static fallible search_window(struct report_stream *s, bool *more)
{
	*more = false;
	for (; s->next_line < (int32_t)s->window.lines.len; s->next_line++) {
		const struct window_line *l =
			&s->window.lines.data[s->next_line];
		bool full = s->text.len - l->offset > REPORT_WINDOW_BYTES;
		struct hit hit;

		if (!l->claimed && l->offset >= s->scanned &&
		    !window_replayed(&s->window, s->next_line) &&
		    formats_find(window_text(&s->window, s->next_line), &hit) &&
		    plausible(s, &hit, l)) {
			if (!gather(&s->window, s->next_line, &hit, full,
				    &s->gathered)) {
				*more = true;
				return NULL;
			}
			if (!s->gathered.harmless)
				TRY(emit(s));
		}
		s->seen_kernel |= l->has_time;
	}
	return NULL;
}

/* Find the next place to look at closely; true if there is one. */
static bool scan(struct report_stream *s)
{
	struct slice text = buf_as_slice(&s->text);
	unsigned which;
	const char *p =
		scanner_find(formats_scanner(), text, s->scanned, &which);

	if (!p) {
		/* The end of a piece may cut a literal or a line in two. */
		size_t tail = text.len < MAX_LITERAL ? text.len : MAX_LITERAL;

		if (s->scanned < text.len - tail)
			s->scanned = text.len - tail;
		return false;
	}
	const char *nl = memrchr(text.p, '\n', (size_t)(p - text.p));
	s->scanned = nl ? (size_t)(nl + 1 - text.p) : 0;
	return true;
}

static void open_window(struct report_stream *s)
{
	s->in_window = true;
	s->lexed = 0;
	s->next_line = 0;
	window_clear(&s->window);
}

/* Work on what is there; `end`: nothing will follow, at least not soon. */
static fallible process(struct report_stream *s, bool end)
{
	while (s->in_window || scan(s)) {
		bool more;

		if (!s->in_window)
			open_window(s);
		lex(s, end);
		s->window.complete = end;
		TRY(search_window(s, &more));
		if (more) {
			trim_window(s);
			return NULL;
		}
		size_t before = s->lexed;
		close_window(s);
		if (before && s->scanned >= s->text.len)
			break;
		if (!end)
			break; /* an unfinished line */
	}
	if (!s->in_window && s->scanned > 4 * HISTORY_BYTES)
		drop_text(s, s->scanned - HISTORY_BYTES);
	return NULL;
}

fallible report_feed(struct report_stream *s, struct slice piece)
{
	while (piece.len) {
		size_t n = piece.len < PIECE_BYTES ? piece.len : PIECE_BYTES;

		buf_add(&s->text, piece.p, n);
		piece = slice_from(piece, n);
		TRY(process(s, false));
	}
	return NULL;
}

fallible report_idle(struct report_stream *s)
{
	return process(s, true);
}

fallible report_finish(struct report_stream *s)
{
	return process(s, true);
}

fallible report_parse(struct slice log, report_fn *fn, void *ctx)
{
	_cleanup_(report_stream_freep) struct report_stream *s =
		report_stream_new(fn, ctx);

	TRY(report_feed(s, log));
	return report_finish(s);
}
