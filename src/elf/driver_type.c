/* SPDX-License-Identifier: GPL-2.0-or-later */
/* driver_type.c - types of arguments, from DWARF. */
#include <dwarf.h>
#include <string.h>

#include "elf/driver_internal.h"

enum { DEPTH_MAX = 16, FIELDS_MAX = 1024, TYPES_MAX = 10000, PEEL_MAX = 32 };

bool driver_next(Dwarf_Die *die)
{
	Dwarf_Off at = dwarf_dieoffset(die);

	return dwarf_siblingof(die, die) == 0 && dwarf_dieoffset(die) > at;
}

bool driver_peel(Dwarf_Die *die, Dwarf_Die *out)
{
	Dwarf_Attribute attr;

	*out = *die;
	for (int i = 0; i < PEEL_MAX; i++) {
		switch (dwarf_tag(out)) {
		case DW_TAG_const_type:
		case DW_TAG_volatile_type:
		case DW_TAG_typedef:
			if (!dwarf_attr(out, DW_AT_type, &attr) ||
			    !dwarf_formref_die(&attr, out))
				return false;
			break;
		default:
			return true;
		}
	}
	return false;
}

bool driver_type_of(Dwarf_Die *die, Dwarf_Die *out)
{
	Dwarf_Attribute attr;
	Dwarf_Die type;

	return dwarf_attr_integrate(die, DW_AT_type, &attr) &&
	       dwarf_formref_die(&attr, &type) && driver_peel(&type, out);
}

static bool unsigned_attr(Dwarf_Die *die, unsigned name, uint64_t *out)
{
	Dwarf_Attribute attr;
	Dwarf_Word value;

	if (!dwarf_attr(die, name, &attr) ||
	    dwarf_formudata(&attr, &value) != 0)
		return false;
	*out = value;
	return true;
}

bool driver_member(Dwarf_Die *record, const char *name, uint64_t *offset)
{
	Dwarf_Die die;

	if (dwarf_child(record, &die) != 0)
		return false;
	do {
		const char *have = dwarf_diename(&die);

		if (dwarf_tag(&die) == DW_TAG_member && have &&
		    !strcmp(have, name))
			return unsigned_attr(&die, DW_AT_data_member_location,
					     offset);
	} while (driver_next(&die));
	return false;
}

static struct driver_type *type_new(struct arena *arena, enum driver_kind kind,
				    uint64_t size_bytes)
{
	struct driver_type *t = arena_alloc(arena, sizeof(*t));

	t->kind = kind;
	t->size_bytes = size_bytes;
	return t;
}

/* Hostile structs hold each other by the thousand. */
struct types {
	struct arena *arena;
	unsigned budget;
};

static struct driver_type *read_type(Dwarf_Die *die, const char *name,
				     struct types *ty, int depth);

/* All dimensions in one; what holds no elements has no size. */
static struct driver_type *read_array(Dwarf_Die *die, const char *name,
				      struct types *ty, int depth)
{
	struct driver_type *t = type_new(ty->arena, DRIVER_ARRAY, 0);
	Dwarf_Die dim, elem;

	if (!driver_type_of(die, &elem))
		return t;
	t->elem = read_type(&elem, name, ty, depth + 1);
	if (!t->elem || dwarf_child(die, &dim) != 0)
		return t;
	t->nr = 1;
	do {
		uint64_t n = 0;

		if (!unsigned_attr(&dim, DW_AT_count, &n) &&
		    unsigned_attr(&dim, DW_AT_upper_bound, &n))
			n++;
		if (__builtin_mul_overflow(t->nr, n, &t->nr))
			t->nr = 0;
	} while (driver_next(&dim));
	if (__builtin_mul_overflow(t->nr, t->elem->size_bytes, &t->size_bytes))
		t->nr = t->size_bytes = 0;
	return t;
}

/* A bit-field is left out: what stands there are bytes. */
static void read_field(struct driver_type *t, Dwarf_Die *die, struct types *ty,
		       int depth)
{
	struct driver_field *f = &t->fields[t->nfields];
	const char *name = dwarf_diename(die);
	uint64_t offset = 0, end = 0;
	Dwarf_Die type;

	if (dwarf_tag(die) != DW_TAG_member ||
	    dwarf_hasattr(die, DW_AT_bit_size) || !driver_type_of(die, &type))
		return;
	unsigned_attr(die, DW_AT_data_member_location, &offset);
	if (t->nfields && !t->is_union)
		end = f[-1].offset_bytes + f[-1].type->size_bytes;
	f->name = name ? arena_strndup(ty->arena, name, strlen(name)) :
			 arena_printf(ty->arena, "anon%zu", t->nfields);
	f->offset_bytes = offset;
	f->type = read_type(&type,
			    arena_printf(ty->arena, "%s_%s", t->name, f->name),
			    ty, depth + 1);
	if (f->type && f->type->size_bytes && offset >= end &&
	    offset <= t->size_bytes &&
	    f->type->size_bytes <= t->size_bytes - offset)
		t->nfields++;
}

static struct driver_type *read_record(Dwarf_Die *die, const char *name,
				       struct types *ty, int depth)
{
	const char *own = dwarf_diename(die);
	struct driver_type *t = type_new(ty->arena, DRIVER_RECORD,
					 (uint64_t)dwarf_bytesize(die));
	size_t nr = 0;
	Dwarf_Die child;

	t->name = own ? arena_strndup(ty->arena, own, strlen(own)) : name;
	t->is_union = dwarf_tag(die) == DW_TAG_union_type;
	if (dwarf_child(die, &child) == 0) {
		do
			nr++;
		while (driver_next(&child));
		nr = MIN(nr, (size_t)FIELDS_MAX);
		t->fields =
			arena_alloc(ty->arena, (nr + 1) * sizeof(*t->fields));
		dwarf_child(die, &child);
		while (nr--) {
			read_field(t, &child, ty, depth);
			if (!driver_next(&child))
				break;
		}
	}
	if (!t->nfields)
		t->kind = DRIVER_BYTES;
	return t;
}

/* NULL: of no size, or too deep. */
static struct driver_type *read_type(Dwarf_Die *die, const char *name,
				     struct types *ty, int depth)
{
	int size = dwarf_bytesize(die);

	if (depth > DEPTH_MAX || !ty->budget)
		return NULL;
	ty->budget--;
	switch (dwarf_tag(die)) {
	case DW_TAG_array_type:
		return read_array(die, name, ty, depth);
	case DW_TAG_structure_type:
	case DW_TAG_union_type:
		return size > 0 ? read_record(die, name, ty, depth) : NULL;
	case DW_TAG_pointer_type:
		return type_new(ty->arena, DRIVER_PTR, 8);
	case DW_TAG_base_type:
	case DW_TAG_enumeration_type:
		if (size == 1 || size == 2 || size == 4 || size == 8)
			return type_new(ty->arena, DRIVER_INT, (uint64_t)size);
		break;
	}
	return size > 0 ? type_new(ty->arena, DRIVER_BYTES, (uint64_t)size) :
			  NULL;
}

/* A struct with a name from a header of the user's interface. */
static bool is_candidate(Dwarf_Die *die)
{
	const char *file;

	if (dwarf_tag(die) != DW_TAG_structure_type || !dwarf_diename(die))
		return false;
	file = dwarf_decl_file(die);
	return file && strstr(file, "uapi/");
}

/* The struct that a variable or parameter is, or points to. */
static void add_record(Dwarf_Die *variable, die_vec *out)
{
	Dwarf_Die type;

	if (!dwarf_hasattr(variable, DW_AT_type) ||
	    !driver_type_of(variable, &type))
		return;
	if (dwarf_tag(&type) == DW_TAG_pointer_type &&
	    !driver_type_of(&type, &type))
		return;
	vec_for_each(out, have)
		if (dwarf_dieoffset(have) == dwarf_dieoffset(&type))
			return;
	if (is_candidate(&type))
		vec_push(out, type);
}

static void records_below(Dwarf_Die *parent, die_vec *out, int depth)
{
	Dwarf_Die die;

	if (depth > DEPTH_MAX || dwarf_child(parent, &die) != 0)
		return;
	do {
		switch (dwarf_tag(&die)) {
		case DW_TAG_variable:
		case DW_TAG_formal_parameter:
			add_record(&die, out);
			break;
		case DW_TAG_lexical_block:
			records_below(&die, out, depth + 1);
			break;
		}
	} while (driver_next(&die));
}

void driver_records(Dwarf_Die *unit, die_vec *out)
{
	Dwarf_Die die;

	if (dwarf_child(unit, &die) != 0)
		return;
	do
		if (dwarf_tag(&die) == DW_TAG_subprogram &&
		    !dwarf_hasattr(&die, DW_AT_declaration))
			records_below(&die, out, 0);
	while (driver_next(&die));
}

const struct driver_type *driver_arg(const die_vec *records,
				     uint64_t size_bytes, struct arena *arena)
{
	Dwarf_Die *found = NULL;

	if (size_bytes == 1 || size_bytes == 2 || size_bytes == 4 ||
	    size_bytes == 8)
		return type_new(arena, DRIVER_INT, size_bytes);
	vec_for_each(records, r) {
		int size = dwarf_bytesize(r);

		if (size <= 0 || (uint64_t)size != size_bytes)
			continue;
		if (found)
			return NULL;
		found = r;
	}
	struct types ty = { arena, TYPES_MAX };

	return found ? read_type(found, NULL, &ty, 0) : NULL;
}
