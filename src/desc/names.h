/* SPDX-License-Identifier: GPL-2.0-or-later */
/* names.h - every text once: equal texts have equal numbers, from 1 on. */
#ifndef DESC_NAMES_H
#define DESC_NAMES_H

#include <stdint.h>

#include "base/arena.h"
#include "base/vec.h"

struct names {
	struct arena *arena; /* the caller's */
	VEC(struct slice) all;
	uint32_t *slots; /* numbers; 0 is free */
	uint32_t nslots; /* a power of two */
};

void names_init(struct names *n, struct arena *arena);
void names_deinit(struct names *n);

/** The number of a text; a copy is kept when it is new. */
uint32_t names_add(struct names *n, struct slice s);

/** The number of a text, or 0. */
uint32_t names_find(const struct names *n, struct slice s);

static inline struct slice names_get(const struct names *n, uint32_t id)
{
	return n->all.data[id];
}

#endif /* DESC_NAMES_H */
