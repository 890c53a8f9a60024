/* SPDX-License-Identifier: GPL-2.0-or-later */
/* die.c - walk the tree of a unit's debugging entries (DWARF 5, chapter 7.5). */
#include <dwarf.h>
#include <stdlib.h>

#include "elf/die.h"

enum { SIZE_VARIES = -1, SIZE_UNKNOWN = -2 };

/* --- attributes --- */

/* Bytes of a form, or one of the above. */
static int form_bytes(const struct die_unit *u, unsigned form)
{
	switch (form) {
	case DW_FORM_flag_present:
	case DW_FORM_implicit_const:
		return 0;
	case DW_FORM_data1:
	case DW_FORM_ref1:
	case DW_FORM_flag:
	case DW_FORM_strx1:
	case DW_FORM_addrx1:
		return 1;
	case DW_FORM_data2:
	case DW_FORM_ref2:
	case DW_FORM_strx2:
	case DW_FORM_addrx2:
		return 2;
	case DW_FORM_strx3:
	case DW_FORM_addrx3:
		return 3;
	case DW_FORM_data4:
	case DW_FORM_ref4:
	case DW_FORM_ref_sup4:
	case DW_FORM_strx4:
	case DW_FORM_addrx4:
		return 4;
	case DW_FORM_data8:
	case DW_FORM_ref8:
	case DW_FORM_ref_sig8:
	case DW_FORM_ref_sup8:
		return 8;
	case DW_FORM_data16:
		return 16;
	case DW_FORM_addr:
		return (int)u->addr_bytes;
	case DW_FORM_ref_addr:
		return (int)(u->version < 3 ? u->addr_bytes : u->offset_bytes);
	case DW_FORM_strp:
	case DW_FORM_line_strp:
	case DW_FORM_sec_offset:
	case DW_FORM_strp_sup:
	case DW_FORM_GNU_ref_alt:
	case DW_FORM_GNU_strp_alt:
		return (int)u->offset_bytes;
	case DW_FORM_string:
	case DW_FORM_sdata:
	case DW_FORM_udata:
	case DW_FORM_ref_udata:
	case DW_FORM_strx:
	case DW_FORM_addrx:
	case DW_FORM_loclistx:
	case DW_FORM_rnglistx:
	case DW_FORM_GNU_addr_index:
	case DW_FORM_GNU_str_index:
	case DW_FORM_block:
	case DW_FORM_block1:
	case DW_FORM_block2:
	case DW_FORM_block4:
	case DW_FORM_exprloc:
		return SIZE_VARIES;
	default: /* DW_FORM_indirect too: nobody writes it */
		return SIZE_UNKNOWN;
	}
}

static void skip_form(const struct die_unit *u, struct reader *r, unsigned form)
{
	int bytes = form_bytes(u, form);

	if (bytes >= 0) {
		read_skip(r, (unsigned)bytes);
		return;
	}
	switch (bytes == SIZE_UNKNOWN ? 0 : form) {
	case 0:
		read_fail(r);
		break;
	case DW_FORM_string:
		read_str(r);
		break;
	case DW_FORM_block1:
		read_skip(r, read_u8(r));
		break;
	case DW_FORM_block2:
		read_skip(r, read_uint(r, 2));
		break;
	case DW_FORM_block4:
		read_skip(r, read_uint(r, 4));
		break;
	case DW_FORM_block:
	case DW_FORM_exprloc:
		read_skip(r, read_uleb(r));
		break;
	default:
		read_uleb(r);
	}
}

/* --- abbreviations --- */

static int by_code(const void *a, const void *b)
{
	const struct abbrev *x = a, *y = b;

	return x->code < y->code ? -1 : x->code > y->code;
}

/* Add an attribute to those of fixed sizes, if all before it are. */
static void add_fixed(const struct die_unit *u, struct abbrev *a,
		      struct attr_spec spec)
{
	int bytes = form_bytes(u, spec.form);

	if (bytes < 0 || a->nr_fixed < a->nr_specs ||
	    a->fixed_bytes > INT16_MAX)
		return;
	if (spec.name == DW_AT_sibling && spec.form == DW_FORM_ref4)
		a->sibling_at = (int32_t)a->fixed_bytes;
	a->nr_fixed++;
	a->fixed_bytes += (unsigned)bytes;
}

static void read_abbrevs(struct die_unit *u, struct reader *r)
{
	bool is_sorted = true;
	uint64_t code;

	while ((code = read_uleb(r)) && u->specs.len < UINT32_MAX / 2) {
		struct abbrev a = {
			.code = code,
			.first_spec = (uint32_t)u->specs.len,
			.tag = (uint16_t)read_uleb(r),
			.has_children = read_u8(r) != 0,
			.sibling_at = -1,
		};

		for (;;) {
			struct attr_spec spec = {
				.name = (uint16_t)read_uleb(r),
				.form = (uint16_t)read_uleb(r),
			};

			if (!spec.name && !spec.form)
				break;
			if (spec.form == DW_FORM_implicit_const)
				read_sleb(r);
			add_fixed(u, &a, spec);
			a.nr_specs++;
			vec_push(&u->specs, spec);
		}
		if (u->abbrevs.len &&
		    u->abbrevs.data[u->abbrevs.len - 1].code >= code)
			is_sorted = false;
		vec_push(&u->abbrevs, a);
	}
	if (!is_sorted)
		qsort(u->abbrevs.data, u->abbrevs.len, sizeof(*u->abbrevs.data),
		      by_code);
}

static const struct abbrev *find_abbrev(const struct die_unit *u, uint64_t code)
{
	struct abbrev key = { .code = code };

	/* Compilers count them from 1. */
	if (code - 1 < u->abbrevs.len && u->abbrevs.data[code - 1].code == code)
		return &u->abbrevs.data[code - 1];
	return u->abbrevs.len ? bsearch(&key, u->abbrevs.data, u->abbrevs.len,
					sizeof(key), by_code) :
				NULL;
}

/* --- the unit --- */

/* The unit's header; the offset of its abbreviations. */
static uint64_t read_unit_header(struct die_unit *u)
{
	struct reader *r = &u->r;
	uint64_t len = read_unit_length(r, &u->offset_bytes), abbrevs;

	if (len > reader_left(r))
		read_fail(r);
	else
		r->end = r->p + len;
	u->version = (unsigned)read_uint(r, 2);
	if (u->version >= 5) {
		read_u8(r); /* unit type; only DW_UT_compile comes here */
		u->addr_bytes = read_u8(r);
		abbrevs = read_uint(r, u->offset_bytes);
	} else {
		abbrevs = read_uint(r, u->offset_bytes);
		u->addr_bytes = read_u8(r);
	}
	if (u->version < 2 || u->version > 5 || u->addr_bytes > 8)
		read_fail(r);
	return abbrevs;
}

bool die_unit_read(struct die_unit *u, struct slice info, struct slice abbrevs,
		   bool is_big, Dwarf_Die *cu)
{
	uint64_t top = dwarf_dieoffset(cu), from = top - dwarf_cuoffset(cu);

	if (from > info.len || top > info.len)
		return false;
	u->section = (const unsigned char *)info.p;
	u->top = u->section + top;
	u->header = u->section + from;
	u->r = (struct reader){ .p = u->header,
				.end = u->section + info.len,
				.is_big = is_big };
	uint64_t offset = read_unit_header(u);
	if (u->r.is_bad || u->top < u->r.p || u->top >= u->r.end ||
	    offset >= abbrevs.len)
		return false;
	struct reader r = { .p = (const unsigned char *)abbrevs.p + offset,
			    .end = (const unsigned char *)abbrevs.p +
				   abbrevs.len };
	read_abbrevs(u, &r);
	return !r.is_bad;
}

void die_unit_free(struct die_unit *u)
{
	vec_free(&u->abbrevs);
	vec_free(&u->specs);
}

/* --- entries --- */

/*
 * DW_AT_sibling counts from the unit's header.  It must lead on: not backwards,
 * and not into the entry itself.
 */
static const unsigned char *sibling_of(const struct die_unit *u,
				       const struct die *die)
{
	struct reader r = u->r;

	if (die->abbrev->sibling_at < 0)
		return NULL;
	r.p = die->attrs + die->abbrev->sibling_at;
	uint64_t offset = read_uint(&r, 4);
	if (offset >= (uint64_t)(u->r.end - u->header) ||
	    u->header + offset < die->end)
		return NULL;
	return u->header + offset;
}

/* Read the entry at `p`; false at the end of a list, and of the unit. */
static bool read_die(struct die_unit *u, const unsigned char *p,
		     struct die *out)
{
	struct reader r = u->r;

	r.p = p;
	uint64_t code = u->budget ? read_uleb(&r) : 0;
	*out = (struct die){ .at = p, .attrs = r.p, .end = r.p };
	if (!code || !(out->abbrev = find_abbrev(u, code)))
		return false;
	u->budget--;
	const struct abbrev *a = out->abbrev;
	read_skip(&r, a->fixed_bytes);
	for (uint32_t i = a->nr_fixed; i < a->nr_specs; i++)
		skip_form(u, &r, u->specs.data[a->first_spec + i].form);
	out->end = r.p;
	return !r.is_bad;
}

bool die_at(struct die_unit *u, Dwarf_Off offset, struct die *out)
{
	return offset < (uint64_t)(u->r.end - u->section) &&
	       read_die(u, u->section + offset, out);
}

Dwarf_Off die_offset(const struct die_unit *u, const struct die *die)
{
	return (Dwarf_Off)(die->at - u->section);
}

bool die_child(struct die_unit *u, const struct die *parent, struct die *out)
{
	return parent->abbrev->has_children && read_die(u, parent->end, out);
}

/* Where the children of `die`, and theirs, end; NULL: the unit is damaged. */
static const unsigned char *skip_children(struct die_unit *u,
					  const struct die *die)
{
	const unsigned char *p = die->end;
	unsigned long depth = 1;
	struct die d;

	while (depth) {
		if (read_die(u, p, &d)) {
			const unsigned char *sibling = sibling_of(u, &d);

			p = sibling ? sibling : d.end;
			depth += !sibling && d.abbrev->has_children;
		} else if (!u->budget || d.abbrev || p >= u->r.end) {
			return NULL;
		} else {
			p = d.end;
			depth--;
		}
	}
	return p;
}

bool die_next(struct die_unit *u, struct die *die)
{
	const unsigned char *next = die->end;

	if (die->abbrev->has_children) {
		next = sibling_of(u, die);
		if (!next)
			next = skip_children(u, die);
	}
	return next && read_die(u, next, die);
}

/* DW_AT_high_pc is an address, or counts from DW_AT_low_pc. */
static bool read_high_pc(const struct die_unit *u, struct reader *r,
			 unsigned form, uint64_t lo, uint64_t *hi)
{
	int bytes = form_bytes(u, form);

	switch (form) {
	case DW_FORM_addr:
		*hi = read_uint(r, u->addr_bytes);
		return true;
	case DW_FORM_data1:
	case DW_FORM_data2:
	case DW_FORM_data4:
	case DW_FORM_data8:
		*hi = lo + read_uint(r, (unsigned)bytes);
		return true;
	case DW_FORM_udata:
		*hi = lo + read_uleb(r);
		return true;
	default:
		return false;
	}
}

enum die_pc die_pc(const struct die_unit *u, const struct die *die,
		   uint64_t *lo, uint64_t *hi)
{
	const struct attr_spec *s = u->specs.data + die->abbrev->first_spec;
	bool has_lo = false, has_hi = false, has_other = false;
	struct reader r = u->r;

	r.p = die->attrs;
	for (uint32_t n = die->abbrev->nr_specs; n; n--, s++) {
		if (s->name == DW_AT_low_pc && s->form == DW_FORM_addr) {
			*lo = read_uint(&r, u->addr_bytes);
			has_lo = true;
		} else if (s->name == DW_AT_high_pc && has_lo &&
			   read_high_pc(u, &r, s->form, *lo, hi)) {
			has_hi = true;
		} else {
			has_other |= s->name == DW_AT_low_pc ||
				     s->name == DW_AT_high_pc ||
				     s->name == DW_AT_ranges;
			skip_form(u, &r, s->form);
		}
	}
	if (has_lo && has_hi)
		return DIE_PC_RANGE;
	return has_other ? DIE_PC_ASK_LIBDW : DIE_PC_NONE;
}
