/* SPDX-License-Identifier: GPL-2.0-or-later */
/* build.c - from a tree and a configuration to a kernel in the cache. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/io.h"
#include "base/mem.h"
#include "kbuild/internal.h"

enum { KEEP_FAILED = 10, MIN_FREE_BYTES = 1 << 30, TEXT_BYTES = 1 << 16 };

/* ---- the log of a failure ---- */

static int is_log(const struct dirent *d)
{
	return slice_ends(slice_cstr(d->d_name), SLICE(".log"));
}

/* They begin with the date, so the oldest come first. */
static void prune(const char *dir)
{
	struct dirent **list;
	int n = scandir(dir, &list, is_log, alphasort);

	for (int i = 0; i < n; i++) {
		_cleanup_(freep) char *path =
			text_printf("%s/%s", dir, list[i]->d_name);

		if (i < n - KEEP_FAILED)
			unlink(path);
		free(list[i]);
	}
	if (n >= 0)
		free(list);
}

static struct error *keep_log(struct kernel_cache *c, const struct make *m,
			      struct error *err)
{
	_cleanup_(freep) char *dir = text_printf("%s/.failed", cache_path(c));
	char when[32];
	time_t now = time(NULL);
	struct tm tm;

	if (error_kind(err) == ERR_CANCELLED)
		return err;
	strftime(when, sizeof(when), "%Y%m%d-%H%M%S", gmtime_r(&now, &tm));
	_cleanup_(freep) char *to =
		text_printf("%s/%s-%d.log", dir, when, (int)getpid());
	struct error *bad = file_make_dirs(dir);
	if (!bad)
		bad = file_move(m->log, to);
	if (!bad) {
		talk_note(m->talk, "the log is %s", to);
		prune(dir);
	}
	error_free(bad);
	return err;
}

/* ---- what is known of the source ---- */

static fallible git(const char *tree, const char *a, const char *b,
		    struct buf *out, bool *ok)
{
	const char *argv[] = { "git", "-C", tree, a, b, NULL };
	_cleanup_(child_result_deinit) struct child_result r = {};
	struct error *err = child_read(argv, NULL, out, &r);

	if (err && error_kind(err) == ERR_NOT_FOUND) { /* no git: no matter */
		error_free(err);
		err = NULL;
		r.status = -1;
	}
	*ok = !err && child_ok(&r);
	return err;
}

static fallible find_commit(const char *tree, struct kernel_info *i)
{
	_cleanup_(freep) char *dot_git = text_printf("%s/.git", tree);
	_cleanup_(buf_deinit) struct buf head = {}, changes = {};
	bool ok;

	/* Not that of a repository further up. */
	if (!file_exists(dot_git))
		return NULL;
	TRY(git(tree, "rev-parse", "HEAD", &head, &ok));
	struct slice id = slice_trim(buf_as_slice(&head));
	if (!ok || id.len > 64)
		return NULL;
	TRY(git(tree, "diff-index", "HEAD", &changes, &ok));
	free(i->commit);
	i->commit = text_printf(SLICE_FMT "%s", SLICE_ARG(id),
				ok && changes.len ? "-dirty" : "");
	return NULL;
}

static fallible read_release(const struct make *m, struct kernel_info *i)
{
	_cleanup_(freep) char *path =
		text_printf("%s/include/config/kernel.release", m->objects);
	_cleanup_(buf_deinit) struct buf text = {};

	TRY(io_read_file(path, TEXT_BYTES, &text));
	info_set(&i->release, slice_trim(buf_as_slice(&text)));
	return NULL;
}

/* ---- building ---- */

struct job {
	struct kernel_cache *cache;
	const struct kernel_build *b;
	struct stage stage;
	struct make make;
	struct kernel_info info;
};

static void job_deinit(struct job *j)
{
	make_close(&j->make);
	stage_close(&j->stage);
	info_deinit(&j->info);
}

static fallible collect(struct job *j, const char *path, const char *name)
{
	_cleanup_(freep) char *from =
		text_printf("%s/%s", j->make.objects, path);
	_cleanup_(freep) char *to = text_printf("%s/%s", j->stage.out, name);

	if (!file_exists(from))
		return error_new(ERR_BUILD, "make left no %s", path);
	return file_move(from, to);
}

static fallible run_make(struct job *j)
{
	const struct arch *a = j->make.arch;
	_cleanup_(freep) char *config =
		text_printf("%s/.config", j->make.objects);
	_cleanup_(buf_deinit) struct buf patches = {};
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);

	TRY(file_write(config, j->b->config));
	TRY(make_patch(j->cache, &j->make, &j->stage, j->b->config, &patches));
	info_set(&j->info.patches, slice_cstr(buf_cstr(&patches)));
	TRY(make_run(&j->make, "olddefconfig", 1));
	TRY(make_run(&j->make, a->target,
		     j->b->jobs ? j->b->jobs :
		     cpus > 0	? (unsigned)cpus :
				  1));
	TRY(read_release(&j->make, &j->info));
	TRY(collect(j, a->image, a->image_name));
	if (a->has_vmlinux)
		TRY(collect(j, "vmlinux", "vmlinux"));
	return collect(j, ".config", "config");
}

fallible kernel_build(struct kernel_cache *c, const struct kernel_build *b,
		      struct buf *dir)
{
	_cleanup_(job_deinit) struct job j = {
		.cache = c,
		.b = b,
		.stage.lock = -1,
		.make.log_fd = -1,
	};
	bool known;

	TRY(file_need_space(cache_path(c), MIN_FREE_BYTES));
	TRY(stage_open(c, &j.stage));
	TRY(make_open(&b->tree, &j.stage, &j.make));
	kernel_info_init(&j.info);
	info_set(&j.info.arch, slice_cstr(j.make.arch->name));
	info_set(&j.info.origin, SLICE("build"));
	info_set(&j.info.source, slice_cstr(j.make.source));
	TRY(find_commit(j.make.source, &j.info));
	struct error *err = run_make(&j);
	if (err)
		return keep_log(c, &j.make, err);
	j.info.build_s = (int64_t)time(NULL) - j.make.start_s;
	talk_progress(&b->tree.talk, "%u objects in %d s; hashing",
		      j.make.nr_objects, (int)j.info.build_s);
	TRY(stage_publish(c, &j.stage, &j.info, dir, &known));
	if (known)
		talk_note(&b->tree.talk,
			  "this kernel was there already: equal code and "
			  "configuration");
	return NULL;
}
