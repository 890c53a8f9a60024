/* SPDX-License-Identifier: GPL-2.0-or-later */
/* prog_text.c - the commands that read programs: fmt and stat. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/io.h"
#include "base/mem.h"
#include "cmd/prog.h"
#include "corpus/corpus.h"

struct text_opts {
	const char *arch, *dir;
	bool repair;
};

static const struct opt text_options[] = {
	OPT(OPT_STR, 'a', "arch", text_opts, arch, "ARCH",
	    "the programs are for ARCH instead of amd64"),
	OPT(OPT_STR, 'd', "descriptions", text_opts, dir, "DIR",
	    "use the descriptions of DIR (*.txt, *.const), not ours"),
	OPT(OPT_FLAG, 'r', "repair", text_opts, repair, NULL,
	    "make programs of other descriptions fit"),
	OPT_END,
};

/* What is done with each program; complaints are printed, and counted. */
struct each {
	const struct command *cmd;
	const struct text_opts *opts;
	struct desc *desc;
	struct prog_target *target;
	void (*use)(struct each *e, struct slice text, bool of_log,
		    const struct prog *p);
	void *to;
	size_t bad;
};

static fallible one_prog(struct each *e, const char *name, struct slice text,
			 bool of_log)
{
	_cleanup_(prog_freep) struct prog *p = NULL;

	TRY(prog_parse(e->target, name, text,
		       e->opts->repair ? PROG_REPAIR : PROG_STRICT, &p));
	e->use(e, text, of_log, p);
	return NULL;
}

/* One that is no program of ours does not keep the others from use. */
static void each_of_log(struct each *e, const char *path, struct slice log)
{
	_cleanup_(buf_deinit) struct buf text = {};

	for (size_t n = 1; corpus_log_next(&log, &text); n++) {
		_cleanup_(buf_deinit) struct buf name = {};
		struct error *err;

		buf_printf(&name, "%s(program %zu)", path, n);
		err = one_prog(e, name.data, buf_as_slice(&text), true);
		e->bad += err != NULL;
		if (err)
			cmd_complain(e->cmd, err);
		text.len = 0;
	}
}

static fallible one_file(struct each *e, const char *path)
{
	_cleanup_(buf_deinit) struct buf text = {};

	TRY(prog_read_text(path, &text));
	if (!corpus_is_log(buf_as_slice(&text)))
		return one_prog(e, path, buf_as_slice(&text), false);
	each_of_log(e, path, buf_as_slice(&text));
	return NULL;
}

static fallible each_file(struct each *e, int argc, char **argv)
{
	const struct desc_arch *arch;

	if (!argc)
		return error_new(ERR_USAGE, "which programs? - is the standard "
					    "input");
	TRY(cmd_desc_arch(e->opts->arch, &arch));
	TRY(cmd_descriptions(e->opts->dir, arch, &e->desc));
	e->target = prog_target_new(e->desc);
	for (int i = 0; i < argc; i++) {
		struct error *err = one_file(e, argv[i]);

		e->bad += err != NULL;
		if (err)
			cmd_complain(e->cmd, err);
	}
	return NULL;
}

static void each_deinit(struct each *e)
{
	if (e->target)
		prog_target_free(e->target);
	if (e->desc)
		desc_free(e->desc);
}

/* ---- fmt ---- */

/* What is above the first call stays: comments with options, requirements. */
static struct slice head_of(struct slice text)
{
	struct slice rest = text, line;
	size_t len = 0;

	while (slice_line(&rest, &line)) {
		line = slice_trim(line);
		if (line.len && *line.p != '#')
			break;
		len = text.len - rest.len;
	}
	return (struct slice){ text.p, len };
}

/* Programs of a log become a log: each with the line that announces it. */
static void print_text(struct each *e, struct slice text, bool of_log,
		       const struct prog *p)
{
	struct buf *out = e->to;
	struct slice head = head_of(text);

	if (of_log)
		buf_str(out, "executing program 0:\n");
	buf_slice(out, head);
	if (head.len && head.p[head.len - 1] != '\n')
		buf_char(out, '\n');
	prog_to_text(p, out);
}

static fallible fmt_run(const void *opts, int argc, char **argv, int *status)
{
	_cleanup_(buf_deinit) struct buf out = {};
	_cleanup_(each_deinit) struct each e = { .cmd = &cmd_prog_fmt,
						 .opts = opts,
						 .use = print_text,
						 .to = &out };

	TRY(each_file(&e, argc, argv));
	*status = e.bad != 0;
	return io_write_all(STDOUT_FILENO, out.data, out.len);
}

const struct command cmd_prog_fmt = {
	.name = "prog fmt",
	.args = "FILE...",
	.summary = "print programs in their canonical form",
	.opts = text_options,
	.opts_size = sizeof(struct text_opts),
	.run = fmt_run,
};

/* ---- stat ---- */

struct counts {
	size_t *calls; /* by number in the descriptions */
	size_t ncalls, nprogs, bytes;
};

static void count(struct each *e, struct slice text, bool of_log,
		  const struct prog *p)
{
	struct counts *n = e->to;

	(void)of_log;
	if (!n->calls)
		n->calls = mem_calloc(e->desc->ncalls, sizeof(*n->calls));
	for (size_t i = 0; i < prog_ncalls(p); i++)
		n->calls[prog_call_id(p, i)]++;
	n->ncalls += prog_ncalls(p);
	n->nprogs++;
	n->bytes += text.len;
}

struct row {
	size_t n;
	const char *name;
};

/* The most frequent first. */
static int by_count(const void *a, const void *b)
{
	const struct row *x = a, *y = b;

	if (x->n != y->n)
		return x->n < y->n ? 1 : -1;
	return strcmp(x->name, y->name);
}

static size_t print_counts(const struct desc *d, const size_t *calls,
			   struct buf *out)
{
	_cleanup_(freep) struct row *rows =
		mem_calloc(d->ncalls + 1, sizeof(*rows));
	size_t n = 0;

	for (size_t i = 0; i < d->ncalls; i++)
		if (calls[i])
			rows[n++] =
				(struct row){ calls[i],
					      desc_name(d, d->calls[i].name) };
	qsort(rows, n, sizeof(*rows), by_count);
	for (size_t i = 0; i < n; i++)
		buf_printf(out, "%8zu %s\n", rows[i].n, rows[i].name);
	return n;
}

static fallible stat_run(const void *opts, int argc, char **argv, int *status)
{
	_cleanup_(buf_deinit) struct buf out = {};
	struct counts n = {};
	_cleanup_(each_deinit) struct each e = {
		.cmd = &cmd_prog_stat, .opts = opts, .use = count, .to = &n
	};
	size_t different = 0;

	TRY(each_file(&e, argc, argv));
	if (n.calls)
		different = print_counts(e.desc, n.calls, &out);
	free(n.calls);
	fprintf(stderr,
		"%zu programs, %zu bytes of text; %zu calls, %zu different\n",
		n.nprogs, n.bytes, n.ncalls, different);
	*status = e.bad != 0;
	return io_write_all(STDOUT_FILENO, out.data, out.len);
}

const struct command cmd_prog_stat = {
	.name = "prog stat",
	.args = "FILE...",
	.summary = "count calls of programs, the most frequent first",
	.opts = text_options,
	.opts_size = sizeof(struct text_opts),
	.run = stat_run,
};
