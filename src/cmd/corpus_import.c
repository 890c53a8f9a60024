/* SPDX-License-Identifier: GPL-2.0-or-later */
/* corpus_import.c - `bugon corpus import`: programs into a store. */
#include <stdlib.h>

#include "cmd/corpus.h"
#include "cmd/descriptions.h"
#include "prog/prog.h"

/* Transactions of many programs are faster; other writers wait for them. */
enum { BATCH = 1000, UNKNOWN_SHOWN = 10 };

struct import_opts {
	const char *arch, *dir;
	bool keep;
};

static const struct opt import_options[] = {
	OPT(OPT_STR, 'a', "arch", import_opts, arch, "ARCH",
	    "the programs are for ARCH instead of amd64"),
	OPT(OPT_STR, 'd', "descriptions", import_opts, dir, "DIR",
	    "make programs fit the descriptions of DIR instead of ours"),
	OPT(OPT_FLAG, 'k', "keep-text", import_opts, keep, NULL,
	    "take programs as they are, whatever the descriptions"),
	OPT_END,
};

struct import {
	struct store *store;
	struct desc *desc; /* both NULL: keep the texts */
	struct prog_target *target;
	struct buf text;
	size_t added, there, unfit;
	size_t in_batch;
	struct corpus_calls unknown;
	struct error *err;
};

static void count_unknown(struct import *im, struct slice text)
{
	struct slice line;

	while (slice_line(&text, &line)) {
		struct slice name = corpus_call_name(line);

		if (name.len && !desc_call_find(im->desc, name))
			corpus_count_call(&im->unknown, name);
	}
}

/* The canonical text of what fits; "" if nothing does. */
static fallible canonical(struct import *im, const char *name,
			  struct slice *text)
{
	_cleanup_(prog_freep) struct prog *p = NULL;

	count_unknown(im, *text);
	TRY(prog_parse(im->target, name, *text, PROG_REPAIR, &p));
	im->text.len = 0;
	prog_to_text(p, &im->text);
	*text = buf_as_slice(&im->text);
	return NULL;
}

static fallible add(struct import *im, struct slice text)
{
	bool added;

	if (!im->in_batch)
		TRY(store_begin(im->store));
	TRY(store_program_add(im->store,
			      &(struct store_program){ .text = text }, &added));
	*(added ? &im->added : &im->there) += 1;
	im->in_batch = (im->in_batch + 1) % BATCH;
	return im->in_batch ? NULL : store_commit(im->store);
}

static bool take(void *to, const char *name, struct slice text)
{
	struct import *im = to;
	struct error *err = im->desc ? canonical(im, name, &text) : NULL;

	if (err)
		cmd_complain(&cmd_corpus_import, err);
	if (err || !text.len)
		im->unfit++;
	else
		im->err = add(im, text);
	return !im->err;
}

static void report(const struct import *im, const char *workdir)
{
	_cleanup_(freep) struct corpus_call *calls =
		corpus_calls_sorted(&im->unknown);

	fprintf(stderr, "%s: %zu programs added, %zu were there already\n",
		workdir, im->added, im->there);
	if (im->unfit)
		fprintf(stderr, "%zu programs left out: nothing of them fits\n",
			im->unfit);
	if (!im->unknown.n)
		return;
	fprintf(stderr,
		"%zu calls left out, which are unknown:", im->unknown.n);
	for (size_t i = 0; i < im->unknown.kinds && i < UNKNOWN_SHOWN; i++)
		fprintf(stderr, "%s %s (%zu)", i ? "," : "", calls[i].name,
			calls[i].n);
	if (im->unknown.kinds > UNKNOWN_SHOWN)
		fprintf(stderr, ", and %zu more",
			im->unknown.kinds - UNKNOWN_SHOWN);
	fputc('\n', stderr);
}

static void import_deinit(struct import *im)
{
	if (im->store)
		store_close(im->store);
	if (im->target)
		prog_target_free(im->target);
	if (im->desc)
		desc_free(im->desc);
	buf_deinit(&im->text);
	corpus_calls_deinit(&im->unknown);
}

static fallible load(const struct import_opts *o, struct import *im)
{
	const struct desc_arch *arch;

	TRY(cmd_desc_arch(o->arch, &arch));
	TRY(cmd_descriptions(o->dir, arch, &im->desc));
	im->target = prog_target_new(im->desc);
	return NULL;
}

static fallible import_run(const void *opts, int argc, char **argv, int *status)
{
	const struct import_opts *o = opts;
	_cleanup_(import_deinit) struct import im = {};
	struct corpus_from from = { .cmd = &cmd_corpus_import,
				    .take = take,
				    .to = &im };

	if (argc < 2)
		return error_new(ERR_USAGE, "expected are WORKDIR, and what to "
					    "add to its store");
	if (!o->keep)
		TRY(load(o, &im));
	TRY(store_open(argv[0], STORE_WRITE, &im.store));
	for (int i = 1; i < argc; i++)
		corpus_from(&from, argv[i]);
	TRY(im.err);
	if (im.in_batch)
		TRY(store_commit(im.store));
	report(&im, argv[0]);
	*status = from.damaged != 0;
	return NULL;
}

const struct command cmd_corpus_import = {
	.name = "corpus import",
	.args = "WORKDIR SOURCE...",
	.summary = "add programs to the store of a directory, each once",
	.opts = import_options,
	.opts_size = sizeof(struct import_opts),
	.run = import_run,
};
