/* SPDX-License-Identifier: GPL-2.0-or-later */
/* corpus_stat.c - `bugon corpus stat`: how many programs, of what calls. */
#include <inttypes.h>
#include <stdlib.h>

#include "cmd/corpus.h"
#include "json/json.h"

struct stat_opts {
	bool json;
};

static const struct opt stat_options[] = {
	OPT(OPT_FLAG, 'j', "json", stat_opts, json, NULL, "print JSON"),
	OPT_END,
};

struct counts {
	struct corpus_seen programs;
	struct corpus_calls calls;
	size_t twice;
	uint64_t text_bytes, longest_bytes;
	size_t most_calls;
};

static bool take(void *to, const char *name, struct slice text)
{
	struct counts *n = to;
	struct slice rest = text, line;
	size_t calls = 0;

	(void)name;
	while (slice_line(&rest, &line))
		calls += corpus_call_name(line).len != 0;
	if (!corpus_see(&n->programs, store_name(text))) {
		n->twice++;
		return true;
	}
	for (rest = text; slice_line(&rest, &line);)
		if (corpus_call_name(line).len)
			corpus_count_call(&n->calls, corpus_call_name(line));
	n->text_bytes += text.len;
	if (text.len > n->longest_bytes)
		n->longest_bytes = text.len;
	if (calls > n->most_calls)
		n->most_calls = calls;
	return true;
}

static void counts_deinit(struct counts *n)
{
	corpus_seen_deinit(&n->programs);
	corpus_calls_deinit(&n->calls);
}

static fallible print_json(const struct counts *n,
			   const struct corpus_call *calls)
{
	_cleanup_(json_freep) struct json *o = json_object_new();
	struct json *array = json_array_new();

	json_set(o, "programs", json_int((int64_t)n->programs.n));
	json_set(o, "duplicates", json_int((int64_t)n->twice));
	json_set(o, "text_bytes", json_int((int64_t)n->text_bytes));
	json_set(o, "longest_bytes", json_int((int64_t)n->longest_bytes));
	json_set(o, "calls", json_int((int64_t)n->calls.n));
	json_set(o, "most_calls", json_int((int64_t)n->most_calls));
	for (size_t i = 0; i < n->calls.kinds; i++) {
		struct json *row = json_object_new();

		json_set(row, "call", json_text(slice_cstr(calls[i].name)));
		json_set(row, "count", json_int((int64_t)calls[i].n));
		json_push(array, row);
	}
	json_set(o, "by_call", array);
	return json_write(o, stdout);
}

static void print_text(const struct counts *n, const struct corpus_call *calls)
{
	double programs = n->programs.n ? (double)n->programs.n : 1;

	printf("%zu programs, and %zu that were there twice\n", n->programs.n,
	       n->twice);
	printf("%" PRIu64 " bytes of text, %.0f a program, at most %" PRIu64
	       "\n",
	       n->text_bytes, (double)n->text_bytes / programs,
	       n->longest_bytes);
	printf("%zu calls, %.1f a program, at most %zu; %zu different\n",
	       n->calls.n, (double)n->calls.n / programs, n->most_calls,
	       n->calls.kinds);
	for (size_t i = 0; i < n->calls.kinds; i++)
		printf("%8zu %s\n", calls[i].n, calls[i].name);
}

static fallible stat_run(const void *opts, int argc, char **argv, int *status)
{
	const struct stat_opts *o = opts;
	_cleanup_(counts_deinit) struct counts n = {};
	struct corpus_from from = { .cmd = &cmd_corpus_stat,
				    .take = take,
				    .to = &n };

	if (!argc)
		return error_new(ERR_USAGE, "which programs?");
	for (int i = 0; i < argc; i++)
		corpus_from(&from, argv[i]);
	*status = from.damaged != 0;
	_cleanup_(freep) struct corpus_call *calls =
		corpus_calls_sorted(&n.calls);

	if (o->json)
		return print_json(&n, calls);
	print_text(&n, calls);
	return NULL;
}

const struct command cmd_corpus_stat = {
	.name = "corpus stat",
	.args = "SOURCE...",
	.summary = "count programs and their calls, the most frequent first",
	.opts = stat_options,
	.opts_size = sizeof(struct stat_opts),
	.run = stat_run,
};
