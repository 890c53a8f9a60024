/* SPDX-License-Identifier: GPL-2.0-or-later */
/* c_value.c - numbers, flags and addresses in C. */
#include <ctype.h>
#include <fcntl.h>

#include "prog/c.h"

static bool is_reserved(const char *name)
{
	static const char *const words[] = {
		"auto",
		"bool",
		"break",
		"case",
		"char",
		"const",
		"continue",
		"default",
		"do",
		"double",
		"else",
		"enum",
		"errno",
		"extern",
		"float",
		"for",
		"goto",
		"if",
		"inline",
		"int",
		"linux",
		"long",
		"register",
		"restrict",
		"return",
		"short",
		"signed",
		"sizeof",
		"static",
		"struct",
		"switch",
		"typedef",
		"typeof",
		"union",
		"unix",
		"unsigned",
		"void",
		"volatile",
		"while",
		"asm",
		/* macros of libc */
		"msg_cbytes",
		"sa_handler",
		"sa_sigaction",
		"sched_priority",
		"sigev_notify_attributes",
		"sigev_notify_function",
		"st_atime",
		"st_ctime",
		"st_mtime",
		"stderr",
		"stdin",
		"stdout",
	};

	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (!strcmp(name, words[i]))
			return true;
	return !strncmp(name, "si_", 3);
}

/* Lower case: names in upper case may be macros. */
void c_ident(struct buf *out, const char *name)
{
	bool reserved = is_reserved(name);

	if (!*name || isdigit((unsigned char)*name))
		buf_char(out, '_');
	for (; *name; name++)
		buf_char(out, isalnum((unsigned char)*name) ?
				      (char)tolower((unsigned char)*name) :
				      '_');
	if (reserved)
		buf_char(out, '_');
}

void c_literal(struct buf *out, const char *data, size_t len)
{
	bool hex = false;

	buf_char(out, '"');
	for (size_t i = 0; i < len; i++) {
		unsigned char ch = (unsigned char)data[i];
		bool plain = ch >= ' ' && ch < 0x7f && ch != '"' &&
			     ch != '\\' && ch != '?';

		/* A digit behind \xNN would belong to it. */
		if (hex && plain && isxdigit(ch))
			buf_str(out, "\" \"");
		hex = false;
		if (plain) {
			buf_char(out, (char)ch);
		} else if (ch == '\n') {
			buf_str(out, "\\n");
		} else if (!ch && (i + 1 == len || data[i + 1] < '0' ||
				   data[i + 1] > '9')) {
			buf_str(out, "\\0");
		} else {
			buf_printf(out, "\\x%02x", ch);
			hex = true;
		}
	}
	buf_char(out, '"');
}

/* ---- Constants ------------------------------------------------------------------ */

static void use_name(struct c_out *c, struct slice name, uint64_t value)
{
	vec_for_each(&c->names, n)
		if (!n->is_call && slice_eq(n->name, name))
			return;
	vec_push(&c->names, (struct c_name){ name, value, false });
}

/* "const[NAME, int32]" -> NAME, if it is a name. */
static struct slice const_name(const struct desc *d, const struct desc_type *t)
{
	const char *from = strchr(desc_name(d, t->name), '[');
	size_t n = 0;

	if (!from || strncmp(desc_name(d, t->name), "const[", 6) ||
	    !(isalpha((unsigned char)from[1]) || from[1] == '_'))
		return (struct slice){};
	while (isalnum((unsigned char)from[1 + n]) || from[1 + n] == '_')
		n++;
	if (from[1 + n] != ']' && from[1 + n] != ',')
		return (struct slice){};
	return (struct slice){ from + 1, n };
}

static bool put_const(struct c_out *c, struct buf *out,
		      const struct desc_type *t, uint64_t value)
{
	const struct desc *d = c->p->target->d;
	struct slice name = const_name(d, t);

	if (t->kind != DESC_CONST || value != t->lo || !name.len)
		return false;
	buf_slice(out, name);
	use_name(c, name, value);
	return true;
}

/* The value of the list that covers most of what is left; or NONE. */
static uint32_t best_flag(const struct desc *d, const struct desc_type *t,
			  uint64_t left)
{
	uint32_t best = DESC_NONE;

	for (uint32_t i = t->list; i < t->list + t->nlist; i++) {
		uint64_t v = d->values[i];

		if (!d->value_names[i] || (v & ~left) || (!v && left))
			continue;
		if (best == DESC_NONE ||
		    __builtin_popcountll(v) >
			    __builtin_popcountll(d->values[best]))
			best = i;
	}
	return best;
}

static bool put_flags(struct c_out *c, struct buf *out,
		      const struct desc_type *t, uint64_t value)
{
	const struct desc *d = c->p->target->d;
	uint64_t left = value;
	size_t at = out->len;
	const char * or = "";

	if (t->kind != DESC_FLAGS)
		return false;
	if (t->nlist && !strncmp(desc_name(d, d->value_names[t->list]), "S_I",
				 3)) { /* a file's mode: nobody spells it out */
		buf_printf(out, "%#llo", (unsigned long long)value);
		return true;
	}
	do {
		uint32_t i = best_flag(d, t, left);

		if (i == DESC_NONE)
			break;
		const char *name = desc_name(d, d->value_names[i]);

		buf_printf(out, "%s%s", or, name);
		use_name(c, slice_cstr(name), d->values[i]);
		left &= ~d->values[i];
		or = " | ";
	} while (left);
	if (out->len == at)
		return false;
	if (left)
		buf_printf(out, " | %#llx", (unsigned long long)left);
	return true;
}

void c_number(struct c_out *c, struct buf *out, const struct desc_type *t,
	      uint64_t value, unsigned bytes)
{
	uint64_t mask = bytes < 8 ? (1ull << 8 * bytes) - 1 : UINT64_MAX;

	/* A name stands for the whole value, which may be too wide. */
	if (t && (value & mask) == value &&
	    (put_const(c, out, t, value) || put_flags(c, out, t, value)))
		return;
	value &= mask;
	if (value > mask - 4096 && bytes >= 4)
		buf_printf(out, "%lld", (long long)(value | ~mask));
	else if (value < 10)
		buf_printf(out, "%llu", (unsigned long long)value);
	else
		buf_printf(out, "%#llx", (unsigned long long)value);
}

/* ---- Scalars ----------------------------------------------------------------------- */

static void put_address(struct c_out *c, struct buf *out, const struct arg *a)
{
	const char *var = a->kind == ARG_POINTER && a->child != ARG_NONE ?
				  c_var_find(c, a->child) :
				  NULL;

	if (a->flags & ARG_SPECIAL) {
		if (a->value)
			buf_printf(out, "(void *)%#llx",
				   (unsigned long long)special_address(
					   c->p, a->value));
		else
			buf_str(out, "NULL");
		return;
	}
	if (var) {
		buf_str(out, var);
		return;
	}
	c->data = true;
	if (a->value)
		buf_printf(out, "data + %#llx", (unsigned long long)a->value);
	else
		buf_str(out, "data");
}

static void put_result(struct c_out *c, struct buf *out, const struct arg *a)
{
	const char *var = a->child == ARG_NONE ? NULL :
						 c_result_find(c, a->child);
	const struct desc_type *t = a->type == DESC_NONE ? NULL :
							   arg_type(c->p, a);

	if (!var && a->child == ARG_NONE && (int64_t)a->value == AT_FDCWD) {
		c_include(c, "fcntl.h");
		buf_str(out, "AT_FDCWD");
		return;
	}
	if (!var) {
		c_number(c, out, NULL, a->child == ARG_NONE ? a->value : 0,
			 t ? (t->base_bytes ? t->base_bytes : 8) : 8);
		return;
	}
	if (a->div <= 1 && !a->extra) {
		buf_str(out, var);
		return;
	}
	buf_printf(out, "(%s", var);
	if (a->div > 1)
		buf_printf(out, " / %#llx", (unsigned long long)a->div);
	if (a->extra)
		buf_printf(out, " + %#llx", (unsigned long long)a->extra);
	buf_char(out, ')');
}

/* Of values that differ between executors, the first one's. */
static uint64_t const_value(const struct arg *a, const struct desc_type *t)
{
	if (t->kind != DESC_PROC)
		return a->value;
	return a->value == UINT64_MAX ? 0 : t->lo + a->value;
}

void c_scalar(struct c_out *c, struct buf *out, uint32_t arg)
{
	const struct arg *a = arg_at(c->p, arg);
	const struct desc_type *t;

	switch (a->kind) {
	case ARG_POINTER:
	case ARG_VMA:
		put_address(c, out, a);
		break;
	case ARG_RESULT:
		put_result(c, out, a);
		break;
	default:
		t = arg_type(c->p, a);
		c_number(c, out, t, const_value(a, t),
			 t->base_bytes ? t->base_bytes : 8);
	}
}
