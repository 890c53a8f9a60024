/* SPDX-License-Identifier: GPL-2.0-or-later */
/* symbolize.c - logs with file:line and [inline] lines added. */
#include "elf/internal.h"

/* More frames than this on one line are no kernel's output. */
enum { FRAMES_MAX = 16 };

static void add_place(struct buf *out, const struct source_line *l)
{
	buf_char(out, ' ');
	buf_str(out, l->file);
	buf_printf(out, ":%u", l->line);
}

static void add_inlined(struct buf *out, const struct frame *f,
			const struct source_line *l)
{
	buf_slice(out, f->before);
	buf_str(out, l->func);
	add_place(out, l);
	buf_str(out, " [inline]");
	buf_slice(out, f->after);
	buf_char(out, '\n');
}

static bool has_place(const struct source_chain *chain, struct slice place)
{
	for (size_t i = 0; i < chain->nr; i++) {
		_cleanup_(buf_deinit) struct buf b = {};

		buf_printf(&b, "%s:%u", chain->lines[i].file,
			   chain->lines[i].line);
		if (slice_ends(place, buf_as_slice(&b)))
			return true;
	}
	return false;
}

/*
 * A WARNING's address is that of its trap instruction, or where there is none
 * (arm, older x86) the return address of the call that printed it.  The line in
 * its header tells which.
 */
static bool look_up(struct symbols *s, const struct frame *f,
		    struct source_chain *out)
{
	struct symbols_query q = f->query;

	if (symbols_lookup(s, &q, out) != SYMBOLS_FOUND)
		return false;
	if (!f->place.len || has_place(out, f->place))
		return true;
	q.is_return = true;
	if (symbols_lookup(s, &q, out) == SYMBOLS_FOUND &&
	    has_place(out, f->place))
		return true;
	return symbols_lookup(s, &f->query, out) == SYMBOLS_FOUND;
}

/* Lines that hold several frames (Linux 2.6) get no lines of their own. */
static void add_several(struct symbols *s, struct slice line,
			const struct frame *frames, size_t nr, struct buf *out)
{
	const char *done = line.p;

	for (size_t i = 0; i < nr; i++) {
		const char *end = frames[i].token.p + frames[i].token.len;
		struct source_chain chain;

		buf_slice(out, slice_range(done, end));
		if (look_up(s, &frames[i], &chain))
			add_place(out, &chain.lines[chain.nr - 1]);
		done = end;
	}
	buf_slice(out, slice_range(done, line.p + line.len));
	buf_char(out, '\n');
}

static void add_one(struct symbols *s, const struct frame *f, struct buf *out)
{
	struct source_chain chain = {};
	bool is_found = look_up(s, f, &chain);

	for (size_t i = 0; is_found && !f->is_guess && i + 1 < chain.nr; i++)
		add_inlined(out, f, &chain.lines[i]);
	buf_slice(out, f->before);
	buf_slice(out, f->token);
	if (is_found)
		add_place(out, &chain.lines[chain.nr - 1]);
	buf_slice(out, f->after);
	buf_char(out, '\n');
}

void symbolize_line(struct symbols *s, struct slice line, struct buf *out)
{
	struct frame frames[FRAMES_MAX + 1];
	size_t nr = 0, pos = 0;

	while (nr <= FRAMES_MAX && frame_next(line, &pos, &frames[nr]))
		nr++;
	if (nr == 1)
		add_one(s, frames, out);
	else /* all or none, so that a second time changes nothing */
		add_several(s, line, frames, nr > FRAMES_MAX ? 0 : nr, out);
}

void symbolize_text(struct symbols *s, struct slice text, struct buf *out)
{
	bool is_ended = slice_ends(text, SLICE("\n"));
	struct slice line;
	bool any = false;

	while (slice_line(&text, &line)) {
		symbolize_line(s, line, out);
		any = true;
	}
	if (any && !is_ended)
		out->data[--out->len] = '\0';
}
