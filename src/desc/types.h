/* SPDX-License-Identifier: GPL-2.0-or-later */
/* types.h - a type in the making, for the two files that make them. */
#ifndef DESC_TYPES_H
#define DESC_TYPES_H

#include "desc/compile.h"

enum {
	INT = 1,
	ARG = 2,
	OPTIONAL = 4,
	ALIAS = 8,
	BIG = 16,
	BASE = 32,
	OFFSET = 64,
	NUL_FREE = 128,
	FORMAT = 256,
	PROCS = 32, /* that share the values of a proc */
};

struct builtin {
	const char *name;
	uint8_t kind, min, max;
	const char *args;
	uint16_t flags;
	uint8_t size;
};

/* A type in the making. */
struct making {
	struct compiler *c;
	const struct builtin *b;
	const struct node *n;
	const struct env *env;
	enum place place;
	const struct node *base; /* NULL: an argument of a call has none */
	unsigned nargs; /* without base and opt */
	struct desc_type t;
};

/** Say what is wrong with the type; false. */
bool wrong(const struct making *m, const struct node *at, const char *fmt, ...)
	PRINTF(3, 4);

/** Say what is wrong with a value, which leaves the type what it is; true. */
bool bad_value(const struct making *m, const struct node *at, const char *fmt,
	       ...) PRINTF(3, 4);

/** The text of an argument, for a message. */
const char *text_of(const struct making *m, const struct node *n);

/** An argument by its number, or NULL. */
const struct node *nth(const struct making *m, unsigned i);

/** Note the underlying type, if there is one. */
bool set_base(struct making *m);
unsigned bits_of(const struct making *m);

/** "a" or "a:b", constants or numbers, to lo and hi. */
bool get_range(struct making *m, const struct node *n, const struct env *env,
	       const char *what);

/** Which of the words, ended by NULL, the argument is. */
bool get_word(struct making *m, const struct node *n, const char *const *words,
	      unsigned *which);

/** One for each kind of type: the arguments are counted, no more. */
bool make_string(struct making *m);
bool make_text(struct making *m);
bool make_fmt(struct making *m);
bool make_vma(struct making *m);
bool make_array(struct making *m);
bool make_ptr(struct making *m);
bool make_csum(struct making *m);
bool make_len(struct making *m);
bool make_proc(struct making *m);

#endif /* DESC_TYPES_H */
