/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * die.h - walk the tree of a unit's debugging entries (DIEs).
 *
 *	struct die die;
 *	for (bool any = die_child(u, &top, &die); any; any = die_next(u, &die))
 *		if (die.abbrev->tag == DW_TAG_subprogram)
 *			...
 *
 * Only what finding a function takes: what an entry is, where the next one
 * stands, and its addresses when they are one plain range.  The rest is libdw's,
 * by die_offset().  libdw itself takes some 150 instructions for every entry it
 * passes over, and the functions of a unit stand among thousands of types.
 *
 * Limits: DWARF 2 to 5.  A walk ends early when `u->budget` entries were read:
 * hostile trees may lead in circles, deeper each time.
 */
#ifndef ELF_DIE_H
#define ELF_DIE_H

#include <elfutils/libdw.h>

#include "base/slice.h"
#include "base/vec.h"
#include "elf/reader.h"

enum die_pc {
	DIE_PC_NONE, /* has no addresses */
	DIE_PC_RANGE, /* *lo up to *hi */
	DIE_PC_ASK_LIBDW, /* several ranges, or an indexed address */
};

/* What entries of a kind look like.  Their first attributes are of fixed size. */
struct abbrev {
	uint64_t code;
	const unsigned char *others; /* the attributes behind the fixed ones */
	uint32_t fixed_bytes;
	/* Where they are among the fixed ones, or -1. */
	int32_t sibling_at, low_pc_at, high_pc_at;
	uint8_t high_pc_bytes;
	bool is_high_pc_offset; /* from DW_AT_low_pc */
	bool has_children, has_others;
	uint8_t pc; /* enum die_pc */
	uint16_t tag;
};

struct die_unit {
	struct reader r; /* up to the end of the unit */
	const unsigned char *section; /* .debug_info */
	const unsigned char *header, *top; /* of the unit, and its own entry */
	unsigned version, addr_bytes, offset_bytes;
	unsigned long budget;
	VEC(struct abbrev) abbrevs; /* by code */
	const unsigned char *abbrevs_end; /* of .debug_abbrev */
};

struct die {
	const unsigned char *at, *attrs, *end; /* end: of attributes */
	const struct abbrev *abbrev;
};

/**
 * Read the header at an offset of `info`, and its abbreviations; `top` is the
 * offset of its first entry.  False when it cannot be read; die_unit_free() all
 * the same.  Set u->budget before walking.
 */
bool die_unit_read(struct die_unit *u, struct slice info, struct slice abbrevs,
		   bool is_big, uint64_t header, uint64_t top);
void die_unit_free(struct die_unit *u);

/** The entry at an offset of .debug_info; false when there is none. */
bool die_at(struct die_unit *u, Dwarf_Off offset, struct die *out);
Dwarf_Off die_offset(const struct die_unit *u, const struct die *die);

/** The first child; false when there is none. */
bool die_child(struct die_unit *u, const struct die *parent, struct die *out);

/** Go to the next sibling; false at the last. */
bool die_next(struct die_unit *u, struct die *die);

enum die_pc die_pc(const struct die_unit *u, const struct die *die,
		   uint64_t *lo, uint64_t *hi);

#endif /* ELF_DIE_H */
