/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * mutate.c - changes of programs: calls that come and go, parts of others,
 * arguments (mutate_arg.c), properties.
 */
#include "base/mem.h"
#include "prog/gen.h"

enum {
	ARGS_MAX = 1 << 16, /* no change makes a program larger than that */
	BYTES_MAX = 32 << 20,
	TRIES = 64, /* of changes that turn out not to be possible */
};

struct mutate {
	struct prog *p;
	const struct prog_mutation *how;
	struct rng *rng;
	size_t max_calls;
};

static bool too_large(const struct mutate *m)
{
	return m->p->args.len > ARGS_MAX || m->p->bytes.len > BYTES_MAX;
}

static size_t any_call(const struct mutate *m)
{
	return rng_below(m->rng, m->p->calls.len);
}

/* Calls at the end are of no use to others. */
static void cut_calls(struct mutate *m)
{
	m->p->calls.len = MIN(m->p->calls.len, m->max_calls);
}

/* ---- Calls --------------------------------------------------------------------- */

static bool insert_call(struct mutate *m)
{
	size_t n = m->p->calls.len, at, bias, id;
	struct gen g;

	if (n >= m->max_calls || too_large(m))
		return false;
	/* Towards the end, where there are more results. */
	at = MAX(rng_below(m->rng, n + 1), rng_below(m->rng, n + 1));
	bias = at ? m->p->calls.data[rng_below(m->rng, at)].id : PROG_NO_CALL;
	id = prog_choices_pick(m->how->choices, m->rng, bias);
	if (id == PROG_NO_CALL)
		return false;
	gen_init(&g, m->p, m->how->choices, m->rng, at);
	gen_call(&g, (uint32_t)id);
	gen_deinit(&g);
	cut_calls(m);
	return true;
}

static bool remove_call(struct mutate *m)
{
	if (m->p->calls.len < 2)
		return false;
	prog_remove_call(m->p, any_call(m));
	return true;
}

/* Another program in between. */
static bool splice(struct mutate *m)
{
	const struct prog *from;
	struct prog *p = m->p;
	size_t n, had = p->calls.len, at;
	uint32_t *new_at;

	if (!m->how->ncorpus || had >= m->max_calls)
		return false;
	from = m->how->corpus[rng_below(m->rng, m->how->ncorpus)];
	if (too_large(m) || !from->calls.len || from->args.len > ARGS_MAX ||
	    from->bytes.len > BYTES_MAX / 2)
		return false;
	at = rng_below(m->rng, had + 1);
	n = MIN(from->calls.len, m->max_calls - at);
	new_at = mem_calloc(from->args.len + 1, sizeof(*new_at));
	for (size_t i = 0; i < n; i++)
		vec_push(&p->calls,
			 tree_copy_call(p, from, &from->calls.data[i], new_at));
	free(new_at);

	/* Behind what was there; turn it around. */
	struct call *tail = mem_calloc(had - at + 1, sizeof(*tail));

	memcpy(tail, p->calls.data + at, (had - at) * sizeof(*tail));
	memmove(p->calls.data + at, p->calls.data + had, n * sizeof(*tail));
	memcpy(p->calls.data + at + n, tail, (had - at) * sizeof(*tail));
	free(tail);
	cut_calls(m);
	return true;
}

/* ---- Arguments -------------------------------------------------------------------- */

static bool change_args(struct mutate *m)
{
	bool changed;
	struct gen g;

	if (too_large(m))
		return false;
	gen_init(&g, m->p, m->how->choices, m->rng, any_call(m));
	changed = mutate_arg(&g);
	while (changed && rng_one_of(m->rng, 3))
		mutate_arg(&g);
	if (changed)
		mutate_finish(&g);
	gen_deinit(&g);
	cut_calls(m);
	return changed;
}

/* An argument of a call, of those `wanted`; each as likely. */
static uint32_t choose(struct mutate *m, const struct call *c,
		       bool (*wanted)(const struct prog *, const struct arg *))
{
	uint32_t n = 0, chosen = ARG_NONE;
	struct tree_walk w;

	for (uint32_t a = walk_call(&w, m->p, c); a != ARG_NONE;
	     a = walk_next(&w))
		if (wanted(m->p, arg_at(m->p, a)) && rng_one_of(m->rng, ++n))
			chosen = a;
	return chosen;
}

static bool is_squashable(const struct prog *p, const struct arg *a)
{
	return a->kind == ARG_POINTER && a->child != ARG_NONE &&
	       !(arg_at(p, a->child)->flags & ARG_ANY) &&
	       type_is_squashable(p->target, a->type);
}

static bool squash(struct mutate *m)
{
	const struct desc *d = m->p->target->d;
	size_t at = any_call(m);
	const struct call *c = &m->p->calls.data[at];
	uint32_t pointer;
	struct gen g;

	if (too_large(m) || d->calls[c->id].attrs & 1u << DESC_CALL_NO_SQUASH)
		return false;
	pointer = choose(m, c, is_squashable);
	if (pointer == ARG_NONE || !any_squash(m->p, pointer))
		return false;
	gen_init(&g, m->p, m->how->choices, m->rng, at);
	any_mutate(&g, arg_at(m->p, pointer)->child);
	mutate_finish(&g);
	gen_deinit(&g);
	return true;
}

static bool is_length(const struct prog *p, const struct arg *a)
{
	return a->kind == ARG_CONST && a->dir != DESC_OUT &&
	       arg_type(p, a)->kind == DESC_LEN;
}

/* A length that is not true, until the call is changed again. */
static bool change_length(struct mutate *m)
{
	const struct call *c = &m->p->calls.data[any_call(m)];
	uint32_t arg = choose(m, c, is_length);
	struct arg *a;

	if (arg == ARG_NONE)
		return false;
	a = arg_at(m->p, arg);
	a->value = rng_one_of(m->rng, 2) ?
			   gen_int(m->rng, 8 * arg_type(m->p, a)->base_bytes) :
			   a->value + rng_below(m->rng, 17) - 8;
	if (cond_settle(m->p, c, COND_ALL) != ARG_NONE)
		tree_fix_refs(m->p);
	return true;
}

static bool change_props(struct mutate *m)
{
	struct prog_props *props;

	if (!m->how->props)
		return false;
	props = &m->p->calls.data[any_call(m)].props;
	switch (rng_below(m->rng, 3)) {
	case 0:
		props->fail_nth = props->fail_nth && rng_one_of(m->rng, 2) ?
					  0 :
					  1 + (uint32_t)rng_below(m->rng, 64);
		break;
	case 1:
		props->async = !props->async;
		break;
	default:
		props->rerun = props->rerun && rng_one_of(m->rng, 2) ?
				       0 :
				       1 + (uint16_t)rng_below(m->rng, 64);
	}
	return true;
}

/* ---- Programs ------------------------------------------------------------------------ */

static bool change(struct mutate *m)
{
	static bool (*const changes[])(struct mutate *) = {
		splice,	      remove_call, squash,	change_length,
		change_props, insert_call, change_args,
	};
	static const uint8_t up_to[] = { 6, 13, 19, 22, 25, 50, 100 };
	uint32_t roll = (uint32_t)rng_below(m->rng, 100), i = 0;

	if (!m->p->calls.len)
		return roll < 25 ? splice(m) : insert_call(m);
	while (roll >= up_to[i])
		i++;
	return changes[i](m);
}

/* Most of it is of no use any more. */
static bool mostly_garbage(const struct prog *p)
{
	size_t args = 0, bytes = 0;
	struct tree_walk w;

	vec_for_each(&p->calls, c)
		for (uint32_t a = walk_call(&w, p, c); a != ARG_NONE;
		     a = walk_next(&w), args++)
			if (arg_at(p, a)->kind == ARG_DATA &&
			    arg_at(p, a)->from != NO_BYTES)
				bytes += arg_at(p, a)->len;
	return p->args.len > 2 * args + 64 || p->bytes.len > 2 * bytes + 4096;
}

/* One that is longer already may stay so. */
static size_t most_calls(const struct prog *p, size_t max)
{
	max = MAX(max, p->calls.len);
	return max < 1 ? 1 : MIN(max, (size_t)PROG_MAX_CALLS);
}

void prog_mutate(struct prog *p, const struct prog_mutation *how,
		 struct rng *rng)
{
	struct mutate m = {
		.p = p,
		.how = how,
		.rng = rng,
		.max_calls = most_calls(p, how->max_calls),
	};
	int tries = TRIES;

	do
		while (!change(&m) && --tries)
			;
	while (tries > 0 && rng_one_of(rng, 3));
	if (mostly_garbage(p))
		tree_compact(p);
}
