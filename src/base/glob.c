/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/glob.h"

#include <stdint.h>

size_t glob_literal_prefix(struct slice pattern)
{
	size_t n = 0;

	while (n < pattern.len && !memchr("*?[\\", pattern.p[n], 4))
		n++;
	return n;
}

/*
 * Match `c` against the set that starts after the '[' at `*i`.  Moves `*i`
 * behind the set.  A set without its ']' is a plain '['.
 */
static bool match_set(struct slice pat, size_t *i, char c)
{
	size_t at = *i + 1;
	bool negate = at < pat.len && (pat.p[at] == '!' || pat.p[at] == '^');
	bool hit = false;

	if (negate)
		at++;
	for (size_t first = at; at < pat.len; at++) {
		unsigned char lo = (unsigned char)pat.p[at], hi = lo;

		if (lo == ']' && at > first) {
			*i = at + 1;
			return hit != negate && c != '/';
		}
		if (at + 2 < pat.len && pat.p[at + 1] == '-' &&
		    pat.p[at + 2] != ']') {
			hi = (unsigned char)pat.p[at + 2];
			at += 2;
		}
		if ((unsigned char)c >= lo && (unsigned char)c <= hi)
			hit = true;
	}
	return pat.p[(*i)++] == c;
}

/* One pattern element other than '*' against one character. */
static bool match_one(struct slice pat, size_t *i, char c)
{
	switch (pat.p[*i]) {
	case '?':
		++*i;
		return c != '/';
	case '[':
		return match_set(pat, i, c);
	case '\\':
		if (*i + 1 < pat.len)
			++*i;
		break;
	}
	return pat.p[(*i)++] == c;
}

static bool match(struct slice pattern, struct slice path, bool begin)
{
	bool below = pattern.len && pattern.p[pattern.len - 1] == '/';
	size_t i = 0, j = 0, star_i = SIZE_MAX, star_j = 0;

	for (;;) {
		if (i == pattern.len &&
		    (below || j == path.len ||
		     (begin && !memchr(path.p + j, '/', path.len - j))))
			return true;
		if (i < pattern.len && pattern.p[i] == '*') {
			star_i = ++i;
			star_j = j;
			continue;
		}
		if (i < pattern.len && j < path.len &&
		    match_one(pattern, &i, path.p[j])) {
			j++;
			continue;
		}
		/* Let the last '*' take one more, unless that is a '/'. */
		if (star_i == SIZE_MAX || star_j >= path.len ||
		    path.p[star_j] == '/')
			return false;
		i = star_i;
		star_j++;
		/* Straight to the next place where what follows may stand. */
		if (i < pattern.len && !memchr("*?[\\", pattern.p[i], 4))
			while (star_j < path.len &&
			       path.p[star_j] != pattern.p[i] &&
			       path.p[star_j] != '/')
				star_j++;
		j = star_j;
	}
}

bool glob_match(struct slice pattern, struct slice path)
{
	return match(pattern, path, false);
}

bool glob_match_begin(struct slice pattern, struct slice path)
{
	return match(pattern, path, true);
}
