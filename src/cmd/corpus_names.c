/* SPDX-License-Identifier: GPL-2.0-or-later */
/* corpus_names.c - sets of programs, counts of calls: trees of tsearch(3). */
#include <search.h>
#include <string.h>

#include "base/mem.h"
#include "cmd/corpus.h"

static int by_bytes(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct store_name));
}

bool corpus_see(struct corpus_seen *s, struct store_name name)
{
	if (tfind(&name, &s->tree, by_bytes))
		return false;
	struct store_name *copy = mem_calloc(1, sizeof(*copy));

	*copy = name;
	if (!tsearch(copy, &s->tree, by_bytes))
		abort(); /* no memory */
	s->n++;
	return true;
}

void corpus_seen_deinit(struct corpus_seen *s)
{
	tdestroy(s->tree, free);
}

static int by_name(const void *a, const void *b)
{
	const struct corpus_call *x = a, *y = b;

	return strcmp(x->name, y->name);
}

void corpus_count_call(struct corpus_calls *c, struct slice name)
{
	struct corpus_call key = { .name = mem_dup0(name.p, name.len) };
	struct corpus_call **at = tfind(&key, &c->tree, by_name);

	c->n++;
	if (at) {
		free(key.name);
		(*at)->n++;
		return;
	}
	struct corpus_call *new = mem_calloc(1, sizeof(*new));

	*new = (struct corpus_call){ key.name, 1 };
	if (!tsearch(new, &c->tree, by_name))
		abort(); /* no memory */
	c->kinds++;
}

static void append(const void *node, VISIT which, void *to)
{
	struct corpus_call *const *call = node;
	struct corpus_call **end = to;

	if (which == postorder || which == leaf)
		*(*end)++ = **call;
}

static int by_count(const void *a, const void *b)
{
	const struct corpus_call *x = a, *y = b;

	if (x->n != y->n)
		return x->n < y->n ? 1 : -1;
	return strcmp(x->name, y->name);
}

struct corpus_call *corpus_calls_sorted(const struct corpus_calls *c)
{
	struct corpus_call *all = mem_calloc(c->kinds + 1, sizeof(*all));
	struct corpus_call *end = all;

	twalk_r(c->tree, append, &end);
	qsort(all, c->kinds, sizeof(*all), by_count);
	return all;
}

static void free_call(void *node)
{
	struct corpus_call *call = node;

	free(call->name);
	free(call);
}

void corpus_calls_deinit(struct corpus_calls *c)
{
	tdestroy(c->tree, free_call);
}
