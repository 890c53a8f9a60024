/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kernel/regex.h"

#include <ctype.h>
#include <regex.h>

#include "base/buf.h"
#include "base/mem.h"

enum {
	PATTERN_MAX = 256,
	REPEAT_MAX = 255,
	LITERAL_MIN = 3, /* shorter ones are everywhere */
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
	unsigned int depth;
	bool icase, intervals, alternatives;
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

/* "{2}", "{2,}", "{2,3}": one in a pattern, as nested ones multiply. */
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
	}
	if (n == t->in.len || n == 1 || t->intervals)
		return false;
	t->intervals = true;
	buf_add(&t->out, t->in.p, n + 1);
	t->in = slice_from(t->in, n + 1);
	return true;
}

/* The character before a quantifier is not sure to be there. */
static bool quantifier(struct translation *t)
{
	if (!t->out.len)
		return false; /* repeats nothing */
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
		end_run(t);
		break;
	case '.':
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
	struct regex *r = xcalloc(1, sizeof(*r));

	if (regcomp(&r->posix, buf_cstr(&t->out), flags)) {
		free(r);
		return NULL;
	}
	r->icase = t->icase;
	end_run(t);
	if (!t->alternatives && t->longest.len >= LITERAL_MIN)
		r->literal = xmemdup0(t->longest.data, t->longest.len);
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
		ok = translate_one(&t);
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

bool regex_search(const struct regex *r, struct slice text)
{
	regmatch_t range = { .rm_so = 0, .rm_eo = (regoff_t)text.len };

	/* Looking for the literal is many times as fast. */
	if (r->literal && !(r->icase ? strcasestr(text.p, r->literal) :
				       memmem(text.p, text.len, r->literal,
					      strlen(r->literal))))
		return false;
	return !regexec(&r->posix, text.p, 1, &range, REG_STARTEND);
}
