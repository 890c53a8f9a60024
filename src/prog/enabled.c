/* SPDX-License-Identifier: GPL-2.0-or-later */
/* enabled.c - which calls can be of use, given those that are allowed. */
#include "base/mem.h"
#include "prog/tree.h"

enum {
	ARGS_MAX = 16384, /* of the default value of a call */
	BYTES_MAX = 4 << 20,
};

/* Resources that a call cannot do without: by call, pairs. */
struct need {
	uint32_t call, resource;
};

struct needs {
	const struct desc *d;
	uint32_t *seen; /* by type: 1 + the call that reached it last */
	VEC(uint32_t) todo; /* types */
	VEC(struct need) all;
	/* Of the call: its default value. */
	uint64_t args, bytes;
};

static void reach(struct needs *n, uint32_t call, uint32_t type, uint8_t dir)
{
	const struct desc_type *t = &n->d->types[type];

	if (dir == DESC_OUT || (t->flags & DESC_OPT) ||
	    n->seen[type] == call + 1)
		return;
	n->seen[type] = call + 1;
	if (t->kind == DESC_RESOURCE)
		vec_push(&n->all, (struct need){ call, t->elem });
	else
		vec_push(&n->todo, type);
}

/* Options of a union and elements of an array can be without. */
static void reach_within(struct needs *n, uint32_t call, uint32_t type)
{
	const struct desc_type *t = &n->d->types[type];
	const struct desc_record *r;

	if (t->kind == DESC_PTR)
		reach(n, call, t->elem, t->dir);
	if (t->kind == DESC_ARRAY && (t->flags & DESC_RANGE) && t->lo)
		reach(n, call, t->elem, DESC_IN);
	if (t->kind != DESC_STRUCT)
		return;
	r = &n->d->records[t->elem];
	for (uint32_t i = 0; i < r->nfields; i++) {
		const struct desc_field *f = &n->d->fields[r->field + i];

		if (f->cond == DESC_NONE)
			reach(n, call, f->type, field_dir(f, DESC_IN));
	}
}

static void needs_of(struct needs *n, uint32_t call)
{
	const struct desc_call *c = &n->d->calls[call];

	for (uint32_t i = 0; i < c->nargs; i++) {
		const struct desc_field *f = &n->d->fields[c->arg + i];

		reach(n, call, f->type, field_dir(f, DESC_IN));
	}
	while (n->todo.len)
		reach_within(n, call, n->todo.data[--n->todo.len]);
}

/* ---- Sizes -------------------------------------------------------------------- */

/* What the default value of a type takes, up to the limits. */
static void measure(struct needs *n, uint32_t type, uint64_t times, int depth)
{
	const struct desc_type *t = &n->d->types[type];
	const struct desc_record *r;

	n->args += times;
	if (t->size != DESC_VARLEN && type_is_data(n->d, type))
		n->bytes += times * t->size;
	if (n->args > ARGS_MAX || n->bytes > BYTES_MAX || depth > 64)
		return;
	switch (type_is_data(n->d, type) ? DESC_BAD : t->kind) {
	case DESC_PTR:
		if (!(t->flags & DESC_OPT))
			measure(n, t->elem, times, depth + 1);
		break;
	case DESC_ARRAY:
		if ((t->flags & DESC_RANGE) && t->lo && t->lo == t->hi)
			measure(n, t->elem,
				t->lo > ARGS_MAX ? ARGS_MAX + 1 : times * t->lo,
				depth + 1);
		break;
	case DESC_STRUCT:
		r = &n->d->records[t->elem];
		for (uint32_t i = 0; i < r->nfields; i++)
			measure(n, n->d->fields[r->field + i].type, times,
				depth + 1);
		break;
	case DESC_UNION:
		r = &n->d->records[t->elem];
		measure(n, n->d->fields[r->field + union_default(r)].type,
			times, depth + 1);
		break;
	}
}

static bool is_huge(struct needs *n, const struct desc_call *c)
{
	n->args = n->bytes = 0;
	for (uint32_t i = 0; i < c->nargs; i++)
		measure(n, n->d->fields[c->arg + i].type, 1, 0);
	return n->args > ARGS_MAX || n->bytes > BYTES_MAX;
}

/* ---- What can be made ------------------------------------------------------------- */

struct closing {
	const struct prog_target *t;
	uint8_t *enabled;
	uint32_t *lacks; /* by call: how many resources are still missing */
	uint8_t *can_be; /* by resource */
	struct by_resource needers; /* calls that need it */
	VEC(uint32_t) todo; /* calls that can be made, to be looked at */
	uint32_t *from, *makes; /* by call: what it makes, and kinds of */
};

static struct by_resource by_second(struct needs *n, size_t nresources)
{
	struct by_resource x = {
		.from = mem_calloc(nresources + 2, sizeof(*x.from)),
		.list = mem_calloc(n->all.len + 1, sizeof(*x.list)),
	};

	vec_for_each(&n->all, e)
		x.from[e->resource + 2]++;
	for (size_t i = 2; i < nresources + 2; i++)
		x.from[i] += x.from[i - 1];
	vec_for_each(&n->all, e)
		x.list[x.from[e->resource + 1]++] = e->call;
	return x;
}

/* The makers of each resource, turned around. */
static void index_makes(struct closing *c)
{
	const struct by_resource *m = &c->t->makers;
	size_t n = c->t->d->ncalls, nr = c->t->d->nresources;

	c->from = mem_calloc(n + 2, sizeof(*c->from));
	c->makes = mem_calloc(m->from[nr] + 1, sizeof(*c->makes));
	for (uint32_t i = 0; i < m->from[nr]; i++)
		c->from[m->list[i] + 2]++;
	for (size_t i = 2; i < n + 2; i++)
		c->from[i] += c->from[i - 1];
	for (uint32_t r = 0; r < nr; r++)
		for (uint32_t i = m->from[r]; i < m->from[r + 1]; i++)
			c->makes[c->from[m->list[i] + 1]++] = r;
}

static void can_make(struct closing *c, uint32_t resource)
{
	if (c->can_be[resource])
		return;
	c->can_be[resource] = 1;
	for (uint32_t i = c->needers.from[resource];
	     i < c->needers.from[resource + 1]; i++) {
		uint32_t call = c->needers.list[i];

		if (!--c->lacks[call] && c->enabled[call])
			vec_push(&c->todo, call);
	}
}

static void close_over(struct closing *c)
{
	for (uint32_t i = 0; i < c->t->d->ncalls; i++)
		if (c->enabled[i] && !c->lacks[i])
			vec_push(&c->todo, i);
	while (c->todo.len) {
		uint32_t call = c->todo.data[--c->todo.len];

		for (uint32_t i = c->from[call]; i < c->from[call + 1]; i++)
			can_make(c, c->makes[i]);
	}
}

static void take_out(const struct desc *d, uint8_t *enabled, uint32_t call,
		     struct buf *reasons, const char *why, const char *what)
{
	enabled[call] = 0;
	if (reasons)
		buf_printf(reasons, "%s: %s%s\n",
			   desc_name(d, d->calls[call].name), why, what);
}

static void drop_needy(struct closing *c, struct needs *n, struct buf *reasons)
{
	const struct desc *d = c->t->d;

	vec_for_each(&n->all, e)
		if (c->enabled[e->call] && !c->can_be[e->resource])
			take_out(d, c->enabled, e->call, reasons,
				 "no enabled call makes ",
				 desc_name(d, d->resources[e->resource].name));
}

void prog_enabled_close(const struct prog_target *t, uint8_t *enabled,
			struct buf *reasons)
{
	const struct desc *d = t->d;
	struct needs n = { .d = d,
			   .seen = mem_calloc(d->ntypes + 1, sizeof(*n.seen)) };
	struct closing c = { .t = t,
			     .enabled = enabled,
			     .lacks = mem_calloc(d->ncalls + 1,
						 sizeof(*c.lacks)),
			     .can_be = mem_calloc(d->nresources + 1, 1) };

	for (uint32_t i = 0; i < d->ncalls; i++) {
		const struct desc_call *call = &d->calls[i];
		size_t before = n.all.len;

		needs_of(&n, i);
		c.lacks[i] = (uint32_t)(n.all.len - before);
		if (!enabled[i])
			continue;
		if (call->attrs & 1u << DESC_CALL_DISABLED)
			take_out(d, enabled, i, reasons, "disabled", "");
		else if (is_huge(&n, call))
			take_out(d, enabled, i, reasons, "too large", "");
	}
	c.needers = by_second(&n, d->nresources);
	index_makes(&c);
	close_over(&c);
	drop_needy(&c, &n, reasons);
	vec_free(&n.all);
	vec_free(&n.todo);
	vec_free(&c.todo);
	free(n.seen);
	free(c.lacks);
	free(c.can_be);
	free(c.needers.from);
	free(c.needers.list);
	free(c.from);
	free(c.makes);
}
