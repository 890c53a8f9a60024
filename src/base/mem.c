/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *checked(void *p)
{
	if (!p) {
		fputs("bugon: out of memory\n", stderr);
		abort();
	}
	return p;
}

void *mem_calloc(size_t n, size_t size)
{
	return checked(calloc(n ? n : 1, size ? size : 1));
}

void *mem_realloc(void *p, size_t size)
{
	return checked(realloc(p, size ? size : 1));
}

char *mem_dup0(const char *p, size_t len)
{
	char *s = mem_calloc(1, len + 1);

	if (len)
		memcpy(s, p, len);
	return s;
}

char *mem_strdup(const char *s)
{
	return mem_dup0(s, strlen(s));
}
