/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * desc.h - descriptions of the kernel's interfaces, in syzlang.
 *
 * Text files (*.txt) say which system calls there are and what their arguments
 * look like; *.const files beside them hold the values of constants for each
 * architecture.  A tree of syzkaller's, sys/linux, is read as it is; the
 * language is the one of docs/syscall_descriptions_syntax.md there.
 *
 *	_cleanup_(desc_input_freep) struct desc_input *in = desc_input_new();
 *	TRY(desc_input_dir(in, "sys/linux"));
 *	_cleanup_(desc_freep) struct desc *d = desc_compile(in, arch);
 *	desc_messages_to_text(in, &out);
 *	if (!desc_errors(in))
 *		use d->calls
 *
 * The compiled form holds no pointers but those to its own arrays: types,
 * records (structs and unions), fields and values refer to each other by index,
 * names and string values by offset into one pool.
 *
 * What comes in is not trusted.  Limits: 64 MiB of text, 200,000 types,
 * 512 levels of structs within each other, 1,000 messages; what is over a
 * limit is one error.
 *
 * To add a type: a row in builtin.def and, if it is not an integer, a case in
 * types.c; an attribute: a row in attrs.def; an architecture: arch.def.
 */
#ifndef DESC_DESC_H
#define DESC_DESC_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/slice.h"

struct desc_input;
struct desc;

struct desc_arch {
	const char *name; /* as in .const files */
	uint8_t ptr_bytes;
	uint8_t int64_align; /* of a 64-bit integer within a struct */
	bool big_endian;
};

/** The architecture of that name, or NULL; and all of them, ended by a NULL. */
const struct desc_arch *desc_arch_find(struct slice name);
const struct desc_arch *desc_arch_at(size_t i);

/* Input: files, and what is to be said about them. */

struct desc_input *desc_input_new(void);
void desc_input_free(struct desc_input *in);
DEFINE_CLEANUP(struct desc_input *, desc_input_free)

/**
 * Add a file; the text is copied.  One whose name ends in ".const" gives
 * values, any other is parsed; what is wrong becomes a message.
 */
void desc_input_text(struct desc_input *in, const char *name,
		     struct slice text);

/** Read a file and add it. Errors: those of io_read_file(). */
fallible desc_input_file(struct desc_input *in, const char *path);

/**
 * Add all *.txt and *.const files of a directory, in the order of their names.
 * Errors: ERR_NOT_FOUND (also when there is no *.txt), ERR_OS.
 */
fallible desc_input_dir(struct desc_input *in, const char *dir);

/** The messages so far: by file and line, "file:line:col: error: what". */
void desc_messages_to_text(struct desc_input *in, struct buf *out);
size_t desc_errors(const struct desc_input *in);
size_t desc_warnings(const struct desc_input *in);

/** How many *.txt files there are, and lines in them. */
size_t desc_files(const struct desc_input *in);
size_t desc_lines(const struct desc_input *in);

/**
 * Append file number `i` (of desc_files) in canonical form: formatting that
 * gives the same text.  Errors: ERR_INPUT when it does not parse; see messages.
 */
fallible desc_format(struct desc_input *in, size_t i, struct buf *out);

/*
 * Values of constants, from kernel headers, by clang:
 *
 *	desc_ask_constants(in, arch);
 *	TRY(desc_headers_open("/src/linux", false, arch, &h));
 *	TRY(desc_extract(in, i, &h, 1, &text, &said));
 */

struct desc_headers;

/**
 * The headers of a kernel's source tree, which need not be configured, or
 * (`user`) of a directory like /usr/include.  Nothing in the tree is run; what
 * its makefiles would generate is in a temporary directory until closed.
 * Errors: ERR_NOT_FOUND (it is no such directory), ERR_OS.
 */
fallible desc_headers_open(const char *dir, bool user,
			   const struct desc_arch *arch,
			   struct desc_headers **out);
void desc_headers_close(struct desc_headers *h);
DEFINE_CLEANUP(struct desc_headers *, desc_headers_close)

/** Find out which names are constants; for each architecture, before: */
void desc_ask_constants(struct desc_input *in, const struct desc_arch *arch);

/**
 * Append the text of the .const file of file number `i` (of desc_files): all
 * that it mentions, with values for the architectures of `headers`.  Nothing
 * is appended for a file without constants or with `meta noextract`.  What is
 * missing or does not compile is told in `said`, a line each.
 * Errors: ERR_INPUT (the file does not parse; see messages), ERR_NOT_FOUND (no
 * clang), ERR_OS, ERR_CANCELLED.
 */
fallible desc_extract(struct desc_input *in, size_t i,
		      struct desc_headers *const *headers, size_t n,
		      struct buf *out, struct buf *said);

/** The name of file number `i`, as it was given; NULL: there is none. */
const char *desc_file_name(const struct desc_input *in, size_t i);

/* The compiled form. */

#define DESC_VARLEN UINT32_MAX /* a size or offset only a value decides */
#define DESC_NONE UINT32_MAX /* no such index */

enum desc_kind {
	DESC_BAD, /* there was an error */
	DESC_VOID,
	DESC_INT, /* lo..hi in steps of c, when DESC_RANGE */
	DESC_CONST, /* lo */
	DESC_FLAGS, /* values[list, list + nlist) */
	DESC_LEN, /* of `path`; unit bits in lo, 0: elements, or offsetof */
	DESC_PROC, /* lo + proc * hi */
	DESC_CSUM, /* of `path`; lo: enum desc_csum, hi: protocol */
	DESC_RESOURCE, /* resources[elem] */
	DESC_VMA, /* lo..hi pages, when DESC_RANGE */
	DESC_PTR, /* to types[elem], `dir` */
	DESC_ARRAY, /* lo..hi, when DESC_RANGE, of types[elem] */
	DESC_STRING, /* desc_string()s values[list...], or any when there is none */
	DESC_GLOB, /* pattern: strings values[list] */
	DESC_FILENAME,
	DESC_TEXT, /* machine code; lo: enum desc_text */
	DESC_IMAGE, /* compressed_image */
	DESC_STRUCT, /* records[elem] */
	DESC_UNION,
};

enum desc_dir { DESC_IN, DESC_OUT, DESC_INOUT };
enum desc_csum { DESC_CSUM_INET, DESC_CSUM_PSEUDO };
enum desc_text {
	DESC_TEXT_X86_REAL,
	DESC_TEXT_X86_16,
	DESC_TEXT_X86_32,
	DESC_TEXT_X86_64,
	DESC_TEXT_ARM64,
	DESC_TEXT_PPC64,
	DESC_TEXT_RISCV64,
	DESC_TEXT_TARGET, /* what the architecture runs */
};
enum desc_format { DESC_BINARY, DESC_DEC, DESC_HEX, DESC_OCT };

/* Flags of a type. */
enum {
	DESC_OPT = 1, /* may be left out: a null pointer, no resource */
	DESC_BE = 2, /* big-endian whatever the machine */
	DESC_RANGE = 4,
	DESC_NOZ = 8, /* a string without its NUL */
	DESC_OFFSETOF = 16,
	DESC_NOSIZE = 32, /* an argument whose size other variants decide */
	DESC_UNKNOWN = 64, /* it needs a constant that has no value here */
};

struct desc_type {
	uint8_t kind; /* enum desc_kind */
	uint8_t flags;
	uint8_t dir; /* of a pointer */
	uint8_t bits; /* of a bit-field, or 0 */
	uint8_t format; /* enum desc_format: an integer as text */
	uint8_t base_bytes; /* of an integer */
	uint32_t name; /* in the pool: as it was written */
	uint32_t size, align; /* bytes; or DESC_VARLEN */
	uint32_t elem;
	uint32_t list, nlist;
	uint32_t path, npath; /* names in values[]: the target of a length */
	uint64_t lo, hi, step;
};

/* Flags of a field. */
enum {
	DESC_HAS_DIR = 1,
	DESC_OVERLAY = 2, /* output begins here, at the struct's start again */
};

struct desc_field {
	uint32_t name;
	uint32_t type;
	uint32_t offset; /* or DESC_VARLEN */
	uint8_t dir, flags;
	/* In the unit at `offset`: from the lowest bit, or, on a big-endian
	 * machine, from the highest. */
	uint8_t bit_offset;
	uint32_t cond; /* exprs[], or DESC_NONE */
};

/* Flags of a record. */
enum {
	DESC_PACKED = 1,
	DESC_VARLEN_UNION = 2,
	DESC_IS_UNION = 4,
	DESC_CONDITIONAL = 8,
	DESC_ALIGNED = 16, /* by an attribute: even of variable size */
};

struct desc_record {
	uint32_t name;
	uint32_t field, nfields;
	uint32_t size, align; /* size may be DESC_VARLEN */
	uint32_t flags;
};

enum desc_op {
	DESC_EXPR_CONST,
	DESC_EXPR_VALUE, /* of the field at `path` */
	DESC_EXPR_EQ,
	DESC_EXPR_NE,
	DESC_EXPR_AND,
	DESC_EXPR_OR, /* || */
};

struct desc_expr {
	uint8_t op;
	uint32_t left, right; /* exprs[]; or path, npath */
	uint64_t value;
};

struct desc_resource {
	uint32_t name;
	uint32_t parent; /* resources[], or DESC_NONE */
	uint32_t base; /* types[]: the integer it is */
	uint32_t list, nlist; /* special values */
};

/* Flags of a call: attributes without a value. */
enum {
#define ATTR(name, flag) DESC_CALL_##flag,
#include "desc/attrs.def"
	DESC_CALL_NO_FLAGS
};

struct desc_call {
	uint32_t name; /* with its $variant */
	uint32_t nr; /* DESC_NONE: a pseudo-call */
	uint32_t arg, nargs; /* fields[] */
	uint32_t ret; /* types[], or DESC_NONE */
	uint32_t attrs; /* bit DESC_CALL_x */
	uint32_t timeout_ms, prog_timeout_ms;
	uint32_t fsck; /* in the pool, or DESC_NONE */
	uint32_t missing; /* in the pool: the constant we lack, or DESC_NONE */
};

struct desc {
	const struct desc_arch *arch;
	const struct desc_call *calls; /* by name; those without `missing` */
	const struct desc_type *types;
	const struct desc_record *records;
	const struct desc_field *fields;
	const struct desc_expr *exprs;
	const struct desc_resource *resources;
	const uint64_t *values;
	const uint32_t *value_names; /* beside values, in the pool; or 0 */
	const char *pool; /* NUL-terminated names; strings have a length */
	size_t ncalls, ntypes, nrecords, nfields, nexprs, nresources, nvalues;
	size_t pool_bytes;
	size_t unsupported; /* calls that need what the architecture lacks */
	void *map; /* the file that holds the arrays (desc_load()), or NULL */
	size_t map_bytes;
};

/**
 * Check everything and lay it out for an architecture.  What is wrong becomes
 * messages of `in`, in one go; the result is usable when there is no error.
 * Never NULL.
 */
struct desc *desc_compile(struct desc_input *in, const struct desc_arch *arch);
void desc_free(struct desc *d);

/**
 * Compile a directory into `in`, or take what an earlier call left in
 * `cache_dir` (NULL: none) for it, then without reading it: `in` stays empty.
 * When there are errors (desc_errors(in)) nothing is kept.  A file there that
 * is stale or damaged is made anew.  Errors: those of desc_input_dir().
 */
fallible desc_load(const char *dir, const struct desc_arch *arch,
		   const char *cache_dir, struct desc_input *in,
		   struct desc **out);
DEFINE_CLEANUP(struct desc *, desc_free)

/** The call of that name ("open", "mount$ext4"), or NULL. */
const struct desc_call *desc_call_find(const struct desc *d, struct slice name);

/** A name of the pool. */
static inline const char *desc_name(const struct desc *d, uint32_t off)
{
	return d->pool + off;
}

/** A string of values[], without the NUL that belongs to it unless DESC_NOZ. */
static inline struct slice desc_string(const struct desc *d, uint64_t value)
{
	return (struct slice){ d->pool + (value >> 32), (uint32_t)value };
}

/** Append a type as it would be written, without fields of structs. */
void desc_type_to_text(const struct desc *d, uint32_t type, struct buf *out);

/**
 * Append a call with all that it reaches: structs and unions with sizes and
 * offsets, values of flags, resources.
 */
void desc_call_to_text(const struct desc *d, const struct desc_call *call,
		       struct buf *out);

#endif /* DESC_DESC_H */
