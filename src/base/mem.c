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

void *xcalloc(size_t n, size_t size)
{
	return checked(calloc(n ? n : 1, size ? size : 1));
}

void *xrealloc(void *p, size_t size)
{
	return checked(realloc(p, size ? size : 1));
}

char *xmemdup0(const char *p, size_t len)
{
	char *s = xcalloc(1, len + 1);

	if (len)
		memcpy(s, p, len);
	return s;
}

char *xstrdup(const char *s)
{
	return xmemdup0(s, strlen(s));
}
