/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * print.c - the canonical text of programs.
 *
 * Results are numbered in the order in which the text names them; only those
 * that are used have a name.
 */
#include "base/mem.h"
#include "prog/text.h"

struct printer {
	const struct prog *p;
	const struct desc *d;
	struct buf *out;
	uint32_t *vars; /* by argument: 1 + number of the result; 0: not used */
};

/* ---- Numbers of results --------------------------------------------------------- */

/* Only what is in the tree counts: there may be garbage in the array. */
static void mark_used(const struct prog *p, uint32_t *vars)
{
	struct tree_walk w;

	for (size_t i = 0; i < p->calls.len; i++)
		for (uint32_t a = walk_call(&w, p, &p->calls.data[i]);
		     a != ARG_NONE; a = walk_next(&w)) {
			const struct arg *x = arg_at(p, a);

			if (x->kind == ARG_RESULT && x->child != ARG_NONE)
				vars[x->child] = UINT32_MAX;
		}
}

static uint32_t *number_results(const struct prog *p)
{
	uint32_t *vars = mem_calloc(p->args.len + 1, sizeof(*vars));
	uint32_t n = 0;
	struct tree_walk w;

	mark_used(p, vars);
	for (size_t i = 0; i < p->calls.len; i++) {
		const struct call *c = &p->calls.data[i];

		if (c->ret != ARG_NONE && vars[c->ret])
			vars[c->ret] = ++n;
		for (uint32_t a = walk_call(&w, p, c); a != ARG_NONE;
		     a = walk_next(&w))
			if (vars[a] == UINT32_MAX)
				vars[a] = ++n;
	}
	return vars;
}

/* ---- Words ---------------------------------------------------------------------- */

static void print_hex(struct buf *out, uint64_t v)
{
	char text[18], *p = text + sizeof(text);

	do
		*--p = "0123456789abcdef"[v & 15];
	while (v >>= 4);
	*--p = 'x';
	*--p = '0';
	buf_add(out, p, (size_t)(text + sizeof(text) - p));
}

static void print_dec(struct buf *out, uint64_t v)
{
	char text[20], *p = text + sizeof(text);

	do
		*--p = (char)('0' + v % 10);
	while (v /= 10);
	buf_add(out, p, (size_t)(text + sizeof(text) - p));
}

static void print_var(const struct printer *s, uint32_t arg)
{
	buf_char(s->out, 'r');
	print_dec(s->out, s->vars[arg] - 1);
}

/* ---- Buffers -------------------------------------------------------------------- */

/* The letter of an escape, or 0. */
static char escape_of(unsigned char c)
{
	return c >= '\a' && c <= '\r' ? "abtnvfr"[c - '\a'] : 0;
}

static bool is_printable(unsigned char c)
{
	return c >= 0x20 && c < 0x7f;
}

static bool is_readable(struct slice data)
{
	for (size_t i = 0; i < data.len; i++) {
		unsigned char c = (unsigned char)data.p[i];

		if (c && !is_printable(c) && !escape_of(c))
			return false;
	}
	return data.len;
}

static void print_string(struct buf *out, struct slice data)
{
	static const char hex[] = "0123456789abcdef";
	/* The longest escape is \xHH. */
	char *to = buf_reserve(out, 4 * data.len + 2);
	size_t n = 0;

	to[n++] = '\'';
	for (size_t i = 0; i < data.len; i++) {
		unsigned char c = (unsigned char)data.p[i];
		char escape = escape_of(c);

		if (c == '\'' || c == '"' || c == '\\')
			escape = (char)c;
		if (!escape && is_printable(c)) {
			to[n++] = (char)c;
			continue;
		}
		to[n++] = '\\';
		to[n++] = escape ? escape : 'x';
		if (!escape) {
			to[n++] = hex[c >> 4];
			to[n++] = hex[c & 15];
		}
	}
	to[n++] = '\'';
	out->len += n;
	to[n] = '\0';
}

static void print_blob(struct buf *out, struct slice data)
{
	char *to = buf_reserve(out, 2 * data.len + 2);
	size_t n = 0;

	to[n++] = '"';
	for (size_t i = 0; i < data.len; i++) {
		unsigned char c = (unsigned char)data.p[i];

		to[n++] = "0123456789abcdef"[c >> 4];
		to[n++] = "0123456789abcdef"[c & 15];
	}
	to[n++] = '"';
	out->len += n;
	to[n] = '\0';
}

static void print_size(struct buf *out, uint64_t size)
{
	buf_char(out, '/');
	print_dec(out, size);
}

static void print_image(struct buf *out, struct slice data)
{
	buf_str(out, "\"$");
	base64_encode(data, out);
	buf_char(out, '"');
}

/*
 * Zeroes at the end are left out, all but one, where the type says the size;
 * elsewhere when that is shorter, with the size behind it.
 */
static struct slice without_zeroes(struct slice data, bool varlen)
{
	size_t len = data.len;

	while (len >= 2 && !data.p[len - 1] && !data.p[len - 2])
		len--;
	if (!varlen || len + 8 < data.len)
		data.len = len;
	return data;
}

static void print_data(const struct printer *s, const struct arg *a)
{
	const struct desc_type *t = a->type == DESC_NONE ? NULL :
							   arg_type(s->p, a);
	uint8_t kind = t ? t->kind : DESC_ARRAY;
	bool varlen = !t || t->size == DESC_VARLEN;

	if (a->from == NO_BYTES) {
		buf_str(s->out, "\"\"");
		print_size(s->out, a->len);
		return;
	}

	struct slice all = arg_bytes(s->p, a);

	if (kind == DESC_IMAGE) {
		print_image(s->out, all);
		return;
	}

	struct slice some = without_zeroes(all, varlen);

	if (kind == DESC_STRING || kind == DESC_FILENAME || kind == DESC_GLOB ||
	    is_readable(some))
		print_string(s->out, some);
	else
		print_blob(s->out, some);
	if (some.len != all.len && varlen)
		print_size(s->out, all.len);
}

/* ---- Arguments ------------------------------------------------------------------ */

static void print_arg(const struct printer *s, uint32_t arg);

/* "=value", unless it is what is meant without. */
static void print_unless_default(const struct printer *s, uint32_t arg)
{
	if (arg_is_omitted(s->p, arg, s->vars))
		return;
	buf_char(s->out, '=');
	print_arg(s, arg);
}

static void print_result(const struct printer *s, uint32_t arg)
{
	const struct arg *a = arg_at(s->p, arg);

	if (s->vars[arg]) {
		buf_char(s->out, '<');
		print_var(s, arg);
		buf_str(s->out, "=>");
	}
	if (a->child == ARG_NONE) {
		print_hex(s->out, a->value);
		return;
	}
	print_var(s, a->child);
	if (a->div)
		print_size(s->out, a->div);
	if (a->extra) {
		buf_char(s->out, '+');
		print_dec(s->out, a->extra);
	}
}

/* An element of ANY. */
static void print_any(const struct printer *s, uint32_t arg)
{
	const struct arg *a = arg_at(s->p, arg);
	bool omitted = a->kind == ARG_DATA ?
			       !a->len :
			       !s->vars[arg] && a->child == ARG_NONE &&
				       a->value == ANY_DEFAULT;

	buf_char(s->out, '@');
	buf_str(s->out, any_names[a->any]);
	if (omitted)
		return;
	buf_char(s->out, '=');
	if (a->kind == ARG_DATA)
		print_data(s, a);
	else
		print_result(s, arg);
}

static void print_field(const struct printer *s, const struct desc_field *f,
			uint32_t arg)
{
	if (f->cond == DESC_NONE) {
		print_arg(s, arg);
	} else if (arg_at(s->p, arg)->kind == ARG_ABSENT) {
		buf_str(s->out, "@" TEXT_ABSENT);
	} else {
		buf_str(s->out, "@" TEXT_PRESENT);
		print_unless_default(s, arg);
	}
}

/* Behind the last one that says something. */
static uint32_t end_of_list(const struct printer *s, const struct arg *a)
{
	const struct desc_type *t = arg_type(s->p, a);
	bool all = t->kind == DESC_ARRAY &&
		   !(t->flags & DESC_RANGE && t->lo == t->hi);
	uint32_t end = a->child;

	if (all || a->flags & ARG_ANY)
		return ARG_NONE;
	for (uint32_t c = a->child; c != ARG_NONE; c = arg_at(s->p, c)->next)
		if (!arg_is_omitted(s->p, c, s->vars))
			end = arg_at(s->p, c)->next;
	return end;
}

static void print_group(const struct printer *s, const struct arg *a)
{
	const struct desc_type *t = arg_type(s->p, a);
	bool any = a->flags & ARG_ANY;
	bool is_struct = t->kind == DESC_STRUCT && !any;
	const struct desc_field *f =
		is_struct ? s->d->fields + s->d->records[t->elem].field : NULL;
	uint32_t end = end_of_list(s, a);

	buf_char(s->out, is_struct ? '{' : '[');
	for (uint32_t c = a->child; c != end; c = arg_at(s->p, c)->next) {
		if (c != a->child)
			buf_add(s->out, ", ", 2);
		if (any)
			print_any(s, c);
		else if (f)
			print_field(s, f++, c);
		else
			print_arg(s, c);
	}
	buf_char(s->out, is_struct ? '}' : ']');
}

static void print_address(const struct printer *s, const struct arg *a)
{
	buf_str(s->out, "&(");
	print_hex(s->out, TEXT_DATA_START + a->value);
	if (a->kind == ARG_VMA && a->extra) {
		buf_char(s->out, '/');
		print_hex(s->out, a->extra);
	}
	buf_char(s->out, ')');
}

static void print_pointer(const struct printer *s, const struct arg *a)
{
	if (a->flags & ARG_SPECIAL) {
		print_hex(s->out, a->value);
		return;
	}
	print_address(s, a);
	if (a->kind == ARG_VMA)
		buf_str(s->out, "=nil");
	else if (arg_at(s->p, a->child)->flags & ARG_ANY) {
		buf_str(s->out, "=ANY=");
		print_arg(s, a->child);
	} else
		print_unless_default(s, a->child);
}

static void print_union(const struct printer *s, const struct arg *a)
{
	const struct desc_record *r = &s->d->records[arg_type(s->p, a)->elem];

	buf_char(s->out, '@');
	buf_str(s->out,
		desc_name(s->d, s->d->fields[r->field + a->extra].name));
	print_unless_default(s, a->child);
}

static void print_arg(const struct printer *s, uint32_t arg)
{
	const struct arg *a = arg_at(s->p, arg);

	switch (a->kind) {
	case ARG_CONST:
		print_hex(s->out, a->value);
		return;
	case ARG_RESULT:
		print_result(s, arg);
		return;
	case ARG_POINTER:
	case ARG_VMA:
		print_pointer(s, a);
		return;
	case ARG_DATA:
		print_data(s, a);
		return;
	case ARG_GROUP:
		print_group(s, a);
		return;
	case ARG_UNION:
		print_union(s, a);
		return;
	}
}

/* ---- Calls ---------------------------------------------------------------------- */

static void print_props(struct buf *out, const struct prog_props *props)
{
	const char *between = " (";

	if (props->fail_nth) {
		buf_printf(out, "%sfail_nth: %u", between, props->fail_nth);
		between = ", ";
	}
	if (props->async) {
		buf_printf(out, "%sasync", between);
		between = ", ";
	}
	if (props->rerun) {
		buf_printf(out, "%srerun: %u", between, props->rerun);
		between = ", ";
	}
	if (*between == ',')
		buf_char(out, ')');
}

static void print_call(const struct printer *s, const struct call *c)
{
	if (c->ret != ARG_NONE && s->vars[c->ret]) {
		print_var(s, c->ret);
		buf_str(s->out, " = ");
	}
	buf_str(s->out, desc_name(s->d, s->d->calls[c->id].name));
	buf_char(s->out, '(');
	for (uint32_t a = c->arg; a != ARG_NONE; a = arg_at(s->p, a)->next) {
		if (a != c->arg)
			buf_add(s->out, ", ", 2);
		print_arg(s, a);
	}
	buf_char(s->out, ')');
	print_props(s->out, &c->props);
}

static struct printer printer_of(const struct prog *p, struct buf *out)
{
	return (struct printer){
		.p = p, .d = p->target->d, .out = out, .vars = number_results(p)
	};
}

void prog_to_text(const struct prog *p, struct buf *out)
{
	struct printer s = printer_of(p, out);

	for (size_t i = 0; i < p->calls.len; i++) {
		print_call(&s, &p->calls.data[i]);
		buf_char(out, '\n');
	}
	free(s.vars);
}

void prog_call_to_text(const struct prog *p, size_t i, struct buf *out)
{
	struct printer s = printer_of(p, out);

	print_call(&s, &p->calls.data[i]);
	free(s.vars);
}
