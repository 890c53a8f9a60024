/* SPDX-License-Identifier: GPL-2.0-or-later */
/* parse.c - the text of raw system calls: see prog.h. */
#include "raw/raw.h"
#include "raw/steps.h"

#define MAX_TEXT (16u << 20)

struct parser {
	struct raw *p;
	const char *name;
	struct slice line; /* the whole of it */
	struct slice rest; /* what is still to be read */
	unsigned int lineno;
};

static fallible wrong(const struct parser *s, const char *what)
{
	return error_new(ERR_INPUT, "%s:%u:%zu: %s", s->name, s->lineno,
			 s->line.len - s->rest.len + 1, what);
}

static void blanks(struct parser *s)
{
	while (s->rest.len && (*s->rest.p == ' ' || *s->rest.p == '\t'))
		s->rest = slice_from(s->rest, 1);
}

static char peek(struct parser *s)
{
	blanks(s);
	return s->rest.len ? *s->rest.p : '\0';
}

/* Take `c` if it is next. */
static bool take(struct parser *s, char c)
{
	if (peek(s) != c || !s->rest.len)
		return false;
	s->rest = slice_from(s->rest, 1);
	return true;
}

static fallible expect(struct parser *s, char c)
{
	char what[] = "expected 'x'";

	what[sizeof(what) - 3] = c;
	if (!take(s, c))
		return wrong(s, what);
	return NULL;
}

static bool word_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c >= '0' && c <= '9') || c == '_';
}

static struct slice word(struct parser *s)
{
	struct slice w = { s->rest.p, 0 };

	blanks(s);
	w.p = s->rest.p;
	while (w.len < s->rest.len && word_char(w.p[w.len]))
		w.len++;
	s->rest = slice_from(s->rest, w.len);
	return w;
}

static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return 99;
}

static bool digits(struct slice w, int base, uint64_t *out)
{
	uint64_t n = 0;

	for (size_t i = 0; i < w.len; i++) {
		uint64_t more;

		if (digit(w.p[i]) >= base ||
		    __builtin_mul_overflow(n, (uint64_t)base, &more) ||
		    __builtin_add_overflow(more, (uint64_t)digit(w.p[i]), &n))
			return false;
	}
	*out = n;
	return w.len > 0;
}

static fallible number(struct parser *s, uint64_t *out)
{
	struct parser at = *s;
	bool minus = take(s, '-'), ok;
	struct slice w = word(s);
	uint64_t n = 0;

	if (slice_starts(w, SLICE("0x")))
		ok = digits(slice_from(w, 2), 16, &n);
	else if (w.len > 1 && *w.p == '0')
		ok = digits(w, 8, &n);
	else
		ok = digits(w, 10, &n);
	if (!ok)
		return wrong(&at, "expected a number of at most 64 bits");
	*out = minus ? -n : n;
	return NULL;
}

static fallible bounded(struct parser *s, uint64_t max, const char *what,
			uint64_t *out)
{
	struct parser at = *s;
	uint64_t n;

	TRY(number(s, &n));
	if (n > max)
		return wrong(&at, what);
	*out = n;
	return NULL;
}

/* r<N>; false and nothing taken when it is something else. */
static bool result(struct parser *s, uint32_t *out)
{
	struct parser at = *s;
	struct slice w = word(s);
	uint64_t n;

	if (w.len < 2 || *w.p != 'r' || !digits(slice_from(w, 1), 10, &n) ||
	    n >= WIRE_MAX_RESULTS) {
		*s = at;
		return false;
	}
	*out = (uint32_t)n;
	return true;
}

static fallible escape(struct parser *s, char *out)
{
	static const char from[] = "0nrt\\\"", to[] = "\0\n\r\t\\\"";
	const char *at;

	if (!s->rest.len)
		return wrong(s, "a string that does not end");
	if (*s->rest.p == 'x') {
		if (s->rest.len < 3 || digit(s->rest.p[1]) > 15 ||
		    digit(s->rest.p[2]) > 15)
			return wrong(s, "expected two hex digits after \\x");
		*out = (char)(digit(s->rest.p[1]) << 4 | digit(s->rest.p[2]));
		s->rest = slice_from(s->rest, 3);
		return NULL;
	}
	at = *s->rest.p ? strchr(from, *s->rest.p) : NULL;
	if (!at)
		return wrong(s, "unknown escape: use \\xNN");
	*out = to[at - from];
	s->rest = slice_from(s->rest, 1);
	return NULL;
}

/* The rest of a string, after its first quote. */
static fallible string(struct parser *s, struct value *v)
{
	struct buf *bytes = &s->p->bytes;

	v->kind = VALUE_BYTES;
	v->from = (uint32_t)bytes->len;
	for (;;) {
		char c;

		if (!s->rest.len)
			return wrong(s, "a string that does not end");
		c = *s->rest.p;
		s->rest = slice_from(s->rest, 1);
		if (c == '"')
			break;
		if (c == '\\')
			TRY(escape(s, &c));
		buf_char(bytes, c);
	}
	v->len = (uint32_t)bytes->len - v->from;
	return NULL;
}

static fallible value(struct parser *s, struct value *v)
{
	bool address = take(s, '&');

	*v = (struct value){};
	if (take(s, '"')) {
		TRY(string(s, v));
	} else if (address) {
		uint64_t n;

		TRY(expect(s, '['));
		TRY(bounded(s, RAW_PLACED_BYTES, "a buffer over 8 MiB", &n));
		TRY(expect(s, ']'));
		v->kind = VALUE_ZERO;
		v->len = (uint32_t)n;
	} else if (result(s, &v->result)) {
		v->kind = VALUE_RESULT;
	} else {
		TRY(number(s, &v->number));
	}
	return NULL;
}

static fallible property(struct parser *s, struct step *step)
{
	struct parser at = *s;
	struct slice w = word(s);
	uint64_t n;

	if (slice_eq(w, SLICE("async"))) {
		step->props |= WIRE_CALL_ASYNC;
	} else if (slice_eq(w, SLICE("rerun"))) {
		TRY(expect(s, ':'));
		TRY(bounded(s, UINT16_MAX, "rerun: at most 65535", &n));
		step->rerun = (uint16_t)n;
	} else if (slice_eq(w, SLICE("fail_nth"))) {
		TRY(expect(s, ':'));
		TRY(bounded(s, UINT32_MAX, "fail_nth: at most 32 bits", &n));
		step->fail_nth = (uint32_t)n;
	} else {
		return wrong(&at, "expected async, rerun: N or fail_nth: N");
	}
	return NULL;
}

static fallible call_number(struct parser *s, struct slice name,
			    const struct parser *at, struct step *step)
{
	int64_t nr = raw_syscall_nr(s->p->arch, name);
	uint64_t n;

	if (slice_eq(name, SLICE("syscall"))) {
		TRY(expect(s, '('));
		TRY(bounded(s, UINT32_MAX, "no system call number", &n));
		step->nr = (uint32_t)n;
		if (peek(s) != ')')
			TRY(expect(s, ','));
		return NULL;
	}
	if (nr < 0)
		return wrong(at, "unknown system call: use syscall(NUMBER, "
				 "...)");
	step->nr = (uint32_t)nr;
	return expect(s, '(');
}

static fallible call(struct parser *s, struct step *step)
{
	struct parser at = *s;
	struct slice name;

	blanks(&at);
	name = word(s);
	if (!name.len)
		return wrong(&at, "expected the name of a system call");
	step->kind = STEP_CALL;
	TRY(call_number(s, name, &at, step));
	while (!take(s, ')')) {
		at = *s;
		if (step->nargs == RAW_MAX_ARGS)
			return wrong(&at, "more than 6 arguments");
		TRY(value(s, &step->args[step->nargs++]));
		if (peek(s) != ')')
			TRY(expect(s, ','));
	}
	if (!take(s, '('))
		return NULL;
	do
		TRY(property(s, step));
	while (take(s, ','));
	return expect(s, ')');
}

static fallible size_of_value(struct parser *s, struct step *step)
{
	struct parser at = *s;
	uint64_t n;

	TRY(number(s, &n));
	if (n != 1 && n != 2 && n != 4 && n != 8)
		return wrong(&at, "expected a size of 1, 2, 4 or 8");
	step->size = (uint32_t)n;
	return NULL;
}

/* The address after '*', of a place in the data area. */
static fallible place(struct parser *s, struct step *step)
{
	struct parser at = *s;
	uint64_t n;

	TRY(number(s, &n));
	if (n < WIRE_DATA_BASE + RAW_PLACED_BYTES ||
	    n >= WIRE_DATA_BASE + WIRE_DATA_SIZE)
		return wrong(&at, "not an address from 0x20800000 to "
				  "0x20ffffff");
	step->off = n - WIRE_DATA_BASE;
	return NULL;
}

static fallible load(struct parser *s, struct step *step)
{
	step->kind = STEP_LOAD;
	TRY(place(s, step));
	TRY(expect(s, ':'));
	return size_of_value(s, step);
}

static fallible poke(struct parser *s, struct step *step)
{
	TRY(place(s, step));
	TRY(expect(s, '='));
	TRY(value(s, &step->args[0]));
	step->nargs = 1;
	step->kind = STEP_BYTES;
	if (step->args[0].kind == VALUE_BYTES && peek(s) != ':')
		return NULL;
	step->kind = STEP_STORE;
	TRY(expect(s, ':'));
	return size_of_value(s, step);
}

static bool step_fits(struct raw *p, struct step *step)
{
	uint64_t len = step->kind == STEP_BYTES ? step->args[0].len :
						  step->size;

	if (step->kind != STEP_CALL && len > WIRE_DATA_SIZE - step->off)
		return false;
	for (uint32_t i = 0; i < step->nargs; i++)
		if (step->kind != STEP_BYTES && !raw_place(p, &step->args[i]))
			return false;
	return raw_add(p, step);
}

static fallible statement(struct parser *s)
{
	struct step step = { .result = WIRE_NO_RESULT };
	struct parser start = *s;

	if (result(s, &step.result))
		TRY(expect(s, '='));
	if (!take(s, '*'))
		TRY(call(s, &step));
	else if (step.result != WIRE_NO_RESULT)
		TRY(load(s, &step));
	else
		TRY(poke(s, &step));
	if (peek(s) && peek(s) != '#')
		return wrong(s, "expected the end of the line");
	if (!step_fits(s->p, &step))
		return wrong(&start, "the program is too large");
	return NULL;
}

fallible raw_parse(const char *name, struct slice text, enum raw_arch arch,
		   struct raw **out)
{
	_cleanup_(raw_freep) struct raw *p = raw_new(arch);
	struct parser s = { .p = p, .name = name };

	if (text.len > MAX_TEXT)
		return error_new(ERR_INPUT, "%s: over 16 MiB", name);
	while (slice_line(&text, &s.line)) {
		s.lineno++;
		if (slice_ends(s.line, SLICE("\r")))
			s.line.len--;
		s.rest = s.line;
		/* A NUL byte is no blank and no comment. */
		if ((!peek(&s) && !s.rest.len) || peek(&s) == '#')
			continue;
		TRY(statement(&s));
	}
	*out = take_ptr(p);
	return NULL;
}
