/* SPDX-License-Identifier: GPL-2.0-or-later */
/* steps.h - a program in memory: steps with values, and the bytes they name. */
#ifndef RAW_STEPS_H
#define RAW_STEPS_H

#include "base/vec.h"
#include "raw/raw.h"
#include "wire/wire.h"

#define RAW_MAX_ARGS 6
#define RAW_UNSET UINT64_MAX /* the value of a result that was not set */
#define RAW_PLACED_BYTES 0x800000u /* of the data area: ours to lay out */
#define RAW_ALIGN 16 /* of bytes and buffers that we place */

enum value_kind {
	VALUE_CONST, /* number */
	VALUE_RESULT, /* result */
	VALUE_BYTES, /* bytes[from, from + len) of the program, copied to off */
	VALUE_ZERO, /* len zero bytes at off */
};

struct value {
	enum value_kind kind;
	uint64_t number;
	uint32_t result;
	uint32_t from, len;
	uint32_t off; /* in the data area; set when all is parsed */
};

enum step_kind {
	STEP_CALL, /* result = nr(args) */
	STEP_BYTES, /* the bytes of args[0] to off */
	STEP_STORE, /* args[0], `size` bytes of it, to off */
	STEP_LOAD, /* result = the `size` bytes at off */
};

struct step {
	enum step_kind kind;
	uint32_t nr, nargs, size;
	uint32_t result; /* or WIRE_NO_RESULT */
	uint16_t props, rerun;
	uint32_t fail_nth;
	uint64_t off;
	struct value args[RAW_MAX_ARGS];
};

struct raw {
	enum raw_arch arch;
	VEC(struct step) steps;
	struct buf bytes;
	size_t ncalls;
	uint64_t top; /* end of what we placed in the data area */
};

/** An empty program. */
struct raw *raw_new(enum raw_arch arch);

/** Place a value's bytes in the data area.  False when it is full. */
bool raw_place(struct raw *p, struct value *v);

/** Whether that many steps of this kind still fit. */
bool raw_add(struct raw *p, const struct step *s);

#endif /* RAW_STEPS_H */
