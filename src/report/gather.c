/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "report/gather.h"

#include <string.h>

#include "report/frames.h"

enum {
	PRELUDE_LINES = 5, /* kept in front of the headline */
	IDLE_LINES = 60, /* without anything of a splat: it is over */
	AFTERMATH_LINES = 40, /* within which a panic still belongs to it */
	TAIL_LINES = 24, /* of registers behind the end marker */
	MAX_CALLERS = 16, /* of one report */
	NMI_LINES = 1000, /* within which the other CPUs answer */
	LOOK_AHEAD = 8, /* for what a "cut here" line announces */
	LOOK_BACK = 40, /* from a call trace for who asked for it */
};

static unsigned slot(const struct window *w, caller_id c)
{
	return (unsigned)((c ^ c >> 40) * 2654435761u % ARRAY_LEN(w->last));
}

void window_clear(struct window *w)
{
	w->lines.len = 0;
	memset(w->last, 0xff, sizeof(w->last));
	w->last_panic = NO_LINE;
}

void window_add(struct window *w, struct slice raw)
{
	struct console_line parsed = console_parse(raw);
	struct window_line line = {
		.offset = (uint32_t)(raw.p - w->text),
		.len = (uint32_t)raw.len,
		.text_offset = (uint32_t)(parsed.text.p - w->text),
		.text_len = (uint32_t)parsed.text.len,
		.prev = NO_LINE,
		.next = NO_LINE,
		.caller = parsed.caller,
		.has_time = parsed.has_time,
	};
	int32_t index = (int32_t)w->lines.len;
	int32_t *last = &w->last[slot(w, line.caller)];

	if (*last != NO_LINE && w->lines.data[*last].caller == line.caller) {
		line.prev = *last;
		w->lines.data[*last].next = index;
	}
	*last = index;
	vec_push(&w->lines, line);
	if (slice_has(parsed.text, SLICE("Kernel panic - not syncing")))
		w->last_panic = index;
}

struct slice window_text(const struct window *w, int32_t i)
{
	const struct window_line *l = &w->lines.data[i];

	return (struct slice){ w->text + l->text_offset, l->text_len };
}

static int32_t moved(int32_t index, int32_t n)
{
	return index < n ? NO_LINE : index - n;
}

void window_drop(struct window *w, int32_t n, uint32_t bytes)
{
	struct window_line *all = w->lines.data;

	w->lines.len -= (size_t)n;
	memmove(all, all + n, w->lines.len * sizeof(*all));
	for (size_t i = 0; i < w->lines.len; i++) {
		all[i].offset -= bytes;
		all[i].text_offset -= bytes;
		all[i].prev = moved(all[i].prev, n);
		all[i].next = moved(all[i].next, n);
	}
	for (size_t i = 0; i < ARRAY_LEN(w->last); i++)
		w->last[i] = moved(w->last[i], n);
	w->last_panic = moved(w->last_panic, n);
}

bool window_replayed(const struct window *w, int32_t i)
{
	static const struct slice mark = SLICE("** replaying previous");
	struct slice cut = window_text(w, i);
	const char *p = slice_find(cut, mark);
	int32_t next = w->lines.data[i].next;

	if (p)
		cut = slice_range(cut.p, p);
	else if (i + 1 >= (int32_t)w->lines.len ||
		 !slice_has(window_text(w, i + 1), mark))
		return false;
	else if (next == i + 1) /* without callers they are one chain */
		next = w->lines.data[next].next;
	return next != NO_LINE && slice_starts(window_text(w, next), cut);
}

/* Foreign lines have no time stamp where the report's own have one. */
static bool same_kind(const struct window_line *a, const struct window_line *b)
{
	return a->has_time || !b->has_time;
}

/* What a line says about where the report ends. */
struct progress {
	const struct window_line *first;
	bool trace; /* a call trace has been seen */
	bool ended; /* the end marker has been seen */
	bool panicked;
	bool closed; /* nothing of it can follow */
	unsigned idle; /* lines since the last that belongs to a splat */
	bool at; /* the line before ended in "at:" */
	unsigned tail; /* lines since the end marker */
	size_t useful; /* length of the text up to the last useful line */
};

static bool is_rule(struct slice t)
{
	if (t.len < 20 || *t.p != '=')
		return false;
	for (size_t i = 0; i < t.len; i++)
		if (t.p[i] != '=')
			return false;
	return true;
}

enum verdict { TAKE, LEAVE, TAKE_AND_STOP, STOP, STOP_AT_PANIC };

/* Another headline of the same caller: a consequence or the next crash? */
static enum verdict judge_headline(const struct hit *hit,
				   const struct gathered *g,
				   const struct progress *p)
{
	const struct format *f = hit->format;

	if (f == g->hit.format && !p->trace &&
	    slice_ends(g->hit.at, SLICE("[inline]")))
		return TAKE; /* "BUG: KASAN:" once for each inline caller */
	if (f->flags & F_TRACE)
		return g->hit.format->flags & F_TRACE ? STOP : TAKE;
	if (f->flags & F_TENTATIVE)
		return p->trace && !p->panicked ? STOP : TAKE;
	if (f->flags & F_PANIC)
		return p->trace ? STOP_AT_PANIC : TAKE;
	if (slice_has(g->hit.at, SLICE("[#")) &&
	    slice_starts(slice_cstr(f->line), SLICE("WARNING: ")))
		return STOP; /* an oops prints none: another CPU does */
	if (f->flags & F_FOLLOWS && (!p->trace || p->panicked))
		return TAKE;
	if (f->flags & F_NO_TRACE && f->from == FROM_NONE)
		return LEAVE; /* a line of its own, in between */
	return STOP;
}

static enum verdict judge(struct slice text, const struct gathered *g,
			  struct progress *p)
{
	struct slice t = slice_trim(text);
	struct report_frame f;
	enum line_kind kind = frame_parse(text, &f);

	if (p->ended) {
		bool state = kind == LINE_STATE || kind == LINE_PC ||
			     kind == LINE_LINK || !t.len;

		return state && ++p->tail <= TAIL_LINES ? TAKE : STOP;
	}
	if (kind == LINE_FRAME && !p->at)
		p->trace = true;
	p->at = slice_ends(t, SLICE(" at:"));
	if (slice_starts(t, SLICE("---[ end trace")) ||
	    slice_starts(t, SLICE("---[ end Kernel panic")))
		p->ended = true;
	if (slice_starts(t, SLICE("Rebooting in ")) ||
	    (is_rule(t) && p->trace && !(g->hit.format->flags & F_LOCKDEP))) {
		p->closed = true;
		return TAKE_AND_STOP;
	}
	if (kind == LINE_OTHER && t.len && !slice_has(t, SLICE("Tainted")) &&
	    !frame_parse_at(text, &f))
		p->idle++;
	else
		p->idle = 0;
	return TAKE;
}

/* A "cut here" line is explained by one of the next lines. */
static int32_t explained_by(const struct window *w, int32_t first,
			    struct hit *hit)
{
	int32_t i = w->lines.data[first].next;

	for (int n = 0; n < LOOK_AHEAD && i != NO_LINE;
	     n++, i = w->lines.data[i].next) {
		struct hit other;

		if (!formats_find(window_text(w, i), &other))
			continue;
		if (other.format->flags & F_TENTATIVE)
			break;
		*hit = other;
		return i;
	}
	return first;
}

static void add_prelude(const struct window *w, int32_t first,
			struct gathered *g)
{
	int32_t lines[PRELUDE_LINES], i = w->lines.data[first].prev;
	int n = 0;

	for (; i != NO_LINE && n < PRELUDE_LINES; i = w->lines.data[i].prev) {
		if (w->lines.data[i].claimed)
			break;
		if (same_kind(&w->lines.data[i], &w->lines.data[first]) &&
		    !window_replayed(w, i))
			lines[n++] = i;
	}
	while (n)
		vec_push(&g->lines, lines[--n]);
}

/* Does the kernel stop because of this report? Takes the panic's own dump. */
static int32_t find_panic(const struct window *w, int32_t i, bool *complete,
			  struct gathered *g)
{
	int32_t last = NO_LINE;
	unsigned n = 0;

	for (; i != NO_LINE; i = w->lines.data[i].next) {
		struct slice text = window_text(w, i);
		struct hit hit;
		struct report_frame f;

		if (formats_find(text, &hit) &&
		    !(hit.format->flags & F_TRACE)) {
			if (!(hit.format->flags & F_PANIC))
				break;
			g->panicked = true;
			last = i;
			n = 0;
			continue;
		}
		if (g->panicked && frame_parse(text, &f) != LINE_OTHER)
			n = 0;
		if (++n > AFTERMATH_LINES)
			break;
		if (g->panicked)
			last = i;
		if (slice_starts(slice_trim(text), SLICE("Rebooting in ")))
			break;
	}
	*complete = i != NO_LINE || w->complete;
	return last;
}

/*
 * The lines of a report are a merge of the chains of its callers: the one that
 * began it and those of the CPUs it asked for a back trace by NMI.
 */
struct merge {
	int32_t next[MAX_CALLERS];
	int nr;
	bool asked; /* for back traces, once */
};

static int32_t merge_peek(const struct merge *m, int *which)
{
	int32_t best = NO_LINE;

	for (int k = 0; k < m->nr; k++) {
		if (m->next[k] == NO_LINE ||
		    (best != NO_LINE && m->next[k] >= best))
			continue;
		best = m->next[k];
		*which = k;
	}
	return best;
}

/* "Sending NMI from CPU 1 to CPUs 0:" is answered by the other callers. */
static void ask_others(const struct window *w, int32_t from, struct merge *m)
{
	caller_id own = w->lines.data[from].caller;
	caller_id seen[MAX_CALLERS];
	int32_t end = from + NMI_LINES;

	m->asked = true;
	if (end > (int32_t)w->lines.len)
		end = (int32_t)w->lines.len;
	for (int32_t i = from + 1; i < end && m->nr < MAX_CALLERS; i++) {
		const struct window_line *l = &w->lines.data[i];
		bool known = l->caller == own || l->claimed;

		for (int k = 1; k < m->nr; k++)
			known |= seen[k] == l->caller;
		if (known || !slice_starts(window_text(w, i),
					   SLICE("NMI backtrace for cpu")))
			continue;
		seen[m->nr] = l->caller;
		m->next[m->nr++] = i;
	}
}

/* Walk on from the headline; the first line not taken, *stopped if one is. */
static int32_t collect(const struct window *w, struct gathered *g,
		       bool *stopped)
{
	const struct window_line *all = w->lines.data;
	int32_t head = g->lines.data[g->header], i;
	struct merge m = { .next = { all[head].next }, .nr = 1 };
	int which = 0;
	struct progress p = { .first = &all[head], .useful = g->lines.len };

	*stopped = true;
	for (; (i = merge_peek(&m, &which)) != NO_LINE;
	     m.next[which] = all[i].next) {
		enum verdict v = TAKE;
		struct hit hit;

		if (all[i].claimed)
			return i;
		if (!same_kind(&all[i], &all[head]) || window_replayed(w, i))
			continue;
		if (formats_find(window_text(w, i), &hit)) {
			v = judge_headline(&hit, g, &p);
			if (hit.format->flags & F_PANIC && v == TAKE)
				p.panicked = g->panicked = true;
		}
		if (v == TAKE)
			v = judge(window_text(w, i), g, &p);
		if (v == LEAVE)
			continue;
		if (v == STOP || v == STOP_AT_PANIC) {
			g->interrupted = v == STOP && !p.ended && !p.closed;
			return i;
		}
		vec_push(&g->lines, i);
		if (!m.asked && slice_starts(window_text(w, i),
					     SLICE("Sending NMI from CPU")))
			ask_others(w, i, &m);
		if (!p.idle)
			p.useful = g->lines.len;
		if (v == TAKE_AND_STOP)
			return all[i].next;
		if (p.idle > IDLE_LINES) {
			g->lines.len = p.useful;
			return i;
		}
		if (g->lines.len >= REPORT_MAX_LINES)
			return i;
	}
	*stopped = false;
	return NO_LINE;
}

/* Is a call trace announced as something other than a crash? */
static bool asked_for_above(const struct window *w, int32_t i)
{
	for (int n = 0; n < LOOK_BACK && i != NO_LINE;
	     n++, i = w->lines.data[i].prev) {
		struct report_frame f;

		if (formats_harmless_trace(window_text(w, i)))
			return true;
		enum line_kind kind = frame_parse(window_text(w, i), &f);
		if (kind == LINE_FRAME || kind == LINE_TRACE)
			return false; /* of another trace */
	}
	return false;
}

/*
 * Does a call trace tell of no crash by itself: is it empty, or of those who
 * print one and go on (the line above may be lost)?
 */
static bool harmless_below(const struct window *w, const struct gathered *g)
{
	static const struct slice askers[] = {
		SLICE("should_fail"),	SLICE("warn_alloc"),
		SLICE("dump_header"),	SLICE("sched_show_task"),
		SLICE("sysrq_handle_"),
	};
	bool frames = false;

	for (size_t k = g->header + 1; k < g->lines.len; k++) {
		struct report_frame f;

		if (frame_parse(window_text(w, g->lines.data[k]), &f) !=
		    LINE_FRAME)
			continue;
		frames = true;
		for (size_t i = 0; i < ARRAY_LEN(askers); i++)
			if (slice_starts(f.function, askers[i]))
				return true;
		if (k > g->header + LOOK_AHEAD)
			break;
	}
	return !frames;
}

bool gather(struct window *w, int32_t first, const struct hit *hit, bool force,
	    struct gathered *g)
{
	bool stopped, complete = true;
	int32_t next;

	g->lines.len = 0;
	g->interrupted = false;
	g->hit = *hit;
	g->panicked = hit->format->flags & F_PANIC;
	g->harmless = hit->format->flags & F_TRACE &&
		      asked_for_above(w, w->lines.data[first].prev);
	if (g->harmless)
		return true;
	add_prelude(w, first, g);
	if (hit->format->flags & F_TENTATIVE &&
	    !(hit->format->flags & F_TRACE)) {
		int32_t real = explained_by(w, first, &g->hit);

		for (int32_t i = first; i != real; i = w->lines.data[i].next)
			vec_push(&g->lines, i);
		if (g->lines.len > PRELUDE_LINES) {
			size_t drop = g->lines.len - PRELUDE_LINES;

			memmove(g->lines.data, g->lines.data + drop,
				PRELUDE_LINES * sizeof(g->lines.data[0]));
			g->lines.len = PRELUDE_LINES;
		}
		if (g->hit.format->flags & F_PANIC)
			g->panicked = true;
		first = real;
	}
	g->header = g->lines.len;
	vec_push(&g->lines, first);
	next = collect(w, g, &stopped);
	if (!stopped && !w->complete && !force)
		return false;
	g->harmless = hit->format->flags & F_TRACE && harmless_below(w, g);
	if (g->harmless)
		return true;
	g->last = g->lines.data[g->lines.len - 1];
	int32_t panic_end = next == NO_LINE || w->lines.data[next].claimed ?
				    NO_LINE :
				    find_panic(w, next, &complete, g);
	if (!complete && !force)
		return false;
	if (panic_end != NO_LINE)
		g->last = panic_end;
	for (size_t i = 0; i < g->lines.len; i++)
		w->lines.data[g->lines.data[i]].claimed = true;
	for (int32_t i = next; i != NO_LINE && i <= panic_end;
	     i = w->lines.data[i].next)
		w->lines.data[i].claimed = true;
	g->panicked |= w->last_panic > first;
	return true;
}
