/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * driver.h - what a kernel's debug information tells of its devices.
 *
 *	_cleanup_(drivers_freep) struct drivers *all = NULL;
 *	TRY(drivers_read("vmlinux", NULL, 0, &all));
 *	for (size_t i = 0; i < all->n; i++)
 *		all->v[i].node, all->v[i].commands
 *
 * Devices are variables of type struct miscdevice, file_operations and
 * block_device_operations with a handler of ioctls, outside of functions.
 * Commands are the numbers that the handler's machine code compares for
 * equality, looks up in a jump table or hands to KCOV as the cases of a switch
 * (CONFIG_KCOV_ENABLE_COMPARISONS); functions of the same compilation unit that
 * it calls count, three calls deep.
 *
 * Limits: x86-64 kernels linked at their address (vmlinux, UML's linux), no
 * modules; devices made at run time are not seen, and neither is a handler that
 * takes commands apart (_IOC_NR(cmd)) or looks them up in a table of its own.
 */
#ifndef ELF_DRIVER_H
#define ELF_DRIVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

enum driver_kind {
	DRIVER_INT,
	DRIVER_PTR,
	DRIVER_ARRAY, /* nr of elem */
	DRIVER_RECORD, /* fields; union or struct */
	DRIVER_BYTES, /* nothing else is known */
};

struct driver_field {
	const char *name;
	uint64_t offset_bytes;
	const struct driver_type *type;
};

struct driver_type {
	enum driver_kind kind;
	uint64_t size_bytes;
	const char *name; /* of a record */
	bool is_union;
	const struct driver_type *elem;
	uint64_t nr;
	struct driver_field *fields; /* of a struct: none overlap, ascending */
	size_t nfields;
};

struct driver_command {
	uint32_t value;
	/* What the argument points to, if one type stands out; else NULL. */
	const struct driver_type *arg;
};

struct driver {
	const char *name; /* as the kernel calls it */
	const char *node; /* of a miscdevice, below /dev; else NULL */
	const char *source; /* file of the compilation unit */
	const char *object; /* the variable */
	const char *handler; /* the function */
	bool is_block;
	struct driver_command *commands; /* by value */
	size_t ncommands;
};

struct drivers {
	struct driver *v;
	size_t n;
	struct arena *arena;
};

/**
 * Read the devices of a kernel whose name (or node) matches one of `patterns`
 * (base/glob.h); all when there is none.
 * Errors: ERR_NOT_FOUND (no file, or no libopcodes), ERR_INPUT (no kernel with
 * DWARF, another processor, relocatable), ERR_OS.
 */
fallible drivers_read(const char *vmlinux, const char *const *patterns,
		      size_t npatterns, struct drivers **out);
void drivers_free(struct drivers *d);
DEFINE_CLEANUP(struct drivers *, drivers_free)

#endif /* ELF_DRIVER_H */
