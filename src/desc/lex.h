/* SPDX-License-Identifier: GPL-2.0-or-later */
/* lex.h - the words of a description file, one at a time. */
#ifndef DESC_LEX_H
#define DESC_LEX_H

#include "desc/internal.h"

enum token_kind {
	TOK_END,
	TOK_NEWLINE,
	TOK_COMMENT,
	TOK_NAME,
	TOK_INT,
	TOK_STRING, /* text without the quotes */
	TOK_HEX, /* text without the quotes, as written */
	TOK_EQ,
	TOK_NE,
	TOK_OR,
	TOK_BAD, /* and why has been said */
	/* Others are their own character. */
};

struct lexer {
	struct desc_input *in;
	const char *begin, *p, *end;
	uint32_t start; /* position of `begin` */
	int kind; /* of the word at hand */
	uint32_t pos, line_pos;
	struct slice text;
	uint64_t value; /* of TOK_INT */
};

void lex_init(struct lexer *lx, struct desc_input *in,
	      const struct source *src);

/** Go on to the next word. */
void lex_next(struct lexer *lx);

/** Pass over the rest of the line; the word at hand is then its end. */
void lex_skip_line(struct lexer *lx);

/** Take the line from `from` on as it is, up to a comment after a tab. */
struct slice lex_raw_line(struct lexer *lx, const char *from);

/** What the word at hand is, for a message. */
const char *lex_describe(const struct lexer *lx);

/** A number: decimal, 0x, or negative.  False when it is none or too big. */
bool lex_number(struct slice s, uint64_t *value);

#endif /* DESC_LEX_H */
