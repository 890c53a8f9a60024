/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "vm/args.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void args_put(struct buf *args, const char *fmt, ...)
{
	_cleanup_(freep) char *s = NULL;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&s, fmt, ap) < 0)
		abort();
	va_end(ap);
	buf_add(args, s, strlen(s) + 1);
}

void args_words(struct buf *args, const char *words)
{
	for (const char *p = words; p && *p;) {
		size_t n = strcspn(p, " \t\n");

		if (n)
			args_put(args, "%.*s", (int)n, p);
		p += n + (p[n] != '\0');
	}
}

fallible args_split(struct buf *args, char **argv, size_t max)
{
	size_t n = 0;

	for (char *p = args->data; p < args->data + args->len;
	     p += strlen(p) + 1) {
		if (n + 1 >= max)
			return error_new(ERR_USAGE, "more than %zu arguments",
					 max);
		argv[n++] = p;
	}
	argv[n] = NULL;
	return NULL;
}
