/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tree.c - programs in memory: what parsing, generating and encoding share. */
#include "prog/tree.h"

#include "base/mem.h"

uint32_t arg_new(struct prog *p, enum arg_kind kind, uint32_t type, uint8_t dir)
{
	vec_push(&p->args, (struct arg){ .kind = (uint8_t)kind,
					 .dir = dir,
					 .type = type,
					 .next = ARG_NONE,
					 .child = ARG_NONE });
	return (uint32_t)p->args.len - 1;
}

uint32_t tree_bytes(struct prog *p, const void *data, size_t len)
{
	uint32_t from = (uint32_t)p->bytes.len;
	char *to = len ? buf_reserve(&p->bytes, len) : NULL;

	if (len && data)
		memcpy(to, data, len);
	else if (len)
		memset(to, 0, len);
	p->bytes.len += len;
	return from;
}

uint32_t arg_new_data(struct prog *p, uint32_t type, uint8_t dir,
		      const void *data, uint32_t len)
{
	uint32_t a = arg_new(p, ARG_DATA, type, dir);

	arg_at(p, a)->from = dir == DESC_OUT ? NO_BYTES :
					       tree_bytes(p, data, len);
	arg_at(p, a)->len = len;
	return a;
}

/* ---- Defaults ----------------------------------------------------------------- */

/* The value of an integer of that type that says nothing. */
static uint64_t default_number(const struct desc_type *t)
{
	return t->kind == DESC_CONST ? t->lo :
	       t->kind == DESC_PROC  ? UINT64_MAX :
				       0;
}

/* The only value that a string has, if it has just one. */
static struct slice only_string(const struct desc *d, const struct desc_type *t)
{
	return t->kind == DESC_STRING && t->nlist == 1 ?
		       desc_string(d, d->values[t->list]) :
		       (struct slice){};
}

static uint32_t default_data_len(const struct desc *d,
				 const struct desc_type *t, uint8_t dir)
{
	struct slice only = only_string(d, t);

	if (t->size != DESC_VARLEN)
		return t->size;
	return only.len && dir != DESC_OUT ?
		       (uint32_t)only.len + !(t->flags & DESC_NOZ) :
		       0;
}

char data_default_byte(const struct desc *d, uint32_t type, uint32_t i)
{
	const struct desc_type *t = &d->types[type], *e;
	struct slice only = only_string(d, t);

	if (i < only.len)
		return only.p[i];
	if (!type_is_constant(d, type))
		return 0;
	e = &d->types[t->elem];
	i %= e->size;
	if (e->flags & DESC_BE || d->arch->big_endian)
		i = e->size - 1 - i;
	return (char)(e->lo >> 8 * i);
}

/* Zeroes, but for what is not zero by default. */
static uint32_t default_data(struct prog *p, uint32_t type, uint8_t dir)
{
	const struct desc *d = p->target->d;
	const struct desc_type *t = &d->types[type];
	uint32_t len = default_data_len(d, t, dir);
	uint32_t a = arg_new_data(p, type, dir, NULL, len);

	if (dir == DESC_OUT ||
	    (t->kind != DESC_STRING && t->kind != DESC_ARRAY))
		return a;
	for (uint32_t i = 0; i < len; i++)
		p->bytes.data[arg_at(p, a)->from + i] =
			data_default_byte(d, type, i);
	return a;
}

static void default_fields(struct prog *p, uint32_t group, uint8_t dir)
{
	const struct desc *d = p->target->d;
	const struct desc_record *r =
		&d->records[arg_type(p, arg_at(p, group))->elem];
	uint32_t last = ARG_NONE;

	for (uint32_t i = 0; i < r->nfields; i++) {
		const struct desc_field *f = &d->fields[r->field + i];
		uint32_t a = arg_new_default(p, f->type, field_dir(f, dir));

		if (f->cond != DESC_NONE)
			arg_at(p, a)->flags |= ARG_AUTO;
		*(last == ARG_NONE ? &arg_at(p, group)->child :
				     &arg_at(p, last)->next) = a;
		last = a;
	}
}

static void default_elements(struct prog *p, uint32_t group, uint8_t dir)
{
	const struct desc_type t = *arg_type(p, arg_at(p, group));
	uint32_t last = ARG_NONE;

	if (!(t.flags & DESC_RANGE) || t.lo != t.hi)
		return;
	for (uint64_t i = 0; i < t.lo && p->args.len < PROG_MAX_ARGS; i++) {
		uint32_t a = arg_new_default(p, t.elem, dir);

		*(last == ARG_NONE ? &arg_at(p, group)->child :
				     &arg_at(p, last)->next) = a;
		last = a;
	}
}

uint32_t union_default(const struct desc_record *r)
{
	return r->flags & DESC_CONDITIONAL ? r->nfields - 1 : 0;
}

static void default_option(struct prog *p, uint32_t arg, uint8_t dir)
{
	const struct desc *d = p->target->d;
	const struct desc_record *r =
		&d->records[arg_type(p, arg_at(p, arg))->elem];
	uint32_t i = union_default(r);
	const struct desc_field *f = &d->fields[r->field + i];
	uint32_t v = arg_new_default(p, f->type, field_dir(f, dir));

	arg_at(p, arg)->child = v;
	arg_at(p, arg)->extra = i;
	if (r->flags & DESC_CONDITIONAL)
		arg_at(p, arg)->flags |= ARG_AUTO;
}

uint32_t arg_new_default(struct prog *p, uint32_t type, uint8_t dir)
{
	const struct desc *d = p->target->d;
	const struct desc_type *t = &d->types[type];
	uint32_t a;

	if (type_is_data(d, type))
		return default_data(p, type, dir);
	a = arg_new(p, type_arg_kind(d, type), type, dir);
	switch (arg_at(p, a)->kind) {
	case ARG_CONST:
		arg_at(p, a)->value = default_number(t);
		break;
	case ARG_RESULT:
		arg_at(p, a)->value = resource_default(d, t->elem);
		break;
	case ARG_POINTER:
		if (t->flags & DESC_OPT) {
			arg_at(p, a)->flags = ARG_SPECIAL;
		} else {
			uint32_t to = arg_new_default(p, t->elem, t->dir);

			arg_at(p, a)->child = to;
		}
		break;
	case ARG_VMA:
		arg_at(p, a)->flags = ARG_SPECIAL;
		break;
	case ARG_GROUP:
		if (t->kind == DESC_STRUCT)
			default_fields(p, a, dir);
		else
			default_elements(p, a, dir);
		break;
	case ARG_UNION:
		default_option(p, a, dir);
		break;
	}
	return a;
}

static bool data_is_default(const struct prog *p, const struct arg *a)
{
	const struct desc *d = p->target->d;

	if (a->len != default_data_len(d, arg_type(p, a), a->dir))
		return false;
	if (a->from == NO_BYTES)
		return true;
	for (uint32_t i = 0; i < a->len; i++)
		if (p->bytes.data[a->from + i] !=
		    data_default_byte(d, a->type, i))
			return false;
	return true;
}

static bool children_are_default(const struct prog *p, const struct arg *a,
				 const uint32_t *used)
{
	const struct desc_type *t = arg_type(p, a);
	uint64_t n = 0;

	for (uint32_t i = a->child; i != ARG_NONE; i = arg_at(p, i)->next, n++)
		if (!arg_is_omitted(p, i, used))
			return false;
	return t->kind == DESC_STRUCT ||
	       n == (t->flags & DESC_RANGE && t->lo == t->hi ? t->lo : 0);
}

bool arg_is_omitted(const struct prog *p, uint32_t arg, const uint32_t *used)
{
	const struct arg *a = arg_at(p, arg);

	if (a->flags & ARG_ANY)
		return false;
	if (a->kind == ARG_ABSENT)
		return true;

	const struct desc_type *t = arg_type(p, a);
	bool opt = t->flags & DESC_OPT;

	switch (a->kind) {
	case ARG_CONST:
		return a->value == default_number(t);
	case ARG_RESULT:
		return a->child == ARG_NONE && !(used && used[arg]) &&
		       a->value == resource_default(p->target->d, t->elem);
	case ARG_POINTER:
		if (opt || (a->flags & ARG_SPECIAL))
			return opt && (a->flags & ARG_SPECIAL) && !a->value;
		return !a->value && a->child != ARG_NONE &&
		       arg_is_omitted(p, a->child, used);
	case ARG_VMA:
		return (a->flags & ARG_SPECIAL) && !a->value;
	case ARG_DATA:
		return data_is_default(p, a);
	case ARG_GROUP:
		return children_are_default(p, a, used);
	case ARG_UNION:
		return a->extra ==
			       union_default(&p->target->d->records[t->elem]) &&
		       arg_is_omitted(p, a->child, used);
	default:
		return false;
	}
}

bool arg_is_default(const struct prog *p, uint32_t arg)
{
	return arg_is_omitted(p, arg, NULL);
}

/* ---- Sizes ---------------------------------------------------------------------- */

static uint32_t any_size(const struct arg *a)
{
	static const uint8_t sizes[ANY_KINDS] = { 0, 1, 2, 4, 8, 20, 18, 23 };

	return a->any == ANY_BLOB ? a->len : sizes[a->any];
}

static uint64_t struct_size(const struct prog *p, const struct arg *a)
{
	const struct desc *d = p->target->d;
	const struct desc_record *r = &d->records[arg_type(p, a)->elem];
	uint64_t at = 0, most = 0;
	uint32_t c = a->child;

	for (uint32_t i = 0; i < r->nfields && c != ARG_NONE;
	     i++, c = arg_at(p, c)->next) {
		const struct desc_field *f = &d->fields[r->field + i];

		if (f->offset != DESC_VARLEN)
			at = f->offset;
		else if (f->bit_offset)
			continue; /* counted with the first of its unit */
		at += arg_size(p, c);
		most = at > most ? at : most;
	}
	if ((r->flags & DESC_ALIGNED) && most % r->align)
		most += r->align - most % r->align;
	return most;
}

uint64_t arg_size(const struct prog *p, uint32_t arg)
{
	const struct arg *a = arg_at(p, arg);
	uint64_t sum = 0;

	if (a->kind == ARG_ABSENT)
		return 0;
	if ((a->flags & ARG_ANY) && a->kind != ARG_GROUP)
		return any_size(a);

	const struct desc_type *t = arg_type(p, a);

	if (t->size != DESC_VARLEN && !(a->flags & ARG_ANY))
		return t->size;
	switch (a->kind) {
	case ARG_DATA:
		return a->len;
	case ARG_UNION:
		return arg_size(p, a->child);
	default:
		if (t->kind == DESC_STRUCT && !(a->flags & ARG_ANY))
			return struct_size(p, a);
		for (uint32_t c = a->child; c != ARG_NONE;
		     c = arg_at(p, c)->next)
			sum += arg_size(p, c);
		return sum;
	}
}

/* ---- Copies ----------------------------------------------------------------------- */

/* From one argument to the next, without the list it is in. */
static uint32_t copy_one(struct prog *to, const struct prog *from, uint32_t arg)
{
	const struct arg a = *arg_at(from, arg);
	uint32_t n;

	vec_push(&to->args, a);
	n = (uint32_t)to->args.len - 1;
	arg_at(to, n)->next = ARG_NONE;
	if (a.kind == ARG_DATA && a.from != NO_BYTES) {
		/* Within one program the bytes may move while they are copied. */
		char *room = a.len ? buf_reserve(&to->bytes, a.len) : NULL;

		if (a.len)
			memcpy(room, from->bytes.data + a.from, a.len);
		arg_at(to, n)->from = (uint32_t)to->bytes.len;
		to->bytes.len += a.len;
	}
	return n;
}

uint32_t arg_copy(struct prog *to, const struct prog *from, uint32_t arg)
{
	uint32_t n = copy_one(to, from, arg), last = ARG_NONE;

	if (arg_at(from, arg)->kind == ARG_RESULT)
		return n;
	arg_at(to, n)->child = ARG_NONE;
	for (uint32_t c = arg_at(from, arg)->child; c != ARG_NONE;
	     c = arg_at(from, c)->next) {
		uint32_t k = arg_copy(to, from, c);

		*(last == ARG_NONE ? &arg_at(to, n)->child :
				     &arg_at(to, last)->next) = k;
		last = k;
	}
	return n;
}

uint32_t list_len(const struct prog *p, uint32_t first)
{
	uint32_t n = 0;

	for (; first != ARG_NONE; first = arg_at(p, first)->next)
		n++;
	return n;
}

uint32_t list_at(const struct prog *p, uint32_t first, uint32_t i)
{
	while (first != ARG_NONE && i--)
		first = arg_at(p, first)->next;
	return first;
}

/* ---- Walking ------------------------------------------------------------------------ */

uint32_t walk_call(struct tree_walk *w, const struct prog *p,
		   const struct call *c)
{
	w->p = p;
	w->call = c;
	w->depth = 0;
	w->in_ret = c->arg == ARG_NONE;
	w->at = w->in_ret ? c->ret : c->arg;
	return w->at;
}

uint32_t walk_next(struct tree_walk *w)
{
	const struct arg *a = arg_at(w->p, w->at);

	if (a->kind != ARG_RESULT && a->child != ARG_NONE &&
	    w->depth < TREE_DEPTH_MAX) {
		w->stack[w->depth++] = w->at;
		return w->at = a->child;
	}
	while (a->next == ARG_NONE && w->depth)
		a = arg_at(w->p, w->stack[--w->depth]);
	if (a->next != ARG_NONE)
		return w->at = a->next;
	if (w->in_ret)
		return w->at = ARG_NONE;
	w->in_ret = true;
	return w->at = w->call->ret;
}

void tree_fix_refs(struct prog *p)
{
	/* By argument: 1 + the call that makes it. */
	uint32_t *made = mem_calloc(p->args.len + 1, sizeof(*made));

	for (uint32_t i = 0; i < p->calls.len; i++) {
		struct tree_walk w;

		for (uint32_t a = walk_call(&w, p, &p->calls.data[i]);
		     a != ARG_NONE; a = walk_next(&w)) {
			struct arg *x = arg_at(p, a);

			if (x->kind != ARG_RESULT)
				continue;
			if (x->dir != DESC_IN)
				made[a] = i + 1;
			if (x->child == ARG_NONE ||
			    (made[x->child] && made[x->child] <= i))
				continue;
			x->child = ARG_NONE;
			x->extra = 0;
			x->value =
				x->type == DESC_NONE ?
					ANY_DEFAULT :
					resource_default(p->target->d,
							 arg_type(p, x)->elem);
		}
	}
	free(made);
}
