/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * internal.h - what the files of src/elf/ share.
 *
 * An image is one ELF file with its symbols (symtab.c) and its DWARF
 * (dwarf.c); modules.c finds images by module name; frame.c knows the text.
 */
#ifndef ELF_INTERNAL_H
#define ELF_INTERNAL_H

#include <elfutils/libdw.h>
#include <elfutils/libdwfl.h>

#include "base/arena.h"
#include "base/vec.h"
#include "elf/die.h"
#include "elf/elf.h"
#include "elf/reader.h"

/* --- symtab.c: the functions of an image --- */

struct sym {
	const char *name; /* borrowed from the string table */
	uint64_t addr; /* as DWARF counts it */
	uint64_t size; /* st_size */
	uint64_t end; /* where the next symbol, or the section, begins */
	uint32_t next; /* in the hash chain, or SYM_NONE */
	uint32_t section;
	bool is_last; /* of its section */
};

#define SYM_NONE UINT32_MAX

struct symtab {
	struct sym *syms; /* by address */
	uint32_t nr;
	uint32_t *buckets;
	uint32_t mask;
	bool is_relocatable;
};

/** Read the symbols of executable sections; `dw_bias` is subtracted. */
void symtab_init(struct symtab *t, Dwfl_Module *mod, Dwarf_Addr dw_bias);
void symtab_deinit(struct symtab *t);

/* How well a symbol's size fits the printed one; more is better. */
enum fit { FIT_NONE, FIT_LAST, FIT_ST_SIZE, FIT_KALLSYMS };

enum fit symtab_fit(const struct symtab *t, const struct sym *sym,
		    uint64_t size_bytes);

/** The symbols of a name by ascending address; NULL at the end. */
const struct sym *symtab_find(const struct symtab *t, struct slice name);
const struct sym *symtab_find_next(const struct symtab *t,
				   const struct sym *sym);

/** The function at an address, NULL if none. */
const struct sym *symtab_at(const struct symtab *t, uint64_t address);

/* .debug_...; borrowed from libelf */
struct dwarf_sections {
	struct slice info, abbrev, line, line_str, str;
	bool is_big;
};

/* --- line.c: the line table of a unit --- */

struct src_file {
	const char *dir; /* NULL: that of the unit */
	const char *name;
	char *path; /* NULL, or what the user of the table found it to be */
};

/* Rows from `lo` on, and how to read those that follow. */
struct line_mark {
	uint64_t lo, hi;
	const unsigned char *next_op;
	uint32_t line, file;
};

struct line_table {
	struct reader program;
	const unsigned char *operands;
	uint8_t min_inst_bytes, line_range, opcode_base;
	int8_t line_base;
	unsigned reciprocal; /* of line_range, times 2^16 */
	VEC(struct src_file) files;
	VEC(struct line_mark) marks; /* by lo */
};

struct line_row {
	uint64_t addr; /* where the line begins */
	struct src_file *file;
	unsigned line;
};

/** Read the table at `offset` of .debug_line; of a bad one nothing is found. */
void line_table_read(struct line_table *t, const struct dwarf_sections *s,
		     uint64_t offset);
void line_table_free(struct line_table *t);

/** A file by its number, owned by `t`; NULL when there is none. */
struct src_file *line_table_file(const struct line_table *t, uint64_t i);

/** The row that holds `pc`; false when there is none. */
bool line_table_find(const struct line_table *t, uint64_t pc,
		     struct line_row *out);

/* --- dwarf.c: address to source lines --- */

struct func_range {
	uint64_t lo, hi;
	Dwarf_Off die;
};

/* A compilation unit; what follows `is_parsed` is read at first use. */
struct unit {
	Dwarf_Die cu;
	bool is_parsed;
	struct line_table lines;
	struct die_unit dies;
	VEC(struct func_range) funcs;
};

struct unit_range {
	uint64_t lo, hi;
	uint64_t max_hi; /* of this range and those before it */
	uint32_t unit;
};

struct units {
	Dwarf *dw;
	bool is_indexed;
	struct dwarf_sections sections;
	VEC(struct unit) units;
	VEC(struct unit_range) ranges; /* by lo */
};

void units_deinit(struct units *u);

/** The unit that holds `pc`, or NULL. */
struct unit *units_at(struct units *u, uint64_t pc);

enum { CHAIN_MAX = 64 };

struct raw_line {
	const char *func; /* NULL for the physical function */
	struct src_file *file; /* owned by the unit; may be NULL */
	unsigned line;
};

/**
 * Lines at `pc` in the symbol that begins at `sym_addr`, innermost first, at
 * most CHAIN_MAX; 0 when unknown.
 */
size_t unit_chain(struct units *u, struct unit *unit, uint64_t sym_addr,
		  uint64_t pc, struct raw_line *out);

/* --- path.c --- */

/** Collapse "./", "//" and "a/../" in place; keeps a leading '/'. */
void path_collapse(char *path);

/** comp_dir/name, collapsed; free() it. */
char *path_join(const char *dir, const char *name);

/**
 * `path` (collapsed) without the longest of the directories it stands below;
 * points into `path`.
 */
const char *path_strip(const char *path, const char *const *dirs, size_t nr);

/* --- image.c --- */

struct image {
	char *path;
	Dwfl *dwfl;
	struct symtab symtab;
	struct units units;
	bool has_root;
	char *root; /* of the source tree, without last '/'; NULL: unknown */
	unsigned long nr_fits, nr_misfits; /* frames, for symbols_note() */
};

fallible image_open(const char *path, struct image **out);
void image_close(struct image *img);
DEFINE_CLEANUP(struct image *, image_close)

/** Where the sources stood when this kernel was built; NULL: unknown. */
const char *image_root(struct image *img);

/* --- modules.c --- */

struct modules;

/** `dir` is borrowed. Nothing is read before the first modules_get(). */
struct modules *modules_new(const char *dir);
void modules_free(struct modules *m);

/** The image of a module, owned by `m`; NULL when there is none. */
struct image *modules_get(struct modules *m, struct slice name);

void modules_note(const struct modules *m, struct buf *out);

/** "PATH is of another build: ..." when it seems to be. */
void image_note(const struct image *img, const char *what, struct buf *out);

/* --- frame.c --- */

struct frame {
	struct slice before, token, after; /* the line, in three */
	struct symbols_query query;
	struct slice place; /* "fs/x.c:12" in the header of a WARNING */
	bool is_guess; /* "? " */
};

/** The next frame of `line` that has no file:line, from `*pos` on. */
bool frame_next(struct slice line, size_t *pos, struct frame *out);

/* --- shared by the hash tables (FNV-1a) --- */

static inline uint32_t hash_bytes(uint32_t h, const void *data, size_t len)
{
	const unsigned char *p = data;

	for (size_t i = 0; i < len; i++)
		h = (h ^ p[i]) * 16777619u;
	return h;
}

#define HASH_SEED 2166136261u

#endif /* ELF_INTERNAL_H */
