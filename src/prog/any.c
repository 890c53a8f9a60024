/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * any.c - pointees squashed to ANY: bytes as they are in memory and results
 * in between, so that any of them can be changed whatever the type says.
 */
#include "base/mem.h"
#include "prog/encode.h"
#include "prog/gen.h"

enum { SQUASH_MAX = 65536 };

static uint32_t any_new(struct prog *p, enum any_kind kind)
{
	bool in = kind == ANY_BLOB || kind >= ANY_RES_DEC;
	uint32_t a = arg_new(p, kind == ANY_BLOB ? ARG_DATA : ARG_RESULT,
			     DESC_NONE, in ? DESC_IN : DESC_INOUT);

	arg_at(p, a)->flags = ARG_ANY;
	arg_at(p, a)->any = (uint8_t)kind;
	return a;
}

/* ANY_BLOB: it cannot be a result there. */
static enum any_kind kind_of(const struct wire_arg *how)
{
	if (how->bit_len || (how->flags & WIRE_BIG_ENDIAN))
		return ANY_BLOB;
	switch (how->text) {
	case WIRE_DEC:
		return ANY_RES_DEC;
	case WIRE_HEX:
		return ANY_RES_HEX;
	case WIRE_OCT:
		return ANY_RES_OCT;
	}
	switch (how->size) {
	case 1:
		return ANY_RES8;
	case 2:
		return ANY_RES16;
	case 4:
		return ANY_RES32;
	case 8:
		return ANY_RES64;
	default:
		return ANY_BLOB;
	}
}

struct list {
	struct prog *p;
	uint32_t first, last;
};

static void append(struct list *l, uint32_t arg)
{
	*(l->last == ARG_NONE ? &l->first : &arg_at(l->p, l->last)->next) = arg;
	l->last = arg;
}

static void append_blob(struct list *l, const char *from, size_t len)
{
	uint32_t a;

	if (!len)
		return;
	a = any_new(l->p, ANY_BLOB);
	arg_at(l->p, a)->from = tree_bytes(l->p, from, len);
	arg_at(l->p, a)->len = (uint32_t)len;
	append(l, a);
}

static void append_result(struct list *l, enum any_kind kind, uint32_t result)
{
	uint32_t a = any_new(l->p, kind);
	const struct arg *was = arg_at(l->p, result);

	arg_at(l->p, a)->child = was->child;
	arg_at(l->p, a)->div = was->div;
	arg_at(l->p, a)->extra = was->extra;
	append(l, a);
}

bool any_squash(struct prog *p, uint32_t pointer)
{
	static const uint8_t sizes[ANY_KINDS] = { 0, 1, 2, 4, 8, 20, 18, 23 };
	_cleanup_(buf_deinit) struct buf memory = {};
	struct encoder e = { .p = p, .d = p->target->d, .out = &memory };
	uint32_t group, pointee = arg_at(p, pointer)->child;
	struct list list = { p, ARG_NONE, ARG_NONE };
	struct arg was = *arg_at(p, pointee);
	struct slice bytes;
	bool flat;

	/* Any number says that somebody makes it. */
	e.numbers = mem_calloc(p->args.len + 1, sizeof(*e.numbers));
	vec_for_each(&p->args, a)
		if (a->kind == ARG_RESULT && a->child != ARG_NONE)
			e.numbers[a->child] = 1;
	flat = arg_size(p, pointee) <= SQUASH_MAX &&
	       put_flat(&e, pointee, &bytes);
	if (flat) {
		size_t at = 0;

		vec_for_each(&e.stores, s) {
			enum any_kind kind = kind_of(&s->how);

			if (kind == ANY_BLOB || s->off < at)
				continue;
			append_blob(&list, bytes.p + at, s->off - at);
			append_result(&list, kind, s->arg);
			at = s->off + sizes[kind];
		}
		if (at < bytes.len)
			append_blob(&list, bytes.p + at, bytes.len - at);
		group = arg_new(p, ARG_GROUP, was.type, was.dir);
		arg_at(p, group)->flags = ARG_ANY;
		arg_at(p, group)->child = list.first;
		arg_at(p, pointer)->child = group;
	}
	free(e.numbers);
	vec_free(&e.stores);
	vec_free(&e.copyouts);
	vec_free(&e.sums);
	vec_free(&e.pointers);
	return flat;
}

void any_mutate(struct gen *g, uint32_t group)
{
	struct prog *p = g->p;
	uint32_t n = list_len(p, arg_at(p, group)->child), arg;

	if (!n) {
		arg = any_new(p, ANY_BLOB);
		arg_at(p, arg)->from = (uint32_t)p->bytes.len;
		arg_at(p, group)->child = arg;
		n = 1;
	}
	arg = list_at(p, arg_at(p, group)->child,
		      (uint32_t)rng_below(g->rng, n));
	if (arg_at(p, arg)->kind == ARG_DATA) {
		data_mutate(g, arg, 0, SQUASH_MAX);
		return;
	}
	/* Its bytes stay, its meaning goes. */
	arg_at(p, arg)->child = ARG_NONE;
	arg_at(p, arg)->value = gen_int(g->rng, 64);
	arg_at(p, arg)->extra = 0;
}
