/* SPDX-License-Identifier: GPL-2.0-or-later */
/* symtab.c - the functions of an ELF file, by name and with kernel sizes. */
#include <gelf.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "elf/internal.h"

static int by_address(const void *a, const void *b)
{
	const struct sym *x = a, *y = b;

	if (x->addr != y->addr)
		return x->addr < y->addr ? -1 : 1;
	/* Aliases keep a stable order, whatever qsort() does. */
	return strcmp(x->name, y->name);
}

/* Names that scripts/kallsyms.c leaves out: they do not end a function. */
static bool is_ignored(const char *name)
{
	static const char *const prefixes[] = { "$", ".L", "__efistub_",
						"__crc_", "__pi_" };

	if (!*name)
		return true;
	for (size_t i = 0; i < ARRAY_LEN(prefixes); i++)
		if (!strncmp(name, prefixes[i], strlen(prefixes[i])))
			return true;
	return false;
}

struct sections {
	Elf *elf;
	size_t nr;
	bool *is_exec;
	uint64_t *end; /* in memory */
};

static void sections_init(struct sections *s, Elf *elf)
{
	Elf_Scn *scn = NULL;
	GElf_Shdr shdr;

	s->elf = elf;
	if (elf_getshdrnum(elf, &s->nr) != 0)
		s->nr = 0;
	s->is_exec = mem_calloc(s->nr + 1, sizeof(*s->is_exec));
	s->end = mem_calloc(s->nr + 1, sizeof(*s->end));
	while ((scn = elf_nextscn(elf, scn))) {
		size_t i = elf_ndxscn(scn);

		if (i >= s->nr || !gelf_getshdr(scn, &shdr))
			continue;
		s->is_exec[i] = (shdr.sh_flags & SHF_EXECINSTR) != 0;
		s->end[i] = shdr.sh_addr + shdr.sh_size;
	}
}

static void sections_deinit(struct sections *s)
{
	free(s->is_exec);
	free(s->end);
}

static bool is_function(const GElf_Sym *sym)
{
	int type = GELF_ST_TYPE(sym->st_info);

	return type == STT_FUNC || type == STT_NOTYPE || type == STT_GNU_IFUNC;
}

static void read_symbols(struct symtab *t, Dwfl_Module *mod, uint64_t dw_bias,
			 struct sections *s)
{
	int nr = dwfl_module_getsymtab(mod);

	if (nr <= 0)
		return;
	t->syms = mem_calloc((size_t)nr, sizeof(*t->syms));
	for (int i = 1; i < nr; i++) {
		GElf_Sym sym;
		GElf_Addr addr;
		GElf_Word shndx;
		Elf *elf;
		Dwarf_Addr bias;
		const char *name = dwfl_module_getsym_info(mod, i, &sym, &addr,
							   &shndx, &elf, &bias);

		if (!name || !is_function(&sym) || is_ignored(name) ||
		    elf != s->elf || shndx >= s->nr || !s->is_exec[shndx])
			continue;
		t->syms[t->nr++] = (struct sym){
			.name = name,
			.addr = addr - dw_bias,
			.size = sym.st_size,
			.section = shndx,
			.next = SYM_NONE,
		};
	}
}

/* Fill in `end`: aliases of one address share it. */
static void find_ends(struct symtab *t, const struct sections *s)
{
	for (uint32_t i = t->nr; i-- > 0;) {
		struct sym *sym = &t->syms[i], *next = sym + 1;

		if (i + 1 == t->nr || next->section != sym->section) {
			sym->is_last = true;
			sym->end = s->end[sym->section];
		} else if (next->addr == sym->addr) {
			sym->is_last = next->is_last;
			sym->end = next->end;
		} else {
			sym->end = next->addr;
		}
	}
}

static uint32_t bucket(const struct symtab *t, struct slice name)
{
	uint32_t h = hash_bytes(HASH_SEED, name.p, name.len);

	return (h ^ h >> 15) & t->mask;
}

static void hash_names(struct symtab *t)
{
	uint32_t n = 64;

	while (n < t->nr && n < 1u << 30)
		n *= 2;
	t->mask = n - 1;
	t->buckets = mem_calloc(n, sizeof(*t->buckets));
	memset(t->buckets, 0xff, n * sizeof(*t->buckets));
	/* From the end, so that a chain runs by ascending address. */
	for (uint32_t i = t->nr; i-- > 0;) {
		uint32_t *b =
			&t->buckets[bucket(t, slice_cstr(t->syms[i].name))];

		t->syms[i].next = *b;
		*b = i;
	}
}

void symtab_init(struct symtab *t, Dwfl_Module *mod, Dwarf_Addr dw_bias)
{
	struct sections s = {};
	GElf_Addr bias;
	GElf_Ehdr ehdr;
	Elf *elf = dwfl_module_getelf(mod, &bias);

	*t = (struct symtab){ 0 };
	if (elf && gelf_getehdr(elf, &ehdr)) {
		t->is_relocatable = ehdr.e_type == ET_REL;
		sections_init(&s, elf);
		read_symbols(t, mod, dw_bias, &s);
		if (t->nr)
			qsort(t->syms, t->nr, sizeof(*t->syms), by_address);
		find_ends(t, &s);
		sections_deinit(&s);
	}
	hash_names(t);
}

void symtab_deinit(struct symtab *t)
{
	free(t->syms);
	free(t->buckets);
	*t = (struct symtab){ 0 };
}

enum fit symtab_fit(const struct symtab *t, const struct sym *sym,
		    uint64_t size_bytes)
{
	if (sym->end > sym->addr && sym->end - sym->addr == size_bytes)
		return FIT_KALLSYMS;
	if (sym->size && sym->size == size_bytes)
		return FIT_ST_SIZE;
	/*
	 * The last function of a module's section is followed by whatever the
	 * module loader put there, or by the end of the page.
	 */
	if (t->is_relocatable && sym->is_last && size_bytes >= sym->size)
		return FIT_LAST;
	return FIT_NONE;
}

static const struct sym *chain_find(const struct symtab *t, uint32_t i,
				    struct slice name)
{
	for (; i != SYM_NONE; i = t->syms[i].next)
		if (slice_eq(slice_cstr(t->syms[i].name), name))
			return &t->syms[i];
	return NULL;
}

const struct sym *symtab_find(const struct symtab *t, struct slice name)
{
	return chain_find(t, t->buckets[bucket(t, name)], name);
}

const struct sym *symtab_find_next(const struct symtab *t,
				   const struct sym *sym)
{
	return chain_find(t, sym->next, slice_cstr(sym->name));
}

const struct sym *symtab_at(const struct symtab *t, uint64_t address)
{
	uint32_t lo = 0, hi = t->nr;

	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;

		if (t->syms[mid].addr <= address)
			lo = mid + 1;
		else
			hi = mid;
	}
	const struct sym *sym = lo ? &t->syms[lo - 1] : NULL;
	return sym && address < sym->end ? sym : NULL;
}
