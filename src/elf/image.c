/* SPDX-License-Identifier: GPL-2.0-or-later */
/* image.c - open one ELF file with debug information. */
#include <dwarf.h>
#include <fcntl.h>
#include <gelf.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "base/mem.h"
#include "elf/internal.h"

#define HINT \
	"give the uncompressed vmlinux (or .ko) of a CONFIG_DEBUG_INFO build"

/*
 * Never look elsewhere: libdwfl's own search would find a file of another
 * build, or ask a debuginfod server.
 */
// NOLINTBEGIN(misc-unused-parameters,readability-function-size)
static int no_debuginfo(Dwfl_Module *mod, void **userdata, const char *name,
			Dwarf_Addr base, const char *file, const char *link,
			GElf_Word crc, char **debug_file)
{
	return -1;
}
// NOLINTEND(misc-unused-parameters,readability-function-size)

static const Dwfl_Callbacks callbacks = {
	.find_elf = dwfl_build_id_find_elf,
	.find_debuginfo = no_debuginfo,
	.section_address = dwfl_offline_section_address,
};

/* Do all sections lie within the file? libelf finds out too late. */
static bool is_whole(Elf *elf, uint64_t file_bytes)
{
	Elf_Scn *scn = NULL;
	GElf_Ehdr ehdr;
	GElf_Shdr shdr;

	if (!gelf_getehdr(elf, &ehdr) || ehdr.e_shoff > file_bytes)
		return false;
	while ((scn = elf_nextscn(elf, scn))) {
		if (!gelf_getshdr(scn, &shdr))
			return false;
		if (shdr.sh_type == SHT_NOBITS || shdr.sh_type == SHT_NULL)
			continue;
		if (shdr.sh_offset > file_bytes ||
		    shdr.sh_size > file_bytes - shdr.sh_offset)
			return false;
	}
	return true;
}

/* Errors that deserve better words than libdwfl's. */
static fallible check_file(const char *path, int fd)
{
	struct stat st;
	struct error *err = NULL;

	if (fstat(fd, &st) != 0)
		return error_os("%s", path);
	if (!st.st_size)
		return error_new(ERR_INPUT, "%s: is empty; " HINT, path);
	elf_version(EV_CURRENT);
	Elf *elf = elf_begin(fd, ELF_C_READ_MMAP, NULL);
	if (elf && elf_kind(elf) == ELF_K_ELF &&
	    !is_whole(elf, (uint64_t)st.st_size))
		err = error_new(ERR_INPUT, "%s: is truncated; copy it again",
				path);
	elf_end(elf);
	return err;
}

static fallible open_dwarf(struct image *img)
{
	Dwarf_Addr bias = 0;

	dwfl_report_begin(img->dwfl);
	Dwfl_Module *mod =
		dwfl_report_offline(img->dwfl, img->path, img->path, -1);
	if (!mod)
		return error_new(ERR_INPUT, "%s: is not an ELF file; " HINT,
				 img->path);
	dwfl_report_end(img->dwfl, NULL, NULL);
	img->units.dw = dwfl_module_getdwarf(mod, &bias);
	if (!img->units.dw)
		return error_new(ERR_INPUT,
				 "%s: has no debug information (DWARF); " HINT,
				 img->path);
	symtab_init(&img->symtab, mod, bias);
	if (!img->symtab.nr)
		return error_new(ERR_INPUT,
				 "%s: has no function symbols; " HINT,
				 img->path);
	return NULL;
}

fallible image_open(const char *path, struct image **out)
{
	_cleanup_(close_fdp) int fd = -1;
	struct stat st;

	/* Before open(): that of a FIFO waits for a writer. */
	if (stat(path, &st) == 0 && !S_ISREG(st.st_mode) &&
	    !S_ISDIR(st.st_mode))
		return error_new(ERR_INPUT, "%s: is not a regular file; " HINT,
				 path);
	TRY(io_open_read(path, &fd));
	TRY(check_file(path, fd));
	_cleanup_(image_closep) struct image *img = mem_calloc(1, sizeof(*img));
	img->path = mem_strdup(path);
	img->dwfl = dwfl_begin(&callbacks);
	if (!img->dwfl)
		return error_new(ERR_BUG, "libdwfl: %s", dwfl_errmsg(-1));
	TRY(open_dwarf(img));
	*out = take_ptr(img);
	return NULL;
}

void image_close(struct image *img)
{
	units_deinit(&img->units);
	symtab_deinit(&img->symtab);
	if (img->dwfl)
		dwfl_end(img->dwfl);
	free(img->root);
	free(img->path);
	free(img);
}

/* `func` is known to be defined in `file`: what stands in front of it? */
static char *root_by(struct image *img, const char *func, const char *file)
{
	const struct sym *sym = symtab_find(&img->symtab, slice_cstr(func));
	struct unit *unit = sym ? units_at(&img->units, sym->addr) : NULL;
	Dwarf_Attribute attr;

	if (!unit)
		return NULL;
	const char *name = dwarf_diename(&unit->cu);
	const char *dir =
		dwarf_formstring(dwarf_attr(&unit->cu, DW_AT_comp_dir, &attr));
	if (!name)
		return NULL;
	_cleanup_(freep) char *path = path_join(dir, name);
	size_t len = strlen(path), tail = strlen(file);
	if (len <= tail + 1 || strcmp(path + len - tail, file) != 0 ||
	    path[len - tail - 1] != '/')
		return NULL;
	return mem_dup0(path, len - tail - 1);
}

const char *image_root(struct image *img)
{
	static const char *const known[][2] = {
		{ "panic", "kernel/panic.c" },
		{ "start_kernel", "init/main.c" },
		{ "vprintk", "kernel/printk/printk.c" },
	};

	for (size_t i = 0; !img->has_root && i < ARRAY_LEN(known); i++) {
		img->root = root_by(img, known[i][0], known[i][1]);
		img->has_root = img->root != NULL;
	}
	img->has_root = true;
	return img->root;
}

void image_note(const struct image *img, const char *what, struct buf *out)
{
	unsigned long all = img->nr_fits + img->nr_misfits;

	/* A few misses are a stray word in the log; half of the frames is not. */
	if (img->nr_misfits && img->nr_misfits * 2 >= all)
		buf_printf(out,
			   "%s is of another build: %lu of %lu frames do not "
			   "match\n",
			   what, img->nr_misfits, all);
}
