/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * patch.c - kernels that do not run without a patch of ours.
 *
 * The user's tree is not touched: a stand-in is made of symbolic links, with
 * real directories and copies only where the patch goes.  It stays in the cache
 * under a name that depends on what is in it, so that the paths that ccache
 * sees are the same next time.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <xxhash.h>

#include "base/data.h"
#include "base/io.h"
#include "base/mem.h"
#include "kbuild/internal.h"

enum { MAX_PATCH_BYTES = 1 << 20, MAX_FILE_BYTES = 1 << 24, KEEP = 20 };

#define STAND_IN_PREFIX ".source-"

/* What needs them: the first that applies is taken. */
static const struct {
	const char *arch, *option_a, *option_b, *file;
} patches[] = {
	{ "um", "CONFIG_KCOV", "CONFIG_KASAN", "um-kcov-kasan.patch" },
	{ "um", "CONFIG_KCOV", "CONFIG_KASAN", "um-kcov-kasan-old.patch" },
};

struct stand_in {
	const char *tree;
	char *path;
	uint64_t key; /* a sum: directories have no order */
};

static void stand_in_deinit(struct stand_in *s)
{
	free(s->path);
}

static void add_key(struct stand_in *s, const void *data, size_t len)
{
	s->key += XXH3_64bits(data, len);
}

static fallible link_entry(struct stand_in *s, const char *from, const char *to,
			   const char *name)
{
	_cleanup_(freep) char *target = text_printf("%s/%s", from, name);
	_cleanup_(freep) char *link = text_printf("%s/%s", to, name);

	if (symlink(target, link) < 0)
		return error_os("%s", link);
	add_key(s, target, strlen(target));
	return NULL;
}

/* Links in `to` for all in `from`. */
static fallible link_all(struct stand_in *s, const char *from, const char *to)
{
	DIR *d = opendir(from);
	struct error *err = NULL;

	if (!d)
		return error_os("%s", from);
	for (struct dirent *e; !err && (e = readdir(d));)
		if (strcmp(e->d_name, ".") != 0 &&
		    strcmp(e->d_name, "..") != 0 &&
		    strcmp(e->d_name, ".git") != 0)
			err = link_entry(s, from, to, e->d_name);
	closedir(d);
	return err;
}

/* Make what `path` (below both) leads through real, the file a copy. */
static fallible make_real(struct stand_in *s, const char *path)
{
	_cleanup_(freep) char *part = mem_strdup(path);

	for (char *slash = part; (slash = strchr(slash, '/')); slash++) {
		*slash = '\0';
		_cleanup_(freep) char *from =
			text_printf("%s/%s", s->tree, part);
		_cleanup_(freep) char *to = text_printf("%s/%s", s->path, part);
		struct stat st;

		if (lstat(to, &st) == 0 && S_ISLNK(st.st_mode)) {
			if (unlink(to) < 0 || mkdir(to, 0777) < 0)
				return error_os("%s", to);
			TRY(link_all(s, from, to));
		}
		*slash = '/';
	}
	_cleanup_(freep) char *from = text_printf("%s/%s", s->tree, path);
	_cleanup_(freep) char *to = text_printf("%s/%s", s->path, path);
	_cleanup_(buf_deinit) struct buf text = {};
	TRY(io_read_file(from, MAX_FILE_BYTES, &text));
	add_key(s, text.data, text.len);
	unlink(to);
	return file_copy(from, to);
}

/* The files of the patch, and if the tree has them all. */
static fallible prepare(struct stand_in *s, const char *patch, bool *possible)
{
	static const struct slice plus = SLICE("+++ b/");
	_cleanup_(buf_deinit) struct buf text = {};
	struct slice rest, line;

	TRY(io_read_file(patch, MAX_PATCH_BYTES, &text));
	rest = buf_as_slice(&text);
	add_key(s, text.data, text.len);
	*possible = true;
	while (slice_line(&rest, &line)) {
		if (!slice_starts(line, plus))
			continue;
		line = slice_trim(slice_from(line, plus.len));
		_cleanup_(freep) char *path = mem_dup0(line.p, line.len);
		_cleanup_(freep) char *full =
			text_printf("%s/%s", s->tree, path);

		if (!file_exists(full))
			*possible = false;
		else
			TRY(make_real(s, path));
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

static fallible try_patch(size_t i, struct make *m, struct stand_in *s,
			  bool *applied)
{
	_cleanup_(freep) char *name = text_printf("patch/%s", patches[i].file);
	_cleanup_(freep) char *patch = NULL;

	TRY(data_path(name, &patch));
	TRY(prepare(s, patch, applied));
	if (*applied)
		TRY(apply(m, patch, s->path, true, applied));
	if (*applied)
		TRY(apply(m, patch, s->path, false, applied));
	return NULL;
}

static int is_stand_in(const struct dirent *d)
{
	return slice_starts(slice_cstr(d->d_name), SLICE(STAND_IN_PREFIX));
}

/* Old ones of trees that have changed since; nobody can be sure, so many. */
static void prune(const char *cache)
{
	struct dirent **list;
	int n = scandir(cache, &list, is_stand_in, alphasort);

	for (int i = 0; i < n; i++) {
		_cleanup_(freep) char *path =
			text_printf("%s/%s", cache, list[i]->d_name);
		struct stat st;

		if (n > KEEP && lstat(path, &st) == 0 &&
		    st.st_mtime < time(NULL) - 7 * 86400)
			file_remove_tree(path);
		free(list[i]);
	}
	if (n >= 0)
		free(list);
}

/* Move it to its lasting place; another build may have it there already. */
static fallible keep(struct kernel_cache *c, struct stand_in *s, char **path)
{
	_cleanup_(freep) char *to = text_printf("%s/" STAND_IN_PREFIX "%016jx",
						cache_path(c),
						(uintmax_t)s->key);

	prune(cache_path(c));
	if (renameat2(AT_FDCWD, s->path, AT_FDCWD, to, RENAME_NOREPLACE) < 0 &&
	    errno != EEXIST)
		return error_os("%s", to);
	*path = take_ptr(to);
	return NULL;
}

fallible make_patch(struct kernel_cache *c, struct make *m,
		    const struct stage *stage, struct slice config,
		    struct buf *names)
{
	_cleanup_(stand_in_deinit) struct stand_in s = { .tree = m->source };
	bool applied = false;
	char *path = NULL;

	for (size_t i = 0; i < ARRAY_LEN(patches) && !applied; i++) {
		if (!is_needed(i, m, config))
			continue;
		free(s.path);
		s.path = text_printf("%s/source%zu", stage->dir, i);
		s.key = 0;
		TRY(file_make_dirs(s.path));
		TRY(link_all(&s, m->source, s.path));
		TRY(try_patch(i, m, &s, &applied));
		if (applied)
			buf_str(names, patches[i].file);
	}
	if (!applied)
		return NULL;
	talk_note(m->talk, "with %s, which this kernel needs", buf_cstr(names));
	TRY(keep(c, &s, &path));
	free(m->source);
	m->source = path;
	return NULL;
}
