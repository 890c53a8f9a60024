/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kernel/mailmap.h"

#include <stdint.h>

#include "base/mem.h"
#include "base/vec.h"

/* Mail of `old_name` (if given) at `old` goes to `new`. */
struct mapping {
	struct slice new, old_name, old;
	size_t line; /* of two for the same, the later one holds */
};

struct mailmap {
	VEC(struct mapping) mappings;
};

static int cmp_nocase(struct slice a, struct slice b)
{
	int c = strncasecmp(a.p, b.p, a.len < b.len ? a.len : b.len);

	return c ? c : (a.len > b.len) - (a.len < b.len);
}

/* By address, so that those of one stand together; the last line first. */
static int mapping_cmp(const void *a, const void *b)
{
	const struct mapping *x = a, *y = b;
	int c = cmp_nocase(x->old, y->old);

	return c ? c : (x->line < y->line) - (x->line > y->line);
}

/* Cut "Name <address>" off `*s`. */
static bool next_person(struct slice *s, struct slice *name,
			struct slice *address)
{
	const char *open = s->len ? memchr(s->p, '<', s->len) : NULL;
	const char *end = s->p + s->len, *close;

	if (!open)
		return false;
	close = memchr(open, '>', (size_t)(end - open));
	if (!close)
		return false;
	*name = slice_trim(slice_range(s->p, open));
	*address = slice_trim(slice_range(open + 1, close));
	*s = slice_range(close + 1, end);
	return address->len > 0;
}

struct mailmap *mailmap_parse(struct slice text)
{
	struct mailmap *m = mem_calloc(1, sizeof(*m));
	struct slice line, new_name;

	while (slice_line(&text, &line)) {
		const char *hash = line.len ? memchr(line.p, '#', line.len) :
					      NULL;
		struct mapping map = { .line = m->mappings.len };

		if (hash)
			line.len = (size_t)(hash - line.p);
		/* With one address only, it is the name that is corrected. */
		if (next_person(&line, &new_name, &map.new) &&
		    next_person(&line, &map.old_name, &map.old))
			vec_push(&m->mappings, map);
	}
	if (m->mappings.len)
		qsort(m->mappings.data, m->mappings.len,
		      sizeof(*m->mappings.data), mapping_cmp);
	return m;
}

void mailmap_free(struct mailmap *m)
{
	if (!m)
		return;
	vec_free(&m->mappings);
	free(m);
}

/* The index of the first mapping of `address`, or of what is after it. */
static size_t lower_bound(const struct mailmap *m, struct slice address)
{
	size_t lo = 0, hi = m->mappings.len;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (cmp_nocase(m->mappings.data[mid].old, address) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

struct slice mailmap_address(const struct mailmap *m, struct slice name,
			     struct slice address)
{
	struct slice any = address;
	bool mapped = false;

	for (size_t i = lower_bound(m, address); i < m->mappings.len; i++) {
		const struct mapping *map = &m->mappings.data[i];

		if (cmp_nocase(map->old, address))
			break;
		if (map->old_name.len && !cmp_nocase(map->old_name, name))
			return map->new;
		if (!map->old_name.len && !mapped) {
			any = map->new;
			mapped = true;
		}
	}
	return any;
}
