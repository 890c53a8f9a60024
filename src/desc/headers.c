/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "desc/headers.h"

#include <dirent.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/files.h"
#include "base/io.h"
#include "base/mem.h"
#include "desc/lex.h"

enum { TABLE_BYTES = 1 << 20, PATH_BYTES = 4096 };

static const struct header_arch {
	const char *name, *target, *kernel, *triplet;
	const char *table, *abis, *unistd;
	unsigned first;
} header_archs[] = {
#define HEADER_ARCH(...) { __VA_ARGS__ },
#include "desc/header_arch.def"
};

static const char *const empty_files[] = {
#define CONFIG(name, value)
#define BOUND(name, value)
#define EMPTY(path) path,
#include "desc/header_config.def"
};

static const char config_text[] =
#define CONFIG(name, value) "#define CONFIG_" #name " " #value "\n"
#define BOUND(name, value)
#define EMPTY(path)
#include "desc/header_config.def"
	;

static const char bounds_text[] =
#define CONFIG(name, value)
#define BOUND(name, value) "#define " #name " " #value "\n"
#define EMPTY(path)
#include "desc/header_config.def"
	;

static const struct header_arch *find_arch(const struct desc_arch *arch)
{
	size_t i = 0;

	while (strcmp(header_archs[i].name, arch->name))
		i++; /* every architecture of arch.def has a row */
	return &header_archs[i];
}

static PRINTF(2, 3) void add_arg(struct desc_headers *h, const char *fmt, ...)
{
	va_list ap;
	char *s;

	va_start(ap, fmt);
	if (vasprintf(&s, fmt, ap) < 0)
		abort();
	va_end(ap);
	vec_push(&h->args, s);
}

/* "-target x -DY" as the arguments it is. */
static void add_target(struct desc_headers *h, const char *target)
{
	add_arg(h, "-target");
	while (*target) {
		size_t n = strcspn(target, " ");

		add_arg(h, "%.*s", (int)n, target);
		target += n + (target[n] == ' ');
	}
}

void desc_headers_close(struct desc_headers *h)
{
	if (h->dir)
		file_remove_tree(h->dir);
	free(h->dir);
	free(h->source);
	vec_for_each(&h->args, a)
		free(*a);
	vec_free(&h->args);
	free(h);
}

static fallible put(const struct desc_headers *h, const char *name,
		    struct slice text)
{
	_cleanup_(freep) char *path = text_printf("%s/%s", h->dir, name);

	return file_write(path, text);
}

static bool is_there(const char *tree, const char *arch, const char *below,
		     const char *name)
{
	_cleanup_(freep) char *path = text_printf("%s/arch/%s/include/%s/%s",
						  tree, arch, below, name);

	return file_exists(path);
}

/*
 * What generic-y and mandatory-y of arch/x/include/asm/Kbuild are for: an
 * <asm/x.h> of the generic one where the architecture has none of its own.
 */
static fallible wrap_generic(const struct desc_headers *h, const char *tree,
			     const struct header_arch *a, const char *from,
			     bool uapi)
{
	_cleanup_(freep) char *path = text_printf("%s/%s", tree, from);
	DIR *dir = opendir(path);
	struct error *err = NULL;
	const struct dirent *e;

	if (!dir)
		return error_new(ERR_NOT_FOUND,
				 "%s: not the source tree of a kernel (no %s)",
				 tree, from);
	while (!err && (e = readdir(dir))) {
		if (!slice_ends(slice_cstr(e->d_name), SLICE(".h")) ||
		    is_there(tree, a->kernel, "uapi/asm", e->d_name) ||
		    (!uapi && is_there(tree, a->kernel, "asm", e->d_name)))
			continue;
		_cleanup_(freep) char *name =
			text_printf("%sasm/%s", uapi ? "uapi/" : "", e->d_name);
		_cleanup_(freep) char *text =
			text_printf("#include <%sasm-generic/%s>\n",
				    uapi ? "uapi/" : "", e->d_name);

		err = put(h, name, slice_cstr(text));
	}
	closedir(dir);
	return err;
}

static struct slice next_word(struct slice *s)
{
	*s = slice_trim(*s);
	struct slice word = *s;

	for (word.len = 0; word.len < s->len; word.len++)
		if (char_is_blank(s->p[word.len]))
			break;
	*s = slice_from(*s, word.len);
	return word;
}

static bool has_word(struct slice list, struct slice word)
{
	struct slice w;

	while ((w = next_word(&list)).len)
		if (slice_eq(w, word))
			return true;
	return false;
}

/* ABIs of the table that are the architecture's: see header_arch.def. */
static void add_abis(const char *tree, const struct header_arch *a,
		     struct buf *abis)
{
	_cleanup_(freep) char *path = text_printf(
		"%s/arch/%s/kernel/Makefile.syscalls", tree, a->kernel);
	_cleanup_(buf_deinit) struct buf text = {};
	struct slice all, line;

	buf_str(abis, a->abis);
	if (!has_word(slice_cstr(a->abis), SLICE("+")))
		return;
	error_free(io_read_file(path, TABLE_BYTES, &text));
	all = buf_as_slice(&text);
	while (slice_line(&all, &line))
		if (slice_eq(next_word(&line), SLICE("syscall_abis_64")) &&
		    slice_eq(next_word(&line), SLICE("+="))) {
			buf_char(abis, ' ');
			buf_slice(abis, line);
		}
}

/* "nr abi name entry": a number in decimal. */
static void table_to_header(const struct header_arch *a, struct slice text,
			    struct slice abis, struct buf *out)
{
	struct slice line;
	uint64_t nr, end = 0;

	while (slice_line(&text, &line)) {
		struct slice number = next_word(&line);
		struct slice abi = next_word(&line), name = next_word(&line);

		if (!lex_number(number, &nr) || nr > 65535 || !name.len ||
		    !has_word(abis, abi))
			continue;
		buf_printf(out, "#define __NR_" SLICE_FMT " %u\n",
			   SLICE_ARG(name), (unsigned)nr + a->first);
		end = nr + 1 > end ? nr + 1 : end;
	}
	buf_printf(out, "#define __NR_syscalls %u\n", (unsigned)end + a->first);
}

static fallible make_unistd(const struct desc_headers *h, const char *tree,
			    const struct header_arch *a)
{
	_cleanup_(freep) char *path = text_printf("%s/%s", tree, a->table);
	_cleanup_(freep) char *name = text_printf("asm/%s", a->unistd);
	_cleanup_(buf_deinit) struct buf text = {}, abis = {}, out = {};

	if (!file_exists(path))
		return NULL;
	TRY(io_read_file(path, TABLE_BYTES, &text));
	add_abis(tree, a, &abis);
	table_to_header(a, buf_as_slice(&text), buf_as_slice(&abis), &out);
	return put(h, name, buf_as_slice(&out));
}

/* VERSION and PATCHLEVEL are in the first lines of the Makefile. */
static fallible make_version(const struct desc_headers *h, const char *tree)
{
	_cleanup_(freep) char *path = text_printf("%s/Makefile", tree);
	_cleanup_(buf_deinit) struct buf text = {}, out = {};
	uint64_t part[3] = {};
	struct slice all, line;

	TRY(io_read_file(path, TABLE_BYTES, &text));
	all = buf_as_slice(&text);
	while (slice_line(&all, &line)) {
		static const char *const names[] = { "VERSION", "PATCHLEVEL",
						     "SUBLEVEL" };
		struct slice name = next_word(&line);

		for (size_t i = 0; i < ARRAY_LEN(names); i++)
			if (slice_eq(name, slice_cstr(names[i])) &&
			    slice_eq(next_word(&line), SLICE("=")))
				lex_number(slice_trim(line), &part[i]);
	}
	buf_printf(&out,
		   "#define LINUX_VERSION_CODE %u\n"
		   "#define KERNEL_VERSION(a, b, c) "
		   "(((a) << 16) + ((b) << 8) + (c))\n",
		   (unsigned)((part[0] & 255) << 16 | (part[1] & 255) << 8 |
			      (part[2] < 255 ? part[2] : 255)));
	return put(h, "linux/version.h", buf_as_slice(&out));
}

static fallible make_config(const struct desc_headers *h,
			    const struct desc_arch *arch)
{
	_cleanup_(buf_deinit) struct buf out = {};

	buf_str(&out, config_text);
	if (arch->ptr_bytes == 8)
		buf_str(&out, "#define CONFIG_64BIT 1\n"
			      "#define CONFIG_X86_64 1\n"
			      "#define CONFIG_PGTABLE_LEVELS 4\n");
	else
		buf_str(&out, "#define CONFIG_X86_32 1\n"
			      "#define CONFIG_PGTABLE_LEVELS 2\n");
	return put(h, "generated/autoconf.h", buf_as_slice(&out));
}

static fallible generate(const struct desc_headers *h, const char *tree,
			 const struct header_arch *a,
			 const struct desc_arch *arch)
{
	static const char *const dirs[] = { "uapi/asm", "asm", "linux",
					    "generated" };

	for (size_t i = 0; i < ARRAY_LEN(dirs); i++) {
		_cleanup_(freep) char *path =
			text_printf("%s/%s", h->dir, dirs[i]);

		TRY(file_make_dirs(path));
	}
	for (size_t i = 0; i < ARRAY_LEN(empty_files); i++)
		TRY(put(h, empty_files[i], SLICE("")));
	TRY(make_config(h, arch));
	TRY(put(h, "generated/bounds.h", slice_cstr(bounds_text)));
	TRY(wrap_generic(h, tree, a, "include/uapi/asm-generic", false));
	TRY(wrap_generic(h, tree, a, "include/asm-generic", false));
	TRY(wrap_generic(h, tree, a, "include/uapi/asm-generic", true));
	TRY(make_unistd(h, tree, a));
	return make_version(h, tree);
}

static void add_kernel_args(struct desc_headers *h, const char *tree,
			    const struct header_arch *a)
{
	add_arg(h, "-nostdlibinc");
	add_arg(h, "-D__KERNEL__");
	add_arg(h, "-fshort-wchar");
	add_arg(h, "-I%s/arch/%s/include", tree, a->kernel);
	add_arg(h, "-I%s", h->dir);
	add_arg(h, "-I%s/include", tree);
	add_arg(h, "-I%s/arch/%s/include/uapi", tree, a->kernel);
	add_arg(h, "-I%s/include/uapi", tree);
	add_arg(h, "-I%s", tree); /* include <fs/xfs/libxfs/xfs_fs.h> */
	/* What makefiles of architectures add. */
	add_arg(h, "-I%s/arch/%s/include/asm/mach-generic", tree, a->kernel);
	add_arg(h, "-D__LINUX_ARM_ARCH__=7");
	add_arg(h, "-DKBUILD_MODNAME=\"bugon\"");
}

static fallible open_user(struct desc_headers *h, const struct header_arch *a)
{
	if (!file_is_dir(h->source))
		return error_new(ERR_NOT_FOUND, "no directory %s", h->source);
	add_arg(h, "-nostdlibinc");
	add_arg(h, "-isystem%s/%s", h->source, a->triplet);
	add_arg(h, "-isystem%s", h->source);
	return NULL;
}

static fallible open_kernel(struct desc_headers *h, const struct header_arch *a)
{
	const char *temp = getenv("TMPDIR");

	h->dir = text_printf("%s/bugon-headers.XXXXXX",
			     temp && *temp ? temp : "/tmp");
	if (!mkdtemp(h->dir)) {
		struct error *err = error_os("%s", h->dir);

		free(take_ptr(h->dir));
		return err;
	}
	TRY(generate(h, h->source, a, h->arch));
	add_kernel_args(h, h->source, a);
	return NULL;
}

fallible desc_headers_open(const char *dir, bool user,
			   const struct desc_arch *arch,
			   struct desc_headers **out)
{
	const struct header_arch *a = find_arch(arch);
	_cleanup_(desc_headers_closep) struct desc_headers *h =
		mem_calloc(1, sizeof(*h));

	h->arch = arch;
	h->user = user;
	h->source = mem_strdup(dir);
	add_target(h, a->target);
	TRY(user ? open_user(h, a) : open_kernel(h, a));
	*out = take_ptr(h);
	return NULL;
}
