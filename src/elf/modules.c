/* SPDX-License-Identifier: GPL-2.0-or-later */
/* modules.c - the debug file of a module, by its name. */
#include <ftw.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "elf/internal.h"

/* How a module's file may be called; earlier is better. */
static const char *const suffixes[] = {
	".ko.debug", ".ko", ".ko.xz", ".ko.gz", ".ko.zst",
};

/* The first tree is 6,000 files; a mistaken "/" should still end. */
enum { FILES_MAX = 4000000, NAMES_MAX = 8, NAME_BYTES_MAX = 64 };

struct module_file {
	char *name; /* as the kernel prints it: '-' is '_' */
	char *path;
	size_t rank; /* in suffixes[] */
};

struct module {
	char *name;
	struct image *image;
	struct error *err; /* of the first file that could not be used */
};

struct modules {
	const char *dir;
	bool is_walked;
	VEC(struct module_file) files; /* by name, rank, path */
	VEC(struct module) opened; /* by time */
	VEC(char *) missing; /* for the note; at most NAMES_MAX */
};

struct modules *modules_new(const char *dir)
{
	struct modules *m = mem_calloc(1, sizeof(*m));

	m->dir = dir;
	return m;
}

void modules_free(struct modules *m)
{
	vec_for_each(&m->files, f) {
		free(f->name);
		free(f->path);
	}
	vec_for_each(&m->opened, o) {
		free(o->name);
		error_free(o->err);
		if (o->image)
			image_close(o->image);
	}
	vec_for_each(&m->missing, name)
		free(*name);
	vec_free(&m->files);
	vec_free(&m->opened);
	vec_free(&m->missing);
	free(m);
}

static void kernel_name(char *name)
{
	for (; *name; name++)
		if (*name == '-')
			*name = '_';
}

/* nftw() passes no argument of ours; symbols are not for several threads. */
static _Thread_local struct {
	struct modules *modules;
	unsigned long nr_files;
} walk;

// NOLINTNEXTLINE(misc-unused-parameters)
static int visit(const char *path, const struct stat *st, int type,
		 struct FTW *ftw)
{
	struct slice base = slice_cstr(path + ftw->base);
	struct stat target;

	if (++walk.nr_files > FILES_MAX)
		return 1;
	/* Links to directories ("build", "source") lead out of the tree. */
	if (type != FTW_F && type != FTW_SL)
		return 0;
	for (size_t i = 0; i < ARRAY_LEN(suffixes); i++) {
		struct slice end = slice_cstr(suffixes[i]);

		if (base.len <= end.len || !slice_ends(base, end))
			continue;
		if (stat(path, &target) != 0 || !S_ISREG(target.st_mode))
			return 0;
		struct module_file f = {
			.name = mem_dup0(base.p, base.len - end.len),
			.path = mem_strdup(path),
			.rank = i,
		};
		kernel_name(f.name);
		vec_push(&walk.modules->files, f);
		return 0;
	}
	return 0;
}

static int by_name(const void *a, const void *b)
{
	const struct module_file *x = a, *y = b;
	int c = strcmp(x->name, y->name);

	if (c)
		return c;
	if (x->rank != y->rank)
		return x->rank < y->rank ? -1 : 1;
	return strcmp(x->path, y->path);
}

static void walk_dir(struct modules *m)
{
	m->is_walked = true;
	/* Links are not followed, but the directory itself may be one. */
	_cleanup_(freep) char *top = realpath(m->dir, NULL);
	if (!top)
		return;
	walk.modules = m;
	walk.nr_files = 0;
	nftw(top, visit, 32, FTW_PHYS);
	walk.modules = NULL;
	if (m->files.len)
		qsort(m->files.data, m->files.len, sizeof(*m->files.data),
		      by_name);
}

static struct module *find_opened(struct modules *m, const char *name)
{
	vec_for_each(&m->opened, o)
		if (!strcmp(o->name, name))
			return o;
	return NULL;
}

/* The first of the name's files that has what we need. */
static struct module *open_module(struct modules *m, const char *name)
{
	size_t lo = 0, hi = m->files.len;
	struct module mod = {};

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (strcmp(m->files.data[mid].name, name) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	for (; lo < m->files.len && !strcmp(m->files.data[lo].name, name) &&
	       !mod.image;
	     lo++) {
		struct error *err =
			image_open(m->files.data[lo].path, &mod.image);

		if (err && !mod.err)
			mod.err = err;
		else
			error_free(err);
	}
	if (!mod.image && !mod.err)
		return NULL;
	mod.name = mem_strdup(name);
	vec_push(&m->opened, mod);
	return &m->opened.data[m->opened.len - 1];
}

static void note_missing(struct modules *m, const char *name)
{
	vec_for_each(&m->missing, it)
		if (!strcmp(*it, name))
			return;
	if (m->missing.len < NAMES_MAX)
		vec_push(&m->missing, mem_strdup(name));
}

struct image *modules_get(struct modules *m, struct slice name)
{
	if (!name.len || name.len > NAME_BYTES_MAX)
		return NULL;
	_cleanup_(freep) char *key = mem_dup0(name.p, name.len);
	kernel_name(key);
	struct module *mod = find_opened(m, key);
	if (!mod && m->dir) {
		if (!m->is_walked)
			walk_dir(m);
		mod = open_module(m, key);
	}
	if (!mod)
		note_missing(m, key);
	return mod ? mod->image : NULL;
}

void modules_note(const struct modules *m, struct buf *out)
{
	for (size_t i = 0; i < m->opened.len; i++) {
		const struct module *mod = &m->opened.data[i];

		if (mod->image)
			image_note(mod->image, mod->image->path, out);
		else
			buf_printf(out, "module %s: %s\n", mod->name,
				   error_message(mod->err));
	}
	if (!m->missing.len)
		return;
	buf_str(out, m->dir ? "no debug file for module" :
			      "no module directory given for module");
	for (size_t i = 0; i < m->missing.len; i++)
		buf_printf(out, " %s", m->missing.data[i]);
	buf_str(out,
		m->missing.len == NAMES_MAX ? " (and maybe others)\n" : "\n");
}
