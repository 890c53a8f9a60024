/* SPDX-License-Identifier: GPL-2.0-or-later */
/* prog_c.c - the command that turns a program into C. */
#include <string.h>
#include <unistd.h>

#include "base/io.h"
#include "base/vec.h"
#include "cmd/prog.h"
#include "json/json.h"

enum { RESULTS_MAX = 64 << 20 };

struct c_opts {
	const char *arch, *dir, *results;
	unsigned times, timeout_s;
	bool print, repair, threads;
};

static const struct opt c_options[] = {
	OPT(OPT_STR, 'a', "arch", c_opts, arch, "ARCH",
	    "the program is for ARCH instead of amd64"),
	OPT(OPT_STR, 'd', "descriptions", c_opts, dir, "DIR",
	    "use the descriptions of DIR (*.txt, *.const), not ours"),
	OPT(OPT_FLAG, 'r', "repair", c_opts, repair, NULL,
	    "make a program of other descriptions fit"),
	OPT(OPT_UINT, 'n', "times", c_opts, times, "N",
	    "let it run N times, in a process and a directory each"),
	OPT(OPT_UINT, 't', "timeout", c_opts, timeout_s, "S",
	    "end each of these after S seconds (5)"),
	OPT(OPT_FLAG, 'p', "print", c_opts, print, NULL,
	    "have it print how each call went: call N = RESULT ERRNO"),
	OPT(OPT_FLAG, 'T', "threads", c_opts, threads, NULL,
	    "make each call on a thread of its own, left behind after 50 ms"),
	OPT(OPT_STR, 0, "results", c_opts, results, "FILE",
	    "say behind each call how it went, by the JSON of bugon run"),
	OPT_END,
};

typedef VEC(struct prog_c_result) results;

/* Of the first run in the file. */
static fallible read_results(const char *path, results *out)
{
	_cleanup_(buf_deinit) struct buf text = {};
	_cleanup_(json_freep) struct json *runs = NULL;
	const struct json *calls;

	TRY(io_read_file(path, RESULTS_MAX, &text));
	TRY(json_parse(buf_as_slice(&text), &runs), "%s", path);
	calls = json_get(json_at(runs, 0), "calls");
	for (size_t i = 0; json_at(calls, i); i++) {
		const struct json *c = json_at(calls, i);

		vec_push(out, (struct prog_c_result){
				      .returned = json_get_flag(c, "returned"),
				      .err = (int)json_get_int(c, "errno"),
				      .ret = (uint64_t)json_get_int(c, "ret"),
			      });
	}
	if (!out->len)
		return error_new(ERR_INPUT,
				 "%s: no calls in it: make it with bugon run "
				 "--json",
				 path);
	return NULL;
}

static fallible to_c(const struct c_opts *o, const char *path,
		     const struct desc *desc, struct buf *out)
{
	_cleanup_(prog_target_freep) struct prog_target *t =
		prog_target_new(desc);
	_cleanup_(buf_deinit) struct buf text = {};
	_cleanup_(prog_freep) struct prog *p = NULL;
	struct prog_c_opts how = { .title = path,
				   .repeat = o->times,
				   .timeout_s = o->timeout_s,
				   .print = o->print,
				   .threads = o->threads };
	results known = {};
	struct error *err = NULL;

	TRY(prog_read_text(path, &text));
	TRY(prog_parse(t, path, buf_as_slice(&text),
		       o->repair ? PROG_REPAIR : PROG_STRICT, &p));
	if (o->results)
		err = read_results(o->results, &known);
	how.results = known.data;
	how.nresults = known.len;
	if (!err)
		err = prog_to_c(p, &how, out);
	vec_free(&known);
	return err;
}

static fallible c_run(const void *opts, int argc, char **argv, int *status)
{
	const struct c_opts *o = opts;
	_cleanup_(buf_deinit) struct buf out = {};
	_cleanup_(desc_freep) struct desc *desc = NULL;
	const struct desc_arch *arch;

	if (argc != 1)
		return error_new(ERR_USAGE, "one program; - is the standard "
					    "input");
	if (o->print && o->threads)
		return error_new(ERR_USAGE, "--print waits for each call, "
					    "--threads does not");
	TRY(cmd_desc_arch(o->arch, &arch));
	TRY(cmd_descriptions(o->dir, arch, &desc));
	TRY(to_c(o, argv[0], desc, &out));
	return io_write_all(STDOUT_FILENO, out.data, out.len);
}

const struct command cmd_prog_c = {
	.name = "prog c",
	.args = "FILE",
	.summary = "print a program as C that a person can read",
	.opts = c_options,
	.opts_size = sizeof(struct c_opts),
	.run = c_run,
};
