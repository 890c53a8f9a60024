/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * graph.c - records as a graph: who contains whom, by value or by pointer.
 *
 * The edges are followed over types that hold one other type each, so only
 * records need a stack.
 */
#include "desc/compile.h"

/* The record that a type leads to, or DESC_NONE. */
static uint32_t leads_to(const struct compiler *c, uint32_t type, bool always)
{
	for (;;) {
		const struct desc_type *t = type_at(c, type);

		if (is_record(t))
			return t->elem;
		if (t->kind == DESC_PTR) {
			if (always && (t->flags & DESC_OPT))
				return DESC_NONE;
		} else if (t->kind == DESC_ARRAY) {
			if (always && !((t->flags & DESC_RANGE) && t->lo))
				return DESC_NONE;
		} else {
			return DESC_NONE;
		}
		type = t->elem;
	}
}

enum { NEW, ON_PATH, DONE };

struct recursion {
	struct compiler *c;
	uint32_t path[RECORD_DEPTH_MAX]; /* records */
	uint32_t at[RECORD_DEPTH_MAX]; /* the field of each that we are in */
	unsigned depth;
};

static void say_cycle(struct recursion *r, uint32_t target)
{
	struct compiler *c = r->c;
	_cleanup_(buf_deinit) struct buf text = {};
	unsigned i = r->depth, first;

	while (r->path[--i] != target)
		;
	/* A template's user is elsewhere: the field that closes the circle. */
	first = c->infos.data[target].env ? r->depth - 1 : i;
	for (unsigned k = i; k < r->depth && k < i + 8; k++)
		buf_printf(&text, "%s.%s -> ",
			   c->pool.data + c->records.data[r->path[k]].name,
			   c->pool.data + c->fields.data[r->at[k]].name);
	say_error(c->in, c->field_pos.data[r->at[first]],
		  "this contains itself without end: %s%s; a pointer with opt "
		  "or an array that may be empty ends it",
		  buf_cstr(&text), c->pool.data + c->records.data[target].name);
	for (unsigned k = i; k < r->depth; k++)
		c->infos.data[r->path[k]].failed = true;
}

static void walk_record(struct recursion *r, uint32_t ri)
{
	struct compiler *c = r->c;
	const struct desc_record *rec = &c->records.data[ri];

	if (r->depth == RECORD_DEPTH_MAX) {
		say_last(c->in, c->infos.data[ri].decl->pos,
			 "structs within each other more than %d deep",
			 RECORD_DEPTH_MAX);
		return;
	}
	c->infos.data[ri].state = ON_PATH;
	r->path[r->depth++] = ri;
	for (uint32_t f = rec->field;
	     f < rec->field + rec->nfields && !c->in->stopped; f++) {
		uint32_t to = leads_to(c, c->fields.data[f].type, true);

		r->at[r->depth - 1] = f;
		if (to == DESC_NONE)
			continue;
		if (c->infos.data[to].state == ON_PATH)
			say_cycle(r, to);
		else if (c->infos.data[to].state == NEW)
			walk_record(r, to);
	}
	r->depth--;
	c->infos.data[ri].state = DONE;
}

void check_recursion(struct compiler *c)
{
	struct recursion *r = arena_alloc(c->scratch, sizeof(*r));

	r->c = c;
	for (uint32_t i = 0; i < c->records.len && !c->in->stopped; i++)
		if (c->infos.data[i].state == NEW)
			walk_record(r, i);
}

/* Constants that a type lacks, without looking into records. */
static uint32_t type_lacks(const struct compiler *c, uint32_t type)
{
	for (;;) {
		const struct desc_type *t = type_at(c, type);

		if (c->type_missing.data[type])
			return c->type_missing.data[type];
		if (t->kind == DESC_RESOURCE) {
			uint32_t r = t->elem;

			for (; r != DESC_NONE; r = c->resources.data[r].parent)
				if (c->resource_decls.data[r]->first)
					return c->resource_decls.data[r]->first;
			return 0;
		}
		if (t->kind != DESC_PTR && t->kind != DESC_ARRAY)
			return 0;
		type = t->elem;
	}
}

static bool type_is_image(const struct compiler *c, uint32_t type)
{
	for (;;) {
		const struct desc_type *t = type_at(c, type);

		if (t->kind == DESC_IMAGE)
			return true;
		if (t->kind != DESC_PTR && t->kind != DESC_ARRAY)
			return false;
		type = t->elem;
	}
}

static void add_parent(struct compiler *c, uint32_t child, uint32_t record)
{
	vec_push(&c->parents,
		 (struct parent){ record, c->infos.data[child].first_parent });
	c->infos.data[child].first_parent = (uint32_t)c->parents.len - 1;
}

/* Tell the records that contain this one, and theirs. */
static void spread(struct compiler *c, uint32_t from)
{
	VEC(uint32_t) todo = {};

	vec_push(&todo, from);
	while (todo.len) {
		uint32_t ri = todo.data[--todo.len];
		struct record *info = &c->infos.data[ri];

		for (uint32_t p = info->first_parent; p != DESC_NONE;
		     p = c->parents.data[p].next) {
			uint32_t up = c->parents.data[p].record;
			struct record *to;

			if (up & PARENT_IS_CALL)
				continue;
			to = &c->infos.data[up];
			if (!(info->missing && !to->missing) &&
			    !(info->image && !to->image))
				continue;
			if (!to->missing)
				to->missing = info->missing;
			to->image |= info->image;
			vec_push(&todo, up);
		}
	}
	vec_free(&todo);
}

static void spread_records(struct compiler *c)
{
	for (uint32_t ri = 0; ri < c->records.len; ri++) {
		const struct desc_record *r = &c->records.data[ri];

		for (uint32_t f = r->field; f < r->field + r->nfields; f++) {
			uint32_t type = c->fields.data[f].type;
			uint32_t to = leads_to(c, type, false);
			uint32_t lacks = type_lacks(c, type);

			if (to != DESC_NONE)
				add_parent(c, to, ri);
			if (lacks && !c->infos.data[ri].missing)
				c->infos.data[ri].missing = lacks;
			c->infos.data[ri].image |= type_is_image(c, type);
		}
	}
	for (uint32_t ri = 0; ri < c->records.len; ri++)
		if (c->infos.data[ri].missing || c->infos.data[ri].image)
			spread(c, ri);
}

static void spread_to_call(struct compiler *c, uint32_t call, uint32_t type)
{
	struct call_info *info = &c->call_infos.data[call];
	uint32_t to = leads_to(c, type, false);
	uint32_t lacks = type_lacks(c, type);

	if (to != DESC_NONE)
		add_parent(c, to, call | PARENT_IS_CALL);
	if (!lacks && to != DESC_NONE)
		lacks = c->infos.data[to].missing;
	if (!info->missing)
		info->missing = lacks;
	info->image |= type_is_image(c, type) ||
		       (to != DESC_NONE && c->infos.data[to].image);
}

void spread_missing(struct compiler *c)
{
	spread_records(c);
	for (uint32_t i = 0; i < c->calls.len; i++) {
		const struct desc_call *call = &c->calls.data[i];
		struct call_info *info = &c->call_infos.data[i];

		for (uint32_t f = call->arg; f < call->arg + call->nargs; f++)
			spread_to_call(c, i, c->fields.data[f].type);
		if (call->ret != DESC_NONE)
			spread_to_call(c, i, call->ret);
		if (!info->image)
			continue;
		if (!(call->attrs & 1u << DESC_CALL_NO_GENERATE))
			say_error(c->in, info->decl->pos,
				  "a call with a compressed image is not "
				  "generated: add (no_generate)");
		if (!(call->attrs & 1u << DESC_CALL_NO_MINIMIZE))
			say_error(c->in, info->decl->pos,
				  "a call with a compressed image is not "
				  "minimized: add (no_minimize)");
	}
}
