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
	case 'a':
		return slice_starts(s, SLICE("Read"))  ? strlen("Read") :
		       slice_starts(s, SLICE("Write")) ? strlen("Write") :
							 0;
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

static bool literal_ends(char c)
{
	return !c || c == '{';
}

/*
 * Take the literal at the start of the pattern, up to the next placeholder,
 * off the text: both advance.  False if it does not stand there.
 */
static bool literal(const char **pattern, struct slice *text)
{
	const char *p = *pattern;
	size_t i = 0;

	for (; !literal_ends(*p); p++) {
		if (i == text->len)
			return false;
		if (*p == ' ') {
			if (!is_blank(text->p[i]))
				return false;
			while (i < text->len && is_blank(text->p[i]))
				i++;
		} else if (*p != text->p[i++]) {
			return false;
		}
	}
	*pattern = p;
	*text = slice_from(*text, i);
	return true;
}

/* Text up to the literal that follows; -1 when that is not found. */
static long until(const char *lit, struct slice text)
{
	if (literal_ends(*lit))
		return (long)text.len;
	for (size_t i = 0; i < text.len; i++) {
		bool blank = *lit == ' ' && is_blank(text.p[i]);
		const char *pattern = lit;
		struct slice rest = slice_from(text, i);

		if ((blank || text.p[i] == *lit) && literal(&pattern, &rest))
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
		len = until(*pattern, *text);
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
		if (*pattern == '{' ? !placeholder(&pattern, &text, m) :
				      !literal(&pattern, &text)) {
			m->nr = saved;
			return false;
		}
	}
	return true;
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
