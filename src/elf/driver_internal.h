/* SPDX-License-Identifier: GPL-2.0-or-later */
/* driver_internal.h - what the files that read drivers share. */
#ifndef ELF_DRIVER_INTERNAL_H
#define ELF_DRIVER_INTERNAL_H

#include "elf/driver.h"
#include "elf/internal.h"

typedef VEC(uint32_t) command_vec;
typedef VEC(Dwarf_Die) die_vec;

/* --- driver.c: bytes of the kernel, as linked --- */

/** Copy what is at an address; false when the file does not hold it all. */
bool driver_memory(struct image *img, uint64_t address, void *to, size_t len);

/* --- driver_code.c --- */

/** The commands that the function at an address compares, by value. */
fallible driver_commands(struct image *img, uint64_t handler, command_vec *out);

/* --- driver_type.c --- */

/**
 * The structs from headers of the user's interface (uapi) that variables and
 * parameters of the unit's functions are, or point to.  vec_free() it.
 */
void driver_records(Dwarf_Die *unit, die_vec *out);

/**
 * What a command of that size points to: an integer, or the one of `records`
 * that has the size; NULL when there are several or none.  From `arena`.
 */
const struct driver_type *driver_arg(const die_vec *records,
				     uint64_t size_bytes, struct arena *arena);

/** Go to the next sibling; false at the last, or when it leads back. */
bool driver_next(Dwarf_Die *die);

/** `die` without const, volatile and typedef; false when nothing is left. */
bool driver_peel(Dwarf_Die *die, Dwarf_Die *out);

/** The type of `die`, peeled. */
bool driver_type_of(Dwarf_Die *die, Dwarf_Die *out);

/** Where a member of a struct is; false when it has none of that name. */
bool driver_member(Dwarf_Die *record, const char *name, uint64_t *offset);

#endif /* ELF_DRIVER_INTERNAL_H */
