/* SPDX-License-Identifier: GPL-2.0-or-later */
/* parse_auto.c - &AUTO: pointers whose addresses the parser finds. */
#include "base/mem.h"
#include "prog/text.h"

#define UNIT 64u /* what is handed out is a multiple, and so aligned */
#define UNITS (DATA_BYTES / UNIT)

static void mark(uint8_t *used, uint64_t at, uint64_t size)
{
	for (uint64_t u = at / UNIT; u < UNITS && u * UNIT < at + size; u++)
		used[u] = 1;
}

/* The first room of that size from unit `*from` on; UNITS: there is none. */
static uint32_t find_room(const uint8_t *used, uint32_t from, uint64_t size)
{
	uint32_t n = 0;

	for (uint32_t u = from; u < UNITS; u++) {
		n = used[u] ? 0 : n + 1;
		if ((uint64_t)n * UNIT >= size)
			return u + 1 - n;
	}
	return UNITS;
}

static void mark_all(const struct prog *p, uint8_t *used)
{
	struct tree_walk w;

	for (size_t i = 0; i < p->calls.len; i++)
		for (uint32_t a = walk_call(&w, p, &p->calls.data[i]);
		     a != ARG_NONE; a = walk_next(&w)) {
			const struct arg *x = arg_at(p, a);

			if (x->flags & (ARG_AUTO | ARG_SPECIAL))
				continue;
			if (x->kind == ARG_VMA)
				mark(used, x->value, x->extra);
			if (x->kind == ARG_POINTER)
				mark(used, x->value, arg_size(p, x->child));
		}
}

fallible place_autos(struct parser *s)
{
	struct prog *p = s->p;
	_cleanup_(freep) uint8_t *used = mem_calloc(UNITS, 1);
	struct tree_walk w;
	uint32_t from = 0;

	mark_all(p, used);
	for (size_t i = 0; i < p->calls.len; i++)
		for (uint32_t a = walk_call(&w, p, &p->calls.data[i]);
		     a != ARG_NONE; a = walk_next(&w)) {
			struct arg *x = arg_at(p, a);

			if (x->kind != ARG_POINTER || !(x->flags & ARG_AUTO))
				continue;

			uint64_t size = arg_size(p, x->child);
			uint32_t u = find_room(used, from, size ? size : 1);

			if (u == UNITS)
				return parse_error(s, s->at,
						   "what AUTO points to has "
						   "no room in memory");
			mark(used, (uint64_t)u * UNIT, size ? size : 1);
			x->flags &= (uint8_t)~ARG_AUTO;
			x->value = (uint64_t)u * UNIT;
			from = u + (uint32_t)((size + UNIT - 1) / UNIT);
		}
	return NULL;
}
