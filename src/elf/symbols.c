/* SPDX-License-Identifier: GPL-2.0-or-later */
/* symbols.c - lookups, and the memory of their answers. */
#include <dwarf.h>
#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "elf/internal.h"

/* Answers kept; a log repeats itself, a stream of logs goes on for ever. */
enum {
	ANSWERS_MAX = 1 << 15,
	SLOTS = 1 << 16,
	LINES_MAX = 1 << 20,
	NAMESAKES_MAX = 64,
};

struct answer {
	struct symbols_query query; /* its text is in the arena */
	uint32_t hash;
	enum symbols_status status;
	struct source_chain chain;
};

struct symbols {
	struct image *vmlinux;
	struct modules *modules;
	char *module_dir;
	struct symbols_stats stats;
	struct arena *arena; /* of the answers */
	size_t nr_lines; /* in it */
	uint32_t *slots; /* answer number + 1 */
	VEC(struct answer) answers;
};

fallible symbols_open(const char *vmlinux, const char *module_dir,
		      struct symbols **out)
{
	_cleanup_(symbols_closep) struct symbols *s = mem_calloc(1, sizeof(*s));
	struct stat st;

	if (module_dir && stat(module_dir, &st) != 0)
		return error_new(ERR_NOT_FOUND, "%s: no such directory",
				 module_dir);
	if (module_dir && !S_ISDIR(st.st_mode))
		return error_new(ERR_INPUT, "%s: is not a directory",
				 module_dir);
	TRY(image_open(vmlinux, &s->vmlinux));
	s->module_dir = module_dir ? mem_strdup(module_dir) : NULL;
	s->modules = modules_new(s->module_dir);
	s->arena = arena_new();
	s->slots = mem_calloc(SLOTS, sizeof(*s->slots));
	*out = take_ptr(s);
	return NULL;
}

void symbols_close(struct symbols *s)
{
	vec_free(&s->answers);
	free(s->slots);
	if (s->arena)
		arena_free(s->arena);
	if (s->modules)
		modules_free(s->modules);
	if (s->vmlinux)
		image_close(s->vmlinux);
	free(s->module_dir);
	free(s);
}

/* --- lookups --- */

static const char *source_path(struct symbols *s, struct unit *unit,
			       struct src_file *file)
{
	if (file->path)
		return file->path;
	Dwarf_Attribute attr;
	const char *dir =
		dwarf_formstring(dwarf_attr(&unit->cu, DW_AT_comp_dir, &attr));
	_cleanup_(freep) char *comp_dir = dir ? path_join(NULL, dir) : NULL;
	_cleanup_(freep) char *below = path_join(file->dir, file->name);
	_cleanup_(freep) char *path = path_join(dir, below);
	const char *dirs[] = { image_root(s->vmlinux), comp_dir };
	file->path = mem_strdup(path_strip(path, dirs, ARRAY_LEN(dirs)));
	return file->path;
}

/* The lines at `pc`, in the arena; no lines: nr is 0. */
static struct source_chain chain_at(struct symbols *s, struct image *img,
				    const struct sym *sym, uint64_t pc)
{
	struct raw_line raw[CHAIN_MAX];
	/* What follows the last instruction is not of the function. */
	bool is_code = !sym->size || pc < sym->addr + sym->size;
	struct unit *unit = is_code ? units_at(&img->units, pc) : NULL;
	size_t nr = unit ? unit_chain(&img->units, unit, sym->addr, pc, raw) :
			   0;
	size_t n = 0;

	if (!nr)
		return (struct source_chain){ 0 };
	struct source_line *lines = arena_alloc(s->arena, nr * sizeof(*lines));
	s->nr_lines += nr;
	for (size_t i = 0; i < nr; i++) {
		bool is_last = i + 1 == nr;

		/* Line 0 is code that belongs to no line in particular. */
		if (!raw[i].file || !raw[i].line ||
		    (!is_last && !raw[i].func)) {
			if (is_last)
				return (struct source_chain){ 0 };
			continue;
		}
		lines[n++] = (struct source_line){
			.func = is_last ? sym->name : raw[i].func,
			.file = source_path(s, unit, raw[i].file),
			.line = raw[i].line,
			.inlined = !is_last,
		};
	}
	return (struct source_chain){ lines, n };
}

static bool same_chain(struct source_chain a, struct source_chain b)
{
	if (a.nr != b.nr)
		return false;
	for (size_t i = 0; i < a.nr; i++)
		if (a.lines[i].line != b.lines[i].line ||
		    strcmp(a.lines[i].file, b.lines[i].file) != 0 ||
		    strcmp(a.lines[i].func, b.lines[i].func) != 0)
			return false;
	return true;
}

/*
 * The namesakes whose size fits best, the first NAMESAKES_MAX of them; the one
 * at the printed address beats all.  `*is_known`: the name exists.
 */
static size_t find_namesakes(const struct symtab *t,
			     const struct symbols_query *q,
			     const struct sym **out, bool *is_known)
{
	const struct sym *sym = symtab_find(t, q->func);
	enum fit best = FIT_NONE;
	size_t nr = 0;

	*is_known = sym != NULL;
	for (; sym; sym = symtab_find_next(t, sym)) {
		enum fit fit = symtab_fit(t, sym, q->size_bytes);

		if (fit == FIT_NONE)
			continue;
		if (q->address && sym->addr + q->offset_bytes == q->address) {
			out[0] = sym;
			return 1;
		}
		if (fit < best)
			continue;
		if (fit > best)
			nr = 0;
		best = fit;
		if (nr < NAMESAKES_MAX &&
		    (!nr || out[nr - 1]->addr != sym->addr))
			out[nr++] = sym;
	}
	return nr;
}

/* Padding in front of a function (x86 since 6.2), and its kCFI type. */
static bool is_padding(struct slice name)
{
	return slice_starts(name, SLICE("__pfx_")) ||
	       slice_starts(name, SLICE("__cfi_"));
}

static enum symbols_status lookup_in(struct symbols *s, struct image *img,
				     const struct symbols_query *q,
				     struct source_chain *out)
{
	const struct sym *syms[NAMESAKES_MAX];
	bool is_known;
	size_t nr = find_namesakes(&img->symtab, q, syms, &is_known);
	uint64_t back = q->is_return && q->offset_bytes ? 1 : 0;

	if (!nr || q->offset_bytes > q->size_bytes)
		return is_known ? SYMBOLS_MISMATCH : SYMBOLS_UNKNOWN;
	if (is_padding(q->func))
		return SYMBOLS_NO_LINE;
	if (nr == NAMESAKES_MAX)
		return SYMBOLS_AMBIGUOUS;
	struct source_chain chain = {};
	for (size_t i = 0; i < nr; i++) {
		struct source_chain c =
			chain_at(s, img, syms[i],
				 syms[i]->addr + q->offset_bytes - back);

		if (i && !same_chain(c, chain))
			return SYMBOLS_AMBIGUOUS;
		chain = c;
	}
	*out = chain;
	return chain.nr ? SYMBOLS_FOUND : SYMBOLS_NO_LINE;
}

/* --- memory --- */

static uint32_t query_hash(const struct symbols_query *q)
{
	uint64_t numbers[] = { q->offset_bytes, q->size_bytes, q->address,
			       q->is_return };
	uint32_t h = hash_bytes(HASH_SEED, numbers, sizeof(numbers));

	h = hash_bytes(h, q->func.p, q->func.len);
	h = hash_bytes(h, "", 1);
	return hash_bytes(h, q->module.p, q->module.len);
}

static bool same_query(const struct symbols_query *a,
		       const struct symbols_query *b)
{
	return a->offset_bytes == b->offset_bytes &&
	       a->size_bytes == b->size_bytes && a->address == b->address &&
	       a->is_return == b->is_return && slice_eq(a->func, b->func) &&
	       slice_eq(a->module, b->module);
}

static uint32_t *answer_slot(struct symbols *s, const struct symbols_query *q,
			     uint32_t hash)
{
	for (uint32_t i = hash ^ hash >> 16;; i++) {
		uint32_t *slot = &s->slots[i & (SLOTS - 1)];

		if (!*slot)
			return slot;
		const struct answer *a = &s->answers.data[*slot - 1];
		if (a->hash == hash && same_query(&a->query, q))
			return slot;
	}
}

static void forget_answers(struct symbols *s)
{
	memset(s->slots, 0, SLOTS * sizeof(*s->slots));
	s->answers.len = 0;
	s->nr_lines = 0;
	arena_reset(s->arena);
}

static struct answer answer(struct symbols *s, const struct symbols_query *q)
{
	struct answer a = { .query = *q };
	struct image *img = q->module.len ? modules_get(s->modules, q->module) :
					    s->vmlinux;

	a.query.func = arena_slice(s->arena, q->func);
	a.query.module = arena_slice(s->arena, q->module);
	a.status = img ? lookup_in(s, img, q, &a.chain) : SYMBOLS_NO_MODULE;
	return a;
}

static void count(struct symbols *s, const struct symbols_query *q,
		  enum symbols_status status)
{
	struct image *img = s->vmlinux;

	s->stats.nr[status]++;
	if (q->module.len)
		img = status == SYMBOLS_NO_MODULE ?
			      NULL :
			      modules_get(s->modules, q->module);
	if (!img)
		return;
	if (status == SYMBOLS_UNKNOWN || status == SYMBOLS_MISMATCH)
		img->nr_misfits++;
	else
		img->nr_fits++;
}

enum symbols_status symbols_lookup(struct symbols *s,
				   const struct symbols_query *q,
				   struct source_chain *out)
{
	if (s->answers.len >= ANSWERS_MAX || s->nr_lines >= LINES_MAX)
		forget_answers(s);
	uint32_t hash = query_hash(q);
	uint32_t *slot = answer_slot(s, q, hash);
	if (!*slot) {
		struct answer a = answer(s, q);

		a.hash = hash;
		vec_push(&s->answers, a);
		*slot = (uint32_t)s->answers.len;
	}
	const struct answer *a = &s->answers.data[*slot - 1];
	count(s, q, a->status);
	if (a->status == SYMBOLS_FOUND)
		*out = a->chain;
	return a->status;
}

bool symbols_name(const struct symbols *s, uint64_t address, struct buf *out)
{
	const struct sym *sym = symtab_at(&s->vmlinux->symtab, address);

	if (!sym)
		return false;
	buf_printf(out, "%s+0x%llx/0x%llx", sym->name,
		   (unsigned long long)(address - sym->addr),
		   (unsigned long long)(sym->end - sym->addr));
	return true;
}

struct symbols_stats symbols_stats(const struct symbols *s)
{
	return s->stats;
}

void symbols_note(const struct symbols *s, struct buf *out)
{
	image_note(s->vmlinux, "vmlinux", out);
	modules_note(s->modules, out);
}
