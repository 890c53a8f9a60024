/* SPDX-License-Identifier: GPL-2.0-or-later */
/* list.c - what is in the cache. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "base/mem.h"
#include "kbuild/internal.h"
#include "json/json.h"

enum {
	MAX_INFO_BYTES = 1 << 20,
	MAX_CONFIG_BYTES = 16 << 20,
	MAX_ENTRIES = 1024,
};

/* ---- the file "info" ---- */

void info_set(char **field, struct slice text)
{
	free(*field);
	*field = mem_dup0(text.p ? text.p : "", text.len);
}

void info_deinit(struct kernel_info *i)
{
#define TEXT(name) free(i->name);
#define INT(name)
#define FLAG(name)
#include "kbuild/info.def"
#undef TEXT
#undef INT
#undef FLAG
	*i = (struct kernel_info){ 0 };
}

void kernel_info_init(struct kernel_info *i)
{
	*i = (struct kernel_info){ 0 };
#define TEXT(name) i->name = mem_strdup("");
#define INT(name)
#define FLAG(name)
#include "kbuild/info.def"
#undef TEXT
#undef INT
#undef FLAG
}

struct json *kernel_info_to_json(const struct kernel_info *i)
{
	struct json *o = json_object_new();

#define TEXT(name) json_set(o, #name, json_text(slice_cstr(i->name)));
#define INT(name) json_set(o, #name, json_int(i->name));
#define FLAG(name) json_set(o, #name, json_flag(i->name));
#include "kbuild/info.def"
#undef TEXT
#undef INT
#undef FLAG
	return o;
}

fallible kernel_info_parse(struct slice text, struct kernel_info *out)
{
	_cleanup_(json_freep) struct json *o = NULL;
	struct kernel_info i;

	TRY(json_parse(text, &o));
	kernel_info_init(&i);
#define TEXT(name) info_set(&i.name, slice_cstr(json_get_text(o, #name)));
#define INT(name) i.name = json_get_int(o, #name);
#define FLAG(name) i.name = json_get_flag(o, #name);
#include "kbuild/info.def"
#undef TEXT
#undef INT
#undef FLAG
	*out = i;
	return NULL;
}

fallible info_write(const struct kernel_info *i, const char *path)
{
	_cleanup_(json_freep) struct json *o = kernel_info_to_json(i);
	FILE *f = fopen(path, "we");

	if (!f)
		return error_os("%s", path);
	struct error *err = json_write(o, f);
	if (fclose(f) != 0 && !err)
		err = error_os("%s", path);
	return err;
}

/* ---- one kernel ---- */

/* The first of the names that is a file in `dir`, or NULL. */
static char *first_of(const char *dir, const char *const *names)
{
	for (; *names; names++) {
		_cleanup_(freep) char *path = text_printf("%s/%s", dir, *names);
		struct stat st;

		if (stat(path, &st) == 0 && S_ISREG(st.st_mode) &&
		    access(path, R_OK) == 0)
			return take_ptr(path);
	}
	return NULL;
}

static bool is_set(struct slice config, struct slice name)
{
	return slice_eq(config_value(config, name), SLICE("y"));
}

fallible info_from_config(const struct kernel_entry *e, struct kernel_info *i)
{
	_cleanup_(buf_deinit) struct buf config = {};

	if (!e->config)
		return NULL;
	TRY(io_read_file(e->config, MAX_CONFIG_BYTES, &config));
	struct slice c = buf_as_slice(&config);
	i->kcov = is_set(c, SLICE("CONFIG_KCOV"));
	i->kasan = is_set(c, SLICE("CONFIG_KASAN"));
	if (!*i->compiler)
		info_set(&i->compiler,
			 config_value(c, SLICE("CONFIG_CC_VERSION_TEXT")));
	return NULL;
}

static void read_info(struct kernel_entry *e)
{
	_cleanup_(freep) char *path = text_printf("%s/info", e->dir);
	_cleanup_(buf_deinit) struct buf text = {};
	struct error *err = io_read_file(path, MAX_INFO_BYTES, &text);

	if (!err)
		err = kernel_info_parse(buf_as_slice(&text), &e->info);
	/* Not of our making, or damaged: the files alone have to do. */
	if (err) {
		error_free(err);
		kernel_info_init(&e->info);
		err = info_from_config(e, &e->info);
	}
	error_free(err);
}

bool kernel_entry_read(const char *dir, struct kernel_entry *out)
{
	static const char *const images[] = {
		"linux",   "bzImage",
		"vmlinuz", "arch/x86/boot/bzImage",
		"Image",   "arch/arm64/boot/Image",
		NULL,
	};
	static const char *const symbols[] = { "vmlinux", NULL };
	static const char *const configs[] = { "config", ".config", NULL };
	struct kernel_entry e = { .image = first_of(dir, images) };
	const char *slash = strrchr(dir, '/');

	if (!e.image)
		return false;
	e.name = mem_strdup(slash ? slash + 1 : dir);
	e.dir = mem_strdup(dir);
	e.vmlinux = first_of(dir, symbols);
	e.config = first_of(dir, configs);
	e.modules = text_printf("%s/modules", dir);
	if (!file_is_dir(e.modules)) {
		free(e.modules);
		e.modules = NULL;
	}
	read_info(&e);
	/* User Mode Linux is its own vmlinux. */
	slash = strrchr(e.image, '/');
	if (!e.vmlinux && !strcmp(slash, "/linux"))
		e.vmlinux = mem_strdup(e.image);
	*out = e;
	return true;
}

void kernel_entry_deinit(struct kernel_entry *e)
{
	free(e->name);
	free(e->dir);
	free(e->image);
	free(e->vmlinux);
	free(e->config);
	free(e->modules);
	info_deinit(&e->info);
	*e = (struct kernel_entry){ 0 };
}

/* ---- all of them ---- */

/* Debian's kernel for virtual machines: it boots twice as fast. */
static bool is_cloud(const struct kernel_entry *e)
{
	return strstr(e->info.release, "-cloud-") != NULL;
}

/* Rather a kernel that watches itself; then the newest. */
static int best_first(const void *pa, const void *pb)
{
	const struct kernel_entry *a = pa, *b = pb;

	if (a->info.kcov != b->info.kcov)
		return a->info.kcov ? -1 : 1;
	if (a->info.kasan != b->info.kasan)
		return a->info.kasan ? -1 : 1;
	if (is_cloud(a) != is_cloud(b))
		return is_cloud(a) ? -1 : 1;
	if (a->info.time_s != b->info.time_s)
		return a->info.time_s > b->info.time_s ? -1 : 1;
	return -strverscmp(a->name, b->name);
}

void kernel_list(const char *dir, bool sizes, kernel_entries *out)
{
	_cleanup_(buf_deinit) struct buf def = {};
	DIR *d;

	if (!dir) {
		kernel_cache_dir(&def);
		dir = buf_cstr(&def);
	}
	d = opendir(dir);
	for (struct dirent *e; d && (e = readdir(d));) {
		_cleanup_(freep) char *path =
			text_printf("%s/%s", dir, e->d_name);
		struct kernel_entry k;

		if (*e->d_name == '.' || out->len >= MAX_ENTRIES ||
		    !kernel_entry_read(path, &k))
			continue;
		if (sizes)
			k.size_bytes = file_tree_bytes(path);
		vec_push(out, k);
	}
	if (d)
		closedir(d);
	if (out->len)
		qsort(out->data, out->len, sizeof(*out->data), best_first);
}

void kernel_entries_deinit(kernel_entries *entries)
{
	vec_for_each(entries, e)
		kernel_entry_deinit(e);
	vec_free(entries);
}
