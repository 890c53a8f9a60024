/* SPDX-License-Identifier: GPL-2.0-or-later */
/* values.c - constants, flags, conditions and paths. */
#include "desc/compile.h"
#include "desc/lex.h"

static void ask_constant(struct desc_input *in, uint32_t name)
{
	while (in->asked.len <= name)
		vec_push(&in->asked, false);
	in->asked.data[name] = true;
}

bool constant_value(struct compiler *c, uint32_t pos, uint32_t name,
		    uint64_t *value)
{
	const struct constant *k = constant_find(c->in, name);

	if (name == c->n_ptr_size) {
		*value = c->arch->ptr_bytes;
		return true;
	}
	if (c->in->asking)
		ask_constant(c->in, name);
	if (!k || !(k->known & 1u << c->arch_index)) {
		*value = 1;
		return c->in->asking;
	}
	*value = k->disputed ? own_value(c->in, k, pos, c->arch_index) :
			       k->values[c->arch_index];
	return true;
}

bool eval(struct compiler *c, const struct node *n, const struct env *env,
	  uint64_t *value)
{
	if (!deref(c, &n, &env))
		return false;
	if (n->kind == NODE_INT) {
		*value = n->value;
		return true;
	}
	if (n->kind != NODE_NAME) {
		say_error(c->in, AT(c, n),
			  "expected a number or the name of a constant, not %s",
			  closure_text(c, n, env));
		return false;
	}
	if (constant_value(c, n->pos, n->name, value))
		return true;
	c->missing = n->name;
	return false;
}

bool fits_bits(uint64_t v, unsigned bits)
{
	if (bits >= 64)
		return true;
	return v >> bits == 0 ||
	       ((int64_t)v < 0 && (int64_t)v >= -((int64_t)1 << (bits - 1)));
}

struct flags_walk {
	struct compiler *c;
	const struct decl *root;
	bool strings;
	unsigned depth;
	bool failed;
};

static void walk_flags(struct flags_walk *w, struct decl *d);

static void add_string(struct compiler *c, const struct node *v)
{
	struct slice s = name_of(c->in, v->name);
	uint64_t off = pool_bytes(c, s);

	vec_push(&c->values, off << 32 | s.len);
}

/* A value of flags, with the name of the constant it was written as. */
static void add_value(struct compiler *c, uint64_t value, const struct node *v)
{
	vec_push(&c->values, value);
	if (v->kind != NODE_NAME)
		return;
	while (c->value_names.len < c->values.len)
		vec_push(&c->value_names, 0);
	c->value_names.data[c->values.len - 1] = pool_add(c, v->name);
}

static void add_flag(struct flags_walk *w, const struct node *v)
{
	struct compiler *c = w->c;
	struct decl *more = v->kind == NODE_NAME ? find_flags(c, v->name) :
						   NULL;
	uint64_t value;

	if (more && (more->kind == DECL_STR_FLAGS) == w->strings) {
		walk_flags(w, more);
	} else if (w->strings && v->kind == NODE_NAME) {
		say_error(c->in, v->pos, "unknown string flags '" SLICE_FMT "'",
			  SLICE_ARG(name_of(c->in, v->name)));
		w->failed = true;
	} else if (w->strings) {
		add_string(c, v);
	} else if (eval(c, v, NULL, &value)) {
		add_value(c, value, v);
	}
}

static void walk_flags(struct flags_walk *w, struct decl *d)
{
	struct compiler *c = w->c;
	bool nested = false;

	if (w->depth > RESOLVE_DEPTH_MAX) {
		say_last(c->in, w->root->pos,
			 "flags within each other more than %d deep",
			 RESOLVE_DEPTH_MAX);
		w->failed = true;
		return;
	}
	if (d->stamp == c->stamp) {
		if (!w->failed)
			say_error(c->in, w->root->pos,
				  "flags '" SLICE_FMT "' contain '" SLICE_FMT
				  "' twice, or themselves",
				  SLICE_ARG(name_of(c->in, w->root->name)),
				  SLICE_ARG(name_of(c->in, d->name)));
		w->failed = true;
		return;
	}
	d->stamp = c->stamp;
	if (c->marking)
		d->used = true;
	w->depth++;
	for (const struct node *v = d->list; v && !w->failed; v = v->next) {
		bool is_flags = v->kind == NODE_NAME && find_flags(c, v->name);

		if (nested && !is_flags && w->root == d) {
			say_error(c->in, d->pos,
				  "flags within flags '" SLICE_FMT
				  "' go to the end",
				  SLICE_ARG(name_of(c->in, d->name)));
			w->failed = true;
		}
		nested |= is_flags;
		add_flag(w, v);
	}
	w->depth--;
}

static void check_equal(struct compiler *c, const struct decl *d)
{
	if (d->kind != DECL_FLAGS || d->count < 2)
		return;
	const uint64_t *v = &c->values.data[d->first];

	for (uint32_t i = 1; i < d->count; i++)
		if (v[i] != v[0])
			return;
	say_error(c->in, d->pos,
		  "all values of '" SLICE_FMT "' are %#llx: then it is a const",
		  SLICE_ARG(name_of(c->in, d->name)), (unsigned long long)v[0]);
}

static bool list_flags(struct compiler *c, struct decl *d)
{
	struct flags_walk w = { c, d, d->kind == DECL_STR_FLAGS, 0, false };
	uint32_t missing = c->missing;

	if (d->listed)
		return d->listed == 1;
	c->stamp++;
	d->first = (uint32_t)c->values.len;
	walk_flags(&w, d);
	d->count = (uint32_t)c->values.len - d->first;
	d->listed = w.failed ? 2 : 1;
	c->missing = missing; /* a flag that is not there is left out */
	if (!w.failed)
		check_equal(c, d);
	return !w.failed;
}

bool flags_values(struct compiler *c, const struct node *n, bool strings,
		  uint32_t *list, uint32_t *nlist)
{
	struct decl *d = find_flags(c, n->name);

	if (!d || (d->kind == DECL_STR_FLAGS) != strings) {
		say_error(c->in, AT(c, n), "unknown %sflags '" SLICE_FMT "'%s",
			  strings ? "string " : "",
			  SLICE_ARG(name_of(c->in, n->name)),
			  suggest(c, n->name, true));
		return false;
	}
	if (c->marking)
		d->used = true;
	if (!list_flags(c, d))
		return false;
	*list = d->first;
	*nlist = d->count;
	return true;
}

uint32_t path_add(struct compiler *c, const struct node *n,
		  const struct env *env, uint32_t *npath)
{
	uint32_t at = (uint32_t)c->values.len;

	vec_push(&c->values, pool_add(c, n->name));
	*npath = 1;
	for (const struct node *k = n->colon; k; k = k->next) {
		const struct node *name = k;
		const struct env *of = env;

		if (!deref(c, &name, &of) || name->kind != NODE_NAME ||
		    name->nargs || name->ncolon) {
			say_error(c->in, AT(c, k),
				  "a path is names with ':' between them");
			return DESC_NONE;
		}
		vec_push(&c->values, pool_add(c, name->name));
		++*npath;
	}
	return at;
}

static uint32_t expr_value(struct compiler *c, const struct node *n,
			   const struct env *env, struct desc_expr *e)
{
	const struct node *path = n->args;

	if (n->nargs != 1) {
		say_error(c->in, n->pos, "write value[field]: one path");
		return DESC_NONE;
	}
	if (path->kind != NODE_NAME || path->nargs) {
		say_error(c->in, path->pos,
			  "a path is names with ':' between them, no "
			  "arguments");
		return DESC_NONE;
	}
	e->op = DESC_EXPR_VALUE;
	if (!deref(c, &path, &env))
		return DESC_NONE;
	e->left = path_add(c, path, env, &e->right);
	return e->left;
}

static bool expr_leaf(struct compiler *c, const struct node *n,
		      const struct env *env, struct desc_expr *e)
{
	if (n->kind == NODE_NAME && n->name == c->n_value)
		return expr_value(c, n, env, e) != DESC_NONE;
	if (n->kind != NODE_NAME && n->kind != NODE_INT) {
		say_error(c->in, n->pos,
			  "expected a number, a constant or value[field]");
		return false;
	}
	if (n->nargs || n->ncolon) {
		say_error(c->in, n->pos,
			  "a constant takes no arguments; a field is "
			  "value[field]");
		return false;
	}
	e->op = DESC_EXPR_CONST;
	eval(c, n, env, &e->value);
	return true;
}

uint32_t expr_add(struct compiler *c, const struct node *n,
		  const struct env *env)
{
	static const uint8_t ops[] = { [OP_OR] = DESC_EXPR_OR,
				       [OP_EQ] = DESC_EXPR_EQ,
				       [OP_NE] = DESC_EXPR_NE,
				       [OP_AND] = DESC_EXPR_AND };
	struct desc_expr e = {};

	if (!deref(c, &n, &env))
		return DESC_NONE;
	if (n->kind == NODE_EXPR) {
		e.op = ops[n->op];
		e.left = expr_add(c, n->args, env);
		e.right = expr_add(c, n->args->next, env);
		if (e.left == DESC_NONE || e.right == DESC_NONE)
			return DESC_NONE;
	} else if (!expr_leaf(c, n, env, &e)) {
		return DESC_NONE;
	}
	vec_push(&c->exprs, e);
	return (uint32_t)c->exprs.len - 1;
}
