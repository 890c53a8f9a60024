/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * probe.h - ask clang for the values of constants.
 *
 * Nothing is compiled to code, and nothing is run.  Each constant is a line
 *	switch (0ull) { case 0ull + (X): case 0ull + (X):; }
 * of which clang says "duplicate case value '5'" (the sum lets it show the
 * number rather than the name of an enumerator): errors somewhere in the
 * headers keep no other value back, and what X lacks is told on X's line.
 */
#ifndef DESC_PROBE_H
#define DESC_PROBE_H

#include "desc/headers.h"

/* What is included; `error` is the first in it, or NULL. */
struct probe_include {
	const char *path, *error;
	bool missing; /* no such file */
};

struct probe_value {
	const char *name;
	uint64_t value;
	bool known;
};

struct probe {
	const struct desc_headers *headers;
	struct arena *arena; /* for messages */
	const char *const *dirs; /* more of them, ended by NULL */
	VEC(struct probe_include) includes;
	struct slice defines; /* lines "#define NAME value" */
	VEC(struct probe_value) values; /* in: names */
	const char *error; /* in what all headers begin with; or NULL */
};

/**
 * Find values.  Where an include does not compile, sizes of types may be wrong:
 * only what depends on none is taken from it.
 * Errors: ERR_NOT_FOUND (no clang), ERR_OS, ERR_CANCELLED.
 */
fallible probe_run(struct probe *p);

#endif /* DESC_PROBE_H */
