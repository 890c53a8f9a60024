/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * choices.c - which call comes next.
 *
 * A table of all pairs of calls would have 70 million entries.  Instead a call
 * belongs to groups: all that have to do with a resource, all that take a
 * pointer to the same struct, file names, memory.  Its partner comes from one of
 * its groups, of small ones more often; that is the product of two thin
 * matrices, made in a millisecond.  From the corpus the partner is another call
 * of a program that has the first: again the distribution of the table of pairs,
 * without the table.
 */
#include "base/mem.h"
#include "prog/gen.h"

/* Lists by number: list[from[i]] to list[from[i + 1] - 1]. */
struct lists {
	uint32_t *from, *list;
};

struct pair {
	uint32_t i, value;
};
typedef VEC(struct pair) pair_vec;

struct prog_choices {
	const struct prog_target *t;
	uint8_t *have; /* by call */
	uint32_t *calls, ncalls;
	struct lists groups; /* by call */
	uint32_t *sums; /* beside groups.list: weights up to here */
	struct lists members; /* by group */
	struct lists progs; /* by call: where it occurs */
	struct lists contents; /* by program: its calls */
};

static struct lists lists_new(pair_vec *pairs, size_t n)
{
	struct lists l = {
		.from = mem_calloc(n + 2, sizeof(*l.from)),
		.list = mem_calloc(pairs->len + 1, sizeof(*l.list)),
	};

	/* One further, so that filling moves each to where it belongs. */
	vec_for_each(pairs, p)
		l.from[p->i + 2]++;
	for (size_t i = 2; i < n + 2; i++)
		l.from[i] += l.from[i - 1];
	vec_for_each(pairs, p)
		l.list[l.from[p->i + 1]++] = p->value;
	return l;
}

static void lists_free(struct lists *l)
{
	free(l->from);
	free(l->list);
}

static uint32_t lists_len(const struct lists *l, uint32_t i)
{
	return l->from[i + 1] - l->from[i];
}

/* ---- Groups ------------------------------------------------------------------- */

/* Numbers of groups: resources, then records, then these. */
enum { GROUP_NAMES, GROUP_MEMORY, GROUPS_MORE };

struct grouping {
	struct prog_choices *c;
	const struct desc *d;
	pair_vec of_call, of_group;
};

static void group_add(struct grouping *g, uint32_t call, size_t group)
{
	if (!g->c->have[call])
		return;
	vec_push(&g->of_call, (struct pair){ call, (uint32_t)group });
	vec_push(&g->of_group, (struct pair){ (uint32_t)group, call });
}

static void group_resources(struct grouping *g)
{
	const struct by_resource *makers = &g->c->t->makers;
	const struct by_resource *users = &g->c->t->users;
	const struct desc *d = g->d;

	for (uint32_t r = 0; r < d->nresources; r++) {
		for (uint32_t i = makers->from[r]; i < makers->from[r + 1]; i++)
			group_add(g, makers->list[i], r);
		for (uint32_t i = users->from[r]; i < users->from[r + 1]; i++)
			for (uint32_t up = r; up != DESC_NONE;
			     up = d->resources[up].parent)
				group_add(g, users->list[i], up);
	}
}

static void group_pointee(struct grouping *g, uint32_t call,
			  const struct desc_type *t)
{
	const struct desc *d = g->d;
	size_t more = d->nresources + d->nrecords;

	switch (t->kind) {
	case DESC_STRUCT:
	case DESC_UNION:
		group_add(g, call, d->nresources + t->elem);
		break;
	case DESC_FILENAME:
		group_add(g, call, more + GROUP_NAMES);
		break;
	}
}

static void group_types(struct grouping *g)
{
	const struct desc *d = g->d;
	size_t more = d->nresources + d->nrecords;

	for (uint32_t i = 0; i < d->ncalls; i++) {
		const struct desc_call *c = &d->calls[i];

		for (uint32_t k = 0; k < c->nargs; k++) {
			const struct desc_type *t =
				&d->types[d->fields[c->arg + k].type];

			if (t->kind == DESC_PTR)
				group_pointee(g, i, &d->types[t->elem]);
			else if (t->kind == DESC_VMA)
				group_add(g, i, more + GROUP_MEMORY);
		}
	}
}

/* What is rare says more: 1 for a group of 16384 and 15 for one of a few. */
static uint32_t group_weight(uint32_t size)
{
	uint32_t log = 31 - (uint32_t)__builtin_clz(size | 1);

	return log < 14 ? 15 - log : 1;
}

static void gen_groups(struct prog_choices *c)
{
	struct grouping g = { .c = c, .d = c->t->d };
	size_t n = g.d->nresources + g.d->nrecords + GROUPS_MORE;

	group_resources(&g);
	group_types(&g);
	c->groups = lists_new(&g.of_call, g.d->ncalls);
	c->members = lists_new(&g.of_group, n);
	c->sums = mem_calloc(g.of_call.len + 1, sizeof(*c->sums));
	for (uint32_t i = 0; i < g.d->ncalls; i++) {
		uint32_t sum = 0;

		for (uint32_t k = c->groups.from[i]; k < c->groups.from[i + 1];
		     k++) {
			uint32_t group = c->groups.list[k];

			sum += group_weight(lists_len(&c->members, group));
			c->sums[k] = sum;
		}
	}
	vec_free(&g.of_call);
	vec_free(&g.of_group);
}

/* ---- The corpus ----------------------------------------------------------------- */

static void read_corpus(struct prog_choices *c,
			const struct prog *const *corpus, size_t n)
{
	pair_vec progs = {}, contents = {};
	uint32_t *seen = mem_calloc(c->t->d->ncalls + 1, sizeof(*seen));

	for (uint32_t i = 0; i < n; i++)
		for (size_t k = 0; k < prog_ncalls(corpus[i]); k++) {
			uint32_t id = (uint32_t)prog_call_id(corpus[i], k);

			if (!c->have[id] || seen[id] == i + 1)
				continue;
			seen[id] = i + 1;
			vec_push(&progs, (struct pair){ id, i });
			vec_push(&contents, (struct pair){ i, id });
		}
	c->progs = lists_new(&progs, c->t->d->ncalls);
	c->contents = lists_new(&contents, n);
	vec_free(&progs);
	vec_free(&contents);
	free(seen);
}

struct prog_choices *prog_choices_new(const struct prog_target *t,
				      const uint8_t *enabled,
				      const struct prog *const *corpus,
				      size_t n)
{
	struct prog_choices *c = mem_calloc(1, sizeof(*c));
	const struct desc *d = t->d;

	c->t = t;
	c->have = mem_calloc(d->ncalls + 1, 1);
	c->calls = mem_calloc(d->ncalls + 1, sizeof(*c->calls));
	memset(c->have, 1, d->ncalls);
	if (enabled)
		memcpy(c->have, enabled, d->ncalls);
	else
		prog_enabled_close(t, c->have, NULL);
	for (uint32_t i = 0; i < d->ncalls; i++) {
		c->have[i] = c->have[i] && !(d->calls[i].attrs &
					     (1u << DESC_CALL_NO_GENERATE |
					      1u << DESC_CALL_DISABLED));
		if (c->have[i])
			c->calls[c->ncalls++] = i;
	}
	gen_groups(c);
	read_corpus(c, corpus, n);
	return c;
}

void prog_choices_free(struct prog_choices *c)
{
	lists_free(&c->groups);
	lists_free(&c->members);
	lists_free(&c->progs);
	lists_free(&c->contents);
	free(c->sums);
	free(c->calls);
	free(c->have);
	free(c);
}

bool choices_have(const struct prog_choices *c, uint32_t call)
{
	return c->have[call];
}

const struct prog_target *choices_target(const struct prog_choices *c)
{
	return c->t;
}

/* ---- Choosing ------------------------------------------------------------------- */

static uint32_t pick_of(const struct lists *l, uint32_t i, struct rng *rng)
{
	return l->list[l->from[i] + rng_below(rng, lists_len(l, i))];
}

static uint32_t pick_related(const struct prog_choices *c, struct rng *rng,
			     uint32_t call)
{
	uint32_t lo = c->groups.from[call], hi = c->groups.from[call + 1] - 1;
	uint64_t at = rng_below(rng, c->sums[hi]);

	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;

		if (at < c->sums[mid])
			hi = mid;
		else
			lo = mid + 1;
	}
	return pick_of(&c->members, c->groups.list[lo], rng);
}

size_t prog_choices_pick(const struct prog_choices *c, struct rng *rng,
			 size_t bias)
{
	uint32_t call = (uint32_t)bias;

	if (!c->ncalls)
		return PROG_NO_CALL;
	if (bias == PROG_NO_CALL || rng_one_of(rng, 20))
		return c->calls[rng_below(rng, c->ncalls)];
	if (lists_len(&c->progs, call) && rng_one_of(rng, 2)) {
		uint32_t prog = pick_of(&c->progs, call, rng);

		return pick_of(&c->contents, prog, rng);
	}
	if (lists_len(&c->groups, call))
		return pick_related(c, rng, call);
	return c->calls[rng_below(rng, c->ncalls)];
}
