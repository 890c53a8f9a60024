/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cond.c - fields and options that are there only under a condition. */
#include "prog/tree.h"

/* False: it depends on what has been squashed. */
static bool evaluate(const struct arg_scope *s, uint32_t expr, uint64_t *out)
{
	const struct desc *d = s->p->target->d;
	const struct desc_expr *e = &d->exprs[expr];
	struct arg_found found;
	uint64_t left, right;

	if (e->op == DESC_EXPR_CONST) {
		*out = e->value;
		return true;
	}
	if (e->op == DESC_EXPR_VALUE) {
		if (scope_find(s, d->values + e->left, e->right, &found) !=
			    SCOPE_FOUND ||
		    found.arg == ARG_NONE ||
		    arg_at(s->p, found.arg)->kind != ARG_CONST)
			return false;
		*out = arg_at(s->p, found.arg)->value;
		return true;
	}
	if (!evaluate(s, e->left, &left) || !evaluate(s, e->right, &right))
		return false;
	switch (e->op) {
	case DESC_EXPR_EQ:
		*out = left == right;
		break;
	case DESC_EXPR_NE:
		*out = left != right;
		break;
	case DESC_EXPR_AND:
		*out = left & right;
		break;
	default:
		*out = left || right;
	}
	return true;
}

bool field_present(const struct arg_scope *s, const struct desc_field *f,
		   bool now)
{
	uint64_t value;

	if (f->cond == DESC_NONE)
		return true;
	return evaluate(s, f->cond, &value) ? value : now;
}

struct settle {
	struct arg_scope scope;
	const struct prog *p;
	struct prog *to; /* the same; NULL: only looked at */
	enum cond_settle how;
	uint32_t bad; /* the first */
};

static void visit(struct settle *s, uint32_t arg);

/* Put default values in the place of an argument. */
static void become_default(struct settle *s, uint32_t arg, uint32_t type,
			   uint8_t dir)
{
	uint32_t fresh = arg_new_default(s->to, type, dir);
	uint32_t next = arg_at(s->p, arg)->next;

	*arg_at(s->p, arg) = *arg_at(s->p, fresh);
	arg_at(s->p, arg)->next = next;
}

static bool to_settle(struct settle *s, uint32_t arg)
{
	struct arg *a = arg_at(s->p, arg);

	if (s->how == COND_AUTO && !(a->flags & ARG_AUTO))
		return false;
	if (s->to)
		a->flags &= (uint8_t)~ARG_AUTO;
	return true;
}

static void wrong(struct settle *s, uint32_t arg)
{
	if (s->bad == ARG_NONE)
		s->bad = arg;
}

static void settle_field(struct settle *s, uint32_t arg,
			 const struct desc_field *f)
{
	bool now = arg_at(s->p, arg)->kind != ARG_ABSENT;

	if (!to_settle(s, arg))
		return;

	bool want = field_present(&s->scope, f, now);

	if (want == now)
		return;
	wrong(s, arg);
	if (!s->to)
		return;
	if (want) {
		const struct arg a = *arg_at(s->p, arg);

		become_default(s, arg, a.type, a.dir);
		arg_at(s->p, arg)->flags &= (uint8_t)~ARG_AUTO;
		return;
	}
	arg_at(s->p, arg)->kind = ARG_ABSENT;
	arg_at(s->p, arg)->flags = 0;
	arg_at(s->p, arg)->child = ARG_NONE;
	arg_at(s->p, arg)->value = arg_at(s->p, arg)->extra = 0;
}

static void settle_option(struct settle *s, uint32_t arg,
			  const struct desc_record *r)
{
	const struct desc_field *fields = s->p->target->d->fields + r->field;
	const struct arg *a = arg_at(s->p, arg);
	uint8_t dir = a->dir;

	if (!to_settle(s, arg) ||
	    field_present(&s->scope, fields + a->extra, true))
		return;
	wrong(s, arg);
	if (!s->to)
		return;

	/* The last one has no condition. */
	const struct desc_field *f = &fields[r->nfields - 1];
	uint32_t fresh = arg_new_default(s->to, f->type, field_dir(f, dir));

	arg_at(s->p, arg)->child = fresh;
	arg_at(s->p, arg)->extra = r->nfields - 1;
}

static void visit_list(struct settle *s, uint32_t first)
{
	const uint8_t *holds = s->p->target->holds;

	for (uint32_t a = first; a != ARG_NONE; a = arg_at(s->p, a)->next)
		if (holds[arg_at(s->p, a)->type] & TYPE_HOLDS_COND)
			visit(s, a);
}

static void visit_record(struct settle *s, uint32_t arg)
{
	const struct desc *d = s->p->target->d;
	struct arg_scope *scope = &s->scope;
	const struct desc_record *r =
		&d->records[arg_type(s->p, arg_at(s->p, arg))->elem];
	const struct desc_field *f = d->fields + r->field;

	if (scope->depth == ARRAY_LEN(scope->records))
		return;
	scope->records[scope->depth++] = arg;
	if (r->flags & DESC_CONDITIONAL) {
		if (r->flags & DESC_IS_UNION)
			settle_option(s, arg, r);
		else
			for (uint32_t a = arg_at(s->p, arg)->child;
			     a != ARG_NONE; a = arg_at(s->p, a)->next, f++)
				if (f->cond != DESC_NONE)
					settle_field(s, a, f);
	}
	visit_list(s, arg_at(s->p, arg)->child);
	scope->depth--;
}

static void visit(struct settle *s, uint32_t arg)
{
	const struct arg *a = arg_at(s->p, arg);

	if (a->flags & ARG_ANY)
		return;
	switch (a->kind) {
	case ARG_POINTER:
		if (a->child != ARG_NONE)
			visit(s, a->child);
		return;
	case ARG_GROUP:
		if (arg_type(s->p, a)->kind == DESC_ARRAY) {
			visit_list(s, a->child);
			return;
		}
		visit_record(s, arg);
		return;
	case ARG_UNION:
		visit_record(s, arg);
		return;
	default:
		return;
	}
}

static uint32_t settle(struct settle *s, const struct prog *p,
		       const struct call *c)
{
	s->scope.p = s->p = p;
	s->scope.call = c;
	s->scope.depth = 0;
	s->bad = ARG_NONE;
	visit_list(s, c->arg);
	return s->bad;
}

uint32_t cond_settle(struct prog *p, const struct call *c, enum cond_settle how)
{
	struct settle s;

	s.to = p;
	s.how = how;
	return settle(&s, p, c);
}

uint32_t cond_check(const struct prog *p, const struct call *c)
{
	struct settle s;

	s.to = NULL;
	s.how = COND_ALL;
	return settle(&s, p, c);
}
