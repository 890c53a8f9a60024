/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * compile.h - what the passes of the compiler share.
 *
 * compile.c collects declarations and runs the passes; resolve.c follows names
 * and parameters of templates to types, types.c makes types, values.c knows
 * constants and flags, records.c fields and attributes, calls.c calls.  What
 * they have made is then looked at as a graph: graph.c (recursion, what needs
 * constants we lack), layout.c (sizes and offsets), paths.c (targets of
 * lengths and conditions), flow.c (who makes and takes resources).
 */
#ifndef DESC_COMPILE_H
#define DESC_COMPILE_H

#include "desc/internal.h"

enum { RESOLVE_DEPTH_MAX = 64, ENV_DEPTH_MAX = 24, CLOSURE_TEXT_MAX = 120 };

struct env;

/* A type as written, and what the parameters in it mean. */
struct closure {
	const struct node *node; /* NULL: a base that nobody gave */
	const struct env *env;
	uint32_t key; /* equal for equal closures */
};

/* The arguments of a template. */
struct env {
	const struct decl *templ;
	const struct env *parent; /* where it was instantiated */
	const struct closure *args;
	unsigned depth;
};

/* Where a type stands decides what it may be. */
enum place {
	AT_ARG, /* argument of a call: no underlying type */
	AT_RETURN,
	AT_FIELD, /* of a struct: may be a bit-field */
	AT_OPTION, /* of a union */
	AT_ELEM, /* of a pointer or array */
	AT_FMT, /* value of fmt: no underlying type */
	AT_ALIAS, /* all that a type alias names */
};

/* What we know of a record besides its public form. */
struct record {
	const struct decl *decl;
	const struct env *env;
	uint32_t base_name; /* in the pool: without arguments */
	uint32_t missing; /* the constant it lacks; number of a name */
	uint32_t first_parent; /* parents[] */
	uint32_t size_pos;
	uint64_t want_size, want_align; /* attributes, or 0 */
	uint32_t stamp; /* of a walk upward */
	uint8_t state, flow, as_arg; /* of other walks */
	bool failed, image, resolved;
};

/* Who holds a record, by value or through pointers. */
#define PARENT_IS_CALL 0x80000000u /* a call, not a record */

struct parent {
	uint32_t record, next;
};

struct call_info {
	const struct decl *decl;
	uint32_t missing;
	bool image;
};

typedef VEC(struct decl *) decl_vec;

struct compiler {
	struct desc_input *in;
	struct arena *arena; /* of the result */
	const struct desc_arch *arch;
	unsigned arch_index;

	decl_vec types_by_name; /* records, resources, aliases */
	decl_vec flags_by_name;
	decl_vec calls_by_name;
	decl_vec defines_by_name;
	VEC(uint32_t) includes; /* by name: the last file that included it */
	VEC(uint32_t) stamps; /* by name */

	VEC(struct desc_type) types;
	VEC(uint32_t) type_missing; /* beside types: a constant, or 0 */
	VEC(struct desc_field) fields;
	VEC(uint32_t) field_pos; /* beside fields */
	VEC(struct desc_record) records;
	VEC(struct record) infos; /* beside records */
	VEC(struct parent) parents;
	VEC(struct desc_expr) exprs;
	VEC(struct desc_resource) resources;
	VEC(struct decl *) resource_decls; /* beside resources */
	VEC(struct desc_call) calls;
	VEC(struct call_info) call_infos; /* beside calls */
	VEC(uint64_t) values;
	VEC(uint32_t) value_names; /* beside values, as far as there are */
	struct buf pool;
	VEC(uint32_t) pool_of; /* by name: offset + 1 */

	struct names keys; /* of closures, types and records */
	struct arena *scratch;
	VEC(uint32_t) type_of_key; /* + 1 */
	VEC(uint32_t) record_of_key; /* + 1 */

	const struct node *site; /* where the alias we are in is used */
	unsigned depth;
	uint32_t pos; /* of the field or argument at hand */
	uint32_t missing; /* a constant that the type at hand lacks */
	VEC(struct decl *) excused; /* see excuse() */
	bool unparsed; /* nobody knows what lines that did not parse use */
	bool marking; /* what is used counts as used */
	VEC(uint8_t) builtin_of; /* by name: + 1 */
	struct node base_node; /* the underlying type that nobody gave */
	uint32_t stamp;
	unsigned aliases; /* that we are within */
	uint32_t n_opt, n_in, n_out, n_inout, n_parent, n_syscall, n_base;
	uint32_t n_value, n_if, n_filename, n_ptr_size;
};

/* Where to say what is wrong with `node`. */
#define AT(c, node) ((c)->site ? (c)->site->pos : (node)->pos)

/* compile.c */
uint32_t pool_add(struct compiler *c, uint32_t name);
uint32_t pool_bytes(struct compiler *c, struct slice s);
struct decl *find_type(const struct compiler *c, uint32_t name);
struct decl *find_flags(const struct compiler *c, uint32_t name);

/** "; did you mean ...?" or "", among the names of a kind. */
const char *suggest(struct compiler *c, uint32_t name, bool flags);

/** A text of the closure, cut when it gets long. */
const char *closure_text(struct compiler *c, const struct node *n,
			 const struct env *env);

/**
 * A type could not be made: what it mentions, and what that leads to, may
 * seem unused, but only seems so.
 */
void excuse(struct compiler *c, const struct node *n);
void excuse_decl(struct compiler *c, const struct decl *d);

/* resolve.c */
uint32_t resolve(struct compiler *c, const struct node *n,
		 const struct env *env, enum place place);

/** Follow parameters until there are none at the top of `n`. */
bool deref(struct compiler *c, const struct node **n, const struct env **env);
uint32_t closure_key(struct compiler *c, const struct node *n,
		     const struct env *env);

/** Resolve fields of the records that resolve() came upon. */
void resolve_records(struct compiler *c);

/** The resource that a declaration is; DESC_NONE when it is in a circle. */
uint32_t resource_index(struct compiler *c, struct decl *d);

/* types.c */
struct builtin;
const struct builtin *builtin_find(struct compiler *c, uint32_t name);
const char *builtin_name(const struct builtin *b);
bool builtin_is_int(const struct builtin *b);
bool builtin_is_alias(const struct builtin *b);
uint32_t builtin_type(struct compiler *c, const struct builtin *b,
		      const struct node *n, const struct env *env,
		      enum place place);
uint32_t add_type(struct compiler *c, struct desc_type t);

/** Whether an argument can be that: an option of a union that is one. */
bool type_can_be_arg(const struct compiler *c, uint32_t type, unsigned depth);

/* values.c */

/** A constant; false when it has no value here (c->missing) or is none. */
bool eval(struct compiler *c, const struct node *n, const struct env *env,
	  uint64_t *value);
bool constant_value(struct compiler *c, uint32_t pos, uint32_t name,
		    uint64_t *value);

/** values[] of flags; `strings` tells which kind is wanted. */
bool flags_values(struct compiler *c, const struct node *n, bool strings,
		  uint32_t *list, uint32_t *nlist);
bool fits_bits(uint64_t v, unsigned bits);
uint32_t expr_add(struct compiler *c, const struct node *n,
		  const struct env *env);
uint32_t path_add(struct compiler *c, const struct node *n,
		  const struct env *env, uint32_t *npath);

/* records.c, calls.c */
void record_fields(struct compiler *c, uint32_t record);
void compile_calls(struct compiler *c);

/* graph.c, layout.c, paths.c, flow.c */
void check_recursion(struct compiler *c);
void spread_missing(struct compiler *c);
void layout_all(struct compiler *c);
void check_paths(struct compiler *c);
void check_flow(struct compiler *c);

/** Through pointers and arrays: the type below, and whether it can be left. */
static inline const struct desc_type *type_at(const struct compiler *c,
					      uint32_t i)
{
	return &c->types.data[i];
}

static inline bool is_record(const struct desc_type *t)
{
	return t->kind == DESC_STRUCT || t->kind == DESC_UNION;
}

#endif /* DESC_COMPILE_H */
