/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kernel/regex.h"

#include <ctype.h>
#include <regex.h>

#include "base/buf.h"
#include "base/mem.h"

enum {
	PATTERN_MAX = 256,
	REPEAT_MAX = 32,
	LITERAL_MIN = 3, /* shorter ones are everywhere */
	/*
	 * glibc builds its automaton while it matches.  "[ab]*a" and 200 dots
	 * costs 0.2 ms and 20 KB for every byte of text; so few repetitions
	 * and choices, and short lines.  The kernel's have at most 3 and 12.
	 */
	REPEATS_MAX = 4,
	CHOICES_MAX = 24,
	DEPTH_MAX = 8,
	LINE_MAX_LEN = 512,
};

struct regex {
	regex_t posix;
	bool icase;
	char *literal; /* stands in every match; NULL when none is known */
};

/* A translation under way. */
struct translation {
	struct slice in; /* what is left of the Perl pattern */
	struct buf out; /* POSIX extended */
	struct buf run, longest; /* literal text outside of groups */
	unsigned int depth, repeats, choices;
	bool icase, alternatives;
};

static void end_run(struct translation *t)
{
	if (t->run.len > t->longest.len) {
		struct buf b = t->longest;

		t->longest = t->run;
		t->run = b;
	}
	t->run.len = 0;
}

/* `c` stands for itself. */
static void literal(struct translation *t, char c)
{
	if (memchr(".[]{}()*+?^$|\\", c, 14))
		buf_char(&t->out, '\\');
	buf_char(&t->out, c);
	if (!t->depth)
		buf_char(&t->run, c);
}

static bool escape(struct translation *t)
{
	if (t->in.len < 2)
		return false;

	char c = t->in.p[1];

	t->in = slice_from(t->in, 2);
	t->choices += isalpha((unsigned char)c) != 0;
	if (memchr("bBwWsS", c, 6)) { /* GNU extensions of POSIX */
		end_run(t);
		buf_printf(&t->out, "\\%c", c);
	} else if (c == 'd') {
		end_run(t);
		buf_str(&t->out, "[0-9]");
	} else if (isalnum((unsigned char)c) || !isprint((unsigned char)c)) {
		return false; /* back-references, \A, \Q ... */
	} else {
		literal(t, c);
	}
	return true;
}

/* A set is the same in both, but for backslashes: those are refused. */
static bool set(struct translation *t)
{
	size_t n = 1;

	end_run(t);
	t->choices++;
	if (n < t->in.len && t->in.p[n] == '^')
		n++;
	if (n < t->in.len && t->in.p[n] == ']')
		n++;
	while (n < t->in.len && t->in.p[n] != ']') {
		if (t->in.p[n] == '\\' || t->in.p[n] == '[')
			return false;
		n++;
	}
	if (n == t->in.len)
		return false;
	buf_add(&t->out, t->in.p, n + 1);
	t->in = slice_from(t->in, n + 1);
	return true;
}

/* "(", "(?:", "(?i:"; "(?i)" only at the very start, see regex_new(). */
static bool group(struct translation *t)
{
	struct slice s = t->in;

	end_run(t);
	if (slice_starts(s, SLICE("(?i:"))) {
		t->icase = true;
		t->in = slice_from(s, 4);
	} else if (slice_starts(s, SLICE("(?:"))) {
		t->in = slice_from(s, 3);
	} else if (slice_starts(s, SLICE("(?")) ||
		   slice_starts(s, SLICE("(*"))) {
		return false;
	} else {
		t->in = slice_from(s, 1);
	}
	t->depth++;
	buf_char(&t->out, '(');
	return true;
}

/*
 * "{2}", "{2,}", "{2,3}": glibc copies what is repeated, so groups, which may
 * hold more of the same, cost gigabytes: only characters and sets.
 */
static bool interval(struct translation *t)
{
	size_t n = 1;
	unsigned int value = 0;

	for (; n < t->in.len && t->in.p[n] != '}'; n++) {
		char c = t->in.p[n];

		if (c == ',' && n > 1)
			value = 0;
		else if (isdigit((unsigned char)c))
			value = value * 10 + (unsigned int)(c - '0');
		else
			return false;
		if (value > REPEAT_MAX)
			return false;
		t->choices += value;
	}
	if (n == t->in.len || n == 1 || t->out.data[t->out.len - 1] == ')')
		return false;
	buf_add(&t->out, t->in.p, n + 1);
	t->in = slice_from(t->in, n + 1);
	return true;
}

/* The character before a quantifier is not sure to be there. */
static bool quantifier(struct translation *t)
{
	if (!t->out.len)
		return false; /* repeats nothing */
	t->repeats += t->in.p[0] != '?';
	t->choices += t->in.p[0] == '?';
	if (t->in.p[0] != '+' && t->run.len)
		t->run.len--;
	end_run(t);
	if (t->in.p[0] == '{') {
		if (!interval(t))
			return false;
	} else {
		buf_char(&t->out, t->in.p[0]);
		t->in = slice_from(t->in, 1);
	}
	/* Lazy and possessive repetition, or nonsense. */
	return !t->in.len || !memchr("*+?{", t->in.p[0], 4);
}

static bool translate_one(struct translation *t)
{
	char c = t->in.p[0];

	switch (c) {
	case '\0':
		return false;
	case '\\':
		return escape(t);
	case '[':
		return set(t);
	case '(':
		return group(t);
	case '*':
	case '+':
	case '?':
	case '{':
		return quantifier(t);
	case ')':
		if (!t->depth--)
			return false;
		end_run(t);
		break;
	case '|':
		t->alternatives |= !t->depth;
		t->choices++;
		end_run(t);
		break;
	case '.':
		t->choices++;
		end_run(t);
		break;
	case '^':
	case '$':
		end_run(t);
		break;
	default:
		literal(t, c);
		t->in = slice_from(t->in, 1);
		return true;
	}
	buf_char(&t->out, c);
	t->in = slice_from(t->in, 1);
	return true;
}

static struct regex *compile(struct translation *t)
{
	int flags = REG_EXTENDED | REG_NOSUB | (t->icase ? REG_ICASE : 0);
	struct regex *r = mem_calloc(1, sizeof(*r));

	if (regcomp(&r->posix, buf_cstr(&t->out), flags)) {
		free(r);
		return NULL;
	}
	r->icase = t->icase;
	end_run(t);
	if (!t->alternatives && t->longest.len >= LITERAL_MIN)
		r->literal = mem_dup0(t->longest.data, t->longest.len);
	return r;
}

struct regex *regex_new(struct slice perl)
{
	struct translation t = { .in = perl };
	struct regex *r = NULL;
	bool ok = perl.len && perl.len <= PATTERN_MAX;

	if (slice_starts(t.in, SLICE("(?i)"))) {
		t.icase = true;
		t.in = slice_from(t.in, 4);
	}
	while (ok && t.in.len)
		ok = translate_one(&t) && t.depth <= DEPTH_MAX &&
		     t.repeats <= REPEATS_MAX && t.choices <= CHOICES_MAX;
	if (ok && !t.depth && t.out.len)
		r = compile(&t);
	buf_deinit(&t.out);
	buf_deinit(&t.run);
	buf_deinit(&t.longest);
	return r;
}

void regex_free(struct regex *r)
{
	if (!r)
		return;
	regfree(&r->posix);
	free(r->literal);
	free(r);
}

/* Looking for the literal is many times as fast as the rest. */
static bool has_literal(const struct regex *r, struct slice text)
{
	if (!r->literal)
		return true;
	if (r->icase)
		return strcasestr(text.p, r->literal);
	return slice_has(text, slice_cstr(r->literal));
}

bool regex_search(const struct regex *r, struct slice text)
{
	struct slice line;

	if (!has_literal(r, text))
		return false;
	while (slice_line(&text, &line)) {
		regmatch_t range = { .rm_eo = (regoff_t)MIN(
					     line.len, (size_t)LINE_MAX_LEN) };

		if (!r->icase && !has_literal(r, line))
			continue;
		if (!regexec(&r->posix, line.p, 1, &range, REG_STARTEND))
			return true;
	}
	return false;
}
