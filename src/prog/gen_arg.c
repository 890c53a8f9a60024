/* SPDX-License-Identifier: GPL-2.0-or-later */
/* gen_arg.c - arguments for a type. */
#include "prog/gen.h"

enum {
	NESTED_MAX = 96, /* below TREE_DEPTH_MAX, with room for defaults */
	NESTED_MANY = 12, /* from here on what can be left out is */
	CONSTRUCT_MAX = 3, /* calls for calls for calls */
	ELEMENTS_MAX = 256, /* when there is a range of them */
};

/* ---- Results ------------------------------------------------------------------- */

static uint32_t root_of(const struct desc *d, uint32_t resource)
{
	while (d->resources[resource].parent != DESC_NONE)
		resource = d->resources[resource].parent;
	return resource;
}

/* Of the results from number `from` on, one that fits. */
static uint32_t find_made(struct gen *g, uint32_t resource, size_t from)
{
	size_t n = g->made.len - from, start = rng_below(g->rng, n);

	/* Now and then one of its relatives, to be refused. */
	if (rng_one_of(g->rng, 50))
		resource = root_of(g->d, resource);
	for (size_t i = 0; i < n; i++) {
		const struct made *e = &g->made.data[from + (start + i) % n];

		if (resource_fits(g->d, e->resource, resource))
			return e->arg;
	}
	return ARG_NONE;
}

static uint32_t pick_maker(struct gen *g, uint32_t resource)
{
	const struct by_resource *x = &g->t->makers;
	uint32_t from = x->from[resource], n = x->from[resource + 1] - from;
	uint32_t start = (uint32_t)rng_below(g->rng, n);

	for (uint32_t i = 0; i < n; i++) {
		uint32_t call = x->list[from + (start + i) % n];

		if (choices_have(g->choices, call))
			return call;
	}
	return DESC_NONE;
}

static uint32_t construct(struct gen *g, uint32_t resource)
{
	size_t before = g->made.len;
	uint32_t call, nested = g->nested, left, len;

	if (g->constructing == CONSTRUCT_MAX ||
	    g->p->calls.len >= PROG_MAX_CALLS)
		return ARG_NONE;
	call = pick_maker(g, resource);
	if (call == DESC_NONE)
		return ARG_NONE;
	len = (uint32_t)g->p->args.len;
	left = g->enough > len ? g->enough - len : 0;
	g->constructing++;
	g->nested = 0;
	gen_call(g, call);
	g->nested = nested;
	g->constructing--;
	g->enough = (uint32_t)g->p->args.len + left;
	return find_made(g, resource, before);
}

uint32_t gen_result(struct gen *g, uint32_t resource)
{
	uint32_t roll = (uint32_t)rng_below(g->rng, 32), have = ARG_NONE;

	if (roll < 28)
		have = find_made(g, resource, 0);
	if (have == ARG_NONE && roll < 31)
		have = construct(g, resource);
	return have;
}

static uint64_t special_value(struct gen *g, uint32_t resource)
{
	const struct desc_resource *r = &g->d->resources[resource];

	return r->nlist ? g->d->values[r->list + rng_below(g->rng, r->nlist)] :
			  0;
}

static uint32_t gen_resource(struct gen *g, uint32_t type, uint8_t dir)
{
	uint32_t resource = g->d->types[type].elem, a, made = ARG_NONE;
	bool opt = g->d->types[type].flags & DESC_OPT;

	if (dir != DESC_OUT && !(opt && rng_one_of(g->rng, 4)))
		made = gen_result(g, resource);
	a = arg_new_default(g->p, type, dir);
	if (dir == DESC_OUT)
		return a;
	arg_at(g->p, a)->child = made;
	arg_at(g->p, a)->value = made == ARG_NONE ? special_value(g, resource) :
						    0;
	return a;
}

/* ---- Addresses -------------------------------------------------------------------- */

static uint64_t bad_address(struct gen *g)
{
	return 0 - rng_range(g->rng, 0, 0 - special_lowest(g->t));
}

void gen_address(struct gen *g, uint32_t pointer)
{
	uint32_t to = arg_at(g->p, pointer)->child;
	uint64_t size = to == ARG_NONE ? 0 : arg_size(g->p, to);

	arg_at(g->p, pointer)->value = space_take(g, size);
}

static void gen_special(struct gen *g, uint32_t arg, uint64_t value)
{
	struct arg *a = arg_at(g->p, arg);

	a->flags = ARG_SPECIAL;
	a->value = value;
	a->extra = 0;
	a->child = ARG_NONE;
}

static uint32_t gen_pointer(struct gen *g, uint32_t type, uint8_t dir)
{
	const struct desc_type *t = &g->d->types[type];
	uint32_t a = arg_new(g->p, ARG_POINTER, type, dir), to;
	bool opt = t->flags & DESC_OPT;

	if (opt && (g->nested > NESTED_MANY || rng_one_of(g->rng, 5)))
		gen_special(g, a, 0);
	else if (rng_one_of(g->rng, 250))
		gen_special(g, a, bad_address(g));
	if (arg_at(g->p, a)->flags)
		return a;
	to = gen_arg(g, t->elem, t->dir);
	arg_at(g->p, a)->child = to;
	gen_address(g, a);
	return a;
}

/* Pages towards the end, where nothing else is, or any. */
void gen_vma(struct gen *g, uint32_t arg)
{
	const struct desc_type *t = arg_type(g->p, arg_at(g->p, arg));
	uint64_t all = DATA_BYTES / DATA_PAGE, n, at;

	if ((t->flags & DESC_OPT) && rng_one_of(g->rng, 4)) {
		gen_special(g, arg, 0);
		return;
	}
	if (t->flags & DESC_RANGE)
		n = rng_range(g->rng, t->lo, t->hi);
	else if (rng_one_of(g->rng, 32))
		n = rng_range(g->rng, 1, all);
	else
		n = rng_range(g->rng, 1, 4);
	n = MIN(n, all);
	at = rng_one_of(g->rng, 2) ? all - n - rng_below(g->rng, 5) * n / 4 :
				     rng_range(g->rng, 0, all - n);
	if (at > all - n)
		at = 0;
	arg_at(g->p, arg)->flags = 0;
	arg_at(g->p, arg)->value = at * DATA_PAGE;
	arg_at(g->p, arg)->extra = n * DATA_PAGE;
}

/* ---- Groups ------------------------------------------------------------------------ */

static void chain(struct gen *g, uint32_t group, uint32_t *last, uint32_t a)
{
	*(*last == ARG_NONE ? &arg_at(g->p, group)->child :
			      &arg_at(g->p, *last)->next) = a;
	*last = a;
}

/* Fields that should not be there go away in call_finish(). */
static uint32_t gen_struct(struct gen *g, uint32_t type, uint8_t dir)
{
	uint32_t a = arg_new(g->p, ARG_GROUP, type, dir), last = ARG_NONE;
	const struct desc_record *r = &g->d->records[g->d->types[type].elem];

	for (uint32_t i = 0; i < r->nfields; i++) {
		const struct desc_field *f = &g->d->fields[r->field + i];

		chain(g, a, &last, gen_arg(g, f->type, field_dir(f, dir)));
	}
	return a;
}

uint64_t gen_count(struct gen *g, const struct desc_type *t)
{
	uint64_t lo = 0, hi = ELEMENTS_MAX, n = 0;

	if (t->flags & DESC_RANGE) {
		lo = t->lo;
		hi = t->hi - lo > ELEMENTS_MAX ? lo + ELEMENTS_MAX : t->hi;
		if (rng_one_of(g->rng, 32))
			return hi;
	}
	while (rng_n_of(g->rng, 5, 8) && n < 10)
		n++;
	return MIN(lo + n, hi);
}

static uint32_t gen_array(struct gen *g, uint32_t type, uint8_t dir)
{
	const struct desc_type *t = &g->d->types[type];
	uint32_t a = arg_new(g->p, ARG_GROUP, type, dir), last = ARG_NONE;
	uint64_t n = gen_count(g, t);

	for (uint64_t i = 0; i < n; i++) {
		bool enough = g->p->args.len >= g->enough;

		if (enough && (!(t->flags & DESC_RANGE) || i >= t->lo))
			break;
		chain(g, a, &last, gen_arg(g, t->elem, dir));
	}
	return a;
}

static uint32_t gen_union(struct gen *g, uint32_t type, uint8_t dir)
{
	uint32_t a = arg_new(g->p, ARG_UNION, type, dir), option;
	const struct desc_record *r = &g->d->records[g->d->types[type].elem];
	uint32_t i = (uint32_t)rng_below(g->rng, r->nfields);
	const struct desc_field *f = &g->d->fields[r->field + i];

	option = gen_arg(g, f->type, field_dir(f, dir));
	arg_at(g->p, a)->child = option;
	arg_at(g->p, a)->extra = i;
	return a;
}

static uint32_t gen_const(struct gen *g, uint32_t type, uint8_t dir)
{
	const struct desc_type *t = &g->d->types[type];
	uint32_t a;

	if (dir == DESC_OUT)
		return arg_new_default(g->p, type, dir);
	a = arg_new(g->p, ARG_CONST, type, dir);
	arg_at(g->p, a)->value = gen_number(g, t);
	return a;
}

static uint32_t gen_kind(struct gen *g, uint32_t type, uint8_t dir)
{
	uint32_t a;

	switch (type_arg_kind(g->d, type)) {
	case ARG_CONST:
		return gen_const(g, type, dir);
	case ARG_RESULT:
		return gen_resource(g, type, dir);
	case ARG_POINTER:
		return gen_pointer(g, type, dir);
	case ARG_VMA:
		a = arg_new(g->p, ARG_VMA, type, dir);
		gen_vma(g, a);
		return a;
	case ARG_DATA:
		return gen_data(g, type, dir);
	case ARG_GROUP:
		return g->d->types[type].kind == DESC_STRUCT ?
			       gen_struct(g, type, dir) :
			       gen_array(g, type, dir);
	case ARG_UNION:
		return gen_union(g, type, dir);
	default:
		return arg_new_default(g->p, type, dir);
	}
}

uint32_t gen_arg(struct gen *g, uint32_t type, uint8_t dir)
{
	uint32_t a;

	if (g->nested > NESTED_MAX || g->p->args.len >= g->enough)
		return arg_new_default(g->p, type, dir);
	g->nested++;
	a = gen_kind(g, type, dir);
	g->nested--;
	return a;
}
