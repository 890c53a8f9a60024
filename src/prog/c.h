/* SPDX-License-Identifier: GPL-2.0-or-later */
/* c.h - what the files that write C share. */
#ifndef PROG_C_H
#define PROG_C_H

#include "prog/tree.h"

/* A constant that the program names, and its value: defined if it is not. */
struct c_name {
	struct slice name;
	uint64_t value;
	bool is_call; /* __NR_name */
};

/* An argument that a variable stands for. */
struct c_var {
	uint32_t arg;
	bool is_result; /* it is the value; else a pointer to it */
	char *name; /* an expression */
};

/* A checksum over constant bytes. */
struct c_known_sum {
	uint32_t arg;
	uint16_t value; /* as a little-endian number */
};

struct c_out {
	const struct prog *p;
	const struct prog_c_opts *opts;
	struct buf *body; /* of main(), so far */
	struct buf includes; /* lines, each once */
	VEC(struct c_name) names;
	VEC(struct c_var) vars;
	uint8_t *wanted; /* by argument: a later call uses this result */
	uint32_t call; /* under way */
	uint32_t nresults;
	bool data; /* the program's memory is used */
	uint64_t helpers; /* bits: which of helpers[] */
	struct buf images; /* definitions */
	struct slice encoded; /* the program as the executor gets it */
	struct slice encoded_call; /* of it: the call under way */
	uint64_t at; /* where the pointee under way is in the data area */
	VEC(struct c_known_sum) sums;
};

/** Append `name` as an identifier that is no keyword or macro. */
void c_ident(struct buf *out, const char *name);

/** The variable or expression of a pointee, or NULL; owns `name`. */
const char *c_var_find(const struct c_out *c, uint32_t arg);
void c_var_add(struct c_out *c, uint32_t arg, char *name);

/** That of a result. */
const char *c_result_find(const struct c_out *c, uint32_t arg);

/** Ask for a header: "fcntl.h". */
void c_include(struct c_out *c, const char *header);

/** Ask for helpers/NAME.c. */
void c_helper(struct c_out *c, const char *name);

/* ---- c_value.c: numbers and addresses --------------------------------------- */

/**
 * Append a number as the constants it is made of, or as one.  `bytes` is how
 * wide it is: what has the highest bit set may be written as a negative one.
 */
void c_number(struct c_out *c, struct buf *out, const struct desc_type *t,
	      uint64_t value, unsigned bytes);

/** Append the value of a scalar argument: a number, a result, an address. */
void c_scalar(struct c_out *c, struct buf *out, uint32_t arg);

/** Append bytes as a string literal, without the NUL that C adds. */
void c_literal(struct buf *out, const char *data, size_t len);

/* ---- c_memory.c: what pointers lead to ------------------------------------------ */

/**
 * Write the memory of pointers in and below an argument, the innermost first;
 * `name` is that of the field.  An argument of a call (`in_call`) may become a
 * literal.
 */
void c_place(struct c_out *c, uint32_t arg, const char *name, bool in_call);

/* ---- c_type.c: memory ----------------------------------------------------------- */

/**
 * Append the type to which a variable for this pointee, at data[at], points: of
 * an array of integers, the type of the elements.
 */
void c_type(struct c_out *c, struct buf *out, uint32_t arg, uint64_t at);

/** Append its value as an initialiser; false when it is all zeroes. */
bool c_value(struct c_out *c, struct buf *out, uint32_t arg);

/** Whether it is an array of integers of one size. */
bool c_is_ints(const struct prog *p, const struct arg *a);

/**
 * Visit the integers and results behind variable `var`, with expressions and how
 * many bytes behind the pointer they are.
 */
void c_scalars(struct c_out *c, uint32_t arg, const char *var,
	       void (*fn)(struct c_out *c, const char *path, uint32_t arg,
			  uint64_t off));

/* ---- c_encoded.c: images and checksums ---------------------------------------- */

/** Go on to the next call of c->encoded. */
void c_next_call(struct c_out *c);

/** The checksum at data[off], when what it covers is constant. */
bool c_sum(const struct c_out *c, uint64_t off, uint16_t *value);

/** Append the computation of those that are not. */
void c_late_sums(struct c_out *c);

/** Define image_N for call N; false when it has none that can be inflated. */
bool c_image(struct c_out *c);

#endif /* PROG_C_H */
