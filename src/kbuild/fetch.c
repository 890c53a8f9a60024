/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fetch.c - kernels that somebody else has built. */
#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/io.h"
#include "base/mem.h"
#include "elf/elf.h"
#include "kbuild/internal.h"

/* The name of the entry of `dir` that begins with `prefix`, or NULL. */
static char *find_by_prefix(const char *dir, const char *prefix)
{
	DIR *d = opendir(dir);
	char *found = NULL;

	for (struct dirent *e; d && !found && (e = readdir(d));)
		if (!strncmp(e->d_name, prefix, strlen(prefix)))
			found = mem_strdup(e->d_name);
	if (d)
		closedir(d);
	return found;
}

/* ---- Debian's ---- */

struct job {
	struct kernel_cache *cache;
	const struct kernel_fetch *f;
	struct package image;
	struct stage stage;
	struct kernel_entry entry; /* of the cache, if it is there already */
};

static void job_deinit(struct job *j)
{
	package_deinit(&j->image);
	stage_close(&j->stage);
	kernel_entry_deinit(&j->entry);
}

static void find_entry(struct job *j)
{
	_cleanup_(kernel_entries_deinit) kernel_entries all = {};

	kernel_list(cache_path(j->cache), false, &all);
	vec_for_each(&all, e) {
		if (strcmp(e->info.package, j->image.name) != 0 ||
		    strcmp(e->info.package_version, j->image.version) != 0)
			continue;
		j->entry = *e;
		*e = (struct kernel_entry){ 0 };
		return;
	}
}

/* `path` below the unpacked package becomes `name` in the new directory. */
static fallible take(struct job *j, const char *path, const char *name)
{
	_cleanup_(freep) char *from =
		text_printf("%s/tree/%s", j->stage.dir, path);
	_cleanup_(freep) char *to = text_printf("%s/%s", j->stage.out, name);

	if (!file_exists(from))
		return error_new(ERR_INFRA, "%s has no %s in it", j->image.name,
				 path);
	return file_move(from, to);
}

static fallible unpack(struct job *j, const struct package *p)
{
	_cleanup_(freep) char *tree = text_printf("%s/tree", j->stage.dir);

	talk_note(&j->f->talk,
		  "%s %s: %ju MB to download, %ju MB on disk to unpack it",
		  p->name, p->version, (uintmax_t)p->size_bytes / 1000000,
		  (uintmax_t)p->installed_bytes / 1000000);
	TRY(file_need_space(cache_path(j->cache),
			    p->size_bytes + p->installed_bytes));
	return apt_unpack(p, j->stage.dir, tree, &j->f->talk);
}

static fallible drop_tree(struct job *j)
{
	_cleanup_(freep) char *tree = text_printf("%s/tree", j->stage.dir);

	file_remove_tree(tree);
	return child_check_cancelled();
}

/* The release is what follows vmlinuz- in the package. */
static fallible take_image(struct job *j, bool modules, char **release)
{
	_cleanup_(freep) char *boot = text_printf("%s/tree/boot", j->stage.dir);
	_cleanup_(freep) char *name = NULL;

	TRY(unpack(j, &j->image));
	name = find_by_prefix(boot, "vmlinuz-");
	if (!name)
		return error_new(ERR_INFRA, "%s has no kernel in it",
				 j->image.name);
	*release = mem_strdup(name + strlen("vmlinuz-"));
	_cleanup_(freep) char *vmlinuz = text_printf("boot/%s", name);
	_cleanup_(freep) char *config = text_printf("boot/config-%s", *release);
	_cleanup_(freep) char *mods = text_printf("lib/modules/%s", *release);
	TRY(take(j, vmlinuz, "vmlinuz"));
	TRY(take(j, config, "config"));
	if (modules)
		TRY(take(j, mods, "modules"));
	return drop_tree(j);
}

static fallible take_symbols(struct job *j, const char *release)
{
	struct slice base = slice_cstr(j->image.name);
	_cleanup_(package_deinit) struct package dbg = {};
	bool found;

	if (slice_ends(base, SLICE("-unsigned")))
		base.len -= strlen("-unsigned");
	_cleanup_(freep) char *name = text_printf(
		SLICE_FMT "-dbg=%s", SLICE_ARG(base), j->image.version);
	_cleanup_(freep) char *path =
		text_printf("usr/lib/debug/boot/vmlinux-%s", release);
	TRY(apt_show(name, &dbg, &found));
	if (!found)
		return error_new(ERR_NOT_FOUND,
				 "the configured archives have no %s", name);
	TRY(unpack(j, &dbg));
	TRY(take(j, path, "vmlinux"));
	return drop_tree(j);
}

static void describe(const struct job *j, const char *release,
		     struct kernel_info *i)
{
	kernel_info_init(i);
	info_set(&i->release, slice_cstr(release));
#if defined(__aarch64__)
	info_set(&i->arch, SLICE("arm64"));
#else
	info_set(&i->arch, SLICE("x86_64"));
#endif
	info_set(&i->origin, SLICE("debian"));
	info_set(&i->package, slice_cstr(j->image.name));
	info_set(&i->package_version, slice_cstr(j->image.version));
}

static fallible fetch_new(struct job *j, struct buf *dir)
{
	_cleanup_(info_deinit) struct kernel_info info = {};
	_cleanup_(freep) char *release = NULL;
	bool known;

	TRY(take_image(j, j->f->modules, &release));
	if (j->f->symbols)
		TRY(take_symbols(j, release));
	describe(j, release, &info);
	return stage_publish(j->cache, &j->stage, &info, dir, &known);
}

/* What was prepared as `name` goes into the directory that is there. */
static fallible add(struct job *j, const char *name)
{
	_cleanup_(freep) char *from = text_printf("%s/%s", j->stage.out, name);
	_cleanup_(freep) char *to = text_printf("%s/%s", j->entry.dir, name);

	return file_move(from, to);
}

/* The symbols that were prepared, and what they say of the kernel. */
static fallible publish_symbols(struct job *j)
{
	_cleanup_(freep) char *vmlinux =
		text_printf("%s/vmlinux", j->stage.out);
	_cleanup_(freep) char *info = text_printf("%s/info", j->stage.out);
	char sig[ELF_SIGNATURE_BYTES];

	struct error *err = elf_signature(vmlinux, sig);
	if (!err)
		info_set(&j->entry.info.signature, slice_cstr(sig));
	else if (error_kind(err) != ERR_NOT_FOUND)
		return err;
	error_free(err); /* symbols alone, without code */
	TRY(info_write(&j->entry.info, info));
	TRY(add(j, "vmlinux"));
	return add(j, "info");
}

static fallible add_symbols(struct job *j)
{
	TRY(take_symbols(j, j->entry.info.release));
	return publish_symbols(j);
}

static fallible complete(struct job *j)
{
	_cleanup_(freep) char *release = NULL;

	if (j->f->modules && !j->entry.modules) {
		TRY(take_image(j, true, &release));
		TRY(add(j, "modules"));
	}
	if (j->f->symbols && !j->entry.vmlinux)
		TRY(add_symbols(j));
	return NULL;
}

static fallible fetch_debian(struct job *j, struct buf *dir)
{
	_cleanup_(close_fdp) int lock = -1;

	TRY(apt_resolve(j->f->what, &j->image));
	/* Another one may be fetching just this: then it is here soon. */
	_cleanup_(freep) char *key =
		text_printf("%s=%s", j->image.name, j->image.version);
	TRY(cache_lock(j->cache, key, &lock));
	find_entry(j);
	TRY(stage_open(j->cache, &j->stage));
	if (!j->entry.dir)
		return fetch_new(j, dir);
	TRY(complete(j));
	buf_str(dir, j->entry.dir);
	return NULL;
}

/* ---- a file ---- */

/* Beside it, or where Debian has it; skipped if it cannot be read. */
static fallible copy_if(const struct kernel_fetch *f, const char *from,
			const char *to, const char *what)
{
	if (!file_exists(from))
		return NULL;
	struct error *err = file_copy(from, to);

	if (err && error_kind(err) == ERR_OS)
		return err;
	if (err)
		talk_note(&f->talk, "without %s: %s", what, error_message(err));
	error_free(err);
	return NULL;
}

/*
 * Debian's place for something: of the tree that the file lies in (ROOT/boot),
 * else of this machine.  NULL if there is nothing; free() it.
 */
static char *find_place(const struct kernel_fetch *f, const char *below)
{
	const char *slash = strrchr(f->what, '/');
	_cleanup_(freep) char *near = text_printf(
		"%.*s/../%s", (int)(slash - f->what), f->what, below);
	_cleanup_(freep) char *here = text_printf("/%s", below);

	if (file_exists(near))
		return take_ptr(near);
	return file_exists(here) ? take_ptr(here) : NULL;
}

/* Taken when it is there; missing only if it was asked for. */
static fallible copy_symbols(const struct kernel_fetch *f, const char *release,
			     const struct stage *s)
{
	_cleanup_(freep) char *below =
		text_printf("usr/lib/debug/boot/vmlinux-%s", release);
	_cleanup_(freep) char *from = find_place(f, below);
	_cleanup_(freep) char *to = text_printf("%s/vmlinux", s->out);

	if (from)
		TRY(copy_if(f, from, to, "its symbols"));
	if (f->symbols && !file_exists(to))
		return error_new(ERR_NOT_FOUND,
				 "%s: no symbols of it in /%s: install its "
				 "-dbg package",
				 f->what, below);
	return NULL;
}

static fallible copy_modules(const struct kernel_fetch *f, const char *release,
			     const struct stage *s)
{
	_cleanup_(child_result_deinit) struct child_result r = {};
	_cleanup_(freep) char *below = text_printf("lib/modules/%s", release);
	_cleanup_(freep) char *from = find_place(f, below);
	_cleanup_(freep) char *to = text_printf("%s/modules", s->out);
	const char *argv[] = { "cp", "-a", "-T", "--", from, to, NULL };

	if (!from)
		return error_new(ERR_NOT_FOUND, "%s: no modules of it in /%s",
				 f->what, below);
	TRY(child_run(&(struct child_opts){ .argv = argv }, &r));
	if (!child_ok(&r))
		return error_new(ERR_OS, "copying %s: " SLICE_FMT, from,
				 SLICE_ARG(slice_trim(buf_as_slice(&r.tail))));
	return NULL;
}

static fallible copy_kernel(const struct kernel_fetch *f, const char *release,
			    const struct stage *s)
{
	const char *slash = strrchr(f->what, '/');
	_cleanup_(freep) char *image = text_printf("%s/%s", s->out, f->image);
	_cleanup_(freep) char *config_from = text_printf(
		"%.*s/config-%s", (int)(slash - f->what), f->what, release);
	_cleanup_(freep) char *config_to = text_printf("%s/config", s->out);
	bool own_symbols = !strcmp(f->image, "linux");

	TRY(file_copy(f->what, image));
	if (!*release && ((f->symbols && !own_symbols) || f->modules))
		return error_new(ERR_NOT_FOUND,
				 "%s: only of a file vmlinuz-VERSION is known "
				 "where its symbols and modules are",
				 f->what);
	if (!*release)
		return NULL;
	TRY(copy_if(f, config_from, config_to, "its configuration"));
	if (f->modules)
		TRY(copy_modules(f, release, s));
	return copy_symbols(f, release, s);
}

/* The kernel is there already; what was prepared and it lacks comes to it. */
static fallible add_to_known(struct job *j, const char *dir)
{
	_cleanup_(freep) char *vmlinux =
		text_printf("%s/vmlinux", j->stage.out);
	_cleanup_(close_fdp) int lock = -1;

	TRY(cache_lock(j->cache, dir, &lock));
	if (!kernel_entry_read(dir, &j->entry))
		return error_new(ERR_OS, "%s: no kernel in it any more", dir);
	if (j->f->modules && !j->entry.modules)
		TRY(add(j, "modules"));
	if (!j->entry.vmlinux && file_exists(vmlinux))
		TRY(publish_symbols(j));
	return NULL;
}

static fallible fetch_file(struct job *j, struct buf *dir)
{
	const struct kernel_fetch *f = j->f;
	const char *base = strrchr(f->what, '/') + 1;
	const char *release = strncmp(base, "vmlinuz-", 8) ? "" : base + 8;
	_cleanup_(info_deinit) struct kernel_info info = {};
	bool known;

	TRY(stage_open(j->cache, &j->stage));
	TRY(copy_kernel(f, release, &j->stage));
	kernel_info_init(&info);
	info_set(&info.release, slice_cstr(release));
	info_set(&info.arch, slice_cstr(f->arch));
	info_set(&info.origin, SLICE("file"));
	info_set(&info.source, slice_cstr(f->what));
	TRY(stage_publish(j->cache, &j->stage, &info, dir, &known));
	return known ? add_to_known(j, buf_cstr(dir)) : NULL;
}

fallible kernel_fetch(struct kernel_cache *c, const struct kernel_fetch *f,
		      struct buf *dir)
{
	_cleanup_(job_deinit) struct job j = {
		.cache = c,
		.f = f,
		.stage.lock = -1,
	};

	if (f->what && strchr(f->what, '/'))
		return fetch_file(&j, dir);
	return fetch_debian(&j, dir);
}
