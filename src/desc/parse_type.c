/* SPDX-License-Identifier: GPL-2.0-or-later */
/* parse_type.c - types, values and expressions. */
#include "desc/parse.h"

void parse_unexpected(struct parser *ps, const char *wanted)
{
	if (!ps->failed && ps->lx.kind != TOK_BAD)
		say_error(ps->in, ps->lx.pos, "expected %s, not %s", wanted,
			  lex_describe(&ps->lx));
	ps->failed = true;
	lex_skip_line(&ps->lx);
}

bool parse_take(struct parser *ps, int kind, const char *wanted)
{
	if (ps->lx.kind != kind) {
		parse_unexpected(ps, wanted);
		return false;
	}
	lex_next(&ps->lx);
	return true;
}

static struct node *node_new(struct parser *ps, enum node_kind kind)
{
	struct node *n = arena_alloc(ps->in->arena, sizeof(*n));

	n->kind = kind;
	n->pos = ps->lx.pos;
	return n;
}

static uint32_t hex_bytes(struct parser *ps)
{
	_cleanup_(buf_deinit) struct buf bytes = {};
	struct slice s = ps->lx.text;
	uint64_t v = 0;

	for (; s.len >= 2; s = slice_from(s, 2)) {
		char digits[] = { '0', 'x', s.p[0], s.p[1] };

		lex_number((struct slice){ digits, 4 }, &v);
		buf_char(&bytes, (char)v);
	}
	return names_add(&ps->in->names, buf_as_slice(&bytes));
}

/* A word that is a node of its own; NULL when it is none. */
static struct node *parse_atom(struct parser *ps, const char *wanted)
{
	struct node *n;

	switch (ps->lx.kind) {
	case TOK_NAME:
		n = node_new(ps, NODE_NAME);
		n->name = parse_intern(ps);
		break;
	case TOK_INT:
		n = node_new(ps, NODE_INT);
		n->name = parse_intern(ps);
		n->value = ps->lx.value;
		break;
	case TOK_STRING:
		n = node_new(ps, NODE_STRING);
		n->name = parse_intern(ps);
		break;
	case TOK_HEX:
		n = node_new(ps, NODE_HEX);
		n->name = hex_bytes(ps);
		break;
	default:
		parse_unexpected(ps, wanted);
		return NULL;
	}
	lex_next(&ps->lx);
	return n;
}

static bool parse_colons(struct parser *ps, struct node *n)
{
	struct node **tail = &n->colon;

	while (ps->lx.kind == ':') {
		lex_next(&ps->lx);
		if (ps->lx.kind != TOK_INT && ps->lx.kind != TOK_NAME) {
			parse_unexpected(ps, "a name or number after ':'");
			return false;
		}
		*tail = parse_atom(ps, "");
		tail = &(*tail)->next;
		if (n->ncolon++ == NODE_ARGS_MAX) {
			parse_unexpected(ps, "fewer colons");
			return false;
		}
	}
	return true;
}

struct node *parse_type(struct parser *ps)
{
	struct node *n = parse_atom(ps, "a type, name or value");

	if (!n || !parse_colons(ps, n))
		return NULL;
	if (ps->lx.kind != '[')
		return n;
	lex_next(&ps->lx);
	n->args = parse_types(ps, ']');
	for (const struct node *a = n->args; a; a = a->next)
		n->nargs++;
	return ps->failed ? NULL : n;
}

/* How tightly the operator at hand binds; 0: it is none. */
static unsigned precedence(int kind, uint8_t *op)
{
	switch (kind) {
	case TOK_OR:
		*op = OP_OR;
		return 1;
	case TOK_EQ:
		*op = OP_EQ;
		return 2;
	case TOK_NE:
		*op = OP_NE;
		return 2;
	case '&':
		*op = OP_AND;
		return 3;
	default:
		return 0;
	}
}

static struct node *parse_expr(struct parser *ps, unsigned above);

static struct node *parse_operand(struct parser *ps)
{
	if (ps->lx.kind != '(')
		return parse_type(ps);
	if (ps->depth >= NODE_DEPTH_MAX) {
		parse_unexpected(ps, "fewer brackets within each other");
		return NULL;
	}
	lex_next(&ps->lx);
	ps->depth++;
	struct node *n = parse_expr(ps, 0);

	ps->depth--;
	return n && parse_take(ps, ')', "')'") ? n : NULL;
}

static struct node *parse_expr(struct parser *ps, unsigned above)
{
	struct node *left = parse_operand(ps);
	unsigned n = 0, p;
	uint8_t op = 0;

	while (left && (p = precedence(ps->lx.kind, &op)) > above) {
		struct node *e = node_new(ps, NODE_EXPR);

		/* A chain of operators is a tree as deep as it is long. */
		if (n++ == NODE_DEPTH_MAX) {
			parse_unexpected(ps, "a shorter expression");
			return NULL;
		}
		lex_next(&ps->lx);
		e->op = op;
		e->args = left;
		e->pos = left->pos;
		e->nargs = 2;
		left->next = parse_expr(ps, p);
		if (!left->next)
			return NULL;
		left = e;
	}
	return left;
}

struct node *parse_types(struct parser *ps, int close)
{
	struct node *first = NULL, **tail = &first;
	unsigned n = 0;

	if (ps->depth >= NODE_DEPTH_MAX || ps->failed) {
		parse_unexpected(ps, "fewer brackets within each other");
		return NULL;
	}
	ps->depth++;
	do {
		if (n++ == NODE_ARGS_MAX) {
			parse_unexpected(ps, "fewer arguments");
			break;
		}
		if (n > 1)
			lex_next(&ps->lx);
		*tail = parse_expr(ps, 0);
		if (!*tail)
			break;
		tail = &(*tail)->next;
	} while (ps->lx.kind == ',');
	ps->depth--;
	if (ps->failed)
		return NULL;
	if (!parse_take(ps, close, close == ']' ? "',' or ']'" : "',' or ')'"))
		return NULL;
	return first;
}
