/* SPDX-License-Identifier: GPL-2.0-or-later */
/* driver_internal.h - what the files that read drivers share. */
#ifndef ELF_DRIVER_INTERNAL_H
#define ELF_DRIVER_INTERNAL_H

#include "elf/driver.h"
#include "elf/internal.h"

typedef VEC(uint32_t) command_vec;

/* --- driver.c: bytes of the kernel, as linked --- */

/** Copy what is at an address; false when the file does not hold it all. */
bool driver_memory(struct image *img, uint64_t address, void *to, size_t len);

/* --- driver_code.c --- */

/** The commands that the function at an address compares, by value. */
fallible driver_commands(struct image *img, uint64_t handler, command_vec *out);

/* --- driver_type.c --- */

/**
 * What a command of that size points to: the one record of that size that the
 * unit has from a header of the user's interface, or an integer; NULL when
 * there are several or none.  From `arena`.
 */
const struct driver_type *driver_arg(Dwarf_Die *unit, uint64_t size_bytes,
				     struct arena *arena);

/** `die` without const, volatile and typedef; false when nothing is left. */
bool driver_peel(Dwarf_Die *die, Dwarf_Die *out);

/** The type of `die`, peeled. */
bool driver_type_of(Dwarf_Die *die, Dwarf_Die *out);

/** Where a member of a struct is; false when it has none of that name. */
bool driver_member(Dwarf_Die *record, const char *name, uint64_t *offset);

#endif /* ELF_DRIVER_INTERNAL_H */
