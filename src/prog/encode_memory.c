/* SPDX-License-Identifier: GPL-2.0-or-later */
/* encode_memory.c - what pointers point to, as pieces of constant memory. */
#include <string.h>

#include "prog/encode.h"

/* ---- Pieces of memory ------------------------------------------------------------- */

static void piece_end(struct encoder *e)
{
	static const char zeroes[8];
	uint32_t len = (uint32_t)(e->to - e->from);

	if (e->piece == NO_PIECE)
		return;
	buf_add(e->out, zeroes, -len & 7u);
	memcpy(e->out->data + e->piece + offsetof(struct wire_insn, len), &len,
	       sizeof(len));
	e->piece = NO_PIECE;
}

/* Make it cover everything up to `to`, with zeroes. */
static void piece_grow(struct encoder *e, uint64_t to)
{
	size_t more = (size_t)(to - e->to);

	memset(buf_reserve(e->out, more), 0, more);
	e->out->len += more;
	e->to = to;
}

/* Where to write data[off, off + len), or NULL when that is not possible. */
char *piece_at(struct encoder *e, uint64_t off, uint64_t len)
{
	if (off > WIRE_DATA_SIZE || len > WIRE_DATA_SIZE - off) {
		e->too_far = true;
		return NULL;
	}
	if (!len)
		return NULL;
	if (e->piece != NO_PIECE &&
	    (off < e->from || (off > e->to && e->skipped)))
		piece_end(e);
	if (e->piece == NO_PIECE) {
		e->piece = e->out->len;
		e->from = e->to = off;
		put_insn(e, &(struct wire_insn){ .op = WIRE_COPYIN,
						 .result = WIRE_NO_RESULT,
						 .off = off });
	}
	e->skipped = false;
	if (off + len > e->to)
		piece_grow(e, off + len);
	return e->out->data + e->piece + sizeof(struct wire_insn) +
	       (off - e->from);
}

/* Memory that only the kernel writes. */
static void piece_skip(struct encoder *e, uint64_t off, uint64_t len)
{
	if (len)
		e->skipped = true;
	if (off > WIRE_DATA_SIZE || len > WIRE_DATA_SIZE - off) {
		e->too_far = true;
		return;
	}
	/* Smaller ones are covered by what the executor cleans anyway. */
	if (len <= WIRE_PAGE)
		return;
	piece_end(e);
	put_insn(e, &(struct wire_insn){ .op = WIRE_SPACE,
					 .result = WIRE_NO_RESULT,
					 .len = (uint32_t)len,
					 .off = off });
}

/* ---- Values ------------------------------------------------------------------------- */

uint64_t const_value(const struct encoder *e, const struct arg *a,
		     const struct desc_type *t)
{
	if (t->kind != DESC_PROC)
		return a->value;
	return a->value == UINT64_MAX ? 0 : t->lo + e->proc * t->hi + a->value;
}

static uint8_t text_of(const struct desc_type *t)
{
	static const uint8_t texts[] = {
		[DESC_BINARY] = WIRE_BINARY,
		[DESC_DEC] = WIRE_DEC,
		[DESC_HEX] = WIRE_HEX,
		[DESC_OCT] = WIRE_OCT,
	};

	return texts[t->format];
}

/*
 * A bit-field touches only the bytes that it has bits in, up to nine; a
 * big-endian one is within its unit, whose bytes are the other way round.
 */
static void put_bits(struct encoder *e, uint64_t off, uint64_t value,
		     const struct desc_type *t, uint8_t bit_off)
{
	bool big = t->flags & DESC_BE;
	uint32_t bytes = big ? t->base_bytes : (bit_off + t->bits + 7u) / 8;
	char *to = piece_at(e, off, bytes);
	uint64_t mask = (t->bits < 64 ? 1ull << t->bits : 0) - 1, old = 0;
	unsigned __int128 ones = (unsigned __int128)mask << bit_off, all = 0;

	if (!to)
		return;
	if (big) {
		memcpy(&old, to, bytes);
		all = swapped(old, bytes);
	} else {
		memcpy(&all, to, bytes);
	}
	all = (all & ~ones) | (unsigned __int128)(value & mask) << bit_off;
	if (big)
		all = swapped((uint64_t)all, bytes);
	memcpy(to, &all, bytes);
}

void put_value(struct encoder *e, uint64_t off, uint64_t value,
	       const struct desc_type *t, uint8_t bit_off)
{
	char *to;

	if (t->bits) {
		put_bits(e, off, value, t, bit_off);
		return;
	}
	to = piece_at(e, off, t->size);
	if (!to)
		return;
	if (t->format)
		wire_text_put(text_of(t), value, to);
	else if (t->flags & DESC_BE)
		value = swapped(value, t->size);
	if (!t->format)
		memcpy(to, &value, t->size);
}

/* ---- Results ------------------------------------------------------------ */

static void put_result(struct encoder *e, uint32_t arg, uint64_t off,
		       const struct desc_type *t, uint8_t bit_off)
{
	const struct arg *a = arg_at(e->p, arg);
	struct place place = {
		.arg = arg,
		.off = off,
		.how = { .size = (uint8_t)t->size,
			 .flags = t->flags & DESC_BE ? WIRE_BIG_ENDIAN : 0,
			 .bit_off = t->bits ? bit_off : 0,
			 .bit_len = t->bits,
			 .text = text_of(t) },
	};

	if (a->dir != DESC_IN && e->numbers[arg] && plain_size(t->size))
		vec_push(&e->copyouts, place);
	if (a->dir == DESC_OUT) {
		piece_skip(e, off, t->size);
	} else if (is_ref(e, a)) {
		piece_at(e, off, t->size);
		vec_push(&e->stores, place);
	} else {
		put_value(e, off, result_value(e, a), t, bit_off);
	}
}

/* ---- Arrays, and what was squashed -------------------------------------------------------- */

static uint64_t put_memory(struct encoder *e, uint32_t arg, uint64_t off,
			   uint8_t bit_off);

/* The bytes of an ARG_DATA that has room for `size`; zeroes behind them. */
static void put_bytes(struct encoder *e, const struct arg *a, uint64_t off,
		      uint64_t size)
{
	uint64_t len = a->len < size ? a->len : size;
	char *to;

	if (a->dir == DESC_OUT || a->from == NO_BYTES) {
		piece_skip(e, off, size);
		return;
	}
	to = piece_at(e, off, size);
	if (to && len)
		memcpy(to, e->p->bytes.data + a->from, len);
	if (to && len < size)
		memset(to + len, 0, size - len);
}

static uint64_t put_any(struct encoder *e, uint32_t group, uint64_t off)
{
	static const struct desc_type types[] = {
		[ANY_RES16] = { .size = 2 },
		[ANY_RES32] = { .size = 4 },
		[ANY_RES64] = { .size = 8 },
		[ANY_RES_DEC] = { .size = 20, .format = DESC_DEC },
		[ANY_RES_HEX] = { .size = 18, .format = DESC_HEX },
		[ANY_RES_OCT] = { .size = 23, .format = DESC_OCT },
	};
	uint64_t at = off;

	for (uint32_t c = arg_at(e->p, group)->child; c != ARG_NONE;
	     c = arg_at(e->p, c)->next) {
		const struct arg *a = arg_at(e->p, c);

		if (a->kind == ARG_RESULT) {
			put_result(e, c, at, &types[a->any], 0);
			at += types[a->any].size;
			continue;
		}
		put_bytes(e, a, at, a->len);
		at += a->len;
	}
	return at - off;
}

static uint64_t put_elements(struct encoder *e, const struct arg *group,
			     uint64_t off)
{
	uint64_t at = off;

	for (uint32_t c = group->child; c != ARG_NONE;
	     c = arg_at(e->p, c)->next)
		at += put_memory(e, c, at, 0);
	return at - off;
}

/* ---- Memory of an argument ---------------------------------------------------------------- */

static uint64_t put_fields(struct encoder *e, uint32_t group, uint64_t off)
{
	const struct desc_type *t = arg_type(e->p, arg_at(e->p, group));
	const struct desc_record *r = &e->d->records[t->elem];
	uint64_t at = 0, most = 0;
	uint32_t c = arg_at(e->p, group)->child;

	if (e->nested < NESTED_MAX)
		e->around[e->nested] = group;
	e->nested++;
	for (uint32_t i = 0; i < r->nfields && c != ARG_NONE;
	     i++, c = arg_at(e->p, c)->next) {
		const struct desc_field *f = &e->d->fields[r->field + i];
		uint64_t size;

		if (f->offset != DESC_VARLEN)
			at = f->offset;
		size = put_memory(e, c, off + at, f->bit_offset);
		if (e->has_sums)
			note_address(e, f, off + at, size);
		at += size;
		most = at > most ? at : most;
	}
	e->nested--;
	if ((r->flags & DESC_ALIGNED) && most % r->align)
		most += r->align - most % r->align;
	most = t->size == DESC_VARLEN ? most : t->size;
	if (e->has_sums)
		note_covered(e, group, off, most);
	return most;
}

static uint64_t put_data(struct encoder *e, const struct arg *a, uint64_t off)
{
	const struct desc_type *t = arg_type(e->p, a);
	uint64_t size = t->size == DESC_VARLEN ? a->len : t->size;

	put_bytes(e, a, off, size);
	return size;
}

static void put_number(struct encoder *e, const struct arg *a, uint64_t off,
		       const struct desc_type *t, uint8_t bit_off)
{
	if (a->dir == DESC_OUT)
		piece_skip(e, off, t->size);
	else if (t->kind == DESC_CSUM)
		put_sum(e, off, t);
	else
		put_value(e, off, const_value(e, a, t), t, bit_off);
}

static uint64_t address_of(const struct prog *p, const struct arg *a)
{
	return a->flags & ARG_SPECIAL ? special_address(p, a->value) :
					WIRE_DATA_BASE + a->value;
}

static void put_address(struct encoder *e, uint32_t arg, uint64_t off,
			const struct desc_type *t)
{
	const struct arg *a = arg_at(e->p, arg);

	/* One that is the kernel's to write has nothing to point to yet. */
	if (a->dir == DESC_OUT) {
		piece_skip(e, off, t->size);
		return;
	}
	put_value(e, off, address_of(e->p, a), t, 0);
	if (a->kind == ARG_POINTER && a->child != ARG_NONE)
		vec_push(&e->pointers, arg);
}

/* Write what is to be written of `arg` at data[off]; its size. */
static uint64_t put_memory(struct encoder *e, uint32_t arg, uint64_t off,
			   uint8_t bit_off)
{
	const struct arg *a = arg_at(e->p, arg);

	if (a->kind == ARG_ABSENT)
		return 0;
	if (a->flags & ARG_ANY)
		return put_any(e, arg, off);

	const struct desc_type *t = arg_type(e->p, a);
	uint64_t size = t->size;

	switch ((enum arg_kind)a->kind) {
	case ARG_CONST:
		put_number(e, a, off, t, bit_off);
		break;
	case ARG_RESULT:
		put_result(e, arg, off, t, bit_off);
		break;
	case ARG_POINTER:
	case ARG_VMA:
		put_address(e, arg, off, t);
		break;
	case ARG_DATA:
		size = put_data(e, a, off);
		break;
	case ARG_GROUP:
		size = t->kind == DESC_STRUCT ? put_fields(e, arg, off) :
						put_elements(e, a, off);
		break;
	case ARG_UNION:
		size = put_memory(e, a->child, off, 0);
		break;
	case ARG_ABSENT:
		break;
	}
	return t->size == DESC_VARLEN ? size : t->size;
}

/* ---- Pointees ------------------------------------------------------------ */

static void put_stores(struct encoder *e)
{
	vec_for_each(&e->stores, s) {
		const struct arg *a = arg_at(e->p, s->arg);

		put_ref(e, a, NR_NUMBERED, &s->how);
		put_insn(e, &(struct wire_insn){ .op = WIRE_STORE,
						 .result = WIRE_NO_RESULT,
						 .off = s->off });
		put_arg(e, &s->how);
	}
	e->stores.len = 0;
}

void put_pointee(struct encoder *e, const struct arg *pointer)
{
	const struct arg *to = arg_at(e->p, pointer->child);
	uint64_t size;
	bool later;

	e->has_sums = to->type != DESC_NONE &&
		      (e->p->target->holds[to->type] & TYPE_HOLDS_CSUM);
	e->piece = NO_PIECE;
	e->skipped = false;
	size = put_memory(e, pointer->child, pointer->value, 0);
	/* Padding at the end. */
	if (e->piece != NO_PIECE && !e->skipped && !e->too_far &&
	    pointer->value + size > e->to)
		piece_at(e, e->to, pointer->value + size - e->to);
	later = e->sums.len && !sums_now(e);
	piece_end(e);
	put_stores(e);
	if (later)
		sums_later(e);
	e->sums.len = 0;
	e->header.addr_len = 0;
}

bool put_flat(struct encoder *e, uint32_t arg, struct slice *bytes)
{
	uint64_t size;
	size_t start = e->out->len;

	e->has_sums = e->p->target->holds[arg_at(e->p, arg)->type] &
		      TYPE_HOLDS_CSUM;
	e->piece = NO_PIECE;
	size = put_memory(e, arg, 0, 0);
	if (e->skipped || e->too_far)
		return false;
	if (size && (e->piece == NO_PIECE || size > e->to))
		piece_at(e, e->piece == NO_PIECE ? 0 : e->to,
			 e->piece == NO_PIECE ? size : size - e->to);
	if (size && (e->piece != start || e->from))
		return false;
	if (e->sums.len)
		sums_now(e);
	*bytes = (struct slice){
		size ? e->out->data + start + sizeof(struct wire_insn) : "",
		(size_t)size
	};
	return true;
}
