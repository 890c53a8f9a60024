/* SPDX-License-Identifier: GPL-2.0-or-later */
/* mutate_arg.c - changes of arguments, by type. */
#include "prog/gen.h"

enum {
	CALL_ARGS = 64, /* new ones, before there are defaults only */
	ELEMENTS_MAX = 1024,
	DATA_MAX = 65536,
};

/* ---- Numbers ------------------------------------------------------------------ */

static uint64_t near_number(struct gen *g, const struct desc_type *t,
			    uint64_t v)
{
	unsigned int bits = t->bits	  ? t->bits :
			    t->base_bytes ? 8u * t->base_bytes :
					    64;
	uint64_t by = rng_range(g->rng, 1, 16);

	if (t->kind == DESC_FLAGS && t->nlist)
		return v ^ g->d->values[t->list + rng_below(g->rng, t->nlist)];
	switch (rng_below(g->rng, 3)) {
	case 0:
		v += by;
		break;
	case 1:
		v -= by;
		break;
	default:
		v ^= 1ull << rng_below(g->rng, bits);
	}
	if (t->flags & DESC_RANGE)
		return v - t->lo <= t->hi - t->lo ? v : gen_number(g, t);
	return bits >= 64 ? v : v & ((1ull << bits) - 1);
}

static void mutate_number(struct gen *g, uint32_t arg)
{
	const struct desc_type *t = arg_type(g->p, arg_at(g->p, arg));
	uint64_t was = arg_at(g->p, arg)->value, v = was;

	for (int i = 0; v == was && i < 4; i++)
		v = t->kind == DESC_PROC || rng_one_of(g->rng, 2) ?
			    gen_number(g, t) :
			    near_number(g, t, was);
	arg_at(g->p, arg)->value = v;
}

/* ---- Bytes ----------------------------------------------------------------------- */

static void data_set(struct gen *g, uint32_t arg)
{
	uint32_t from = tree_bytes(g->p, g->scratch.data, g->scratch.len);

	arg_at(g->p, arg)->from = from;
	arg_at(g->p, arg)->len = (uint32_t)g->scratch.len;
}

static void data_get(struct gen *g, uint32_t arg)
{
	const struct arg *a = arg_at(g->p, arg);

	g->scratch.len = 0;
	if (a->len)
		buf_add(&g->scratch, g->p->bytes.data + a->from, a->len);
}

void data_mutate(struct gen *g, uint32_t arg, uint64_t lo, uint64_t hi)
{
	data_get(g, arg);
	blob_mutate(g->rng, &g->scratch, lo, MAX(hi, g->scratch.len));
	data_set(g, arg);
}

static void mutate_image(struct gen *g, uint32_t arg)
{
	const struct arg *a = arg_at(g->p, arg);
	struct slice compressed = { g->p->bytes.data + a->from, a->len };
	_cleanup_(buf_deinit) struct buf raw = {};
	struct error *err;

	if (!a->len)
		return;
	err = prog_image_inflate(compressed, PROG_IMAGE_MAX, &raw);
	if (err) { /* one that the executor does not take, either */
		error_free(err);
		return;
	}
	image_mutate(g->rng, &raw);
	g->scratch.len = 0;
	prog_image_deflate(buf_as_slice(&raw), &g->scratch);
	data_set(g, arg);
}

/* Something else of the same type. */
static void regenerate(struct gen *g, uint32_t arg)
{
	const struct arg was = *arg_at(g->p, arg);
	uint32_t fresh = gen_arg(g, was.type, was.dir);
	uint32_t next = arg_at(g->p, arg)->next;

	*arg_at(g->p, arg) = *arg_at(g->p, fresh);
	arg_at(g->p, arg)->next = next;
}

static void mutate_text(struct gen *g, uint32_t arg, const struct desc_type *t)
{
	if (rng_one_of(g->rng, 2)) {
		data_mutate(g, arg, 0, DATA_MAX);
		return;
	}
	data_get(g, arg);
	gen_instruction(g->rng, g->d->arch, (enum desc_text)t->lo, &g->scratch);
	data_set(g, arg);
}

static void mutate_data(struct gen *g, uint32_t arg)
{
	const struct arg *a = arg_at(g->p, arg);
	const struct desc_type *t = arg_type(g->p, a);
	uint64_t lo = 0, hi = DATA_MAX;
	bool fixed = t->size != DESC_VARLEN;

	if (fixed) {
		lo = hi = t->size;
	} else if (t->flags & DESC_RANGE) {
		lo = t->lo;
		hi = t->hi;
	}
	if (a->dir == DESC_OUT || a->from == NO_BYTES)
		regenerate(g, arg);
	else if (t->kind == DESC_IMAGE)
		mutate_image(g, arg);
	else if (t->kind == DESC_TEXT && !fixed)
		mutate_text(g, arg, t);
	else if (t->kind == DESC_ARRAY || t->kind == DESC_TEXT ||
		 (t->kind == DESC_STRING && rng_one_of(g->rng, 4)))
		data_mutate(g, arg, lo, hi);
	else
		regenerate(g, arg);
}

/* ---- Groups --------------------------------------------------------------------------- */

/* What links to element `i` of a list; not to be kept when arguments are added. */
static uint32_t *link_to(struct prog *p, uint32_t group, uint32_t i)
{
	uint32_t *link = &arg_at(p, group)->child;

	while (i--)
		link = &arg_at(p, *link)->next;
	return link;
}

static void mutate_array(struct gen *g, uint32_t arg)
{
	const struct desc_type *t = arg_type(g->p, arg_at(g->p, arg));
	uint32_t n = list_len(g->p, arg_at(g->p, arg)->child), fresh;
	uint64_t lo = t->flags & DESC_RANGE ? t->lo : 0;
	uint64_t hi = t->flags & DESC_RANGE ? t->hi : ELEMENTS_MAX;
	uint32_t at = (uint32_t)rng_below(g->rng, n), *link;

	if (n && (n > lo || n >= hi) && rng_one_of(g->rng, 3)) {
		link = link_to(g->p, arg, at);
		*link = arg_at(g->p, *link)->next;
		n--;
		at = (uint32_t)rng_below(g->rng, n + 1);
		if (n >= lo)
			return;
	}
	do { /* also from none, which is allowed, to as many as there must be */
		if (n >= hi)
			return;
		if (n && rng_one_of(g->rng, 3))
			fresh = arg_copy(g->p, g->p, *link_to(g->p, arg, at));
		else
			fresh = gen_arg(g, t->elem, arg_at(g->p, arg)->dir);
		link = link_to(g->p, arg, at);
		arg_at(g->p, fresh)->next = *link;
		*link = fresh;
	} while (++n < lo);
}

static void mutate_union(struct gen *g, uint32_t arg)
{
	const struct arg was = *arg_at(g->p, arg);
	const struct desc_record *r =
		&g->d->records[arg_type(g->p, &was)->elem];
	uint32_t i = (uint32_t)rng_below(g->rng, r->nfields - 1), option;
	const struct desc_field *f;

	i += i >= was.extra;
	f = &g->d->fields[r->field + i];
	option = gen_arg(g, f->type, field_dir(f, was.dir));
	arg_at(g->p, arg)->child = option;
	arg_at(g->p, arg)->extra = i;
}

/* ---- Pointers -------------------------------------------------------------------------- */

static void mutate_pointer(struct gen *g, uint32_t arg)
{
	const struct arg *a = arg_at(g->p, arg);
	const struct arg *other =
		arg_at(g->p, (uint32_t)rng_below(g->rng, g->p->args.len));

	if (a->flags & ARG_SPECIAL || rng_one_of(g->rng, 4))
		regenerate(g, arg);
	else if (other->kind == ARG_POINTER && !(other->flags & ARG_SPECIAL))
		arg_at(g->p, arg)->value = other->value;
	else if (rng_one_of(g->rng, 4)) /* across the end of a page */
		arg_at(g->p, arg)->value =
			(a->value / DATA_PAGE + 1) * DATA_PAGE -
			rng_range(g->rng, 1, 64);
	else
		gen_address(g, arg);
}

/* ---- Which one -------------------------------------------------------------------------- */

static bool is_array(const struct prog *p, const struct arg *a)
{
	return arg_type(p, a)->kind == DESC_ARRAY;
}

static uint32_t data_weight(const struct prog *p, const struct arg *a,
			    const struct desc_type *t)
{
	if (t->kind == DESC_VOID || t->size == 0)
		return 0;
	if (a->dir == DESC_OUT)
		return t->size == DESC_VARLEN ? 2 : 0;
	if (type_is_constant(p->target->d, a->type))
		return 0; /* its text would be no program */
	return t->kind == DESC_ARRAY ? 10 : 5;
}

/* How often it is chosen. */
static uint32_t weight(const struct prog *p, const struct arg *a)
{
	const struct desc_type *t;

	if (a->type == DESC_NONE || a->kind == ARG_ABSENT)
		return 0;
	t = arg_type(p, a);
	if (a->dir == DESC_OUT && a->kind != ARG_DATA && a->kind != ARG_GROUP &&
	    a->kind != ARG_UNION)
		return 0;
	switch ((enum arg_kind)a->kind) {
	case ARG_CONST:
		return t->kind == DESC_INT   ? 5 :
		       t->kind == DESC_FLAGS ? 7 :
		       t->kind == DESC_PROC  ? 1 :
					       0;
	case ARG_RESULT:
		return 5;
	case ARG_POINTER:
		return 3;
	case ARG_VMA:
		return 4;
	case ARG_DATA:
		return data_weight(p, a, t);
	case ARG_UNION:
		return p->target->d->records[t->elem].nfields > 1 ? 5 : 0;
	case ARG_GROUP:
		if (a->flags & ARG_ANY)
			return 20;
		return !is_array(p, a)			       ? 0 :
		       t->flags & DESC_RANGE && t->lo == t->hi ? 0 :
								 6;
	case ARG_ABSENT:
		break;
	}
	return 0;
}

static void mutate_kind(struct gen *g, uint32_t arg)
{
	const struct arg *a = arg_at(g->p, arg);

	switch ((enum arg_kind)a->kind) {
	case ARG_CONST:
		mutate_number(g, arg);
		break;
	case ARG_RESULT:
		regenerate(g, arg);
		break;
	case ARG_POINTER:
		mutate_pointer(g, arg);
		break;
	case ARG_VMA:
		gen_vma(g, arg);
		break;
	case ARG_DATA:
		mutate_data(g, arg);
		break;
	case ARG_GROUP:
		if (a->flags & ARG_ANY)
			any_mutate(g, arg);
		else
			mutate_array(g, arg);
		break;
	case ARG_UNION:
		mutate_union(g, arg);
		break;
	case ARG_ABSENT:
		break;
	}
}

bool mutate_arg(struct gen *g)
{
	const struct prog *p = g->p;
	uint32_t sum = 0, chosen = ARG_NONE, depth = 0;
	struct tree_walk w;

	for (uint32_t a = walk_call(&w, p, &p->calls.data[g->at]);
	     a != ARG_NONE; a = walk_next(&w)) {
		uint32_t n = weight(p, arg_at(p, a));

		sum += n;
		if (n && rng_n_of(g->rng, n, sum)) {
			chosen = a;
			depth = w.depth;
		}
	}
	if (chosen == ARG_NONE)
		return false;
	g->nested = depth;
	g->enough = (uint32_t)p->args.len + CALL_ARGS;
	mutate_kind(g, chosen);
	g->nested = 0;
	return true;
}

/* Where a pointee cannot be: it has grown, or it was put there on purpose. */
void mutate_finish(struct gen *g)
{
	struct prog *p = g->p;
	struct tree_walk w;

	call_finish(p, g->at);
	for (uint32_t i = walk_call(&w, p, &p->calls.data[g->at]);
	     i != ARG_NONE; i = walk_next(&w)) {
		const struct arg *a = arg_at(p, i);
		uint64_t size;

		if (a->kind != ARG_POINTER || (a->flags & ARG_SPECIAL))
			continue;
		size = a->child == ARG_NONE ? 0 : arg_size(p, a->child);
		if (a->value > DATA_BYTES || size > DATA_BYTES - a->value)
			gen_address(g, i);
	}
	tree_fix_refs(p);
}
