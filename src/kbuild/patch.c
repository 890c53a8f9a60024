/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * patch.c - kernels that do not run without a patch of ours.
 *
 * The user's tree is not touched: a stand-in is made of symbolic links, with
 * real directories and copies only where the patch goes.
 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "base/mem.h"
#include "kbuild/internal.h"

enum { MAX_PATCH_BYTES = 1 << 20, MAX_DEPTH = 32 };

/* What needs them: the first that applies is taken. */
static const struct {
	const char *arch, *option_a, *option_b, *file;
} patches[] = {
	{ "um", "CONFIG_KCOV", "CONFIG_KASAN", "um-kcov-kasan.patch" },
	{ "um", "CONFIG_KCOV", "CONFIG_KASAN", "um-kcov-kasan-old.patch" },
};

static fallible link_entry(const char *from, const char *to, const char *name)
{
	_cleanup_(freep) char *target = text_printf("%s/%s", from, name);
	_cleanup_(freep) char *link = text_printf("%s/%s", to, name);

	if (symlink(target, link) < 0)
		return error_os("%s", link);
	return NULL;
}

/* Links in `to` for all in `from`. */
static fallible link_all(const char *from, const char *to)
{
	DIR *d = opendir(from);
	struct error *err = NULL;

	if (!d)
		return error_os("%s", from);
	for (struct dirent *e; !err && (e = readdir(d));)
		if (strcmp(e->d_name, ".") != 0 &&
		    strcmp(e->d_name, "..") != 0 &&
		    strcmp(e->d_name, ".git") != 0)
			err = link_entry(from, to, e->d_name);
	closedir(d);
	return err;
}

/* Make what `path` (below both) leads through real, the file a copy. */
static fallible make_real(const char *tree, const char *stand_in,
			  const char *path)
{
	_cleanup_(freep) char *part = mem_strdup(path);

	for (char *slash = part; (slash = strchr(slash, '/')); slash++) {
		*slash = '\0';
		_cleanup_(freep) char *from = text_printf("%s/%s", tree, part);
		_cleanup_(freep) char *to =
			text_printf("%s/%s", stand_in, part);
		struct stat st;

		if (lstat(to, &st) == 0 && S_ISLNK(st.st_mode)) {
			if (unlink(to) < 0 || mkdir(to, 0777) < 0)
				return error_os("%s", to);
			TRY(link_all(from, to));
		}
		*slash = '/';
	}
	_cleanup_(freep) char *from = text_printf("%s/%s", tree, path);
	_cleanup_(freep) char *to = text_printf("%s/%s", stand_in, path);
	unlink(to);
	return file_copy(from, to);
}

/* The files of the patch, and if the tree has them all. */
static fallible prepare(const char *patch, const char *tree,
			const char *stand_in, bool *possible)
{
	static const struct slice plus = SLICE("+++ b/");
	_cleanup_(buf_deinit) struct buf text = {};
	struct slice rest, line;

	TRY(io_read_file(patch, MAX_PATCH_BYTES, &text));
	rest = buf_as_slice(&text);
	*possible = true;
	while (slice_line(&rest, &line)) {
		if (!slice_starts(line, plus))
			continue;
		line = slice_trim(slice_from(line, plus.len));
		_cleanup_(freep) char *path = mem_dup0(line.p, line.len);
		_cleanup_(freep) char *full = text_printf("%s/%s", tree, path);

		if (!file_exists(full))
			*possible = false;
		else
			TRY(make_real(tree, stand_in, path));
	}
	return NULL;
}

static fallible apply(struct make *m, const char *patch, const char *stand_in,
		      bool dry, bool *applied)
{
	const char *argv[] = { "patch", "-p1", "-N",
			       "-s",	"-d",  stand_in,
			       "-i",	patch, dry ? "--dry-run" : NULL,
			       NULL };
	_cleanup_(child_result_deinit) struct child_result r = {};
	struct child_opts o = { .argv = argv, .log_fd = m->log_fd };
	struct error *err = child_run(&o, &r);

	if (err && error_kind(err) == ERR_NOT_FOUND) {
		error_free(err);
		return error_new(ERR_NOT_FOUND,
				 "this kernel needs a patch, and the program "
				 "patch is missing (apt install patch)");
	}
	*applied = !err && child_ok(&r);
	return err;
}

static bool is_needed(size_t i, const struct make *m, struct slice config)
{
	return !strcmp(patches[i].arch, m->arch->name) &&
	       slice_eq(config_value(config, slice_cstr(patches[i].option_a)),
			SLICE("y")) &&
	       slice_eq(config_value(config, slice_cstr(patches[i].option_b)),
			SLICE("y"));
}

static fallible try_patch(size_t i, struct make *m, const char *stand_in,
			  bool *applied)
{
	_cleanup_(freep) char *name = text_printf("patch/%s", patches[i].file);
	_cleanup_(freep) char *patch = NULL;

	TRY(data_path(name, &patch));
	TRY(prepare(patch, m->source, stand_in, applied));
	if (*applied)
		TRY(apply(m, patch, stand_in, true, applied));
	if (*applied)
		TRY(apply(m, patch, stand_in, false, applied));
	return NULL;
}

fallible make_patch(struct make *m, const struct stage *s, struct slice config,
		    struct buf *names)
{
	_cleanup_(freep) char *stand_in = text_printf("%s/source", s->dir);
	bool applied = false;

	for (size_t i = 0; i < ARRAY_LEN(patches) && !applied; i++) {
		if (!is_needed(i, m, config))
			continue;
		if (!file_exists(stand_in)) {
			TRY(file_make_dirs(stand_in));
			TRY(link_all(m->source, stand_in));
		}
		TRY(try_patch(i, m, stand_in, &applied));
		if (applied)
			buf_str(names, patches[i].file);
	}
	if (!applied)
		return NULL;
	talk_note(m->talk, "with %s, which this kernel needs", buf_cstr(names));
	free(m->source);
	m->source = take_ptr(stand_in);
	return NULL;
}
