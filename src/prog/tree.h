/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tree.h - a program in memory, for the files of prog/.
 *
 * Three arrays: calls; arguments, which refer to each other by index; and the
 * bytes of buffers.  Indices stay valid when something is added.  What is
 * replaced stays behind as garbage until tree_compact(), which renumbers.
 *
 * A reference to a result (ARG_RESULT with `child`) is the index of the
 * argument that receives it: the return value of an earlier call, or a resource
 * of direction out in its memory.  Nothing points back: who removes a call or
 * an argument calls tree_fix_refs().
 */
#ifndef PROG_TREE_H
#define PROG_TREE_H

#include "base/vec.h"
#include "prog/prog.h"

#define ARG_NONE UINT32_MAX /* no such argument */
#define ANY_DEFAULT UINT64_MAX /* value of a squashed resource */
#define NO_BYTES UINT32_MAX /* `from` of a buffer that only receives */

#define DATA_PAGE 4096u
#define DATA_BYTES 0x1000000u /* of the program's memory: WIRE_DATA_SIZE */

enum {
	PROG_MAX_CALLS = 512,
	PROG_MAX_ARGS = 1 << 20, /* of a program, garbage included */
	PROG_MAX_BYTES = 64 << 20,
	TREE_DEPTH_MAX = 128, /* of arguments within each other */
};

enum arg_kind {
	ARG_CONST, /* value: INT, CONST, FLAGS, LEN, PROC, CSUM */
	ARG_RESULT, /* a resource: child, or value when that is ARG_NONE */
	ARG_POINTER, /* to `child`, at data[value]; or ARG_SPECIAL */
	ARG_VMA, /* `extra` bytes at data[value]; or ARG_SPECIAL */
	ARG_DATA, /* bytes[from, from + len) */
	ARG_GROUP, /* a struct, an array: children, linked by `next` */
	ARG_UNION, /* child, which is option `extra` of the record */
	ARG_ABSENT, /* a field whose condition does not hold */
};

/* Flags of an argument. */
enum {
	ARG_SPECIAL = 1, /* value is for special_address(); 0: null */
	ARG_ANY = 2, /* see enum any_kind */
	ARG_AUTO = 4, /* left to prog_assign_autos(), cond_settle() */
};

/*
 * A pointee squashed to ANY is an ARG_GROUP with ARG_ANY; its `type` is still
 * what it was before.  Its children are ARG_DATA and ARG_RESULT, with ARG_ANY
 * and their kind in `any`; these have no type (DESC_NONE).
 */
enum any_kind {
	ANY_BLOB, /* ARG_DATA */
	ANY_RES8, /* ARG_RESULT from here on */
	ANY_RES16,
	ANY_RES32,
	ANY_RES64,
	ANY_RES_DEC, /* 20 digits */
	ANY_RES_HEX, /* 18: 0x and 16 digits */
	ANY_RES_OCT, /* 23 digits */
	ANY_KINDS
};

struct arg {
	uint8_t kind; /* enum arg_kind */
	uint8_t dir; /* enum desc_dir */
	uint8_t flags;
	uint8_t any; /* enum any_kind */
	uint32_t type; /* types[] */
	uint32_t next; /* the argument, field or element behind it */
	uint32_t child;
	union {
		uint64_t value;
		uint64_t div; /* of a result with `child`: 0 or 1 for none */
		struct {
			uint32_t from, len;
		};
	};
	uint64_t extra; /* option, bytes of a vma, what is added to a result */
};
_Static_assert(sizeof(struct arg) == 32, "arguments are copied a lot");

struct call {
	uint32_t id; /* calls[] of the descriptions */
	uint32_t arg; /* the first, or ARG_NONE */
	uint32_t ret; /* ARG_RESULT of direction out, or ARG_NONE */
	struct prog_props props;
};

struct prog {
	const struct prog_target *target;
	VEC(struct call) calls;
	VEC(struct arg) args;
	struct buf bytes;
};

/* Lists of calls by resource: list[from[r]] to list[from[r + 1] - 1]. */
struct by_resource {
	uint32_t *from, *list;
};

struct prog_target {
	const struct desc *d;
	struct by_resource makers; /* calls that make r, or a kind of r */
	struct by_resource users; /* calls that take r */
	uint8_t *holds; /* by type: TYPE_HOLDS_x */
	uint32_t *nr; /* by call: its number for the executor */
	uint32_t *calls; /* by hash of the name: 1 + call, or 0 */
	uint32_t calls_mask;
};

/* What there is in a type, and in what it points to: target->holds. */
enum {
	TYPE_HOLDS_LEN = 1,
	TYPE_HOLDS_COND = 2, /* fields or options with a condition */
	TYPE_HOLDS_COMPLEX = 4, /* worth squashing to ANY */
	TYPE_HOLDS_WHOLE = 8, /* what cannot be squashed */
	TYPE_HOLDS_CSUM = 16,
};

/* ---- target.c --------------------------------------------------------------- */

/** The call of that name, as desc_call_find(); or DESC_NONE. */
uint32_t target_find_call(const struct prog_target *t, struct slice name);

/*
 * ARG_SPECIAL: values are 0, -1, ..., special_lowest().  Each stands for an
 * address; 0 for null, -1 for itself.
 */
uint64_t special_lowest(const struct prog_target *t);
uint64_t special_address(const struct prog *p, uint64_t value);

/** Whether values of resource `made` may stand where `wanted` is asked for. */
bool resource_fits(const struct desc *d, uint32_t made, uint32_t wanted);

/**
 * The value of a resource when no call made one: the first special value of the
 * resource that it is at last a kind of, if that has any.
 */
uint64_t resource_default(const struct desc *d, uint32_t resource);

/** Whether it is an array[const[V, intN], N], which is data of one value. */
bool type_is_constant(const struct desc *d, uint32_t type);

/** Whether its values are ARG_DATA: strings, text, images, array[int8]... */
bool type_is_data(const struct desc *d, uint32_t type);

/** What kind of argument values of this type are. */
enum arg_kind type_arg_kind(const struct desc *d, uint32_t type);

/** Whether `arg` is of the record of that name, or of a template of it. */
bool record_is(const struct prog *p, uint32_t arg, const char *name);

/** Whether a pointer's pointee may be squashed to ANY. */
bool type_is_squashable(const struct prog_target *t, uint32_t pointer);

/** The direction of a field, of a struct in direction `dir`. */
static inline uint8_t field_dir(const struct desc_field *f, uint8_t dir)
{
	return f->flags & DESC_HAS_DIR ? f->dir : dir;
}

/** The lowest 1 to 8 bytes of a number, the other way round. */
static inline uint64_t swapped(uint64_t v, uint32_t bytes)
{
	return __builtin_bswap64(v) >> (64 - 8 * bytes);
}

/* ---- tree.c ------------------------------------------------------------------- */

static inline struct arg *arg_at(const struct prog *p, uint32_t arg)
{
	return &p->args.data[arg];
}

static inline const struct desc_type *arg_type(const struct prog *p,
					       const struct arg *a)
{
	return &p->target->d->types[a->type];
}

/** What an ARG_DATA holds; nothing when it only receives. */
static inline struct slice arg_bytes(const struct prog *p, const struct arg *a)
{
	if (a->from == NO_BYTES || !a->len)
		return (struct slice){};
	return (struct slice){ p->bytes.data + a->from, a->len };
}

/** A new argument, linked to nothing; the pointer of arg_at() may move. */
uint32_t arg_new(struct prog *p, enum arg_kind kind, uint32_t type,
		 uint8_t dir);

/** Put bytes into p->bytes; their offset.  `data` may be NULL: zeroes. */
uint32_t tree_bytes(struct prog *p, const void *data, size_t len);

/** A new ARG_DATA; for direction out only the length is kept. */
uint32_t arg_new_data(struct prog *p, uint32_t type, uint8_t dir,
		      const void *data, uint32_t len);

/** The value that stands for "nothing in particular", with all below it. */
uint32_t arg_new_default(struct prog *p, uint32_t type, uint8_t dir);
bool arg_is_default(const struct prog *p, uint32_t arg);

/** The same, but a result that is used (by argument, not 0) says something. */
bool arg_is_omitted(const struct prog *p, uint32_t arg, const uint32_t *used);

/** Byte `i` of a buffer that has its default value. */
char data_default_byte(const struct desc *d, uint32_t type, uint32_t i);

/** The option that stands for "nothing in particular". */
uint32_t union_default(const struct desc_record *r);

/** A copy of an argument of `from`, with all below; references are kept. */
uint32_t arg_copy(struct prog *to, const struct prog *from, uint32_t arg);

/** Bytes it takes in memory; as an argument of a call, in its register. */
uint64_t arg_size(const struct prog *p, uint32_t arg);

/** Children of a group or call: how many, and number `i` (ARG_NONE). */
uint32_t list_len(const struct prog *p, uint32_t first);
uint32_t list_at(const struct prog *p, uint32_t first, uint32_t i);

/** Append a call, with its default arguments or with none at all (arg). */
struct call *tree_add_call(struct prog *p, uint32_t id, bool defaults);

/** The same before call number `at`. */
struct call *tree_insert_call(struct prog *p, size_t at, uint32_t id,
			      bool defaults);

/**
 * Copy a call of `from` with its arguments; it is not in to->calls yet.
 * `new_at`, by argument of `from`, says where copies are; it is added to.
 */
struct call tree_copy_call(struct prog *to, const struct prog *from,
			   const struct call *c, uint32_t *new_at);

/*
 * Visit arguments in the order of memory, parents first:
 *
 *	struct tree_walk w = {};
 *	for (uint32_t a = walk_call(&w, p, call); a != ARG_NONE; a = walk_next(&w))
 *
 * Pointees come behind their pointer; w.depth is 0 for arguments of the call,
 * and w.stack[w.depth - 1] is the argument around.  The return value comes last.
 * What is too deep is left out.
 */
struct tree_walk {
	const struct prog *p;
	const struct call *call;
	uint32_t depth, at;
	bool in_ret;
	uint32_t stack[TREE_DEPTH_MAX];
};
uint32_t walk_call(struct tree_walk *w, const struct prog *p,
		   const struct call *c);
uint32_t walk_next(struct tree_walk *w);

/* ---- size.c, cond.c: what refers to other arguments ----------------------------- */

/* Where an argument is: what lengths and conditions can refer to. */
struct arg_scope {
	const struct prog *p;
	const struct call *call;
	uint32_t depth;
	/* Structs and unions around it, through pointers; innermost last. */
	uint32_t records[TREE_DEPTH_MAX + 1];
};

struct arg_found {
	uint32_t arg; /* pointers followed; ARG_NONE behind a null pointer */
	/* The list it is in and the fields of that; ARG_NONE: not a field. */
	uint32_t list;
	const struct desc_field *fields;
};

enum scope_result { SCOPE_MISSING, SCOPE_SQUASHED, SCOPE_FOUND };

/** Follow a path of desc_type or desc_expr from the innermost record on. */
enum scope_result scope_find(const struct arg_scope *s, const uint64_t *path,
			     uint32_t npath, struct arg_found *out);

/** Set all lengths, sizes and offsets of a call; a squashed target: as it is. */
void prog_assign_sizes(struct prog *p, const struct call *c);

/** The same only for those that are ARG_AUTO, which they then are no more. */
void prog_assign_autos(struct prog *p, const struct call *c);

/**
 * Whether a field of the innermost record (an option, of a union) may be there.
 * `now` is the answer when what it depends on has been squashed.
 */
bool field_present(const struct arg_scope *s, const struct desc_field *f,
		   bool now);

enum cond_settle {
	COND_ALL, /* make all fields and options fit their conditions */
	COND_AUTO, /* those with ARG_AUTO, as defaults are made */
};

/**
 * Make fields absent or give them their default, and options others, as their
 * conditions want; run tree_fix_refs() when a call is changed afterwards.
 * Returns the first argument that did not fit, or ARG_NONE.
 */
uint32_t cond_settle(struct prog *p, const struct call *c,
		     enum cond_settle how);

/** The first argument that does not fit its condition, or ARG_NONE. */
uint32_t cond_check(const struct prog *p, const struct call *c);

/** Results that are no longer made, or too late, get their special values. */
void tree_fix_refs(struct prog *p);

/** Drop garbage; all indices of arguments change. */
void tree_compact(struct prog *p);

#endif /* PROG_TREE_H */
