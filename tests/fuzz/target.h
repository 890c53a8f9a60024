/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * target.h - what the fuzz targets share.
 *
 * A target is tests/fuzz/fuzz_<name>.c with LLVMFuzzerTestOneInput(), named in
 * tests/fuzz/meson.build; fuzz_<name>.dict lists words worth trying.  It aborts
 * on a broken promise; memory is watched by the sanitizers.
 */
#ifndef TARGET_H
#define TARGET_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* assert() that no NDEBUG takes away. */
#define ensure(cond)                                                     \
	do {                                                             \
		if (!(cond)) {                                           \
			fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, \
				__LINE__, #cond);                        \
			abort();                                         \
		}                                                        \
	} while (0)

/* A copy of just the right size: one byte too far is noticed. free() it. */
static inline char *fuzz_copy(const void *data, size_t len)
{
	char *p = malloc(len ? len : 1);

	if (!p)
		abort();
	if (len)
		memcpy(p, data, len);
	return p;
}

#endif /* TARGET_H */
