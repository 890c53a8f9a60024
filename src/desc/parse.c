/* SPDX-License-Identifier: GPL-2.0-or-later */
/* parse.c - declarations: one a line, structs and unions of several. */
#include "desc/parse.h"

static struct decl *decl_new(struct parser *ps, enum decl_kind kind)
{
	struct decl *d = arena_alloc(ps->in->arena, sizeof(*d));

	d->kind = kind;
	d->pos = ps->lx.pos;
	return d;
}

static bool word_is(const struct parser *ps, const char *word)
{
	return ps->lx.kind == TOK_NAME &&
	       slice_eq(ps->lx.text, slice_cstr(word));
}

/* The line ends here, perhaps with a comment. */
static void parse_line_end(struct parser *ps, struct slice *comment)
{
	if (ps->failed)
		lex_skip_line(&ps->lx);
	if (ps->lx.kind == TOK_COMMENT) {
		*comment = ps->lx.text;
		lex_next(&ps->lx);
	}
	if (ps->lx.kind != TOK_NEWLINE && ps->lx.kind != TOK_END)
		parse_unexpected(ps, "the end of the line");
	if (ps->lx.kind == TOK_NEWLINE)
		lex_next(&ps->lx);
}

static void parse_values(struct parser *ps, struct decl *d, bool strings)
{
	struct node **tail = &d->list;

	do {
		if (d->list)
			lex_next(&ps->lx);
		int kind = ps->lx.kind;
		bool fits = kind == TOK_NAME ||
			    (strings ? kind == TOK_STRING || kind == TOK_HEX :
				       kind == TOK_INT);

		if (!fits) {
			parse_unexpected(ps, strings ? "a string or a name" :
						       "a number or a name");
			return;
		}
		*tail = parse_type(ps);
		if (!*tail)
			return;
		if ((*tail)->colon || (*tail)->args) {
			say_error(ps->in, (*tail)->pos,
				  "values have no ':' and no arguments");
			ps->failed = true;
		}
		tail = &(*tail)->next;
	} while (ps->lx.kind == ',');
}

static struct decl *parse_flags(struct parser *ps, struct decl *d)
{
	lex_next(&ps->lx);
	bool strings = ps->lx.kind == TOK_STRING || ps->lx.kind == TOK_HEX;

	d->kind = strings ? DECL_STR_FLAGS : DECL_FLAGS;
	parse_values(ps, d, strings);
	return d;
}

static struct decl *parse_include(struct parser *ps, struct decl *d)
{
	const char *from = ps->lx.begin + (ps->lx.pos - ps->lx.start);
	struct slice raw = lex_raw_line(&ps->lx, from);
	char close = raw.len && *raw.p == '<' ? '>' : '"';

	raw = slice_trim(raw);
	d->text = raw;
	if (raw.len < 3 || (*raw.p != '<' && *raw.p != '"') ||
	    raw.p[raw.len - 1] != close ||
	    memchr(raw.p + 1, close, raw.len - 2)) {
		say_error(ps->in, d->pos,
			  "expected a path in <> or \"\", like <linux/fs.h>");
		ps->failed = true;
	}
	return d;
}

static struct decl *parse_define(struct parser *ps, struct decl *d)
{
	d->pos = ps->lx.pos;
	if (ps->lx.kind != TOK_NAME) {
		parse_unexpected(ps, "the name of a constant");
		return d;
	}
	d->name = parse_intern(ps);
	/* What follows is C: its words are not ours. */
	d->text = lex_raw_line(&ps->lx, ps->lx.p);
	if (!slice_trim(d->text).len) {
		say_error(ps->in, ps->lx.pos,
			  "expected a value: an expression in C");
		ps->failed = true;
	}
	return d;
}

static struct decl *parse_resource(struct parser *ps, struct decl *d)
{
	d->pos = ps->lx.pos;
	if (ps->lx.kind == TOK_NAME)
		d->name = parse_intern(ps);
	if (!parse_take(ps, TOK_NAME, "the name of a resource") ||
	    !parse_take(ps, '[', "'[' and what the resource is, like [int32]"))
		return d;
	d->type = parse_type(ps);
	if (!d->type || !parse_take(ps, ']', "']'"))
		return d;
	if (ps->lx.kind == ':') {
		lex_next(&ps->lx);
		parse_values(ps, d, false);
	}
	return d;
}

static struct decl *parse_call(struct parser *ps, struct decl *d)
{
	struct field **tail = &d->fields;

	d->kind = DECL_CALL;
	lex_next(&ps->lx);
	while (ps->lx.kind != ')') {
		struct field *f = arena_alloc(ps->in->arena, sizeof(*f));

		if (d->fields && !parse_take(ps, ',', "',' or ')'"))
			return d;
		f->pos = ps->lx.pos;
		if (ps->lx.kind == TOK_NAME)
			f->name = parse_intern(ps);
		if (!parse_take(ps, TOK_NAME, "the name of an argument"))
			return d;
		f->type = parse_type(ps);
		if (!f->type)
			return d;
		*tail = f;
		tail = &f->next;
	}
	lex_next(&ps->lx);
	if (ps->lx.kind == TOK_NAME)
		d->type = parse_type(ps);
	if (!ps->failed && ps->lx.kind == '(') {
		lex_next(&ps->lx);
		d->attrs = parse_types(ps, ')');
	}
	return d;
}

/*
 * Whether a line within a struct begins something else: then the closing
 * bracket was forgotten.  A field is a name and a name, which that is not.
 */
static bool starts_decl(const struct parser *ps)
{
	struct lexer ahead = ps->lx;

	if (ahead.kind != TOK_NAME || ahead.pos != ahead.line_pos)
		return false;
	while (ahead.p < ahead.end && *ahead.p == ' ')
		ahead.p++;
	return ahead.p < ahead.end && memchr("({[=", *ahead.p, 4);
}

static struct field *parse_field(struct parser *ps)
{
	struct field *f = arena_alloc(ps->in->arena, sizeof(*f));

	f->pos = ps->lx.pos;
	if (ps->lx.kind == TOK_NEWLINE) {
		f->kind = FIELD_BLANK;
	} else if (ps->lx.kind == TOK_COMMENT) {
		f->kind = FIELD_COMMENT;
	} else {
		if (ps->lx.kind == TOK_NAME)
			f->name = parse_intern(ps);
		if (parse_take(ps, TOK_NAME, "the name of a field"))
			f->type = parse_type(ps);
		if (f->type && ps->lx.kind == '(') {
			lex_next(&ps->lx);
			f->attrs = parse_types(ps, ')');
		}
	}
	parse_line_end(ps, &f->comment);
	return f;
}

static void parse_fields(struct parser *ps, struct decl *d, int close)
{
	struct field **tail = &d->fields;

	while (ps->lx.kind != close) {
		if (ps->lx.kind == TOK_END || starts_decl(ps)) {
			if (!d->broken)
				say_error(ps->in, d->pos,
					  "no closing '%c' follows", close);
			d->broken = true;
			ps->at_decl = true;
			return;
		}
		ps->failed = false;
		*tail = parse_field(ps);
		d->broken |= ps->failed;
		tail = &(*tail)->next;
	}
	if (d->broken)
		say_error(ps->in, ps->lx.pos,
			  "'" SLICE_FMT "' cannot be used: see what is wrong "
			  "with its fields",
			  SLICE_ARG(name_of(ps->in, d->name)));
	ps->failed = false;
	lex_next(&ps->lx);
	if (ps->lx.kind == '[') {
		lex_next(&ps->lx);
		d->attrs = parse_types(ps, ']');
	}
}

static struct decl *parse_record(struct parser *ps, struct decl *d)
{
	bool is_union = ps->lx.kind == '[';

	d->kind = is_union ? DECL_UNION : DECL_STRUCT;
	lex_next(&ps->lx);
	if (ps->lx.kind == TOK_COMMENT) {
		/* It would have no place of its own: it goes before. */
		d->text = ps->lx.text;
		lex_next(&ps->lx);
	}
	if (parse_take(ps, TOK_NEWLINE, "the end of the line, and fields"))
		parse_fields(ps, d, is_union ? ']' : '}');
	return d;
}

static bool parse_params(struct parser *ps, struct decl *d)
{
	struct node **tail = &d->params;
	unsigned n = 0;

	d->templ = true;
	do {
		if (n++ == TEMPLATE_PARAMS_MAX) {
			parse_unexpected(ps, "fewer parameters");
			return false;
		}
		struct node *p = arena_alloc(ps->in->arena, sizeof(*p));

		lex_next(&ps->lx);
		p->pos = ps->lx.pos;
		if (ps->lx.kind == TOK_NAME)
			p->name = parse_intern(ps);
		if (!parse_take(ps, TOK_NAME, "the name of a parameter"))
			return false;
		*tail = p;
		tail = &p->next;
	} while (ps->lx.kind == ',');
	return parse_take(ps, ']', "',' or ']'");
}

static struct decl *parse_alias(struct parser *ps, struct decl *d)
{
	d->pos = ps->lx.pos;
	if (ps->lx.kind == TOK_NAME)
		d->name = parse_intern(ps);
	if (!parse_take(ps, TOK_NAME, "the name of a type"))
		return d;
	if (ps->lx.kind == '[' && !parse_params(ps, d))
		return d;
	if (d->templ && (ps->lx.kind == '{' || ps->lx.kind == '['))
		return parse_record(ps, d);
	if (!d->templ && ps->lx.kind != TOK_NAME)
		parse_unexpected(ps, "'[' and parameters, or a type");
	else
		d->type = parse_type(ps);
	return d;
}

static struct decl *parse_meta(struct parser *ps, struct decl *d)
{
	d->type = parse_type(ps);
	return d;
}

static const struct keyword {
	const char *word;
	enum decl_kind kind;
	struct decl *(*parse)(struct parser *ps, struct decl *d);
} keywords[] = {
	{ "meta", DECL_META, parse_meta },
	{ "include", DECL_INCLUDE, parse_include },
	{ "incdir", DECL_INCDIR, parse_include },
	{ "define", DECL_DEFINE, parse_define },
	{ "resource", DECL_RESOURCE, parse_resource },
	{ "type", DECL_ALIAS, parse_alias },
};

static struct decl *parse_named(struct parser *ps, struct decl *d)
{
	d->name = parse_intern(ps);
	lex_next(&ps->lx);
	switch (ps->lx.kind) {
	case '(':
		return parse_call(ps, d);
	case '{':
	case '[':
		return parse_record(ps, d);
	case '=':
		return parse_flags(ps, d);
	default:
		parse_unexpected(ps, "'(' of a call, '{' of a struct, '[' of a "
				     "union or '=' of flags");
		return d;
	}
}

/* "#include" is a comment, which hardly anybody means. */
static void check_comment(struct parser *ps)
{
	struct slice s = slice_trim(slice_from(ps->lx.text, 1));

	for (size_t i = 0; i < ARRAY_LEN(keywords); i++) {
		struct slice w = slice_cstr(keywords[i].word);
		bool is_c = keywords[i].kind == DECL_INCLUDE ||
			    keywords[i].kind == DECL_INCDIR ||
			    keywords[i].kind == DECL_DEFINE;

		if (is_c && slice_starts(s, w) && s.len > w.len &&
		    char_is_blank(s.p[w.len]))
			say_error(
				ps->in, ps->lx.pos,
				"this is a comment, not a directive: drop the "
				"'#' or reword it");
	}
}

static struct decl *parse_decl(struct parser *ps)
{
	struct decl *d = decl_new(ps, DECL_BLANK);

	if (ps->lx.kind == TOK_NEWLINE)
		return d;
	if (ps->lx.kind == TOK_COMMENT) {
		check_comment(ps);
		d->kind = DECL_COMMENT;
		return d;
	}
	if (ps->lx.kind != TOK_NAME) {
		parse_unexpected(ps, "a declaration: a name, 'resource', "
				     "'type', 'include', 'define', 'meta'");
		return d;
	}
	for (size_t i = 0; i < ARRAY_LEN(keywords); i++)
		if (word_is(ps, keywords[i].word)) {
			d->kind = (uint8_t)keywords[i].kind;
			lex_next(&ps->lx);
			return keywords[i].parse(ps, d);
		}
	return parse_named(ps, d);
}

void parse_source(struct desc_input *in, size_t i)
{
	struct source *src = &in->sources.data[i];
	struct parser ps = { .in = in };
	struct decl **tail = &src->decls;
	size_t errors = in->errors;

	lex_init(&ps.lx, in, src);
	while (ps.lx.kind != TOK_END && !in->stopped) {
		ps.failed = false;
		struct decl *d = parse_decl(&ps);

		d->file = (uint32_t)i;
		if (!ps.at_decl)
			parse_line_end(&ps, &d->comment);
		ps.at_decl = false;
		d->broken |= ps.failed;
		*tail = d;
		tail = &d->next;
	}
	src->broken = in->errors != errors;
}
