/* SPDX-License-Identifier: GPL-2.0-or-later */
/* kernel_build.c - "bugon kernel config" and "bugon kernel build". */
#include <stdio.h>
#include <string.h>

#include "base/child.h"
#include "base/io.h"
#include "cmd/kernel.h"

enum { MAX_CONFIG_BYTES = 16 << 20, MAX_TOLD = 40 };

/* ---- config ---- */

struct config_opts {
	const char *base, *arch, *cc, *with, *without, *output;
	bool strict;
};

static const struct opt config_options[] = {
	OPT(OPT_STR, 'b', "base", config_opts, base, "FILE|TARGET",
	    "start from this .config or make target (tinyconfig)"),
	OPT(OPT_STR, 'w', "with", config_opts, with, "LIST",
	    "comma-separated fragments (fs/ext4), files, directories of the "
	    "tree (fs/jfs), options (CONFIG_X, CONFIG_X=n)"),
	OPT(OPT_STR, 'W', "without", config_opts, without, "LIST",
	    "leave out of debug-info, kcov, kasan, ubsan, lockdep, hang, "
	    "faults"),
	OPT(OPT_STR, 'a', "arch", config_opts, arch, "ARCH",
	    "x86_64 (the default), um or arm64"),
	OPT(OPT_STR, 0, "cc", config_opts, cc, "COMPILER",
	    "the compiler, for build the same one"),
	OPT(OPT_STR, 'o', "output", config_opts, output, "FILE",
	    "write it there, not to the standard output"),
	OPT(OPT_FLAG, 0, "strict", config_opts, strict, NULL,
	    "fail when an option was not taken"),
	OPT_END,
};

static void tell_missed(const struct kernel_talk *t,
			const kernel_misses *missed)
{
	char text[1024];

	for (size_t i = 0; i < missed->len && i < MAX_TOLD; i++) {
		const struct kernel_missed *m = &missed->data[i];

		snprintf(text, sizeof(text), "%s is %s, not %s: %s", m->option,
			 m->got, m->wanted, m->why);
		t->note(t->ctx, text);
	}
	if (missed->len > MAX_TOLD) {
		snprintf(text, sizeof(text), "and %zu more",
			 missed->len - MAX_TOLD);
		t->note(t->ctx, text);
	}
}

static fallible write_config(const struct buf *config, const char *path)
{
	FILE *f = path ? fopen(path, "we") : stdout;

	if (!f)
		return error_os("%s", path);
	bool bad = fwrite(config->data, 1, config->len, f) != config->len;
	if (f == stdout) /* main() looks after it, and says so once */
		return NULL;
	if (fclose(f) != 0)
		bad = true;
	return bad ? error_os("%s", path) : NULL;
}

static fallible make_config(const struct kernel_config *k, bool strict,
			    struct buf *config)
{
	_cleanup_(kernel_misses_deinit) kernel_misses missed = {};
	_cleanup_(kernel_cache_closep) struct kernel_cache *cache = NULL;

	TRY(kernel_cache_open(NULL, &cache));
	TRY(kernel_config(cache, k, config, &missed));
	tell_missed(&k->tree.talk, &missed);
	if (strict && missed.len)
		return error_new(ERR_BUILD, "%zu options were not taken",
				 missed.len);
	return NULL;
}

static fallible config_run(const void *options, int argc, char **argv,
			   int *status)
{
	const struct config_opts *o = options;
	_cleanup_(buf_deinit) struct buf config = {};
	struct kernel_say say;

	if (argc != 1)
		return error_new(ERR_USAGE, "name one source tree");
	kernel_say_init(&say, "kernel config");
	child_catch_signals();
	struct kernel_config k = {
		.tree = { .path = argv[0],
			  .arch = o->arch,
			  .cc = o->cc,
			  .talk = kernel_say_talk(&say) },
		.base = o->base,
		.with = o->with,
		.without = o->without,
	};
	struct error *err = make_config(&k, o->strict, &config);
	if (!err)
		err = write_config(&config, o->output);
	return kernel_say_done(&say, err, NULL, status);
}

const struct command cmd_kernel_config = {
	.name = "kernel config",
	.args = "TREE",
	.summary = "make a configuration for finding bugs",
	.opts = config_options,
	.opts_size = sizeof(struct config_opts),
	.run = config_run,
};

/* ---- build ---- */

struct build_opts {
	const char *config, *arch, *cc, *with;
	unsigned jobs;
};

static const struct opt build_options[] = {
	OPT(OPT_STR, 'c', "config", build_opts, config, "FILE",
	    "with this configuration, as it is; without, that of bugon kernel "
	    "config"),
	OPT(OPT_STR, 'w', "with", build_opts, with, "LIST",
	    "without --config: as for bugon kernel config"),
	OPT(OPT_STR, 'a', "arch", build_opts, arch, "ARCH",
	    "x86_64 (the default), um or arm64"),
	OPT(OPT_STR, 0, "cc", build_opts, cc, "COMPILER", "the compiler (gcc)"),
	OPT(OPT_UINT, 'j', "jobs", build_opts, jobs, "N",
	    "compile N files at once (one per processor)"),
	OPT_END,
};

static fallible build(const struct build_opts *o, const struct kernel_tree *t,
		      struct buf *dir)
{
	_cleanup_(kernel_cache_closep) struct kernel_cache *cache = NULL;
	_cleanup_(buf_deinit) struct buf config = {};
	struct kernel_config k = { .tree = *t, .with = o->with };

	if (o->config)
		TRY(io_read_file(o->config, MAX_CONFIG_BYTES, &config));
	else
		TRY(make_config(&k, false, &config));
	TRY(kernel_cache_open(NULL, &cache));
	struct kernel_build b = {
		.tree = *t,
		.config = buf_as_slice(&config),
		.jobs = o->jobs,
	};
	return kernel_build(cache, &b, dir);
}

static fallible build_run(const void *options, int argc, char **argv,
			  int *status)
{
	const struct build_opts *o = options;
	_cleanup_(buf_deinit) struct buf dir = {};
	struct kernel_say say;

	if (argc > 1)
		return error_new(ERR_USAGE, "name one source tree");
	if (o->config && o->with)
		return error_new(ERR_USAGE,
				 "--config takes a configuration as it is: "
				 "--with is for the one made without");
	if (o->jobs > 4096)
		return error_new(ERR_USAGE, "--jobs is at most 4096");
	kernel_say_init(&say, "kernel build");
	child_catch_signals();
	struct kernel_tree t = { .path = argc ? argv[0] : ".",
				 .arch = o->arch,
				 .cc = o->cc,
				 .talk = kernel_say_talk(&say) };
	return kernel_say_done(&say, build(o, &t, &dir), &dir, status);
}

const struct command cmd_kernel_build = {
	.name = "kernel build",
	.args = "[TREE]",
	.summary = "build a kernel and put it into the cache",
	.opts = build_options,
	.opts_size = sizeof(struct build_opts),
	.run = build_run,
};
