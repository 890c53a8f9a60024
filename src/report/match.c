/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "report/match.h"

#include <ctype.h>

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* Without <ctype.h>: this is where the time goes in a long call trace. */
static bool is_letter(char c)
{
	return (unsigned)((c | 0x20) - 'a') < 26;
}

static bool is_digit(char c)
{
	return (unsigned)(c - '0') < 10;
}

static bool is_symbol_char(char c)
{
	return is_letter(c) || is_digit(c) || c == '_' || c == '.' || c == '$';
}

size_t symbol_len(struct slice s)
{
	size_t n = 0;

	if (!s.len || !is_symbol_char(*s.p) || is_digit(*s.p))
		return 0;
	while (n < s.len && is_symbol_char(s.p[n]))
		n++;
	size_t hex = 0;
	while (hex < n && isxdigit((unsigned char)s.p[hex]))
		hex++;
	return hex == n && n >= 8 ? 0 : n; /* an address is no name */
}

/* The length of what a placeholder of this class takes from `s`. */
static size_t class_len(char class, struct slice s)
{
	size_t n = 0;

	switch (class) {
	case 'w':
		while (n < s.len && !isspace((unsigned char)s.p[n]))
			n++;
		return n;
	case 'd':
		while (n < s.len && isdigit((unsigned char)s.p[n]))
			n++;
		return n;
	case 'x':
		if (s.len > 2 && slice_starts(s, SLICE("0x")) &&
		    isxdigit((unsigned char)s.p[2]))
			n = 2;
		while (n < s.len && isxdigit((unsigned char)s.p[n]))
			n++;
		return n;
	default:
		return symbol_len(s);
	}
}

/* "+0x1/0x2" after a symbol is part of it, though not of its name. */
static size_t offset_len(struct slice s)
{
	size_t n = 0;

	if (!slice_starts(s, SLICE("+0x")))
		return 0;
	n = 1 + class_len('x', slice_from(s, 1));
	if (n < s.len && s.p[n] == '/')
		n += 1 + class_len('x', slice_from(s, n + 1));
	return n;
}

/* The literal text at the start of the pattern, up to the next placeholder. */
static struct slice literal(const char *pattern)
{
	return (struct slice){ pattern, strcspn(pattern, "{") };
}

/* How much of `text` the literal takes when it stands there; -1: it does not. */
static long literal_at(struct slice lit, struct slice text)
{
	size_t i = 0;

	for (size_t k = 0; k < lit.len; k++) {
		if (i == text.len)
			return -1;
		if (lit.p[k] == ' ') {
			if (!is_blank(text.p[i]))
				return -1;
			while (i < text.len && is_blank(text.p[i]))
				i++;
		} else if (lit.p[k] != text.p[i++]) {
			return -1;
		}
	}
	return (long)i;
}

/* Text up to the literal that follows; -1 when that is not found. */
static long until(struct slice lit, struct slice text)
{
	if (!lit.len)
		return (long)text.len;
	for (size_t i = 0; i < text.len; i++) {
		bool blank = lit.p[0] == ' ' && is_blank(text.p[i]);

		if ((blank || text.p[i] == lit.p[0]) &&
		    literal_at(lit, slice_from(text, i)) >= 0)
			return (long)i;
		/* The rest of a run of blanks fares no better. */
		while (blank && i + 1 < text.len && is_blank(text.p[i + 1]))
			i++;
	}
	return -1;
}

/* One "{...}" at *pattern against *text; both advance. */
static bool placeholder(const char **pattern, struct slice *text,
			struct match *m)
{
	const char *name = *pattern + 1;
	const char *close = strchr(name, '}');
	struct slice id = slice_range(name, close);
	size_t after = 0;
	long len;

	*pattern = close + 1;
	if (id.len > 2 && id.p[id.len - 2] == ':') {
		char class = id.p[id.len - 1];

		id.len -= 2;
		len = (long)class_len(class, *text);
		if (!len)
			return false;
		if (class == 'f')
			after = offset_len(slice_from(*text, (size_t)len));
	} else {
		len = until(literal(*pattern), *text);
		if (len < 0 || (!len && !**pattern))
			return false;
	}
	if (!slice_eq(id, SLICE("*")) && m->nr < MATCH_MAX) {
		m->name[m->nr] = id;
		m->value[m->nr++] = (struct slice){ text->p, (size_t)len };
	}
	*text = slice_from(*text, (size_t)len + after);
	return true;
}

bool match_line(const char *pattern, struct slice text, struct match *m)
{
	unsigned saved = m->nr;

	while (*pattern) {
		if (*pattern == '{') {
			if (!placeholder(&pattern, &text, m))
				goto no;
			continue;
		}
		/* Most patterns fail at their first byte. */
		if (*pattern != ' ' && (!text.len || *pattern != *text.p))
			goto no;
		struct slice lit = literal(pattern);
		long n = literal_at(lit, text);
		if (n < 0)
			goto no;
		pattern += lit.len;
		text = slice_from(text, (size_t)n);
	}
	return true;
no:
	m->nr = saved;
	return false;
}

struct slice match_get(const struct match *m, const char *name)
{
	for (unsigned i = 0; i < m->nr; i++)
		if (slice_eq(m->name[i], slice_cstr(name)))
			return m->value[i];
	return (struct slice){ 0 };
}

void match_set(struct match *m, const char *name, struct slice value)
{
	for (unsigned i = 0; i < m->nr; i++) {
		if (slice_eq(m->name[i], slice_cstr(name))) {
			m->value[i] = value;
			return;
		}
	}
	if (m->nr == MATCH_MAX)
		return;
	m->name[m->nr] = slice_cstr(name);
	m->value[m->nr++] = value;
}
