/* SPDX-License-Identifier: GPL-2.0-or-later */
/* gen_value.c - numbers, strings and buffers for arguments. */
#include "prog/gen.h"

enum { NAME_MAX_BYTES = 255, BLOB_MAX = 65536, STRING_MAX = 1 << 20 };

/* ---- Numbers -------------------------------------------------------------------- */

static uint64_t mask_of(unsigned int bits)
{
	return bits >= 64 ? UINT64_MAX : (1ull << bits) - 1;
}

uint64_t gen_int(struct rng *r, unsigned int bits)
{
	uint64_t v;

	switch (rng_below(r, 16)) {
	case 0 ... 4:
		v = rng_below(r, 10);
		break;
	case 5 ... 8: /* where widths, signs and limits change */
		v = (1ull << rng_below(r, bits)) + rng_below(r, 3) - 1;
		break;
	case 9:
		v = 0 - rng_range(r, 1, 16);
		break;
	case 10: /* errors, or -4096 and what is near the end of memory */
		v = rng_below(r, 64) * DATA_PAGE;
		v = rng_one_of(r, 2) ? v : 0 - v;
		break;
	case 11:
		v = rng_below(r, 4096);
		break;
	default:
		v = rng_u64(r) >> rng_below(r, 64);
	}
	return v & mask_of(bits);
}

/* lo, lo + step, ... hi; ends and what is near lo more often. */
static uint64_t gen_ranged(struct rng *r, const struct desc_type *t)
{
	uint64_t step = t->step ? t->step : 1, n = (t->hi - t->lo) / step;

	switch (rng_below(r, 8)) {
	case 0:
		return t->lo;
	case 1:
		return t->lo + n * step;
	case 2:
		n = MIN(n, 16u);
		break;
	}
	return t->lo + rng_range(r, 0, n) * step;
}

static bool are_bits(const uint64_t *v, uint32_t n)
{
	uint64_t all = 0;

	for (uint32_t i = 0; i < n; i++) {
		if (all & v[i])
			return false;
		all |= v[i];
	}
	return n > 1;
}

static uint64_t gen_flags(struct gen *g, const struct desc_type *t,
			  unsigned int bits)
{
	const uint64_t *v = g->d->values + t->list;
	struct rng *r = g->rng;
	uint32_t roll = (uint32_t)rng_below(r, 64);
	uint64_t sum = 0;

	if (!t->nlist || !roll)
		return gen_int(r, bits);
	if (are_bits(v, t->nlist)) {
		if (roll < 8)
			return 0;
		do
			sum |= v[rng_below(r, t->nlist)];
		while (rng_one_of(r, 2));
		return sum;
	}
	sum = v[rng_below(r, t->nlist)];
	if (roll < 4) /* or several, or a value between two */
		sum |= v[rng_below(r, t->nlist)];
	else if (roll < 6)
		sum = (sum + rng_below(r, 3) - 1) & mask_of(bits);
	return sum;
}

uint64_t gen_number(struct gen *g, const struct desc_type *t)
{
	unsigned int bits = t->bits	  ? t->bits :
			    t->base_bytes ? 8u * t->base_bytes :
					    64;

	switch (t->kind) {
	case DESC_CONST:
		return t->lo;
	case DESC_INT:
		if ((t->flags & DESC_OPT) && rng_one_of(g->rng, 5))
			return t->flags & DESC_RANGE ? t->lo : 0;
		return t->flags & DESC_RANGE ? gen_ranged(g->rng, t) :
					       gen_int(g->rng, bits);
	case DESC_FLAGS:
		return gen_flags(g, t, bits);
	case DESC_PROC:
		return rng_one_of(g->rng, 8) ? UINT64_MAX :
					       rng_below(g->rng, t->hi);
	default: /* lengths and sums are computed */
		return 0;
	}
}

/* ---- Bytes ------------------------------------------------------------------------- */

static uint32_t gen_length(struct rng *r)
{
	switch (rng_below(r, 32)) {
	case 0 ... 15:
		return (uint32_t)rng_below(r, 16);
	case 16 ... 27:
		return (uint32_t)rng_below(r, 128);
	case 28 ... 29:
		return (uint32_t)rng_below(r, 1024);
	case 30:
		return DATA_PAGE - 2 + (uint32_t)rng_below(r, 4);
	default:
		return (uint32_t)rng_below(r, 4 * DATA_PAGE);
	}
}

static void fill(struct rng *r, char *to, size_t len)
{
	size_t i = 0;

	for (; i + 8 <= len; i += 8) {
		uint64_t v = rng_u64(r);

		memcpy(to + i, &v, 8);
	}
	for (; i < len; i++)
		to[i] = (char)rng_u64(r);
}

static void add_blob(struct rng *r, uint32_t len, struct buf *out)
{
	char *to = buf_reserve(out, len);

	switch (rng_below(r, 4)) {
	case 0:
		memset(to, 0, len);
		break;
	case 1:
		memset(to, (int)rng_u64(r), len);
		break;
	default:
		fill(r, to, len);
	}
	out->len += len;
}

/* How long it may be, and how long it is to be. */
static uint32_t blob_length(struct rng *r, const struct desc_type *t)
{
	if (t->size != DESC_VARLEN)
		return t->size;
	if (!(t->flags & DESC_RANGE))
		return gen_length(r);

	uint64_t hi = t->hi < t->lo + BLOB_MAX ? t->hi : t->lo + BLOB_MAX;

	switch (rng_below(r, 4)) {
	case 0:
		return (uint32_t)t->lo;
	case 1:
		return (uint32_t)hi;
	default:
		return (uint32_t)rng_range(r, t->lo, hi);
	}
}

static const struct arg *earlier_name(struct gen *g)
{
	uint32_t i = (uint32_t)rng_below(g->rng, g->names.len);

	return g->names.len ? arg_at(g->p, g->names.data[i]) : NULL;
}

/* A name with its NUL, copied so that nothing else of the buffer comes along. */
static bool add_earlier_name(struct gen *g, struct buf *out)
{
	const struct arg *a = earlier_name(g);
	const char *have, *end;

	if (!a || !a->len || a->kind != ARG_DATA || a->from == NO_BYTES)
		return false;
	have = g->p->bytes.data + a->from;
	end = memchr(have, '\0', a->len);
	if (!end || end == have || end - have > NAME_MAX_BYTES)
		return false;
	buf_add(out, have, (size_t)(end - have));
	return true;
}

void gen_filename(struct gen *g, struct buf *out)
{
	switch (rng_below(g->rng, 16)) {
	case 0:
		buf_char(out, '.');
		break;
	case 1:
		buf_printf(out, "./file%u/file%u",
			   (unsigned int)rng_below(g->rng, 2),
			   (unsigned int)rng_below(g->rng, 2));
		break;
	case 2 ... 9:
		if (add_earlier_name(g, out))
			break;
		__attribute__((fallthrough));
	default:
		buf_str(out, "./file");
		buf_char(out, (char)('0' + rng_below(g->rng, 3)));
	}
	buf_char(out, '\0');
}

static void add_any_string(struct gen *g, struct buf *out)
{
	static const char marks[] = "!@#$%^&*()-+\\/:.,-'[]{} \t\n";
	struct rng *r = g->rng;

	if (rng_one_of(r, 4) && add_earlier_name(g, out))
		return;
	do
		switch (rng_below(r, 8)) {
		case 0:
			buf_char(out, marks[rng_below(r, sizeof(marks) - 1)]);
			break;
		case 1:
			buf_printf(out, "%u", (unsigned int)gen_int(r, 32));
			break;
		case 2:
			buf_char(out, (char)rng_range(r, 1, 255));
			break;
		default:
			buf_char(out, (char)rng_range(r, 'a', 'z'));
		}
	while (!rng_one_of(r, 6) && out->len < NAME_MAX_BYTES);
}

static void add_string(struct gen *g, const struct desc_type *t,
		       struct buf *out)
{
	const struct desc *d = g->d;

	if (t->nlist)
		buf_slice(out,
			  desc_string(d,
				      d->values[t->list +
						rng_below(g->rng, t->nlist)]));
	else
		add_any_string(g, out);
	if (!(t->flags & DESC_NOZ))
		buf_char(out, '\0');
}

/*
 * The guest's files are not known here: the pattern's text, with something in
 * the place of what is left open.
 */
static void add_glob(struct gen *g, const struct desc_type *t, struct buf *out)
{
	struct slice s = {};

	if (t->nlist)
		s = desc_string(g->d, g->d->values[t->list]);
	for (size_t i = 0; i < s.len && s.p[i] != ':'; i++)
		if (s.p[i] != '*')
			buf_char(out, s.p[i]);
		else if (!i || s.p[i - 1] != '*')
			buf_char(out, (char)rng_range(g->rng, '0', '9'));
	buf_char(out, '\0');
}

/* To the size that the type has, whatever is in it. */
static void fit(const struct desc_type *t, struct buf *out)
{
	if (t->size == DESC_VARLEN || out->len == t->size)
		return;
	if (out->len < t->size)
		memset(buf_reserve(out, t->size - out->len), 0,
		       t->size - out->len);
	out->len = t->size;
}

static uint32_t out_length(struct gen *g, const struct desc_type *t)
{
	switch (t->kind) {
	case DESC_VOID:
	case DESC_IMAGE:
		return 0;
	case DESC_FILENAME:
		return t->size == DESC_VARLEN ? DATA_PAGE : t->size;
	default:
		return blob_length(g->rng, t);
	}
}

uint32_t gen_data(struct gen *g, uint32_t type, uint8_t dir)
{
	const struct desc_type *t = &g->d->types[type];
	struct buf *out = &g->scratch;

	if (type_is_constant(g->d, type))
		return arg_new_default(g->p, type, dir);
	if (dir == DESC_OUT)
		return arg_new_data(g->p, type, dir, NULL, out_length(g, t));
	out->len = 0;
	switch (t->kind) {
	case DESC_ARRAY:
		add_blob(g->rng, blob_length(g->rng, t), out);
		break;
	case DESC_STRING:
		add_string(g, t, out);
		break;
	case DESC_FILENAME:
		gen_filename(g, out);
		break;
	case DESC_GLOB:
		add_glob(g, t, out);
		break;
	case DESC_TEXT:
		gen_text(g->rng, g->d->arch, (enum desc_text)t->lo, out);
		break;
	}
	fit(t, out);
	return arg_new_data(g->p, type, dir, out->data, (uint32_t)out->len);
}
