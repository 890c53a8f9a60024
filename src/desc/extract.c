/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * extract.c - the values of the constants that a file mentions.
 *
 * Which names are constants only compiling tells, so that is done first, for
 * what constant_value() is asked; of these a file gets those that stand in it.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "desc/internal.h"
#include "desc/probe.h"

typedef VEC(uint32_t) name_vec;
typedef VEC(const char *) path_vec;

struct extract {
	struct desc_input *in;
	const struct source *src;
	const struct desc_headers *headers; /* at hand */
	name_vec names; /* those of constants in the file */
	VEC(struct constant) found; /* beside names */
	VEC(bool) taken; /* by name */
	uint16_t arches; /* that the file is for */
	struct buf *said;
};

static void take(struct extract *x, uint32_t name)
{
	while (x->taken.len <= name)
		vec_push(&x->taken, false);
	if (x->taken.data[name])
		return;
	x->taken.data[name] = true;
	vec_push(&x->names, name);
}

static void take_nodes(struct extract *x, const struct node *n)
{
	for (; n; n = n->next) {
		if (n->kind == NODE_NAME && n->name < x->in->asked.len &&
		    x->in->asked.data[n->name])
			take(x, n->name);
		take_nodes(x, n->colon);
		take_nodes(x, n->args);
	}
}

/* The number of a call: __NR_x, whatever its variant. */
static void take_call(struct extract *x, const struct decl *d)
{
	struct slice name = name_of(x->in, d->name);
	const char *dollar = memchr(name.p, '$', name.len);
	_cleanup_(buf_deinit) struct buf nr = {};

	if (slice_starts(name, SLICE("syz_")))
		return;
	if (dollar)
		name.len = (size_t)(dollar - name.p);
	buf_printf(&nr, "__NR_" SLICE_FMT, SLICE_ARG(name));
	take(x, names_add(&x->in->names, buf_as_slice(&nr)));
}

/* What another file defines, that file's .const has. */
static void leave_others(struct extract *x)
{
	vec_for_each(&x->in->sources, src)
		for (const struct decl *d = src->decls; d; d = d->next)
			if (d->kind == DECL_DEFINE) {
				take(x, d->name);
				x->names.len = 0;
			}
	for (const struct decl *d = x->src->decls; d; d = d->next)
		if (d->kind == DECL_DEFINE)
			x->taken.data[d->name] = false;
}

static void take_names(struct extract *x)
{
	leave_others(x);
	for (const struct decl *d = x->src->decls; d; d = d->next) {
		if (d->kind == DECL_META)
			continue;
		if (d->kind == DECL_DEFINE)
			take(x, d->name);
		if (d->kind == DECL_CALL)
			take_call(x, d);
		take_nodes(x, d->type);
		take_nodes(x, d->list);
		take_nodes(x, d->attrs);
		for (const struct field *f = d->fields; f; f = f->next) {
			take_nodes(x, f->type);
			take_nodes(x, f->attrs);
		}
	}
}

static bool for_arch(const struct extract *x, const struct desc_arch *arch)
{
	bool listed = false;

	for (const struct decl *d = x->src->decls; d; d = d->next) {
		if (d->kind != DECL_META ||
		    !slice_eq(name_of(x->in, d->type->name), SLICE("arches")))
			continue;
		listed = true;
		for (const struct node *a = d->type->args; a; a = a->next)
			if (slice_eq(name_of(x->in, a->name),
				     slice_cstr(arch->name)))
				return true;
	}
	return !listed;
}

static bool no_extract(const struct extract *x)
{
	for (const struct decl *d = x->src->decls; d; d = d->next)
		if (d->kind == DECL_META &&
		    slice_eq(name_of(x->in, d->type->name), SLICE("noextract")))
			return true;
	return false;
}

/* <uapi/x.h> is <x.h> once it is installed. */
static const char *include_path(struct extract *x, struct slice path)
{
	/* Without the brackets. */
	path = (struct slice){ path.p + 1, path.len - 2 };
	if (x->headers->user && slice_starts(path, SLICE("uapi/")))
		path = slice_from(path, strlen("uapi/"));
	return arena_strndup(x->in->arena, path.p, path.len);
}

static void fill_probe(struct extract *x, struct probe *p, struct buf *defines,
		       path_vec *dirs)
{
	for (const struct decl *d = x->src->decls; d; d = d->next) {
		struct slice text = slice_trim(d->text);
		struct slice name = d->kind == DECL_DEFINE ?
					    name_of(x->in, d->name) :
					    SLICE("");

		if (d->kind == DECL_INCLUDE)
			vec_push(&p->includes, (struct probe_include){
						       include_path(x, text) });
		if (d->kind == DECL_INCDIR && !x->headers->user)
			vec_push(dirs,
				 arena_printf(x->in->arena, "-I%s/" SLICE_FMT,
					      x->headers->source,
					      (int)text.len - 2, text.p + 1));
		if (d->kind == DECL_DEFINE)
			buf_printf(defines,
				   "#ifndef " SLICE_FMT "\n#define " SLICE_FMT
				   " " SLICE_FMT "\n#endif\n",
				   SLICE_ARG(name), SLICE_ARG(name),
				   SLICE_ARG(text));
	}
	vec_push(dirs, NULL);
	for (size_t i = 0; i < x->names.len; i++) {
		struct slice name = name_of(x->in, x->names.data[i]);

		vec_push(&p->values,
			 (struct probe_value){
				 .name = arena_strndup(x->in->arena, name.p,
						       name.len) });
	}
}

static uint16_t bit_of(const struct desc_arch *arch)
{
	return (uint16_t)(1u << (arch - desc_arch_at(0)));
}

static void say_includes(struct extract *x, const struct probe *p,
			 const struct desc_arch *arch)
{
	if (p->error)
		buf_printf(x->said, "%s: %s: %s\n", x->src->name, arch->name,
			   p->error);
	vec_for_each(&p->includes, inc) {
		if (inc->missing)
			buf_printf(x->said, "%s: %s: no header <%s>\n",
				   x->src->name, arch->name, inc->path);
		if (inc->error)
			buf_printf(x->said,
				   "%s: %s: <%s> does not compile, sizes are "
				   "not taken from it: %s\n",
				   x->src->name, arch->name, inc->path,
				   inc->error);
	}
}

static fallible probe_arch(struct extract *x)
{
	const struct desc_arch *arch = x->headers->arch;
	unsigned at = (unsigned)(arch - desc_arch_at(0));
	_cleanup_(buf_deinit) struct buf defines = {};
	path_vec dirs = {};
	struct probe p = { .headers = x->headers, .arena = x->in->arena };

	fill_probe(x, &p, &defines, &dirs);
	p.dirs = dirs.data;
	p.defines = buf_as_slice(&defines);
	struct error *err = probe_run(&p);

	for (size_t i = 0; !err && i < p.values.len; i++) {
		struct constant *k = &x->found.data[i];

		if (p.values.data[i].known)
			k->known |= bit_of(arch);
		k->values[at] = p.values.data[i].value;
	}
	if (!err)
		say_includes(x, &p, arch);
	vec_free(&p.includes);
	vec_free(&p.values);
	vec_free(&dirs);
	return err;
}

/* The value that most architectures have stands without their names. */
static const uint64_t *usual_value(const struct constant *k, uint16_t arches)
{
	const uint64_t *best = NULL;
	unsigned most = 0;

	for (unsigned i = 0; i < ARRAY_LEN(k->values); i++) {
		unsigned n = 0;

		if (!(k->known & arches & 1u << i))
			continue;
		for (unsigned j = 0; j < ARRAY_LEN(k->values); j++)
			n += (k->known & arches & 1u << j) &&
			     k->values[j] == k->values[i];
		if (n > most) {
			most = n;
			best = &k->values[i];
		}
	}
	return best;
}

static void add_arches(uint16_t mask, const char *after, struct buf *out)
{
	for (unsigned i = 0; desc_arch_at(i); i++)
		if (mask & 1u << i)
			buf_printf(out, "%s%s", desc_arch_at(i)->name, after);
}

static void constant_to_text(const struct constant *k, uint16_t arches,
			     struct buf *out)
{
	const uint64_t *usual = usual_value(k, arches);
	uint16_t left = (uint16_t)(arches & k->known);
	uint16_t missing = (uint16_t)(arches & ~k->known);

	if (!usual) {
		buf_str(out, "???\n");
		return;
	}
	buf_printf(out, "%llu", (unsigned long long)*usual);
	for (unsigned i = 0; i < ARRAY_LEN(k->values); i++) {
		uint16_t same = 0;

		for (unsigned j = i; j < ARRAY_LEN(k->values); j++)
			if ((left & 1u << j) && k->values[j] == k->values[i])
				same |= (uint16_t)(1u << j);
		if (!(left & 1u << i))
			continue;
		left &= (uint16_t)~same;
		if (k->values[i] == *usual)
			continue;
		buf_str(out, ", ");
		add_arches(same, ":", out);
		buf_printf(out, "%llu", (unsigned long long)k->values[i]);
	}
	if (missing) {
		buf_str(out, ", ");
		add_arches(missing, ":", out);
		buf_str(out, "???");
	}
	buf_char(out, '\n');
}

static int by_text(const void *a, const void *b, void *names)
{
	struct slice x = names_get(names, ((const struct constant *)a)->name);
	struct slice y = names_get(names, ((const struct constant *)b)->name);
	int cmp = memcmp(x.p, y.p, MIN(x.len, y.len));

	return cmp ? cmp : x.len < y.len ? -1 : x.len > y.len;
}

static void file_to_text(struct extract *x, struct buf *out)
{
	const char *between = "arches = ";

	buf_str(out, "# Made by bugon desc const.\n");
	for (unsigned i = 0; desc_arch_at(i); i++)
		if (x->arches & 1u << i) {
			buf_printf(out, "%s%s", between, desc_arch_at(i)->name);
			between = ", ";
		}
	buf_char(out, '\n');
	if (x->found.len)
		qsort_r(x->found.data, x->found.len, sizeof(struct constant),
			by_text, &x->in->names);
	vec_for_each(&x->found, k) {
		struct slice name = name_of(x->in, k->name);

		buf_printf(out, SLICE_FMT " = ", SLICE_ARG(name));
		constant_to_text(k, x->arches, out);
		if (!(k->known & x->arches))
			buf_printf(x->said, "%s: no value of " SLICE_FMT "\n",
				   x->src->name, SLICE_ARG(name));
	}
}

static fallible extract(struct extract *x, struct desc_headers *const *headers,
			size_t n, struct buf *out)
{
	if (x->src->broken)
		return error_new(ERR_INPUT, "%s: it has errors", x->src->name);
	if (no_extract(x))
		return NULL;
	take_names(x);
	vec_for_each(&x->names, name)
		vec_push(&x->found, (struct constant){ .name = *name });
	for (size_t i = 0; i < n; i++) {
		x->headers = headers[i];
		if (!for_arch(x, headers[i]->arch))
			continue;
		x->arches |= bit_of(headers[i]->arch);
		TRY(probe_arch(x));
	}
	if (x->arches && x->found.len)
		file_to_text(x, out);
	return NULL;
}

void desc_ask_constants(struct desc_input *in, const struct desc_arch *arch)
{
	in->asking = true;
	desc_free(desc_compile(in, arch));
	in->asking = false;
}

fallible desc_extract(struct desc_input *in, size_t file,
		      struct desc_headers *const *headers, size_t n,
		      struct buf *out, struct buf *said)
{
	const struct source *src = source_nth_text(in, file);
	struct extract x = { .in = in, .src = src, .said = said };

	if (!src)
		return error_new(ERR_BUG, "no file %zu", file);
	struct error *err = extract(&x, headers, n, out);

	vec_free(&x.names);
	vec_free(&x.found);
	vec_free(&x.taken);
	return err;
}
