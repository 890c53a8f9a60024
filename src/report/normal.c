/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "report/normal.h"

#include <ctype.h>

#include "report/report.h"

static bool word_char(char c)
{
	return isalnum((unsigned char)c) || c == '_';
}

static size_t run(struct slice s, size_t i, int (*is)(int))
{
	size_t n = 0;

	while (i + n < s.len && is((unsigned char)s.p[i + n]))
		n++;
	return n;
}

static bool at(struct slice s, size_t i, const char *word)
{
	return slice_starts(slice_from(s, i), slice_cstr(word));
}

/* "10.0.0.1" */
static size_t ipv4_len(struct slice s, size_t i)
{
	size_t start = i;

	for (int part = 0; part < 4; part++) {
		size_t n = run(s, i, isdigit);

		if (!n || n > 3)
			return 0;
		i += n;
		if (part < 3 && (i == s.len || s.p[i++] != '.'))
			return 0;
	}
	return i < s.len && (word_char(s.p[i]) || s.p[i] == '.') ? 0 :
								   i - start;
}

/* "+0x1f/0x20" behind a function */
static size_t offset_len(struct slice s, size_t i)
{
	size_t n = 3;

	if (!at(s, i, "+0x"))
		return 0;
	n += run(s, i + n, isxdigit);
	if (at(s, i + n, "/0x"))
		n += 3 + run(s, i + n + 3, isxdigit);
	return n;
}

/* What to put for the text at `i`; *len is how much of it. */
static const char *replacement(struct slice s, size_t i, size_t *len)
{
	char before = i ? s.p[i - 1] : ' ';

	*len = offset_len(s, i);
	if (*len)
		return "";
	if (at(s, i, "CPU#") && (*len = run(s, i + 4, isdigit))) {
		*len += 4;
		return "CPU";
	}
	if (at(s, i, "0x") && !word_char(before) &&
	    (*len = run(s, i + 2, isxdigit))) {
		*len += 2;
		return "ADDR";
	}
	*len = word_char(before) ? 0 : run(s, i, isxdigit);
	if (*len >= 8 && (*len % 8 == 0 || *len > 12) &&
	    (i + *len == s.len || !word_char(s.p[i + *len])))
		return "ADDR";
	if (!isdigit((unsigned char)s.p[i]))
		return NULL;
	*len = !word_char(before) && before != '.' ? ipv4_len(s, i) : 0;
	if (*len)
		return "IP";
	*len = run(s, i, isdigit);
	if (before == ':' && i > 2 &&
	    (at(s, i - 3, ".c:") || at(s, i - 3, ".h:") || at(s, i - 3, "rs:")))
		return "LINE";
	/* ext4, ipv6 and N_TTY keep their digits */
	if (word_char(before) && *len < 3)
		return NULL;
	return "NUM";
}

void normal_append(struct buf *out, struct slice s)
{
	for (size_t i = 0; i < s.len;) {
		size_t len;
		const char *text = replacement(s, i, &len);

		if (text) {
			buf_str(out, text);
			i += len;
			continue;
		}
		buf_char(out, s.p[i++]);
		/* digits that stay are not looked at again */
		while (i < s.len && isdigit((unsigned char)s.p[i]) &&
		       word_char(s.p[i - 1]) && run(s, i, isdigit) < 3)
			buf_char(out, s.p[i++]);
	}
}

const char *normal_title(struct arena *arena, struct slice s)
{
	char *title = arena_alloc(arena, REPORT_TITLE_BYTES + 1);
	size_t n = 0;

	s = slice_trim(s);
	for (size_t i = 0; i < s.len && n < REPORT_TITLE_BYTES; i++)
		if ((unsigned char)s.p[i] >= ' ' && s.p[i] != 127 &&
		    (unsigned char)s.p[i] < 128)
			title[n++] = s.p[i];
	while (n && title[n - 1] == ' ')
		n--;
	title[n] = '\0';
	return title;
}
