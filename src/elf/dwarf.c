/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dwarf.c - from an address to its source line and inlined callers.
 *
 * Not through dwarf_getscopes(): that walks the whole unit again to find the
 * scopes an inlined function was written in, which nobody asks for here.
 */
#include <dwarf.h>
#include <gelf.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "elf/internal.h"

/*
 * Deeper than any compiler nests, and more entries than any function has;
 * hostile DWARF may go further.
 */
enum { DEPTH_MAX = 256, BUDGET = 1 << 20 };

/* --- sections --- */

/* Strings of a section end within it: what follows its last NUL is cut off. */
static struct slice whole_strings(struct slice s)
{
	const char *nul = s.len ? memrchr(s.p, 0, s.len) : NULL;

	s.len = nul ? (size_t)(nul + 1 - s.p) : 0;
	return s;
}

static struct slice *section_of(struct dwarf_sections *s, const char *name)
{
	const struct {
		const char *name;
		struct slice *section;
	} known[] = {
		{ "debug_info", &s->info },
		{ "debug_abbrev", &s->abbrev },
		{ "debug_line", &s->line },
		{ "debug_str", &s->str },
		{ "debug_line_str", &s->line_str },
	};

	/* libdw inflates ".zdebug_line" in place. */
	if (!strncmp(name, ".z", 2))
		name += 2;
	else if (*name == '.')
		name++;
	for (size_t i = 0; i < ARRAY_LEN(known); i++)
		if (!strcmp(name, known[i].name))
			return known[i].section;
	return NULL;
}

/* As libdw has them: inflated, and relocated by libdwfl. */
static void find_sections(struct dwarf_sections *s, Elf *elf)
{
	Elf_Scn *scn = NULL;
	GElf_Shdr shdr;
	GElf_Ehdr ehdr;
	size_t names;

	if (!elf || !gelf_getehdr(elf, &ehdr) ||
	    elf_getshdrstrndx(elf, &names) != 0)
		return;
	s->is_big = ehdr.e_ident[EI_DATA] == ELFDATA2MSB;
	while ((scn = elf_nextscn(elf, scn))) {
		const char *name =
			gelf_getshdr(scn, &shdr) ?
				elf_strptr(elf, names, shdr.sh_name) :
				NULL;
		struct slice *to = name ? section_of(s, name) : NULL;
		/* Of two sections of a name libdw takes the first, too. */
		Elf_Data *data = to && !to->len ? elf_rawdata(scn, NULL) : NULL;

		if (data && data->d_buf)
			*to = (struct slice){ data->d_buf, data->d_size };
	}
	s->str = whole_strings(s->str);
	s->line_str = whole_strings(s->line_str);
}

/* --- units --- */

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
	find_sections(&u->sections, dwarf_getelf(u->dw));
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
		die_unit_free(&unit->dies);
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

static void add_func(struct unit *unit, const struct die *die, uint64_t lo,
		     uint64_t hi)
{
	if (lo < hi)
		vec_push(&unit->funcs,
			 (struct func_range){
				 .lo = lo,
				 .hi = hi,
				 .die = die_offset(&unit->dies, die),
			 });
}

static void index_func(struct units *u, struct unit *unit,
		       const struct die *die)
{
	Dwarf_Addr base, lo, hi;
	Dwarf_Die ranges;
	ptrdiff_t at = 0;

	switch (die_pc(&unit->dies, die, &lo, &hi)) {
	case DIE_PC_NONE:
		break;
	case DIE_PC_RANGE:
		add_func(unit, die, lo, hi);
		break;
	case DIE_PC_ASK_LIBDW:
		if (!dwarf_offdie(u->dw, die_offset(&unit->dies, die), &ranges))
			break;
		while ((at = dwarf_ranges(&ranges, at, &base, &lo, &hi)) > 0)
			add_func(unit, die, lo, hi);
	}
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

static void index_funcs(struct units *u, struct unit *unit,
			const struct die *parent, bool is_c, int depth)
{
	struct die die;

	if (depth > DEPTH_MAX || !die_child(&unit->dies, parent, &die))
		return;
	do {
		int tag = die.abbrev->tag;

		if (tag == DW_TAG_subprogram)
			index_func(u, unit, &die);
		else if (holds_funcs(tag, is_c))
			index_funcs(u, unit, &die, is_c, depth + 1);
	} while (die_next(&unit->dies, &die));
}

static void parse_unit(struct units *u, struct unit *unit)
{
	const struct dwarf_sections *s = &u->sections;
	Dwarf_Attribute attr;
	Dwarf_Word offset;
	struct die top;

	unit->is_parsed = true;
	if (dwarf_formudata(dwarf_attr(&unit->cu, DW_AT_stmt_list, &attr),
			    &offset) == 0)
		line_table_read(&unit->lines, s, offset);
	Dwarf_Off at = dwarf_dieoffset(&unit->cu);
	if (!die_unit_read(&unit->dies, s->info, s->abbrev, s->is_big,
			   at - dwarf_cuoffset(&unit->cu), at))
		return;
	/* An entry takes bytes; this is more than a tree can have. */
	unit->dies.budget = (size_t)(unit->dies.r.end - unit->dies.top);
	if (die_at(&unit->dies, at, &top))
		index_funcs(u, unit, &top, lang_is_c(dwarf_srclang(&unit->cu)),
			    0);
	if (unit->funcs.len)
		qsort(unit->funcs.data, unit->funcs.len,
		      sizeof(*unit->funcs.data), func_by_lo);
}

static bool func_at(struct unit *unit, uint64_t pc, struct die *out)
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
			return die_at(&unit->dies, f->die, out);
	}
	return false;
}

/* The functions around an address, outermost first. */
struct scopes {
	struct units *units;
	struct die_unit *dies;
	uint64_t pc;
	Dwarf_Off at[CHAIN_MAX]; /* [0] is the physical one */
	size_t nr;
};

static bool is_scope(const struct die *die)
{
	return die->abbrev->tag == DW_TAG_inlined_subroutine ||
	       die->abbrev->tag == DW_TAG_lexical_block;
}

static void push_scope(struct scopes *s, const struct die *die)
{
	if (die->abbrev->tag == DW_TAG_inlined_subroutine && s->nr < CHAIN_MAX)
		s->at[s->nr++] = die_offset(s->dies, die);
}

static bool holds_pc(const struct scopes *s, const struct die *die)
{
	uint64_t lo, hi;
	Dwarf_Die asked;

	switch (die_pc(s->dies, die, &lo, &hi)) {
	case DIE_PC_RANGE:
		return lo <= s->pc && s->pc < hi;
	case DIE_PC_ASK_LIBDW:
		return dwarf_offdie(s->units->dw, die_offset(s->dies, die),
				    &asked) &&
		       dwarf_haspc(&asked, s->pc) > 0;
	default:
		return false;
	}
}

/*
 * Add what was inlined into `parent` at `pc`; false if nothing was.
 * First the children that hold `pc`; then below those that do not: a block
 * may have no addresses at all, and gcc sometimes gives an inlined function
 * code that it forgot to give to the one around it.
 */
static bool find_inlined(struct scopes *s, const struct die *parent, int depth)
{
	struct die die, first = {};

	if (depth > DEPTH_MAX || !die_child(s->dies, parent, &die))
		return false;
	do {
		if (!is_scope(&die))
			continue;
		if (!first.abbrev)
			first = die;
		if (!holds_pc(s, &die))
			continue;
		push_scope(s, &die);
		find_inlined(s, &die, depth + 1);
		return true;
	} while (die_next(s->dies, &die));
	if (!first.abbrev)
		return false;
	die = first;
	do {
		size_t nr = s->nr;

		if (!is_scope(&die) || !die.abbrev->has_children)
			continue;
		push_scope(s, &die);
		if (find_inlined(s, &die, depth + 1))
			return true;
		s->nr = nr;
	} while (die_next(s->dies, &die));
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

/* The lines of `s`, innermost first; `at` is that of the innermost. */
static size_t scopes_chain(const struct scopes *s, const struct unit *unit,
			   struct raw_line at, struct raw_line *out)
{
	size_t nr = 0;

	for (size_t i = s->nr; i-- > 0;) {
		Dwarf_Die die;

		out[nr] = at;
		if (i && dwarf_offdie(s->units->dw, s->at[i], &die)) {
			out[nr].func = dwarf_diename(&die);
			at.file = line_table_file(
				&unit->lines, attr_uint(&die, DW_AT_call_file));
			at.line = attr_uint(&die, DW_AT_call_line);
		}
		nr++;
	}
	return nr;
}

size_t unit_chain(struct units *u, struct unit *unit, uint64_t sym_addr,
		  uint64_t pc, struct raw_line *out)
{
	struct scopes scopes = { .units = u, .dies = &unit->dies, .pc = pc };
	struct line_row row;
	struct die func;

	if (!unit->is_parsed)
		parse_unit(u, unit);
	if (!line_table_find(&unit->lines, pc, &row))
		return 0;
	struct raw_line at = { .file = row.file, .line = row.line };
	unit->dies.budget = BUDGET;
	if (!func_at(unit, pc, &func)) {
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
	scopes.at[scopes.nr++] = die_offset(&unit->dies, &func);
	find_inlined(&scopes, &func, 0);
	return scopes_chain(&scopes, unit, at, out);
}
