/* SPDX-License-Identifier: GPL-2.0-or-later */
/* slice.h - borrowed text: a pointer and a length, no terminator promised. */
#ifndef BASE_SLICE_H
#define BASE_SLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

struct slice {
	const char *p;
	size_t len;
};

#define SLICE(lit) ((struct slice){ "" lit "", sizeof(lit) - 1 })
#define SLICE_FMT "%.*s"
#define SLICE_ARG(s) (int)(s).len, (s).p

static inline struct slice slice_cstr(const char *s)
{
	return (struct slice){ s, strlen(s) };
}

static inline struct slice slice_range(const char *from, const char *to)
{
	return (struct slice){ from, (size_t)(to - from) };
}

/* The rest of `s` after its first `n` bytes; `n` must not exceed its length. */
static inline struct slice slice_from(struct slice s, size_t n)
{
	/* An empty slice may be NULL, to which C lets us add nothing, not 0. */
	return (struct slice){ n ? s.p + n : s.p, s.len - n };
}

static inline bool slice_eq(struct slice a, struct slice b)
{
	return a.len == b.len && (!a.len || !memcmp(a.p, b.p, a.len));
}

static inline bool slice_starts(struct slice s, struct slice prefix)
{
	return s.len >= prefix.len &&
	       (!prefix.len || !memcmp(s.p, prefix.p, prefix.len));
}

static inline bool slice_ends(struct slice s, struct slice suffix)
{
	return s.len >= suffix.len &&
	       (!suffix.len ||
		!memcmp(s.p + s.len - suffix.len, suffix.p, suffix.len));
}

/*
 * Where `needle` first stands in `s`, or NULL.  For needles of some words:
 * memmem() prepares a table first, which takes longer than a line of text.
 */
static inline const char *slice_find(struct slice s, struct slice needle)
{
	if (!needle.len)
		return s.p;
	if (s.len < needle.len)
		return NULL;
	const char *p = s.p, *last = s.p + (s.len - needle.len);

	while ((p = memchr(p, *needle.p, (size_t)(last - p) + 1))) {
		if (!memcmp(p, needle.p, needle.len))
			return p;
		if (p++ == last)
			break;
	}
	return NULL;
}

static inline bool slice_has(struct slice s, struct slice needle)
{
	return slice_find(s, needle) != NULL;
}

static inline bool char_is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Without blanks (space, tab, CR, LF) on either side. */
static inline struct slice slice_trim(struct slice s)
{
	while (s.len && char_is_blank(*s.p))
		s = slice_from(s, 1);
	while (s.len && char_is_blank(s.p[s.len - 1]))
		s.len--;
	return s;
}

/*
 * Cut the first line off `*text` into `*line`, without its '\n'.
 * False when nothing is left.
 */
static inline bool slice_line(struct slice *text, struct slice *line)
{
	if (!text->len)
		return false;
	const char *nl = memchr(text->p, '\n', text->len);
	size_t n = nl ? (size_t)(nl - text->p) : text->len;

	*line = (struct slice){ text->p, n };
	*text = slice_from(*text, nl ? n + 1 : n);
	return true;
}

#endif /* BASE_SLICE_H */
