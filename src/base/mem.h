/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * mem.h - allocation that does not fail: no memory aborts the program.
 *
 * Sizes are those of our own structures; a size that comes from outside is
 * checked against a limit before it gets here.
 */
#ifndef BASE_MEM_H
#define BASE_MEM_H

#include <stddef.h>

/** calloc() that aborts instead of returning NULL; free() the result. */
void *mem_calloc(size_t n, size_t size);

/** realloc() that aborts instead of returning NULL. */
void *mem_realloc(void *p, size_t size);

/** A NUL-terminated copy of `len` bytes; free() the result. */
char *mem_dup0(const char *p, size_t len);

/** strdup() that aborts instead of returning NULL; free() the result. */
char *mem_strdup(const char *s);

#endif /* BASE_MEM_H */
