/* SPDX-License-Identifier: GPL-2.0-or-later */
/* generate.c - programs and calls from nothing; what earlier calls offer. */
#include "prog/gen.h"

enum {
	CALL_ARGS = 160, /* of a call, before it gets defaults only */
	SETTLE_ROUNDS = 4, /* conditions of lengths of what has conditions */
};

/* ---- Memory of the program ------------------------------------------------------- */

static void space_init(struct space *s)
{
	memset(s->known, 0, sizeof(s->known));
	s->next = 0;
}

static uint64_t *space_word(struct space *s, uint32_t unit)
{
	uint32_t i = unit / 64;

	if (!(s->known[i / 64] >> i % 64 & 1)) {
		s->known[i / 64] |= 1ull << i % 64;
		s->used[i] = 0;
	}
	return &s->used[i];
}

static void space_mark(struct space *s, uint64_t unit, uint64_t n)
{
	for (; n && unit < SPACE_UNITS; unit++, n--)
		*space_word(s, (uint32_t)unit) |= 1ull << unit % 64;
}

/* The first free units, or SPACE_UNITS. */
static uint32_t space_find(struct space *s, uint32_t n)
{
	uint32_t run = 0, unit = s->next;

	while (unit < SPACE_UNITS && run < n) {
		uint64_t w = *space_word(s, unit);

		if (!(unit % 64) && !w && n - run >= 64) {
			run += 64;
			unit += 64;
		} else {
			run = w >> unit % 64 & 1 ? 0 : run + 1;
			unit++;
		}
	}
	return run < n ? SPACE_UNITS : unit - n;
}

static uint32_t units_of(uint64_t size)
{
	return size ? (uint32_t)((size + SPACE_UNIT - 1) / SPACE_UNIT) : 1;
}

uint64_t space_take(struct gen *g, uint64_t size)
{
	struct space *s = &g->space;
	uint32_t n, at;

	if (size > DATA_BYTES)
		return 0;
	n = units_of(size);
	at = rng_one_of(g->rng, 64) ? SPACE_UNITS : space_find(s, n);
	if (at == SPACE_UNITS) { /* over something else, on purpose or not */
		at = (uint32_t)rng_below(g->rng, MIN(s->next + 1, SPACE_UNITS));
		at = MIN(at, SPACE_UNITS - n);
	} else if (n < 64) {
		s->next = at + n;
	}
	space_mark(s, at, n);
	return (uint64_t)at * SPACE_UNIT;
}

/* ---- What earlier calls offer ------------------------------------------------------ */

static void note(struct gen *g, uint32_t arg, bool usable)
{
	const struct arg *a = arg_at(g->p, arg);

	if (a->kind == ARG_RESULT && usable && a->dir != DESC_IN &&
	    a->type != DESC_NONE)
		vec_push(&g->made,
			 (struct made){ arg_type(g->p, a)->elem, arg });
	else if (a->kind == ARG_DATA && usable && a->type != DESC_NONE &&
		 a->dir != DESC_OUT && arg_type(g->p, a)->kind == DESC_FILENAME)
		vec_push(&g->names, arg);
	else if (a->kind == ARG_POINTER && !(a->flags & ARG_SPECIAL) &&
		 a->child != ARG_NONE)
		space_mark(&g->space, a->value / SPACE_UNIT,
			   units_of(a->value % SPACE_UNIT +
				    arg_size(g->p, a->child)));
}

void gen_init(struct gen *g, struct prog *p, const struct prog_choices *c,
	      struct rng *rng, size_t at)
{
	struct tree_walk w;

	g->p = p;
	g->t = p->target;
	g->d = p->target->d;
	g->rng = rng;
	g->choices = c;
	g->at = at;
	g->constructing = g->nested = 0;
	g->enough = UINT32_MAX;
	memset(&g->made, 0, sizeof(g->made));
	memset(&g->names, 0, sizeof(g->names));
	g->scratch = (struct buf){};
	space_init(&g->space);
	for (size_t i = 0; i < p->calls.len; i++)
		for (uint32_t a = walk_call(&w, p, &p->calls.data[i]);
		     a != ARG_NONE; a = walk_next(&w))
			note(g, a, i < at);
}

void gen_deinit(struct gen *g)
{
	vec_free(&g->made);
	vec_free(&g->names);
	buf_deinit(&g->scratch);
}

/* ---- Calls ----------------------------------------------------------------------------- */

void call_finish(struct prog *p, size_t call)
{
	struct call *c = &p->calls.data[call];

	for (int i = 0; i < SETTLE_ROUNDS; i++) {
		uint32_t changed = cond_settle(p, c, COND_ALL);

		if (i && changed == ARG_NONE)
			break;
		prog_assign_sizes(p, c);
	}
}

void gen_call(struct gen *g, uint32_t id)
{
	const struct desc_call *dc = &g->d->calls[id];
	uint32_t first = ARG_NONE, last = ARG_NONE;
	struct tree_walk w;
	struct call *c;

	g->enough = (uint32_t)g->p->args.len + CALL_ARGS;
	for (uint32_t i = 0; i < dc->nargs; i++) {
		const struct desc_field *f = &g->d->fields[dc->arg + i];
		uint32_t a = gen_arg(g, f->type, field_dir(f, DESC_IN));

		*(last == ARG_NONE ? &first : &arg_at(g->p, last)->next) = a;
		last = a;
	}
	c = tree_insert_call(g->p, g->at, id, false);
	c->arg = first;
	call_finish(g->p, g->at);
	c = &g->p->calls.data[g->at++];
	for (uint32_t a = walk_call(&w, g->p, c); a != ARG_NONE;
	     a = walk_next(&w))
		note(g, a, true);
}

struct prog *prog_generate(const struct prog_choices *c, struct rng *rng,
			   size_t ncalls)
{
	struct prog *p = prog_new(choices_target(c));
	struct gen g;

	gen_init(&g, p, c, rng, 0);
	ncalls = MIN(ncalls, (size_t)PROG_MAX_CALLS / 2);
	while (p->calls.len < ncalls) {
		size_t bias = PROG_NO_CALL, id;

		if (p->calls.len)
			bias = p->calls.data[rng_below(rng, p->calls.len)].id;
		id = prog_choices_pick(c, rng, bias);
		if (id == PROG_NO_CALL)
			break;
		gen_call(&g, (uint32_t)id);
	}
	/* Constructors came in between; the last calls are of no use to others. */
	if (p->calls.len > ncalls)
		p->calls.len = ncalls;
	gen_deinit(&g);
	return p;
}
