/* SPDX-License-Identifier: GPL-2.0-or-later */
/* desc.c - the command: check, format and show descriptions. */
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/files.h"
#include "base/io.h"
#include "base/mem.h"
#include "cmd/cmd.h"
#include "cmd/desc.h"
#include "cmd/descriptions.h"
#include "desc/desc.h"

static const struct opt desc_table[] = {
	OPT(OPT_STR, 'a', "arch", desc_opts, arch, "ARCH",
	    "lay out for ARCH instead of amd64; const: for several, with "
	    "commas"),
	OPT(OPT_STR, 'd', "descriptions", desc_opts, dir, "DIR",
	    "read the *.txt and *.const files of DIR"),
	OPT(OPT_FLAG, 'w', "write", desc_opts, write, NULL,
	    "fmt: change the files instead of printing them"),
	OPT(OPT_STR, 'k', "kernel-src", desc_opts, kernel_src, "DIR",
	    "const: take values from this source tree of a kernel"),
	OPT(OPT_STR, 0, "headers", desc_opts, headers, "DIR",
	    "const: take them from installed headers, like /usr/include"),
	OPT(OPT_STR, 0, "vmlinux", desc_opts, vmlinux, "FILE",
	    "generate: draft from the debug information of this kernel"),
	OPT(OPT_LIST, 0, "dev", desc_opts, devs, "PATTERN",
	    "generate: only devices (names, or nodes below /dev) like this"),
	OPT(OPT_STR, 'o', "out", desc_opts, out, "DIR",
	    "generate: write files there instead of printing them"),
	OPT_END,
};

/* Files, or what is in directories; those of -d come first. */
static fallible load(const struct desc_opts *o, int argc, char **argv,
		     struct desc_input *in)
{
	if (o->dir)
		TRY(desc_input_dir(in, o->dir));
	for (int i = 0; i < argc; i++) {
		struct stat st;

		if (!stat(argv[i], &st) && S_ISDIR(st.st_mode))
			TRY(desc_input_dir(in, argv[i]));
		else
			TRY(desc_input_file(in, argv[i]));
	}
	return NULL;
}

static fallible print(const struct buf *out)
{
	return io_write_all(STDOUT_FILENO, out->data, out->len);
}

/* Messages are what `check` prints; to others they are talk. */
static fallible print_messages(struct desc_input *in, int fd)
{
	_cleanup_(buf_deinit) struct buf out = {};

	desc_messages_to_text(in, &out);
	return out.len ? io_write_all(fd, out.data, out.len) : NULL;
}

static fallible format_file(const struct desc_opts *o, const char *path,
			    int *status)
{
	_cleanup_(desc_input_freep) struct desc_input *in = desc_input_new();
	_cleanup_(buf_deinit) struct buf old = {}, new = {};

	TRY(desc_input_file(in, path));
	TRY(print_messages(in, STDERR_FILENO));
	struct error *err = desc_format(in, 0, &new);

	if (err) {
		cmd_complain(&cmd_desc, err);
		*status = 1;
		return NULL;
	}
	if (!o->write)
		return print(&new);
	TRY(io_read_file(path, SIZE_MAX / 2, &old));
	if (slice_eq(buf_as_slice(&old), buf_as_slice(&new)))
		return NULL;
	TRY(file_replace(path, 0666, buf_as_slice(&new)));
	printf("%s\n", path);
	return NULL;
}

static fallible desc_fmt(const struct desc_opts *o, int argc, char **argv,
			 int *status)
{
	if (!argc)
		return error_new(ERR_USAGE, "fmt: which files?");
	for (int i = 0; i < argc; i++)
		TRY(format_file(o, argv[i], status));
	return NULL;
}

static fallible compile(const struct desc_opts *o, struct desc_input *in,
			struct desc **out)
{
	const struct desc_arch *arch;

	TRY(cmd_desc_arch(o->arch, &arch));
	if (!desc_files(in))
		return error_new(ERR_USAGE, "which descriptions? give files or "
					    "--descriptions");
	*out = desc_compile(in, arch);
	return NULL;
}

static fallible desc_check(const struct desc_opts *o, int argc, char **argv,
			   int *status)
{
	_cleanup_(desc_input_freep) struct desc_input *in = desc_input_new();
	_cleanup_(desc_freep) struct desc *d = NULL;

	TRY(load(o, argc, argv, in));
	TRY(compile(o, in, &d));
	TRY(print_messages(in, STDOUT_FILENO));
	fprintf(stderr,
		"%zu files, %zu lines: %zu calls on %s (%zu not there), "
		"%zu types; %zu errors, %zu warnings\n",
		desc_files(in), desc_lines(in), d->ncalls, d->arch->name,
		d->unsupported, d->ntypes, desc_errors(in), desc_warnings(in));
	*status = desc_errors(in) != 0;
	return NULL;
}

/* Ours, or what -d names. */
static fallible open_dir(const struct desc_opts *o, struct desc **out)
{
	const struct desc_arch *arch;

	TRY(cmd_desc_arch(o->arch, &arch));
	return cmd_descriptions(o->dir, arch, out);
}

/* All calls whose name one of the words begins. */
static fallible desc_list(const struct desc_opts *o, int argc, char **argv,
			  int *status)
{
	_cleanup_(desc_freep) struct desc *d = NULL;
	_cleanup_(buf_deinit) struct buf out = {};

	TRY(open_dir(o, &d));
	for (size_t i = 0; i < d->ncalls; i++) {
		const char *name = desc_name(d, d->calls[i].name);
		bool wanted = !argc;

		for (int k = 0; k < argc; k++)
			wanted |= slice_starts(slice_cstr(name),
					       slice_cstr(argv[k]));
		if (wanted)
			buf_printf(&out, "%s\n", name);
	}
	*status = !out.len;
	return out.len ? print(&out) : NULL;
}

static fallible desc_show(const struct desc_opts *o, int argc, char **argv,
			  int *status)
{
	_cleanup_(desc_freep) struct desc *d = NULL;
	_cleanup_(buf_deinit) struct buf out = {};

	if (!argc)
		return error_new(ERR_USAGE, "show: which calls?");
	TRY(open_dir(o, &d));
	for (int i = 0; i < argc; i++) {
		const struct desc_call *call =
			desc_call_find(d, slice_cstr(argv[i]));

		if (!call)
			return error_new(ERR_NOT_FOUND,
					 "no call %s on %s; 'bugon desc list' "
					 "prints all",
					 argv[i], d->arch->name);
		if (i)
			buf_char(&out, '\n');
		desc_call_to_text(d, call, &out);
	}
	return print(&out);
}

static const struct verb {
	const char *name;
	fallible (*run)(const struct desc_opts *o, int argc, char **argv,
			int *status);
} verbs[] = {
	{ "check", desc_check }, { "const", desc_const },
	{ "fmt", desc_fmt },	 { "generate", desc_generate },
	{ "list", desc_list },	 { "show", desc_show },
};

static fallible run_desc(const void *opts, int argc, char **argv, int *status)
{
	if (!argc)
		return error_new(ERR_USAGE, "what to do: check, const, fmt, "
					    "generate, list or show?");
	for (size_t i = 0; i < ARRAY_LEN(verbs); i++)
		if (!strcmp(argv[0], verbs[i].name))
			return verbs[i].run(opts, argc - 1, argv + 1, status);
	return error_new(ERR_USAGE,
			 "'%s' is none of check, const, fmt, "
			 "generate, list, show",
			 argv[0]);
}

const struct command cmd_desc = {
	.name = "desc",
	.args = "check|const|fmt|generate|list|show [FILE|CALL]...",
	.summary = "check, format and show descriptions of system calls",
	.opts = desc_table,
	.opts_size = sizeof(struct desc_opts),
	.run = run_desc,
};
