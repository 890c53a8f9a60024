/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "report/demangle.h"

#include <setjmp.h>

#include <libiberty/demangle.h>

enum {
	MAX_SYMBOL = 1024, /* KSYM_NAME_LEN is 512 */
	MAX_PLAIN = 2048,
	MAX_LOST = 100, /* identifiers, of MAX_SYMBOL bytes each at most */
};

struct output {
	char text[MAX_PLAIN];
	size_t len;
	jmp_buf full;
};

/*
 * A symbol of 200 bytes can refer back to itself so that its plain name has
 * megabytes (twice as many for every 9 bytes more), and libiberty has no limit.
 * There is no way to end it but to jump out of it.
 */
static void add(const char *text, size_t len, void *opaque)
{
	struct output *out = opaque;

	if (!len)
		return; /* `text` may be NULL */
	if (len >= sizeof(out->text) - out->len)
		longjmp(out->full, 1);
	memcpy(out->text + out->len, text, len);
	out->len += len;
}

/* libiberty allocates memory for identifiers in Punycode: "u3abc". */
static bool may_allocate(struct slice symbol)
{
	for (size_t i = 0; i + 1 < symbol.len; i++)
		if (symbol.p[i] == 'u' && symbol.p[i + 1] >= '0' &&
		    symbol.p[i + 1] <= '9')
			return true;
	return false;
}

const char *demangle(struct arena *arena, struct slice symbol)
{
	/* That memory is lost when we jump: not too often, then. */
	static unsigned lost;
	struct output out = { .len = 0 };
	bool allocates = may_allocate(symbol);

	if (symbol.len > MAX_SYMBOL || (allocates && lost >= MAX_LOST) ||
	    (!slice_starts(symbol, SLICE("_R")) &&
	     !slice_starts(symbol, SLICE("_Z"))))
		return NULL;
	const char *mangled = arena_strndup(arena, symbol.p, symbol.len);
	if (setjmp(out.full)) {
		lost += may_allocate(symbol);
		return NULL;
	}
	/* Rust's older scheme looks like C++ with a hash at the end. */
	if ((!rust_demangle_callback(mangled, 0, add, &out) &&
	     !cplus_demangle_v3_callback(mangled, DMGL_NO_OPTS, add, &out)) ||
	    !out.len)
		return NULL;
	return arena_strndup(arena, out.text, out.len);
}
