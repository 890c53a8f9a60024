/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * arena.h - memory that is freed all at once.
 *
 *	_cleanup_(arena_freep) struct arena *arena = arena_new();
 *	char *title = arena_printf(arena, "%s in %s", what, where);
 */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include <stddef.h>

#include "base/compiler.h"
#include "base/slice.h"

struct arena;

struct arena *arena_new(void);
void arena_free(struct arena *a);
DEFINE_CLEANUP(struct arena *, arena_free)

/** Forget everything but keep one block for the next use. */
void arena_reset(struct arena *a);

/** Zeroed memory, aligned for any type, alive until the arena is freed. */
void *arena_alloc(struct arena *a, size_t size);

/** A NUL-terminated copy. */
char *arena_strndup(struct arena *a, const char *s, size_t len);
struct slice arena_slice(struct arena *a, struct slice s);
char *arena_printf(struct arena *a, const char *fmt, ...) PRINTF(2, 3);

#endif /* BASE_ARENA_H */
