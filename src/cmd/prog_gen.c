/* SPDX-License-Identifier: GPL-2.0-or-later */
/* prog_gen.c - the commands that make programs: gen, mutate, minimize. */
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "base/mem.h"
#include "cmd/prog.h"

enum { CALLS = 10, ASK_MAX = 10000 };

struct gen_opts {
	const char *arch, *dir, *out, *check;
	struct opt_list enable;
	unsigned seed, calls, count;
	bool repair;
};

#define GEN_COMMON                                                      \
	OPT(OPT_STR, 'a', "arch", gen_opts, arch, "ARCH",               \
	    "the programs are for ARCH instead of amd64"),              \
		OPT(OPT_STR, 'd', "descriptions", gen_opts, dir, "DIR", \
		    "use the descriptions of DIR (*.txt, *.const), not ours")

static const struct opt gen_options[] = {
	GEN_COMMON,
	OPT(OPT_UINT, 's', "seed", gen_opts, seed, "N",
	    "the same number makes the same programs (1)"),
	OPT(OPT_UINT, 'c', "calls", gen_opts, calls, "N",
	    "calls of a program (10)"),
	OPT(OPT_UINT, 'n', "count", gen_opts, count, "N",
	    "make so many programs (1)"),
	OPT(OPT_LIST, 'e', "enable", gen_opts, enable, "PATTERN",
	    "only calls whose name matches, as far as they can do without others"),
	OPT(OPT_STR, 'o', "out", gen_opts, out, "DIR",
	    "write files DIR/0.prog, DIR/1.prog... instead of printing"),
	OPT_END,
};

static const struct opt mutate_options[] = {
	GEN_COMMON,
	OPT(OPT_FLAG, 'r', "repair", gen_opts, repair, NULL,
	    "make a program of other descriptions fit"),
	OPT(OPT_UINT, 's', "seed", gen_opts, seed, "N",
	    "the same number makes the same changes (1)"),
	OPT(OPT_UINT, 'n', "count", gen_opts, count, "N",
	    "print so many mutants (1)"),
	OPT_END,
};

static const struct opt minimize_options[] = {
	GEN_COMMON,
	OPT(OPT_FLAG, 'r', "repair", gen_opts, repair, NULL,
	    "make a program of other descriptions fit"),
	OPT(OPT_STR, 'x', "check", gen_opts, check, "COMMAND",
	    "a shell command that ends with 0 while the program, on its "
	    "standard input, is still what you look for"),
	OPT_END,
};

struct making {
	struct desc *desc;
	struct prog_target *target;
};

static fallible making_open(const struct gen_opts *o, struct making *m)
{
	const struct desc_arch *arch;

	TRY(cmd_desc_arch(o->arch, &arch));
	TRY(cmd_descriptions(o->dir, arch, &m->desc));
	m->target = prog_target_new(m->desc);
	return NULL;
}

static void making_close(struct making *m)
{
	if (m->target)
		prog_target_free(m->target);
	if (m->desc)
		desc_free(m->desc);
}

/* One of several, or a file of its own. */
static fallible put(const struct gen_opts *o, unsigned i, const struct prog *p,
		    struct buf *out)
{
	_cleanup_(buf_deinit) struct buf text = {};
	char path[4096];
	int fd;

	prog_to_text(p, &text);
	if (!o->out) {
		if (o->count > 1)
			buf_printf(out, "%s# program %u\n", i ? "\n" : "", i);
		buf_slice(out, buf_as_slice(&text));
		return NULL;
	}
	snprintf(path, sizeof(path), "%s/%u.prog", o->out, i);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	if (fd < 0)
		return error_os("%s", path);
	struct error *err = io_write_all(fd, text.data, text.len);

	close(fd);
	return err;
}

static uint8_t *enabled_calls(const struct gen_opts *o, const struct making *m)
{
	const struct desc *d = m->desc;
	uint8_t *enabled = mem_calloc(d->ncalls + 1, 1);

	for (size_t i = 0; i < d->ncalls; i++) {
		enabled[i] = !o->enable.nr;
		for (unsigned k = 0; k < o->enable.nr; k++)
			enabled[i] |= !fnmatch(o->enable.v[k],
					       desc_name(d, d->calls[i].name),
					       0);
	}
	prog_enabled_close(m->target, enabled, NULL);
	return enabled;
}

static fallible generate(const struct gen_opts *o, const struct making *m,
			 struct buf *out)
{
	_cleanup_(freep) uint8_t *enabled = enabled_calls(o, m);
	_cleanup_(prog_choices_freep) struct prog_choices *c =
		prog_choices_new(m->target, enabled, NULL, 0);
	struct rng rng;

	rng_seed(&rng, o->seed);
	if (o->out && mkdir(o->out, 0777) && errno != EEXIST)
		return error_os("%s", o->out);
	for (unsigned i = 0; i < o->count; i++) {
		_cleanup_(prog_freep) struct prog *p =
			prog_generate(c, &rng, o->calls);

		if (!prog_ncalls(p))
			return error_new(ERR_USAGE,
					 "--enable leaves no call that could "
					 "be made alone");
		TRY(put(o, i, p, out));
	}
	return NULL;
}

static struct gen_opts with_defaults(const struct gen_opts *o)
{
	struct gen_opts all = *o;

	all.seed = all.seed ? all.seed : 1;
	all.calls = all.calls ? all.calls : CALLS;
	all.count = all.count ? all.count : 1;
	return all;
}

static fallible gen_run(const void *opts, int argc, char **argv, int *status)
{
	struct gen_opts o = with_defaults(opts);
	_cleanup_(making_close) struct making m = {};
	_cleanup_(buf_deinit) struct buf out = {};

	if (argc)
		return error_new(ERR_USAGE, "gen takes no files");
	if (o.calls > 512)
		return error_new(ERR_USAGE, "--calls is at most 512");
	TRY(making_open(&o, &m));
	TRY(generate(&o, &m, &out));
	return io_write_all(STDOUT_FILENO, out.data, out.len);
}

static fallible read_one(const struct gen_opts *o, const struct making *m,
			 int argc, char **argv, struct prog **out)
{
	_cleanup_(buf_deinit) struct buf text = {};

	if (argc != 1)
		return error_new(ERR_USAGE, "one program; - is the standard "
					    "input");
	TRY(prog_read_text(argv[0], &text));
	return prog_parse(m->target, argv[0], buf_as_slice(&text),
			  o->repair ? PROG_REPAIR : PROG_STRICT, out);
}

static fallible mutate_run(const void *opts, int argc, char **argv, int *status)
{
	struct gen_opts o = with_defaults(opts);
	_cleanup_(making_close) struct making m = {};
	_cleanup_(prog_freep) struct prog *p = NULL;
	_cleanup_(prog_choices_freep) struct prog_choices *c = NULL;
	_cleanup_(buf_deinit) struct buf out = {};
	struct rng rng;

	TRY(making_open(&o, &m));
	TRY(read_one(&o, &m, argc, argv, &p));
	c = prog_choices_new(m.target, NULL, NULL, 0);
	rng_seed(&rng, o.seed);
	for (unsigned i = 0; i < o.count; i++) {
		_cleanup_(prog_freep) struct prog *mutant = prog_copy(p);
		const struct prog_mutation how = {
			.choices = c,
			.max_calls = prog_ncalls(p) + CALLS,
			.props = true,
		};

		prog_mutate(mutant, &how, &rng);
		TRY(put(&o, i, mutant, &out));
	}
	return io_write_all(STDOUT_FILENO, out.data, out.len);
}

/* Runs the command; what it prints is talk. */
static bool still_good(const struct prog *p, size_t keep, void *ctx)
{
	const struct gen_opts *o = ctx;
	_cleanup_(buf_deinit) struct buf text = {};
	_cleanup_(buf_deinit) struct buf command = {};
	FILE *f;

	buf_printf(&command, "exec 1>&2\n%s", o->check);
	f = popen(buf_cstr(&command), "w");
	if (!f)
		return false;
	prog_to_text(p, &text);
	fwrite(text.data, 1, text.len, f);
	return !pclose(f);
}

static fallible minimize_run(const void *opts, int argc, char **argv,
			     int *status)
{
	struct gen_opts o = with_defaults(opts);
	_cleanup_(making_close) struct making m = {};
	_cleanup_(prog_freep) struct prog *p = NULL;
	_cleanup_(buf_deinit) struct buf out = {};
	size_t keep = PROG_NO_CALL;

	if (!o.check)
		return error_new(ERR_USAGE, "--check says what is looked for");
	TRY(making_open(&o, &m));
	TRY(read_one(&o, &m, argc, argv, &p));
	signal(SIGPIPE, SIG_IGN); /* a command that does not read */
	if (!still_good(p, keep, &o))
		return error_new(ERR_INPUT,
				 "%s: the command of --check does "
				 "not end with 0 for it as it is",
				 argv[0]);
	prog_minimize(p, &keep, ASK_MAX, still_good, &o);
	prog_to_text(p, &out);
	return io_write_all(STDOUT_FILENO, out.data, out.len);
}

const struct command cmd_prog_gen = {
	.name = "prog gen",
	.args = "",
	.summary = "make programs from descriptions",
	.opts = gen_options,
	.opts_size = sizeof(struct gen_opts),
	.run = gen_run,
};

const struct command cmd_prog_mutate = {
	.name = "prog mutate",
	.args = "FILE",
	.summary = "print mutants of a program",
	.opts = mutate_options,
	.opts_size = sizeof(struct gen_opts),
	.run = mutate_run,
};

const struct command cmd_prog_minimize = {
	.name = "prog minimize",
	.args = "FILE",
	.summary = "simplify a program as long as a command agrees",
	.opts = minimize_options,
	.opts_size = sizeof(struct gen_opts),
	.run = minimize_run,
};
