/* SPDX-License-Identifier: GPL-2.0-or-later */
/* flow.c - who makes resources and who takes them. */
#include "desc/compile.h"

enum { MADE = 1, TAKEN = 2 };

struct visit {
	uint32_t record;
	uint8_t dir;
	bool maybe; /* within a union or behind an optional pointer */
};

struct flow {
	struct compiler *c;
	uint8_t *seen; /* of resources */
	VEC(struct visit) todo;
	uint32_t pos;
};

static void see(struct flow *w, const struct desc_type *t, enum desc_dir dir,
		bool maybe)
{
	struct compiler *c = w->c;

	if (dir != DESC_OUT)
		w->seen[t->elem] |= TAKEN;
	if (dir == DESC_IN)
		return;
	if (t->format) {
		say_error(c->in, w->pos,
			  "'%s' cannot come out of fmt: the kernel's text is "
			  "not read back",
			  c->pool.data + c->resources.data[t->elem].name);
		w->seen[t->elem] |= MADE; /* that is one message too many */
		return;
	}
	/* A child of a resource is one of its kind. */
	for (uint32_t r = t->elem; !maybe && r != DESC_NONE;
	     r = c->resources.data[r].parent)
		w->seen[r] |= MADE;
}

/* Each record is looked at once for each way of using it. */
static void enter(struct flow *w, uint32_t record, enum desc_dir dir,
		  bool maybe)
{
	uint8_t bit = (uint8_t)(1u << (dir * 2 + maybe));
	struct record *info = &w->c->infos.data[record];

	if (info->flow & bit)
		return;
	info->flow |= bit;
	vec_push(&w->todo, (struct visit){ record, (uint8_t)dir, maybe });
}

static void flow_type(struct flow *w, uint32_t type, enum desc_dir dir,
		      bool maybe)
{
	for (;;) {
		const struct desc_type *t = type_at(w->c, type);

		switch (t->kind) {
		case DESC_RESOURCE:
			see(w, t, dir, maybe);
			return;
		case DESC_STRUCT:
		case DESC_UNION:
			enter(w, t->elem, dir, maybe);
			return;
		case DESC_PTR:
			dir = t->dir;
			maybe |= t->flags & DESC_OPT;
			break;
		case DESC_ARRAY:
			break;
		default:
			return;
		}
		type = t->elem;
	}
}

static void flow_record(struct flow *w, const struct visit *v)
{
	struct compiler *c = w->c;
	const struct desc_record *r = &c->records.data[v->record];
	bool maybe = v->maybe || (r->flags & DESC_IS_UNION);
	bool overlaid = false;

	for (uint32_t f = r->field; f < r->field + r->nfields; f++)
		overlaid |= c->fields.data[f].flags & DESC_OVERLAY;
	enum desc_dir dir = overlaid ? DESC_IN : v->dir;

	for (uint32_t f = r->field; f < r->field + r->nfields; f++) {
		const struct desc_field *fd = &c->fields.data[f];

		if (fd->flags & DESC_OVERLAY)
			dir = DESC_OUT;
		flow_type(w, fd->type, fd->flags & DESC_HAS_DIR ? fd->dir : dir,
			  maybe);
	}
}

static void flow_call(struct flow *w, const struct desc_call *call)
{
	for (uint32_t f = call->arg; f < call->arg + call->nargs; f++) {
		w->pos = w->c->field_pos.data[f];
		flow_type(w, w->c->fields.data[f].type, DESC_IN, false);
		while (w->todo.len) {
			struct visit v = w->todo.data[--w->todo.len];

			flow_record(w, &v);
		}
	}
	if (call->ret != DESC_NONE)
		flow_type(w, call->ret, DESC_OUT, false);
}

/* One that a parent or child of it is taken for is of use, too. */
static void spread_taken(struct flow *w)
{
	struct compiler *c = w->c;

	for (uint32_t i = 0; i < c->resources.len; i++) {
		uint32_t up = i;
		bool taken = false;

		for (; up != DESC_NONE; up = c->resources.data[up].parent)
			taken |= w->seen[up] & TAKEN;
		for (up = i; taken && up != DESC_NONE;
		     up = c->resources.data[up].parent)
			w->seen[up] |= TAKEN;
	}
}

void check_flow(struct compiler *c)
{
	struct flow w = { .c = c };

	w.seen = arena_alloc(c->scratch, c->resources.len + 1);
	for (size_t i = 0; i < c->calls.len; i++)
		flow_call(&w, &c->calls.data[i]);
	vec_free(&w.todo);
	spread_taken(&w);
	for (uint32_t i = 0; i < c->resources.len; i++) {
		const struct decl *d = c->resource_decls.data[i];
		const char *name = c->pool.data + c->resources.data[i].name;

		if (!d->used || d->excused)
			continue;
		if (!(w.seen[i] & MADE))
			say_error(c->in, d->pos,
				  "no call makes a '%s': let one return it, or "
				  "write it through an out pointer or field",
				  name);
		else if (!(w.seen[i] & TAKEN))
			say_error(c->in, d->pos,
				  "no call takes a '%s': then it is of no use",
				  name);
	}
}
