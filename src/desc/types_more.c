/* SPDX-License-Identifier: GPL-2.0-or-later */
/* types_more.c - the types that are more than an integer and its values. */
#include "desc/types.h"

bool make_proc(struct making *m)
{
	unsigned __int128 top = (unsigned __int128)1;

	if (!set_base(m))
		return false;
	if (!eval(m->c, nth(m, 0), m->env, &m->t.lo) ||
	    !eval(m->c, nth(m, 1), m->env, &m->t.hi))
		return m->c->missing != 0;
	top <<= bits_of(m);
	if (!m->t.hi)
		return bad_value(m, nth(m, 1),
				 "each process needs at least one value");
	if (m->t.lo + (unsigned __int128)m->t.hi * PROCS > top)
		return bad_value(
			m, m->n,
			"the values of %d processes do not fit into %u "
			"bits",
			PROCS, bits_of(m));
	return true;
}

static bool get_path(struct making *m, const struct node *n)
{
	const struct env *env = m->env;

	if (!deref(m->c, &n, &env))
		return false;
	if (n->kind != NODE_NAME || n->nargs)
		return wrong(m, n,
			     "the target is a field's name or a path like "
			     "parent:field, not %s",
			     closure_text(m->c, n, env));
	m->t.path = path_add(m->c, n, env, &m->t.npath);
	return m->t.path != DESC_NONE;
}

bool make_len(struct making *m)
{
	m->t.lo = m->b->size;
	if (m->b->flags & OFFSET)
		m->t.flags |= DESC_OFFSETOF;
	return set_base(m) && get_path(m, nth(m, 0));
}

bool make_csum(struct making *m)
{
	static const char *const kinds[] = { "inet", "pseudo", NULL };
	unsigned kind;

	if (!set_base(m) || !get_path(m, nth(m, 0)) ||
	    !get_word(m, nth(m, 1), kinds, &kind))
		return false;
	m->t.lo = kind;
	if ((kind == DESC_CSUM_PSEUDO) != (m->nargs == 3))
		return wrong(m, m->n,
			     "a pseudo checksum takes a protocol, an inet one "
			     "does not");
	return m->nargs < 3 || eval(m->c, nth(m, 2), m->env, &m->t.hi) ||
	       m->c->missing;
}

bool make_ptr(struct making *m)
{
	static const char *const dirs[] = { "in", "out", "inout", NULL };
	unsigned dir;

	m->t.size = m->b->size ? m->b->size : m->c->arch->ptr_bytes;
	if (!get_word(m, nth(m, 0), dirs, &dir))
		return false;
	m->t.dir = (uint8_t)dir;
	m->t.elem = resolve(m->c, nth(m, 1), m->env, AT_ELEM);
	return m->t.elem;
}

bool make_array(struct making *m)
{
	const struct node *n = nth(m, 1);
	const struct env *env = m->env;

	m->t.elem = resolve(m->c, nth(m, 0), m->env, AT_ELEM);
	if (!m->t.elem || !n)
		return m->t.elem;
	if (!deref(m->c, &n, &env) ||
	    !get_range(m, n, env, "number of elements"))
		return false;
	if (m->t.lo <= m->t.hi && (int64_t)m->t.hi > 0)
		return true;
	if (!m->t.hi)
		bad_value(m, n, "an array of no elements: use void");
	else
		bad_value(m, n, "%s is no number of elements",
			  closure_text(m->c, n, env));
	m->t.lo = m->t.hi = 1;
	return true;
}

bool make_vma(struct making *m)
{
	const struct node *n = nth(m, 0);
	const struct env *env = m->env;

	m->t.size = m->b->size ? m->b->size : m->c->arch->ptr_bytes;
	if (!m->nargs)
		return true;
	if (!deref(m->c, &n, &env) || !get_range(m, n, env, "number of pages"))
		return false;
	if (m->t.lo > m->t.hi || (int64_t)m->t.hi < 0 || !m->t.lo)
		return bad_value(m, n, "%s is no number of pages",
				 closure_text(m->c, n, env));
	return true;
}

/* All values have the size, or may get it. */
static bool check_string_size(struct making *m, const struct node *at,
			      uint64_t size)
{
	unsigned nul = !(m->t.flags & DESC_NOZ);
	uint64_t same = 0;

	for (uint32_t i = 0; i < m->t.nlist; i++) {
		uint64_t len = (uint32_t)m->c->values.data[m->t.list + i] + nul;

		if (size && len > size)
			return bad_value(m, at,
					 "a value of %llu bytes (with its NUL) "
					 "does not fit into %llu",
					 (unsigned long long)len,
					 (unsigned long long)size);
		if (i && same != len)
			same = UINT64_MAX;
		else if (!i)
			same = len;
	}
	m->t.size = size			    ? (uint32_t)size :
		    m->t.nlist && same < UINT32_MAX ? (uint32_t)same :
						      DESC_VARLEN;
	return true;
}

/* Its bytes are those of printf() with %020llu, 0x%016llx and %023llo. */
bool make_fmt(struct making *m)
{
	static const char *const kinds[] = { "dec", "hex", "oct", NULL };
	static const uint8_t sizes[] = { 20, 18, 23 };
	unsigned kind;
	uint32_t value;
	bool ok = get_word(m, nth(m, 0), kinds, &kind);

	value = resolve(m->c, nth(m, 1), m->env, AT_FMT);
	if (!ok || !value)
		return false;
	m->t = *type_at(m->c, value);
	m->t.format = (uint8_t)(DESC_DEC + kind);
	m->t.size = sizes[kind];
	if (m->t.kind != DESC_RESOURCE && m->t.kind != DESC_INT &&
	    m->t.kind != DESC_FLAGS && m->t.kind != DESC_PROC &&
	    m->t.kind != DESC_CONST && m->t.kind != DESC_LEN)
		return wrong(m, nth(m, 1), "fmt prints integers, not %s",
			     text_of(m, nth(m, 1)));
	if (m->c->type_missing.data[value])
		m->c->missing = m->c->type_missing.data[value];
	return true;
}

static bool get_strings(struct making *m, const struct node *n)
{
	const struct env *env = m->env;

	if (!deref(m->c, &n, &env))
		return false;
	if (n->nargs || n->ncolon ||
	    (n->kind != NODE_NAME && n->kind != NODE_STRING &&
	     n->kind != NODE_HEX))
		return wrong(m, n,
			     "%s takes a literal or the name of string "
			     "flags, not %s",
			     m->b->name, closure_text(m->c, n, env));
	if (n->kind == NODE_NAME && n->name == m->c->n_filename) {
		m->t.kind = DESC_FILENAME;
		return true;
	}
	if (n->kind == NODE_NAME)
		return flags_values(m->c, n, true, &m->t.list, &m->t.nlist);
	struct slice s = name_of(m->c->in, n->name);

	m->t.list = (uint32_t)m->c->values.len;
	m->t.nlist = 1;
	vec_push(&m->c->values, (uint64_t)pool_bytes(m->c, s) << 32 | s.len);
	return true;
}

bool make_string(struct making *m)
{
	uint64_t size = 0;

	if (m->b->flags & NUL_FREE)
		m->t.flags |= DESC_NOZ;
	if (m->nargs > 0 && !get_strings(m, nth(m, 0)))
		return false;
	const struct node *n = nth(m, 1);

	if (n && m->nargs > 1) {
		if (n->ncolon || n->nargs)
			return wrong(m, n, "the size is one number");
		if (!eval(m->c, n, m->env, &size) && !m->c->missing)
			return false;
		if (!m->c->missing && (!size || size > RECORD_BYTES_MAX))
			bad_value(m, n, "%s is no size of a string",
				  text_of(m, n));
	}
	if (m->t.kind == DESC_GLOB) {
		m->t.size = DESC_VARLEN;
		return true;
	}
	return check_string_size(m, nth(m, 0), size);
}

bool make_text(struct making *m)
{
	static const char *const kinds[] = {
		"x86_real", "x86_16",  "x86_32", "x86_64", "arm64",
		"ppc64",    "riscv64", "target", NULL,
	};
	unsigned kind;

	m->t.size = DESC_VARLEN;
	if (!get_word(m, nth(m, 0), kinds, &kind))
		return false;
	m->t.lo = kind;
	return true;
}
