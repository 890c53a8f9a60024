/* SPDX-License-Identifier: GPL-2.0-or-later */
/* set.h - sets of signals (u32, never 0) and of program counters (u64). */
#ifndef FUZZ_SET_H
#define FUZZ_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Open addressing, at most half full; 0 is an empty slot. */
struct set32 {
	uint32_t *slots;
	size_t mask, len; /* mask + 1 slots */
};

/** Add a value that is not 0; false when it is there. */
bool set32_add(struct set32 *s, uint32_t value);
bool set32_has(const struct set32 *s, uint32_t value);
void set32_deinit(struct set32 *s);

/* The same, and the values in the order in which they came. */
struct set64 {
	uint32_t *slots; /* 1 + index into values */
	size_t mask;
	uint64_t *values;
	size_t len, cap;
};

/** Its index in values[]; it is the last one when it was added. */
size_t set64_add(struct set64 *s, uint64_t value);
void set64_deinit(struct set64 *s);

#endif /* FUZZ_SET_H */
