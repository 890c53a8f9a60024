/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ast.h - what a file says, before anything is known about it.
 *
 * Positions are offsets into all files' texts laid end to end; names are
 * numbers of input->names.  Lists are linked: they are built once and walked.
 */
#ifndef DESC_AST_H
#define DESC_AST_H

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"

enum node_kind {
	NODE_NAME, /* name[:colon][[args]] */
	NODE_INT, /* value; name is how it was written; may have :colon */
	NODE_STRING, /* name is the bytes */
	NODE_HEX, /* the same, written in hexadecimal */
	NODE_EXPR, /* args `op` args->next */
};

enum node_op { OP_OR = 1, OP_EQ, OP_NE, OP_AND };

struct node {
	uint8_t kind, op;
	uint16_t nargs, ncolon;
	uint32_t pos, name;
	uint64_t value;
	struct node *colon, *args, *next;
};

/* A field, an argument; or a comment or an empty line among them. */
enum field_kind { FIELD, FIELD_COMMENT, FIELD_BLANK };

struct field {
	uint8_t kind;
	uint32_t pos, name;
	struct slice comment; /* the whole line, or what ends it */
	struct node *type, *attrs;
	struct field *next;
};

enum decl_kind {
	DECL_COMMENT,
	DECL_BLANK,
	DECL_META,
	DECL_INCLUDE,
	DECL_INCDIR,
	DECL_DEFINE,
	DECL_RESOURCE,
	DECL_ALIAS,
	DECL_STRUCT,
	DECL_UNION,
	DECL_CALL,
	DECL_FLAGS,
	DECL_STR_FLAGS,
};

struct decl {
	uint8_t kind;
	bool used;
	bool excused; /* from being used: what uses it is broken */
	bool broken; /* some of it did not parse, or is a second of its name */
	bool templ; /* a struct, union or alias with parameters */
	bool builtin;
	uint8_t listed; /* flags: first and count are known */
	uint32_t pos, name;
	uint32_t index; /* resources: in the compiled form, + 1 */
	uint32_t first, count; /* flags: in values[] of the compiled form */
	uint32_t stamp; /* of a walk over declarations */
	uint32_t file;
	struct slice text; /* comment, header, value of a define */
	struct slice comment; /* at the end of the line */
	struct node *params;
	struct node *type; /* meta, base of a resource, alias, returned */
	struct node *list; /* values */
	struct node *attrs;
	struct field *fields; /* also arguments */
	struct decl *next;
};

#endif /* DESC_AST_H */
