/* SPDX-License-Identifier: GPL-2.0-or-later */
/* report.c - "bugon report": crashes in console logs. */
#include <errno.h>
#include <poll.h>
#include <time.h>
#include <unistd.h>

#include "base/io.h"
#include "base/mem.h"
#include "cmd/cmd.h"
#include "cmd/finding.h"

enum { CHUNK_BYTES = 256 * 1024, IDLE_MS = 3000, TICK_MS = 1500 };

struct report_opts {
	const char *vmlinux, *module_dir, *kernel_src;
	bool json, all, first, explain, formats;
};

static const struct opt opts[] = {
	OPT(OPT_FLAG, 'j', "json", report_opts, json, NULL,
	    "print a JSON array of the reports"),
	OPT(OPT_STR, 'k', "vmlinux", report_opts, vmlinux, "FILE",
	    "the kernel that crashed, with debug information: adds source lines"),
	OPT(OPT_STR, 'm', "module-dir", report_opts, module_dir, "DIR",
	    "where to look for the debug files of its modules"),
	OPT(OPT_STR, 's', "kernel-src", report_opts, kernel_src, "DIR",
	    "its source tree: names the maintainers to tell"),
	OPT(OPT_FLAG, 'a', "all", report_opts, all, NULL,
	    "print every report of a log (the default)"),
	OPT(OPT_FLAG, '1', "first", report_opts, first, NULL,
	    "print only the first report of each log"),
	OPT(OPT_FLAG, 'e', "explain", report_opts, explain, NULL,
	    "say which line, format and frames led to the title"),
	OPT(OPT_FLAG, 'l', "formats", report_opts, formats, NULL,
	    "list the crashes that bugon knows, without reading a log"),
	OPT_END,
};

/* A crash as --formats lists it: a row of formats.def. */
static struct json *format_json(const struct report_format *f)
{
	struct json *o = json_object_new();
	const char *type = report_type_name(f->type);

	json_set(o, "id", json_text(slice_cstr(f->id)));
	json_set(o, "type", json_text(slice_cstr(type)));
	json_set(o, "title", json_text(slice_cstr(f->title)));
	json_set(o, "doc", json_text(slice_cstr(f->doc)));
	return o;
}

static fallible formats_to_json(void)
{
	_cleanup_(json_freep) struct json *all = json_array_new();
	struct report_format f;

	for (unsigned i = 0; report_format_get(i, &f); i++)
		json_push(all, format_json(&f));
	return json_write(all, stdout);
}

static void formats_to_text(void)
{
	struct report_format f;
	size_t id = 0, title = 0; /* the widest */

	for (unsigned i = 0; report_format_get(i, &f); i++) {
		id = strlen(f.id) > id ? strlen(f.id) : id;
		title = strlen(f.title) > title ? strlen(f.title) : title;
	}
	for (unsigned i = 0; report_format_get(i, &f); i++)
		printf("%-*s  %-*s  %s\n", (int)id, f.id, (int)title, f.title,
		       f.doc);
}

static fallible list_formats(bool as_json)
{
	if (as_json)
		return formats_to_json();
	formats_to_text();
	return NULL;
}

/* What the callback needs. */
struct output {
	const struct report_opts *opts;
	struct kernel_files kernel;
	unsigned in_this_log, in_all;
	bool broken; /* what is printed gets lost */
};

/* One element of an array that is never in memory as a whole. */
static fallible print_json(const struct finding *f, struct output *out)
{
	_cleanup_(json_freep) struct json *o =
		finding_to_json(f, out->opts->explain);

	fputs(out->in_all++ ? ",\n" : "[\n", stdout);
	return json_write(o, stdout);
}

static struct error *print(void *ctx, const struct report *r)
{
	struct output *out = ctx;
	struct finding f;

	if (out->opts->first && out->in_this_log++)
		return NULL;
	finding_init(&f, r, &out->kernel);
	struct error *err = NULL;
	if (out->opts->json)
		err = print_json(&f, out);
	else
		finding_to_text(&f, out->opts->explain, stdout);
	finding_deinit(&f);
	/* One that follows a log wants to see it now. */
	out->broken = err || fflush(stdout) != 0 || ferror(stdout);
	if (out->broken && !err)
		err = error_os("standard output");
	return err;
}

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* When to stop waiting for what may yet follow a report. */
struct patience {
	int64_t tick_at, idle_at;
	bool idle; /* for ever: what was there is printed */
};

static void data_came(struct patience *p)
{
	int64_t now = now_ms();

	if (p->idle)
		p->tick_at = now + TICK_MS;
	p->idle_at = now + IDLE_MS;
	p->idle = false;
}

/*
 * True when there is something to read.  As long as that is so at once, as
 * with a file, nothing depends on time.
 */
static fallible wait_for_data(int fd, struct patience *p,
			      struct report_stream *s, bool *ready)
{
	struct pollfd poll_fd = { .fd = fd, .events = POLLIN };
	int64_t wait = MIN(p->tick_at, p->idle_at) - now_ms();

	*ready = p->idle || poll(&poll_fd, 1, wait > 0 ? (int)wait : 0) != 0;
	if (*ready)
		return NULL;
	p->idle = now_ms() >= p->idle_at;
	if (p->idle)
		return report_idle(s);
	p->tick_at = now_ms() + TICK_MS;
	return report_tick(s);
}

/* Feed a file, pipe or terminal; who follows a log gets its reports early. */
static fallible read_log(int fd, const char *name, struct output *out)
{
	_cleanup_(report_stream_freep) struct report_stream *s =
		report_stream_new(print, out);
	_cleanup_(freep) char *chunk = mem_calloc(1, CHUNK_BYTES);
	struct error *failed = NULL;
	struct patience patience = { .idle = true };
	bool empty = true, ready;

	out->in_this_log = 0;
	while (!out->opts->first || !out->in_this_log) {
		TRY(wait_for_data(fd, &patience, s, &ready));
		if (!ready)
			continue; /* that may have been the first */
		ssize_t n = read(fd, chunk, CHUNK_BYTES);
		if (n < 0 && (errno == EINTR || errno == EPIPE))
			continue; /* EPIPE: /dev/kmsg has dropped some */
		if (n < 0)
			failed = error_os("%s", name);
		if (n == 0 && empty && fd != STDIN_FILENO)
			return error_new(ERR_INPUT,
					 "%s: is empty; was the log captured?",
					 name);
		if (n <= 0)
			break;
		TRY(report_feed(s, (struct slice){ chunk, (size_t)n }));
		data_came(&patience);
		empty = false;
	}
	struct error *err = report_finish(s);
	if (!err)
		return failed;
	error_free(failed);
	return err;
}

static fallible read_file(const char *path, struct output *out)
{
	_cleanup_(close_fdp) int fd = -1;

	if (!strcmp(path, "-"))
		return read_log(STDIN_FILENO, "standard input", out);
	TRY(io_open_read(path, &fd));
	return read_log(fd, path, out);
}

/* A problem that does not keep us from the rest. */
static void complain(struct error *err, int *status)
{
	if (!err)
		return;
	cmd_complain(&cmd_report, err);
	*status = 1;
}

static fallible report_run(const void *options, int argc, char **argv,
			   int *status)
{
	static char dash[] = "-", *just_stdin[] = { dash };
	const struct report_opts *o = options;
	_cleanup_(symbols_closep) struct symbols *symbols = NULL;
	_cleanup_(maintainers_closep) struct maintainers *maintainers = NULL;

	if (o->all && o->first)
		return error_new(ERR_USAGE,
				 "--all and --first exclude each other");
	if (o->formats && argc)
		return error_new(ERR_USAGE, "--formats reads no FILE");
	if (o->formats)
		return list_formats(o->json);
	if (o->module_dir && !o->vmlinux)
		return error_new(ERR_USAGE, "--module-dir needs --vmlinux");
	if (o->vmlinux)
		complain(symbols_open(o->vmlinux, o->module_dir, &symbols),
			 status);
	if (o->kernel_src)
		complain(maintainers_open(o->kernel_src, MAINTAINERS_KEYWORDS,
					  &maintainers),
			 status);
	struct output out = {
		.opts = o,
		.kernel = { symbols, maintainers },
	};
	if (!argc) {
		argc = 1;
		argv = just_stdin;
	}
	for (int i = 0; i < argc && !out.broken; i++) {
		struct error *err = read_file(argv[i], &out);

		if (!out.broken)
			complain(err, status);
		else
			error_free(err); /* main() says it */
	}
	if (o->json)
		fputs(out.in_all ? "]\n" : "[]\n", stdout);
	if (symbols && cmd_note(&cmd_report, symbols) &&
	    !symbols_stats(symbols).nr[SYMBOLS_FOUND])
		*status = 1; /* of no use */
	return NULL;
}

const struct command cmd_report = {
	.name = "report",
	.args = "[FILE...]",
	.summary = "find crashes in kernel console logs",
	.opts = opts,
	.opts_size = sizeof(struct report_opts),
	.run = report_run,
};
