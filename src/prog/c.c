/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * c.c - a program as C that a person can read.
 *
 * What a pointer points to gets a variable with a type of its own (c_type.c)
 * at the very address that the program has, so that buffers which overlap
 * still do; a path that nothing overlaps becomes a literal.  Constants that
 * headers may lack are defined when they are missing.
 */
#include <stdio.h>

#include "base/mem.h"
#include "prog/c.h"
#include "wire/wire.h"

static const struct helper {
	const char *name, *text;
} helpers[] = {
#define HELPER(name, text) { #name, text },
#include "c_helpers.def"
};

/* Pseudo-system-calls; libc_calls' arguments. */
static const struct pseudo {
	const char *call, *args, *needs;
} pseudos[] = {
#define C_PSEUDO(call, args, needs) { call, args, needs },
#include "prog/c_pseudo.def"
};

static const struct libc_call {
	const char *call, *function, *header, *args;
} libc_calls[] = {
#define C_CALL(call, function, header, args) { call, function, header, args },
#include "prog/c_calls.def"
};

/* ---- What the pieces ask for ------------------------------------------------------- */

static void include_line(struct c_out *c, struct slice line)
{
	struct slice all = buf_as_slice(&c->includes), have;

	while (slice_line(&all, &have))
		if (slice_eq(have, line))
			return;
	buf_slice(&c->includes, line);
	buf_char(&c->includes, '\n');
}

void c_include(struct c_out *c, const char *header)
{
	_cleanup_(buf_deinit) struct buf line = {};

	buf_printf(&line, "#include <%s>", header);
	include_line(c, buf_as_slice(&line));
}

/* A helper begins with the headers that it needs. */
static struct slice helper_text(struct c_out *c, unsigned helper)
{
	struct slice text = slice_cstr(helpers[helper].text), line;

	while (slice_starts(text, SLICE("#include"))) {
		slice_line(&text, &line);
		include_line(c, line);
	}
	return text;
}

void c_helper(struct c_out *c, const char *name)
{
	unsigned i = 0;

	while (strcmp(helpers[i].name, name))
		i++;
	c->helpers |= 1ull << i;
	helper_text(c, i);
}

static bool has_helper(const struct c_out *c, const char *name)
{
	for (unsigned i = 0; i < ARRAY_LEN(helpers); i++)
		if (c->helpers >> i & 1 && !strcmp(helpers[i].name, name))
			return true;
	return false;
}

static const char *find_var(const struct c_out *c, uint32_t arg, bool is_result)
{
	vec_for_each(&c->vars, v)
		if (v->arg == arg && v->is_result == is_result)
			return v->name;
	return NULL;
}

const char *c_var_find(const struct c_out *c, uint32_t arg)
{
	return find_var(c, arg, false);
}

const char *c_result_find(const struct c_out *c, uint32_t arg)
{
	return find_var(c, arg, true);
}

void c_var_add(struct c_out *c, uint32_t arg, char *name)
{
	vec_push(&c->vars, (struct c_var){ arg, false, name });
}

/* ---- Calls ----------------------------------------------------------------------------------- */

/* Whether an argument is what the function's prototype wants. */
static bool fits(const struct arg *a, char want)
{
	bool pointer = a->kind == ARG_POINTER || a->kind == ARG_VMA;

	if (want == 'p')
		return pointer && !(a->flags & ARG_SPECIAL);
	if (want == 'i' && pointer)
		return false;
	return a->kind != ARG_CONST || a->value <= UINT32_MAX ||
	       a->value >= (uint64_t)INT32_MIN;
}

static bool fits_libc(const struct c_out *c, const struct call *call,
		      const char *want)
{
	for (uint32_t i = call->arg; i != ARG_NONE;
	     i = arg_at(c->p, i)->next, want++) {
		want += *want == '|';
		if (!*want || !fits(arg_at(c->p, i), *want))
			return false;
	}
	return !*want || *want == '|';
}

static const struct libc_call *
find_libc(const struct c_out *c, const struct call *call, struct slice name)
{
	for (size_t i = 0; i < ARRAY_LEN(libc_calls); i++)
		if (slice_eq(name, slice_cstr(libc_calls[i].call)) &&
		    !(c->opts->print && slice_eq(name, SLICE("sync"))))
			return fits_libc(c, call, libc_calls[i].args) ?
				       &libc_calls[i] :
				       NULL;
	return NULL;
}

static struct slice base_name(const struct c_out *c, const struct call *call)
{
	struct slice s = slice_cstr(desc_name(
		c->p->target->d, c->p->target->d->calls[call->id].name));
	const char *variant = memchr(s.p, '$', s.len);

	return variant ? slice_range(s.p, variant) : s;
}

static void put_nr(struct c_out *c, const struct call *call, struct slice name)
{
	const struct desc_call *dc = &c->p->target->d->calls[call->id];
	bool known = false;

	vec_for_each(&c->names, n)
		known |= n->is_call && n->value == dc->nr;
	if (!known)
		vec_push(&c->names, (struct c_name){ name, dc->nr, true });
	c_include(c, "sys/syscall.h");
	c_include(c, "unistd.h");
	buf_printf(c->body, "__NR_" SLICE_FMT, SLICE_ARG(name));
}

/* Variables with a type of their own do not fit prototypes. */
static void put_void(struct c_out *c, uint32_t arg)
{
	const struct arg *a = arg_at(c->p, arg);
	const char *var = a->kind == ARG_POINTER && a->child != ARG_NONE ?
				  c_var_find(c, a->child) :
				  NULL;

	if (var && *var != '"' && strncmp(var, "data", 4) != 0 &&
	    strncmp(var, "image_", 6) != 0 && strcmp(var, "NULL") != 0)
		buf_str(c->body, "(void *)");
}

/* `casts`: to long, for in_thread() and its like. */
static void put_args(struct c_out *c, const struct call *call,
		     const char *before, bool casts)
{
	for (uint32_t i = call->arg; i != ARG_NONE; i = arg_at(c->p, i)->next) {
		const struct arg *a = arg_at(c->p, i);
		bool pointer = a->kind == ARG_POINTER || a->kind == ARG_VMA;

		buf_str(c->body, before);
		before = ", ";
		if (casts)
			buf_str(c->body, "(long)");
		else
			put_void(c, i);
		if (casts && pointer)
			buf_char(c->body, '(');
		c_scalar(c, c->body, i);
		if (casts && pointer)
			buf_char(c->body, ')');
	}
}

static void put_threaded(struct c_out *c, const struct call *call,
			 struct slice name, const char *result, bool async)
{
	c_helper(c, "in_thread");
	buf_printf(c->body, "in_thread(%s%s, %u, ", result ? "&" : "",
		   result ? result : "NULL", async ? 0u : 50u);
	put_nr(c, call, name);
	put_args(c, call, ", ", true);
	for (uint32_t n = list_len(c->p, call->arg); n < 6; n++)
		buf_str(c->body, ", 0");
	buf_str(c->body, ");");
}

/* An argument of a helper: what its prototype wants, whatever the program has. */
static void put_pseudo_arg(struct c_out *c, uint32_t arg, char want)
{
	const struct arg *a = arg_at(c->p, arg);
	bool pointer = a->kind == ARG_POINTER || a->kind == ARG_VMA;

	if (want == 'p' && a->kind == ARG_CONST && !a->value) {
		buf_str(c->body, "NULL");
		return;
	}
	if (want == 'p' && !pointer)
		buf_str(c->body, "(void *)(long)");
	if (want == 'i' && pointer)
		buf_str(c->body, "(long)(");
	put_void(c, arg);
	c_scalar(c, c->body, arg);
	if (want == 'i' && pointer)
		buf_char(c->body, ')');
}

static void put_pseudo(struct c_out *c, const struct call *call,
		       const struct pseudo *s)
{
	uint32_t arg = call->arg;
	char name[32];

	for (const char *n = s->needs; *n; n += strspn(n, " ")) {
		int len = (int)strcspn(n, " ");

		snprintf(name, sizeof(name), "%.*s", len, n);
		c_helper(c, name);
		n += len;
	}
	c_helper(c, s->call);
	buf_printf(c->body, "%s(", s->call);
	for (const char *want = s->args; *want; want++) {
		buf_str(c->body, want == s->args ? "" : ", ");
		if (arg == ARG_NONE) {
			buf_char(c->body, '0');
			continue;
		}
		put_pseudo_arg(c, arg, *want);
		arg = arg_at(c->p, arg)->next;
	}
	buf_char(c->body, ')');
}

static const struct pseudo *find_pseudo(const struct c_out *c,
					const struct call *call)
{
	struct slice name = base_name(c, call);

	for (size_t i = 0; i < ARRAY_LEN(pseudos); i++)
		if (slice_eq(name, slice_cstr(pseudos[i].call)))
			return &pseudos[i];
	return NULL;
}

static void put_plain(struct c_out *c, const struct call *call,
		      struct slice name, const char *result)
{
	const struct pseudo *pseudo = find_pseudo(c, call);
	const struct libc_call *l = find_libc(c, call, name);

	if (result)
		buf_printf(c->body, "%s = ", result);
	if (c->opts->print) {
		c_helper(c, "print_result");
		buf_printf(c->body, "print_result(%u, (long)", c->call);
	}
	if (pseudo) {
		put_pseudo(c, call, pseudo);
	} else if (l) {
		c_include(c, l->header);
		buf_printf(c->body, "%s(", l->function);
		put_args(c, call, "", false);
		buf_char(c->body, ')');
	} else {
		buf_str(c->body, "syscall(");
		put_nr(c, call, name);
		put_args(c, call, ", ", false);
		buf_char(c->body, ')');
	}
	buf_str(c->body, c->opts->print ? ");" : ";");
}

/* What is known of how the call went. */
static void put_outcome(struct c_out *c)
{
	const struct prog_c_result *r = c->opts->results;

	if (!r || c->call >= c->opts->nresults)
		return;
	r += c->call;
	if (!r->returned)
		buf_str(c->body, " /* did not return */");
	else if (r->err)
		buf_printf(c->body, " /* %s */",
			   strerrorname_np(r->err) ? strerrorname_np(r->err) :
						     "failed");
	else
		buf_printf(c->body, " /* %lld */", (long long)r->ret);
}

static char *result_name(struct c_out *c, uint32_t arg)
{
	const struct desc *d = c->p->target->d;
	_cleanup_(buf_deinit) struct buf b = {};

	c_ident(&b,
		desc_name(d,
			  d->resources[arg_type(c->p, arg_at(c->p, arg))->elem]
				  .name));
	buf_printf(&b, "_%u", c->nresults++);
	return mem_strdup(buf_cstr(&b));
}

static int64_t unset_value(const struct c_out *c, uint32_t arg)
{
	return (int64_t)resource_default(
		c->p->target->d, arg_type(c->p, arg_at(c->p, arg))->elem);
}

/* A result that the kernel wrote into memory. */
static void take_result(struct c_out *c, const char *path, uint32_t arg,
			uint64_t off)
{
	char *name;

	if (!c->wanted[arg] || arg_at(c->p, arg)->kind != ARG_RESULT)
		return;
	name = result_name(c, arg);
	buf_printf(c->body, "\tlong %s = %s;\n", name, path);
	vec_push(&c->vars, (struct c_var){ arg, true, name });
}

static void take_results(struct c_out *c, const struct call *call)
{
	struct tree_walk w;

	for (uint32_t i = walk_call(&w, c->p, call); i != ARG_NONE;
	     i = walk_next(&w)) {
		const struct arg *a = arg_at(c->p, i);

		if (a->kind != ARG_POINTER || a->child == ARG_NONE ||
		    arg_at(c->p, a->child)->kind == ARG_DATA ||
		    !c_var_find(c, a->child))
			continue;

		/* vars may move while results are added to it */
		_cleanup_(freep) char *var =
			mem_strdup(c_var_find(c, a->child));

		c_scalars(c, a->child, var, take_result);
	}
}

static void put_call(struct c_out *c, uint32_t i)
{
	const struct call *call = &c->p->calls.data[i];
	const struct desc_call *dc = &c->p->target->d->calls[call->id];
	struct slice name = base_name(c, call);
	bool threaded = (call->props.async || c->opts->threads) &&
			!find_pseudo(c, call);
	char *result = NULL;
	uint32_t k = 0;

	c->call = i;
	c_next_call(c);
	for (uint32_t a = call->arg; a != ARG_NONE; a = arg_at(c->p, a)->next)
		c_place(c, a,
			desc_name(c->p->target->d,
				  c->p->target->d->fields[dc->arg + k++].name),
			true);
	c_late_sums(c);
	if (call->ret != ARG_NONE && c->wanted[call->ret]) {
		result = result_name(c, call->ret);
		if (threaded || call->props.rerun)
			buf_printf(c->body, "\tlong %s = %lld;\n", result,
				   (long long)unset_value(c, call->ret));
	}
	if (call->props.fail_nth) {
		c_helper(c, "fail_nth");
		buf_printf(c->body, "\tfail_nth(%u);\n", call->props.fail_nth);
	}
	buf_str(c->body,
		result && !threaded && !call->props.rerun ? "\tlong " : "\t");
	if (call->props.rerun)
		buf_printf(c->body, "for (int i = 0; i <= %u; i++)\n\t\t",
			   call->props.rerun);
	if (threaded)
		put_threaded(c, call, name, result, call->props.async);
	else
		put_plain(c, call, name, result);
	put_outcome(c);
	buf_char(c->body, '\n');
	if (result && unset_value(c, call->ret) != -1)
		buf_printf(c->body, "\tif (%s == -1)\n\t\t%s = %lld;\n", result,
			   result, (long long)unset_value(c, call->ret));
	if (result)
		vec_push(&c->vars, (struct c_var){ call->ret, true, result });
	take_results(c, call);
}

/* ---- The file -------------------------------------------------------------------------------- */

static int by_text(const void *a, const void *b)
{
	const struct slice *x = a, *y = b;
	size_t n = MIN(x->len, y->len);
	int cmp = n ? memcmp(x->p, y->p, n) : 0;

	return cmp ? cmp : (x->len > y->len) - (x->len < y->len);
}

static void put_includes(struct c_out *c, struct buf *out)
{
	VEC(struct slice) lines = {};
	struct slice all, line;

	include_line(c, SLICE("#include <stdint.h>"));
	all = buf_as_slice(&c->includes);
	while (slice_line(&all, &line))
		vec_push(&lines, line);
	qsort(lines.data, lines.len, sizeof(*lines.data), by_text);
	vec_for_each(&lines, l)
		buf_printf(out, SLICE_FMT "\n", SLICE_ARG(*l));
	buf_char(out, '\n');
	vec_free(&lines);
}

/* Constants that headers of today may lack. */
static void put_names(struct c_out *c, struct buf *out)
{
	vec_for_each(&c->names, n) {
		const char *prefix = n->is_call ? "__NR_" : "";
		/* libc's TCGETS2 and its like are made of a struct it lacks */
		bool undef = slice_starts(n->name, SLICE("TC")) ||
			     slice_ends(n->name, SLICE("ISO7816"));

		buf_printf(out, "%s %s" SLICE_FMT "\n",
			   undef ? "#undef" : "#ifndef", prefix,
			   SLICE_ARG(n->name));
		buf_printf(out, "#define %s" SLICE_FMT " %#llx\n%s", prefix,
			   SLICE_ARG(n->name), (unsigned long long)n->value,
			   undef ? "" : "#endif\n");
	}
	if (c->names.len)
		buf_char(out, '\n');
}

static void put_main(struct c_out *c, struct buf *out)
{
	buf_str(out, "int main(void)\n{\n");
	if (c->data)
		buf_printf(out,
			   "\tdata = mmap((void *)%#x, %#x, PROT_READ | "
			   "PROT_WRITE | PROT_EXEC,\n\t\t    MAP_PRIVATE | "
			   "MAP_ANONYMOUS | MAP_FIXED, -1, 0);\n"
			   "\tif (data == MAP_FAILED)\n\t\treturn 1;\n",
			   WIRE_DATA_BASE, WIRE_DATA_SIZE);
	if (c->opts->repeat)
		buf_printf(out, "\trepeat(%u, %u);\n", c->opts->repeat,
			   c->opts->timeout_s ? c->opts->timeout_s : 5);
	else
		buf_str(out, "\tprogram();\n");
	buf_str(out, "\treturn 0;\n}\n");
}

static void put_file(struct c_out *c, struct buf *out)
{
	if (c->opts->repeat)
		c_helper(c, "repeat");
	if (c->data)
		c_include(c, "sys/mman.h");
	buf_printf(out, "/* Made by bugon " BUGON_VERSION "%s%s. */\n",
		   c->opts->title ? ": " : "",
		   c->opts->title ? c->opts->title : "");
	buf_str(out, "#define _GNU_SOURCE\n");
	put_includes(c, out);
	put_names(c, out);
	if (c->data)
		buf_str(out, "/* The memory of all arguments. */\n"
			     "static void *data;\n\n");
	for (unsigned i = 0; i < ARRAY_LEN(helpers); i++)
		if (c->helpers & 1ull << i) {
			struct slice text = helper_text(c, i);

			buf_slice(out, slice_trim(text));
			buf_str(out, "\n\n");
		}
	buf_slice(out, buf_as_slice(&c->images));
	buf_str(out, "static void program(void)\n{\n");
	if (has_helper(c, "tun")) /* whose packets then wait */
		buf_str(out, "\topen_tun();\n");
	buf_slice(out, buf_as_slice(c->body));
	buf_str(out, "}\n\n");
	put_main(c, out);
}

/* Results that later calls use. */
static uint8_t *find_wanted(const struct prog *p)
{
	uint8_t *wanted = mem_calloc(p->args.len + 1, 1);

	vec_for_each(&p->calls, call) {
		struct tree_walk w;

		for (uint32_t i = walk_call(&w, p, call); i != ARG_NONE;
		     i = walk_next(&w)) {
			const struct arg *a = arg_at(p, i);

			if (a->kind == ARG_RESULT && a->child != ARG_NONE)
				wanted[a->child] = 1;
		}
	}
	return wanted;
}

fallible prog_to_c(const struct prog *p, const struct prog_c_opts *opts,
		   struct buf *out)
{
	const struct desc *d = p->target->d;
	_cleanup_(buf_deinit) struct buf body = {}, encoded = {};
	struct c_out c = { .p = p, .opts = opts, .body = &body };

	vec_for_each(&p->calls, call)
		if (d->calls[call->id].nr == DESC_NONE &&
		    !find_pseudo(&c, call))
			return error_new(ERR_INPUT, "%s cannot be written in C",
					 desc_name(d, d->calls[call->id].name));
	TRY(prog_encode(p, 0, &encoded));
	c.encoded = buf_as_slice(&encoded);
	c.encoded_call.p = c.encoded.p;
	c.wanted = find_wanted(p);
	for (uint32_t i = 0; i < p->calls.len; i++)
		put_call(&c, i);
	put_file(&c, out);
	vec_for_each(&c.vars, v)
		free(v->name);
	vec_free(&c.vars);
	vec_free(&c.names);
	vec_free(&c.sums);
	buf_deinit(&c.includes);
	buf_deinit(&c.images);
	free(c.wanted);
	return NULL;
}
