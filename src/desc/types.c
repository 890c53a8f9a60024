/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * types.c - the types of the language, by the rows of builtin.def: what their
 * arguments may be, and integers.
 */
#include <stdarg.h>
#include <stdio.h>

#include "desc/types.h"

static const struct builtin builtins[] = {
#define BUILTIN(name, kind, min, max, args, flags, size) \
	{ name, DESC_##kind, min, max, args, flags, size },
#include "desc/builtin.def"
};

const struct builtin *builtin_find(struct compiler *c, uint32_t name)
{
	if (!c->builtin_of.len)
		for (size_t i = 0; i < ARRAY_LEN(builtins); i++) {
			uint32_t id = names_add(&c->in->names,
						slice_cstr(builtins[i].name));

			while (c->builtin_of.len <= id)
				vec_push(&c->builtin_of, 0);
			c->builtin_of.data[id] = (uint8_t)(i + 1);
		}
	if (name >= c->builtin_of.len || !c->builtin_of.data[name])
		return NULL;
	return &builtins[c->builtin_of.data[name] - 1];
}

const char *builtin_name(const struct builtin *b)
{
	return b->name;
}

bool builtin_is_int(const struct builtin *b)
{
	return b->flags & INT;
}

bool builtin_is_alias(const struct builtin *b)
{
	return b->flags & ALIAS;
}

uint32_t add_type(struct compiler *c, struct desc_type t)
{
	if (c->types.len == TYPES_MAX) {
		say_last(c->in, c->pos,
			 "more than %d types: is there a template that makes "
			 "ever more of them?",
			 TYPES_MAX);
		return 0;
	}
	vec_push(&c->types, t);
	vec_push(&c->type_missing, c->missing);
	return (uint32_t)c->types.len - 1;
}

bool wrong(const struct making *m, const struct node *at, const char *fmt, ...)
{
	_cleanup_(freep) char *text = NULL;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&text, fmt, ap) < 0)
		abort();
	va_end(ap);
	say_error(m->c->in, AT(m->c, at), "%s", text);
	return false;
}

/*
 * A wrong value leaves the type what it is.  In the declaration of an alias,
 * that is where it is wrong.
 */
bool bad_value(const struct making *m, const struct node *at, const char *fmt,
	       ...)
{
	_cleanup_(freep) char *text = NULL;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&text, fmt, ap) < 0)
		abort();
	va_end(ap);
	say_error(m->c->in, m->env ? AT(m->c, at) : at->pos, "%s", text);
	return true;
}

const char *text_of(const struct making *m, const struct node *n)
{
	return closure_text(m->c, n, m->env);
}

const struct node *nth(const struct making *m, unsigned i)
{
	const struct node *a = m->n->args;

	while (a && i--)
		a = a->next;
	return a;
}

static bool wants_base(const struct making *m)
{
	bool bare = m->place == AT_ARG || m->place == AT_RETURN ||
		    m->place == AT_FMT;

	return (m->b->flags & BASE) && (!bare || m->c->site);
}

/* Take opt and the underlying type off the end, and count the rest. */
static bool split_args(struct making *m)
{
	const struct node *last;

	m->nargs = m->n->nargs;
	last = m->nargs ? nth(m, m->nargs - 1) : NULL;
	if (last && last->kind == NODE_NAME && last->name == m->c->n_opt) {
		if (last->nargs || last->ncolon)
			return wrong(m, last, "opt takes no arguments");
		if (!(m->b->flags & OPTIONAL))
			return wrong(m, last, "%s cannot be optional",
				     m->b->name);
		m->t.flags |= DESC_OPT;
		m->nargs--;
	}
	if (wants_base(m) && m->nargs)
		m->base = nth(m, --m->nargs);
	if (m->nargs < m->b->min || m->nargs > m->b->max ||
	    (wants_base(m) && !m->base))
		return wrong(m, m->n, "%s takes %s%s%s%s%s; here are %u",
			     m->b->name, *m->b->args ? "(" : "no arguments",
			     m->b->args, *m->b->args ? ")" : "",
			     wants_base(m) ? " and the underlying type" : "",
			     m->b->flags & OPTIONAL ? ", [opt]" : "",
			     m->n->nargs);
	return true;
}

static bool may_stand(const struct making *m)
{
	const char *name = m->b->name;

	if (m->place == AT_RETURN)
		return wrong(m, m->n, "a call cannot return %s: only resources",
			     name);
	if (m->place == AT_ARG && !(m->b->flags & ARG))
		return wrong(m, m->n,
			     "%s cannot be an argument of a call: pass a "
			     "pointer to it",
			     name);
	if (m->place == AT_ALIAS && !(m->b->flags & ALIAS))
		return wrong(m, m->n, "a type alias cannot name %s", name);
	if (m->place == AT_FMT && m->b->kind != DESC_INT &&
	    m->b->kind != DESC_FLAGS && m->b->kind != DESC_PROC &&
	    m->b->kind != DESC_CONST && m->b->kind != DESC_LEN)
		return wrong(m, m->n, "fmt prints integers, not %s", name);
	return true;
}

static bool set_bits(struct making *m, const struct node *n)
{
	if (!n->ncolon)
		return true;
	if (m->place != AT_FIELD)
		return wrong(m, n,
			     "':' makes a bit-field, which only a field of a "
			     "struct can be");
	if (n->ncolon > 1)
		return wrong(m, n->colon->next, "a second ':'");
	if (n->colon->kind != NODE_INT)
		return wrong(m, n->colon,
			     "write the size of a bit-field as a number");
	if (!n->colon->value)
		return wrong(m, n->colon, "a bit-field has at least one bit");
	if (n->colon->value > 8u * m->t.base_bytes)
		return wrong(m, n->colon,
			     "%s bits do not fit into the %u of the "
			     "underlying type",
			     text_of(m, n->colon), 8u * m->t.base_bytes);
	m->t.bits = (uint8_t)n->colon->value;
	return true;
}

static void set_int(struct making *m, const struct builtin *b)
{
	m->t.base_bytes = b->size ? b->size : m->c->arch->ptr_bytes;
	if (b->flags & BIG)
		m->t.flags |= DESC_BE;
}

bool set_base(struct making *m)
{
	const struct node *n = m->base;
	const struct env *env = m->env;

	if (!n) {
		m->t.base_bytes = m->c->arch->ptr_bytes;
		m->t.flags |= DESC_NOSIZE;
		return true;
	}
	if (!deref(m->c, &n, &env))
		return false;
	const struct builtin *b =
		n->kind == NODE_NAME ? builtin_find(m->c, n->name) : NULL;

	if (!b || !(b->flags & INT) || n->nargs)
		return wrong(m, m->base,
			     "the underlying type of %s is int8, int16, int32, "
			     "int64, intptr or a big-endian one, not %s",
			     m->b->name, closure_text(m->c, n, env));
	set_int(m, b);
	if (n == &m->c->base_node)
		m->t.flags |= DESC_NOSIZE;
	return set_bits(m, n);
}

unsigned bits_of(const struct making *m)
{
	return m->t.bits ? m->t.bits : 8u * m->t.base_bytes;
}

/* "a", "a:b": constants or numbers. */
bool get_range(struct making *m, const struct node *n, const struct env *env,
	       const char *what)
{
	struct node first;

	if (n->nargs)
		return wrong(m, n, "the %s takes no arguments", what);
	if (n->ncolon > 1)
		return wrong(m, n->colon->next, "a second ':'");
	if (n->kind != NODE_INT && n->kind != NODE_NAME)
		return bad_value(m, n,
				 "the %s is a number, a constant or a range of "
				 "them, not %s",
				 what, closure_text(m->c, n, env));
	first = *n;
	first.colon = NULL;
	first.ncolon = 0;
	m->t.lo = m->t.hi = 0;
	bool known = eval(m->c, &first, env, &m->t.lo);

	if (n->ncolon)
		known &= eval(m->c, n->colon, env, &m->t.hi);
	else
		m->t.hi = m->t.lo;
	if (!known)
		m->t.lo = m->t.hi = 1;
	m->t.flags |= DESC_RANGE;
	return true;
}

static bool check_int_range(struct making *m, const struct node *n)
{
	unsigned bits = bits_of(m);
	uint64_t max = bits == 64 ? UINT64_MAX : ((uint64_t)1 << bits) - 1;
	uint64_t *lo = &m->t.lo, *hi = &m->t.hi;

	if (*hi == UINT64_MAX && (int64_t)*lo >= 0)
		*hi = max;
	if (*lo > *hi && ((int64_t)*lo > (int64_t)*hi || (int64_t)*lo >= 0))
		return bad_value(m, n,
				 "the range %s is empty: the lower end first",
				 text_of(m, n));
	if (!fits_bits(*lo, bits) || !fits_bits(*hi, bits))
		return bad_value(m, n, "the range %s does not fit into %u bits",
				 text_of(m, n), bits);
	return true;
}

static bool set_step(struct making *m, const struct node *n)
{
	if (!n)
		return true;
	if (n->nargs || n->ncolon)
		return wrong(m, n, "the alignment is one number");
	if (!eval(m->c, n, m->env, &m->t.step))
		return m->c->missing != 0;
	if (m->t.step <= 1)
		return bad_value(m, n,
				 "an alignment of %s has no effect: leave it "
				 "out or give 2 or more",
				 text_of(m, n));
	if (m->t.step > m->t.hi - m->t.lo)
		return bad_value(
			m, n, "with an alignment of %s the range has one value",
			text_of(m, n));
	return true;
}

/* A lower-case name is rather flags that there are not than a constant. */
static bool is_flags_name(struct compiler *c, uint32_t name)
{
	struct slice s = name_of(c->in, name);

	if (find_flags(c, name))
		return true;
	if (constant_find(c->in, name))
		return false;
	for (size_t i = 0; i < s.len; i++)
		if (s.p[i] >= 'a' && s.p[i] <= 'z')
			return true;
	return false;
}

static bool check_flags_fit(struct making *m, const struct node *at)
{
	/* An int may be given flags wider than the bit-field: it is cut. */
	unsigned bits = m->b->flags & INT ? 8u * m->t.base_bytes : bits_of(m);

	for (uint32_t i = 0; i < m->t.nlist; i++) {
		uint64_t v = m->c->values.data[m->t.list + i];

		if (!fits_bits(v, bits))
			return bad_value(
				m, at,
				"%s has the value %#llx, which does not "
				"fit into %u bits",
				text_of(m, at), (unsigned long long)v, bits);
	}
	return true;
}

static bool set_flags(struct making *m, const struct node *n)
{
	const struct node *name = n;
	const struct env *env = m->env;

	if (!deref(m->c, &name, &env))
		return false;
	if (name->kind != NODE_NAME)
		return wrong(m, n, "expected the name of flags, not %s",
			     text_of(m, n));
	if (name->nargs || name->ncolon)
		return wrong(m, n,
			     "the name of flags has no ':' and no "
			     "arguments");
	m->t.kind = DESC_FLAGS;
	return flags_values(m->c, name, false, &m->t.list, &m->t.nlist) &&
	       ((m->t.flags & DESC_NOSIZE) || check_flags_fit(m, n));
}

static bool make_int(struct making *m)
{
	const struct node *n = nth(m, 0), *arg = n;
	const struct env *env = m->env;

	set_int(m, m->b);
	if (m->n == &m->c->base_node)
		m->t.flags |= DESC_NOSIZE;
	if (!set_bits(m, m->n))
		return false;
	if (!m->nargs)
		return true;
	if (!deref(m->c, &arg, &env))
		return false;
	bool range = arg->ncolon > 0;

	if (m->nargs > 1 && !range)
		return wrong(m, nth(m, 1),
			     "an alignment needs a range before it");
	if (arg->kind == NODE_NAME && !range && is_flags_name(m->c, arg->name))
		return set_flags(m, n);
	if (!get_range(m, arg, env, "value"))
		return false;
	if (!range) {
		m->t.kind = DESC_CONST;
		m->t.flags &= (uint8_t)~DESC_RANGE;
	}
	if (m->c->missing)
		return true;
	if (!range && !fits_bits(m->t.lo, bits_of(m)))
		return wrong(m, n, "%s does not fit into %u bits",
			     text_of(m, n), bits_of(m));
	return (!range || check_int_range(m, n)) &&
	       set_step(m, m->nargs > 1 ? nth(m, 1) : NULL);
}

static bool make_const(struct making *m)
{
	const struct node *n = nth(m, 0);

	if (!set_base(m))
		return false;
	if (n->ncolon)
		return wrong(m, n, "a const is one value, without ':'");
	if (n->kind == NODE_EXPR || n->nargs)
		return wrong(m, n, "a const is a number or a constant");
	if (!eval(m->c, n, m->env, &m->t.lo))
		return m->c->missing != 0;
	if (!(m->t.flags & DESC_NOSIZE) && !fits_bits(m->t.lo, bits_of(m)))
		return bad_value(m, n, "%s (%#llx) does not fit into %u bits",
				 text_of(m, n), (unsigned long long)m->t.lo,
				 bits_of(m));

	unsigned bits = m->t.flags & DESC_NOSIZE ? 8u * m->c->arch->ptr_bytes :
						   bits_of(m);

	if (bits && bits < 64) /* -1 is 0xffffffff in 32 bits */
		m->t.lo &= ((uint64_t)1 << bits) - 1;
	return true;
}

/* The number of the word among those that end with NULL, or an error. */
bool get_word(struct making *m, const struct node *n, const char *const *words,
	      unsigned *which)
{
	_cleanup_(buf_deinit) struct buf all = {};
	const struct env *env = m->env;

	if (!deref(m->c, &n, &env))
		return false;
	for (unsigned i = 0; words[i]; i++) {
		*which = i;
		if (n->kind == NODE_NAME && !n->nargs && !n->ncolon &&
		    slice_eq(name_of(m->c->in, n->name), slice_cstr(words[i])))
			return true;
		buf_printf(&all, "%s%s", i ? ", " : "", words[i]);
	}
	return wrong(m, n, "%s takes one of %s, not %s", m->b->name,
		     buf_cstr(&all), closure_text(m->c, n, env));
}

static bool make_plain(struct making *m)
{
	m->t.size = m->t.kind == DESC_VOID ? 0 : DESC_VARLEN;
	return true;
}

static bool make(struct making *m)
{
	if (m->b->flags & FORMAT)
		return make_fmt(m);
	switch (m->b->kind) {
	case DESC_INT:
		return make_int(m);
	case DESC_CONST:
		return make_const(m);
	case DESC_FLAGS:
		return set_base(m) && set_flags(m, nth(m, 0));
	case DESC_PROC:
		return make_proc(m);
	case DESC_LEN:
		return make_len(m);
	case DESC_CSUM:
		return make_csum(m);
	case DESC_PTR:
		return make_ptr(m);
	case DESC_VMA:
		return make_vma(m);
	case DESC_ARRAY:
		return make_array(m);
	case DESC_STRING:
	case DESC_GLOB:
		return make_string(m);
	case DESC_TEXT:
		return make_text(m);
	default:
		return make_plain(m);
	}
}

uint32_t builtin_type(struct compiler *c, const struct builtin *b,
		      const struct node *n, const struct env *env,
		      enum place place)
{
	struct making m = { .c = c, .b = b, .n = n, .env = env, .place = place };
	uint32_t missing = c->missing, type = 0;

	m.t.kind = b->kind;
	c->missing = 0;
	if (!may_stand(&m) || !split_args(&m))
		goto out;
	if (n->ncolon && !(b->flags & INT)) {
		wrong(&m, n, "%s takes no ':'", b->name);
		goto out;
	}
	if (!make(&m))
		goto out;
	if (!m.t.size && m.t.base_bytes)
		m.t.size = m.t.base_bytes;
	if (c->missing)
		m.t.flags |= DESC_UNKNOWN;
	m.t.name = pool_bytes(c, slice_cstr(closure_text(c, n, env)));
	type = add_type(c, m.t);
out:
	c->missing = missing;
	return type;
}

static bool union_can_be_arg(const struct compiler *c, uint32_t record,
			     unsigned depth)
{
	const struct desc_record *r = &c->records.data[record];
	struct record *info = &c->infos.data[record];
	enum { NOT_KNOWN, YES, NO };

	/* One that we are within does not change the answer. */
	if (info->as_arg != NOT_KNOWN || depth > RESOLVE_DEPTH_MAX)
		return info->as_arg != NO;
	info->as_arg = YES;
	for (uint32_t i = r->field; i < r->field + r->nfields; i++)
		if (!type_can_be_arg(c, c->fields.data[i].type, depth + 1)) {
			info->as_arg = NO;
			return false;
		}
	return true;
}

bool type_can_be_arg(const struct compiler *c, uint32_t type, unsigned depth)
{
	const struct desc_type *t = type_at(c, type);

	switch (t->kind) {
	case DESC_UNION:
		return union_can_be_arg(c, t->elem, depth);
	case DESC_STRUCT:
	case DESC_ARRAY:
	case DESC_STRING:
	case DESC_FILENAME:
	case DESC_GLOB:
	case DESC_TEXT:
	case DESC_CSUM:
	case DESC_VOID:
		return false;
	default:
		return !t->format;
	}
}
