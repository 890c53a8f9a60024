/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * resolve.c - from names to types.
 *
 * Templates are not copied: a type is a node of the source and an environment
 * that says what parameters stand for (a closure).  Equal closures have equal
 * keys, so each instance is made once, however it was arrived at.
 */
#include "desc/compile.h"

static uint32_t key_of(struct compiler *c, uint32_t tag, uint32_t a, uint32_t b,
		       uint32_t d)
{
	uint32_t words[4] = { tag, a, b, d };

	return names_add(&c->keys,
			 (struct slice){ (const char *)words, sizeof(words) });
}

enum { KEY_NODE = 1, KEY_COLON, KEY_ARG, KEY_TYPE, KEY_RESOURCE };

static const struct closure *param(const struct env *env, uint32_t name)
{
	unsigned i = 0;

	if (!env)
		return NULL;
	for (const struct node *p = env->templ->params; p; p = p->next, i++)
		if (p->name == name)
			return &env->args[i];
	return NULL;
}

/* "TEMPLATE[int8]" where the parameter TEMPLATE is a name: make it whole. */
static bool deref_applied(struct compiler *c, const struct closure *arg,
			  const struct node **n, const struct env **env)
{
	struct node *whole = arena_alloc(c->scratch, sizeof(*whole));

	if ((*n)->nargs && arg->node->nargs) {
		say_error(c->in, (*n)->pos,
			  "both the parameter '" SLICE_FMT
			  "' and its value have arguments: leave out one",
			  SLICE_ARG(name_of(c->in, (*n)->name)));
		return false;
	}
	if ((*n)->nargs) {
		*whole = **n;
		whole->name = arg->node->name;
		whole->kind = arg->node->kind;
		whole->value = arg->node->value;
	} else {
		*whole = *arg->node;
		whole->colon = (*n)->colon;
		whole->ncolon = (*n)->ncolon;
		*env = arg->env;
	}
	whole->pos = (*n)->pos;
	*n = whole;
	return true;
}

bool deref(struct compiler *c, const struct node **n, const struct env **env)
{
	const struct closure *arg =
		(*n)->kind == NODE_NAME ? param(*env, (*n)->name) : NULL;

	if (!arg)
		return true;
	if ((*n)->nargs || (*n)->ncolon)
		return deref_applied(c, arg, n, env);
	*n = arg->node;
	*env = arg->env;
	return true;
}

/* A disputed constant is not the same in all files. */
static uint32_t own_file(const struct compiler *c, const struct node *n)
{
	const struct constant *k =
		n->kind == NODE_NAME ? constant_find(c->in, n->name) : NULL;

	return k && k->disputed ? source_at(c->in, n->pos)->start + 1 : 0;
}

uint32_t closure_key(struct compiler *c, const struct node *n,
		     const struct env *env)
{
	const struct closure *arg = n->kind == NODE_NAME ? param(env, n->name) :
							   NULL;
	uint32_t name = n->name, kind = n->kind;

	if (arg && !n->nargs && !n->ncolon)
		return arg->key;
	if (arg && n->nargs) {
		name = arg->node->name;
		kind = arg->node->kind;
	}
	uint32_t more = arg && !n->nargs ? arg->key : own_file(c, n);
	uint32_t key =
		key_of(c, KEY_NODE, kind | (uint32_t)n->op << 8, name, more);

	for (const struct node *k = n->colon; k; k = k->next)
		key = key_of(c, KEY_COLON, key, closure_key(c, k, env), 0);
	for (const struct node *k = n->args; k; k = k->next)
		key = key_of(c, KEY_ARG, key, closure_key(c, k, env), 0);
	return key;
}

static void closure_print(struct compiler *c, const struct node *n,
			  const struct env *env, struct buf *out)
{
	struct node head;

	if (out->len > CLOSURE_TEXT_MAX || !deref(c, &n, &env))
		return;
	head = *n;
	head.args = NULL;
	if (head.kind == NODE_EXPR)
		buf_str(out, "...");
	else
		node_to_text(&c->in->names, &head, out);
	for (const struct node *a = n->kind == NODE_EXPR ? NULL : n->args; a;
	     a = a->next) {
		buf_str(out, a == n->args ? "[" : ", ");
		closure_print(c, a, env, out);
		if (!a->next)
			buf_char(out, ']');
	}
}

const char *closure_text(struct compiler *c, const struct node *n,
			 const struct env *env)
{
	_cleanup_(buf_deinit) struct buf out = {};

	closure_print(c, n, env, &out);
	if (out.len > CLOSURE_TEXT_MAX) {
		out.len = CLOSURE_TEXT_MAX;
		buf_str(&out, "...");
	}
	return arena_strndup(c->in->arena, buf_cstr(&out), out.len);
}

/* Whether a type or expression mentions a name. */
static bool mentions(const struct node *n, uint32_t name)
{
	for (; n; n = n->next)
		if (n->name == name || mentions(n->args, name) ||
		    mentions(n->colon, name))
			return true;
	return false;
}

static bool decl_mentions(const struct decl *d, uint32_t name)
{
	if (mentions(d->type, name) || mentions(d->attrs, name))
		return true;
	for (const struct field *f = d->fields; f; f = f->next)
		if (mentions(f->type, name) || mentions(f->attrs, name))
			return true;
	return false;
}

static bool params_used(struct compiler *c, const struct node *use,
			struct decl *d)
{
	/* 1: not known, 2: all are used, 3: not. */
	if (d->listed < 2) {
		d->listed = 2;
		for (const struct node *p = d->params; p; p = p->next)
			if (!decl_mentions(d, p->name)) {
				d->listed = 3;
				d->index = p->name;
			}
	}
	if (d->listed == 3)
		say_error(c->in, AT(c, use),
			  "parameter '" SLICE_FMT "' of template '" SLICE_FMT
			  "' is used nowhere in it",
			  SLICE_ARG(name_of(c->in, d->index)),
			  SLICE_ARG(name_of(c->in, d->name)));
	return d->listed == 2;
}

static bool base_fits(struct compiler *c, const struct node *use,
		      const struct node *n, const struct env *env)
{
	if (!deref(c, &n, &env))
		return false;
	const struct builtin *b =
		n->kind == NODE_NAME ? builtin_find(c, n->name) : NULL;

	if (b && builtin_is_int(b))
		return true;
	say_error(c->in, AT(c, use),
		  "the argument for BASE is one of int8, int16, int32, int64, "
		  "intptr or their big-endian forms, not %s",
		  closure_text(c, n, env));
	return false;
}

/*
 * An argument of a call has no underlying type, so a template that ends in
 * BASE has an argument less there.
 */
static bool count_args(struct compiler *c, const struct node *use,
		       const struct decl *d, enum place place, unsigned *want,
		       bool *has_base)
{
	const struct node *last = NULL;
	unsigned n = 0;

	for (const struct node *p = d->params; p; p = p->next, n++)
		last = p;
	*has_base = last && last->name == c->n_base;
	*want = n;
	bool less = *has_base && (place == AT_ARG || place == AT_RETURN) &&
		    !c->site;

	if (use->nargs == n - less)
		return true;
	say_error(c->in, AT(c, use),
		  "template '" SLICE_FMT "' takes %u argument%s here, not %u",
		  SLICE_ARG(name_of(c->in, d->name)), n - less,
		  n - less == 1 ? "" : "s", use->nargs);
	return false;
}

static struct env *env_new(struct compiler *c, const struct node *use,
			   const struct env *env, struct decl *d,
			   enum place place)
{
	unsigned want, i = 0, depth = env ? env->depth + 1 : 0;
	bool has_base;

	if (!count_args(c, use, d, place, &want, &has_base) ||
	    !params_used(c, use, d))
		return NULL;
	if (depth > ENV_DEPTH_MAX) {
		say_error(c->in, AT(c, use),
			  "template '" SLICE_FMT
			  "' needs instances of itself without end, or nests "
			  "too deep: %s",
			  SLICE_ARG(name_of(c->in, d->name)),
			  closure_text(c, use, env));
		return NULL;
	}
	struct env *e = arena_alloc(c->scratch, sizeof(*e));
	struct closure *args = arena_alloc(c->scratch, want * sizeof(*args));

	for (const struct node *a = use->args; a; a = a->next, i++) {
		args[i] = (struct closure){ a, env, closure_key(c, a, env) };
		if (!deref(c, &args[i].node, &args[i].env))
			return NULL;
		if (has_base && i == want - 1 && !base_fits(c, use, a, env))
			return NULL;
	}
	if (i < want)
		args[i] =
			(struct closure){ &c->base_node, NULL,
					  closure_key(c, &c->base_node, NULL) };
	*e = (struct env){ d, env, args, depth };
	return e;
}

static uint32_t resolve_alias(struct compiler *c, const struct node *n,
			      const struct env *env, struct decl *d,
			      enum place place)
{
	const struct node *site = c->site;
	const struct env *inner = NULL;

	if (n->ncolon) {
		say_error(c->in, AT(c, n),
			  "'" SLICE_FMT "' is an alias: ':' goes to the "
			  "integer in its declaration's place",
			  SLICE_ARG(name_of(c->in, d->name)));
		return 0;
	}
	if (!d->templ && n->nargs) {
		say_error(c->in, AT(c, n),
			  "type '" SLICE_FMT "' is no template: it takes no "
			  "arguments",
			  SLICE_ARG(name_of(c->in, d->name)));
		return 0;
	}
	if (c->aliases > RESOLVE_DEPTH_MAX / 2) {
		say_error(c->in, AT(c, n),
			  "type '" SLICE_FMT "' is defined by itself, or by "
			  "more than %d others",
			  SLICE_ARG(name_of(c->in, d->name)),
			  RESOLVE_DEPTH_MAX / 2);
		return 0;
	}
	if (d->templ) {
		inner = env_new(c, n, env, d, place);
		if (!inner)
			return 0;
	}
	c->site = site ? site : n;
	c->aliases++;
	uint32_t type = resolve(c, d->type, inner, place);

	c->aliases--;
	c->site = site;
	return type;
}

/* The record of a closure, new or known; its fields are resolved later. */
static uint32_t record_index(struct compiler *c, const struct node *n,
			     const struct env *env, const struct decl *d,
			     const struct env *inner)
{
	uint32_t key = closure_key(c, n, env);

	while (c->record_of_key.len <= key)
		vec_push(&c->record_of_key, 0);
	if (c->record_of_key.data[key])
		return c->record_of_key.data[key] - 1;
	const char *name = closure_text(c, n, env);
	struct desc_record r = {
		.name = pool_bytes(c, slice_cstr(name)),
		.flags = d->kind == DECL_UNION ? DESC_IS_UNION : 0,
	};

	vec_push(&c->records, r);
	vec_push(&c->infos, (struct record){
				    .decl = d,
				    .env = inner,
				    .base_name = pool_add(c, d->name),
				    .first_parent = DESC_NONE,
			    });
	c->record_of_key.data[key] = (uint32_t)c->records.len;
	return (uint32_t)c->records.len - 1;
}

static bool record_may_stand(struct compiler *c, const struct node *n,
			     const struct decl *d, enum place place)
{
	bool is_union = d->kind == DECL_UNION;
	const char *what = NULL;

	if (place == AT_RETURN)
		what = "be what a call returns: only resources can";
	else if (place == AT_ARG && !is_union)
		what = "be an argument: pass a pointer to it";
	else if (place == AT_FMT)
		what = "be printed by fmt: only integers can";
	else if (n->ncolon)
		what = "be a bit-field: only integers can";
	else if (!d->templ && n->nargs == 1 && n->args->name == c->n_opt)
		what = "be optional: make a pointer to it so";
	if (what)
		say_error(c->in, AT(c, n), "%s '" SLICE_FMT "' cannot %s",
			  is_union ? "union" : "struct",
			  SLICE_ARG(name_of(c->in, d->name)), what);
	else if (!d->templ && n->nargs)
		say_error(c->in, AT(c, n),
			  "'" SLICE_FMT "' is no template: it takes no "
			  "arguments",
			  SLICE_ARG(name_of(c->in, d->name)));
	return !what && (d->templ || !n->nargs);
}

static uint32_t resolve_record(struct compiler *c, const struct node *n,
			       const struct env *env, struct decl *d,
			       enum place place)
{
	const struct env *inner = NULL;

	if (!record_may_stand(c, n, d, place))
		return 0;
	if (d->templ) {
		inner = env_new(c, n, env, d, AT_ELEM);
		if (!inner)
			return 0;
	}
	uint32_t r = record_index(c, n, env, d, inner);

	return add_type(c, (struct desc_type){
				   .kind = d->kind == DECL_UNION ? DESC_UNION :
								   DESC_STRUCT,
				   .elem = r,
				   .name = c->records.data[r].name,
			   });
}

static uint32_t resolve_resource(struct compiler *c, const struct node *n,
				 struct decl *d)
{
	uint32_t r = resource_index(c, d);
	bool opt = n->nargs == 1 && n->args->kind == NODE_NAME &&
		   n->args->name == c->n_opt && !n->args->nargs;

	if (n->ncolon || (n->nargs && !opt)) {
		say_error(c->in, AT(c, n),
			  "resource '" SLICE_FMT
			  "' takes no ':' and no argument but opt",
			  SLICE_ARG(name_of(c->in, d->name)));
		return 0;
	}
	struct desc_type t = c->types.data[c->resources.data[r].base];

	t.kind = DESC_RESOURCE;
	t.flags = (uint8_t)((t.flags & DESC_BE) | (opt ? DESC_OPT : 0));
	t.elem = r;
	t.name = c->resources.data[r].name;
	return add_type(c, t);
}

static uint32_t resolve_decl(struct compiler *c, const struct node *n,
			     const struct env *env, enum place place)
{
	struct decl *d = find_type(c, n->name);

	if (!d) {
		say_error(c->in, AT(c, n), "unknown type '" SLICE_FMT "'%s",
			  SLICE_ARG(name_of(c->in, n->name)),
			  suggest(c, n->name, false));
		return 0;
	}
	if (c->marking)
		d->used = true;
	if (d->broken) /* which has been said */
		return 0;
	if (d->kind == DECL_RESOURCE && place == AT_ALIAS) {
		say_error(c->in, AT(c, n),
			  "a type alias cannot name a resource: inherit from "
			  "it with 'resource'");
		return 0;
	}
	if (d->kind == DECL_RESOURCE)
		return resolve_resource(c, n, d);
	if (d->kind == DECL_ALIAS)
		return resolve_alias(c, n, env, d, place);
	return resolve_record(c, n, env, d, place);
}

static uint32_t resolve_new(struct compiler *c, const struct node *n,
			    const struct env *env, enum place place)
{
	if (n->kind != NODE_NAME) {
		say_error(c->in, AT(c, n), "expected a type, not %s",
			  closure_text(c, n, env));
		return 0;
	}
	const struct builtin *b = builtin_find(c, n->name);

	return b ? builtin_type(c, b, n, env, place) :
		   resolve_decl(c, n, env, place);
}

uint32_t resolve(struct compiler *c, const struct node *n,
		 const struct env *env, enum place place)
{
	uint32_t key, type = 0;

	if (c->in->stopped || !deref(c, &n, &env))
		return 0;
	key = closure_key(c, n, env);
	key = key_of(c, KEY_TYPE, key, (uint32_t)place << 1 | (c->site != NULL),
		     0);
	while (c->type_of_key.len <= key)
		vec_push(&c->type_of_key, 0);
	if (c->type_of_key.data[key])
		return c->type_of_key.data[key];
	if (c->depth >= RESOLVE_DEPTH_MAX) {
		say_last(c->in, AT(c, n),
			 "types within each other more than %d deep",
			 RESOLVE_DEPTH_MAX);
		return 0;
	}
	c->depth++;
	type = resolve_new(c, n, env, place);
	c->depth--;
	if (type) {
		/* `key` is still good, the array may have moved. */
		c->type_of_key.data[key] = type;
	}
	return type;
}

void resolve_records(struct compiler *c)
{
	for (uint32_t r = 0; r < c->records.len && !c->in->stopped; r++)
		if (!c->infos.data[r].resolved) {
			c->infos.data[r].resolved = true;
			record_fields(c, r);
		}
}

/* What it is, down to an integer. */
static uint32_t resource_base(struct compiler *c, struct decl *d,
			      uint32_t *parent)
{
	struct decl *up =
		d->type->kind == NODE_NAME ? find_type(c, d->type->name) : NULL;

	*parent = DESC_NONE;
	if (!up || up->kind != DECL_RESOURCE)
		return resolve(c, d->type, NULL, AT_ELEM);
	if (c->marking)
		up->used = true;
	if (d->type->nargs || d->type->ncolon) {
		say_error(c->in, d->type->pos,
			  "what a resource inherits from takes no arguments");
		return 0;
	}
	*parent = resource_index(c, up);
	return *parent == DESC_NONE ? 0 : c->resources.data[*parent].base;
}

static bool base_is_int(struct compiler *c, const struct decl *d, uint32_t base)
{
	const struct desc_type *t = type_at(c, base);

	if ((t->kind == DESC_INT || t->kind == DESC_RESOURCE) &&
	    !(t->flags & (DESC_BE | DESC_OPT)) && !t->bits && !t->format)
		return true;
	say_error(c->in, d->type->pos,
		  "a resource is an int8, int16, int32, int64, intptr or "
		  "another resource, nothing else");
	return false;
}

static uint32_t resource_add(struct compiler *c, struct decl *d, uint32_t base,
			     uint32_t parent)
{
	struct desc_resource r = { .name = pool_add(c, d->name),
				   .parent = parent,
				   .base = base,
				   .list = (uint32_t)c->values.len };

	for (const struct node *v = d->list; v; v = v->next) {
		uint64_t value;

		if (!eval(c, v, NULL, &value))
			continue;
		vec_push(&c->values, value);
		r.nlist++;
	}
	vec_push(&c->resources, r);
	vec_push(&c->resource_decls, d);
	return (uint32_t)c->resources.len - 1;
}

/* One whose base is broken, which has been said, is a number of some kind. */
static uint32_t any_base(struct compiler *c, uint32_t pos)
{
	struct node *n = arena_alloc(c->scratch, sizeof(*n));

	*n = (struct node){ .kind = NODE_NAME,
			    .pos = pos,
			    .name = c->base_node.name };
	return resolve(c, n, NULL, AT_ELEM);
}

uint32_t resource_index(struct compiler *c, struct decl *d)
{
	uint32_t parent = DESC_NONE, base = 0, missing = c->missing;
	const struct node *site = c->site;
	enum { BUSY = UINT32_MAX };

	if (d->index == BUSY)
		return DESC_NONE;
	if (d->index)
		return d->index - 1;
	c->site = NULL;
	d->index = BUSY;
	c->missing = 0;
	if (c->depth == RESOLVE_DEPTH_MAX)
		say_last(c->in, d->pos, "a resource of more than %d ancestors",
			 RESOLVE_DEPTH_MAX);
	if (!d->broken && !c->in->stopped) {
		c->depth++;
		base = resource_base(c, d, &parent);
		c->depth--;
	}
	if (!base || !base_is_int(c, d, base))
		base = any_base(c, d->pos);
	d->index = resource_add(c, d, base, parent) + 1;
	d->first = c->missing;
	c->missing = missing;
	c->site = site;
	return d->index - 1;
}
