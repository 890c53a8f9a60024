/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * c_type.c - the memory behind a pointer, as a C type and its initialiser.
 *
 * Every pointee gets a type of its own with just the layout that its values
 * have: arrays with their lengths, unions with the option chosen, padding
 * written out.  It is packed where the compiler would lay it out otherwise.
 */
#include <stdio.h>

#include "prog/c.h"

static bool is_scalar(const struct arg *a)
{
	return a->kind == ARG_CONST || a->kind == ARG_RESULT;
}

static unsigned format_of(const struct prog *p, const struct arg *a)
{
	static const uint8_t any[] = {
		[ANY_RES_DEC] = DESC_DEC,
		[ANY_RES_HEX] = DESC_HEX,
		[ANY_RES_OCT] = DESC_OCT,
	};

	return a->flags & ARG_ANY ? any[a->any] : arg_type(p, a)->format;
}

/* Integers of the same size, without text forms: a C array. */
bool c_is_ints(const struct prog *p, const struct arg *a)
{
	if (a->kind != ARG_GROUP || (a->flags & ARG_ANY) ||
	    arg_type(p, a)->kind != DESC_ARRAY || a->child == ARG_NONE)
		return false;
	for (uint32_t e = a->child; e != ARG_NONE; e = arg_at(p, e)->next)
		if (!is_scalar(arg_at(p, e)) || format_of(p, arg_at(p, e)))
			return false;
	return true;
}

/* ---- Members, in the order of memory ---------------------------------------------- */

/* One member after the other, and the gaps between them. */
struct members {
	const struct prog *p;
	const struct arg *group;
	const struct desc_record *record; /* of a struct or union, or NULL */
	uint32_t next, index;
	/* The current one. */
	uint32_t arg;
	char name[160];
	uint64_t gap_bits; /* in front of it */
	uint32_t bits; /* of a bit-field, or 0 */
	bool overlay; /* memory starts again here */
	uint64_t end_bit; /* behind it */
};

static struct members members_of(const struct prog *p, uint32_t arg)
{
	const struct arg *a = arg_at(p, arg);
	struct members m = { .p = p, .group = a, .next = a->child };

	if (!(a->flags & ARG_ANY) && arg_type(p, a)->kind != DESC_ARRAY)
		m.record = &p->target->d->records[arg_type(p, a)->elem];
	return m;
}

static void name_member(struct members *m, const struct desc_field *f)
{
	_cleanup_(buf_deinit) struct buf b = {};

	if (f)
		c_ident(&b, desc_name(m->p->target->d, f->name));
	else
		buf_printf(&b, "e%u", m->index);
	snprintf(m->name, sizeof(m->name), "%s", buf_cstr(&b));
}

static bool next_member(struct members *m)
{
	const struct desc *d = m->p->target->d;
	const struct desc_field *f = NULL;

	if (m->next == ARG_NONE)
		return false;
	m->arg = m->next;
	m->next = arg_at(m->p, m->arg)->next;
	if (m->record)
		f = &d->fields[m->record->field + (m->group->kind == ARG_UNION ?
							   m->group->extra :
							   m->index)];
	name_member(m, f);
	m->index++;

	uint64_t at = m->end_bit;

	m->overlay = f && (f->flags & DESC_OVERLAY);
	m->bits = f && m->group->kind == ARG_GROUP ? d->types[f->type].bits : 0;
	if (m->overlay)
		at = m->end_bit = 0;
	if (m->group->kind == ARG_GROUP && f && f->offset != DESC_VARLEN)
		at = 8ull * f->offset + f->bit_offset;
	else
		at = (at + 7) / 8 * 8;
	m->gap_bits = at > m->end_bit ? at - m->end_bit : 0;
	m->end_bit = at + (m->bits ? m->bits : 8 * arg_size(m->p, m->arg));
	return true;
}

static bool has_overlay(const struct prog *p, uint32_t arg)
{
	struct members m = members_of(p, arg);

	while (next_member(&m))
		if (m.overlay)
			return true;
	return false;
}

/*
 * What alignment the compiler gives a type made of these members; 1 when it has
 * to be packed because something is not where the compiler would put it.
 */
static uint32_t natural_align(const struct prog *p, uint32_t arg)
{
	const struct arg *a = arg_at(p, arg);
	uint32_t size = (uint32_t)arg_size(p, arg), align = 1;
	struct members m;

	if (a->kind == ARG_POINTER || a->kind == ARG_VMA)
		return size;
	if (is_scalar(a))
		return format_of(p, a) ? 1 : size;
	if (a->kind != ARG_GROUP && a->kind != ARG_UNION)
		return 1;
	m = members_of(p, arg);
	while (next_member(&m)) {
		uint32_t want = natural_align(p, m.arg);

		if (m.bits || m.overlay ||
		    (m.end_bit / 8 - arg_size(p, m.arg)) % want)
			return 1;
		align = want > align ? want : align;
	}
	return size % align ? 1 : align;
}

/* ---- Types ------------------------------------------------------------------------------ */

static void put_type(struct c_out *c, struct buf *out, uint32_t arg,
		     const char *name, unsigned depth);

static void put_tabs(struct buf *out, unsigned depth)
{
	while (depth--)
		buf_char(out, '\t');
}

static void put_gap(struct buf *out, uint64_t bits, unsigned number,
		    unsigned depth)
{
	if (!(bits % 8)) {
		put_tabs(out, depth);
		buf_printf(out, "uint8_t hole%u_[%llu];\n", number,
			   (unsigned long long)bits / 8);
		return;
	}
	for (; bits; bits -= MIN(bits, (uint64_t)64)) {
		put_tabs(out, depth);
		buf_printf(out, "uint64_t : %u;\n",
			   (unsigned)MIN(bits, (uint64_t)64));
	}
}

static void put_members(struct c_out *c, struct buf *out, uint32_t arg,
			unsigned depth)
{
	struct members m = members_of(c->p, arg);
	uint64_t size = 8 * arg_size(c->p, arg), most = 0;
	unsigned gaps = 0;

	while (next_member(&m)) {
		if (m.overlay) {
			put_tabs(out, depth - 1);
			buf_str(out, "} __attribute__((packed)) in;\n");
			put_tabs(out, depth - 1);
			buf_str(out, "struct {\n");
		}
		if (m.gap_bits)
			put_gap(out, m.gap_bits, gaps++, depth);
		most = m.end_bit > most ? m.end_bit : most;
		if (m.bits) {
			const struct desc_type *t =
				arg_type(c->p, arg_at(c->p, m.arg));

			put_tabs(out, depth);
			buf_printf(out, "uint%u_t %s : %u;\n",
				   8u * t->base_bytes, m.name, m.bits);
		} else if (arg_size(c->p, m.arg)) {
			put_type(c, out, m.arg, m.name, depth);
			buf_str(out, ";\n");
		}
	}
	if (most < size)
		put_gap(out, size - most, gaps, depth);
}

static void put_struct(struct c_out *c, struct buf *out, uint32_t arg,
		       unsigned depth, bool packed)
{
	if (!has_overlay(c->p, arg)) {
		buf_str(out, "struct {\n");
		put_members(c, out, arg, depth + 1);
		put_tabs(out, depth);
		buf_str(out, packed ? "} __attribute__((packed))" : "}");
		return;
	}
	buf_str(out, "union {\n");
	put_tabs(out, depth + 1);
	buf_str(out, "struct {\n");
	put_members(c, out, arg, depth + 2);
	put_tabs(out, depth + 1);
	buf_str(out, "} __attribute__((packed)) out;\n");
	put_tabs(out, depth);
	buf_str(out, "}");
}

static void put_type(struct c_out *c, struct buf *out, uint32_t arg,
		     const char *name, unsigned depth)
{
	const struct arg *a = arg_at(c->p, arg);
	unsigned long long size = arg_size(c->p, arg);

	put_tabs(out, depth);
	if (a->kind == ARG_POINTER || a->kind == ARG_VMA) {
		buf_printf(out, "void *%s", name);
		return;
	}
	if (a->kind == ARG_DATA || (is_scalar(a) && format_of(c->p, a))) {
		buf_printf(out, "uint8_t %s[%llu]", name, size);
		return;
	}
	if (is_scalar(a)) {
		buf_printf(out, "uint%llu_t %s", 8 * size, name);
		return;
	}
	if (c_is_ints(c->p, a)) {
		uint32_t n = list_len(c->p, a->child);

		buf_printf(out, "uint%llu_t %s[%u]", 8 * size / n, name, n);
		return;
	}
	put_struct(c, out, arg, depth, natural_align(c->p, arg) == 1);
	buf_printf(out, " %s", name);
}

void c_type(struct c_out *c, struct buf *out, uint32_t arg, uint64_t at)
{
	const struct arg *a = arg_at(c->p, arg);
	unsigned long long bits = 8 * arg_size(c->p, arg);
	uint32_t align;

	if (a->kind == ARG_POINTER || a->kind == ARG_VMA) {
		buf_str(out, "void *");
	} else if (is_scalar(a)) {
		buf_printf(out, "uint%llu_t ", format_of(c->p, a) ? 8 : bits);
	} else if (c_is_ints(c->p, a)) {
		buf_printf(out, "uint%llu_t ", 8ull * arg_size(c->p, a->child));
	} else {
		align = natural_align(c->p, arg);
		put_struct(c, out, arg, 1, align == 1 || at % align);
	}
}

/* ---- Values ------------------------------------------------------------------------------ */

/* "00000000000000000042": fmt types, for known values. */
static void put_text_number(struct buf *out, unsigned format, uint64_t v)
{
	unsigned long long n = v;

	if (format == DESC_DEC)
		buf_printf(out, "\"%020llu\"", n);
	else if (format == DESC_HEX)
		buf_printf(out, "\"0x%016llx\"", n);
	else
		buf_printf(out, "\"%023llo\"", n);
}

/* Its two bytes have the order of memory already. */
static bool put_sum(struct c_out *c, struct buf *out, uint32_t arg)
{
	vec_for_each(&c->sums, s)
		if (s->arg == arg) {
			buf_printf(out, "%#x", s->value);
			return s->value;
		}
	return false; /* computed when the rest is there */
}

static bool put_scalar(struct c_out *c, struct buf *out, const struct arg *a,
		       uint32_t arg)
{
	unsigned format = format_of(c->p, a);
	bool known = a->kind == ARG_CONST || a->child == ARG_NONE;
	unsigned bytes = (unsigned)arg_size(c->p, arg);
	bool swap = !(a->flags & ARG_ANY) &&
		    (arg_type(c->p, a)->flags & DESC_BE) && bytes > 1;

	if (!(a->flags & ARG_ANY) && arg_type(c->p, a)->kind == DESC_CSUM)
		return put_sum(c, out, arg);
	if (format && !known)
		return false; /* written when the result is there */
	if (known && !a->value && !format &&
	    ((a->flags & ARG_ANY) || arg_type(c->p, a)->kind != DESC_PROC))
		return false;
	if (format) {
		put_text_number(out, format, a->value);
		return true;
	}
	if (swap) {
		c_include(c, "endian.h");
		buf_printf(out, "htobe%u(", 8 * bytes);
	}
	c_scalar(c, out, arg);
	if (swap)
		buf_char(out, ')');
	return true;
}

static bool put_data(struct c_out *c, struct buf *out, const struct arg *a)
{
	uint32_t len = a->len;

	if (a->from == NO_BYTES)
		return false;
	while (len && !c->p->bytes.data[a->from + len - 1])
		len--;
	if (len)
		c_literal(out, c->p->bytes.data + a->from, len);
	return len;
}

static bool put_ints(struct c_out *c, struct buf *out, const struct arg *a)
{
	const char *comma = "";
	bool any = false;

	buf_str(out, "{ ");
	for (uint32_t e = a->child; e != ARG_NONE; e = arg_at(c->p, e)->next) {
		buf_str(out, comma);
		comma = ", ";
		if (put_scalar(c, out, arg_at(c->p, e), e))
			any = true;
		else
			buf_char(out, '0');
	}
	buf_str(out, " }");
	return any;
}

static bool put_value(struct c_out *c, struct buf *out, uint32_t arg,
		      unsigned depth);

static bool put_bits(struct c_out *c, struct buf *out, uint32_t arg,
		     uint32_t bits)
{
	const struct arg *a = arg_at(c->p, arg);
	uint64_t value = a->value &
			 (bits < 64 ? (1ull << bits) - 1 : UINT64_MAX);

	if (a->kind != ARG_CONST)
		return put_value(c, out, arg, 0);
	if (value == a->value)
		c_number(c, out, arg_type(c->p, a), value, 8);
	else
		buf_printf(out, "%#llx", (unsigned long long)value);
	return value;
}

static bool put_member_values(struct c_out *c, struct buf *out, uint32_t arg,
			      unsigned depth)
{
	struct members m = members_of(c->p, arg);
	const char *prefix = has_overlay(c->p, arg) ? "in." : "";
	const char *between = depth == 2 ? "\n\t\t" : " ";
	bool any = false;

	buf_char(out, '{');
	while (next_member(&m)) {
		size_t at = out->len;

		if (m.overlay)
			prefix = "out.";
		buf_printf(out, "%s.%s%s = ", between, prefix, m.name);
		if (arg_at(c->p, m.arg)->dir != DESC_OUT &&
		    arg_at(c->p, m.arg)->kind != ARG_ABSENT &&
		    arg_size(c->p, m.arg) &&
		    (m.bits ? put_bits(c, out, m.arg, m.bits) :
			      put_value(c, out, m.arg, depth + 1))) {
			any = true;
			buf_char(out, ',');
		} else {
			out->len = at;
		}
	}
	buf_str(out, depth == 2 ? "\n\t}" : " }");
	return any;
}

static bool put_value(struct c_out *c, struct buf *out, uint32_t arg,
		      unsigned depth)
{
	const struct arg *a = arg_at(c->p, arg);

	switch (a->kind) {
	case ARG_DATA:
		return put_data(c, out, a);
	case ARG_POINTER:
	case ARG_VMA:
		if ((a->flags & ARG_SPECIAL) && !a->value)
			return false;
		c_scalar(c, out, arg);
		return true;
	case ARG_CONST:
	case ARG_RESULT:
		return put_scalar(c, out, a, arg);
	default:
		return c_is_ints(c->p, a) ?
			       put_ints(c, out, a) :
			       put_member_values(c, out, arg, depth);
	}
}

bool c_value(struct c_out *c, struct buf *out, uint32_t arg)
{
	return put_value(c, out, arg, 2);
}

static void scalars(struct c_out *c, uint32_t arg, const char *path,
		    const char *sep, uint64_t off,
		    void (*fn)(struct c_out *c, const char *path, uint32_t arg,
			       uint64_t off))
{
	const struct arg *a = arg_at(c->p, arg);
	struct members m;
	const char *prefix;
	char *sub;

	if (is_scalar(a))
		fn(c, path, arg, off);
	if (a->kind != ARG_GROUP && a->kind != ARG_UNION)
		return;
	m = members_of(c->p, arg);
	prefix = has_overlay(c->p, arg) ? "in." : "";
	while (next_member(&m)) {
		int n;

		if (m.overlay)
			prefix = "out.";
		n = c_is_ints(c->p, a) ?
			    asprintf(&sub, "%s[%u]", path, m.index - 1) :
			    asprintf(&sub, "%s%s%s%s", path, sep, prefix,
				     m.name);
		if (n < 0)
			abort();
		scalars(c, m.arg, sub, ".",
			off + m.end_bit / 8 -
				(m.bits ? 0 : arg_size(c->p, m.arg)),
			fn);
		free(sub);
	}
}

void c_scalars(struct c_out *c, uint32_t arg, const char *var,
	       void (*fn)(struct c_out *c, const char *path, uint32_t arg,
			  uint64_t off))
{
	_cleanup_(buf_deinit) struct buf path = {};

	buf_printf(&path, is_scalar(arg_at(c->p, arg)) ? "*%s" : "%s", var);
	scalars(c, arg, buf_cstr(&path), "->", 0, fn);
}
