/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * size.c - lengths, sizes and offsets of what other arguments are.
 *
 * A path starts at a field beside the length, at `parent` (the struct or union
 * that it is in), at the name of a type further out, or at `syscall`; it goes
 * on into structs, through pointers.  desc/paths.c has checked that it can be
 * followed wherever the type is used.
 */
#include "prog/tree.h"

/* ---- Paths ---------------------------------------------------------------------- */

struct path_at {
	const struct arg_scope *scope;
	uint32_t depth; /* records of the scope that are still around */
	uint32_t list; /* siblings, with their fields; or ARG_NONE */
	const struct desc_field *fields;
};

static const struct desc_record *record_of(const struct prog *p, uint32_t arg)
{
	return &p->target->d->records[arg_type(p, arg_at(p, arg))->elem];
}

static void enter(struct path_at *at, uint32_t record)
{
	const struct prog *p = at->scope->p;
	const struct arg *a = arg_at(p, record);

	at->list = a->kind == ARG_GROUP ? a->child : ARG_NONE;
	at->fields = p->target->d->fields + record_of(p, record)->field;
}

/* A record around; ARG_NONE: no such one. */
static uint32_t go_out(struct path_at *at, const char *name)
{
	bool parent = !strcmp(name, "parent");

	while (at->depth) {
		uint32_t record = at->scope->records[--at->depth];

		if (parent || record_is(at->scope->p, record, name))
			return record;
	}
	return ARG_NONE;
}

static uint32_t sibling(const struct path_at *at, uint32_t name)
{
	const struct desc_field *f = at->fields;
	uint32_t a = at->list;

	for (; a != ARG_NONE && f->name != name; f++)
		a = arg_at(at->scope->p, a)->next;
	return a;
}

static enum scope_result behind_pointers(const struct prog *p, uint32_t *arg)
{
	while (*arg != ARG_NONE && arg_at(p, *arg)->kind == ARG_POINTER)
		*arg = arg_at(p, *arg)->child;
	return *arg != ARG_NONE && (arg_at(p, *arg)->flags & ARG_ANY) ?
		       SCOPE_SQUASHED :
		       SCOPE_FOUND;
}

static bool is_record(const struct prog *p, uint32_t arg)
{
	const struct arg *a = arg_at(p, arg);
	uint8_t kind = a->kind == ARG_ABSENT ? DESC_BAD : arg_type(p, a)->kind;

	return kind == DESC_STRUCT || kind == DESC_UNION;
}

static enum scope_result follow(struct path_at *at, const uint64_t *path,
				uint32_t npath, struct arg_found *out)
{
	const struct prog *p = at->scope->p;

	for (uint32_t i = 0;; i++) {
		uint32_t name = (uint32_t)path[i], a = sibling(at, name);

		*out = (struct arg_found){ a, at->list, at->fields };
		if (a == ARG_NONE) {
			a = go_out(at, desc_name(p->target->d, name));
			if (a == ARG_NONE)
				return SCOPE_MISSING;
			*out = (struct arg_found){ a, ARG_NONE, NULL };
		} else if (behind_pointers(p, &out->arg) == SCOPE_SQUASHED) {
			return SCOPE_SQUASHED;
		}
		if (out->arg == ARG_NONE || i + 1 == npath)
			return SCOPE_FOUND;
		if (!is_record(p, out->arg))
			return SCOPE_MISSING;
		enter(at, out->arg);
	}
}

enum scope_result scope_find(const struct arg_scope *s, const uint64_t *path,
			     uint32_t npath, struct arg_found *out)
{
	const struct desc *d = s->p->target->d;
	struct path_at at = { .scope = s, .depth = s->depth };
	bool from_call = npath > 1 &&
			 !strcmp(desc_name(d, (uint32_t)path[0]), "syscall");

	if (s->depth && !from_call) {
		enter(&at, s->records[s->depth - 1]);
	} else {
		at.list = s->call->arg;
		at.fields = d->fields + d->calls[s->call->id].arg;
	}
	return follow(&at, path + from_call, npath - from_call, out);
}

/* ---- Lengths -------------------------------------------------------------------- */

static uint64_t offset_of(const struct prog *p, const struct arg_found *f,
			  uint32_t target)
{
	const struct desc_field *field = f->fields;
	uint64_t at = 0;

	for (uint32_t a = f->list; a != ARG_NONE;
	     a = arg_at(p, a)->next, field++) {
		if (field->offset != DESC_VARLEN)
			at = field->offset;
		if (field->name == target)
			break;
		at += arg_size(p, a);
	}
	return at;
}

static uint64_t length_of(const struct prog *p, uint32_t arg, uint64_t bits)
{
	const struct arg *a = arg_at(p, arg);
	bool elements = !bits;

	bits = bits ? bits : 8;
	if (a->kind == ARG_ABSENT)
		return 0;
	if (a->kind == ARG_VMA)
		return a->extra * 8 / bits;
	if (elements && a->kind == ARG_GROUP &&
	    arg_type(p, a)->kind == DESC_ARRAY)
		return list_len(p, a->child);
	return arg_size(p, arg) * 8 / bits;
}

static void assign(const struct arg_scope *s, struct arg *len)
{
	const struct prog *p = s->p;
	const struct desc_type *t = arg_type(p, len);
	const uint64_t *path = p->target->d->values + t->path;
	struct arg_found found;

	if (scope_find(s, path, t->npath, &found) != SCOPE_FOUND)
		return;
	if (t->flags & DESC_OFFSETOF)
		len->value =
			offset_of(p, &found, (uint32_t)path[t->npath - 1]) * 8 /
			(t->lo ? t->lo : 8);
	else
		len->value = found.arg == ARG_NONE ?
				     0 :
				     length_of(p, found.arg, t->lo);
}

struct sizes {
	struct arg_scope scope;
	bool autos; /* only these */
};

static void visit(struct sizes *s, uint32_t arg, bool in_array);

static void visit_list(struct sizes *s, uint32_t first, bool in_array)
{
	const struct prog *p = s->scope.p;
	const uint8_t *holds = p->target->holds;

	for (uint32_t a = first; a != ARG_NONE; a = arg_at(p, a)->next)
		if (holds[arg_at(p, a)->type] & TYPE_HOLDS_LEN)
			visit(s, a, in_array);
}

static void visit(struct sizes *s, uint32_t arg, bool in_array)
{
	struct arg_scope *scope = &s->scope;
	const struct prog *p = scope->p;
	bool squashed = behind_pointers(p, &arg) == SCOPE_SQUASHED;
	struct arg *a = arg == ARG_NONE || squashed ? NULL : arg_at(p, arg);

	if (!a)
		return;
	if (a->kind == ARG_CONST) {
		if (arg_type(p, a)->kind != DESC_LEN || in_array ||
		    (s->autos && !(a->flags & ARG_AUTO)))
			return;
		a->flags &= (uint8_t)~ARG_AUTO;
		assign(scope, a);
	} else if (a->kind == ARG_GROUP && !is_record(p, arg)) {
		visit_list(s, a->child, true);
	} else if ((a->kind == ARG_GROUP || a->kind == ARG_UNION) &&
		   scope->depth < ARRAY_LEN(scope->records)) {
		scope->records[scope->depth++] = arg;
		visit_list(s, a->child, false);
		scope->depth--;
	}
}

static void assign_call(struct prog *p, const struct call *c, bool autos)
{
	struct sizes s;

	s.scope.p = p;
	s.scope.call = c;
	s.scope.depth = 0;
	s.autos = autos;
	visit_list(&s, c->arg, false);
}

void prog_assign_sizes(struct prog *p, const struct call *c)
{
	assign_call(p, c, false);
}

void prog_assign_autos(struct prog *p, const struct call *c)
{
	assign_call(p, c, true);
}
