/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "report/gather.h"

#include <string.h>

#include "report/frames.h"
#include "report/lone_trace.h"

enum {
	PRELUDE_LINES = 5, /* kept in front of the headline */
	IDLE_LINES = 60, /* without anything of a splat: it is over */
	AFTERMATH_LINES = 40, /* within which a panic still belongs to it */
	PANIC_BYTES = 64 * 1024, /* the same, for a panic of another task */
	TAIL_LINES = 24, /* of registers behind the end marker */
	MAX_CALLERS = 16, /* of one report */
	NMI_LINES = 1000, /* within which the other CPUs answer */
	LOOK_AHEAD = 8, /* for what a "cut here" line announces */
	MAX_LEFT = 8, /* headlines of others inside a report */
};

static const struct slice replaying = SLICE("** replaying previous");

/* Where the last line of a caller is kept; the set is in order of use. */
static int32_t *caller_set(struct window *w, caller_id c)
{
	return w->last[(c ^ c >> 40) * 2654435761u % CALLER_SETS];
}

void window_clear(struct window *w)
{
	w->lines.len = 0;
	memset(w->last, 0xff, sizeof(w->last));
}

/* The line that `caller` printed last; `index` takes its place. */
static int32_t replace_last(struct window *w, caller_id caller, int32_t index)
{
	int32_t *set = caller_set(w, caller), last = NO_LINE;
	int way = 0;

	for (; way < CALLER_WAYS - 1; way++)
		if (set[way] == NO_LINE ||
		    w->lines.data[set[way]].caller == caller)
			break;
	if (set[way] != NO_LINE && w->lines.data[set[way]].caller == caller)
		last = set[way];
	memmove(set + 1, set, (size_t)way * sizeof(*set));
	*set = index;
	return last;
}

void window_add(struct window *w, struct slice raw)
{
	struct console_line parsed = console_parse(raw);
	int32_t index = (int32_t)w->lines.len;
	struct window_line line = {
		.offset = (uint32_t)(raw.p - w->text),
		.len = (uint32_t)raw.len,
		.text_offset = (uint32_t)(parsed.text.p - w->text),
		.text_len = (uint32_t)parsed.text.len,
		.prev = replace_last(w, parsed.caller, index),
		.next = NO_LINE,
		.caller = parsed.caller,
		.has_time = parsed.has_time,
		.hot = formats_scan(parsed.text),
		.replaying = slice_has(parsed.text, replaying),
	};

	if (line.prev != NO_LINE)
		w->lines.data[line.prev].next = index;
	if (index)
		line.panics = w->lines.data[index - 1].panics;
	line.panics +=
		slice_has(parsed.text, SLICE("Kernel panic - not syncing"));
	vec_push(&w->lines, line);
}

struct slice window_text(const struct window *w, int32_t i)
{
	const struct window_line *l = &w->lines.data[i];

	return (struct slice){ w->text + l->text_offset, l->text_len };
}

bool window_hit(const struct window *w, int32_t i, struct hit *hit)
{
	return w->lines.data[i].hot && formats_find(window_text(w, i), hit);
}

int32_t window_at(const struct window *w, uint64_t offset)
{
	size_t low = 0, high = w->lines.len;

	while (low < high) {
		size_t mid = (low + high) / 2;

		if (w->lines.data[mid].offset < offset)
			low = mid + 1;
		else
			high = mid;
	}
	return (int32_t)low;
}

void window_reach(struct window *w, int32_t first, bool end)
{
	uint64_t far =
		(uint64_t)w->lines.data[first].offset + REPORT_WINDOW_BYTES;

	w->end = MIN(window_at(w, far), first + WINDOW_LINES);
	w->end = MIN(w->end, (int32_t)w->lines.len);
	w->complete = end || w->end < (int32_t)w->lines.len;
}

static int32_t moved(int32_t index, int32_t n)
{
	return index < n ? NO_LINE : index - n;
}

void window_drop(struct window *w, uint32_t bytes)
{
	struct window_line *all = w->lines.data;
	int32_t n = window_at(w, bytes);
	int32_t *last = &w->last[0][0];

	w->lines.len -= (size_t)n;
	if (n)
		memmove(all, all + n, w->lines.len * sizeof(*all));
	for (size_t i = 0; i < w->lines.len; i++) {
		all[i].offset -= bytes;
		all[i].text_offset -= bytes;
		all[i].prev = moved(all[i].prev, n);
		all[i].next = moved(all[i].next, n);
	}
	/* What is forgotten was used the longest ago: it ends its set. */
	for (size_t i = 0; i < CALLER_SETS * CALLER_WAYS; i++)
		last[i] = moved(last[i], n);
}

/* The next line of the caller, as far as can be seen. */
static int32_t next_line(const struct window *w, int32_t i)
{
	int32_t next = w->lines.data[i].next;

	return next < w->end ? next : NO_LINE;
}

bool window_replayed(const struct window *w, int32_t i, bool *known)
{
	struct slice cut = window_text(w, i);
	int32_t next = w->lines.data[i].next;

	*known = i + 1 < w->end || w->complete;
	if (w->lines.data[i].replaying)
		cut = slice_range(cut.p, slice_find(cut, replaying));
	else if (i + 1 >= w->end || !w->lines.data[i + 1].replaying)
		return false;
	else if (next == i + 1) /* without callers they are one chain */
		next = w->lines.data[next].next;
	if (next == NO_LINE || next >= w->end) {
		*known = w->complete;
		return false;
	}
	return slice_starts(window_text(w, next), cut);
}

/* Foreign lines have no time stamp where the report's own have one. */
static bool same_kind(const struct window_line *a, const struct window_line *b)
{
	return a->has_time || !b->has_time;
}

/* What a line says about where the report ends. */
struct progress {
	bool trace; /* a call trace has been seen */
	bool ended; /* the end marker has been seen */
	bool panicked;
	bool closed; /* nothing of it can follow */
	unsigned idle; /* lines since the last that belongs to a splat */
	bool at; /* the line before ended in "at:" */
	unsigned left; /* headlines that are left for reports of their own */
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
		return (p->trace && !p->panicked) || f == g->hit.format ? STOP :
									  TAKE;
	if (f->flags & F_PANIC)
		return p->trace ? STOP_AT_PANIC : TAKE;
	if (slice_has(g->hit.at, SLICE("[#")) &&
	    slice_starts(slice_cstr(f->line), SLICE("WARNING: ")))
		return STOP; /* an oops prints none: another CPU does */
	if (f->flags & F_FOLLOWS && (!p->trace || p->panicked))
		return TAKE;
	if (f->flags & F_NO_TRACE && f->from == FROM_NONE && f != g->hit.format)
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
	if (kind == LINE_OTHER && t.len && *t.p != '<' && !p->ended &&
	    !slice_has(t, SLICE("Tainted")) && !frame_parse_at(text, &f))
		p->idle++;
	else
		p->idle = 0;
	return TAKE;
}

/*
 * A "cut here" line is explained by one of the next lines.  False: they have
 * yet to come.
 */
static bool explained_by(const struct window *w, int32_t first, struct hit *hit,
			 int32_t *real)
{
	int32_t i = next_line(w, first);
	int n = 0;

	*real = first;
	for (; n < LOOK_AHEAD && i != NO_LINE; n++, i = next_line(w, i)) {
		struct hit other;

		if (!window_hit(w, i, &other))
			continue;
		if (!(other.format->flags & F_TENTATIVE)) {
			*hit = other;
			*real = i;
		}
		return true;
	}
	return n == LOOK_AHEAD || w->complete;
}

static void add_prelude(const struct window *w, int32_t first,
			struct gathered *g)
{
	int32_t lines[PRELUDE_LINES], i = w->lines.data[first].prev;
	bool known;
	int n = 0;

	for (; i != NO_LINE && n < PRELUDE_LINES; i = w->lines.data[i].prev) {
		if (w->lines.data[i].claimed ||
		    w->lines.data[first].offset - w->lines.data[i].offset >
			    HISTORY_BYTES)
			break;
		if (same_kind(&w->lines.data[i], &w->lines.data[first]) &&
		    !window_replayed(w, i, &known))
			lines[n++] = i;
	}
	while (n)
		vec_push(&g->lines, lines[--n]);
}

/*
 * Does the kernel stop because of this report?  Takes the panic's own dump.
 * The last line of that, or NO_LINE; *seen is the last line looked at, NO_LINE
 * when there was none to end the search.
 */
static int32_t find_panic(const struct window *w, int32_t i, int32_t *seen,
			  struct gathered *g)
{
	int32_t last = NO_LINE;
	unsigned n = 0;

	for (; i != NO_LINE; i = next_line(w, i)) {
		struct slice text = window_text(w, i);
		struct hit hit;
		struct report_frame f;

		if (window_hit(w, i, &hit) && !(hit.format->flags & F_TRACE)) {
			if (!(hit.format->flags & F_PANIC))
				break;
			g->panicked = true;
			g->reach = last = i;
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
	*seen = i;
	return last;
}

/*
 * The lines of a report are a merge of the chains of its callers: the one that
 * began it and those of the CPUs it asked for a back trace by NMI.
 */
struct merge {
	int32_t next[MAX_CALLERS];
	caller_id caller[MAX_CALLERS];
	int nr;
	int32_t nmi, nmi_end; /* lines to search for answers; see ask_others */
};

/* "Sending NMI from CPU 1 to CPUs 0:" is answered by the other callers. */
static void ask_others(const struct window *w, int32_t from, struct merge *m)
{
	if (m->nmi_end)
		return; /* once */
	m->nmi = from + 1;
	m->nmi_end = MIN(from + NMI_LINES, w->end);
}

static bool is_answer(const struct window *w, int32_t i, const struct merge *m)
{
	const struct window_line *l = &w->lines.data[i];

	if (l->claimed ||
	    !slice_starts(window_text(w, i), SLICE("NMI backtrace for cpu")))
		return false;
	for (int k = 0; k < m->nr; k++)
		if (m->caller[k] == l->caller)
			return false;
	return true;
}

static int32_t merge_peek(const struct window *w, struct merge *m, int *which)
{
	int32_t best = NO_LINE;

	for (int k = 0; k < m->nr; k++) {
		if (m->next[k] == NO_LINE ||
		    (best != NO_LINE && m->next[k] >= best))
			continue;
		best = m->next[k];
		*which = k;
	}
	while (m->nmi < m->nmi_end && m->nr < MAX_CALLERS &&
	       (best == NO_LINE || m->nmi < best)) {
		int32_t i = m->nmi++;

		if (!is_answer(w, i, m))
			continue;
		m->caller[m->nr] = w->lines.data[i].caller;
		m->next[m->nr] = i;
		*which = m->nr++;
		return i;
	}
	return best;
}

/* What to do with line `i`, which may begin something else. */
static enum verdict judge_line(const struct window *w, int32_t i,
			       struct gathered *g, struct progress *p)
{
	struct slice text = window_text(w, i);
	enum verdict v = TAKE;
	struct hit hit;
	bool headline = window_hit(w, i, &hit);

	if (headline) {
		v = judge_headline(&hit, g, p);
		if (hit.format->flags & F_PANIC && v == TAKE)
			p->panicked = g->panicked = true;
		if (v == LEAVE && ++p->left > MAX_LEFT)
			v = STOP;
	}
	if (v == TAKE)
		v = judge(text, g, p);
	if (headline && v == TAKE)
		p->idle = 0; /* or it would be looked at again and again */
	return v;
}

/* Walk on from the headline; the line that ended it, NO_LINE if none did. */
static int32_t collect(const struct window *w, struct gathered *g,
		       int32_t *next)
{
	const struct window_line *all = w->lines.data;
	int32_t head = g->lines.data[g->header], i;
	struct merge m = { .next = { next_line(w, head) },
			   .caller = { all[head].caller },
			   .nr = 1 };
	struct progress p = { .useful = g->lines.len };
	unsigned visited = 0;
	int which = 0;

	for (; (i = merge_peek(w, &m, &which)) != NO_LINE;
	     m.next[which] = next_line(w, i)) {
		*next = i;
		if (all[i].claimed || ++visited > REPORT_MAX_LINES)
			return i;
		if (!same_kind(&all[i], &all[head]))
			continue;
		bool known, again = window_replayed(w, i, &known);
		if (!known)
			return NO_LINE;
		if (again)
			continue;
		enum verdict v = judge_line(w, i, g, &p);
		if (v == LEAVE)
			continue;
		if (v == STOP || v == STOP_AT_PANIC) {
			g->interrupted = v == STOP && !p.ended && !p.closed;
			/* what was logged in between is no part of it */
			if (v == STOP && p.trace)
				g->lines.len = p.useful;
			return i;
		}
		vec_push(&g->lines, i);
		if (slice_starts(window_text(w, i),
				 SLICE("Sending NMI from CPU")))
			ask_others(w, i, &m);
		if (!p.idle) {
			p.useful = g->lines.len;
			g->reach = i;
		}
		if (v == TAKE_AND_STOP) {
			*next = next_line(w, i);
			return i;
		}
		if (p.idle > IDLE_LINES) {
			g->lines.len = p.useful;
			return i;
		}
	}
	*next = NO_LINE;
	return NO_LINE;
}

/* Prelude and headline; false when what explains it has yet to come. */
static bool begin(const struct window *w, int32_t *first, struct gathered *g)
{
	int32_t real;

	add_prelude(w, *first, g);
	if (g->hit.format->flags & F_TENTATIVE &&
	    !(g->hit.format->flags & F_TRACE)) {
		if (!explained_by(w, *first, &g->hit, &real))
			return false;
		for (int32_t i = *first; i != real; i = next_line(w, i))
			vec_push(&g->lines, i);
		if (g->lines.len > PRELUDE_LINES) {
			size_t drop = g->lines.len - PRELUDE_LINES;

			memmove(g->lines.data, g->lines.data + drop,
				PRELUDE_LINES * sizeof(g->lines.data[0]));
			g->lines.len = PRELUDE_LINES;
		}
		*first = real;
	}
	g->header = g->lines.len;
	vec_push(&g->lines, *first);
	return true;
}

/*
 * Does any caller panic soon after the report, or in its midst?  False: the
 * lines that tell have yet to come.
 */
static bool panics_later(const struct window *w, int32_t first,
			 struct gathered *g)
{
	const struct window_line *all = w->lines.data;
	int32_t end = window_at(w, (uint64_t)all[g->last].offset + PANIC_BYTES);

	if (end > w->end)
		end = w->end;
	g->panicked = all[end - 1].panics > all[first].panics;
	return g->panicked || w->complete || end < w->end;
}

bool gather(struct window *w, int32_t first, const struct hit *hit,
	    struct gathered *g)
{
	struct window_line *all = w->lines.data;
	int32_t next, seen, panic_end = NO_LINE;

	g->lines.len = 0;
	g->reach = first;
	g->interrupted = false;
	g->hit = *hit;
	g->harmless = hit->format->flags & F_TRACE && trace_asked_for(w, first);
	if (g->harmless)
		return true;
	if (!begin(w, &first, g))
		return false;
	g->panicked = g->hit.format->flags & F_PANIC;
	seen = collect(w, g, &next);
	if (seen == NO_LINE && !w->complete)
		return false;
	g->harmless = hit->format->flags & F_TRACE && trace_harmless(w, g);
	if (g->harmless)
		return true;
	g->last = g->lines.data[g->lines.len - 1];
	if (seen != NO_LINE && (next == NO_LINE || !all[next].claimed)) {
		panic_end = find_panic(w, next, &seen, g);
		if (seen == NO_LINE && !w->complete)
			return false;
	}
	if (panic_end != NO_LINE)
		g->last = panic_end;
	if (!g->panicked && !panics_later(w, first, g))
		return false;
	for (size_t i = 0; i < g->lines.len; i++)
		all[g->lines.data[i]].claimed = true;
	for (int32_t i = next; i != NO_LINE && i <= panic_end;
	     i = next_line(w, i))
		all[i].claimed = true;
	return true;
}
