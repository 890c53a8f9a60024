/* SPDX-License-Identifier: GPL-2.0-or-later */
/* report.c - "bugon report": crashes in console logs. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include "base/io.h"
#include "cmd/cmd.h"
#include "report/report.h"
#include "json/json.h"

enum { CHUNK_BYTES = 256 * 1024, IDLE_MS = 2000 };

struct report_opts {
	bool json, all, first, explain;
};

static const struct opt opts[] = {
	OPT(OPT_FLAG, 'j', "json", report_opts, json, NULL,
	    "print a JSON array of the reports"),
	OPT(OPT_FLAG, 'a', "all", report_opts, all, NULL,
	    "print every report of a log (the default)"),
	OPT(OPT_FLAG, '1', "first", report_opts, first, NULL,
	    "print only the first report of each log"),
	OPT(OPT_FLAG, 'e', "explain", report_opts, explain, NULL,
	    "say which line, format and frames led to the title"),
	OPT_END,
};

/* What the callback needs. */
struct output {
	const struct report_opts *opts;
	struct json *array; /* with --json */
	unsigned in_this_log;
};

static struct json *frame_json(const struct report_frame *f)
{
	struct json *o = json_object_new();

	json_set(o, "function", json_text(f->function));
	json_set(o, "offset", json_int((int64_t)f->offset));
	json_set(o, "size", json_int((int64_t)f->size));
	json_set(o, "file", json_text(f->file));
	json_set(o, "line", json_int(f->line));
	json_set(o, "inline", json_flag(f->is_inline));
	json_set(o, "module", json_text(f->module));
	json_set(o, "guess", json_flag(f->is_guess));
	return o;
}

static struct json *report_json(const struct report *r, bool explain)
{
	struct json *o = json_object_new();
	struct json *alts = json_array_new(), *frames = json_array_new();
	struct json *executor = json_none();

	for (size_t i = 0; i < r->nr_alts; i++)
		json_push(alts, json_text(slice_cstr(r->alts[i])));
	for (size_t i = 0; i < r->nr_frames; i++)
		json_push(frames, frame_json(&r->frames[i]));
	if (r->has_executor) {
		json_free(executor);
		executor = json_object_new();
		json_set(executor, "proc", json_int(r->executor_proc));
		json_set(executor, "id", json_int(r->executor_id));
	}
	json_set(o, "title", json_text(slice_cstr(r->title)));
	json_set(o, "alt_titles", alts);
	json_set(o, "type", json_text(slice_cstr(report_type_name(r->type))));
	json_set(o, "frame", json_text(slice_cstr(r->frame)));
	json_set(o, "corrupted", json_flag(r->corrupted != NULL));
	json_set(o, "corrupted_reason",
		 json_text(slice_cstr(r->corrupted ? r->corrupted : "")));
	json_set(o, "suppressed", json_flag(r->suppressed));
	json_set(o, "panicked", json_flag(r->panicked));
	json_set(o, "executor", executor);
	json_set(o, "start", json_int((int64_t)r->start));
	json_set(o, "end", json_int((int64_t)r->end));
	json_set(o, "guilty_file", json_text(r->guilty_file));
	json_set(o, "maintainers", json_array_new());
	json_set(o, "key", json_text(slice_cstr(r->key)));
	json_set(o, "frames", frames);
	json_set(o, "report", json_text(r->text));
	if (explain)
		json_set(o, "explanation",
			 json_text(slice_cstr(r->explanation)));
	return o;
}

static void print_text(const struct report *r, const struct report_opts *o)
{
	printf("TITLE: %s\n", r->title);
	for (size_t i = 0; i < r->nr_alts; i++)
		printf("ALT: %s\n", r->alts[i]);
	printf("TYPE: %s\n", report_type_name(r->type));
	if (*r->frame)
		printf("FRAME: %s\n", r->frame);
	if (r->corrupted)
		printf("CORRUPTED: %s\n", r->corrupted);
	if (r->suppressed)
		puts("SUPPRESSED: Y");
	if (r->panicked)
		puts("PANICKED: Y");
	if (r->has_executor)
		printf("EXECUTOR: proc=%u, id=%u\n", r->executor_proc,
		       r->executor_id);
	if (r->guilty_file.len)
		printf("GUILTY: " SLICE_FMT "\n", SLICE_ARG(r->guilty_file));
	if (o->explain)
		printf("WHY:\n%s", r->explanation);
	printf("\n" SLICE_FMT "\n", SLICE_ARG(r->text));
	fflush(stdout);
}

static struct error *print(void *ctx, const struct report *r)
{
	struct output *out = ctx;

	if (out->opts->first && out->in_this_log++)
		return NULL;
	if (out->array)
		json_push(out->array, report_json(r, out->opts->explain));
	else
		print_text(r, out->opts);
	return NULL;
}

/* Feed a file, pipe or terminal; a pipe that pauses gets its reports early. */
static fallible read_log(int fd, const char *name, struct output *out)
{
	_cleanup_(report_stream_freep) struct report_stream *s =
		report_stream_new(print, out);
	_cleanup_(freep) char *chunk = malloc(CHUNK_BYTES);
	bool idle = true;

	out->in_this_log = 0;
	while (chunk) {
		struct pollfd p = { .fd = fd, .events = POLLIN };

		if (!idle && poll(&p, 1, IDLE_MS) == 0) {
			TRY(report_idle(s));
			idle = true;
		}
		ssize_t n = read(fd, chunk, CHUNK_BYTES);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return error_os("%s", name);
		if (n == 0)
			break;
		TRY(report_feed(s, (struct slice){ chunk, (size_t)n }));
		idle = false;
	}
	return report_finish(s);
}

static fallible read_file(const char *path, struct output *out)
{
	_cleanup_(close_fdp) int fd = -1;

	if (!strcmp(path, "-"))
		return read_log(STDIN_FILENO, "standard input", out);
	TRY(io_open_read(path, &fd));
	return read_log(fd, path, out);
}

static fallible report_run(const void *options, int argc, char **argv,
			   int *status)
{
	static char dash[] = "-", *just_stdin[] = { dash };
	struct output out = { .opts = options };
	_cleanup_(json_freep) struct json *array =
		out.opts->json ? json_array_new() : NULL;

	if (out.opts->all && out.opts->first)
		return error_new(ERR_USAGE,
				 "--all and --first exclude each other");
	out.array = array;
	if (!argc) {
		argc = 1;
		argv = just_stdin;
	}
	for (int i = 0; i < argc; i++) {
		struct error *err = read_file(argv[i], &out);

		if (!err)
			continue;
		fprintf(stderr, "bugon report: %s\n", error_message(err));
		error_free(err);
		*status = 1;
	}
	return array ? json_write(array, stdout) : NULL;
}

const struct command cmd_report = {
	.name = "report",
	.args = "[FILE...]",
	.summary = "find crashes in kernel console logs",
	.opts = opts,
	.opts_size = sizeof(struct report_opts),
	.run = report_run,
};
