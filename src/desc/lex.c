/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "desc/lex.h"

static bool is_name_start(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_name(char c)
{
	return is_name_start(c) || is_digit(c) || c == '$';
}

void lex_init(struct lexer *lx, struct desc_input *in, const struct source *src)
{
	*lx = (struct lexer){
		.in = in,
		.begin = src->text.p,
		.p = src->text.p,
		.end = src->text.p + src->text.len,
		.start = src->start,
	};
	lx->line_pos = lx->start;
	lex_next(lx);
}

static uint32_t pos_of(const struct lexer *lx, const char *p)
{
	return lx->start + (uint32_t)(p - lx->begin);
}

static int hex_digit(char c)
{
	if (is_digit(c))
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static bool parse_digits(struct slice s, unsigned base, uint64_t *value)
{
	uint64_t v = 0;

	if (!s.len)
		return false;
	for (; s.len; s = slice_from(s, 1)) {
		int d = hex_digit(*s.p);

		if (d < 0 || (unsigned)d >= base ||
		    __builtin_mul_overflow(v, (uint64_t)base, &v) ||
		    __builtin_add_overflow(v, (uint64_t)d, &v))
			return false;
	}
	*value = v;
	return true;
}

bool lex_number(struct slice s, uint64_t *value)
{
	uint64_t v;

	if (slice_starts(s, SLICE("0x")) || slice_starts(s, SLICE("0X")))
		return parse_digits(slice_from(s, 2), 16, value);
	if (s.len && *s.p == '-') {
		if (!parse_digits(slice_from(s, 1), 10, &v) ||
		    v > (uint64_t)INT64_MAX + 1)
			return false;
		*value = -v;
		return true;
	}
	return parse_digits(s, 10, value);
}

static int lex_int(struct lexer *lx)
{
	const char *p = lx->p + 1;

	while (p < lx->end && (is_name(*p) || *p == '-'))
		p++;
	lx->text = slice_range(lx->p, p);
	lx->p = p;
	if (lex_number(lx->text, &lx->value))
		return TOK_INT;
	say_error(lx->in, lx->pos,
		  "'" SLICE_FMT
		  "' is no number of 64 bits: write it in decimal or as 0x...",
		  (int)MIN(lx->text.len, (size_t)40), lx->text.p);
	return TOK_BAD;
}

static int lex_char(struct lexer *lx)
{
	if (lx->end - lx->p >= 3 && lx->p[1] != '\n' && lx->p[2] == '\'') {
		lx->text = slice_range(lx->p, lx->p + 3);
		lx->value = (uint8_t)lx->p[1];
		lx->p += 3;
		return TOK_INT;
	}
	say_error(lx->in, lx->pos,
		  "a character is one between two quotes, like 'a'");
	lx->p++;
	return TOK_BAD;
}

/* Bytes other than printable ASCII have no place in a literal. */
static bool literal_is_clean(struct lexer *lx)
{
	bool hex = lx->kind == TOK_HEX;

	for (size_t i = 0; i < lx->text.len; i++) {
		uint8_t c = (uint8_t)lx->text.p[i];
		uint32_t pos = pos_of(lx, lx->text.p + i);

		if (hex ? hex_digit((char)c) >= 0 : c >= ' ' && c < 0x7f)
			continue;
		if (hex)
			say_error(lx->in, pos,
				  "not a hexadecimal digit between the ``");
		else
			say_error(lx->in, pos,
				  "byte 0x%02x in a string: use a hexadecimal "
				  "string, `0a0b`, for what is not ASCII",
				  c);
		return false;
	}
	if (hex && lx->text.len % 2) {
		say_error(lx->in, lx->pos,
			  "a hexadecimal string needs two digits a byte");
		return false;
	}
	return true;
}

static int lex_string(struct lexer *lx)
{
	char quote = *lx->p;
	const char *from = lx->p + 1, *to = from;

	/* No memchr() for the line's end: lines of flags are long. */
	while (to < lx->end && *to != quote && *to != '\n')
		to++;
	if (to == lx->end || *to != quote) {
		say_error(lx->in, lx->pos, "the string has no closing %c",
			  quote);
		return TOK_BAD;
	}
	lx->text = slice_range(from, to);
	lx->p = to + 1;
	lx->kind = quote == '"' ? TOK_STRING : TOK_HEX;
	return literal_is_clean(lx) ? lx->kind : TOK_BAD;
}

static int lex_two(struct lexer *lx)
{
	char c = lx->p[0], d = lx->end - lx->p > 1 ? lx->p[1] : 0;
	int kind = c == '=' && d == '=' ? TOK_EQ :
		   c == '!' && d == '=' ? TOK_NE :
		   c == '|' && d == '|' ? TOK_OR :
					  0;

	if (kind) {
		lx->p += 2;
		return kind;
	}
	if (memchr("(){}[],:=&<>;", c, 13)) {
		lx->p++;
		return c;
	}
	if (c >= ' ' && c < 0x7f)
		say_error(lx->in, lx->pos, "'%c' has no meaning here", c);
	else
		say_error(lx->in, lx->pos, "byte 0x%02x has no meaning here",
			  (uint8_t)c);
	return TOK_BAD;
}

static int lex_word(struct lexer *lx)
{
	char c = *lx->p;

	if (is_name_start(c)) {
		const char *p = lx->p;

		while (p < lx->end && is_name(*p))
			p++;
		lx->text = slice_range(lx->p, p);
		lx->p = p;
		return TOK_NAME;
	}
	if (is_digit(c) || c == '-')
		return lex_int(lx);
	if (c == '\'')
		return lex_char(lx);
	if (c == '"' || c == '`')
		return lex_string(lx);
	return lex_two(lx);
}

void lex_next(struct lexer *lx)
{
	while (lx->p < lx->end &&
	       (*lx->p == ' ' || *lx->p == '\t' || *lx->p == '\r'))
		lx->p++;
	lx->pos = pos_of(lx, lx->p);
	lx->text = (struct slice){ lx->p, 0 };
	if (lx->p == lx->end) {
		lx->kind = TOK_END;
	} else if (*lx->p == '\n') {
		lx->p++;
		lx->kind = TOK_NEWLINE;
		lx->line_pos = pos_of(lx, lx->p);
	} else if (*lx->p == '#') {
		const char *nl = memchr(lx->p, '\n', (size_t)(lx->end - lx->p));

		lx->text = slice_trim(slice_range(lx->p, nl ? nl : lx->end));
		lx->p = nl ? nl : lx->end;
		lx->kind = TOK_COMMENT;
	} else {
		lx->kind = 0;
		lx->kind = lex_word(lx);
	}
}

void lex_skip_line(struct lexer *lx)
{
	if (lx->kind == TOK_NEWLINE || lx->kind == TOK_END)
		return;
	const char *nl = memchr(lx->p, '\n', (size_t)(lx->end - lx->p));

	lx->p = nl ? nl : lx->end;
	lex_next(lx);
}

struct slice lex_raw_line(struct lexer *lx, const char *from)
{
	while (from < lx->end && (*from == ' ' || *from == '\t'))
		from++;
	const char *nl = memchr(from, '\n', (size_t)(lx->end - from));
	struct slice s = slice_range(from, nl ? nl : lx->end);
	const char *comment = slice_find(s, SLICE("\t#"));

	if (comment)
		s = slice_trim(slice_range(from, comment));
	while (s.len && s.p[s.len - 1] == '\r')
		s.len--;
	lx->p = s.p + s.len;
	lex_next(lx);
	return s;
}

const char *lex_describe(const struct lexer *lx)
{
	static const char *const kinds[] = {
		[TOK_END] = "the end of the file",
		[TOK_NEWLINE] = "the end of the line",
		[TOK_COMMENT] = "a comment",
		[TOK_EQ] = "'=='",
		[TOK_NE] = "'!='",
		[TOK_OR] = "'||'",
	};

	if (lx->kind < (int)ARRAY_LEN(kinds) && kinds[lx->kind])
		return kinds[lx->kind];
	if (lx->kind >= ' ')
		return arena_printf(lx->in->arena, "'%c'", lx->kind);
	return arena_printf(lx->in->arena, "%s" SLICE_FMT "%s",
			    lx->kind == TOK_STRING ? "the string \"" :
			    lx->kind == TOK_HEX	   ? "the string `" :
						     "'",
			    (int)MIN(lx->text.len, (size_t)40), lx->text.p,
			    lx->kind == TOK_STRING ? "\"" :
			    lx->kind == TOK_HEX	   ? "`" :
						     "'");
}
