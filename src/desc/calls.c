/* SPDX-License-Identifier: GPL-2.0-or-later */
/* calls.c - system calls: arguments, attributes, numbers. */
#include <stdio.h>

#include "desc/compile.h"

static const struct {
	const char *name;
	uint32_t bit;
} call_attrs[] = {
#define ATTR(name, flag) { name, 1u << DESC_CALL_##flag },
#include "desc/attrs.def"
};

static struct slice base_name(struct slice name)
{
	const char *dollar = memchr(name.p, '$', name.len);

	return dollar ? slice_range(name.p, dollar) : name;
}

static void number_attr(struct compiler *c, const struct node *a,
			uint32_t *value)
{
	uint64_t v = 0;

	if (a->nargs != 1 || a->args->nargs || a->args->ncolon)
		say_error(c->in, a->pos,
			  "'" SLICE_FMT "' takes one number: milliseconds",
			  SLICE_ARG(name_of(c->in, a->name)));
	else if (eval(c, a->args, NULL, &v) && v > UINT32_MAX)
		say_error(c->in, a->args->pos, "so many milliseconds?");
	else
		*value = (uint32_t)v;
}

static void fsck_attr(struct compiler *c, const struct node *a,
		      struct desc_call *call)
{
	if (a->nargs != 1 || a->args->kind != NODE_STRING)
		say_error(c->in, a->pos,
			  "fsck takes one string: the command to check an "
			  "image with");
	else
		call->fsck = pool_add(c, a->args->name);
}

static void call_attr(struct compiler *c, const struct decl *d,
		      const struct node *a, struct desc_call *call)
{
	struct slice name = name_of(c->in, a->name);

	if (a->kind != NODE_NAME || a->ncolon) {
		say_error(c->in, a->pos, "expected an attribute, not %s",
			  closure_text(c, a, NULL));
		return;
	}
	for (const struct node *b = d->attrs; b != a; b = b->next)
		if (b->kind == NODE_NAME && b->name == a->name) {
			say_error(c->in, a->pos,
				  "attribute '" SLICE_FMT "' is here already",
				  SLICE_ARG(name));
			return;
		}
	for (size_t i = 0; i < ARRAY_LEN(call_attrs); i++)
		if (slice_eq(name, slice_cstr(call_attrs[i].name))) {
			call->attrs |= call_attrs[i].bit;
			if (a->nargs)
				say_error(c->in, a->pos,
					  "'%s' takes no arguments",
					  call_attrs[i].name);
			return;
		}
	if (slice_eq(name, SLICE("timeout")))
		number_attr(c, a, &call->timeout_ms);
	else if (slice_eq(name, SLICE("prog_timeout")))
		number_attr(c, a, &call->prog_timeout_ms);
	else if (slice_eq(name, SLICE("fsck")))
		fsck_attr(c, a, call);
	else
		say_error(c->in, a->pos,
			  "unknown attribute '" SLICE_FMT "' of a call",
			  SLICE_ARG(name));
}

/* __NR_x, or SYS_x; pseudo-calls have none. */
static uint32_t call_number(struct compiler *c, uint32_t pos, struct slice base,
			    uint32_t *missing)
{
	static const char *const prefixes[] = { "__NR_", "SYS_" };
	uint32_t name = 0, known = 0;
	uint64_t nr;

	if (slice_starts(base, SLICE("syz_")))
		return DESC_NONE;
	for (size_t i = 0; i < ARRAY_LEN(prefixes); i++) {
		_cleanup_(buf_deinit) struct buf b = {};

		buf_printf(&b, "%s" SLICE_FMT, prefixes[i], SLICE_ARG(base));
		name = names_add(&c->in->names, buf_as_slice(&b));
		if (constant_value(c, pos, name, &nr))
			return (uint32_t)nr;
		if (!known || constant_find(c->in, name))
			known = name;
	}
	*missing = known;
	return DESC_NONE;
}

static void call_args(struct compiler *c, const struct decl *d,
		      struct desc_call *call)
{
	call->arg = (uint32_t)c->fields.len;
	for (const struct field *f = d->fields; f; f = f->next) {
		struct desc_field out = { .name = pool_add(c, f->name),
					  .cond = DESC_NONE };

		c->site = NULL;
		c->pos = f->pos;
		out.type = resolve(c, f->type, NULL, AT_ARG);
		if (!out.type)
			excuse(c, f->type);
		vec_push(&c->fields, out);
		vec_push(&c->field_pos, f->pos);
		call->nargs++;
	}
	if (call->nargs > CALL_ARGS_MAX)
		say_error(c->in, d->pos, "%u arguments: at most %d are passed",
			  call->nargs, CALL_ARGS_MAX);
}

static void compile_call(struct compiler *c, const struct decl *d)
{
	struct desc_call call = { .name = pool_add(c, d->name),
				  .ret = DESC_NONE,
				  .fsck = DESC_NONE,
				  .missing = DESC_NONE };
	struct call_info info = { .decl = d };

	c->missing = 0;
	call_args(c, d, &call);
	if (d->type) {
		c->site = NULL;
		call.ret = resolve(c, d->type, NULL, AT_RETURN);
		if (!call.ret)
			excuse(c, d->type);
	}
	for (const struct node *a = d->attrs; a; a = a->next)
		call_attr(c, d, a, &call);
	call.nr = call_number(c, d->pos, base_name(name_of(c->in, d->name)),
			      &info.missing);
	if (!info.missing)
		info.missing = c->missing;
	vec_push(&c->calls, call);
	vec_push(&c->call_infos, info);
}

/* Sizes of the arguments of all variants of a call. */
struct sizes {
	uint8_t bytes[CALL_ARGS_MAX];
	uint32_t pos[CALL_ARGS_MAX];
};

static uint8_t arg_bytes(const struct compiler *c, uint32_t type)
{
	const struct desc_type *t = type_at(c, type);

	/* What fills a register may hold a narrower value. */
	if ((t->flags & DESC_NOSIZE) || t->kind == DESC_UNION ||
	    t->base_bytes == c->arch->ptr_bytes)
		return 0;
	return t->base_bytes;
}

static void note_sizes(struct compiler *c, const struct desc_call *call,
		       struct sizes *s)
{
	for (uint32_t i = 0; i < call->nargs && i < CALL_ARGS_MAX; i++) {
		uint32_t f = call->arg + i;
		uint8_t bytes = arg_bytes(c, c->fields.data[f].type);

		if (!bytes)
			continue;
		if (!s->bytes[i]) {
			s->bytes[i] = bytes;
			s->pos[i] = c->field_pos.data[f];
		} else if (s->bytes[i] != bytes) {
			say_error(c->in, c->field_pos.data[f],
				  "%u bytes here, but %u bytes in the variant "
				  "at %s",
				  bytes, s->bytes[i], where(c->in, s->pos[i]));
		}
	}
}

static void check_const_args(struct compiler *c, const struct desc_call *call,
			     const struct sizes *s)
{
	for (uint32_t i = 0; i < call->nargs && i < CALL_ARGS_MAX; i++) {
		uint32_t f = call->arg + i;
		const struct desc_type *t = type_at(c, c->fields.data[f].type);
		unsigned bits =
			8u * (s->bytes[i] ? s->bytes[i] : c->arch->ptr_bytes);

		if (t->kind == DESC_CONST && !(t->flags & DESC_UNKNOWN) &&
		    (t->flags & DESC_NOSIZE) && !fits_bits(t->lo, bits))
			say_error(c->in, c->field_pos.data[f],
				  "%#llx does not fit into the %u bits that "
				  "this argument has in other variants",
				  (unsigned long long)t->lo, bits);
	}
}

/* Variants of a call have arguments of the same sizes. */
static void check_sizes(struct compiler *c)
{
	VEC(struct sizes) sizes = {};
	VEC(uint32_t) of = {}; /* by name: + 1 */

	for (int pass = 0; pass < 2; pass++)
		for (size_t i = 0; i < c->calls.len; i++) {
			const struct decl *d = c->call_infos.data[i].decl;

			/* What was guessed from the kernel is not measured. */
			if (c->in->sources.data[d->file].automatic)
				continue;
			uint32_t name =
				names_add(&c->in->names,
					  base_name(name_of(c->in, d->name)));

			while (of.len <= name)
				vec_push(&of, 0);
			if (!of.data[name]) {
				vec_push(&sizes, (struct sizes){});
				of.data[name] = (uint32_t)sizes.len;
			}
			struct sizes *s = &sizes.data[of.data[name] - 1];

			if (pass)
				check_const_args(c, &c->calls.data[i], s);
			else
				note_sizes(c, &c->calls.data[i], s);
		}
	vec_free(&sizes);
	vec_free(&of);
}

static void check_union_args(struct compiler *c)
{
	for (size_t i = 0; i < c->calls.len; i++) {
		const struct desc_call *call = &c->calls.data[i];

		for (uint32_t k = 0; k < call->nargs; k++) {
			uint32_t f = call->arg + k;
			uint32_t type = c->fields.data[f].type;

			if (!type_can_be_arg(c, type, 0))
				say_error(c->in, c->field_pos.data[f],
					  "a union that is an argument has "
					  "only options that are: no arrays "
					  "or structs");
		}
	}
}

void compile_calls(struct compiler *c)
{
	vec_for_each(&c->in->sources, src) {
		if (src->no_arch)
			continue;
		for (struct decl *d = src->decls; d && !c->in->stopped;
		     d = d->next)
			if (d->kind == DECL_CALL && !d->broken)
				compile_call(c, d);
	}
	resolve_records(c);
	if (c->in->stopped)
		return;
	check_union_args(c);
	check_sizes(c);
}
