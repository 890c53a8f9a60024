/* SPDX-License-Identifier: GPL-2.0-or-later */
/* parse.h - what parse.c and parse_type.c share. */
#ifndef DESC_PARSE_H
#define DESC_PARSE_H

#include "desc/lex.h"

struct parser {
	struct lexer lx;
	struct desc_input *in;
	unsigned depth; /* of brackets */
	bool at_decl; /* the next declaration begins, though ours has no end */
	bool failed; /* in this line: it has been said why */
};

/** Say that something else was expected; the rest of the line is skipped. */
void parse_unexpected(struct parser *ps, const char *wanted);

/** Take a word of that kind, or say that `wanted` was expected. */
bool parse_take(struct parser *ps, int kind, const char *wanted);

/** A type or value: NAME[:colon][[args]], a number or a string. */
struct node *parse_type(struct parser *ps);

/** `open` has been taken: types or expressions with commas between, and
 * `close`. */
struct node *parse_types(struct parser *ps, int close);

static inline uint32_t parse_intern(struct parser *ps)
{
	return names_add(&ps->in->names, ps->lx.text);
}

#endif /* DESC_PARSE_H */
