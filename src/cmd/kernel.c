/* SPDX-License-Identifier: GPL-2.0-or-later */
/* kernel.c - "bugon kernel": obtain kernels and keep them. */
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/child.h"
#include "cmd/cmd.h"
#include "cmd/kernel.h"
#include "vm/vm.h"
#include "json/json.h"

enum { EXIT_CANNOT = 77, LINE_COLUMNS = 79, PLAIN_EVERY_S = 30 };

/* ---- talk: one line that is updated, on a terminal ---- */

void kernel_say_init(struct kernel_say *s, const char *name)
{
	*s = (struct kernel_say){ .name = name, .tty = isatty(2) };
}

static void clear_line(struct kernel_say *s)
{
	if (s->shown)
		fputs("\r\033[K", stderr);
	s->shown = false;
}

static void on_progress(void *ctx, const char *text)
{
	struct kernel_say *s = ctx;
	time_t now = time(NULL);

	if (s->tty) {
		clear_line(s);
		fprintf(stderr, "%.*s", LINE_COLUMNS, text);
		s->shown = true;
	} else if (now >= s->next) {
		/* Nobody looks: a line now and then for the log. */
		fprintf(stderr, "bugon %s: %s\n", s->name, text);
		s->next = now + PLAIN_EVERY_S;
	}
	fflush(stderr);
}

static void on_note(void *ctx, const char *text)
{
	struct kernel_say *s = ctx;

	clear_line(s);
	fprintf(stderr, "bugon %s: %s\n", s->name, text);
}

struct kernel_talk kernel_say_talk(struct kernel_say *s)
{
	return (struct kernel_talk){ on_progress, on_note, s };
}

/*
 * The end of a command: what it made goes to the standard output.  What is
 * missing here is told, with status 77; interrupted, we die of the signal.
 */
fallible kernel_say_done(struct kernel_say *s, struct error *err,
			 const struct buf *made, int *status)
{
	clear_line(s);
	if (!err) {
		if (made)
			printf("%s\n", buf_cstr(made));
		return NULL;
	}
	if (error_kind(err) == ERR_CANCELLED) {
		fprintf(stderr, "bugon %s: %s\n", s->name, error_message(err));
		error_free(err);
		child_reraise();
		*status = 1;
		return NULL;
	}
	if (error_kind(err) != ERR_NOT_FOUND)
		return err;
	fprintf(stderr, "bugon %s: %s\n", s->name, error_message(err));
	error_free(err);
	*status = EXIT_CANNOT;
	return NULL;
}

/* ---- fetch ---- */

struct fetch_opts {
	bool symbols, modules;
};

static const struct opt fetch_options[] = {
	OPT(OPT_FLAG, 's', "symbols", fetch_opts, symbols, NULL,
	    "fetch the debug symbols, too (300 MB to 1 GB to download)"),
	OPT(OPT_FLAG, 'm', "modules", fetch_opts, modules, NULL,
	    "keep the modules, too"),
	OPT_END,
};

/* What a file is, for kbuild/, which knows no kernels. */
static fallible identify(struct kernel_fetch *f)
{
	static const struct {
		const char *arch, *image;
	} kinds[] = {
		[VM_KERNEL_BZIMAGE] = { "x86_64", "vmlinuz" },
		[VM_KERNEL_VMLINUX] = { "x86_64", "linux" },
		[VM_KERNEL_UML] = { "um", "linux" },
		[VM_KERNEL_ARM64] = { "arm64", "Image" },
		[VM_KERNEL_OTHER] = { NULL },
	};
	struct vm_kernel k;

	TRY(vm_kernel_identify(f->what, &k));
	if (!kinds[k.kind].arch)
		return error_new(ERR_INPUT, "%s: not a kernel to boot: %s",
				 f->what, k.what);
	f->arch = kinds[k.kind].arch;
	f->image = kinds[k.kind].image;
	return NULL;
}

static fallible fetch_run(const void *options, int argc, char **argv,
			  int *status)
{
	const struct fetch_opts *o = options;
	_cleanup_(kernel_cache_closep) struct kernel_cache *cache = NULL;
	_cleanup_(buf_deinit) struct buf dir = {};
	struct kernel_say say;

	if (argc > 1)
		return error_new(ERR_USAGE, "name one kernel at most");
	kernel_say_init(&say, "kernel fetch");
	child_catch_signals();
	TRY(kernel_cache_open(NULL, &cache));
	struct kernel_fetch f = {
		.what = argc ? argv[0] : NULL,
		.symbols = o->symbols,
		.modules = o->modules,
		.talk = kernel_say_talk(&say),
	};
	struct error *err = NULL;
	if (f.what && strchr(f.what, '/'))
		err = identify(&f);
	if (!err)
		err = kernel_fetch(cache, &f, &dir);
	return kernel_say_done(&say, err, &dir, status);
}

static const struct command fetch = {
	.name = "kernel fetch",
	.args = "[cloud|generic|rt|VERSION|PACKAGE|FILE]",
	.summary = "take a kernel of Debian's, or a file, into the cache",
	.opts = fetch_options,
	.opts_size = sizeof(struct fetch_opts),
	.run = fetch_run,
};

/* ---- list ---- */

struct list_opts {
	bool json;
};

static const struct opt list_options[] = {
	OPT(OPT_FLAG, 'j', "json", list_opts, json, NULL,
	    "print a JSON array with an object per kernel"),
	OPT_END,
};

static struct json *path_or_none(const char *path)
{
	return path ? json_text(slice_cstr(path)) : json_none();
}

static struct json *entry_to_json(const struct kernel_entry *e)
{
	struct json *o = json_object_new();

	json_set(o, "name", json_text(slice_cstr(e->name)));
	json_set(o, "kernel", json_text(slice_cstr(e->image)));
	json_set(o, "vmlinux", path_or_none(e->vmlinux));
	json_set(o, "config", path_or_none(e->config));
	json_set(o, "modules", path_or_none(e->modules));
	json_set(o, "size_bytes", json_int((int64_t)e->size_bytes));
	json_set(o, "info", kernel_info_to_json(&e->info));
	return o;
}

static void entry_to_text(const struct kernel_entry *e)
{
	const struct kernel_info *i = &e->info;

	printf("%s\n", e->name);
	printf("\t%s%s%s%s%s%s, %ju MB",
	       *i->arch ? i->arch : "unknown architecture",
	       i->kcov ? ", KCOV" : "", i->kasan ? ", KASAN" : "",
	       e->vmlinux ? ", symbols" : "", e->modules ? ", modules" : "",
	       *i->origin ? "" : ", put here by hand",
	       (uintmax_t)e->size_bytes / 1000000);
	if (*i->package)
		printf(", %s %s", i->package, i->package_version);
	if (*i->source)
		printf(", %s", i->source);
	if (*i->commit)
		printf(" at %s", i->commit);
	if (*i->signature)
		printf("\n\tsignature %s", i->signature);
	putchar('\n');
}

static fallible list_run(const void *options, int argc, char **argv,
			 int *status)
{
	const struct list_opts *o = options;
	_cleanup_(kernel_entries_deinit) kernel_entries all = {};
	_cleanup_(json_freep) struct json *array = NULL;

	if (argc)
		return error_new(ERR_USAGE, "no operands are expected");
	kernel_list(NULL, true, &all);
	if (o->json)
		array = json_array_new();
	vec_for_each(&all, e) {
		if (array)
			json_push(array, entry_to_json(e));
		else
			entry_to_text(e);
	}
	return array ? json_write(array, stdout) : NULL;
}

static const struct command list = {
	.name = "kernel list",
	.args = "",
	.summary =
		"show the kernels of the cache, the best for finding bugs first",
	.opts = list_options,
	.opts_size = sizeof(struct list_opts),
	.run = list_run,
};

/* ---- all of them ---- */

static const struct command *const subs[] = { &fetch, &cmd_kernel_config,
					      &cmd_kernel_build, &list, NULL };

const struct command cmd_kernel = {
	.name = "kernel",
	.args = "fetch|config|build|list",
	.summary = "fetch, configure, build and list kernels to boot",
	.subs = subs,
};
