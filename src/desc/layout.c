/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * layout.c - sizes, alignments and offsets, as the C compiler of each
 * architecture would place them (the psABIs; bit-fields as gcc does).
 */
#include "desc/compile.h"

static void layout_record(struct compiler *c, uint32_t ri);

static uint32_t int_align(const struct compiler *c, uint32_t bytes)
{
	return bytes == 8 ? c->arch->int64_align : bytes;
}

static void layout_array(struct compiler *c, struct desc_type *t)
{
	const struct desc_type *e = type_at(c, t->elem);
	unsigned __int128 size;

	t->align = e->align;
	t->size = DESC_VARLEN;
	if (!e->size) {
		t->size = 0;
	} else if (e->size != DESC_VARLEN && (t->flags & DESC_RANGE) &&
		   t->lo == t->hi) {
		size = (unsigned __int128)e->size * t->lo;
		/* Too big is said of the record or call it is in. */
		t->size = size > RECORD_BYTES_MAX ? RECORD_BYTES_MAX + 1 :
						    (uint32_t)size;
	}
}

/* Sizes of a type and of what it holds by value. */
static void layout_type(struct compiler *c, uint32_t type)
{
	uint32_t chain[RESOLVE_DEPTH_MAX + 2], n = 0;

	/* From the outside in, then back. */
	for (uint32_t i = type; n < ARRAY_LEN(chain); i = type_at(c, i)->elem) {
		chain[n++] = i;
		if (type_at(c, i)->kind != DESC_ARRAY)
			break;
	}
	while (n--) {
		struct desc_type *t = &c->types.data[chain[n]];

		if (t->align)
			continue;
		if (t->kind == DESC_ARRAY) {
			layout_array(c, t);
		} else if (is_record(t)) {
			layout_record(c, t->elem);
			t->size = c->records.data[t->elem].size;
			t->align = c->records.data[t->elem].align;
		} else if (t->kind == DESC_PTR || t->kind == DESC_VMA) {
			t->align = int_align(c, t->size);
		} else if (t->base_bytes && !t->format) {
			t->align = int_align(c, t->base_bytes);
		} else {
			t->align = 1;
		}
	}
}

/* Where we are in a struct. */
struct place_at {
	uint64_t bytes; /* the end of all so far */
	uint64_t bit; /* the end of the last bit-field, from the start */
	bool in_bits;
	bool varlen;
	uint32_t align;
};

static uint64_t round_up(uint64_t n, uint64_t align)
{
	return align ? (n + align - 1) / align * align : n;
}

/*
 * A bit-field goes on where the last one ended, unless it would cross a
 * boundary of its type; packed, it may.
 */
static void place_bits(struct desc_field *f, const struct desc_type *t,
		       bool packed, struct place_at *at)
{
	uint64_t unit = 8u * t->base_bytes;
	uint64_t bit = at->in_bits ? at->bit : at->bytes * 8;

	if (!packed && bit % unit + t->bits > unit)
		bit = round_up(bit, unit);
	if (packed) {
		f->offset = (uint32_t)(bit / 8);
		f->bit_offset = (uint8_t)(bit % 8);
	} else {
		f->offset = (uint32_t)(bit / unit * t->base_bytes);
		f->bit_offset = (uint8_t)(bit % unit);
		at->align = at->align > t->align ? at->align : t->align;
	}
	at->bit = bit + t->bits;
	at->bytes = (at->bit + 7) / 8;
	at->in_bits = true;
}

static void place_field(struct compiler *c, uint32_t ri, uint32_t fi,
			struct place_at *at)
{
	struct desc_field *f = &c->fields.data[fi];
	const struct desc_type *t = type_at(c, f->type);
	bool packed = c->records.data[ri].flags & DESC_PACKED;
	bool last = fi + 1 ==
		    c->records.data[ri].field + c->records.data[ri].nfields;
	bool varlen = t->size == DESC_VARLEN || f->cond != DESC_NONE;

	if (f->flags & DESC_OVERLAY) {
		at->bytes = 0;
		at->in_bits = at->varlen = false;
	}
	if (at->varlen) {
		f->offset = DESC_VARLEN;
	} else if (t->bits) {
		place_bits(f, t, packed, at);
		return;
	} else {
		uint64_t align = packed ? 1 : t->align;

		at->bytes = round_up(at->bytes, align);
		f->offset = (uint32_t)at->bytes;
	}
	at->in_bits = false;
	if (!packed && t->align > at->align)
		at->align = t->align;
	if (varlen && !packed && !last && !c->infos.data[ri].failed) {
		const struct desc_field *next = f + 1;

		if (!(next->flags & DESC_OVERLAY))
			say_error(c->in, c->field_pos.data[fi],
				  "a field of variable size goes to the end, "
				  "or the struct is [packed]");
	}
	at->varlen |= varlen;
	if (!varlen)
		at->bytes += t->size;
}

static void too_big(struct compiler *c, uint32_t ri, uint64_t bytes)
{
	say_error(c->in, c->infos.data[ri].decl->pos,
		  "'%s' would have %llu bytes or more; the limit is %d",
		  c->pool.data + c->records.data[ri].name,
		  (unsigned long long)bytes, RECORD_BYTES_MAX);
}

/* Round up, and apply the attributes. */
static void finish(struct compiler *c, uint32_t ri, struct place_at *at,
		   uint64_t bytes)
{
	struct desc_record *r = &c->records.data[ri];
	const struct record *info = &c->infos.data[ri];

	r->align = at->align ? at->align : 1;
	if (info->want_align) {
		r->align = (uint32_t)info->want_align;
		r->flags |= DESC_ALIGNED;
	}
	bytes = round_up(bytes, r->align);
	if (at->varlen && info->want_size) {
		say_error(c->in, info->size_pos,
			  "'%s' has a variable size: take the size attribute "
			  "away",
			  c->pool.data + r->name);
	} else if (info->want_size && bytes > info->want_size) {
		if (!(r->flags & DESC_IS_UNION))
			say_error(c->in, info->size_pos,
				  "'%s' has %llu bytes: more than its size "
				  "attribute says",
				  c->pool.data + r->name,
				  (unsigned long long)bytes);
	} else if (info->want_size) {
		bytes = info->want_size;
	}
	if (bytes > RECORD_BYTES_MAX) {
		too_big(c, ri, bytes);
		bytes = 1;
	}
	r->size = at->varlen ? DESC_VARLEN : (uint32_t)bytes;
}

static void layout_struct(struct compiler *c, uint32_t ri)
{
	const struct desc_record *r = &c->records.data[ri];
	struct place_at at = {};
	uint64_t most = 0;
	bool varlen = false;

	for (uint32_t i = r->field; i < r->field + r->nfields; i++) {
		place_field(c, ri, i, &at);
		varlen |= at.varlen;
		most = at.bytes > most ? at.bytes : most;
		if (most > RECORD_BYTES_MAX)
			break;
	}
	at.varlen = varlen;
	finish(c, ri, &at, most);
}

static void layout_union(struct compiler *c, uint32_t ri)
{
	const struct desc_record *r = &c->records.data[ri];
	const struct record *info = &c->infos.data[ri];
	bool conds = r->flags & DESC_CONDITIONAL;
	struct place_at at = { .varlen = conds ||
					 (r->flags & DESC_VARLEN_UNION) };
	uint64_t most = 0;

	for (uint32_t i = r->field; i < r->field + r->nfields; i++) {
		const struct desc_type *t = type_at(c, c->fields.data[i].type);

		at.align = t->align > at.align ? t->align : at.align;
		if (t->size == DESC_VARLEN) {
			if (!at.varlen)
				say_error(c->in, c->field_pos.data[i],
					  "an option of variable size: make "
					  "the union [varlen]");
			continue;
		}
		most = t->size > most ? t->size : most;
		if (info->want_size && t->size > info->want_size)
			say_error(c->in, c->field_pos.data[i],
				  "%u bytes: more than the union's size "
				  "attribute says",
				  t->size);
	}
	finish(c, ri, &at, most);
}

static void layout_record(struct compiler *c, uint32_t ri)
{
	struct desc_record *r = &c->records.data[ri];

	if (r->align)
		return;
	if (c->depth == RECORD_DEPTH_MAX) {
		say_last(c->in, c->infos.data[ri].decl->pos,
			 "structs within each other more than %d deep",
			 RECORD_DEPTH_MAX);
		return;
	}
	/* Who comes back here does so by an array, perhaps an empty one. */
	r->align = 1;
	r->size = DESC_VARLEN;
	c->depth++;
	for (uint32_t i = r->field; i < r->field + r->nfields; i++)
		layout_type(c, c->fields.data[i].type);
	if (r->flags & DESC_IS_UNION)
		layout_union(c, ri);
	else
		layout_struct(c, ri);
	c->depth--;
}

/* Arrays that no record holds by value. */
static void check_arrays(struct compiler *c)
{
	for (uint32_t i = 0; i < c->fields.len; i++) {
		const struct desc_type *t = type_at(c, c->fields.data[i].type);

		while (t->kind == DESC_PTR)
			t = type_at(c, t->elem);
		if (t->kind == DESC_ARRAY && t->size != DESC_VARLEN &&
		    t->size > RECORD_BYTES_MAX)
			say_error(c->in, c->field_pos.data[i],
				  "an array of more than %d bytes",
				  RECORD_BYTES_MAX);
	}
}

void layout_all(struct compiler *c)
{
	c->depth = 0;
	for (uint32_t i = 0; i < c->records.len && !c->in->stopped; i++)
		layout_record(c, i);
	for (uint32_t i = 0; i < c->types.len && !c->in->stopped; i++)
		layout_type(c, i);
	check_arrays(c);
}
