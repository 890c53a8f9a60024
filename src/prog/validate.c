/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * validate.c - whether a program in memory keeps all rules.
 *
 * It is for finding mistakes in what makes programs, so it trusts no index and
 * no length: each is looked at before it is followed.
 */
#include "base/mem.h"
#include "prog/tree.h"

struct checker {
	const struct prog *p;
	const struct desc *d;
	uint32_t call;
	uint32_t depth;
	uint32_t *made; /* by argument: 1 + the call that it is in */
};

/* Call and argument are prefixed on the way up. */
#define BAD(...) error_new(ERR_INPUT, __VA_ARGS__)

static fallible check_arg(struct checker *k, uint32_t arg, uint32_t type,
			  uint8_t dir, bool optional);

/* An argument is there once, and nowhere else. */
static fallible take(struct checker *k, uint32_t arg)
{
	if (arg >= k->p->args.len)
		return BAD("there is no argument number %u", arg);
	if (k->made[arg])
		return BAD("argument number %u is in two places", arg);
	if (k->depth >= TREE_DEPTH_MAX)
		return BAD("arguments are nested too deeply");
	k->made[arg] = k->call + 1;
	return NULL;
}

/* ---- By kind --------------------------------------------------------------------- */

static uint64_t default_of(const struct desc_type *t)
{
	return t->kind == DESC_CONST ? t->lo :
	       t->kind == DESC_PROC  ? UINT64_MAX :
				       0;
}

static fallible check_const(const struct arg *a, const struct desc_type *t)
{
	if (a->dir == DESC_OUT && t->kind != DESC_LEN &&
	    a->value != default_of(t))
		return BAD("a value that only the kernel writes");
	if (t->kind == DESC_INT && a->dir != DESC_OUT &&
	    (t->flags & DESC_RANGE) && a->value &&
	    a->value - t->lo > t->hi - t->lo)
		return BAD("%#jx is out of range", (uintmax_t)a->value);
	if (t->kind == DESC_PROC && a->value != UINT64_MAX && a->value >= t->hi)
		return BAD("%#jx is more than a process has",
			   (uintmax_t)a->value);
	if (t->kind == DESC_CSUM && a->value)
		return BAD("a checksum that is not computed");
	return NULL;
}

static fallible check_result(struct checker *k, const struct arg *a)
{
	const struct arg *made;

	if (a->child == ARG_NONE)
		return NULL;
	if (a->dir == DESC_OUT)
		return BAD("a result that takes another one");
	if (a->child >= k->p->args.len || !k->made[a->child] ||
	    k->made[a->child] > k->call)
		return BAD("the result of no earlier call");
	made = arg_at(k->p, a->child);
	if (made->kind != ARG_RESULT || made->dir == DESC_IN)
		return BAD("something as a result that is none");
	return NULL;
}

static fallible check_place(const struct arg *a, uint64_t size)
{
	if (a->value > DATA_BYTES || size > DATA_BYTES - a->value)
		return BAD("%ju bytes at %#jx are not in the program's memory",
			   (uintmax_t)size, (uintmax_t)a->value);
	return NULL;
}

static fallible check_special(struct checker *k, const struct arg *a)
{
	if (a->child != ARG_NONE)
		return BAD("a special address that points to something");
	if (0 - a->value > 0 - special_lowest(k->p->target))
		return BAD("an unknown special address");
	return NULL;
}

static fallible check_pointer(struct checker *k, const struct arg *a,
			      const struct desc_type *t)
{
	if (a->flags & ARG_SPECIAL)
		return check_special(k, a);
	if (a->child == ARG_NONE)
		return check_place(a, 0);
	TRY(check_arg(k, a->child, t->elem, t->dir, false));
	if (arg_at(k->p, a->child)->next != ARG_NONE)
		return BAD("a pointer to two things");
	return check_place(a, arg_size(k->p, a->child));
}

static fallible check_vma(struct checker *k, const struct arg *a)
{
	if (a->flags & ARG_SPECIAL)
		return check_special(k, a);
	if (a->value % DATA_PAGE || a->extra % DATA_PAGE)
		return BAD("memory that is not made of pages");
	return check_place(a, a->extra);
}

static fallible check_bytes(struct checker *k, const struct arg *a)
{
	const struct buf *bytes = &k->p->bytes;

	if ((a->from == NO_BYTES) != (a->dir == DESC_OUT))
		return BAD("a buffer with bytes that only the kernel writes, "
			   "or one without");
	if (a->from != NO_BYTES &&
	    (a->from > bytes->len || a->len > bytes->len - a->from))
		return BAD("a buffer outside of the bytes");
	return NULL;
}

/* Empty is the default, even when there should be some. */
static bool fits_range(const struct desc_type *t, uint64_t n)
{
	if (!(t->flags & DESC_RANGE) || (n >= t->lo && n <= t->hi))
		return true;
	return !n && t->lo != t->hi;
}

static fallible check_data(struct checker *k, const struct arg *a,
			   const struct desc_type *t)
{
	TRY(check_bytes(k, a));
	if (t->kind == DESC_VOID && a->len)
		return BAD("void that is not empty");
	if (t->size != DESC_VARLEN && a->len != t->size)
		return BAD("a buffer of %u bytes instead of %u", a->len,
			   t->size);
	if (t->kind == DESC_ARRAY && t->size == DESC_VARLEN &&
	    !fits_range(t, a->len))
		return BAD("a buffer of %u bytes", a->len);
	if (a->dir != DESC_OUT && type_is_constant(k->d, a->type) &&
	    !arg_is_default(k->p, (uint32_t)(a - k->p->args.data)))
		return BAD("constants with another value");
	return NULL;
}

/* ---- Groups ------------------------------------------------------------------------ */

static fallible check_fields(struct checker *k, uint32_t first,
			     const struct desc_field *f, uint32_t n,
			     uint8_t dir)
{
	uint32_t a = first;

	for (uint32_t i = 0; i < n; i++, f++) {
		if (a == ARG_NONE)
			return BAD("%u of %u fields", i, n);
		TRY(check_arg(k, a, f->type, field_dir(f, dir),
			      f->cond != DESC_NONE),
		    "%s", desc_name(k->d, f->name));
		a = arg_at(k->p, a)->next;
	}
	return a == ARG_NONE ? NULL : BAD("more than %u fields", n);
}

static fallible check_array(struct checker *k, const struct arg *a,
			    const struct desc_type *t)
{
	uint64_t n = 0;

	for (uint32_t c = a->child; c != ARG_NONE;
	     c = arg_at(k->p, c)->next, n++)
		TRY(check_arg(k, c, t->elem, a->dir, false), "element %ju",
		    (uintmax_t)n);
	if (!fits_range(t, n))
		return BAD("%ju elements", (uintmax_t)n);
	return NULL;
}

static fallible check_union(struct checker *k, const struct arg *a,
			    const struct desc_type *t)
{
	const struct desc_record *r = &k->d->records[t->elem];
	const struct desc_field *f;

	if (a->extra >= r->nfields)
		return BAD("no such option");
	f = &k->d->fields[r->field + a->extra];
	TRY(check_arg(k, a->child, f->type, field_dir(f, a->dir), false), "%s",
	    desc_name(k->d, f->name));
	return arg_at(k->p, a->child)->next == ARG_NONE ?
		       NULL :
		       BAD("two options at once");
}

static fallible check_any(struct checker *k, const struct arg *a)
{
	for (uint32_t c = a->child; c != ARG_NONE; c = arg_at(k->p, c)->next) {
		TRY(take(k, c));

		const struct arg *x = arg_at(k->p, c);

		if (!(x->flags & ARG_ANY) ||
		    x->kind != (x->any == ANY_BLOB ? ARG_DATA : ARG_RESULT))
			return BAD("a squashed argument of no such kind");
		if (x->kind == ARG_DATA)
			TRY(check_bytes(k, x));
		else
			TRY(check_result(k, x));
	}
	return NULL;
}

static fallible check_kind(struct checker *k, const struct arg *a,
			   const struct desc_type *t)
{
	switch ((enum arg_kind)a->kind) {
	case ARG_CONST:
		return check_const(a, t);
	case ARG_RESULT:
		return check_result(k, a);
	case ARG_POINTER:
		return check_pointer(k, a, t);
	case ARG_VMA:
		return check_vma(k, a);
	case ARG_DATA:
		return check_data(k, a, t);
	case ARG_GROUP:
		if (a->flags & ARG_ANY)
			return check_any(k, a);
		if (t->kind == DESC_ARRAY)
			return check_array(k, a, t);
		return check_fields(k, a->child,
				    k->d->fields + k->d->records[t->elem].field,
				    k->d->records[t->elem].nfields, a->dir);
	case ARG_UNION:
		return check_union(k, a, t);
	case ARG_ABSENT:
		break;
	}
	return NULL;
}

static fallible check_arg(struct checker *k, uint32_t arg, uint32_t type,
			  uint8_t dir, bool optional)
{
	struct error *err;
	const struct arg *a;

	TRY(take(k, arg));
	a = arg_at(k->p, arg);
	if (a->type != type || a->dir != dir)
		return BAD("an argument of another type or direction");
	if (a->kind == ARG_ABSENT)
		return optional ? NULL : BAD("a field is missing");
	if ((a->flags & ARG_ANY) ? a->kind != ARG_GROUP :
				   a->kind != type_arg_kind(k->d, type))
		return BAD("an argument of kind %u", a->kind);
	k->depth++;
	err = check_kind(k, a, &k->d->types[type]);
	k->depth--;
	return err;
}

/* ---- Calls ------------------------------------------------------------------------------ */

static fallible check_call(struct checker *k, const struct call *c)
{
	const struct desc_call *dc = &k->d->calls[c->id];

	TRY(check_fields(k, c->arg, k->d->fields + dc->arg, dc->nargs,
			 DESC_IN));
	if ((c->ret == ARG_NONE) != (dc->ret == DESC_NONE))
		return BAD("a result too many or too few");
	if (c->ret != ARG_NONE)
		TRY(check_arg(k, c->ret, dc->ret, DESC_OUT, false), "result");
	if (cond_check(k->p, c) != ARG_NONE)
		return BAD(
			"a field that is there or not against its condition");
	return NULL;
}

static fallible check_calls(struct checker *k)
{
	const struct prog *p = k->p;

	if (p->calls.len > PROG_MAX_CALLS || p->args.len > PROG_MAX_ARGS ||
	    p->bytes.len > PROG_MAX_BYTES)
		return BAD("the program is too large");
	for (; k->call < p->calls.len; k->call++) {
		const struct call *c = &p->calls.data[k->call];

		if (c->id >= k->d->ncalls)
			return BAD("call %u: there is none such", k->call);
		TRY(check_call(k, c), "call %u (%s)", k->call,
		    desc_name(k->d, k->d->calls[c->id].name));
	}
	return NULL;
}

fallible prog_validate(const struct prog *p)
{
	struct checker k = { .p = p, .d = p->target->d };
	struct error *err;

	k.made = mem_calloc(p->args.len + 1, sizeof(*k.made));
	err = check_calls(&k);
	free(k.made);
	return err;
}
