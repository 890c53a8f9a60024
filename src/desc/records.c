/* SPDX-License-Identifier: GPL-2.0-or-later */
/* records.c - fields and attributes of structs and unions. */
#include "desc/compile.h"

enum { SIZE_ATTR_MAX = 1 << 20 };

static bool attr_is(struct compiler *c, const struct node *a, const char *word)
{
	return a->kind == NODE_NAME &&
	       slice_eq(name_of(c->in, a->name), slice_cstr(word));
}

static const char *attr_text(struct compiler *c, const struct node *a)
{
	return closure_text(c, a, NULL);
}

static bool is_repeated(const struct node *first, const struct node *a)
{
	for (; first != a; first = first->next)
		if (first->kind == NODE_NAME && first->name == a->name)
			return true;
	return false;
}

/* What all attributes have to be: a name, and not twice. */
static bool attr_is_sane(struct compiler *c, const struct node *first,
			 const struct node *a)
{
	if (a->kind != NODE_NAME)
		say_error(c->in, a->pos, "expected an attribute, not %s",
			  attr_text(c, a));
	else if (a->ncolon)
		say_error(c->in, a->pos, "an attribute takes no ':'");
	else if (is_repeated(first, a))
		say_error(c->in, a->pos,
			  "attribute '" SLICE_FMT "' is here "
			  "already",
			  SLICE_ARG(name_of(c->in, a->name)));
	else
		return true;
	return false;
}

static bool attr_number(struct compiler *c, const struct node *a,
			const struct env *env, uint64_t *value)
{
	if (a->nargs != 1) {
		say_error(c->in, a->pos, "'" SLICE_FMT "' takes one number",
			  SLICE_ARG(name_of(c->in, a->name)));
		return false;
	}
	if (a->args->nargs || a->args->ncolon) {
		say_error(c->in, a->args->pos,
			  "the number takes no ':' and no arguments");
		return false;
	}
	return eval(c, a->args, env, value);
}

/* An attribute of a record. */
static void record_attr(struct compiler *c, uint32_t ri, const struct node *a)
{
	struct record *info = &c->infos.data[ri];
	struct desc_record *r = &c->records.data[ri];
	bool is_union = r->flags & DESC_IS_UNION;
	uint64_t v;

	if (attr_is(c, a, is_union ? "varlen" : "packed")) {
		r->flags |= is_union ? DESC_VARLEN_UNION : DESC_PACKED;
		if (a->nargs)
			say_error(c->in, a->pos, "'%s' takes no arguments",
				  is_union ? "varlen" : "packed");
	} else if (attr_is(c, a, "size")) {
		info->size_pos = a->pos;
		if (!attr_number(c, a, info->env, &v))
			return;
		if (!v || v > SIZE_ATTR_MAX)
			say_error(c->in, a->args->pos,
				  "a size is 1 to %d bytes, not %s",
				  SIZE_ATTR_MAX, attr_text(c, a->args));
		else
			info->want_size = v;
	} else if (attr_is(c, a, "align") && !is_union) {
		if (!attr_number(c, a, info->env, &v))
			return;
		if (!v || v & (v - 1) || v > SIZE_ATTR_MAX)
			say_error(c->in, a->pos,
				  "an alignment is a power of 2 up to %d, not "
				  "%s",
				  SIZE_ATTR_MAX, attr_text(c, a->args));
		else
			info->want_align = v;
	} else {
		say_error(c->in, a->pos,
			  "unknown attribute '%s': a %s has %s, size[N]",
			  attr_text(c, a), is_union ? "union" : "struct",
			  is_union ? "varlen" : "packed, align[N]");
	}
}

static void set_dir(struct compiler *c, const struct node *a,
		    struct desc_field *f)
{
	f->dir = a->name == c->n_in  ? DESC_IN :
		 a->name == c->n_out ? DESC_OUT :
				       DESC_INOUT;
	if (f->flags & DESC_HAS_DIR)
		say_error(c->in, a->pos, "one of in, out and inout is enough");
	f->flags |= DESC_HAS_DIR;
}

static void set_cond(struct compiler *c, const struct node *a,
		     const struct env *env, struct desc_field *f)
{
	if (a->nargs != 1) {
		say_error(c->in, a->pos, "'if' takes one condition");
		return;
	}
	f->cond = expr_add(c, a->args, env);
}

static void field_attr(struct compiler *c, uint32_t ri, const struct node *a,
		       struct desc_field *f)
{
	bool is_union = c->records.data[ri].flags & DESC_IS_UNION;
	bool is_dir = a->name == c->n_in || a->name == c->n_out ||
		      a->name == c->n_inout;

	if (a->name == c->n_if) {
		set_cond(c, a, c->infos.data[ri].env, f);
		return;
	}
	if (a->nargs)
		say_error(c->in, a->pos, "'" SLICE_FMT "' takes no arguments",
			  SLICE_ARG(name_of(c->in, a->name)));
	else if (is_dir && (!is_union || a->name == c->n_in))
		set_dir(c, a, f);
	else if (attr_is(c, a, "out_overlay") && !is_union)
		f->flags |= DESC_OVERLAY;
	else
		say_error(c->in, a->pos, "unknown attribute '%s': %s",
			  attr_text(c, a),
			  is_union ? "an option has if[condition]" :
				     "a field has in, out, inout, out_overlay, "
				     "if[condition]");
}

static struct desc_field field_make(struct compiler *c, uint32_t ri,
				    const struct field *f)
{
	bool is_union = c->records.data[ri].flags & DESC_IS_UNION;
	struct desc_field out = {
		.name = pool_add(c, f->name),
		.cond = DESC_NONE,
	};

	c->pos = f->pos;
	out.type = resolve(c, f->type, c->infos.data[ri].env,
			   is_union ? AT_OPTION : AT_FIELD);
	if (!out.type)
		excuse(c, f->type);
	for (const struct node *a = f->attrs; a; a = a->next)
		if (attr_is_sane(c, f->attrs, a))
			field_attr(c, ri, a, &out);
	if (out.cond != DESC_NONE)
		c->records.data[ri].flags |= DESC_CONDITIONAL;
	if (out.cond != DESC_NONE && type_at(c, out.type)->bits)
		say_error(c->in, f->pos, "a bit-field cannot have a condition");
	return out;
}

/* Fields that are in parts for output must be something the kernel writes. */
static void check_output(struct compiler *c, uint32_t pos,
			 const struct desc_field *f)
{
	static const char *const names[] = { [DESC_CONST] = "const",
					     [DESC_PTR] = "ptr",
					     [DESC_PROC] = "proc",
					     [DESC_CSUM] = "csum",
					     [DESC_LEN] = "a length" };
	const struct desc_type *t = type_at(c, f->type);

	if (t->kind < ARRAY_LEN(names) && names[t->kind])
		say_error(c->in, pos,
			  "%s is for input only: the kernel does not write it; "
			  "use an integer",
			  names[t->kind]);
}

/* In up to the overlay, out from there on. */
static void set_overlay_dirs(struct compiler *c, const struct desc_record *r)
{
	uint8_t dir = DESC_IN;

	for (uint32_t i = r->field; i < r->field + r->nfields; i++) {
		struct desc_field *f = &c->fields.data[i];

		if (f->flags & DESC_OVERLAY)
			dir = DESC_OUT;
		f->dir = dir;
		f->flags |= DESC_HAS_DIR;
	}
}

static void check_overlay(struct compiler *c, uint32_t ri)
{
	const struct desc_record *r = &c->records.data[ri];
	bool overlay = false, dirs = false;

	for (uint32_t i = r->field; i < r->field + r->nfields; i++) {
		const struct desc_field *f = &c->fields.data[i];
		uint32_t pos = c->field_pos.data[i];

		dirs |= f->flags & DESC_HAS_DIR;
		if ((f->flags & DESC_OVERLAY) && i == r->field)
			say_error(c->in, pos,
				  "out_overlay on the first field leaves no "
				  "input: make the pointer out");
		else if ((f->flags & DESC_OVERLAY) && overlay)
			say_error(c->in, pos, "a second out_overlay");
		overlay |= f->flags & DESC_OVERLAY;
		if (overlay && dirs)
			say_error(c->in, pos,
				  "in, out and inout do not mix with "
				  "out_overlay");
		if (overlay ||
		    ((f->flags & DESC_HAS_DIR) && f->dir == DESC_OUT))
			check_output(c, pos, f);
	}
	if (overlay)
		set_overlay_dirs(c, r);
}

static void check_union_conds(struct compiler *c, uint32_t ri)
{
	const struct desc_record *r = &c->records.data[ri];
	uint32_t last = r->field + r->nfields - 1;

	if (!(r->flags & DESC_IS_UNION) || !(r->flags & DESC_CONDITIONAL))
		return;
	for (uint32_t i = r->field; i < last; i++)
		if (c->fields.data[i].cond == DESC_NONE) {
			say_error(c->in, c->field_pos.data[i],
				  "if one option has a condition, all but the "
				  "last have one");
			return;
		}
	if (c->fields.data[last].cond != DESC_NONE)
		say_error(c->in, c->field_pos.data[last],
			  "the last option must be without a condition, so "
			  "that one is always left");
}

void record_fields(struct compiler *c, uint32_t ri)
{
	const struct decl *d = c->infos.data[ri].decl;
	uint32_t at = (uint32_t)c->fields.len, missing = c->missing;

	/* Fields of other records are not made meanwhile: ours are in a row. */
	c->missing = 0;
	c->site = NULL;
	for (const struct field *f = d->fields; f && !c->in->stopped;
	     f = f->next) {
		if (f->kind != FIELD || !f->type)
			continue;
		vec_push(&c->fields, field_make(c, ri, f));
		vec_push(&c->field_pos, f->pos);
	}
	for (const struct node *a = d->attrs; a; a = a->next)
		if (attr_is_sane(c, d->attrs, a))
			record_attr(c, ri, a);
	c->records.data[ri].field = at;
	c->records.data[ri].nfields = (uint32_t)c->fields.len - at;
	c->infos.data[ri].missing = c->missing;
	c->missing = missing;
	if (c->records.data[ri].nfields) {
		check_overlay(c, ri);
		check_union_conds(c, ri);
	}
}
