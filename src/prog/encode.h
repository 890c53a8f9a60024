/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * encode.h - what the files that encode programs share.
 *
 *	encode.c	calls, and what refers to results
 *	encode_memory.c	memory that arguments point to
 *	encode_sum.c	checksums in it
 *	encode_image.c	compressed images
 */
#ifndef PROG_ENCODE_H
#define PROG_ENCODE_H

#include "prog/tree.h"
#include "wire/wire.h"

#define NR_TEMPS WIRE_MAX_ARGS /* results r0/2+4 of a call's arguments */
#define NR_NUMBERED (WIRE_MAX_RESULTS - NR_TEMPS)
#define USED UINT16_MAX /* a result somebody takes, without a number yet */
#define NO_PIECE SIZE_MAX
#define NESTED_MAX 64u /* structs around a checksum */

/* A result within memory: what is stored there before the call, or read after. */
struct place {
	uint32_t arg;
	uint64_t off;
	struct wire_arg how;
};

struct sum {
	const struct desc_type *type;
	uint64_t off;
	uint32_t target; /* the argument that it covers */
	uint64_t from, len; /* where that is, when known */
	uint64_t src, dst; /* addresses of the pseudo header */
	uint32_t addr_len; /* of each: 4, 16, or 0 for none */
};

struct encoder {
	const struct prog *p;
	const struct desc *d;
	struct buf *out;
	unsigned proc;
	/* By argument: 0, USED, or 1 + the number of the result. */
	uint16_t *numbers;
	uint32_t nnumbers;

	size_t piece; /* where the WIRE_COPYIN being written is in `out` */
	uint64_t from, to; /* what it covers, in the data area */
	bool has_sums; /* the pointee being written may have checksums */
	bool skipped; /* memory behind `to` that is not to be written */
	bool too_far; /* something does not fit into the data area */
	bool too_many; /* results that somebody takes */
	uint32_t nested;
	uint32_t around[NESTED_MAX]; /* structs that we are in */
	struct sum header; /* addr_len and addresses of the last IP header */

	VEC(struct place) stores;
	VEC(struct place) copyouts;
	VEC(struct sum) sums;
	VEC(uint32_t) pointers; /* of the call, to be followed */
};

static inline void put_insn(struct encoder *e, const struct wire_insn *in)
{
	buf_add(e->out, in, sizeof(*in));
}

static inline void put_arg(struct encoder *e, const struct wire_arg *a)
{
	buf_add(e->out, a, sizeof(*a));
}

/* ---- encode.c ---- */

/** The number of the result that `arg` gets; WIRE_NO_RESULT: nobody asks. */
uint16_t number_of(struct encoder *e, uint32_t arg);

/** Whether `a` refers to the result of an earlier call. */
bool is_ref(const struct encoder *e, const struct arg *a);

/** Fill `how` in for `a`, which is_ref(); `temp` for r0/2+4. */
void put_ref(struct encoder *e, const struct arg *a, uint16_t temp,
	     struct wire_arg *how);

/** The value of a result that refers to no other. */
uint64_t result_value(const struct encoder *e, const struct arg *a);

/* ---- encode_memory.c ---- */

uint64_t const_value(const struct encoder *e, const struct arg *a,
		     const struct desc_type *t);

/** Have data[off, off + len) written: where to; NULL when there is no room. */
char *piece_at(struct encoder *e, uint64_t off, uint64_t len);

void put_value(struct encoder *e, uint64_t off, uint64_t value,
	       const struct desc_type *t, uint8_t bit_off);

/** Write what a pointer points to, but for pointees of pointees. */
void put_pointee(struct encoder *e, const struct arg *pointer);

/**
 * Lay `arg` out for itself: `bytes`, in e->out, as they would be in memory;
 * e->stores has what is a result.  False: only the kernel writes some of it.
 */
bool put_flat(struct encoder *e, uint32_t arg, struct slice *bytes);

static inline bool plain_size(uint64_t n)
{
	return n == 1 || n == 2 || n == 4 || n == 8;
}

/* ---- encode_sum.c ---- */

/** A checksum of type `t` is at data[off]. */
void put_sum(struct encoder *e, uint64_t off, const struct desc_type *t);

/** Field `f` was written: it may be an address of an IP header. */
void note_address(struct encoder *e, const struct desc_field *f, uint64_t off,
		  uint64_t size);

/** Struct `arg` was written. */
void note_covered(struct encoder *e, uint32_t arg, uint64_t off, uint64_t size);

/** Compute what can be computed now: false when the executor has to. */
bool sums_now(struct encoder *e);

/** Have the executor do it. */
void sums_later(struct encoder *e);

/* ---- encode_image.c ---- */

/** The image for the call that follows; none when it cannot be inflated. */
void put_image(struct encoder *e, const struct arg *data);

#endif /* PROG_ENCODE_H */
