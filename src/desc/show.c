/* SPDX-License-Identifier: GPL-2.0-or-later */
/* show.c - compiled calls as text, with sizes and offsets. */
#include "base/mem.h"
#include "base/vec.h"
#include "desc/desc.h"

enum { SHOW_VALUES_MAX = 64 };

/* What has been come upon, in that order, and is to be printed. */
struct show {
	const struct desc *d;
	struct buf *out;
	VEC(uint32_t) records;
	VEC(uint32_t) flags; /* types */
	VEC(uint32_t) resources;
	uint8_t *seen_records, *seen_resources, *seen_types;
};

static void size_to_text(uint32_t size, struct buf *out)
{
	if (size == DESC_VARLEN)
		buf_str(out, "varies");
	else
		buf_printf(out, "%u", size);
}

void desc_type_to_text(const struct desc *d, uint32_t type, struct buf *out)
{
	buf_str(out, desc_name(d, d->types[type].name));
}

static void want_resource(struct show *s, uint32_t r)
{
	for (; r != DESC_NONE; r = s->d->resources[r].parent)
		if (!s->seen_resources[r]) {
			s->seen_resources[r] = 1;
			vec_push(&s->resources, r);
		}
}

/* Note what a type leads to. */
static void want(struct show *s, uint32_t type)
{
	for (;;) {
		const struct desc_type *t = &s->d->types[type];

		switch (t->kind) {
		case DESC_STRUCT:
		case DESC_UNION:
			if (!s->seen_records[t->elem]) {
				s->seen_records[t->elem] = 1;
				vec_push(&s->records, t->elem);
			}
			return;
		case DESC_RESOURCE:
			want_resource(s, t->elem);
			return;
		case DESC_FLAGS:
		case DESC_STRING:
		case DESC_CONST:
			if (!s->seen_types[type])
				vec_push(&s->flags, type);
			s->seen_types[type] = 1;
			return;
		case DESC_PTR:
		case DESC_ARRAY:
			type = t->elem;
			break;
		default:
			return;
		}
	}
}

static void number(uint64_t v, struct buf *out)
{
	if ((int64_t)v < 0 && (int64_t)v > -4096)
		buf_printf(out, "%lld", (long long)v);
	else
		buf_printf(out, v < 10 ? "%llu" : "%#llx",
			   (unsigned long long)v);
}

static void show_expr(struct show *s, uint32_t i, bool inner)
{
	static const char *const ops[] = { [DESC_EXPR_EQ] = "==",
					   [DESC_EXPR_NE] = "!=",
					   [DESC_EXPR_AND] = "&",
					   [DESC_EXPR_OR] = "||" };
	const struct desc_expr *e = &s->d->exprs[i];

	if (e->op == DESC_EXPR_CONST) {
		number(e->value, s->out);
	} else if (e->op == DESC_EXPR_VALUE) {
		for (uint32_t k = 0; k < e->right; k++)
			buf_printf(
				s->out, "%s%s", k ? ":" : "value[",
				desc_name(s->d,
					  (uint32_t)s->d->values[e->left + k]));
		buf_char(s->out, ']');
	} else {
		buf_str(s->out, inner ? "(" : "");
		show_expr(s, e->left, true);
		buf_printf(s->out, " %s ", ops[e->op]);
		show_expr(s, e->right, true);
		buf_str(s->out, inner ? ")" : "");
	}
}

static void show_field(struct show *s, const struct desc_field *f)
{
	static const char *const dirs[] = { "in", "out", "inout" };
	const struct desc_type *t = &s->d->types[f->type];
	struct buf *out = s->out;
	size_t from = out->len;

	buf_str(out, "\t+");
	size_to_text(f->offset, out);
	if (t->bits)
		buf_printf(out, ":%u..%u", f->bit_offset,
			   f->bit_offset + t->bits - 1);
	while (out->len - from < 12)
		buf_char(out, ' ');
	size_to_text(t->size, out);
	do
		buf_char(out, ' ');
	while (out->len - from < 20);
	buf_printf(out, "%s %s", desc_name(s->d, f->name),
		   desc_name(s->d, t->name));
	if (f->flags & DESC_HAS_DIR)
		buf_printf(out, " (%s)", dirs[f->dir]);
	if (f->flags & DESC_OVERLAY)
		buf_str(out, " (out_overlay)");
	if (f->cond != DESC_NONE) {
		buf_str(out, " if ");
		show_expr(s, f->cond, false);
	}
	buf_char(out, '\n');
	want(s, f->type);
}

static void show_record(struct show *s, uint32_t ri)
{
	const struct desc_record *r = &s->d->records[ri];

	buf_printf(s->out, "\n%s %s: size ",
		   r->flags & DESC_IS_UNION ? "union" : "struct",
		   desc_name(s->d, r->name));
	size_to_text(r->size, s->out);
	buf_printf(s->out, ", align %u%s\n", r->align,
		   r->flags & DESC_PACKED ? ", packed" : "");
	for (uint32_t i = r->field; i < r->field + r->nfields; i++)
		show_field(s, &s->d->fields[i]);
}

static void show_string(const struct show *s, uint64_t v)
{
	struct slice text = desc_string(s->d, v);

	buf_char(s->out, '"');
	for (size_t i = 0; i < text.len; i++)
		if (text.p[i] >= ' ' && text.p[i] < 0x7f && text.p[i] != '"')
			buf_char(s->out, text.p[i]);
		else
			buf_printf(s->out, "\\x%02x", (uint8_t)text.p[i]);
	buf_char(s->out, '"');
}

/* Whether the name says less than the value. */
static bool is_symbolic(const char *name)
{
	const char *p = strchr(name, '[');

	return p && !strchr("0123456789-'\"`", p[1]);
}

static void show_values(struct show *s, uint32_t type)
{
	const struct desc_type *t = &s->d->types[type];
	uint32_t n = MIN(t->nlist, (uint32_t)SHOW_VALUES_MAX);

	if ((t->kind != DESC_CONST && !n) ||
	    !is_symbolic(desc_name(s->d, t->name)))
		return;
	buf_printf(s->out, "%s =", desc_name(s->d, t->name));
	if (t->kind == DESC_CONST) {
		buf_char(s->out, ' ');
		number(t->lo, s->out);
	}
	for (uint32_t i = 0; i < n; i++) {
		buf_str(s->out, i ? ", " : " ");
		if (t->kind == DESC_FLAGS)
			number(s->d->values[t->list + i], s->out);
		else
			show_string(s, s->d->values[t->list + i]);
	}
	if (t->nlist > n)
		buf_printf(s->out, ", and %u more", t->nlist - n);
	buf_char(s->out, '\n');
}

static void show_resource(struct show *s, uint32_t ri)
{
	const struct desc_resource *r = &s->d->resources[ri];

	buf_printf(s->out, "resource %s: ", desc_name(s->d, r->name));
	buf_str(s->out,
		r->parent == DESC_NONE ?
			desc_name(s->d, s->d->types[r->base].name) :
			desc_name(s->d, s->d->resources[r->parent].name));
	for (uint32_t i = 0; i < r->nlist; i++) {
		buf_str(s->out, i ? ", " : " = ");
		number(s->d->values[r->list + i], s->out);
	}
	buf_char(s->out, '\n');
}

static void show_attrs(const struct desc *d, const struct desc_call *call,
		       struct buf *out)
{
	static const char *const names[] = {
#define ATTR(name, flag) name,
#include "desc/attrs.def"
	};

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (call->attrs & 1u << i)
			buf_printf(out, " %s", names[i]);
	if (call->timeout_ms)
		buf_printf(out, " timeout %u ms", call->timeout_ms);
	if (call->prog_timeout_ms)
		buf_printf(out, " prog_timeout %u ms", call->prog_timeout_ms);
	if (call->fsck != DESC_NONE)
		buf_printf(out, " fsck \"%s\"", desc_name(d, call->fsck));
}

static void show_head(struct show *s, const struct desc_call *call)
{
	const struct desc *d = s->d;

	buf_printf(s->out, "%s: ", desc_name(d, call->name));
	if (call->nr == DESC_NONE)
		buf_str(s->out, "no system call, done by the executor");
	else
		buf_printf(s->out, "system call %u on %s", call->nr,
			   d->arch->name);
	show_attrs(d, call, s->out);
	buf_char(s->out, '\n');
	for (uint32_t i = 0; i < call->nargs; i++) {
		const struct desc_field *f = &d->fields[call->arg + i];

		buf_printf(s->out, "\t%s %s\n", desc_name(d, f->name),
			   desc_name(d, d->types[f->type].name));
		want(s, f->type);
	}
	if (call->ret != DESC_NONE) {
		buf_printf(s->out, "\treturns %s\n",
			   desc_name(d, d->types[call->ret].name));
		want(s, call->ret);
	}
}

void desc_call_to_text(const struct desc *d, const struct desc_call *call,
		       struct buf *out)
{
	struct show s = { .d = d, .out = out };

	s.seen_records = mem_calloc(d->nrecords + 1, 1);
	s.seen_resources = mem_calloc(d->nresources + 1, 1);
	s.seen_types = mem_calloc(d->ntypes + 1, 1);
	show_head(&s, call);
	for (size_t i = 0; i < s.records.len; i++)
		show_record(&s, s.records.data[i]);
	if (s.flags.len || s.resources.len)
		buf_char(out, '\n');
	for (size_t i = 0; i < s.flags.len; i++)
		show_values(&s, s.flags.data[i]);
	for (size_t i = 0; i < s.resources.len; i++)
		show_resource(&s, s.resources.data[i]);
	vec_free(&s.records);
	vec_free(&s.flags);
	vec_free(&s.resources);
	free(s.seen_records);
	free(s.seen_resources);
	free(s.seen_types);
}
