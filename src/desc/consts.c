/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * consts.c - .const files: the values of constants.
 *
 *	arches = amd64, arm64, s390x
 *	O_DIRECT = 16384, arm64:65536
 *	NAME = 1, arm64:s390x:???
 *	NAME = arm64:3
 *
 * A value without an architecture holds for all of the file that have none
 * of their own; ??? says that there is none.
 */
#include "desc/internal.h"
#include "desc/lex.h"

enum { CONFLICTS_MAX = 1000 };

struct const_file {
	struct desc_input *in;
	const struct source *src;
	uint16_t arches;
};

static uint16_t all_arches(void)
{
	size_t n = 0;

	while (desc_arch_at(n))
		n++;
	return (uint16_t)((1u << n) - 1);
}

/* The bit of an architecture; 0 when we know none of that name. */
static uint16_t arch_bit(struct slice name)
{
	const struct desc_arch *a = desc_arch_find(name);

	return a ? (uint16_t)(1u << (a - desc_arch_at(0))) : 0;
}

static uint32_t pos_in(const struct const_file *f, struct slice s)
{
	return f->src->start + (uint32_t)(s.p - f->src->text.p);
}

/* Cut what stands before `c` off `*s`. */
static struct slice cut(struct slice *s, char c)
{
	const char *p = s->len ? memchr(s->p, c, s->len) : NULL;
	struct slice head = *s;

	if (!p) {
		*s = slice_from(*s, s->len);
		return slice_trim(head);
	}
	head.len = (size_t)(p - s->p);
	*s = slice_from(*s, head.len + 1);
	return slice_trim(head);
}

static struct constant *constant_add(struct desc_input *in, uint32_t name)
{
	while (in->constant_of.len <= name)
		vec_push(&in->constant_of, 0);
	if (!in->constant_of.data[name]) {
		vec_push(&in->constants, (struct constant){ .name = name });
		in->constant_of.data[name] = (uint32_t)in->constants.len;
	}
	return &in->constants.data[in->constant_of.data[name] - 1];
}

const struct constant *constant_find(const struct desc_input *in, uint32_t name)
{
	if (name >= in->constant_of.len || !in->constant_of.data[name])
		return NULL;
	return &in->constants.data[in->constant_of.data[name] - 1];
}

static void set(const struct const_file *f, struct constant *c, uint16_t mask,
		const uint64_t *value, struct slice at)
{
	c->listed |= mask;
	for (unsigned i = 0; value && i < ARRAY_LEN(c->values); i++) {
		uint16_t bit = (uint16_t)(1u << i);

		if (!(mask & bit))
			continue;
		if ((c->known & bit) && c->values[i] != *value) {
			if (f->in->conflicts.len == CONFLICTS_MAX)
				continue;
			c->disputed = true;
			vec_push(&f->in->conflicts,
				 (struct conflict){ pos_in(f, at), c->name,
						    (uint8_t)i, *value });
			continue;
		}
		c->known |= bit;
		c->values[i] = *value;
	}
}

/* Headers change: a file goes by what was extracted for it. */
uint64_t own_value(const struct desc_input *in, const struct constant *k,
		   uint32_t pos, unsigned arch)
{
	struct slice file = slice_cstr(source_at(in, pos)->name);

	for (size_t i = 0; i < in->conflicts.len; i++) {
		const struct conflict *x = &in->conflicts.data[i];

		if (x->name != k->name || x->arch != arch)
			continue;
		struct slice of = slice_cstr(source_at(in, x->pos)->name);

		if (slice_starts(of, file) &&
		    slice_eq(slice_from(of, file.len), SLICE(".const")))
			return x->value;
	}
	return k->values[arch];
}

/* "arch:arch:value": true when it was one. */
static bool parse_entry(const struct const_file *f, struct slice entry,
			uint16_t *mask, bool *is_default, bool *known,
			uint64_t *value)
{
	*mask = 0;
	*is_default = true;
	while (entry.len && memchr(entry.p, ':', entry.len)) {
		*mask |= arch_bit(cut(&entry, ':'));
		*is_default = false;
	}
	entry = slice_trim(entry);
	*known = !slice_eq(entry, SLICE("???"));
	if (!*known || lex_number(entry, value))
		return true;
	say_error(f->in, pos_in(f, entry),
		  "a value is a number or ???, after the architectures it is "
		  "for: 'amd64:1'");
	return false;
}

static void parse_constant(const struct const_file *f, struct slice name,
			   struct slice rest)
{
	struct constant *c =
		constant_add(f->in, names_add(&f->in->names, name));
	uint16_t left = f->arches;
	uint64_t deflt = 0;
	bool has_default = false, listed_default = false;

	while (rest.len) {
		struct slice entry = cut(&rest, ',');
		uint64_t value = 0;
		uint16_t mask;
		bool is_default, known;

		if (!parse_entry(f, entry, &mask, &is_default, &known, &value))
			return;
		if (is_default) {
			listed_default = true;
			has_default = known;
			deflt = value;
			continue;
		}
		set(f, c, mask, known ? &value : NULL, entry);
		left &= (uint16_t)~mask;
	}
	if (listed_default)
		set(f, c, left, has_default ? &deflt : NULL, name);
}

static void parse_arches(struct const_file *f, struct slice rest)
{
	f->arches = 0;
	while (rest.len)
		f->arches |= arch_bit(cut(&rest, ','));
}

static bool is_const_name(struct slice s)
{
	for (size_t i = 0; i < s.len; i++) {
		char c = s.p[i];

		if (!(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') &&
		    c != '_' && c != '$' && !(i && c >= '0' && c <= '9'))
			return false;
	}
	return s.len;
}

/* NAME_amd64.const is of one architecture. */
static uint16_t arches_of_name(const char *name)
{
	const struct desc_arch *a;

	for (size_t i = 0; (a = desc_arch_at(i)); i++) {
		_cleanup_(buf_deinit) struct buf end = {};

		buf_printf(&end, "_%s.const", a->name);
		if (slice_ends(slice_cstr(name), buf_as_slice(&end)))
			return (uint16_t)(1u << i);
	}
	return all_arches();
}

void parse_consts(struct desc_input *in, const struct source *src)
{
	struct const_file f = { in, src, arches_of_name(src->name) };
	struct slice text = src->text, line;

	while (slice_line(&text, &line) && !in->stopped) {
		line = slice_trim(line);
		if (!line.len || *line.p == '#')
			continue;
		struct slice rest = line, name = cut(&rest, '=');

		if (!is_const_name(name) || !memchr(line.p, '=', line.len))
			say_error(in, pos_in(&f, line),
				  "a line is NAME = value, arch:value, ...");
		else if (slice_eq(name, SLICE("arches")))
			parse_arches(&f, rest);
		else
			parse_constant(&f, name, rest);
	}
}

void define_constant(struct desc_input *in, uint32_t name, struct slice text)
{
	uint64_t value;

	if (!lex_number(text, &value))
		return;
	struct constant *k = constant_add(in, name);

	k->known = k->listed = all_arches();
	for (size_t i = 0; i < ARRAY_LEN(k->values); i++)
		k->values[i] = value;
}
