/* SPDX-License-Identifier: GPL-2.0-or-later */
/* set.c - hash sets of numbers. */
#include "fuzz/set.h"

#include "base/mem.h"
#include "base/vec.h"

enum { SLOTS_AT_FIRST = 1024 };

static size_t spread(uint64_t x)
{
	x *= 0x9e3779b97f4a7c15u;
	return (size_t)(x ^ x >> 32);
}

static uint32_t *find32(const struct set32 *s, uint32_t value)
{
	size_t at = spread(value);

	while (s->slots[at & s->mask] && s->slots[at & s->mask] != value)
		at++;
	return &s->slots[at & s->mask];
}

static void grow32(struct set32 *s)
{
	struct set32 old = *s;
	size_t n = old.slots ? 2 * (old.mask + 1) : SLOTS_AT_FIRST;

	s->slots = mem_calloc(n, sizeof(*s->slots));
	s->mask = n - 1;
	for (size_t i = 0; old.slots && i <= old.mask; i++)
		if (old.slots[i])
			*find32(s, old.slots[i]) = old.slots[i];
	free(old.slots);
}

bool set32_add(struct set32 *s, uint32_t value)
{
	uint32_t *slot;

	if (!s->slots || 2 * s->len > s->mask)
		grow32(s);
	slot = find32(s, value);
	if (*slot)
		return false;
	*slot = value;
	s->len++;
	return true;
}

bool set32_has(const struct set32 *s, uint32_t value)
{
	return s->slots && *find32(s, value);
}

void set32_deinit(struct set32 *s)
{
	free(s->slots);
	*s = (struct set32){};
}

static uint32_t *find64(const struct set64 *s, uint64_t value)
{
	size_t at = spread(value);

	while (s->slots[at & s->mask] &&
	       s->values[s->slots[at & s->mask] - 1] != value)
		at++;
	return &s->slots[at & s->mask];
}

static void grow64(struct set64 *s)
{
	size_t n = s->slots ? 2 * (s->mask + 1) : SLOTS_AT_FIRST;

	free(s->slots);
	s->slots = mem_calloc(n, sizeof(*s->slots));
	s->mask = n - 1;
	for (size_t i = 0; i < s->len; i++)
		*find64(s, s->values[i]) = (uint32_t)i + 1;
}

size_t set64_add(struct set64 *s, uint64_t value)
{
	uint32_t *slot;

	if (!s->slots || 2 * s->len > s->mask)
		grow64(s);
	slot = find64(s, value);
	if (*slot)
		return *slot - 1;
	if (s->len == s->cap)
		s->values = vec_grow_(s->values, &s->cap, s->len + 1,
				      sizeof(*s->values));
	s->values[s->len++] = value;
	*slot = (uint32_t)s->len;
	return s->len - 1;
}

void set64_deinit(struct set64 *s)
{
	free(s->slots);
	free(s->values);
	*s = (struct set64){};
}
