/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * format.c - the canonical form of a file.
 *
 * One blank between words, types of fields in one column (tabs of 8), empty
 * lines as they are but never two, comments from the first column on.
 */
#include "desc/internal.h"

enum { TAB = 8 };

static unsigned op_precedence(const struct node *n)
{
	static const unsigned of[] = {
		[OP_OR] = 1, [OP_EQ] = 2, [OP_NE] = 2, [OP_AND] = 3
	};

	return n->kind == NODE_EXPR ? of[n->op] : 4;
}

static void operand_to_text(const struct names *names, const struct node *n,
			    unsigned above, struct buf *out)
{
	bool parens = op_precedence(n) < above;

	if (parens)
		buf_char(out, '(');
	node_to_text(names, n, out);
	if (parens)
		buf_char(out, ')');
}

static void expr_to_text(const struct names *names, const struct node *n,
			 struct buf *out)
{
	static const char *const ops[] = {
		[OP_OR] = "||", [OP_EQ] = "==", [OP_NE] = "!=", [OP_AND] = "&"
	};
	unsigned p = op_precedence(n);

	operand_to_text(names, n->args, p, out);
	buf_printf(out, " %s ", ops[n->op]);
	operand_to_text(names, n->args->next, p + 1, out);
}

static void hex_to_text(struct slice s, struct buf *out)
{
	buf_char(out, '`');
	for (size_t i = 0; i < s.len; i++)
		buf_printf(out, "%02x", (uint8_t)s.p[i]);
	buf_char(out, '`');
}

static void nodes_to_text(const struct names *names, const struct node *n,
			  struct buf *out)
{
	for (const struct node *first = n; n; n = n->next) {
		if (n != first)
			buf_str(out, ", ");
		node_to_text(names, n, out);
	}
}

void node_to_text(const struct names *names, const struct node *n,
		  struct buf *out)
{
	struct slice name = names_get(names, n->name);

	if (n->kind == NODE_EXPR) {
		expr_to_text(names, n, out);
		return;
	}
	if (n->kind == NODE_STRING) {
		buf_char(out, '"');
		buf_slice(out, name);
		buf_char(out, '"');
	} else if (n->kind == NODE_HEX) {
		hex_to_text(name, out);
	} else {
		buf_slice(out, name);
	}
	for (const struct node *c = n->colon; c; c = c->next) {
		buf_char(out, ':');
		buf_slice(out, names_get(names, c->name));
	}
	if (!n->args)
		return;
	buf_char(out, '[');
	nodes_to_text(names, n->args, out);
	buf_char(out, ']');
}

static void trailing(struct slice comment, struct buf *out)
{
	if (comment.len) {
		buf_char(out, '\t');
		buf_slice(out, comment);
	}
	buf_char(out, '\n');
}

/* The column of the types: after the longest name, at a tab. */
static size_t type_column(const struct names *names, const struct decl *d)
{
	size_t longest = 0;

	for (const struct field *f = d->fields; f; f = f->next)
		if (f->kind == FIELD) {
			size_t len = names_get(names, f->name).len;

			longest = len > longest ? len : longest;
		}
	return longest / TAB + 1;
}

static void field_to_text(const struct names *names, const struct field *f,
			  size_t column, struct buf *out)
{
	struct slice name = names_get(names, f->name);

	buf_char(out, '\t');
	buf_slice(out, name);
	for (size_t at = name.len / TAB; at < column; at++)
		buf_char(out, '\t');
	node_to_text(names, f->type, out);
	if (f->attrs) {
		buf_str(out, "\t(");
		nodes_to_text(names, f->attrs, out);
		buf_char(out, ')');
	}
	trailing(f->comment, out);
}

static void fields_to_text(const struct names *names, const struct decl *d,
			   struct buf *out)
{
	size_t column = type_column(names, d);
	bool any = false, blank = false;

	for (const struct field *f = d->fields; f; f = f->next) {
		if (f->kind == FIELD_BLANK) {
			blank = any;
			continue;
		}
		if (blank)
			buf_char(out, '\n');
		any = true;
		blank = false;
		if (f->kind == FIELD_COMMENT) {
			buf_slice(out, f->comment);
			buf_char(out, '\n');
		}
		if (f->kind == FIELD)
			field_to_text(names, f, column, out);
	}
}

static void record_to_text(const struct names *names, const struct decl *d,
			   struct buf *out)
{
	bool is_union = d->kind == DECL_UNION;

	buf_str(out, is_union ? " [\n" : " {\n");
	if (d->text.len) {
		buf_slice(out, d->text);
		buf_char(out, '\n');
	}
	fields_to_text(names, d, out);
	buf_char(out, is_union ? ']' : '}');
	if (d->attrs) {
		buf_str(out, " [");
		nodes_to_text(names, d->attrs, out);
		buf_char(out, ']');
	}
}

static void call_to_text(const struct names *names, const struct decl *d,
			 struct buf *out)
{
	buf_char(out, '(');
	for (const struct field *f = d->fields; f; f = f->next) {
		if (f != d->fields)
			buf_str(out, ", ");
		buf_slice(out, names_get(names, f->name));
		buf_char(out, ' ');
		node_to_text(names, f->type, out);
	}
	buf_char(out, ')');
	if (d->type) {
		buf_char(out, ' ');
		node_to_text(names, d->type, out);
	}
	if (d->attrs) {
		buf_str(out, " (");
		nodes_to_text(names, d->attrs, out);
		buf_char(out, ')');
	}
}

static void resource_to_text(const struct names *names, const struct decl *d,
			     struct buf *out)
{
	buf_char(out, '[');
	node_to_text(names, d->type, out);
	buf_char(out, ']');
	if (d->list) {
		buf_str(out, ": ");
		nodes_to_text(names, d->list, out);
	}
}

static void params_to_text(const struct names *names, const struct decl *d,
			   struct buf *out)
{
	for (const struct node *p = d->params; p; p = p->next) {
		buf_str(out, p == d->params ? "[" : ", ");
		buf_slice(out, names_get(names, p->name));
	}
	if (d->params)
		buf_char(out, ']');
}

static void decl_to_text(const struct names *names, const struct decl *d,
			 struct buf *out)
{
	static const char *const words[] = {
		[DECL_META] = "meta ",	       [DECL_INCLUDE] = "include ",
		[DECL_INCDIR] = "incdir ",     [DECL_DEFINE] = "define ",
		[DECL_RESOURCE] = "resource ", [DECL_ALIAS] = "type ",
	};
	const char *word = d->kind < ARRAY_LEN(words) ? words[d->kind] : NULL;

	if (word || d->templ)
		buf_str(out, word ? word : "type ");
	if (d->name)
		buf_slice(out, names_get(names, d->name));
	params_to_text(names, d, out);
	switch (d->kind) {
	case DECL_META:
		node_to_text(names, d->type, out);
		break;
	case DECL_DEFINE:
		buf_char(out, '\t');
		__attribute__((fallthrough));
	case DECL_INCLUDE:
	case DECL_INCDIR:
		buf_slice(out, d->text);
		break;
	case DECL_RESOURCE:
		resource_to_text(names, d, out);
		break;
	case DECL_ALIAS:
		buf_char(out, ' ');
		node_to_text(names, d->type, out);
		break;
	case DECL_STRUCT:
	case DECL_UNION:
		record_to_text(names, d, out);
		break;
	case DECL_CALL:
		call_to_text(names, d, out);
		break;
	default:
		buf_str(out, " = ");
		nodes_to_text(names, d->list, out);
	}
	trailing(d->comment, out);
}

fallible desc_format(struct desc_input *in, size_t i, struct buf *out)
{
	const struct source *src = source_nth_text(in, i);
	bool any = false, blank = false;

	if (!src || src->broken)
		return error_new(ERR_INPUT, "%s: not formatted: it has errors",
				 src ? src->name : "no such file");
	for (const struct decl *d = src->decls; d; d = d->next) {
		if (d->kind == DECL_BLANK) {
			blank = any;
			continue;
		}
		if (blank)
			buf_char(out, '\n');
		any = true;
		blank = false;
		if (d->kind == DECL_COMMENT) {
			buf_slice(out, d->comment);
			buf_char(out, '\n');
		} else {
			decl_to_text(&in->names, d, out);
		}
	}
	return NULL;
}
