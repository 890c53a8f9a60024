/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * kconfig.c - why an option was not taken, read from the tree's Kconfig files.
 *
 * The language: Documentation/kbuild/kconfig-language.rst of Linux 6.12.  Only
 * what limits an option is looked at (depends on, if, the condition of a
 * prompt, those of the menus around it); a macro is taken to be true.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/io.h"
#include "base/mem.h"
#include "kbuild/internal.h"

enum {
	MAX_SOURCES = 64, /* nested */
	MAX_FILE_BYTES = 4 << 20,
	MAX_NESTED = 64, /* parentheses */
	NO_MISS = -1,
};

/* ---- expressions ---- */

struct expr {
	struct slice rest;
	struct slice config;
	bool macro; /* something in it was only supposed */
	int depth;
};

static int eval_or(struct expr *e);

static void skip_blanks(struct expr *e)
{
	while (e->rest.len && strchr(" \t", *e->rest.p))
		e->rest = slice_from(e->rest, 1);
}

static bool take(struct expr *e, struct slice token)
{
	skip_blanks(e);
	if (!slice_starts(e->rest, token))
		return false;
	e->rest = slice_from(e->rest, token.len);
	return true;
}

static bool is_word(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.';
}

/* The end of "$(...)", with what is nested in it. */
static size_t macro_len(struct slice s)
{
	int open = 0;

	for (size_t i = 1; i < s.len; i++) {
		open += s.p[i] == '(';
		open -= s.p[i] == ')';
		if (!open)
			return i + 1;
	}
	return s.len;
}

/* A symbol, constant or macro; its value as text. */
static struct slice operand(struct expr *e)
{
	size_t n = 0;

	skip_blanks(e);
	struct slice s = e->rest;
	if (!s.len)
		return SLICE("n");
	if (*s.p == '$') {
		e->rest = slice_from(s, macro_len(s));
		e->macro = true;
		return SLICE("y");
	}
	if (*s.p == '"' || *s.p == '\'') {
		const char *end = memchr(s.p + 1, *s.p, s.len - 1);

		n = end ? (size_t)(end - s.p) + 1 : s.len;
		e->rest = slice_from(s, n);
		return (struct slice){ s.p + 1, n - (end ? 2 : 1) };
	}
	while (n < s.len && is_word(s.p[n]))
		n++;
	e->rest = slice_from(s, n ? n : 1);
	s.len = n;
	if (slice_eq(s, SLICE("y")) || slice_eq(s, SLICE("m")) ||
	    slice_eq(s, SLICE("n")) || (n && *s.p >= '0' && *s.p <= '9'))
		return s;
	char name[128];
	snprintf(name, sizeof(name), "CONFIG_" SLICE_FMT,
		 (int)MIN(s.len, (size_t)100), s.p);
	struct slice v = config_value(e->config, slice_cstr(name));
	return v.len ? v : SLICE("n");
}

static int tristate(struct slice v)
{
	return slice_eq(v, SLICE("y")) ? 2 : slice_eq(v, SLICE("m")) ? 1 : 0;
}

static int eval_comparison(struct expr *e)
{
	struct slice a = operand(e);
	bool macro = e->macro;

	if (take(e, SLICE("!=")))
		return slice_eq(a, operand(e)) && !macro ? 0 : 2;
	if (take(e, SLICE("<=")) || take(e, SLICE(">=")) ||
	    take(e, SLICE("<")) || take(e, SLICE(">"))) {
		operand(e); /* versions of compilers: supposed to be met */
		e->macro = true;
		return 2;
	}
	if (take(e, SLICE("=")))
		return slice_eq(a, operand(e)) || macro ? 2 : 0;
	return tristate(a);
}

static int eval_not(struct expr *e)
{
	int v;

	if (e->depth >= MAX_NESTED)
		return 2;
	e->depth++;
	if (e->rest.len > 1 && !slice_starts(e->rest, SLICE("!=")) &&
	    take(e, SLICE("!"))) {
		bool macro = e->macro;

		e->macro = false;
		v = eval_not(e);
		v = e->macro ? 2 : 2 - v;
		e->macro |= macro;
	} else if (take(e, SLICE("("))) {
		v = eval_or(e);
		take(e, SLICE(")"));
	} else {
		v = eval_comparison(e);
	}
	e->depth--;
	return v;
}

static int eval_and(struct expr *e)
{
	skip_blanks(e);
	int v = eval_not(e);

	while (take(e, SLICE("&&"))) {
		skip_blanks(e);
		int w = eval_not(e);

		v = MIN(v, w);
	}
	return v;
}

static int eval_or(struct expr *e)
{
	int v = eval_and(e);

	while (take(e, SLICE("||"))) {
		int w = eval_and(e);

		v = w > v ? w : v;
	}
	return v;
}

/* The length of the part of `s` before its first `op` outside parentheses. */
static size_t part_len(struct slice s, struct slice op)
{
	int open = 0;

	for (size_t i = 0; i < s.len; i++) {
		open += s.p[i] == '(';
		open -= s.p[i] == ')';
		if (!open && slice_starts(slice_from(s, i), op))
			return i;
	}
	return s.len;
}

/* ---- the files ---- */

/* What one definition of an option says. */
struct definition {
	int miss; /* its number, or NO_MISS */
	bool has_prompt, in_choice;
	struct buf conditions; /* one per line */
};

/* An if, menu or choice that is open. */
struct block {
	char *conditions; /* one per line */
	bool is_choice;
};

struct reason {
	bool defined, has_prompt, in_choice, macro;
	size_t nr_unmet; /* of the definition that lacks least */
	struct buf unmet;
};

struct reader {
	const char *tree, *arch;
	struct slice config;
	kernel_misses *missed;
	struct reason *reasons; /* of each */
	VEC(struct block) blocks;
	struct definition def;
	bool in_block; /* "depends on" is for the innermost block */
	int depth;
};

/* The terms of a condition that are not met. */
static void check_condition(struct reader *r, struct slice cond,
			    struct reason *found)
{
	static const struct slice and = SLICE("&&"), or = SLICE("||");
	bool one = part_len(cond, or) < cond.len;

	while (cond.len) {
		size_t n = one ? cond.len : part_len(cond, and);
		struct slice term = { cond.p, n };
		struct expr e = { .rest = term, .config = r->config };

		cond = slice_from(cond, MIN(n + and.len, cond.len));
		term = slice_trim(term);
		if (!term.len)
			continue;
		int v = eval_or(&e);
		found->macro |= e.macro;
		if (v)
			continue;
		found->nr_unmet++;
		if (!slice_has(buf_as_slice(&found->unmet), term))
			buf_printf(&found->unmet, "%s" SLICE_FMT,
				   found->unmet.len ? " && " : "",
				   SLICE_ARG(term));
	}
}

static void check_conditions(struct reader *r, struct slice text,
			     struct reason *found)
{
	struct slice line;

	while (slice_line(&text, &line))
		check_condition(r, line, found);
}

/* A definition is complete: is it the one that lacks least? */
static void end_definition(struct reader *r)
{
	struct definition *d = &r->def;

	if (d->miss != NO_MISS) {
		struct reason *best = &r->reasons[d->miss];
		struct reason found = { .defined = true,
					.has_prompt = d->has_prompt };

		vec_for_each(&r->blocks, b) {
			check_conditions(r, slice_cstr(b->conditions), &found);
			found.in_choice = b->is_choice;
		}
		check_conditions(r, buf_as_slice(&d->conditions), &found);
		if (!best->defined || (found.has_prompt && !best->has_prompt) ||
		    (found.has_prompt == best->has_prompt &&
		     found.nr_unmet < best->nr_unmet)) {
			buf_deinit(&best->unmet);
			*best = found;
		} else {
			buf_deinit(&found.unmet);
		}
	}
	buf_deinit(&d->conditions);
	*d = (struct definition){ .miss = NO_MISS };
}

static void begin_definition(struct reader *r, struct slice name)
{
	end_definition(r);
	r->in_block = false;
	for (size_t i = 0; i < r->missed->len; i++)
		if (slice_eq(name, slice_cstr(r->missed->data[i].option +
					      strlen("CONFIG_"))))
			r->def.miss = (int)i;
}

static void open_block(struct reader *r, struct slice cond, bool is_choice)
{
	end_definition(r);
	r->in_block = true;
	vec_push(&r->blocks,
		 (struct block){ mem_dup0(cond.p ? cond.p : "", cond.len),
				 is_choice });
}

static void close_block(struct reader *r)
{
	end_definition(r);
	r->in_block = false;
	if (r->blocks.len)
		free(r->blocks.data[--r->blocks.len].conditions);
}

static void add_condition(struct reader *r, struct slice cond)
{
	if (r->in_block && r->blocks.len) {
		struct block *b = &r->blocks.data[r->blocks.len - 1];
		char *both = text_printf("%s\n" SLICE_FMT, b->conditions,
					 SLICE_ARG(cond));

		free(b->conditions);
		b->conditions = both;
	} else if (r->def.miss != NO_MISS) {
		buf_slice(&r->def.conditions, cond);
		buf_char(&r->def.conditions, '\n');
	}
}

/* `bool "Text" if COND`: what can be chosen at all. */
static void take_prompt(struct reader *r, struct slice rest)
{
	const char *end;

	rest = slice_trim(rest);
	if (r->in_block || !rest.len || !strchr("\"'", *rest.p))
		return;
	r->def.has_prompt = true;
	end = memchr(rest.p + 1, *rest.p, rest.len - 1);
	if (!end)
		return;
	rest = slice_trim(slice_range(end + 1, rest.p + rest.len));
	if (slice_starts(rest, SLICE("if ")))
		add_condition(r, slice_from(rest, 3));
}

static void read_file(struct reader *r, const char *name);

/* "arch/$(SRCARCH)/Kconfig", with or without quotes. */
static void follow(struct reader *r, struct slice path)
{
	static const struct slice src = SLICE("$(SRCARCH)"),
				  header = SLICE("$(HEADER_ARCH)");
	const char *arch = !strcmp(r->arch, "x86_64") ? "x86" : r->arch;
	_cleanup_(buf_deinit) struct buf name = {};

	path = slice_trim(path);
	while (path.len) {
		if (slice_starts(path, src)) {
			buf_str(&name, arch);
			path = slice_from(path, src.len);
		} else if (slice_starts(path, header)) {
			buf_str(&name, "x86");
			path = slice_from(path, header.len);
		} else {
			if (*path.p != '"')
				buf_char(&name, *path.p);
			path = slice_from(path, 1);
		}
	}
	end_definition(r);
	if (r->depth < MAX_SOURCES && name.len &&
	    !slice_has(buf_as_slice(&name), SLICE("$(")))
		read_file(r, buf_cstr(&name));
}

/* If `line` is "KEYWORD rest", its rest. */
static bool keyword(struct slice line, const char *word, struct slice *rest)
{
	size_t n = strlen(word);

	if (!slice_starts(line, slice_cstr(word)) ||
	    (line.len > n && !strchr(" \t\"", line.p[n])))
		return false;
	*rest = slice_trim(slice_from(line, n));
	return true;
}

static void read_statement(struct reader *r, struct slice line)
{
	static const char *const types[] = { "bool", "tristate", "int",
					     "hex",  "string",	 "prompt" };
	struct slice rest;

	if (keyword(line, "config", &rest) ||
	    keyword(line, "menuconfig", &rest))
		begin_definition(r, rest);
	else if (keyword(line, "depends on", &rest) ||
		 keyword(line, "visible if", &rest))
		add_condition(r, rest);
	else if (keyword(line, "if", &rest))
		open_block(r, rest, false);
	else if (keyword(line, "menu", &rest) || keyword(line, "choice", &rest))
		open_block(r, SLICE(""), *line.p == 'c');
	else if (keyword(line, "endif", &rest) ||
		 keyword(line, "endmenu", &rest) ||
		 keyword(line, "endchoice", &rest))
		close_block(r);
	else if (keyword(line, "source", &rest))
		follow(r, rest);
	else if (keyword(line, "comment", &rest))
		begin_definition(r, SLICE(""));
	for (size_t i = 0; i < ARRAY_LEN(types); i++)
		if (keyword(line, types[i], &rest))
			take_prompt(r, rest);
}

/* Columns before the first word; a tab goes to the next multiple of 8. */
static size_t indent_of(struct slice line)
{
	size_t col = 0;

	for (size_t i = 0; i < line.len && strchr(" \t", line.p[i]); i++)
		col = line.p[i] == '\t' ? (col | 7) + 1 : col + 1;
	return col;
}

/* Skip the text behind "help": what is indented as its first line is. */
static void skip_help(struct slice *text)
{
	struct slice next = *text, line;
	size_t indent = 0;

	while (slice_line(&next, &line)) {
		if (slice_trim(line).len) {
			size_t i = indent_of(line);

			if (!i || i < indent)
				return;
			indent = indent ? indent : i;
		}
		*text = next;
	}
}

static void read_text(struct reader *r, struct slice text)
{
	struct slice line, rest;

	while (slice_line(&text, &line)) {
		_cleanup_(buf_deinit) struct buf whole = {};

		/* A line goes on behind its backslash. */
		while (line.len && line.p[line.len - 1] == '\\') {
			buf_add(&whole, line.p, line.len - 1);
			if (!slice_line(&text, &line))
				line = SLICE("");
		}
		if (whole.len) {
			buf_slice(&whole, line);
			line = buf_as_slice(&whole);
		}
		line = slice_trim(line);
		if (keyword(line, "help", &rest) ||
		    keyword(line, "---help---", &rest))
			skip_help(&text);
		else
			read_statement(r, line);
	}
}

static void read_file(struct reader *r, const char *name)
{
	_cleanup_(freep) char *path = text_printf("%s/%s", r->tree, name);
	_cleanup_(buf_deinit) struct buf text = {};
	struct error *err = io_read_file(path, MAX_FILE_BYTES, &text);

	error_free(err);
	if (err)
		return;
	r->depth++;
	read_text(r, buf_as_slice(&text));
	end_definition(r);
	r->depth--;
}

static char *phrase(const struct kernel_missed *m, const struct reason *why)
{
	bool off = !strcmp(m->wanted, "n");

	if (!why->defined)
		return text_printf("this tree has no such option");
	if (why->nr_unmet)
		return text_printf(off ? "cannot be turned off without %s" :
					 "needs %s",
				   buf_cstr(&why->unmet));
	if (!why->has_prompt)
		return text_printf("cannot be chosen, other options decide it");
	if (why->in_choice)
		return text_printf("another one of the same choice was taken");
	if (!strcmp(m->wanted, "y") && !strcmp(m->got, "m"))
		return text_printf("something it depends on is a module");
	if (why->macro)
		return text_printf(
			"the compiler or a tool lacks what it needs");
	return text_printf(off ? "another option selects it" :
				 "another option decides it");
}

void kconfig_explain(const char *tree, const char *arch, struct slice config,
		     kernel_misses *missed)
{
	struct reader r = { .tree = tree,
			    .arch = arch,
			    .config = config,
			    .missed = missed,
			    .def.miss = NO_MISS };

	if (!missed->len)
		return;
	r.reasons = mem_calloc(missed->len, sizeof(*r.reasons));
	read_file(&r, "Kconfig");
	while (r.blocks.len)
		close_block(&r);
	vec_free(&r.blocks);
	for (size_t i = 0; i < missed->len; i++) {
		free(missed->data[i].why);
		missed->data[i].why = phrase(&missed->data[i], &r.reasons[i]);
		buf_deinit(&r.reasons[i].unmet);
	}
	free(r.reasons);
}
