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

/* One attribute of a list; false at its end. */
static bool read_spec(struct reader *r, unsigned *name, unsigned *form)
{
	*name = (unsigned)read_uleb(r);
	*form = (unsigned)read_uleb(r);
	if (*form == DW_FORM_implicit_const)
		read_sleb(r);
	return *name || *form;
}

/* Note where an attribute of a fixed place is. */
static void note_fixed(struct abbrev *a, unsigned name, unsigned form,
		       unsigned bytes)
{
	int32_t at = (int32_t)a->fixed_bytes;

	if (name == DW_AT_sibling && form == DW_FORM_ref4) {
		a->sibling_at = at;
	} else if (name == DW_AT_low_pc && form == DW_FORM_addr) {
		a->low_pc_at = at;
	} else if (name == DW_AT_high_pc &&
		   (form == DW_FORM_addr || form == DW_FORM_data1 ||
		    form == DW_FORM_data2 || form == DW_FORM_data4 ||
		    form == DW_FORM_data8)) {
		a->high_pc_at = at;
		a->high_pc_bytes = (uint8_t)bytes;
		a->is_high_pc_offset = form != DW_FORM_addr;
	}
}

static void read_attributes(const struct die_unit *u, struct reader *r,
			    struct abbrev *a)
{
	bool is_fixed = true, has_pc = false;
	unsigned name, form;

	for (;;) {
		const unsigned char *at = r->p;

		if (is_fixed)
			a->others = at;
		if (!read_spec(r, &name, &form))
			break;
		int bytes = form_bytes(u, form);
		has_pc |= name == DW_AT_low_pc || name == DW_AT_high_pc ||
			  name == DW_AT_ranges;
		is_fixed &= bytes >= 0 && a->fixed_bytes < INT16_MAX;
		if (is_fixed) {
			note_fixed(a, name, form, (unsigned)bytes);
			a->fixed_bytes += (unsigned)bytes;
		}
	}
	a->has_others = !is_fixed;
	if (a->low_pc_at >= 0 && a->high_pc_at >= 0)
		a->pc = DIE_PC_RANGE;
	else
		a->pc = has_pc ? DIE_PC_ASK_LIBDW : DIE_PC_NONE;
}

static void read_abbrevs(struct die_unit *u, struct reader *r)
{
	bool is_sorted = true;
	uint64_t code, prev = 0;

	while ((code = read_uleb(r))) {
		struct abbrev a = {
			.code = code,
			.sibling_at = -1,
			.low_pc_at = -1,
			.high_pc_at = -1,
		};

		a.tag = (uint16_t)read_uleb(r);
		a.has_children = read_u8(r) != 0;
		read_attributes(u, r, &a);
		is_sorted &= code > prev;
		prev = code;
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
		   bool is_big, uint64_t header, uint64_t top)
{
	if (header > info.len || top > info.len)
		return false;
	u->section = (const unsigned char *)info.p;
	u->top = u->section + top;
	u->header = u->section + header;
	u->r = (struct reader){ .p = u->header,
				.end = u->section + info.len,
				.is_big = is_big };
	uint64_t offset = read_unit_header(u);
	if (u->r.is_bad || u->top < u->r.p || u->top >= u->r.end ||
	    offset >= abbrevs.len)
		return false;
	const unsigned char *table = (const unsigned char *)abbrevs.p;
	struct reader r = { .p = table + offset, .end = table + abbrevs.len };
	u->abbrevs_end = r.end;
	read_abbrevs(u, &r);
	return !r.is_bad;
}

void die_unit_free(struct die_unit *u)
{
	vec_free(&u->abbrevs);
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

/* Pass over the attributes that follow those of fixed sizes. */
static bool skip_others(const struct die_unit *u, struct die *die)
{
	struct reader specs = { .p = die->abbrev->others,
				.end = u->abbrevs_end };
	struct reader r = u->r;
	unsigned name, form;

	r.p = die->end;
	while (!r.is_bad && read_spec(&specs, &name, &form))
		skip_form(u, &r, form);
	die->end = r.p;
	return !r.is_bad;
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
	if (out->abbrev->fixed_bytes > reader_left(&r))
		return false;
	out->end += out->abbrev->fixed_bytes;
	return !out->abbrev->has_others || skip_others(u, out);
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

enum die_pc die_pc(const struct die_unit *u, const struct die *die,
		   uint64_t *lo, uint64_t *hi)
{
	const struct abbrev *a = die->abbrev;
	struct reader r = u->r;

	if (a->pc != DIE_PC_RANGE)
		return a->pc;
	r.p = die->attrs + a->low_pc_at;
	*lo = read_uint(&r, u->addr_bytes);
	r.p = die->attrs + a->high_pc_at;
	*hi = read_uint(&r, a->high_pc_bytes);
	if (a->is_high_pc_offset)
		*hi += *lo;
	return DIE_PC_RANGE;
}
