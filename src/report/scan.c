/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "report/scan.h"

#include <ctype.h>
#include <stdlib.h>

enum { STEP = SCAN_MIN_LEN - 1, UNROLL = 4 };

static unsigned pair(const char *p)
{
	uint16_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

/* How common a byte is in a log, roughly: English with addresses. */
static unsigned commonness(char c)
{
	static const char letters[] = "zqjxkwvyhgumpblcdrsniotaef";
	const char *p = islower((unsigned char)c) ? strchr(letters, c) : NULL;

	if (p)
		return 4 + (unsigned)(p - letters);
	if (isdigit((unsigned char)c) || strchr(" :-[]", c))
		return 30;
	return isupper((unsigned char)c) ? 5 : 10;
}

/* Where the rarest four bytes of a literal stand. */
static size_t choose(struct slice lit)
{
	size_t best = 0;
	unsigned least = ~0u;

	for (size_t o = 0; o + SCAN_MIN_LEN <= lit.len; o++) {
		unsigned sum = 0;

		for (size_t k = 0; k < STEP; k++)
			sum += commonness(lit.p[o + k]) *
			       commonness(lit.p[o + k + 1]);
		if (sum < least) {
			least = sum;
			best = o;
		}
	}
	return best;
}

void scanner_init(struct scanner *s, const struct slice *literals, unsigned nr)
{
	if (nr > SCAN_MAX_LITERALS)
		abort();
	memset(s, 0, sizeof(*s));
	s->nr = nr;
	for (unsigned i = 0; i < nr; i++) {
		if (literals[i].len < SCAN_MIN_LEN ||
		    literals[i].len > UINT16_MAX)
			abort();
		s->literal[i] = literals[i];
		s->offset[i] = (uint16_t)choose(literals[i]);
		if (s->max_len < literals[i].len)
			s->max_len = literals[i].len;
		for (unsigned k = 0; k < STEP; k++) {
			unsigned v = pair(literals[i].p + s->offset[i] + k);

			s->next[STEP * i + k] = s->first[v];
			s->first[v] = (uint16_t)(STEP * i + k + 1);
			s->hot[v] = 1;
		}
	}
}

/* The best literal with the pair at `at`, if it is better than *best. */
static void check(const struct scanner *s, struct slice text, size_t from,
		  size_t at, size_t *best, unsigned *which)
{
	for (unsigned n = s->first[pair(text.p + at)]; n; n = s->next[n - 1]) {
		unsigned i = (n - 1) / STEP;
		size_t in_rare = (n - 1) % STEP;
		size_t back = s->offset[i] + in_rare;

		/* The rare bytes first: without a call, and mostly not so. */
		if (at < from + back ||
		    at - in_rare + SCAN_MIN_LEN > text.len ||
		    memcmp(text.p + at - in_rare,
			   s->literal[i].p + s->offset[i], SCAN_MIN_LEN) ||
		    at - back > *best || (at - back == *best && i > *which) ||
		    !slice_starts(slice_from(text, at - back), s->literal[i]))
			continue;
		*best = at - back;
		*which = i;
	}
}

const char *scanner_find(const struct scanner *s, struct slice text,
			 size_t from, unsigned *which)
{
	size_t best = SIZE_MAX;
	unsigned lit = 0;

	for (size_t at = from; at + 2 <= text.len; at += STEP) {
		while (at + STEP * UNROLL + 2 <= text.len) {
			const char *p = text.p + at;

			if (s->hot[pair(p)] | s->hot[pair(p + STEP)] |
			    s->hot[pair(p + 2 * STEP)] |
			    s->hot[pair(p + 3 * STEP)])
				break;
			at += STEP * UNROLL;
		}
		/* What begins before a hit may have its rare bytes behind. */
		if (best != SIZE_MAX && at >= best + s->max_len)
			break;
		if (s->hot[pair(text.p + at)])
			check(s, text, from, at, &best, &lit);
	}
	if (best == SIZE_MAX)
		return NULL;
	*which = lit;
	return text.p + best;
}
