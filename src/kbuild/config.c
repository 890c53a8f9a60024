/* SPDX-License-Identifier: GPL-2.0-or-later */
/* config.c - a configuration for finding bugs, from fragments. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/data.h"
#include "base/io.h"
#include "base/mem.h"
#include "kbuild/internal.h"

enum { MAX_CONFIG_BYTES = 16 << 20, MAX_MAKEFILE_BYTES = 1 << 20 };

/* Taken unless --without names them. */
static const char *const standard[] = {
	"debug-info", "kcov", "kasan", "ubsan", "lockdep", "hang", "faults",
};

struct job {
	const struct kernel_config *k;
	struct stage stage;
	struct make make;
	struct buf wanted; /* all fragments, one after the other */
};

static void job_deinit(struct job *j)
{
	make_close(&j->make);
	stage_close(&j->stage);
	buf_deinit(&j->wanted);
}

/* Is `word` one of the comma-separated ones? */
static bool in_list(const char *list, struct slice word)
{
	for (const char *p = list; p && *p;) {
		size_t n = strcspn(p, ",");

		if (slice_eq((struct slice){ p, n }, word))
			return true;
		p += n + (p[n] == ',');
	}
	return false;
}

static fallible add_file(struct job *j, const char *path)
{
	_cleanup_(buf_deinit) struct buf text = {};

	TRY(io_read_file(path, MAX_CONFIG_BYTES, &text));
	buf_slice(&j->wanted, buf_as_slice(&text));
	buf_char(&j->wanted, '\n');
	return NULL;
}

/* One of ours; *found is false if there is none of that name. */
static fallible add_fragment(struct job *j, struct slice name, bool *found)
{
	_cleanup_(freep) char *path = NULL;

	*found = false;
	TRY(data_path("config", &path));
	_cleanup_(freep) char *full =
		text_printf("%s/" SLICE_FMT ".config", path, SLICE_ARG(name));
	if (slice_has(name, SLICE("..")) || !file_exists(full))
		return NULL;
	*found = true;
	return add_file(j, full);
}

static fallible add_ours(struct job *j, const char *name)
{
	bool found;

	TRY(add_fragment(j, slice_cstr(name), &found));
	if (!found)
		return error_new(ERR_NOT_FOUND,
				 "share/config/%s.config is not installed",
				 name);
	return NULL;
}

/*
 * fs/jfs: the options that the Makefile above it builds that directory for,
 * "obj-$(CONFIG_JFS_FS) += jfs/".
 */
static fallible add_directory(struct job *j, struct slice dir, bool *found)
{
	const char *slash = memrchr(dir.p, '/', dir.len);
	struct slice above = slash ? slice_range(dir.p, slash) : SLICE(".");
	struct slice last = slash ? slice_range(slash + 1, dir.p + dir.len) :
				    dir;
	_cleanup_(freep) char *makefile = text_printf(
		"%s/" SLICE_FMT "/Makefile", j->make.source, SLICE_ARG(above));
	_cleanup_(freep) char *word =
		text_printf(SLICE_FMT "/", SLICE_ARG(last));
	_cleanup_(buf_deinit) struct buf text = {};
	struct slice rest, line;
	struct error *err = io_read_file(makefile, MAX_MAKEFILE_BYTES, &text);

	*found = false;
	if (err || !last.len) {
		error_free(err);
		return NULL;
	}
	rest = buf_as_slice(&text);
	while (slice_line(&rest, &line)) {
		const char *from = slice_find(line, SLICE("$(CONFIG_"));
		const char *at = slice_find(line, slice_cstr(word));

		if (!from || !at || at <= from || !strchr(" \t", at[-1]))
			continue;
		struct slice opt = slice_range(from + 2, at);
		const char *end = memchr(opt.p, ')', opt.len);
		if (!end)
			continue;
		opt.len = (size_t)(end - opt.p);
		buf_printf(&j->wanted, SLICE_FMT "=y\n", SLICE_ARG(opt));
		*found = true;
	}
	return NULL;
}

/* CONFIG_X or CONFIG_X=value. */
static void add_option(struct job *j, struct slice word)
{
	bool off = slice_ends(word, SLICE("=n"));

	if (off)
		buf_printf(&j->wanted, "# %.*s is not set\n", (int)word.len - 2,
			   word.p);
	else
		buf_printf(&j->wanted, SLICE_FMT "%s\n", SLICE_ARG(word),
			   memchr(word.p, '=', word.len) ? "" : "=y");
}

static fallible add_with(struct job *j, struct slice word)
{
	bool found;

	if (slice_starts(word, SLICE("CONFIG_"))) {
		add_option(j, word);
		return NULL;
	}
	TRY(add_fragment(j, word, &found));
	if (found)
		return NULL;
	_cleanup_(freep) char *path = mem_dup0(word.p, word.len);
	if (file_exists(path) && !file_is_dir(path))
		return add_file(j, path);
	TRY(add_directory(j, word, &found));
	if (found)
		return NULL;
	return error_new(ERR_INPUT,
			 "--with %s: neither a fragment of share/config, a "
			 "file, CONFIG_..., nor a directory of the tree that "
			 "an option turns on",
			 path);
}

static fallible check_without(const char *list)
{
	for (const char *p = list; p && *p;) {
		struct slice word = { p, strcspn(p, ",") };
		bool known = false;

		for (size_t i = 0; i < ARRAY_LEN(standard); i++)
			known |= slice_eq(word, slice_cstr(standard[i]));
		if (!known)
			return error_new(ERR_INPUT,
					 "--without takes debug-info, kcov, "
					 "kasan, ubsan, lockdep, hang and "
					 "faults, not " SLICE_FMT,
					 SLICE_ARG(word));
		p += word.len + (p[word.len] == ',');
	}
	return NULL;
}

static fallible collect_fragments(struct job *j)
{
	const struct kernel_config *k = j->k;
	_cleanup_(freep) char *arch =
		text_printf("arch/%s", j->make.arch->name);

	TRY(check_without(k->without));
	TRY(add_ours(j, "base"));
	for (size_t i = 0; i < ARRAY_LEN(standard); i++)
		if (!in_list(k->without, slice_cstr(standard[i])))
			TRY(add_ours(j, standard[i]));
	TRY(add_ours(j, arch)); /* has the say over those */
	for (const char *p = k->with; p && *p;) {
		struct slice word = { p, strcspn(p, ",") };

		if (word.len)
			TRY(add_with(j, word));
		p += word.len + (p[word.len] == ',');
	}
	return NULL;
}

/* The tree's scripts put it together: base, fragments, and what follows. */
static fallible make_config(struct job *j)
{
	const char *base = j->k->base ? j->k->base : "tinyconfig";
	struct make *m = &j->make;
	_cleanup_(freep) char *config = text_printf("%s/.config", m->objects);
	_cleanup_(freep) char *wanted =
		text_printf("%s/wanted.config", m->objects);
	_cleanup_(freep) char *script =
		text_printf("%s/scripts/kconfig/merge_config.sh", m->source);
	const char *merge[] = { "sh",	    script, "-m",   "-Q", "-O",
				m->objects, config, wanted, NULL };

	if (file_exists(base) && !file_is_dir(base))
		TRY(file_copy(base, config));
	else if (strchr(base, '/') ||
		 !slice_ends(slice_cstr(base), SLICE("config")))
		return error_new(ERR_INPUT,
				 "--base %s: neither a file nor a target like "
				 "defconfig",
				 base);
	else
		TRY(make_run(m, base, 1), "make %s", base);
	TRY(file_write(wanted, buf_as_slice(&j->wanted)));
	TRY(make_script(m, merge), "merge_config.sh");
	return make_run(m, "olddefconfig", 1);
}

fallible kernel_config(struct kernel_cache *c, const struct kernel_config *k,
		       struct buf *config, kernel_misses *missed)
{
	_cleanup_(job_deinit) struct job j = {
		.k = k,
		.stage.lock = -1,
		.make.log_fd = -1,
	};
	_cleanup_(buf_deinit) struct buf text = {};

	TRY(stage_open(c, &j.stage));
	TRY(make_open(&k->tree, &j.stage, &j.make));
	TRY(collect_fragments(&j));
	TRY(make_config(&j));
	_cleanup_(freep) char *path = text_printf("%s/.config", j.make.objects);
	TRY(io_read_file(path, MAX_CONFIG_BYTES, &text));
	missed_find(buf_as_slice(&j.wanted), buf_as_slice(&text), missed);
	kconfig_explain(j.make.source, j.make.arch->name, buf_as_slice(&text),
			missed);
	*config = text;
	text = (struct buf){ 0 };
	return NULL;
}
