/* SPDX-License-Identifier: GPL-2.0-or-later */
/* internal.h - what the files of desc/ share: the input and its messages. */
#ifndef DESC_INTERNAL_H
#define DESC_INTERNAL_H

#include "base/arena.h"
#include "base/vec.h"
#include "desc/ast.h"
#include "desc/desc.h"
#include "desc/names.h"

enum {
	TEXT_BYTES_MAX = 64 << 20,
	MESSAGES_MAX = 1000,
	NODE_DEPTH_MAX = 64, /* of a type or expression, as written */
	NODE_ARGS_MAX = 256,
	TEMPLATE_PARAMS_MAX = 32,
	RECORD_FIELDS_MAX = 5000,
	CALL_ARGS_MAX = 9,
	RECORD_DEPTH_MAX = 512,
	TYPES_MAX = 200000,
	RECORD_BYTES_MAX = 1 << 28,
};

struct source {
	const char *name;
	struct slice text;
	uint32_t start; /* position of its first byte */
	bool is_const; /* a .const file */
	bool no_arch; /* `meta arches` leaves ours out */
	bool broken; /* it did not parse */
	bool builtin; /* not a file */
	bool automatic; /* `meta automatic` */
	struct decl *decls;
};

struct message {
	uint32_t pos;
	bool warning;
	const char *text;
};

/* The values of a constant: an entry per architecture of its last line. */
struct constant {
	uint32_t name;
	bool disputed; /* see conflicts */
	uint16_t known; /* bit of desc_arch_at(): it has a value there */
	uint16_t listed; /* it is known to be missing, or known */
	uint64_t values[16];
};

/* A later file has a value of its own for a constant. */
struct conflict {
	uint32_t pos, name;
	uint8_t arch;
	uint64_t value;
};

struct desc_input {
	struct arena *arena;
	struct names names;
	struct names said; /* messages, so that none comes twice */
	VEC(struct source) sources;
	VEC(struct message) messages;
	VEC(struct constant) constants;
	VEC(struct conflict) conflicts;
	VEC(uint32_t) constant_of; /* by name: index + 1 */
	bool asking; /* for constants: nothing is said, all have a value */
	VEC(bool) asked; /* by name: it is a constant */
	size_t errors, warnings, lines, nfiles;
	uint64_t bytes;
	bool stopped; /* after too many messages, or a limit */
};

/** Say what is wrong at a position: a phrase, then how to mend it. */
void say_error(struct desc_input *in, uint32_t pos, const char *fmt, ...)
	PRINTF(3, 4);
void say_warning(struct desc_input *in, uint32_t pos, const char *fmt, ...)
	PRINTF(3, 4);

/** An error after which nothing more is looked at. */
void say_last(struct desc_input *in, uint32_t pos, const char *fmt, ...)
	PRINTF(3, 4);

/** "file:line" of a position, in the input's arena. */
const char *where(struct desc_input *in, uint32_t pos);

/** Parse sources[i]; declarations go to its list. */
void parse_source(struct desc_input *in, size_t i);

/** Read the text of a .const file. */
void parse_consts(struct desc_input *in, const struct source *src);

/** The constant of that name, or NULL. */
const struct constant *constant_find(const struct desc_input *in,
				     uint32_t name);

/** The value of a disputed constant for what is at `pos`. */
uint64_t own_value(const struct desc_input *in, const struct constant *k,
		   uint32_t pos, unsigned arch);

/** Files of a directory that are input, and their order: for scandir(). */
struct dirent;
int desc_is_input(const struct dirent *e);
int desc_by_bytes(const struct dirent **a, const struct dirent **b);

/** The *.txt number `i`, or NULL. */
const struct source *source_nth_text(const struct desc_input *in, size_t i);

/** The file that a position is in. */
const struct source *source_at(const struct desc_input *in, uint32_t pos);

/** A constant that a file defines; nothing when it is not just a number. */
void define_constant(struct desc_input *in, uint32_t name, struct slice text);

/** Append a type or expression as it is written canonically. */
void node_to_text(const struct names *names, const struct node *n,
		  struct buf *out);

static inline struct slice name_of(const struct desc_input *in, uint32_t id)
{
	return names_get(&in->names, id);
}

#endif /* DESC_INTERNAL_H */
