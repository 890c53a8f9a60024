/* SPDX-License-Identifier: GPL-2.0-or-later */
/* c_memory.c - what pointers lead to: variables and what they begin with. */
#include <stdio.h>

#include "base/mem.h"
#include "prog/c.h"

static bool is_placed(const struct arg *a)
{
	return (a->kind == ARG_POINTER && a->child != ARG_NONE) ||
			       a->kind == ARG_VMA ?
		       !(a->flags & ARG_SPECIAL) :
		       false;
}

static uint64_t extent(const struct prog *p, const struct arg *a)
{
	return a->kind == ARG_VMA ? a->extra : arg_size(p, a->child);
}

/* Whether another pointer of the program leads into the same bytes. */
static bool overlaps(const struct c_out *c, uint32_t pointer)
{
	const struct arg *mine = arg_at(c->p, pointer);
	uint64_t from = mine->value, to = from + extent(c->p, mine);

	vec_for_each(&c->p->calls, call) {
		struct tree_walk w;

		for (uint32_t i = walk_call(&w, c->p, call); i != ARG_NONE;
		     i = walk_next(&w)) {
			const struct arg *a = arg_at(c->p, i);

			if (i != pointer && is_placed(a) && a->value < to &&
			    from < a->value + extent(c->p, a))
				return true;
		}
	}
	return false;
}

/* A path or the like: text with one NUL, at its end. */
static bool is_text(const struct prog *p, const struct arg *a)
{
	const struct desc_type *t = arg_type(p, a);

	return a->kind == ARG_DATA && a->from != NO_BYTES && a->len &&
	       a->len <= 256 &&
	       (t->kind == DESC_FILENAME ||
		(t->kind == DESC_STRING && !(t->flags & DESC_NOZ))) &&
	       strnlen(p->bytes.data + a->from, a->len) == a->len - 1;
}

/* Of text, perhaps; helpers of pseudo-calls take that to its NUL. */
static bool has_len(const struct c_out *c)
{
	const struct call *call = &c->p->calls.data[c->call];

	if (c->p->target->d->calls[call->id].nr == DESC_NONE)
		return false;
	for (uint32_t a = call->arg; a != ARG_NONE; a = arg_at(c->p, a)->next)
		if (arg_type(c->p, arg_at(c->p, a))->kind == DESC_LEN)
			return true;
	return false;
}

/* Memory is zero, unless something else was there. */
static void put_zeroes(struct c_out *c, uint32_t pointer, const char *var,
		       unsigned long long size)
{
	const struct arg *to = arg_at(c->p, arg_at(c->p, pointer)->child);

	if (to->dir != DESC_OUT && overlaps(c, pointer))
		buf_printf(c->body, "\tmemset(%s, 0, %llu);\n", var, size);
}

static bool is_zero(const char *p, size_t len)
{
	while (len && !*p)
		p++, len--;
	return !len;
}

/* "data + 0x40". */
static char *address_of(struct c_out *c, const struct arg *pointer)
{
	char *text;

	c->data = true;
	if (asprintf(&text, pointer->value ? "data + %#llx" : "data",
		     (unsigned long long)pointer->value) < 0)
		abort();
	return text;
}

static void place_data(struct c_out *c, uint32_t arg)
{
	const struct arg *pointer = arg_at(c->p, arg);
	const struct arg *a = arg_at(c->p, pointer->child);
	char *var;

	var = address_of(c, pointer);
	c_var_add(c, pointer->child, var);
	if (a->from == NO_BYTES || !a->len)
		return;
	c_include(c, "string.h");
	if (is_zero(c->p->bytes.data + a->from, a->len)) {
		put_zeroes(c, arg, var, a->len);
		return;
	}
	buf_printf(c->body, "\tmemcpy(%s, ", var);
	c_literal(c->body, c->p->bytes.data + a->from, a->len);
	buf_printf(c->body, ", %u);\n", a->len);
}

/* What can only be written when results of earlier calls are there. */
static void late_value(struct c_out *c, const char *path, uint32_t arg,
		       uint64_t off)
{
	static const char *const formats[] = { NULL, "%020llu", "0x%016llx",
					       "%023llo" };
	const struct arg *a = arg_at(c->p, arg);
	unsigned format =
		a->flags & ARG_ANY ?
			(a->any >= ANY_RES_DEC ?
				 a->any - (unsigned)ANY_RES_DEC + DESC_DEC :
				 0u) :
			arg_type(c->p, a)->format;

	if (!format || a->kind != ARG_RESULT || a->child == ARG_NONE ||
	    a->dir == DESC_OUT)
		return;
	c_helper(c, "put_text");
	buf_printf(c->body, "\tput_text(&%s, \"%s\", ", path, formats[format]);
	c_scalar(c, c->body, arg);
	buf_str(c->body, ");\n");
}

static void note_sum(struct c_out *c, const char *path, uint32_t arg,
		     uint64_t off)
{
	const struct arg *a = arg_at(c->p, arg);
	struct c_known_sum s = { .arg = arg };

	if (!(a->flags & ARG_ANY) && arg_type(c->p, a)->kind == DESC_CSUM &&
	    c_sum(c, c->at + off, &s.value))
		vec_push(&c->sums, s);
}

static void place_typed(struct c_out *c, uint32_t arg, const char *name)
{
	const struct arg *pointer = arg_at(c->p, arg);
	const struct arg *a = arg_at(c->p, pointer->child);
	_cleanup_(buf_deinit) struct buf value = {}, var = {};
	_cleanup_(freep) char *address = address_of(c, pointer);
	unsigned long long size;

	c_include(c, "string.h");
	c_ident(&var, name);
	buf_printf(&var, "%u", c->call);
	for (unsigned i = 2;; i++) {
		bool taken = false;

		vec_for_each(&c->vars, v)
			taken |= !strcmp(v->name, buf_cstr(&var));
		if (!taken)
			break;
		buf_printf(&var, "_%u", i);
	}
	size = arg_size(c->p, pointer->child);
	buf_char(c->body, '\t');
	c_type(c, c->body, pointer->child, pointer->value);
	buf_printf(c->body, "%s*%s = %s;\n",
		   strchr("})", c->body->data[c->body->len - 1]) ? " " : "",
		   buf_cstr(&var), address);
	c->at = pointer->value;
	c_scalars(c, pointer->child, "", note_sum);
	if (!c_value(c, &value, pointer->child))
		put_zeroes(c, arg, buf_cstr(&var), size);
	else if (c_is_ints(c->p, a))
		buf_printf(c->body,
			   "\tmemcpy(%s, (__typeof__(*%s)[])%s, %llu);\n",
			   buf_cstr(&var), buf_cstr(&var), buf_cstr(&value),
			   size);
	else if (*value.data == '"')
		buf_printf(c->body, "\tmemcpy(%s, %s, %llu);\n", buf_cstr(&var),
			   buf_cstr(&value), size);
	else if (*value.data == '{')
		buf_printf(c->body, "\t*%s = (__typeof__(*%s))%s;\n",
			   buf_cstr(&var), buf_cstr(&var), buf_cstr(&value));
	else
		buf_printf(c->body, "\t*%s = %s;\n", buf_cstr(&var),
			   buf_cstr(&value));
	c_scalars(c, pointer->child, buf_cstr(&var), late_value);
	c_var_add(c, pointer->child, mem_strdup(buf_cstr(&var)));
}

static void place_image(struct c_out *c, uint32_t arg)
{
	char *name = NULL;

	if (!c_image(c))
		name = mem_strdup("NULL");
	else if (asprintf(&name, "image_%u", c->call) < 0)
		abort();
	c_var_add(c, arg, name);
}

/* Memory of pointers, the innermost first; `name` is that of the field. */
void c_place(struct c_out *c, uint32_t arg, const char *name, bool in_call)
{
	const struct desc *d = c->p->target->d;
	const struct arg *a = arg_at(c->p, arg);
	const struct desc_record *r =
		!(a->flags &
		  ARG_ANY) && (a->kind == ARG_UNION || a->kind == ARG_GROUP) &&
				arg_type(c->p, a)->kind != DESC_ARRAY ?
			&d->records[arg_type(c->p, a)->elem] :
			NULL;
	uint32_t i = a->kind == ARG_UNION ? (uint32_t)a->extra : 0;

	if (a->kind == ARG_RESULT || a->child == ARG_NONE ||
	    (a->kind == ARG_POINTER && a->dir == DESC_OUT))
		return; /* nothing, or an address that the kernel writes */
	for (uint32_t k = a->child; k != ARG_NONE; k = arg_at(c->p, k)->next)
		c_place(c, k,
			r ? desc_name(d, d->fields[r->field + i++].name) : name,
			false);
	if (a->kind != ARG_POINTER)
		return;

	const struct arg *to = arg_at(c->p, a->child);

	if (to->type != DESC_NONE && arg_type(c->p, to)->kind == DESC_IMAGE) {
		place_image(c, a->child);
	} else if (in_call && is_text(c->p, to) && !has_len(c) &&
		   !overlaps(c, arg)) {
		_cleanup_(buf_deinit) struct buf text = {};

		c_literal(&text, c->p->bytes.data + to->from, to->len - 1);
		c_var_add(c, a->child, mem_strdup(buf_cstr(&text)));
	} else if (to->kind == ARG_DATA || !arg_size(c->p, a->child)) {
		place_data(c, arg);
	} else {
		place_typed(c, arg, name);
	}
}
