/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "desc/probe.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/child.h"
#include "base/files.h"
#include "base/io.h"
#include "base/mem.h"
#include "desc/lex.h"

/* How much is included, and how far it is trusted. */
enum pass {
	PASS_ALL,
	PASS_CLEAN, /* without what does not compile */
	PASS_SIZELESS, /* with it, but no sizes */
};

/* Names of parts of our file, for clang's messages. */
#define IN_BASE "bugon.base"
#define IN_INCLUDE "bugon.include"
#define IN_DEFINE "bugon.define"
#define IN_VALUE "bugon.value"

struct answer {
	uint64_t value;
	unsigned errors;
	bool known;
};

struct run {
	struct probe *p;
	enum pass pass;
	struct probe_include *at; /* what the messages are about; or NULL */
	bool in_base;
	VEC(struct answer) answers; /* by value */
	bool broken; /* something in the headers does not compile */
	const char *fatal;
};

static void write_includes(const struct probe *p, enum pass pass,
			   struct buf *out)
{
	static const char *const kernel[] = { "linux/compiler-version.h",
					      "linux/kconfig.h",
					      "linux/compiler_types.h" };

	buf_str(out, "#line 1 \"" IN_BASE "\"\n");
	for (size_t i = 0; !p->headers->user && i < ARRAY_LEN(kernel); i++)
		buf_printf(out,
			   "#if __has_include(<%s>)\n#include <%s>\n#endif\n",
			   kernel[i], kernel[i]);
	buf_str(out, "#include <asm/unistd.h>\n"
		     "#include <linux/ioctl.h>\n");
	for (size_t i = 0; i < p->includes.len; i++) {
		const struct probe_include *inc = &p->includes.data[i];

		if (inc->missing || (pass == PASS_CLEAN && inc->error))
			continue;
		buf_printf(out,
			   "#line %zu \"" IN_INCLUDE "\"\n"
			   "#if __has_include(<%s>)\n"
			   "#line %zu \"" IN_INCLUDE "\"\n"
			   "#include <%s>\n"
			   "#else\n"
			   "#line %zu \"" IN_INCLUDE "\"\n"
			   "#error missing\n"
			   "#endif\n",
			   i + 1, inc->path, i + 1, inc->path, i + 1);
	}
}

static void write_source(const struct run *r, struct buf *out)
{
	const struct probe *p = r->p;

	write_includes(p, r->pass, out);
	buf_str(out, "#line 1 \"" IN_DEFINE "\"\n");
	buf_slice(out, p->defines);
	buf_str(out, "void bugon_values(void);\nvoid bugon_values(void)\n{\n");
	if (r->pass == PASS_SIZELESS)
		buf_str(out, "#undef sizeof\n"
			     "#define sizeof bugon_no_size\n"
			     "#define __builtin_offsetof bugon_no_size\n");
	for (size_t i = 0; i < p->values.len; i++) {
		const struct probe_value *v = &p->values.data[i];

		if (!v->known)
			buf_printf(out,
				   "#line %zu \"" IN_VALUE "\"\n"
				   "switch (0ull) { "
				   "case 0ull + (%s): case 0ull + (%s):; }\n",
				   i + 1, v->name, v->name);
	}
	buf_str(out, "}\n");
}

/* "NAME:12" at the start of a message: 12; 0 when it is none of NAME. */
static size_t line_in(struct slice s, struct slice name)
{
	size_t n = 0;

	if (!slice_starts(s, name) || s.len == name.len || s.p[name.len] != ':')
		return 0;
	for (s = slice_from(s, name.len + 1);
	     s.len && *s.p >= '0' && *s.p <= '9' && n < 1000000;
	     s = slice_from(s, 1))
		n = n * 10 + (size_t)(*s.p - '0');
	return n;
}

/* "... duplicate case value ... '5'": the last of what is quoted. */
static bool told_value(struct slice s, uint64_t *value)
{
	if (!slice_has(s, SLICE("duplicate case value")) || s.len < 3 ||
	    s.p[s.len - 1] != '\'')
		return false;
	size_t from = s.len - 1;

	while (from && s.p[from - 1] != '\'')
		from--;
	return lex_number(slice_range(s.p + from, s.p + s.len - 1), value);
}

static void note_value(struct run *r, size_t i, struct slice what)
{
	struct answer *a;

	if (i >= r->answers.len)
		return;
	a = &r->answers.data[i];
	a->errors++;
	a->known = told_value(what, &a->value);
}

/* What clang includes is told once before messages from it. */
static void on_included_from(struct run *r, struct slice from)
{
	size_t n = line_in(from, SLICE(IN_INCLUDE));

	r->in_base = line_in(from, SLICE(IN_BASE)) != 0;
	if (n && n <= r->p->includes.len)
		r->at = &r->p->includes.data[n - 1];
	else if (r->in_base)
		r->at = NULL;
}

static void keep_first(struct run *r, const char **error, struct slice line)
{
	if (!*error)
		*error = arena_strndup(r->p->arena, line.p, line.len);
}

static void on_line(void *ctx, struct slice line)
{
	const struct slice from = SLICE("In file included from ");
	struct run *r = ctx;
	size_t n;

	if (slice_starts(line, from)) {
		on_included_from(r, slice_from(line, from.len));
		return;
	}
	bool fatal = slice_has(line, SLICE(": fatal error: "));

	if (!fatal && !slice_has(line, SLICE(": error: "))) {
		if (!r->fatal && slice_starts(line, SLICE("error: ")))
			r->fatal = arena_strndup(r->p->arena, line.p, line.len);
		return;
	}
	if ((n = line_in(line, SLICE(IN_VALUE)))) {
		note_value(r, n - 1, line);
	} else if ((n = line_in(line, SLICE(IN_INCLUDE)))) {
		if (n <= r->p->includes.len)
			r->p->includes.data[n - 1].missing = true;
	} else if (line_in(line, SLICE(IN_DEFINE))) {
		keep_first(r, &r->p->error, line);
	} else {
		r->broken = true;
		keep_first(r, r->at ? &r->at->error : &r->p->error, line);
	}
}

static fallible compile(struct run *r, const char *path)
{
	static const char *const first[] = {
		"clang",
		"-fsyntax-only",
		"-std=gnu11",
		"-w",
		"-ffreestanding",
		"-ferror-limit=0",
		"-fno-spell-checking",
		"-fno-caret-diagnostics",
		"-fno-color-diagnostics",
		"-x",
		"c",
	};
	const struct probe *p = r->p;
	VEC(const char *) argv = {};
	struct child_result result = {};
	struct child_opts o = { .on_line = on_line, .ctx = r };

	for (size_t i = 0; i < ARRAY_LEN(first); i++)
		vec_push(&argv, first[i]);
	vec_for_each(&p->headers->args, a)
		vec_push(&argv, *a);
	for (const char *const *d = p->dirs; d && *d; d++)
		vec_push(&argv, *d);
	vec_push(&argv, path);
	vec_push(&argv, NULL);
	o.argv = argv.data;
	struct error *err = child_run(&o, &result);

	if (err && error_kind(err) == ERR_NOT_FOUND) {
		error_free(err);
		err = error_new(ERR_NOT_FOUND,
				"constants are looked up by clang, which is "
				"not installed: apt install clang");
	}
	if (!err && result.signal)
		err = error_new(ERR_INPUT, "clang died of signal %d",
				result.signal);
	if (!err && r->fatal)
		err = error_new(ERR_INPUT, "clang: %s", r->fatal);
	child_result_deinit(&result);
	vec_free(&argv);
	return err;
}

static fallible run_source(struct run *r)
{
	const char *dir = getenv("TMPDIR");
	_cleanup_(freep) char *path = text_printf("%s/bugon-probe.XXXXXX",
						  dir && *dir ? dir : "/tmp");
	_cleanup_(buf_deinit) struct buf text = {};
	_cleanup_(close_fdp) int fd = mkstemp(path);

	if (fd < 0)
		return error_os("%s", path);
	write_source(r, &text);
	struct error *err = io_write_all(fd, text.data, text.len);

	if (!err)
		err = compile(r, path);
	unlink(path);
	return err;
}

static fallible one_pass(struct probe *p, enum pass pass)
{
	struct run r = { .p = p, .pass = pass, .in_base = true };

	for (size_t i = 0; i < p->values.len; i++)
		vec_push(&r.answers, (struct answer){});
	struct error *err = run_source(&r);

	for (size_t i = 0; !err && i < p->values.len; i++) {
		struct probe_value *v = &p->values.data[i];
		const struct answer *a = &r.answers.data[i];

		if (v->known || !a->known || a->errors != 1 ||
		    (r.broken && pass != PASS_SIZELESS))
			continue;
		v->known = true;
		v->value = a->value;
	}
	vec_free(&r.answers);
	return err;
}

fallible probe_run(struct probe *p)
{
	bool clean = true;

	TRY(one_pass(p, PASS_ALL));
	vec_for_each(&p->includes, inc)
		clean &= !inc->error;
	if (clean && !p->error)
		return NULL;
	if (!p->error)
		TRY(one_pass(p, PASS_CLEAN));
	return one_pass(p, PASS_SIZELESS);
}
