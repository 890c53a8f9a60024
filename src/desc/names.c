/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "desc/names.h"

#include "base/mem.h"

enum { SLOTS_AT_FIRST = 1024 };

void names_init(struct names *n, struct arena *arena)
{
	*n = (struct names){ .arena = arena, .nslots = SLOTS_AT_FIRST };
	n->slots = mem_calloc(n->nslots, sizeof(*n->slots));
	vec_push(&n->all, SLICE("")); /* number 0 is nobody's */
}

void names_deinit(struct names *n)
{
	vec_free(&n->all);
	free(n->slots);
}

/* FNV-1a, eight bytes at a time; the end is mixed so that low bits serve. */
static uint32_t hash(struct slice s)
{
	uint64_t h = 0xcbf29ce484222325 ^ s.len;

	for (; s.len >= 8; s = slice_from(s, 8)) {
		uint64_t w;

		memcpy(&w, s.p, 8);
		h = (h ^ w) * 0x100000001b3;
		h ^= h >> 29;
	}
	for (; s.len; s = slice_from(s, 1))
		h = (h ^ (uint8_t)*s.p) * 0x100000001b3;
	h ^= h >> 32;
	h *= 0x9e3779b97f4a7c15;
	return (uint32_t)(h >> 32);
}

/* The slot of `s`, or the free one where it belongs. */
static uint32_t *slot(const struct names *n, struct slice s)
{
	uint32_t mask = n->nslots - 1;

	for (uint32_t i = hash(s) & mask;; i = (i + 1) & mask)
		if (!n->slots[i] || slice_eq(n->all.data[n->slots[i]], s))
			return &n->slots[i];
}

static void grow(struct names *n)
{
	free(n->slots);
	n->nslots *= 2;
	n->slots = mem_calloc(n->nslots, sizeof(*n->slots));
	for (uint32_t id = 1; id < n->all.len; id++)
		*slot(n, n->all.data[id]) = id;
}

uint32_t names_add(struct names *n, struct slice s)
{
	uint32_t *at = slot(n, s);

	if (*at)
		return *at;
	if (n->all.len * 2 > n->nslots) {
		grow(n);
		at = slot(n, s);
	}
	*at = (uint32_t)n->all.len;
	vec_push(&n->all, arena_slice(n->arena, s));
	return *at;
}

uint32_t names_find(const struct names *n, struct slice s)
{
	return *slot(n, s);
}
