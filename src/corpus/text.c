/* SPDX-License-Identifier: GPL-2.0-or-later */
/* text.c - find programs in logs, calls in programs, by the shape of lines. */
#include "corpus/corpus.h"

enum { MAX_NUMBER = 1 << 30 };

static const struct slice announcement = { "executing program ", 18 };

static bool is_word(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c >= '0' && c <= '9') || c == '_' || c == '$';
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static struct slice take_word(struct slice *s)
{
	size_t n = 0;

	while (n < s->len && is_word(s->p[n]))
		n++;
	struct slice word = { s->p, n };

	*s = slice_from(*s, n);
	return word;
}

struct slice corpus_call_name(struct slice line)
{
	static const struct slice none = { "", 0 };
	struct slice rest = slice_trim(line);
	struct slice name = take_word(&rest);

	if (slice_starts(rest, SLICE(" = "))) {
		rest = slice_from(rest, 3);
		if (!name.len || *name.p != 'r')
			return none;
		name = take_word(&rest);
	}
	if (!name.len || is_digit(*name.p) || *name.p == '$' || !rest.len ||
	    *rest.p != '(' || rest.p[rest.len - 1] != ')')
		return none;
	return name;
}

/* A comment announces nothing: "# executing program 0:" is in some files. */
static bool announces(struct slice line)
{
	return slice_has(line, announcement) && *slice_trim(line).p != '#';
}

bool corpus_is_log(struct slice text)
{
	struct slice line;

	while (slice_line(&text, &line))
		if (announces(line))
			return true;
	return false;
}

/* The number after `word`; -1: there is none, or it is absurd. */
static int number_after(struct slice line, struct slice word)
{
	const char *p = slice_find(line, word);
	int n = 0;

	if (!p)
		return -1;
	p += word.len;
	if (p == line.p + line.len || !is_digit(*p))
		return -1;
	for (; p < line.p + line.len && is_digit(*p); p++) {
		n = n * 10 + *p - '0';
		if (n >= MAX_NUMBER / 10)
			return -1;
	}
	return n;
}

/* One program: the calls until the next announcement. */
static void take_program(struct slice head, struct slice *log, struct buf *out)
{
	int fault = number_after(head, SLICE("fault-call:"));
	int nth = number_after(head, SLICE("fault-nth:"));
	struct slice line, rest = *log;

	for (int call = 0; slice_line(&rest, &line); *log = rest) {
		if (announces(line))
			return;
		if (!corpus_call_name(line).len)
			continue;
		buf_slice(out, slice_trim(line));
		if (call++ == fault)
			buf_printf(out, " (fail_nth: %d)",
				   nth < 0 ? 1 : nth + 1);
		buf_char(out, '\n');
	}
}

bool corpus_log_next(struct slice *log, struct buf *out)
{
	struct slice line;

	out->len = 0;
	while (!out->len && slice_line(log, &line))
		if (announces(line))
			take_program(line, log, out);
	return out->len != 0;
}
