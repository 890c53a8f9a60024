/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * encode_sum.c - internet checksums, computed here where all they cover is
 * constant.  Whether that is a struct around or the whole IP packet says the
 * type; for a pseudo header, addresses are the fields src_ip and dst_ip that
 * stood last before.
 */
#include <string.h>

#include "prog/encode.h"

/* The struct, of those we are in, that a checksum covers. */
static uint32_t covered(const struct encoder *e, const struct desc_type *t)
{
	const char *name =
		t->npath ? desc_name(e->d, (uint32_t)e->d->values[t->path]) :
			   "parent";
	uint32_t depth = MIN(e->nested, NESTED_MAX);
	bool parent = !strcmp(name, "parent");

	for (uint32_t i = depth; i--;)
		if (parent || record_is(e->p, e->around[i], name))
			return e->around[i];
	return depth ? e->around[depth - 1] : ARG_NONE;
}

void put_sum(struct encoder *e, uint64_t off, const struct desc_type *t)
{
	struct sum s = e->header;

	s.type = t;
	s.off = off;
	s.target = covered(e, t);
	if (t->lo != DESC_CSUM_PSEUDO)
		s.addr_len = 0;
	if (t->size == 2 && !t->bits && s.target != ARG_NONE)
		vec_push(&e->sums, s);
	put_value(e, off, 0, t, 0);
}

void note_address(struct encoder *e, const struct desc_field *f, uint64_t off,
		  uint64_t size)
{
	const char *name = desc_name(e->d, f->name);

	if (!strcmp(name, "src_ip")) {
		e->header.src = off;
	} else if (!strcmp(name, "dst_ip") && (size == 4 || size == 16)) {
		e->header.dst = off;
		e->header.addr_len = (uint32_t)size;
	}
}

void note_covered(struct encoder *e, uint32_t arg, uint64_t off, uint64_t size)
{
	vec_for_each(&e->sums, s)
		if (s->target == arg) {
			s->from = off;
			s->len = size;
		}
}

/* The chunks of a checksum (RFC 768, RFC 8200 8.1); how many. */
static uint32_t sum_chunks(const struct sum *s, struct wire_chunk c[4])
{
	uint32_t n = 0;

	if (s->addr_len) {
		uint64_t proto = s->type->hi & 0xff;

		c[n++] = (struct wire_chunk){ WIRE_CHUNK_DATA, s->addr_len,
					      s->src };
		c[n++] = (struct wire_chunk){ WIRE_CHUNK_DATA, s->addr_len,
					      s->dst };
		c[n++] = (struct wire_chunk){
			WIRE_CHUNK_CONST, 8,
			__builtin_bswap32((uint32_t)s->len) |
				(uint64_t)__builtin_bswap32((uint32_t)proto)
					<< 32
		};
	}
	c[n++] = (struct wire_chunk){ WIRE_CHUNK_DATA, (uint32_t)s->len,
				      s->from };
	return n;
}

static bool in_piece(const struct encoder *e, const struct wire_chunk *c)
{
	return !c->kind || (e->piece != NO_PIECE && c->value >= e->from &&
			    c->value + c->len <= e->to);
}

/* Here, over bytes of the piece that is being written. */
static void sum_now(struct encoder *e, const struct sum *s)
{
	struct wire_chunk c[4];
	uint32_t n = sum_chunks(s, c);
	const char *base = e->out->data + e->piece + sizeof(struct wire_insn);
	uint64_t sum = 0;
	char *to = piece_at(e, s->off, 2);

	for (uint32_t i = 0; i < n; i++)
		sum = wire_csum_add(sum,
				    c[i].kind ? base + (c[i].value - e->from) :
						(const char *)&c[i].value,
				    c[i].len);

	uint16_t value = wire_csum_fold(sum);

	if (to)
		memcpy(to, &value, sizeof(value));
}

static void sum_later(struct encoder *e, const struct sum *s)
{
	struct wire_chunk c[4];
	uint32_t n = sum_chunks(s, c);

	put_insn(e, &(struct wire_insn){ .op = WIRE_CSUM,
					 .nargs = (uint8_t)n,
					 .result = WIRE_NO_RESULT,
					 .off = s->off });
	buf_add(e->out, c, n * sizeof(*c));
}

/* Whether all that is covered is constant, and in the piece being written. */
static bool sums_are_constant(const struct encoder *e)
{
	struct wire_chunk c[4];

	if (e->stores.len)
		return false;
	for (size_t k = 0; k < e->sums.len; k++) {
		uint32_t n = sum_chunks(&e->sums.data[k], c);

		for (uint32_t i = 0; i < n; i++)
			if (!in_piece(e, &c[i]))
				return false;
	}
	return true;
}

/* From the inside out: packets within packets. */
bool sums_now(struct encoder *e)
{
	if (!sums_are_constant(e))
		return false;
	for (size_t i = e->sums.len; i--;)
		sum_now(e, &e->sums.data[i]);
	return true;
}

void sums_later(struct encoder *e)
{
	for (size_t i = e->sums.len; i--;)
		sum_later(e, &e->sums.data[i]);
}
