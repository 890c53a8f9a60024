/* SPDX-License-Identifier: GPL-2.0-or-later */
/* signature.c - a hash of what a kernel executes, not of how it was built. */
#include <gelf.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

#include "base/io.h"
#include "base/vec.h"
#include "elf/elf.h"

/* Bytes that tell when, where or of which commit, not what. */
struct mask {
	uint64_t addr, size;
};

typedef VEC(struct mask) masks;

struct signature {
	Elf *elf;
	uint64_t file_bytes;
	size_t shstrndx;
	masks masks;
	XXH3_state_t *hash;
	uint64_t code_bytes;
};

static void deinit(struct signature *s)
{
	vec_free(&s->masks);
	XXH3_freeState(s->hash);
	elf_end(s->elf);
}

/* Objects whose contents are masked: kernel/module/main.c (release). */
static const char *const masked_objects[] = { "vermagic" };

/*
 * What lies between two symbols: kernel/configs.c (.config, packed),
 * kernel/kheaders.c (headers with dates), usr/initramfs_data.S (files with
 * dates), certs/system_certificates.S (a key made anew for each build).
 */
static const char *const masked_spans[][2] = {
	{ "kernel_config_data", "kernel_config_data_end" },
	{ "kernel_headers_data", "kernel_headers_data_end" },
	{ "__irf_start", "__irf_end" },
	{ "system_certificate_list", "system_certificate_list_size" },
};

enum { NR_SPANS = ARRAY_LEN(masked_spans) };

struct span {
	uint64_t from, to;
};

static void take_symbol(struct signature *s, const char *name,
			const GElf_Sym *sym, struct span spans[NR_SPANS])
{
	for (size_t i = 0; i < ARRAY_LEN(masked_objects); i++)
		if (!strcmp(name, masked_objects[i]))
			vec_push(&s->masks,
				 (struct mask){ sym->st_value, sym->st_size });
	for (size_t i = 0; i < NR_SPANS; i++) {
		if (!strcmp(name, masked_spans[i][0]))
			spans[i].from = sym->st_value;
		if (!strcmp(name, masked_spans[i][1]))
			spans[i].to = sym->st_value;
	}
}

static void find_masks(struct signature *s)
{
	struct span spans[NR_SPANS] = {};
	Elf_Scn *scn = NULL;
	GElf_Shdr sh;
	GElf_Sym sym;

	while ((scn = elf_nextscn(s->elf, scn))) {
		if (!gelf_getshdr(scn, &sh) || sh.sh_type != SHT_SYMTAB ||
		    !sh.sh_entsize)
			continue;
		Elf_Data *data = elf_getdata(scn, NULL);
		size_t nr = data ? data->d_size / sh.sh_entsize : 0;
		for (size_t i = 0; i < nr && i < INT32_MAX; i++) {
			if (!gelf_getsym(data, (int)i, &sym) ||
			    sym.st_shndx == SHN_UNDEF)
				continue;
			const char *name =
				elf_strptr(s->elf, sh.sh_link, sym.st_name);
			if (name)
				take_symbol(s, name, &sym, spans);
		}
	}
	for (size_t i = 0; i < NR_SPANS; i++)
		if (spans[i].from && spans[i].to > spans[i].from)
			vec_push(&s->masks,
				 (struct mask){ spans[i].from,
						spans[i].to - spans[i].from });
}

/* Overwrite what of `m` lies in the section at `addr`. */
static void apply(const struct mask *m, uint64_t addr, char *data, size_t len)
{
	uint64_t skip = m->addr > addr ? m->addr - addr : 0;
	uint64_t before = m->addr < addr ? addr - m->addr : 0;

	if (skip >= len || before >= m->size)
		return;
	uint64_t n = MIN(m->size - before, (uint64_t)len - skip);
	memset(data + skip, 0, n);
}

/*
 * Build IDs stand not only in .notes: the vDSO, a program inside the kernel,
 * has one, which depends on its debug information and so on paths.
 */
static void mask_build_ids(char *data, size_t len)
{
	static const char note[] = "\4\0\0\0\x14\0\0\0\3\0\0\0GNU"; /* and \0 */
	const size_t head = sizeof(note), id = 20;
	char *p = data, *end = data + len;

	while ((p = memmem(p, (size_t)(end - p), note, head))) {
		size_t left = (size_t)(end - p) - head;

		memset(p + head, 0, MIN(id, left));
		p += head;
	}
}

/*
 * Release, builder and date.  By their looks, for there are two of each, and
 * one has no symbol: init/version.c of Linux 6.12 has weak ones that
 * init/version-timestamp.c overrides.
 */
static void mask_banners(char *data, size_t len)
{
	static const char banner[] = "Linux version ";
	const size_t head = strlen(banner);
	char *p = data, *end = data + len;

	while ((p = memmem(p, (size_t)(end - p), banner, head))) {
		size_t n = strnlen(p, (size_t)(end - p));

		memset(p + head, 0, n - head);
		p += n;
	}
}

/* struct new_utsname, include/uapi/linux/utsname.h: six fields of 65 bytes. */
static void mask_utsnames(char *data, size_t len)
{
	enum { FIELD = 65, FIELDS = 6 };
	static const char sysname[FIELD] = "Linux";
	char *p = data, *end = data + len;

	while ((p = memmem(p, (size_t)(end - p), sysname, FIELD))) {
		size_t n = MIN((size_t)(end - p), (size_t)FIELD * FIELDS);

		memset(p + FIELD, 0, n - FIELD);
		p += n;
	}
}

/* .BTF is made from debug information, by several threads in any order. */
static bool is_wanted(const GElf_Shdr *sh, const char *name)
{
	return (sh->sh_flags & SHF_ALLOC) && sh->sh_type != SHT_NOTE &&
	       strcmp(name, ".notes") != 0 &&
	       strncmp(name, ".BTF", strlen(".BTF")) != 0;
}

static fallible hash_section(struct signature *s, Elf_Scn *scn,
			     const GElf_Shdr *sh, const char *name)
{
	_cleanup_(buf_deinit) struct buf copy = {};
	const uint64_t head[] = { sh->sh_addr, sh->sh_size, sh->sh_flags };

	XXH3_128bits_update(s->hash, name, strlen(name) + 1);
	XXH3_128bits_update(s->hash, head, sizeof(head));
	if (sh->sh_type == SHT_NOBITS)
		return NULL;
	if (sh->sh_offset > s->file_bytes ||
	    sh->sh_size > s->file_bytes - sh->sh_offset)
		return error_new(ERR_INPUT, "is truncated");
	Elf_Data *data = elf_rawdata(scn, NULL);
	if (!data || !data->d_size)
		return NULL;
	buf_add(&copy, data->d_buf, data->d_size);
	vec_for_each(&s->masks, m)
		apply(m, sh->sh_addr, copy.data, copy.len);
	mask_build_ids(copy.data, copy.len);
	mask_banners(copy.data, copy.len);
	mask_utsnames(copy.data, copy.len);
	XXH3_128bits_update(s->hash, copy.data, copy.len);
	if (sh->sh_flags & SHF_EXECINSTR)
		s->code_bytes += copy.len;
	return NULL;
}

static fallible hash_sections(struct signature *s)
{
	Elf_Scn *scn = NULL;
	GElf_Shdr sh;

	if (elf_getshdrstrndx(s->elf, &s->shstrndx) != 0)
		return error_new(ERR_INPUT, "has no section names");
	while ((scn = elf_nextscn(s->elf, scn))) {
		const char *name =
			gelf_getshdr(scn, &sh) ?
				elf_strptr(s->elf, s->shstrndx, sh.sh_name) :
				NULL;

		if (name && is_wanted(&sh, name))
			TRY(hash_section(s, scn, &sh, name));
	}
	if (!s->code_bytes)
		return error_new(ERR_NOT_FOUND, "has no code in it");
	return NULL;
}

fallible elf_signature(const char *path, char out[ELF_SIGNATURE_BYTES])
{
	_cleanup_(close_fdp) int fd = -1;
	_cleanup_(deinit) struct signature s = {};
	struct stat st;

	TRY(io_open_read(path, &fd));
	if (fstat(fd, &st) < 0)
		return error_os("%s", path);
	s.file_bytes = (uint64_t)st.st_size;
	elf_version(EV_CURRENT);
	s.elf = elf_begin(fd, ELF_C_READ_MMAP, NULL);
	if (!s.elf || elf_kind(s.elf) != ELF_K_ELF)
		return error_new(ERR_INPUT, "%s: is not an ELF file", path);
	s.hash = XXH3_createState();
	if (!s.hash || XXH3_128bits_reset(s.hash) != XXH_OK)
		abort();
	find_masks(&s);
	TRY(hash_sections(&s), "%s", path);
	XXH128_hash_t d = XXH3_128bits_digest(s.hash);
	snprintf(out, ELF_SIGNATURE_BYTES, "%016" PRIx64 "%016" PRIx64,
		 d.high64, d.low64);
	return NULL;
}
