/* SPDX-License-Identifier: GPL-2.0-or-later */
/* parse.c - the text of programs: lines, calls, results, properties. */
#define XXH_INLINE_ALL
#include <stdarg.h>
#include <stdio.h>
#include <xxhash.h>

#include "base/mem.h"
#include "prog/text.h"

enum { TEXT_MAX = 64 << 20, VARS_FIRST = 64 };

fallible parse_error(const struct parser *s, const char *at, const char *fmt,
		     ...)
{
	_cleanup_(freep) char *msg = NULL;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&msg, fmt, ap) < 0)
		abort();
	va_end(ap);
	return error_new(ERR_INPUT, "%s:%u:%zu: %s", s->name, s->lineno,
			 (size_t)(at - s->line) + 1, msg);
}

/* ---- Words ---------------------------------------------------------------------- */

fallible expect(struct parser *s, char c)
{
	if (take(s, c))
		return NULL;
	if (s->at == s->end)
		return parse_error(s, s->at,
				   "the line ends here, '%c' is "
				   "missing",
				   c);
	return parse_error(s, s->at, "expected '%c'", c);
}

bool take_word(struct parser *s, struct slice word)
{
	if (!slice_starts(slice_range(s->at, s->end), word))
		return false;
	s->at += word.len;
	skip_blanks(s);
	return true;
}

static bool ident_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c >= '0' && c <= '9') || c == '_' || c == '$';
}

fallible parse_ident(struct parser *s, struct slice *out)
{
	const char *from = s->at;

	while (s->at < s->end && ident_char(*s->at))
		s->at++;
	if (s->at == from)
		return parse_error(s, from, "expected a name");
	*out = slice_range(from, s->at);
	skip_blanks(s);
	return NULL;
}

static unsigned int digit_value(char c)
{
	if (c >= '0' && c <= '9')
		return (unsigned int)(c - '0');
	if (c >= 'a' && c <= 'f')
		return (unsigned int)(c - 'a') + 10;
	if (c >= 'A' && c <= 'F')
		return (unsigned int)(c - 'A') + 10;
	return 99;
}

static unsigned int take_base(struct slice *digits)
{
	static const struct {
		char letter;
		unsigned int base;
	} bases[] = { { 'x', 16 }, { 'o', 8 }, { 'b', 2 } };

	if (digits->len < 2 || *digits->p != '0')
		return 10;
	for (size_t i = 0; i < ARRAY_LEN(bases); i++)
		if ((digits->p[1] | 0x20) == bases[i].letter) {
			*digits = slice_from(*digits, 2);
			return bases[i].base;
		}
	*digits = slice_from(*digits, 1);
	return 8;
}

fallible parse_number(struct parser *s, uint64_t *out)
{
	const char *start = s->at;
	struct slice digits;
	uint64_t value = 0;

	TRY(parse_ident(s, &digits));

	unsigned int base = take_base(&digits);

	for (size_t i = 0; i < digits.len; i++) {
		unsigned int digit = digit_value(digits.p[i]);

		if (digit >= base)
			return parse_error(s, start, "this is no number");
		if (__builtin_mul_overflow(value, base, &value) ||
		    __builtin_add_overflow(value, digit, &value))
			return parse_error(s, start,
					   "the number does not fit 64 bits");
	}
	if (!digits.len)
		return parse_error(s, start, "this is no number");
	*out = value;
	return NULL;
}

/* From the quote to what is behind the closing one. */
static void skip_string(struct parser *s)
{
	char quote = *s->at++;

	while (s->at < s->end && *s->at != quote)
		s->at += quote == '\'' && *s->at == '\\' && s->end - s->at > 1 ?
				 2 :
				 1;
	s->at += s->at < s->end;
}

void skip_excess(struct parser *s, bool to_comma)
{
	static const char open[] = "([{", close[] = ")]}";
	unsigned int depth[3] = {};

	while (s->at < s->end) {
		char c = *s->at;
		const char *o = c ? strchr(open, c) : NULL;
		const char *e = c ? strchr(close, c) : NULL;

		if (e && !depth[e - close])
			break;
		if (c == ',' && to_comma && !depth[0] && !depth[1] && !depth[2])
			break;
		if (c == '\'' || c == '"') {
			skip_string(s);
			continue;
		}
		if (o)
			depth[o - open]++;
		if (e)
			depth[e - close]--;
		s->at++;
	}
}

/* ---- Results -------------------------------------------------------------------- */

static struct parse_var *var_slot(const struct parse_vars *v, struct slice name)
{
	uint32_t h = (uint32_t)XXH3_64bits(name.p, name.len);

	while (v->slots[h & v->mask].name.p &&
	       !slice_eq(v->slots[h & v->mask].name, name))
		h++;
	return &v->slots[h & v->mask];
}

uint32_t find_var(const struct parser *s, struct slice name)
{
	const struct parse_var *v;

	if (!s->vars.slots)
		return ARG_NONE;
	v = var_slot(&s->vars, name);
	return v->name.p ? v->arg : ARG_NONE;
}

static void grow_vars(struct parse_vars *v)
{
	uint32_t size = v->slots ? 2 * (v->mask + 1) : VARS_FIRST;
	struct parse_vars more = { .slots = mem_calloc(size, sizeof(*v->slots)),
				   .n = v->n,
				   .mask = size - 1 };

	for (uint32_t i = 0; v->slots && i <= v->mask; i++)
		if (v->slots[i].name.p)
			*var_slot(&more, v->slots[i].name) = v->slots[i];
	free(v->slots);
	*v = more;
}

static void set_var(struct parser *s, struct slice name, uint32_t arg)
{
	struct parse_vars *v = &s->vars;

	if (!v->slots || 2 * v->n > v->mask)
		grow_vars(v);

	struct parse_var *slot = var_slot(v, name);

	v->n += !slot->name.p;
	*slot = (struct parse_var){ name, arg };
}

/* ---- Calls ---------------------------------------------------------------------- */

static fallible parse_count(struct parser *s, uint64_t max, uint64_t *out)
{
	const char *start = s->at;
	struct error *err;

	TRY(expect(s, ':'));
	err = parse_number(s, out);
	if (!err && *out <= max)
		return NULL;
	error_free(err);
	*out = 0;
	skip_excess(s, true);
	return misfit(s, start, "expected a number up to %llu",
		      (unsigned long long)max);
}

static fallible parse_prop(struct parser *s, struct prog_props *props)
{
	const char *start = s->at;
	struct slice name;
	uint64_t n;

	TRY(parse_ident(s, &name));
	if (slice_eq(name, SLICE("async"))) {
		props->async = true;
	} else if (slice_eq(name, SLICE("fail_nth"))) {
		TRY(parse_count(s, INT32_MAX, &n));
		props->fail_nth = (uint32_t)n;
	} else if (slice_eq(name, SLICE("rerun"))) {
		TRY(parse_count(s, UINT16_MAX, &n));
		props->rerun = (uint16_t)n;
	} else {
		TRY(misfit(s, start,
			   "unknown property '" SLICE_FMT
			   "': there are fail_nth, async and rerun",
			   SLICE_ARG(name)));
		skip_excess(s, true);
	}
	return NULL;
}

/* Behind the call: (fail_nth: 3, async). */
static fallible parse_props(struct parser *s, struct prog_props *props)
{
	const char *start = s->at;

	while (peek(s) != ')') {
		TRY(parse_prop(s, props));
		if (peek(s) != ')')
			TRY(expect(s, ','));
	}
	TRY(expect(s, ')'));
	if (props->fail_nth && props->rerun) {
		TRY(misfit(s, start, "a call with fail_nth cannot be rerun"));
		props->rerun = 0;
	}
	return NULL;
}

static fallible parse_args(struct parser *s, struct call *c)
{
	const struct desc_call *dc = &s->d->calls[c->id];
	struct chain list = CHAIN_EMPTY;
	uint32_t i = 0, a;

	for (; peek(s) != ')' && i < dc->nargs; i++) {
		const struct desc_field *f = &s->d->fields[dc->arg + i];

		TRY(parse_arg(s, f->type, field_dir(f, DESC_IN), &a));
		chain_add(s->p, &list, a);
		if (peek(s) != ')')
			TRY(expect(s, ','));
	}
	if (peek(s) != ')') {
		TRY(misfit(s, s->at, "%s has only %u arguments",
			   desc_name(s->d, dc->name), dc->nargs));
		skip_excess(s, false);
	}
	if (i < dc->nargs)
		TRY(misfit(s, s->at, "%s has %u arguments, here are %u",
			   desc_name(s->d, dc->name), dc->nargs, i));
	for (; i < dc->nargs; i++)
		chain_add(s->p, &list,
			  default_field(s, &s->d->fields[dc->arg + i],
					DESC_IN));
	c->arg = list.first;
	return NULL;
}

/* Conditions hold, and what is AUTO has its value. */
static fallible finish_call(struct parser *s, const struct call *c)
{
	uint32_t bad;

	cond_settle(s->p, c, COND_AUTO);
	bad = s->mode == PROG_STRICT ? cond_check(s->p, c) :
				       cond_settle(s->p, c, COND_ALL);
	if (bad != ARG_NONE) {
		TRY(misfit(s, s->line, "the condition of %s wants it %s",
			   desc_name(s->d,
				     arg_type(s->p, arg_at(s->p, bad))->name),
			   arg_at(s->p, bad)->kind == ARG_ABSENT ?
				   "there: write @value, not @void" :
			   arg_at(s->p, bad)->kind == ARG_UNION ?
				   "to be another option" :
				   "absent: write @void"));
		s->fix_refs = true;
	}
	if (s->lengths)
		prog_assign_autos(s->p, c);
	return NULL;
}

static fallible parse_call(struct parser *s, struct slice result, uint32_t id)
{
	const struct desc_call *dc = &s->d->calls[id];
	struct call c = { .id = id, .arg = ARG_NONE, .ret = ARG_NONE };

	s->call = id;
	TRY(expect(s, '('));
	TRY(parse_args(s, &c));
	TRY(expect(s, ')'));
	if (take(s, '('))
		TRY(parse_props(s, &c.props));
	if (s->at < s->end && *s->at != '#')
		return parse_error(s, s->at,
				   "the call ends here, what is "
				   "behind it?");
	TRY(finish_call(s, &c));
	if (dc->ret != DESC_NONE)
		c.ret = arg_new_default(s->p, dc->ret, DESC_OUT);
	vec_push(&s->p->calls, c);
	if (result.p)
		set_var(s, result, c.ret);
	vec_for_each(&s->made, v)
		set_var(s, v->name, v->arg);
	return NULL;
}

static fallible parse_line(struct parser *s)
{
	const char *start = s->at;
	struct slice name, result = {};
	uint32_t id;

	s->depth = 0;
	s->made.len = 0;
	s->lengths = false;
	TRY(parse_ident(s, &name));
	if (take(s, '=')) {
		result = name;
		start = s->at;
		TRY(parse_ident(s, &name));
	}
	id = target_find_call(s->t, name);
	if (id == DESC_NONE)
		return parse_error(s, start,
				   "unknown call " SLICE_FMT
				   ": is it of other descriptions?",
				   SLICE_ARG(name));
	return parse_call(s, result, id);
}

/* What a line that is left out would have made is made by nobody. */
static void forget_results(struct parser *s)
{
	struct slice name = {};

	s->at = s->line;
	skip_blanks(s);
	while (s->at < s->end) {
		const char *from = s->at;

		while (s->at < s->end && ident_char(*s->at))
			s->at++;
		name = slice_range(from, s->at);
		skip_blanks(s);
		if (name.len && take(s, '=') && find_var(s, name) != ARG_NONE)
			set_var(s, name, ARG_NONE);
		s->at += s->at < s->end && !name.len;
	}
}

static bool over_limit(const struct parser *s)
{
	return s->p->args.len >= PROG_MAX_ARGS ||
	       s->p->bytes.len > PROG_MAX_BYTES || s->images > 1 << 30;
}

/* A line that is no call of ours is left out by PROG_REPAIR. */
static fallible read_line(struct parser *s)
{
	size_t args = s->p->args.len, bytes = s->p->bytes.len;
	struct error *err;

	if (s->p->calls.len == PROG_MAX_CALLS)
		return parse_error(s, s->at,
				   "the program has more than %d "
				   "calls, split it",
				   PROG_MAX_CALLS);
	err = parse_line(s);
	if (!err || s->mode == PROG_STRICT || over_limit(s))
		return err;
	error_free(err);
	s->p->args.len = args;
	s->p->bytes.len = bytes;
	forget_results(s);
	return NULL;
}

static fallible read_lines(struct parser *s, struct slice text)
{
	struct slice line;

	while (slice_line(&text, &line)) {
		struct slice trimmed = slice_trim(line);

		s->lineno++;
		s->line = line.p;
		s->at = trimmed.p;
		s->end = trimmed.p + trimmed.len;
		if (trimmed.len && *trimmed.p != '#')
			TRY(read_line(s));
	}
	if (s->autos)
		TRY(place_autos(s));
	if (s->fix_refs)
		tree_fix_refs(s->p);
	return NULL;
}

fallible prog_parse(const struct prog_target *t, const char *name,
		    struct slice text, enum prog_mode mode, struct prog **out)
{
	_cleanup_(prog_freep) struct prog *p = prog_new(t);
	struct parser s = {
		.p = p, .t = t, .d = t->d, .name = name, .mode = mode
	};

	if (text.len > TEXT_MAX)
		return error_new(ERR_INPUT, "%s: more than %d MiB of text",
				 name, TEXT_MAX >> 20);
	struct error *err = read_lines(&s, text);

	free(s.vars.slots);
	vec_free(&s.made);
	if (err)
		return err;
	*out = take_ptr(p);
	return NULL;
}
