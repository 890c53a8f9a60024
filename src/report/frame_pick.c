/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "report/frame_pick.h"

#include <stdlib.h>

#include "base/glob.h"

enum { MAX_NAME = 512 }; /* KSYM_NAME_LEN: longer ones are cut */

enum skip_class {
	SKIP_ALWAYS = 1 << 0,
	SKIP_WAIT = 1 << 1,
	SKIP_ALLOC = 1 << 2,
	SKIP_STACK = 1 << 3,
	SKIP_TICK = 1 << 4,
	SKIP_IPI = 1 << 5,
	SKIP_OBJECT = 1 << 6,
	SKIP_IDLE = 1 << 7,
	SKIP_EXIT = 1 << 8,
};

static const struct {
	unsigned class;
	struct slice name; /* with '*' at the ends */
} skips[] = {
#define SKIP(class, name) { SKIP_##class, SLICE(name) },
#include "report/skip.def"
#undef SKIP
};

/*
 * The rows by the first two bytes of their names, each list in any order.
 * Where a name begins with '*' it is the two behind, which may stand anywhere.
 */
struct skip_index {
	bool known;
	uint16_t first[2][1024]; /* by '*' and hash: 1 + row, or 0 */
	uint16_t next[ARRAY_LEN(skips)];
};

static unsigned pair_hash(const char *p)
{
	return ((unsigned)(unsigned char)p[0] * 37 + (unsigned char)p[1]) %
	       1024;
}

static const struct skip_index *skip_index(void)
{
	static struct skip_index index;

	for (size_t i = 0; !index.known && i < ARRAY_LEN(skips); i++) {
		struct slice name = skips[i].name;
		bool star = *name.p == '*';

		if (name.len < 2u + star || memchr(name.p + star, '*', 2))
			abort(); /* too short to be found */
		uint16_t *first = &index.first[star][pair_hash(name.p + star)];
		index.next[i] = *first;
		*first = (uint16_t)(i + 1);
	}
	index.known = true;
	return &index;
}

/* The classes of what stands at the start of `name`, among those wanted. */
static unsigned look_up(const struct skip_index *index, bool star,
			struct slice name, unsigned wanted)
{
	unsigned i = index->first[star][pair_hash(name.p)], found = 0;

	for (; i; i = index->next[i - 1]) {
		struct slice pattern = slice_from(skips[i - 1].name, star);

		if (skips[i - 1].class & wanted & ~found &&
		    glob_match(pattern, name))
			found |= skips[i - 1].class;
	}
	return found;
}

/* The classes of `name` among those wanted; 0: it may be blamed. */
static unsigned classify(struct slice name, unsigned wanted)
{
	const struct skip_index *index = skip_index();
	unsigned found = 0;

	name.len = MIN(name.len, (size_t)MAX_NAME);
	if (name.len > 1)
		found = look_up(index, false, name, wanted);
	for (; name.len > 1; name = slice_from(name, 1))
		found |= look_up(index, true, name, wanted & ~found);
	return found;
}

/* A walk over the frames of a report, in order of printing. */
struct walk {
	const struct body *body;
	size_t line; /* the next one to look at */
	bool need_marker; /* frames in front of a "Call Trace:" do not count */
	bool in_trace;
	bool found; /* some frame was returned */
	bool caller_next; /* ARM: `frame` is what called the one just seen */
	struct report_frame frame;
	enum line_kind kind; /* of the line just looked at */
};

static bool is_marker(const struct body_line *line)
{
	return line->kind == LINE_TRACE ||
	       (line->kind == LINE_OTHER &&
		slice_eq(slice_trim(line->text), SLICE("stack backtrace:")));
}

static struct walk walk_start(const struct body *body)
{
	struct walk w = { .body = body, .line = body->header + 1 };

	if (body->hit.format->flags & F_TRACE) {
		w.in_trace = true; /* the headline is the marker */
		return w;
	}
	/* Without any marker the frames follow the headline (KMSAN, KCSAN). */
	for (size_t i = w.line; i < body->nr_lines && !w.need_marker; i++) {
		if (body->lines[i].kind == LINE_STORY)
			break;
		w.need_marker = is_marker(&body->lines[i]);
	}
	return w;
}

/*
 * The next physical frame or program counter.  False at the end and at every
 * change of stack that the callers want to see (w->kind tells which).
 */
static bool walk_next(struct walk *w)
{
	if (w->caller_next) {
		w->caller_next = false;
		w->frame.callee.len = 0;
		return true;
	}
	while (w->line < w->body->nr_lines) {
		const struct body_line *line = &w->body->lines[w->line++];

		w->kind = line->kind;
		if (is_marker(line)) {
			w->kind = LINE_TRACE;
			w->in_trace = true;
			return false;
		}
		if (w->kind == LINE_STORY && !w->in_trace && !w->found)
			continue; /* nothing else may follow (bad page) */
		if (w->kind == LINE_STORY || w->kind == LINE_IRQ_END)
			return false;
		w->frame = line->frame;
		if (w->frame.is_inline || w->frame.is_guess)
			continue;
		if (w->kind == LINE_PC)
			return true;
		if (w->kind != LINE_FRAME || (!w->in_trace && w->need_marker))
			continue;
		/* "(f) from (g+0x1/0x2)": g is the next line's f */
		w->caller_next = w->frame.callee.len && !w->found;
		w->found = true;
		return true;
	}
	w->kind = LINE_OTHER;
	return false;
}

static struct slice walk_name(const struct walk *w)
{
	return function_base(w->caller_next ? w->frame.callee :
					      w->frame.function);
}

static bool walk_ended(const struct walk *w)
{
	return w->kind == LINE_OTHER || w->kind == LINE_STORY;
}

/* Note that `name` is not blamed, and which line of skip.def says so. */
static void passed_over(struct buf *why, struct slice name, unsigned class)
{
	static const struct {
		unsigned class;
		const char *reason;
	} reasons[] = {
		{ SKIP_ALWAYS, "works for its callers" },
		{ SKIP_WAIT, "only waits" },
		{ SKIP_ALLOC, "allocates for its callers" },
		{ SKIP_OBJECT, "queues for its callers" },
	};

	if (!name.len)
		return;
	buf_printf(why, "passed over " SLICE_FMT, SLICE_ARG(name));
	for (size_t i = 0; i < ARRAY_LEN(reasons); i++)
		if (reasons[i].class & class) {
			buf_printf(why, ": %s", reasons[i].reason);
			break;
		}
	buf_char(why, '\n');
}

/* The first frame outside the classes. */
static struct slice first_frame(struct walk *w, unsigned classes,
				struct buf *why)
{
	do {
		while (walk_next(w)) {
			struct slice name = walk_name(w);

			unsigned class = classify(name, classes);
			if (!class)
				return name;
			passed_over(why, name, class);
		}
	} while (!walk_ended(w));
	return (struct slice){ 0 };
}

/* The physical function of a headline that symbolization has expanded. */
static struct slice headline_function(const struct body *body,
				      const struct format *f)
{
	struct slice name = { 0 };

	for (size_t i = body->header; i < body->nr_lines; i++) {
		struct slice line = body->lines[i].text;
		struct hit hit = { .at = line };
		struct match m = { .nr = 0 };
		const char *p;

		if (i > body->header) {
			p = slice_find(line, SLICE("BUG: "));
			if (!p)
				break;
			hit.at = slice_range(p, line.p + line.len);
		} else {
			hit = body->hit;
		}
		if (!format_matches(f, &hit, &m))
			break;
		name = match_get(&m, "at");
		if (!slice_ends(hit.at, SLICE("[inline]")))
			break;
	}
	return function_base(name);
}

static struct slice pick_head(const struct body *body, const struct format *f,
			      struct buf *why)
{
	struct slice name = headline_function(body, f);
	struct walk w = walk_start(body);

	unsigned class = classify(name, SKIP_ALWAYS);
	if (name.len && !class)
		return name;
	passed_over(why, name, class);
	return first_frame(&w, SKIP_ALWAYS, why);
}

/*
 * The frame below line *i ("... at:"), past those that symbolization has put
 * in front of it; *i moves to it.
 */
static bool next_physical(const struct body *body, size_t *i,
			  struct report_frame *f)
{
	for (size_t k = *i + 1; k < body->nr_lines; k++) {
		if (body->lines[k].kind != LINE_FRAME)
			return false;
		*f = body->lines[k].frame;
		if (f->is_inline)
			continue;
		*i = k;
		return true;
	}
	return false;
}

/*
 * Who took a lock: the first frame to blame of the "-> #n" below `line` (the
 * newest dependency comes first), else of the trace.
 */
static struct slice pick_chain(const struct body *body, size_t line,
			       struct buf *why)
{
	struct walk w = walk_start(body);

	for (size_t i = line; i < body->nr_lines; i++) {
		struct slice text = slice_trim(body->lines[i].text);

		if (is_marker(&body->lines[i]))
			break;
		if (!slice_starts(text, SLICE("-> #")))
			continue;
		struct walk chain = { .body = body, .line = i + 1 };
		struct slice name = first_frame(&chain, SKIP_ALWAYS, why);
		if (name.len)
			return name;
		break;
	}
	w.need_marker = true;
	return first_frame(&w, SKIP_ALWAYS, why);
}

/*
 * The first of up to `n` "at: f" that qualifies, else the dependency
 * chain (who took the lock held), else the trace.
 */
static struct slice pick_lock(const struct body *body, unsigned n,
			      struct buf *why)
{
	size_t i = body->header + 1;

	for (; i < body->nr_lines && n; i++) {
		struct slice text = slice_trim(body->lines[i].text);
		struct report_frame f;

		if (slice_starts(text, SLICE("->")) ||
		    is_marker(&body->lines[i]))
			break;
		bool next_line = slice_ends(text, SLICE(" at:")) &&
				 i + 1 < body->nr_lines;
		if (next_line ? !next_physical(body, &i, &f) :
				!frame_parse_at(body->lines[i].text, &f))
			continue;
		if (f.is_inline)
			continue;
		n--;
		struct slice name = function_base(f.function);
		unsigned class = classify(name, SKIP_ALWAYS);
		if (!class)
			return name;
		passed_over(why, name, class);
	}
	return pick_chain(body, i, why);
}

/* In which function the lock was taken in an interrupt. */
static struct slice pick_irq_lock(const struct body *body, struct buf *why)
{
	for (size_t i = body->header + 1; i < body->nr_lines; i++) {
		if (!slice_has(body->lines[i].text, SLICE("irq-safe at:")))
			continue;
		struct walk w = { .body = body, .line = i + 1 };
		struct slice name = first_frame(&w, SKIP_ALWAYS, why);
		if (name.len)
			return name;
	}
	return pick_lock(body, 2, why);
}

/* The first stack only: the others are of innocent tasks. */
static struct slice pick_hang(const struct body *body, struct buf *why)
{
	struct walk w = walk_start(body);

	while (!w.in_trace && (walk_next(&w) || !walk_ended(&w)))
		;
	while (walk_next(&w) || w.kind == LINE_IRQ_END) {
		struct slice name;

		if (w.kind == LINE_IRQ_END)
			continue;
		name = walk_name(&w);
		unsigned class = classify(name, SKIP_ALWAYS | SKIP_WAIT);
		if (!class)
			return name;
		passed_over(why, name, class);
	}
	return (struct slice){ 0 };
}

/* Which stacks of a report tell what a CPU or task was doing. */
enum root_rule {
	ROOT_ANY,
	ROOT_BELOW_TICK, /* what the timer interrupt interrupted */
	ROOT_OF_REGISTERS, /* those that begin with a program counter */
};

struct root_search {
	enum root_rule rule;
	bool tick; /* its frames have been seen */
	bool registers; /* a program counter since the last frame */
	bool led; /* by a program counter: the stack being looked at */
	bool innocent; /* the grace-period thread, shown because it starves */
	struct slice above; /* the last frame that may be blamed */
};

static void begin_stack(struct root_search *r)
{
	r->led = r->registers;
	if (r->innocent || r->rule == ROOT_OF_REGISTERS)
		r->above = (struct slice){ 0 };
	r->innocent = false;
}

static bool counts(const struct root_search *r)
{
	if (r->innocent)
		return false;
	return r->rule == ROOT_ANY ||
	       (r->rule == ROOT_BELOW_TICK ? r->tick : r->led);
}

/* One frame of the search; true when it ends with r->above. */
static bool root_step(struct root_search *r, struct slice name, bool stalled,
		      struct buf *why)
{
	unsigned class =
		classify(name, SKIP_STACK | SKIP_TICK | SKIP_IPI | SKIP_ALWAYS);

	if (slice_starts(name, SLICE("rcu_gp_")))
		r->innocent = true;
	if (stalled && class & SKIP_TICK && r->rule != ROOT_OF_REGISTERS) {
		r->tick = true;
		r->above = (struct slice){ 0 };
		return false;
	}
	if (!counts(r))
		return false;
	if (stalled && class & SKIP_IPI) {
		r->above = name;
		return true;
	}
	if (class & SKIP_STACK) {
		if (!r->above.len)
			r->above = name;
		return true;
	}
	if (class & SKIP_ALWAYS)
		passed_over(why, name, class);
	else
		r->above = name;
	return false;
}

/* The frame above the generic entry code that every stack ends in. */
static struct slice find_root(const struct body *body, enum root_rule rule,
			      bool stalled, struct buf *why)
{
	struct root_search r = { .rule = rule };
	struct walk w = walk_start(body);
	bool frames = false;

	do {
		if (w.kind == LINE_TRACE)
			begin_stack(&r);
		while (walk_next(&w)) {
			frames |= w.kind == LINE_FRAME;
			r.registers = w.kind == LINE_PC;
			if (root_step(&r, walk_name(&w), stalled, why))
				return r.above;
		}
	} while (!walk_ended(&w));
	return frames ? r.above : (struct slice){ 0 };
}

/*
 * What stalled RCU.  Where the timer interrupt is on the stack, it is what
 * lies below it, unless that is the idle loop.  Else (since 5.x the registers
 * of the interrupted code are printed instead) it is a stack that begins with
 * a program counter, unless the task was about to leave the kernel.
 */
static struct slice pick_stall(const struct body *body, struct buf *why)
{
	struct slice name = find_root(body, ROOT_BELOW_TICK, true, why);

	if (name.len && !classify(name, SKIP_IDLE))
		return name;
	name = find_root(body, ROOT_OF_REGISTERS, true, why);
	return classify(name, SKIP_IDLE | SKIP_EXIT) ? (struct slice){ 0 } :
						       name;
}

struct slice frame_pick(const struct body *body, const struct format *f,
			const struct match *m, struct buf *why)
{
	struct walk w;

	switch (f->from) {
	case FROM_NONE:
	case FROM_PAIR:
		return (struct slice){ 0 };
	case FROM_CAPTURED:
		return function_base(match_get(m, "at"));
	case FROM_HEAD:
		return pick_head(body, f, why);
	case FROM_TRACE:
	case FROM_OBJECT:
	case FROM_LEAK:
		w = walk_start(body);
		return first_frame(
			&w,
			SKIP_ALWAYS | (f->from == FROM_LEAK   ? SKIP_ALLOC :
				       f->from == FROM_OBJECT ? SKIP_OBJECT :
								0),
			why);
	case FROM_LOCK:
		return pick_lock(body, 1, why);
	case FROM_LOCKS:
		return pick_lock(body, 2, why);
	case FROM_IRQ_LOCK:
		return pick_irq_lock(body, why);
	case FROM_HANG:
		return pick_hang(body, why);
	case FROM_STALL:
		return f->flags & F_TICK ? pick_stall(body, why) :
					   find_root(body, ROOT_ANY, true, why);
	case FROM_ROOT:
		return find_root(body, ROOT_ANY, false, why);
	}
	return (struct slice){ 0 };
}
