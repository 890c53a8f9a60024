/* SPDX-License-Identifier: GPL-2.0-or-later */
/* symbolize.c - the command: logs in, logs with source lines out. */
#include <errno.h>
#include <poll.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/io.h"
#include "cmd/cmd.h"

/*
 * A longer "line" is not a line; it is passed on in pieces.  So is one whose
 * end does not come: a prompt.
 */
enum { LINE_BYTES_MAX = 1 << 20, READ_BYTES = 1 << 16, PROMPT_MS = 500 };

struct symbolize_opts {
	const char *vmlinux;
	const char *module_dir;
};

static const struct opt symbolize_table[] = {
	OPT(OPT_STR, 'k', "vmlinux", symbolize_opts, vmlinux, "FILE",
	    "the kernel that printed the log, with debug information"),
	OPT(OPT_STR, 'm', "module-dir", symbolize_opts, module_dir, "DIR",
	    "where to look for the debug files of its modules"),
	OPT_END,
};

static fallible put(const struct buf *out)
{
	return io_write_all(STDOUT_FILENO, out->data, out->len);
}

/* All complete lines of `in`, and the rest too when `is_last`. */
static fallible pass_lines(struct symbols *syms, struct buf *in, bool is_last)
{
	_cleanup_(buf_deinit) struct buf out = {};
	const char *nl = in->len ? memrchr(in->data, '\n', in->len) : NULL;
	size_t n = nl ? (size_t)(nl + 1 - in->data) : 0;

	if (is_last || (!n && in->len >= LINE_BYTES_MAX))
		n = in->len;
	if (!n)
		return NULL;
	symbolize_text(syms, (struct slice){ in->data, n }, &out);
	buf_consume(in, n);
	return put(&out);
}

/* A log that cannot be read does not keep us from the others. */
static void complain(struct error *err, int *status)
{
	cmd_complain(&cmd_symbolize, err);
	*status = 1;
}

/* Will more of a line come soon? */
static bool pauses(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return poll(&p, 1, PROMPT_MS) == 0;
}

/*
 * What a pipe delivers is answered at once: one read, one write.  Errors are
 * those of writing.
 */
static fallible filter_fd(struct symbols *syms, int fd, const char *name,
			  int *status)
{
	_cleanup_(buf_deinit) struct buf in = {};

	for (;;) {
		if (in.len && pauses(fd)) {
			TRY(put(&in)); /* half a frame is none */
			buf_consume(&in, in.len);
		}
		ssize_t n = read(fd, buf_reserve(&in, READ_BYTES), READ_BYTES);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			complain(error_os("%s", name), status);
		else
			in.len += (size_t)n;
		TRY(pass_lines(syms, &in, n <= 0));
		if (n <= 0)
			return NULL;
	}
}

static fallible filter_file(struct symbols *syms, const char *path, int *status)
{
	_cleanup_(close_fdp) int fd = -1;

	if (!strcmp(path, "-"))
		return filter_fd(syms, STDIN_FILENO, "standard input", status);
	struct error *err = io_open_read(path, &fd);
	if (!err)
		return filter_fd(syms, fd, path, status);
	complain(err, status);
	return NULL;
}

static fallible run_symbolize(const void *opts, int argc, char **argv,
			      int *status)
{
	const struct symbolize_opts *o = opts;
	_cleanup_(symbols_closep) struct symbols *syms = NULL;

	if (!o->vmlinux)
		return error_new(ERR_USAGE, "--vmlinux FILE is required");
	TRY(symbols_open(o->vmlinux, o->module_dir, &syms));
	if (!argc)
		TRY(filter_file(syms, "-", status));
	for (int i = 0; i < argc; i++)
		TRY(filter_file(syms, argv[i], status));
	cmd_note(&cmd_symbolize, syms);
	return NULL;
}

const struct command cmd_symbolize = {
	.name = "symbolize",
	.args = "[FILE...]",
	.summary = "add source lines and inlined callers to kernel logs",
	.opts = symbolize_table,
	.opts_size = sizeof(struct symbolize_opts),
	.run = run_symbolize,
};
