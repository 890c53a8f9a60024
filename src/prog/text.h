/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * text.h - what the files that read programs share.
 *
 * parse.c cuts lines into calls, parse_arg.c reads arguments by their types,
 * parse_data.c strings and blobs.  A failure of the text itself (a missing
 * bracket) is an error; what merely does not fit the descriptions goes through
 * misfit(), which is an error in PROG_STRICT only.
 */
#ifndef PROG_TEXT_H
#define PROG_TEXT_H

#include "prog/tree.h"

#define TEXT_DATA_START 0x7f0000000000 /* data[0] in texts */
#define TEXT_PRESENT "value" /* a field with a condition, if it holds */
#define TEXT_ABSENT "void"

extern const char *const any_names[ANY_KINDS]; /* "ANYBLOB", ... */

struct parse_var {
	struct slice name; /* .p is NULL: a free slot */
	uint32_t arg;
};

struct parse_vars {
	struct parse_var *slots;
	uint32_t n, mask;
};

struct parser {
	struct prog *p;
	const struct prog_target *t;
	const struct desc *d;
	const char *name;
	enum prog_mode mode;
	const char *line, *at, *end; /* this line: its start, the rest of it */
	unsigned int lineno;
	unsigned int depth; /* of arguments within each other */
	uint64_t images; /* bytes that they would have */
	bool fix_refs; /* something may refer to what was left out */
	uint32_t call; /* the one being read */
	bool autos; /* there are pointers without an address */
	bool lengths; /* there are lengths to assign in this call */
	struct parse_vars vars;
	/* Of this call: known to later ones. */
	VEC(struct parse_var) made;
};

/* ---- parse.c -------------------------------------------------------------------- */

/** "name:line:column: ..."; `at` is a character of this line. */
fallible parse_error(const struct parser *s, const char *at, const char *fmt,
		     ...) PRINTF(3, 4);

/** The same in PROG_STRICT; in PROG_REPAIR nothing, and the caller mends. */
#define misfit(s, at, ...) \
	((s)->mode == PROG_STRICT ? parse_error(s, at, __VA_ARGS__) : NULL)

/* A list of arguments while it grows. */
struct chain {
	uint32_t first, last;
};
#define CHAIN_EMPTY ((struct chain){ ARG_NONE, ARG_NONE })

static inline void chain_add(struct prog *p, struct chain *c, uint32_t arg)
{
	if (c->last == ARG_NONE)
		c->first = arg;
	else
		arg_at(p, c->last)->next = arg;
	c->last = arg;
}

static inline void skip_blanks(struct parser *s)
{
	while (s->at < s->end && (*s->at == ' ' || *s->at == '\t'))
		s->at++;
}

/** The next character; '\0' at the end of the line. */
static inline char peek(const struct parser *s)
{
	return s->at < s->end ? *s->at : '\0';
}

/** Take `c`, and blanks behind it, if it is next. */
static inline bool take(struct parser *s, char c)
{
	if (s->at == s->end || *s->at != c)
		return false;
	s->at++;
	skip_blanks(s);
	return true;
}

/** Take `c` or fail. */
fallible expect(struct parser *s, char c);

/** Take the word if it is next. */
bool take_word(struct parser *s, struct slice word);

/** Letters, digits, '_' and '$'; none is an error. */
fallible parse_ident(struct parser *s, struct slice *out);

/** A number: 10, 0xa, 012, 0b1010. */
fallible parse_number(struct parser *s, uint64_t *out);

/** Skip to the end of what is open here, or to a comma of it. */
void skip_excess(struct parser *s, bool to_comma);

/** The argument that `name` stands for, or ARG_NONE. */
uint32_t find_var(const struct parser *s, struct slice name);

/* ---- parse_arg.c ---------------------------------------------------------------- */

/** An argument of the type, whatever is written. */
fallible parse_arg(struct parser *s, uint32_t type, uint8_t dir, uint32_t *out);

/** The default of a field; whether it is there is left to cond_settle(). */
uint32_t default_field(struct parser *s, const struct desc_field *f,
		       uint8_t dir);

/* ---- parse_data.c --------------------------------------------------------------- */

/** A string or blob for a type of which type_is_data() holds, or a squashed. */
fallible parse_data(struct parser *s, uint32_t type, uint8_t dir,
		    uint32_t *out);

/* ---- parse_auto.c --------------------------------------------------------------- */

/** Give pointers with ARG_AUTO addresses that nothing else uses. */
fallible place_autos(struct parser *s);

/* ---- image.c -------------------------------------------------------------------- */

void base64_encode(struct slice in, struct buf *out);

/** False: it is not base 64, as encode makes it. */
bool base64_decode(struct slice in, struct buf *out);

#endif /* PROG_TEXT_H */
