/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * paths.c - what lengths, checksums and conditions refer to.
 *
 * A path starts at a field beside, at `parent` (the struct itself; twice: the
 * one around it), at the name of a type further out, or at `syscall`; it goes
 * on into structs, through pointers.  A struct may be used in several places:
 * the path has to hold in all of them.
 */
#include <stdarg.h>
#include <stdio.h>

#include "desc/compile.h"

struct path_walk {
	struct compiler *c;
	const char *what; /* "len", "value", ... */
	const struct desc_type *len; /* or NULL: a condition */
	uint32_t at, n; /* values[] */
	uint32_t pos;
	uint32_t self; /* field that must not be the target */
	bool failed;
	uint32_t target; /* the type found last */
};

static const char *text(const struct path_walk *w, uint32_t pool)
{
	return w->c->pool.data + pool;
}

static uint32_t elem(const struct path_walk *w, uint32_t i)
{
	return (uint32_t)w->c->values.data[w->at + i];
}

static bool elem_is(const struct path_walk *w, uint32_t i, uint32_t name)
{
	return i < w->n && elem(w, i) == pool_add(w->c, name);
}

static PRINTF(2, 3) bool bad(struct path_walk *w, const char *fmt, ...);

static bool bad(struct path_walk *w, const char *fmt, ...)
{
	_cleanup_(freep) char *msg = NULL;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&msg, fmt, ap) < 0)
		abort();
	va_end(ap);
	if (!w->failed)
		say_error(w->c->in, w->pos, "%s: %s", w->what, msg);
	w->failed = true;
	return false;
}

static uint32_t through_pointers(const struct compiler *c, uint32_t type)
{
	while (type_at(c, type)->kind == DESC_PTR)
		type = type_at(c, type)->elem;
	return type;
}

static void check_target(struct path_walk *w, uint32_t type)
{
	const struct desc_type *t = type_at(w->c, type), *e;

	w->target = type;
	if (!t->kind)
		return;
	if (!w->len) {
		if ((t->kind != DESC_INT && t->kind != DESC_CONST &&
		     t->kind != DESC_FLAGS && t->kind != DESC_LEN) ||
		    t->format)
			bad(w, "'%s' is no integer, constant or flags",
			    text(w, elem(w, w->n - 1)));
		return;
	}
	t = type_at(w->c, through_pointers(w->c, type));
	if (t->kind != DESC_ARRAY || w->len->kind != DESC_LEN || w->len->lo)
		return;
	e = type_at(w->c, t->elem);
	/* Of structs, kernels do count the elements. */
	if (e->size == DESC_VARLEN && !is_record(e))
		say_warning(w->c->in, w->pos,
			    "len counts the elements of '%s', which have no "
			    "fixed size: is bytesize meant?",
			    text(w, elem(w, w->n - 1)));
}

static bool step_into(struct path_walk *w, uint32_t i, uint32_t type,
		      uint32_t *record)
{
	const struct desc_type *t = type_at(w->c, through_pointers(w->c, type));

	*record = t->elem;
	if (!t->kind)
		return false;
	if (t->kind == DESC_STRUCT)
		return true;
	return bad(w, "'%s' is no struct, so '%s' is not in it",
		   text(w, elem(w, i)), text(w, elem(w, i + 1)));
}

/* Elements from `i` on are fields, from struct to struct. */
static bool follow(struct path_walk *w, uint32_t i, uint32_t record)
{
	struct compiler *c = w->c;

	for (;; i++) {
		const struct desc_record *r = &c->records.data[record];
		uint32_t f = r->field, end = r->field + r->nfields;

		if (elem_is(w, i, c->n_parent) || elem_is(w, i, c->n_syscall))
			return bad(w,
				   "'%s' stands only at the beginning of a "
				   "path",
				   text(w, elem(w, i)));
		if (r->flags & DESC_IS_UNION)
			f = end;
		while (f < end && c->fields.data[f].name != elem(w, i))
			f++;
		if (f == end)
			return bad(w, "there is no field '%s' in %s",
				   text(w, elem(w, i)), text(w, r->name));
		if (c->fields.data[f].cond != DESC_NONE)
			return bad(w,
				   "'%s' has a condition: it may not be "
				   "there",
				   text(w, elem(w, i)));
		if (i + 1 == w->n) {
			if (f == w->self)
				return bad(w, "this refers to itself");
			check_target(w, c->fields.data[f].type);
			return !w->failed;
		}
		if (!step_into(w, i, c->fields.data[f].type, &record))
			return false;
	}
}

/* The record itself is the target, or the rest of the path is in it. */
static bool from_record(struct path_walk *w, uint32_t i, uint32_t record)
{
	if (i < w->n)
		return follow(w, i, record);
	if (w->len && (w->len->flags & DESC_OFFSETOF))
		return bad(w, "offsetof is of a field, not of a whole struct");
	if (!w->len)
		return bad(w, "a condition needs a field, not a struct");
	return true;
}

static bool from_args(struct path_walk *w, uint32_t i, uint32_t call)
{
	struct compiler *c = w->c;
	const struct desc_call *of = &c->calls.data[call];
	uint32_t f = of->arg, end = of->arg + of->nargs, record;

	if (elem_is(w, i, c->n_parent))
		return bad(w, "the parent here is the call itself");
	while (f < end && c->fields.data[f].name != elem(w, i))
		f++;
	if (f == end)
		return bad(w, "there is no argument '%s' of %s",
			   text(w, elem(w, i)), text(w, of->name));
	if (i + 1 == w->n) {
		if (f == w->self)
			return bad(w, "this refers to itself");
		check_target(w, c->fields.data[f].type);
		return !w->failed;
	}
	return step_into(w, i, c->fields.data[f].type, &record) &&
	       follow(w, i + 1, record);
}

/* Ancestors of the record; `visit` says whether to go on above one. */
struct upward {
	struct path_walk *w;
	uint32_t name; /* of a type; or DESC_NONE: all the way to calls */
	bool found;
};

static bool visit_record(struct upward *u, uint32_t ri)
{
	if (u->name == DESC_NONE ||
	    u->w->c->infos.data[ri].base_name != u->name)
		return true;
	u->found = true;
	from_record(u->w, 1, ri);
	return false;
}

static void visit_call(struct upward *u, uint32_t call, uint32_t start)
{
	struct path_walk *w = u->w;

	if (u->name == DESC_NONE)
		from_args(w, 1, call);
	else
		bad(w, "there is no '%s' in %s, nor around it where %s uses it",
		    text(w, elem(w, 0)),
		    text(w, w->c->records.data[start].name),
		    text(w, w->c->calls.data[call].name));
}

static void go_up(struct upward *u, uint32_t start)
{
	struct compiler *c = u->w->c;
	VEC(uint32_t) todo = {};

	c->stamp++;
	vec_push(&todo, start);
	c->infos.data[start].stamp = c->stamp;
	while (todo.len && !u->w->failed) {
		uint32_t ri = todo.data[--todo.len];

		if (!visit_record(u, ri))
			continue;
		for (uint32_t p = c->infos.data[ri].first_parent;
		     p != DESC_NONE && !u->w->failed;
		     p = c->parents.data[p].next) {
			uint32_t up = c->parents.data[p].record;

			if (up & PARENT_IS_CALL) {
				visit_call(u, up & ~PARENT_IS_CALL, start);
			} else if (c->infos.data[up].stamp != c->stamp) {
				c->infos.data[up].stamp = c->stamp;
				vec_push(&todo, up);
			}
		}
	}
	vec_free(&todo);
}

static void from_parents(struct path_walk *w, uint32_t ri, uint32_t i)
{
	struct compiler *c = w->c;

	for (uint32_t p = c->infos.data[ri].first_parent;
	     p != DESC_NONE && !w->failed; p = c->parents.data[p].next) {
		uint32_t up = c->parents.data[p].record;

		if (up & PARENT_IS_CALL)
			bad(w, "the second parent is the call %s, no struct",
			    text(w, c->calls.data[up & ~PARENT_IS_CALL].name));
		else
			from_record(w, i, up);
	}
}

static bool is_sibling(const struct path_walk *w, uint32_t ri)
{
	const struct desc_record *r = &w->c->records.data[ri];

	if (r->flags & DESC_IS_UNION)
		return false;
	for (uint32_t f = r->field; f < r->field + r->nfields; f++)
		if (w->c->fields.data[f].name == elem(w, 0))
			return true;
	return false;
}

static void check_in_record(struct path_walk *w, uint32_t ri)
{
	struct compiler *c = w->c;
	struct upward u = { .w = w, .name = DESC_NONE };
	uint32_t parents = 0;

	while (elem_is(w, parents, c->n_parent))
		parents++;
	if (parents > 2) {
		bad(w, "'parent' stands at most twice, at the beginning");
	} else if (parents == 2) {
		from_parents(w, ri, 2);
	} else if (parents == 1) {
		from_record(w, 1, ri);
	} else if (elem_is(w, 0, c->n_syscall)) {
		if (w->n == 1)
			bad(w, "which argument? syscall:name");
		else
			go_up(&u, ri);
	} else if (is_sibling(w, ri)) {
		follow(w, 0, ri);
	} else {
		u.name = elem(w, 0);
		go_up(&u, ri);
		if (!u.found)
			bad(w, "there is no '%s' in %s", text(w, elem(w, 0)),
			    text(w, c->records.data[ri].name));
	}
}

static void check_in_call(struct path_walk *w, uint32_t call)
{
	uint32_t i = elem_is(w, 0, w->c->n_syscall);

	if (i == w->n)
		bad(w, "which argument? syscall:name");
	else
		from_args(w, i, call);
}

/* The length or checksum that a type is, through pointers and arrays. */
static const struct desc_type *find_len(const struct compiler *c, uint32_t type)
{
	for (;;) {
		const struct desc_type *t = type_at(c, type);

		if (t->kind == DESC_LEN || t->kind == DESC_CSUM)
			return t;
		if (t->kind != DESC_PTR && t->kind != DESC_ARRAY)
			return NULL;
		type = t->elem;
	}
}

static struct path_walk walk_of(struct compiler *c, uint32_t field)
{
	const struct desc_type *t = find_len(c, c->fields.data[field].type);
	struct path_walk w = {
		.c = c, .len = t, .self = field, .pos = c->field_pos.data[field]
	};

	if (t) {
		w.what = t->kind == DESC_CSUM	  ? "csum" :
			 t->flags & DESC_OFFSETOF ? "offsetof" :
						    "len";
		w.at = t->path;
		w.n = t->npath;
	}
	return w;
}

/* Values in a condition; expressions are as deep as NODE_DEPTH_MAX. */
static void check_cond(struct compiler *c, uint32_t ri, uint32_t field,
		       uint32_t expr)
{
	const struct desc_expr *e = &c->exprs.data[expr];
	struct path_walk w = { .c = c,
			       .what = "value",
			       .at = e->left,
			       .n = e->right,
			       .self = field,
			       .pos = c->field_pos.data[field] };

	if (e->op == DESC_EXPR_CONST)
		return;
	if (e->op == DESC_EXPR_VALUE) {
		check_in_record(&w, ri);
		return;
	}
	check_cond(c, ri, field, e->left);
	check_cond(c, ri, field, e->right);
}

void check_paths(struct compiler *c)
{
	for (uint32_t ri = 0; ri < c->records.len && !c->in->stopped; ri++) {
		const struct desc_record *r = &c->records.data[ri];

		for (uint32_t f = r->field; f < r->field + r->nfields; f++) {
			struct path_walk w = walk_of(c, f);

			if (w.len)
				check_in_record(&w, ri);
			if (c->fields.data[f].cond != DESC_NONE)
				check_cond(c, ri, f, c->fields.data[f].cond);
		}
	}
	for (uint32_t i = 0; i < c->calls.len && !c->in->stopped; i++) {
		const struct desc_call *call = &c->calls.data[i];

		for (uint32_t f = call->arg; f < call->arg + call->nargs; f++) {
			struct path_walk w = walk_of(c, f);

			if (w.len)
				check_in_call(&w, i);
		}
	}
}
