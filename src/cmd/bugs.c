/* SPDX-License-Identifier: GPL-2.0-or-later */
/* bugs.c - what fuzzing found: "bugon bugs", "bugon bug N", "bugon crash N". */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "cmd/cmd.h"
#include "store/store.h"
#include "json/json.h"

struct bugs_opts {
	const char *workdir;
	bool json;
};

static const struct opt opts[] = {
	OPT(OPT_STR, 'w', "workdir", bugs_opts, workdir, "DIR",
	    "the directory that bugon fuzz works in (bugon-work)"),
	OPT(OPT_FLAG, 'j', "json", bugs_opts, json, NULL, "print JSON"),
	OPT_END,
};

static fallible open_workdir(const struct bugs_opts *o, struct store **out)
{
	return store_open(o->workdir ? o->workdir : "bugon-work", STORE_READ,
			  out);
}

static const char *when(int64_t ms, char out[32])
{
	time_t t = (time_t)(ms / 1000);
	struct tm tm;

	strftime(out, 32, "%Y-%m-%d %H:%M:%S", localtime_r(&t, &tm));
	return out;
}

static struct json *lines_to_json(const char *text)
{
	struct slice rest = slice_cstr(text), line;
	struct json *array = json_array_new();

	while (slice_line(&rest, &line))
		json_push(array, json_text(line));
	return array;
}

static struct json *bug_to_json(int64_t id, const struct store_bug *b)
{
	struct json *o = json_object_new();

	json_set(o, "bug", json_int(id));
	json_set(o, "title", json_text(slice_cstr(b->title)));
	json_set(o, "alt_titles", lines_to_json(b->alts));
	json_set(o, "key", json_text(slice_cstr(b->key)));
	json_set(o, "crashes", json_int(b->crashes));
	json_set(o, "first_ms", json_int(b->first_ms));
	json_set(o, "last_ms", json_int(b->last_ms));
	return o;
}

static fallible print_json(struct json *v)
{
	struct error *err = json_write(v, stdout);

	json_free(v);
	return err;
}

/* ---- bugs ---- */

static fallible run_bugs(const void *options, int argc, char **argv,
			 int *status)
{
	const struct bugs_opts *o = options;
	_cleanup_(store_closep) struct store *s = NULL;
	struct json *array = o->json ? json_array_new() : NULL;
	struct store_bug b;
	struct error *err = NULL;
	int64_t id = 0;
	bool more = true;
	char first[32];

	if (argc)
		err = error_new(ERR_USAGE, "no operands; --workdir names the "
					   "directory");
	if (!err)
		err = open_workdir(o, &s);
	while (!err && !(err = store_bug_next(s, &id, &b, &more)) && more) {
		if (array)
			json_push(array, bug_to_json(id, &b));
		else
			printf("%4lld  %6lld  %s  %s\n", (long long)id,
			       (long long)b.crashes, when(b.first_ms, first),
			       b.title);
	}
	if (!err && array)
		return print_json(array);
	if (array)
		json_free(array);
	return err;
}

/* ---- bug N, crash N ---- */

static fallible number(int argc, char **argv, int64_t *out)
{
	char *end;

	if (argc != 1)
		return error_new(ERR_USAGE, "name one by its number; bugon "
					    "bugs lists them");
	*out = strtoll(argv[0], &end, 10);
	if (*end || *out <= 0)
		return error_new(ERR_USAGE, "'%s' is no number", argv[0]);
	return NULL;
}

static struct json *crash_to_json(int64_t id, int64_t bug,
				  const struct store_crash *c)
{
	struct json *o = json_object_new();

	json_set(o, "crash", json_int(id));
	json_set(o, "bug", json_int(bug));
	json_set(o, "title", json_text(slice_cstr(c->title)));
	json_set(o, "seen_ms", json_int(c->seen_ms));
	json_set(o, "machine", json_text(slice_cstr(c->machine)));
	json_set(o, "kernel", json_text(slice_cstr(c->kernel)));
	json_set(o, "report", json_text(c->report));
	json_set(o, "program", json_text(c->program));
	json_set(o, "programs_before", json_text(c->before));
	json_set(o, "log", json_text(c->log));
	return o;
}

static void crash_to_text(int64_t id, const struct store_crash *c)
{
	char seen[32];

	printf("crash %lld, %s, on %s, %s\n", (long long)id,
	       when(c->seen_ms, seen), c->machine, c->kernel);
	printf(SLICE_FMT "PROGRAM (running when it was seen):\n" SLICE_FMT "\n",
	       SLICE_ARG(c->report), SLICE_ARG(c->program));
}

static fallible run_bug(const void *options, int argc, char **argv, int *status)
{
	const struct bugs_opts *o = options;
	_cleanup_(store_closep) struct store *s = NULL;
	struct store_crash c;
	struct store_bug b;
	int64_t want, id, crash = 0, of;
	char first[32], last[32];
	bool more;

	TRY(number(argc, argv, &want));
	TRY(open_workdir(o, &s));
	id = want - 1;
	TRY(store_bug_next(s, &id, &b, &more));
	if (!more || id != want)
		return error_new(ERR_INPUT, "there is no bug %lld",
				 (long long)want);

	struct json *object = o->json ? bug_to_json(id, &b) : NULL;
	struct json *array = o->json ? json_array_new() : NULL;
	struct error *err;

	if (!o->json)
		printf("%s\n%lld crashes, first %s, last %s\n\n", b.title,
		       (long long)b.crashes, when(b.first_ms, first),
		       when(b.last_ms, last));
	while (!(err = store_crash_next(s, id, &crash, &c, &of, &more)) &&
	       more) {
		if (o->json) {
			json_push(array, crash_to_json(crash, of, &c));
			continue;
		}
		crash_to_text(crash, &c);
		break; /* the first one tells it */
	}
	if (!o->json)
		return err;
	json_set(object, "kept", array);
	return err ? (json_free(object), err) : print_json(object);
}

static fallible run_crash(const void *options, int argc, char **argv,
			  int *status)
{
	const struct bugs_opts *o = options;
	_cleanup_(store_closep) struct store *s = NULL;
	struct store_crash c;
	int64_t want, id, bug;
	bool more;

	TRY(number(argc, argv, &want));
	TRY(open_workdir(o, &s));
	id = want - 1;
	TRY(store_crash_next(s, 0, &id, &c, &bug, &more));
	if (!more || id != want)
		return error_new(ERR_INPUT, "there is no crash %lld",
				 (long long)want);
	if (o->json)
		return print_json(crash_to_json(id, bug, &c));
	crash_to_text(id, &c);
	printf("PROGRAMS BEFORE:\n" SLICE_FMT "\nLOG:\n" SLICE_FMT "\n",
	       SLICE_ARG(c.before), SLICE_ARG(c.log));
	return NULL;
}

const struct command cmd_bugs = {
	.name = "bugs",
	.args = "",
	.summary = "list the bugs that fuzzing found",
	.opts = opts,
	.opts_size = sizeof(struct bugs_opts),
	.run = run_bugs,
};

const struct command cmd_bug = {
	.name = "bug",
	.args = "NUMBER",
	.summary = "show a bug: its report, and the program that ran",
	.opts = opts,
	.opts_size = sizeof(struct bugs_opts),
	.run = run_bug,
};

const struct command cmd_crash = {
	.name = "crash",
	.args = "NUMBER",
	.summary = "show a crash with the whole log and the programs before it",
	.opts = opts,
	.opts_size = sizeof(struct bugs_opts),
	.run = run_crash,
};
