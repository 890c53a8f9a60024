/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hints.c - values of a program that the kernel compared, replaced by what it
 * compared them with.
 *
 * A value of the program may have been cut, extended by zeroes or by its sign,
 * or had its bytes swapped on the way to the comparison.  So each number, and
 * what stands at each offset of a buffer, is looked for in these forms; what it
 * was compared with goes back the same way, if it fits.
 */
#include "base/mem.h"
#include "prog/gen.h"

enum {
	BYTES_MAX = 512, /* of a buffer that are looked at */
};

struct pair {
	uint64_t have, other;
	uint32_t bytes; /* of the comparison */
};

struct hints {
	const struct prog *p;
	size_t call;
	struct prog *variant;
	struct pair *pairs; /* sorted; each once */
	size_t npairs, made, max;
	bool enough;
	prog_hint_fn *use;
	void *ctx;
	VEC(uint64_t) tried; /* values for one number */
};

/* Where a number is: an argument's value, or bytes of it. */
struct spot {
	uint32_t arg, offset;
	uint32_t bytes;
	bool data, swap;
};

static uint64_t low(uint64_t v, uint32_t bytes)
{
	return bytes >= 8 ? v : v & ((1ull << 8 * bytes) - 1);
}

static uint64_t extended(uint64_t v, uint32_t bytes)
{
	uint32_t shift = 64 - 8 * bytes;

	return (uint64_t)((int64_t)(v << shift) >> shift);
}

/* ---- Comparisons ------------------------------------------------------------ */

static int compare_pairs(const void *a, const void *b)
{
	const struct pair *x = a, *y = b;

	if (x->bytes != y->bytes)
		return x->bytes < y->bytes ? -1 : 1;
	if (x->have != y->have)
		return x->have < y->have ? -1 : 1;
	return (x->other > y->other) - (x->other < y->other);
}

static void add_pair(struct hints *h, uint64_t have, uint64_t other,
		     uint32_t bytes)
{
	have = low(have, bytes);
	other = low(other, bytes);
	if (have != other)
		h->pairs[h->npairs++] = (struct pair){ have, other, bytes };
}

static void sort_pairs(struct hints *h, const struct prog_comparison *c,
		       size_t n)
{
	size_t kept = 0;

	h->pairs = mem_calloc(2 * n + 1, sizeof(*h->pairs));
	for (size_t i = 0; i < n; i++) {
		add_pair(h, c[i].a, c[i].b, c[i].bytes);
		if (!c[i].b_is_constant)
			add_pair(h, c[i].b, c[i].a, c[i].bytes);
	}
	qsort(h->pairs, h->npairs, sizeof(*h->pairs), compare_pairs);
	for (size_t i = 0; i < h->npairs; i++)
		if (!kept || compare_pairs(&h->pairs[kept - 1], &h->pairs[i]))
			h->pairs[kept++] = h->pairs[i];
	h->npairs = kept;
}

static size_t first_pair(const struct hints *h, uint64_t have, uint32_t bytes)
{
	const struct pair key = { have, 0, bytes };
	size_t lo = 0, hi = h->npairs;

	while (lo < hi) {
		size_t mid = (lo + hi) / 2;

		if (compare_pairs(&h->pairs[mid], &key) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

/* ---- Variants ------------------------------------------------------------------ */

static bool allowed(const struct hints *h, const struct spot *s, uint64_t value)
{
	const struct desc_type *t;

	if (s->data)
		return true;
	t = arg_type(h->p, arg_at(h->p, s->arg));
	if (t->bits && value >> t->bits % 64)
		return false;
	return t->kind != DESC_INT || !(t->flags & DESC_RANGE) || !value ||
	       value - t->lo <= t->hi - t->lo;
}

static void make(struct hints *h, const struct spot *s, uint64_t value)
{
	struct prog *v = h->variant;
	struct arg *a;

	prog_assign(v, h->p);
	a = arg_at(v, s->arg);
	if (s->data) {
		memcpy(v->bytes.data + a->from + s->offset, &value, s->bytes);
	} else {
		a->value = value;
		if (cond_settle(v, &v->calls.data[h->call], COND_ALL) !=
		    ARG_NONE) {
			call_finish(v, h->call);
			tree_fix_refs(v);
		}
	}
	h->made++;
	h->enough = !h->use(v, h->ctx) || h->made == h->max;
}

/* `v` is what is there in `s->bytes`; `whole` is the number that it is part of. */
static void replace(struct hints *h, const struct spot *s, uint64_t whole,
		    uint64_t with)
{
	uint64_t value =
		low(s->swap ? swapped(with, s->bytes) : with, s->bytes);

	value |= whole & ~low(UINT64_MAX, s->bytes);
	if (value == whole || !allowed(h, s, value))
		return;
	vec_for_each(&h->tried, t)
		if (*t == value)
			return;
	vec_push(&h->tried, value);
	make(h, s, value);
}

/* What `value`, as the kernel may have seen it in `wide` bytes, was compared with. */
static void look_up(struct hints *h, const struct spot *s, uint64_t whole,
		    uint64_t seen, uint32_t wide)
{
	seen = low(seen, wide);
	for (size_t i = first_pair(h, seen, wide); i < h->npairs; i++) {
		const struct pair *p = &h->pairs[i];
		uint64_t part = low(p->other, s->bytes);

		if (p->have != seen || p->bytes != wide || h->enough)
			return;
		if (p->other == part ||
		    p->other == low(extended(part, s->bytes), wide))
			replace(h, s, whole, part);
	}
}

static void try_spot(struct hints *h, const struct spot *s, uint64_t whole)
{
	uint64_t v = low(whole, s->bytes), sign;

	v = s->swap ? swapped(v, s->bytes) : v;
	sign = extended(v, s->bytes);
	for (uint32_t wide = s->bytes; wide <= 8; wide *= 2) {
		look_up(h, s, whole, v, wide);
		if (wide > s->bytes && sign != v)
			look_up(h, s, whole, sign, wide);
	}
}

/* In all widths, the most telling ones first, and both byte orders. */
static void try_number(struct hints *h, struct spot s, uint64_t whole,
		       uint32_t bytes)
{
	h->tried.len = 0;
	for (s.bytes = 8; s.bytes; s.bytes /= 2) {
		if (s.bytes > bytes)
			continue;
		for (int swap = 0; swap <= (s.bytes > 1); swap++) {
			s.swap = swap;
			try_spot(h, &s, whole);
		}
	}
}

/* ---- Arguments -------------------------------------------------------------------- */

static void try_data(struct hints *h, uint32_t arg)
{
	const struct arg *a = arg_at(h->p, arg);
	struct spot s = { .arg = arg, .data = true };
	uint32_t len = MIN(a->len, (uint32_t)BYTES_MAX);

	for (; s.offset < len && !h->enough; s.offset++) {
		uint32_t left = MIN(len - s.offset, 8u), bytes = 1;
		uint64_t v = 0;

		memcpy(&v, h->p->bytes.data + a->from + s.offset, left);
		while (bytes * 2 <= left &&
		       (v || !(s.offset % (bytes * 2)))) /* zeroes: aligned */
			bytes *= 2;
		try_number(h, s, low(v, bytes), bytes);
	}
}

static void try_arg(struct hints *h, uint32_t arg)
{
	const struct arg *a = arg_at(h->p, arg);
	const struct desc_type *t = a->type == DESC_NONE ? NULL :
							   arg_type(h->p, a);

	if (a->dir == DESC_OUT)
		return;
	if (a->kind == ARG_DATA && a->from != NO_BYTES &&
	    !(t && (t->kind == DESC_FILENAME || t->kind == DESC_GLOB ||
		    t->kind == DESC_IMAGE ||
		    type_is_constant(h->p->target->d, a->type))))
		try_data(h, arg);
	if (a->kind == ARG_CONST &&
	    (t->kind == DESC_INT || t->kind == DESC_FLAGS))
		try_number(h, (struct spot){ .arg = arg }, a->value,
			   t->base_bytes ? t->base_bytes : 8);
}

size_t prog_hints(const struct prog *p, size_t i,
		  const struct prog_comparison *comparisons, size_t n,
		  size_t max, prog_hint_fn *use, void *ctx)
{
	_cleanup_(prog_freep) struct prog *variant = prog_new(p->target);
	struct hints h = {
		.p = p,
		.call = i,
		.variant = variant,
		.max = max,
		.enough = !max,
		.use = use,
		.ctx = ctx,
	};
	struct tree_walk w;

	sort_pairs(&h, comparisons, n);
	for (uint32_t a = walk_call(&w, p, &p->calls.data[i]);
	     a != ARG_NONE && !h.enough; a = walk_next(&w))
		try_arg(&h, a);
	free(h.pairs);
	vec_free(&h.tried);
	return h.made;
}
