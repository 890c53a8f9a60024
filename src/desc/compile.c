/* SPDX-License-Identifier: GPL-2.0-or-later */
/* compile.c - the passes in their order, and what comes of them. */
#include <sys/mman.h>

#include "desc/collect.h"

#include "base/mem.h"

uint32_t pool_bytes(struct compiler *c, struct slice s)
{
	return pool_add(c, names_add(&c->in->names, s));
}

uint32_t pool_add(struct compiler *c, uint32_t name)
{
	struct slice s = name_of(c->in, name);

	while (c->pool_of.len <= name)
		vec_push(&c->pool_of, 0);
	if (!c->pool_of.data[name]) {
		c->pool_of.data[name] = (uint32_t)c->pool.len + 1;
		buf_slice(&c->pool, s);
		buf_char(&c->pool, '\0');
	}
	return c->pool_of.data[name] - 1;
}

struct decl *find_type(const struct compiler *c, uint32_t name)
{
	return name < c->types_by_name.len ? c->types_by_name.data[name] : NULL;
}

struct decl *find_flags(const struct compiler *c, uint32_t name)
{
	return name < c->flags_by_name.len ? c->flags_by_name.data[name] : NULL;
}

enum { SUGGEST_LEN_MAX = 40, SUGGEST_MESSAGES = 50 };

/* Letters to change, add or drop; 3 stands for more. */
static unsigned distance(struct slice a, struct slice b)
{
	uint8_t row[SUGGEST_LEN_MAX + 1];

	if (a.len > SUGGEST_LEN_MAX || b.len > SUGGEST_LEN_MAX ||
	    a.len > b.len + 2 || b.len > a.len + 2)
		return 3;
	for (size_t j = 0; j <= b.len; j++)
		row[j] = (uint8_t)j;
	for (size_t i = 1; i <= a.len; i++) {
		uint8_t diagonal = row[0], least = (uint8_t)i;

		row[0] = (uint8_t)i;
		for (size_t j = 1; j <= b.len; j++) {
			uint8_t change = (uint8_t)(diagonal +
						   (a.p[i - 1] != b.p[j - 1]));
			uint8_t drop = (uint8_t)(MIN(row[j], row[j - 1]) + 1);

			diagonal = row[j];
			row[j] = MIN(change, drop);
			least = MIN(least, row[j]);
		}
		if (least > 2)
			return 3;
	}
	return row[b.len];
}

const char *suggest(struct compiler *c, uint32_t name, bool flags)
{
	const decl_vec *table = flags ? &c->flags_by_name : &c->types_by_name;
	struct slice s = name_of(c->in, name), found = {};
	unsigned best = s.len > 4 ? 3 : s.len > 2 ? 2 : 1;

	if (c->in->errors > SUGGEST_MESSAGES)
		return "";
	for (uint32_t i = 0; i < table->len; i++) {
		if (!table->data[i])
			continue;
		unsigned d = distance(s, name_of(c->in, i));

		if (d < best) {
			best = d;
			found = name_of(c->in, i);
		}
	}
	return found.len ? arena_printf(c->in->arena,
					"; did you mean '" SLICE_FMT "'?",
					SLICE_ARG(found)) :
			   "";
}

static uint32_t word(struct compiler *c, const char *s)
{
	return names_add(&c->in->names, slice_cstr(s));
}

static void compiler_init(struct compiler *c, struct desc_input *in,
			  const struct desc_arch *arch)
{
	*c = (struct compiler){
		.in = in,
		.arch = arch,
		.arch_index = (unsigned)(arch - desc_arch_at(0)),
		.scratch = arena_new(),
	};
	names_init(&c->keys, c->scratch);
	c->n_opt = word(c, "opt");
	c->n_in = word(c, "in");
	c->n_out = word(c, "out");
	c->n_inout = word(c, "inout");
	c->n_parent = word(c, "parent");
	c->n_syscall = word(c, "syscall");
	c->n_base = word(c, "BASE");
	c->n_value = word(c, "value");
	c->n_if = word(c, "if");
	c->n_ptr_size = word(c, "PTR_SIZE");
	c->n_filename = word(c, "filename");
	/* op: a key of its own, for nobody wrote it. */
	c->base_node = (struct node){ .kind = NODE_NAME,
				      .op = 1,
				      .name = word(c, "intptr") };
	pool_add(c, 0);
	vec_push(&c->types, (struct desc_type){ .kind = DESC_BAD });
	vec_push(&c->type_missing, 0);
}

static void compiler_deinit(struct compiler *c)
{
	vec_free(&c->types_by_name);
	vec_free(&c->flags_by_name);
	vec_free(&c->calls_by_name);
	vec_free(&c->defines_by_name);
	vec_free(&c->includes);
	vec_free(&c->stamps);
	vec_free(&c->type_missing);
	vec_free(&c->field_pos);
	vec_free(&c->infos);
	vec_free(&c->parents);
	vec_free(&c->resource_decls);
	vec_free(&c->call_infos);
	vec_free(&c->pool_of);
	vec_free(&c->type_of_key);
	vec_free(&c->record_of_key);
	vec_free(&c->builtin_of);
	vec_free(&c->excused);
	names_deinit(&c->keys);
	arena_free(c->scratch);
}

/* What an earlier compilation, for another architecture, left. */
static void forget(struct desc_input *in)
{
	vec_for_each(&in->sources, src)
		for (struct decl *d = src->decls; d; d = d->next) {
			d->used = d->excused = false;
			d->listed = 0;
			d->index = d->first = d->count = d->stamp = 0;
		}
}

/* Calls that lack a constant are left out; why is said if nobody knows it. */
static void drop_unsupported(struct compiler *c, struct desc *d)
{
	size_t kept = 0;

	c->stamp++;
	for (size_t i = 0; i < c->calls.len; i++) {
		const struct call_info *info = &c->call_infos.data[i];

		if (!info->missing) {
			c->calls.data[kept] = c->calls.data[i];
			c->call_infos.data[kept++] = *info;
			continue;
		}
		d->unsupported++;
		if (!constant_find(c->in, info->missing) &&
		    !stamp_name(c, info->missing))
			say_warning(c->in, info->decl->pos,
				    "left out: " SLICE_FMT
				    " has no value in any .const file",
				    SLICE_ARG(name_of(c->in, info->missing)));
	}
	c->calls.len = kept;
	c->call_infos.len = kept;
}

static int by_name(const void *a, const void *b, void *pool)
{
	const struct desc_call *x = a, *y = b;
	const char *text = pool;

	return strcmp(text + x->name, text + y->name);
}

static struct desc *publish(struct compiler *c, struct desc *d)
{
	if (c->calls.len)
		qsort_r(c->calls.data, c->calls.len, sizeof(struct desc_call),
			by_name, c->pool.data);
	d->calls = c->calls.data;
	d->ncalls = c->calls.len;
	d->types = c->types.data;
	d->ntypes = c->types.len;
	d->records = c->records.data;
	d->nrecords = c->records.len;
	d->fields = c->fields.data;
	d->nfields = c->fields.len;
	d->exprs = c->exprs.data;
	d->nexprs = c->exprs.len;
	d->resources = c->resources.data;
	d->nresources = c->resources.len;
	d->values = c->values.data;
	d->nvalues = c->values.len;
	while (c->value_names.len < c->values.len)
		vec_push(&c->value_names, 0);
	d->value_names = c->value_names.data;
	d->pool = c->pool.data;
	d->pool_bytes = c->pool.len;
	return d;
}

/*
 * Names and types first.  Sizes, paths and the flow of resources are looked at
 * as far as types are known; who is unused, only when all are.
 */
static void passes(struct compiler *c, struct desc *d)
{
	collect(c);
	c->marking = true;
	compile_calls(c);
	check_unused(c, !c->unparsed);
	if (c->in->stopped)
		return;
	check_recursion(c);
	if (c->in->stopped)
		return;
	spread_missing(c);
	layout_all(c);
	check_paths(c);
	if (!c->unparsed)
		check_flow(c);
	drop_unsupported(c, d);
}

struct desc *desc_compile(struct desc_input *in, const struct desc_arch *arch)
{
	struct desc *d = mem_calloc(1, sizeof(*d));
	struct compiler c;

	d->arch = arch;
	forget(in);
	compiler_init(&c, in, arch);
	if (!in->stopped)
		passes(&c, d);
	publish(&c, d);
	compiler_deinit(&c);
	return d;
}

/* The arrays are ours; the public form is const to others. */
static void free_array(const void *p)
{
	free((void *)(uintptr_t)p);
}

void desc_free(struct desc *d)
{
	if (d->map) {
		munmap(d->map, d->map_bytes);
		free(d);
		return;
	}
	free_array(d->calls);
	free_array(d->types);
	free_array(d->records);
	free_array(d->fields);
	free_array(d->exprs);
	free_array(d->resources);
	free_array(d->values);
	free_array(d->value_names);
	free_array(d->pool);
	free(d);
}

const struct desc_call *desc_call_find(const struct desc *d, struct slice name)
{
	size_t lo = 0, hi = d->ncalls;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		struct slice s = slice_cstr(desc_name(d, d->calls[mid].name));
		int cmp = memcmp(s.p, name.p, MIN(s.len, name.len));

		if (!cmp && s.len == name.len)
			return &d->calls[mid];
		if (cmp < 0 || (!cmp && s.len < name.len))
			lo = mid + 1;
		else
			hi = mid;
	}
	return NULL;
}
