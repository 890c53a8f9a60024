/* SPDX-License-Identifier: GPL-2.0-or-later */
/* target.c - descriptions, and what is looked up in them often. */
#define XXH_INLINE_ALL
#include <xxhash.h>

#include "base/mem.h"
#include "prog/tree.h"
#include "wire/wire.h"

/* A walk over all types that a call reaches, each direction of each once. */
struct reach {
	const struct desc *d;
	uint32_t *seen; /* [3 * type + dir]: the number of the last walk */
	uint32_t walk;
	VEC(uint32_t) todo; /* 3 * type + dir */
	/* Found: 2 * resource + whether it is made (else used). */
	VEC(uint32_t) found;
	uint32_t *noted; /* by the same: the last walk */
};

static void reach_add(struct reach *r, uint32_t type, uint8_t dir)
{
	uint32_t key = 3 * type + dir;

	if (r->seen[key] == r->walk)
		return;
	r->seen[key] = r->walk;
	vec_push(&r->todo, key);
}

static void reach_note(struct reach *r, uint32_t resource, bool made)
{
	uint32_t key = 2 * resource + made;

	if (r->noted[key] == r->walk)
		return;
	r->noted[key] = r->walk;
	vec_push(&r->found, key);
}

static void reach_type(struct reach *r, uint32_t type, uint8_t dir)
{
	const struct desc_type *t = &r->d->types[type];
	const struct desc_record *rec;

	switch (t->kind) {
	case DESC_RESOURCE:
		if (dir != DESC_OUT)
			reach_note(r, t->elem, false);
		if (dir != DESC_IN)
			reach_note(r, t->elem, true);
		break;
	case DESC_PTR:
		reach_add(r, t->elem, t->dir);
		break;
	case DESC_ARRAY:
		reach_add(r, t->elem, dir);
		break;
	case DESC_STRUCT:
	case DESC_UNION:
		rec = &r->d->records[t->elem];
		for (uint32_t i = 0; i < rec->nfields; i++) {
			const struct desc_field *f =
				&r->d->fields[rec->field + i];

			reach_add(r, f->type, field_dir(f, dir));
		}
		break;
	default:
		break;
	}
}

static void reach_call(struct reach *r, const struct desc_call *c)
{
	r->walk++;
	r->found.len = 0;
	for (uint32_t i = 0; i < c->nargs; i++) {
		const struct desc_field *f = &r->d->fields[c->arg + i];

		reach_add(r, f->type, field_dir(f, DESC_IN));
	}
	if (c->ret != DESC_NONE)
		reach_add(r, c->ret, DESC_OUT);
	while (r->todo.len) {
		uint32_t key = r->todo.data[--r->todo.len];

		reach_type(r, key / 3, (uint8_t)(key % 3));
	}
}

static void reach_deinit(struct reach *r)
{
	free(r->seen);
	free(r->noted);
	vec_free(&r->todo);
	vec_free(&r->found);
}

/* Pairs (resource, call), in the order of calls, made into lists. */
struct pair {
	uint32_t resource, call;
};
struct pairs {
	VEC(struct pair) all;
};

static struct by_resource index_pairs(const struct pairs *pairs, size_t n)
{
	struct by_resource x = {
		.from = mem_calloc(n + 1, sizeof(*x.from)),
		.list = mem_calloc(pairs->all.len + 1, sizeof(*x.list)),
	};

	for (size_t i = 0; i < pairs->all.len; i++)
		x.from[pairs->all.data[i].resource + 1]++;
	for (size_t i = 0; i < n; i++)
		x.from[i + 1] += x.from[i];

	uint32_t *at = mem_calloc(n + 1, sizeof(*at));

	memcpy(at, x.from, n * sizeof(*at));
	for (size_t i = 0; i < pairs->all.len; i++) {
		const struct pair *p = &pairs->all.data[i];

		x.list[at[p->resource]++] = p->call;
	}
	free(at);
	return x;
}

/* Who makes a resource makes what it is a kind of, too; each call once. */
static void add_maker(const struct desc *d, struct pairs *makers,
		      uint32_t *last, uint32_t resource, uint32_t call)
{
	for (uint32_t r = resource; r != DESC_NONE; r = d->resources[r].parent)
		if (last[r] != call + 1) {
			last[r] = call + 1;
			vec_push(&makers->all, (struct pair){ r, call });
		}
}

/* ---- What there is in types --------------------------------------------------- */

static uint8_t holds_itself(const struct desc *d, const struct desc_type *t)
{
	const struct desc_record *r;
	uint8_t bits = 0;

	switch (t->kind) {
	case DESC_LEN:
		return TYPE_HOLDS_LEN;
	case DESC_CSUM:
		return TYPE_HOLDS_CSUM;
	case DESC_PTR:
	case DESC_FILENAME:
	case DESC_GLOB:
	case DESC_IMAGE:
		return TYPE_HOLDS_WHOLE;
	case DESC_STRUCT:
	case DESC_UNION:
		r = &d->records[t->elem];
		if (r->flags & DESC_CONDITIONAL)
			bits |= TYPE_HOLDS_COND;
		if (t->size == DESC_VARLEN &&
		    (t->kind == DESC_STRUCT || r->nfields > 5))
			bits |= TYPE_HOLDS_COMPLEX;
		for (uint32_t i = 0; i < r->nfields; i++)
			if (d->fields[r->field + i].flags & DESC_OVERLAY)
				bits |= TYPE_HOLDS_WHOLE;
		return bits;
	default:
		return 0;
	}
}

static uint8_t holds_within(const struct desc *d, const struct desc_type *t,
			    const uint8_t *holds)
{
	uint8_t bits = 0;

	if (t->kind == DESC_PTR || t->kind == DESC_ARRAY)
		return holds[t->elem];
	if (t->kind == DESC_STRUCT || t->kind == DESC_UNION) {
		const struct desc_record *r = &d->records[t->elem];

		for (uint32_t i = 0; i < r->nfields; i++)
			bits |= holds[d->fields[r->field + i].type];
	}
	return bits;
}

/* Types may be recursive, and in any order: until nothing is added. */
static uint8_t *index_holds(const struct desc *d)
{
	uint8_t *holds = mem_calloc(d->ntypes + 1, 1);
	bool more = true;

	for (size_t i = 0; i < d->ntypes; i++)
		holds[i] = holds_itself(d, &d->types[i]);
	for (bool up = true; more; up = !up) {
		more = false;
		for (size_t n = 0; n < d->ntypes; n++) {
			size_t i = up ? n : d->ntypes - 1 - n;
			uint8_t all = holds[i] |
				      holds_within(d, &d->types[i], holds);

			more |= all != holds[i];
			holds[i] = all;
		}
	}
	return holds;
}

bool type_is_squashable(const struct prog_target *t, uint32_t pointer)
{
	const struct desc_type *type = &t->d->types[pointer];

	return type->kind == DESC_PTR && type->dir == DESC_IN &&
	       (t->holds[type->elem] &
		(TYPE_HOLDS_COMPLEX | TYPE_HOLDS_WHOLE)) == TYPE_HOLDS_COMPLEX;
}

static uint32_t number_of_pseudo(const char *name)
{
	size_t len = strcspn(name, "$");

	for (uint32_t i = 0; i < WIRE_NR_PSEUDO; i++) {
		const char *known = wire_pseudo_name(i);

		if (!strncmp(known, name, len) && !known[len])
			return WIRE_PSEUDO + i;
	}
	return WIRE_NR_NONE;
}

static uint32_t *index_numbers(const struct desc *d)
{
	uint32_t *nr = mem_calloc(d->ncalls + 1, sizeof(*nr));

	for (size_t i = 0; i < d->ncalls; i++)
		nr[i] = d->calls[i].nr != DESC_NONE ?
				d->calls[i].nr :
				number_of_pseudo(
					desc_name(d, d->calls[i].name));
	return nr;
}

/* ---- Calls by name ------------------------------------------------------------- */

static uint32_t name_hash(struct slice name)
{
	return (uint32_t)XXH3_64bits(name.p, name.len);
}

static void index_calls(struct prog_target *t)
{
	const struct desc *d = t->d;
	uint32_t n = 1;

	while (n < 2 * d->ncalls)
		n *= 2;
	t->calls = mem_calloc(n, sizeof(*t->calls));
	t->calls_mask = n - 1;
	for (uint32_t i = 0; i < d->ncalls; i++) {
		const char *name = desc_name(d, d->calls[i].name);
		uint32_t h = name_hash(slice_cstr(name));

		while (t->calls[h & t->calls_mask])
			h++;
		t->calls[h & t->calls_mask] = i + 1;
	}
}

uint32_t target_find_call(const struct prog_target *t, struct slice name)
{
	uint32_t h = name_hash(name), i;

	for (; (i = t->calls[h & t->calls_mask]); h++) {
		const char *have = desc_name(t->d, t->d->calls[i - 1].name);

		if (slice_eq(slice_cstr(have), name))
			return i - 1;
	}
	return DESC_NONE;
}

struct prog_target *prog_target_new(const struct desc *d)
{
	struct prog_target *t = mem_calloc(1, sizeof(*t));
	struct reach r = {
		.d = d,
		.seen = mem_calloc(3 * d->ntypes + 1, sizeof(*r.seen)),
		.noted = mem_calloc(2 * d->nresources + 1, sizeof(*r.noted)),
	};
	uint32_t *last = mem_calloc(d->nresources + 1, sizeof(*last));
	struct pairs makers = {}, users = {};

	t->d = d;
	for (uint32_t i = 0; i < d->ncalls; i++) {
		reach_call(&r, &d->calls[i]);
		for (size_t k = 0; k < r.found.len; k++) {
			uint32_t resource = r.found.data[k] / 2;

			if (r.found.data[k] % 2)
				add_maker(d, &makers, last, resource, i);
			else
				vec_push(&users.all,
					 (struct pair){ resource, i });
		}
	}
	t->makers = index_pairs(&makers, d->nresources);
	t->users = index_pairs(&users, d->nresources);
	t->holds = index_holds(d);
	t->nr = index_numbers(d);
	index_calls(t);
	vec_free(&makers.all);
	vec_free(&users.all);
	free(last);
	reach_deinit(&r);
	return t;
}

void prog_target_free(struct prog_target *t)
{
	free(t->makers.from);
	free(t->makers.list);
	free(t->users.from);
	free(t->users.list);
	free(t->holds);
	free(t->nr);
	free(t->calls);
	free(t);
}

const struct desc *prog_target_desc(const struct prog_target *t)
{
	return t->d;
}

/*
 * Null, an address of the kernel that is never mapped, one that is not
 * canonical; then some that mean something to the architecture.  The first two
 * are in programs by these values; do not reorder.
 */
static const uint64_t addresses[] = { 0, UINT64_MAX, 0x9999999999999999 };
static const struct {
	const char *arch;
	uint64_t at[2];
} arch_addresses[] = {
	{ "amd64", { 0xffffffff81000000, 0xffffffffff600000 } },
	{ "riscv64", { 0xffffffe000000000, 0xffffff0000000000 } },
};

static const uint64_t *addresses_of(const struct desc_arch *arch)
{
	for (size_t i = 0; i < ARRAY_LEN(arch_addresses); i++)
		if (!strcmp(arch->name, arch_addresses[i].arch))
			return arch_addresses[i].at;
	return NULL;
}

uint64_t special_lowest(const struct prog_target *t)
{
	return -(uint64_t)(ARRAY_LEN(addresses) - 1 +
			   (addresses_of(t->d->arch) ? 2 : 0));
}

uint64_t special_address(const struct prog *p, uint64_t value)
{
	const uint64_t *more = addresses_of(p->target->d->arch);
	uint64_t i = -value;

	if (i < ARRAY_LEN(addresses))
		return addresses[i];
	i -= ARRAY_LEN(addresses);
	return more && i < 2 ? more[i] : value;
}

bool resource_fits(const struct desc *d, uint32_t made, uint32_t wanted)
{
	while (made != DESC_NONE && made != wanted)
		made = d->resources[made].parent;
	return made != DESC_NONE;
}

uint64_t resource_default(const struct desc *d, uint32_t resource)
{
	uint64_t value = 0;

	for (uint32_t r = resource; r != DESC_NONE; r = d->resources[r].parent)
		if (d->resources[r].nlist)
			value = d->values[d->resources[r].list];
	return value;
}

bool type_is_constant(const struct desc *d, uint32_t type)
{
	const struct desc_type *t = &d->types[type], *e = &d->types[t->elem];

	return t->kind == DESC_ARRAY && t->flags & DESC_RANGE &&
	       t->lo == t->hi && e->kind == DESC_CONST && !e->bits &&
	       !e->format;
}

bool type_is_data(const struct desc *d, uint32_t type)
{
	const struct desc_type *t = &d->types[type], *e;

	switch (t->kind) {
	case DESC_VOID:
	case DESC_STRING:
	case DESC_GLOB:
	case DESC_FILENAME:
	case DESC_TEXT:
	case DESC_IMAGE:
		return true;
	case DESC_ARRAY:
		e = &d->types[t->elem];
		return (e->kind == DESC_INT && e->size == 1 && !e->bits &&
			!(e->flags & DESC_RANGE) && !e->format) ||
		       type_is_constant(d, type);
	default:
		return false;
	}
}

bool record_is(const struct prog *p, uint32_t arg, const char *name)
{
	const struct desc *d = p->target->d;
	const struct desc_record *r =
		&d->records[arg_type(p, arg_at(p, arg))->elem];
	const char *have = desc_name(d, r->name);
	size_t len = strlen(name);

	return !strncmp(have, name, len) && (!have[len] || have[len] == '[');
}

enum arg_kind type_arg_kind(const struct desc *d, uint32_t type)
{
	if (type_is_data(d, type))
		return ARG_DATA;
	switch (d->types[type].kind) {
	case DESC_RESOURCE:
		return ARG_RESULT;
	case DESC_PTR:
		return ARG_POINTER;
	case DESC_VMA:
		return ARG_VMA;
	case DESC_ARRAY:
	case DESC_STRUCT:
		return ARG_GROUP;
	case DESC_UNION:
		return ARG_UNION;
	default:
		return ARG_CONST;
	}
}
