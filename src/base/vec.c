/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/vec.h"

#include <stdint.h>

#include "base/mem.h"

void *vec_grow_(void *data, size_t *cap, size_t want, size_t size)
{
	size_t n = *cap ? *cap * 2 : 8;

	if (n < want)
		n = want;
	if (n > SIZE_MAX / 2 / size)
		abort();
	data = mem_realloc(data, n * size);
	*cap = n;
	return data;
}
