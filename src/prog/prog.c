/* SPDX-License-Identifier: GPL-2.0-or-later */
/* prog.c - programs as a whole: calls added, removed, copied. */
#include "prog/prog.h"

#include "base/mem.h"
#include "prog/tree.h"

struct prog *prog_new(const struct prog_target *t)
{
	struct prog *p = mem_calloc(1, sizeof(*p));

	p->target = t;
	return p;
}

void prog_free(struct prog *p)
{
	vec_free(&p->calls);
	vec_free(&p->args);
	buf_deinit(&p->bytes);
	free(p);
}

static void assign(void *data, size_t *len, size_t *cap, const void *from,
		   size_t from_len, size_t size)
{
	void **to = data;

	if (from_len > *cap)
		*to = vec_grow_(*to, cap, from_len, size);
	if (from_len)
		memcpy(*to, from, from_len * size);
	*len = from_len;
}

void prog_assign(struct prog *to, const struct prog *from)
{
	assign(&to->calls.data, &to->calls.len, &to->calls.cap,
	       from->calls.data, from->calls.len, sizeof(struct call));
	assign(&to->args.data, &to->args.len, &to->args.cap, from->args.data,
	       from->args.len, sizeof(struct arg));
	to->bytes.len = 0;
	buf_add(&to->bytes, from->bytes.data, from->bytes.len);
}

struct prog *prog_copy(const struct prog *p)
{
	struct prog *copy = prog_new(p->target);

	prog_assign(copy, p);
	return copy;
}

size_t prog_ncalls(const struct prog *p)
{
	return p->calls.len;
}

size_t prog_call_id(const struct prog *p, size_t i)
{
	return p->calls.data[i].id;
}

const char *prog_call_name(const struct prog *p, size_t i)
{
	const struct desc *d = p->target->d;

	return desc_name(d, d->calls[p->calls.data[i].id].name);
}

struct prog_props prog_call_props(const struct prog *p, size_t i)
{
	return p->calls.data[i].props;
}

void prog_set_call_props(struct prog *p, size_t i, struct prog_props props)
{
	p->calls.data[i].props = props;
}

void prog_remove_call(struct prog *p, size_t i)
{
	memmove(p->calls.data + i, p->calls.data + i + 1,
		(p->calls.len - i - 1) * sizeof(struct call));
	p->calls.len--;
	tree_fix_refs(p);
}

static void default_args(struct prog *p, struct call *c)
{
	const struct desc *d = p->target->d;
	const struct desc_call *dc = &d->calls[c->id];
	uint32_t last = ARG_NONE;

	for (uint32_t i = 0; i < dc->nargs; i++) {
		const struct desc_field *f = &d->fields[dc->arg + i];
		uint32_t a = arg_new_default(p, f->type, field_dir(f, DESC_IN));

		*(last == ARG_NONE ? &c->arg : &arg_at(p, last)->next) = a;
		last = a;
	}
}

struct call *tree_insert_call(struct prog *p, size_t at, uint32_t id,
			      bool defaults)
{
	const struct desc_call *dc = &p->target->d->calls[id];
	struct call c = { .id = id, .arg = ARG_NONE, .ret = ARG_NONE };

	if (defaults)
		default_args(p, &c);
	cond_settle(p, &c, COND_AUTO);
	if (dc->ret != DESC_NONE)
		c.ret = arg_new_default(p, dc->ret, DESC_OUT);
	vec_push(&p->calls, c);
	memmove(p->calls.data + at + 1, p->calls.data + at,
		(p->calls.len - at - 1) * sizeof(c));
	p->calls.data[at] = c;
	return &p->calls.data[at];
}

struct call *tree_add_call(struct prog *p, uint32_t id, bool defaults)
{
	return tree_insert_call(p, p->calls.len, id, defaults);
}

/* ---- Copies of calls ------------------------------------------------------------ */

struct call tree_copy_call(struct prog *to, const struct prog *from,
			   const struct call *c, uint32_t *new_at)
{
	struct call n = *c;
	uint32_t last = ARG_NONE;
	struct tree_walk a, b;

	n.arg = ARG_NONE;
	for (uint32_t k = c->arg; k != ARG_NONE; k = arg_at(from, k)->next) {
		uint32_t copy = arg_copy(to, from, k);

		*(last == ARG_NONE ? &n.arg : &arg_at(to, last)->next) = copy;
		last = copy;
	}
	if (c->ret != ARG_NONE)
		n.ret = arg_copy(to, from, c->ret);
	/* Both have the same shape; references are to what came before. */
	for (uint32_t x = walk_call(&a, from, c), y = walk_call(&b, to, &n);
	     x != ARG_NONE; x = walk_next(&a), y = walk_next(&b)) {
		struct arg *copy = arg_at(to, y);

		new_at[x] = y;
		if (copy->kind == ARG_RESULT && copy->child != ARG_NONE)
			copy->child = new_at[copy->child];
	}
	return n;
}

void tree_compact(struct prog *p)
{
	struct prog to = { .target = p->target };
	uint32_t *new_at = mem_calloc(p->args.len + 1, sizeof(*new_at));

	for (size_t i = 0; i < p->calls.len; i++)
		vec_push(&to.calls,
			 tree_copy_call(&to, p, &p->calls.data[i], new_at));
	free(new_at);
	vec_free(&p->calls);
	vec_free(&p->args);
	buf_deinit(&p->bytes);
	*p = to;
}
