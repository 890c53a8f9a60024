/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * gen.h - what the files that make programs share.
 *
 *	choices.c, enabled.c	which calls
 *	generate.c	calls and programs; what earlier calls offer
 *	gen_arg.c	arguments by type
 *	gen_value.c	numbers, strings, buffers; machine_code.c: text
 *	mutate.c	changes of programs; mutate_arg.c: of arguments;
 *	blob.c: of bytes; any.c: squashing
 */
#ifndef PROG_GEN_H
#define PROG_GEN_H

#include "prog/tree.h"

#define SPACE_UNIT 64u /* addresses of pointers are multiples of it */
#define SPACE_UNITS (DATA_BYTES / SPACE_UNIT)

/* Which of the program's memory is taken: a bit per unit. */
struct space {
	uint64_t known[SPACE_UNITS / 64 / 64]; /* words below that are set up */
	uint64_t used[SPACE_UNITS / 64];
	uint32_t next; /* all units below have been tried */
};

/* A result that later calls may use. */
struct made {
	uint32_t resource, arg;
};

/* While a program is made or changed. */
struct gen {
	struct prog *p;
	const struct prog_target *t;
	const struct desc *d;
	struct rng *rng;
	const struct prog_choices *choices;
	size_t at; /* new calls go before this one and use what is before it */
	uint32_t constructing; /* calls for the sake of their results */
	uint32_t nested; /* arguments within each other */
	uint32_t enough; /* with so many in p->args, the rest is default */
	VEC(struct made) made;
	VEC(uint32_t) names; /* arguments: file names */
	struct buf scratch; /* bytes while they are made */
	struct space space;
};

/* ---- choices.c ---- */

/** Whether a call may be generated. */
bool choices_have(const struct prog_choices *c, uint32_t call);
const struct prog_target *choices_target(const struct prog_choices *c);

/* ---- generate.c ---- */

/** To insert before call `at` of `p`; nothing is changed yet. */
void gen_init(struct gen *g, struct prog *p, const struct prog_choices *c,
	      struct rng *rng, size_t at);
void gen_deinit(struct gen *g);

/** Insert a call, after those that make what it needs. */
void gen_call(struct gen *g, uint32_t id);

/** After a change: conditions, lengths. */
void call_finish(struct prog *p, size_t call);

/** Where `size` bytes can be; offsets within the data area. */
uint64_t space_take(struct gen *g, uint64_t size);

/* ---- gen_arg.c ---- */

uint32_t gen_arg(struct gen *g, uint32_t type, uint8_t dir);

/** A result to use as `resource`, made for the purpose if need be. */
uint32_t gen_result(struct gen *g, uint32_t resource);

/** An address of something that is `size` bytes large. */
void gen_address(struct gen *g, uint32_t pointer);
void gen_vma(struct gen *g, uint32_t arg);

/** How many elements an array gets. */
uint64_t gen_count(struct gen *g, const struct desc_type *t);

/* ---- gen_value.c ---- */

/** A value for an integer, flags, a length or the like. */
uint64_t gen_number(struct gen *g, const struct desc_type *t);

/** Any integer of so many bits; small and special ones often. */
uint64_t gen_int(struct rng *r, unsigned int bits);

/** New contents for a buffer, a string... */
uint32_t gen_data(struct gen *g, uint32_t type, uint8_t dir);

/** Put a name that the program could use, with NUL, into `out`. */
void gen_filename(struct gen *g, struct buf *out);

/* ---- mutate_arg.c ---- */

/**
 * Change an argument of call g->at, which moves when calls come before it.
 * False: there is nothing to change.
 */
bool mutate_arg(struct gen *g);

/** After changes: also addresses, and what referred to what is gone. */
void mutate_finish(struct gen *g);

/** Change bytes of an ARG_DATA, of which there are lo to hi. */
void data_mutate(struct gen *g, uint32_t arg, uint64_t lo, uint64_t hi);

/* ---- blob.c ---- */

/** Change bytes; there are `lo` to `hi` afterwards, if there were before. */
void blob_mutate(struct rng *r, struct buf *b, uint64_t lo, uint64_t hi);

/** Change bytes of an image, where it has any but zeroes; its size stays. */
void image_mutate(struct rng *r, struct buf *raw);

/* ---- any.c ---- */

/** Squash a pointee (type_is_squashable()).  False: it cannot be. */
bool any_squash(struct prog *p, uint32_t pointer);
void any_mutate(struct gen *g, uint32_t group);

/* ---- machine_code.c ---- */

/** Append an instruction for a processor (enum desc_text). */
void gen_instruction(struct rng *r, const struct desc_arch *arch,
		     enum desc_text kind, struct buf *out);

/** Append some. */
void gen_text(struct rng *r, const struct desc_arch *arch, enum desc_text kind,
	      struct buf *out);

#endif /* PROG_GEN_H */
