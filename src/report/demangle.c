/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "report/demangle.h"

#include <stdlib.h>

#include <libiberty/demangle.h>

enum { MAX_SYMBOL = 1024 };

const char *demangle(struct arena *arena, struct slice symbol)
{
	if (symbol.len > MAX_SYMBOL || (!slice_starts(symbol, SLICE("_R")) &&
					!slice_starts(symbol, SLICE("_Z"))))
		return NULL;
	const char *mangled = arena_strndup(arena, symbol.p, symbol.len);
	char *plain = rust_demangle(mangled, 0);
	if (!plain)
		plain = cplus_demangle(mangled, DMGL_NO_OPTS);
	if (!plain)
		return NULL;
	char *kept = arena_strndup(arena, plain, strlen(plain));
	free(plain);
	return kept;
}
