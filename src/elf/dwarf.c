/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dwarf.c - from an address to its source line and inlined callers.
 *
 * Not through dwarf_getscopes(): that walks the whole unit again to find the
 * scopes an inlined function was written in, which nobody asks for here.
 */
#include <dwarf.h>
#include <stdlib.h>
#include <string.h>

#include "elf/internal.h"

/* Deeper than any compiler nests; hostile DWARF may go further. */
enum { DEPTH_MAX = 256 };

static int by_lo(const void *a, const void *b)
{
	const struct unit_range *x = a, *y = b;

	if (x->lo != y->lo)
		return x->lo < y->lo ? -1 : 1;
	return x->unit < y->unit ? -1 : x->unit > y->unit;
}

static void index_unit(struct units *u, Dwarf_Die *die)
{
	Dwarf_Addr base, lo, hi;
	ptrdiff_t at = 0;

	while ((at = dwarf_ranges(die, at, &base, &lo, &hi)) > 0)
		if (lo < hi)
			vec_push(&u->ranges,
				 (struct unit_range){
					 .lo = lo,
					 .hi = hi,
					 .unit = (uint32_t)u->units.len });
	vec_push(&u->units, (struct unit){ .cu = *die });
}

/*
 * From the first DIE of each unit only.  .debug_aranges alone will not do:
 * clang writes none.
 */
static void index_units(struct units *u)
{
	Dwarf_CU *cu = NULL;
	Dwarf_Die die;
	uint8_t type;

	u->is_indexed = true;
	line_sections_init(&u->sections, dwarf_getelf(u->dw));
	while (dwarf_get_units(u->dw, cu, &cu, NULL, &type, &die, NULL) == 0)
		if (type == DW_UT_compile && u->units.len < UINT32_MAX)
			index_unit(u, &die);
	if (u->ranges.len)
		qsort(u->ranges.data, u->ranges.len, sizeof(*u->ranges.data),
		      by_lo);
	uint64_t max = 0;
	vec_for_each(&u->ranges, r) {
		if (r->hi > max)
			max = r->hi;
		r->max_hi = max;
	}
}

void units_deinit(struct units *u)
{
	vec_for_each(&u->units, unit) {
		vec_free(&unit->funcs);
		line_table_free(&unit->lines);
	}
	vec_free(&u->units);
	vec_free(&u->ranges);
}

static struct unit *unit_by_die(struct units *u, Dwarf_Off die)
{
	size_t lo = 0, hi = u->units.len;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		Dwarf_Off off = dwarf_dieoffset(&u->units.data[mid].cu);

		if (off == die)
			return &u->units.data[mid];
		if (off < die)
			lo = mid + 1;
		else
			hi = mid;
	}
	return NULL;
}

struct unit *units_at(struct units *u, uint64_t pc)
{
	Dwarf_Die die;

	if (!u->is_indexed)
		index_units(u);
	size_t lo = 0, hi = u->ranges.len;
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (u->ranges.data[mid].lo <= pc)
			lo = mid + 1;
		else
			hi = mid;
	}
	/* Ranges rarely overlap; hostile ones are not searched for ever. */
	for (int tries = 0; lo-- > 0 && tries < 64; tries++) {
		const struct unit_range *r = &u->ranges.data[lo];

		if (r->max_hi <= pc)
			break;
		if (pc < r->hi)
			return &u->units.data[r->unit];
	}
	/*
	 * libdw 0.188 refuses the ranges of a unit without DW_AT_low_pc, which
	 * is how gas 2.40 writes a file of several sections (entry_64.S).
	 */
	return dwarf_addrdie(u->dw, pc, &die) ?
		       unit_by_die(u, dwarf_dieoffset(&die)) :
		       NULL;
}

static int func_by_lo(const void *a, const void *b)
{
	const struct func_range *x = a, *y = b;

	if (x->lo != y->lo)
		return x->lo < y->lo ? -1 : 1;
	return x->die < y->die ? -1 : x->die > y->die;
}

static void index_func(struct unit *unit, Dwarf_Die *die)
{
	Dwarf_Addr base, lo, hi;
	ptrdiff_t at = 0;

	while ((at = dwarf_ranges(die, at, &base, &lo, &hi)) > 0)
		if (lo < hi)
			vec_push(&unit->funcs,
				 (struct func_range){
					 .lo = lo,
					 .hi = hi,
					 .die = dwarf_dieoffset(die) });
}

/* Functions of Rust and C++ stand inside of namespaces and types. */
static bool holds_funcs(int tag, bool is_c)
{
	switch (tag) {
	case DW_TAG_namespace:
	case DW_TAG_module:
		return true;
	case DW_TAG_structure_type:
	case DW_TAG_class_type:
	case DW_TAG_union_type:
	case DW_TAG_enumeration_type:
		return !is_c;
	default:
		return false;
	}
}

static bool lang_is_c(int lang)
{
	return lang != DW_LANG_Rust && lang != DW_LANG_C_plus_plus &&
	       lang != DW_LANG_C_plus_plus_03 &&
	       lang != DW_LANG_C_plus_plus_11 && lang != DW_LANG_C_plus_plus_14;
}

static void index_funcs(struct unit *unit, Dwarf_Die *parent, bool is_c,
			int depth)
{
	Dwarf_Die die;

	if (depth > DEPTH_MAX || dwarf_child(parent, &die) != 0)
		return;
	do {
		int tag = dwarf_tag(&die);

		if (tag == DW_TAG_subprogram)
			index_func(unit, &die);
		else if (holds_funcs(tag, is_c))
			index_funcs(unit, &die, is_c, depth + 1);
	} while (dwarf_siblingof(&die, &die) == 0);
}

static void parse_unit(struct units *u, struct unit *unit)
{
	Dwarf_Attribute attr;
	Dwarf_Word offset;

	unit->is_parsed = true;
	if (dwarf_formudata(dwarf_attr(&unit->cu, DW_AT_stmt_list, &attr),
			    &offset) == 0)
		line_table_read(&unit->lines, &u->sections, offset);
	index_funcs(unit, &unit->cu, lang_is_c(dwarf_srclang(&unit->cu)), 0);
	if (unit->funcs.len)
		qsort(unit->funcs.data, unit->funcs.len,
		      sizeof(*unit->funcs.data), func_by_lo);
}

static bool func_at(struct units *u, const struct unit *unit, uint64_t pc,
		    Dwarf_Die *out)
{
	size_t lo = 0, hi = unit->funcs.len;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (unit->funcs.data[mid].lo <= pc)
			lo = mid + 1;
		else
			hi = mid;
	}
	/* Identical functions may be folded into one: then the first will do. */
	for (int tries = 0; lo-- > 0 && tries < 16; tries++) {
		const struct func_range *f = &unit->funcs.data[lo];

		if (pc < f->hi)
			return dwarf_offdie(u->dw, f->die, out) != NULL;
	}
	return false;
}

/* The functions around an address, outermost first. */
struct scopes {
	Dwarf_Die dies[CHAIN_MAX]; /* [0] is the physical one */
	size_t nr;
};

static bool is_scope(int tag)
{
	return tag == DW_TAG_inlined_subroutine || tag == DW_TAG_lexical_block;
}

static void push_scope(struct scopes *s, Dwarf_Die *die)
{
	if (dwarf_tag(die) == DW_TAG_inlined_subroutine && s->nr < CHAIN_MAX)
		s->dies[s->nr++] = *die;
}

/*
 * Add what was inlined into `parent` at `pc`; false if nothing was.
 * First the children that hold `pc`; then below those that do not: a block
 * may have no addresses at all, and gcc sometimes gives an inlined function
 * code that it forgot to give to the one around it.
 */
static bool find_inlined(Dwarf_Die *parent, uint64_t pc, int depth,
			 struct scopes *s)
{
	Dwarf_Die first, die;

	if (depth > DEPTH_MAX || dwarf_child(parent, &first) != 0)
		return false;
	die = first;
	do {
		if (!is_scope(dwarf_tag(&die)) || dwarf_haspc(&die, pc) <= 0)
			continue;
		push_scope(s, &die);
		find_inlined(&die, pc, depth + 1, s);
		return true;
	} while (dwarf_siblingof(&die, &die) == 0);
	die = first;
	do {
		size_t nr = s->nr;

		if (!is_scope(dwarf_tag(&die)) || !dwarf_haschildren(&die))
			continue;
		push_scope(s, &die);
		if (find_inlined(&die, pc, depth + 1, s))
			return true;
		s->nr = nr;
	} while (dwarf_siblingof(&die, &die) == 0);
	return false;
}

/* A number that DWARF may store with a sign; 0: absent. */
static unsigned attr_uint(Dwarf_Die *die, unsigned name)
{
	Dwarf_Attribute attr;
	Dwarf_Word value;

	if (dwarf_formudata(dwarf_attr(die, name, &attr), &value) != 0 ||
	    value > INT32_MAX)
		return 0;
	return (unsigned)value;
}

size_t unit_chain(struct units *u, struct unit *unit, uint64_t sym_addr,
		  uint64_t pc, struct raw_line *out)
{
	struct scopes scopes;
	struct line_row row;
	size_t nr = 0;

	if (!unit->is_parsed)
		parse_unit(u, unit);
	if (!line_table_find(&unit->lines, pc, &row))
		return 0;
	struct raw_line at = { .file = row.file, .line = row.line };
	if (!func_at(u, unit, pc, &scopes.dies[0])) {
		/*
		 * Assembly, or a function that gcc folded into its twin, has
		 * lines of its own.  A line from before the symbol is padding
		 * or top-level asm(): the line table repeats what came before.
		 */
		if (row.addr < sym_addr)
			return 0;
		*out = at;
		return 1;
	}
	scopes.nr = 1;
	find_inlined(&scopes.dies[0], pc, 0, &scopes);
	for (size_t i = scopes.nr; i-- > 0;) {
		Dwarf_Die *die = &scopes.dies[i];

		out[nr] = at;
		out[nr++].func = i ? dwarf_diename(die) : NULL;
		at.file = line_table_file(&unit->lines,
					  attr_uint(die, DW_AT_call_file));
		at.line = attr_uint(die, DW_AT_call_line);
	}
	return nr;
}
