/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/run_job.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/io.h"

enum {
	MAX_PROGRAM_BYTES = 16 * 1024 * 1024,
	LONG_CALL = 400, /* of text; what is longer is printed in part */
	CALL_TIMEOUT_MS = 2000, /* a mount may take long; the next calls wait */
};

void run_job_deinit(struct run_job *job)
{
	buf_deinit(&job->payload);
	if (job->prog)
		prog_free(job->prog);
	*job = (struct run_job){ 0 };
}

/* The payload is argv, each word with its NUL. */
void run_job_binary(const char *name, int argc, char **argv,
		    struct run_job *out)
{
	static const char path[] = "/bin/program";

	*out = (struct run_job){ .name = name, .req.kind = WIRE_EXEC };
	buf_add(&out->payload, path, sizeof(path));
	for (int i = 0; i < argc; i++)
		buf_add(&out->payload, argv[i], strlen(argv[i]) + 1);
}

fallible run_job_program(const char *path, const struct prog_target *t,
			 enum prog_mode mode, struct run_job *out)
{
	_cleanup_(buf_deinit) struct buf text = {}, payload = {};
	_cleanup_(prog_freep) struct prog *p = NULL;

	TRY(io_read_file(path, MAX_PROGRAM_BYTES, &text));
	TRY(prog_parse(t, path, buf_as_slice(&text), mode, &p));
	TRY(prog_encode(p, 0, &payload), "%s", path);
	*out = (struct run_job){ .name = path,
				 .req = { .kind = WIRE_PROGRAM,
					  .call_timeout_ms = CALL_TIMEOUT_MS,
					  .flags = WIRE_REQ_COVER |
						   WIRE_REQ_THREADS |
						   WIRE_REQ_WATCH },
				 .payload = payload,
				 .prog = take_ptr(p) };
	payload = (struct buf){};
	return NULL;
}

static bool named_before(const struct prog *p, size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (prog_call_id(p, k) == prog_call_id(p, i))
			return true;
	return false;
}

void run_job_unsupported(const struct run_job *job, uint64_t pseudo,
			 struct buf *out)
{
	const struct prog *p = job->prog;

	for (size_t i = 0; p && i < prog_ncalls(p); i++)
		if (!prog_call_works(p, i, pseudo) && !named_before(p, i))
			buf_printf(out, "%s%s", out->len ? ", " : "",
				   prog_call_name(p, i));
}

fallible run_job_sandbox(const char *name, uint32_t *out)
{
	static const char *const names[] = {
		[WIRE_SANDBOX_NONE] = "none",
		[WIRE_SANDBOX_SETUID] = "setuid",
		[WIRE_SANDBOX_NAMESPACE] = "namespace",
	};

	for (uint32_t i = 0; i < ARRAY_LEN(names); i++) {
		if (!name || !strcmp(name, names[i])) {
			*out = i;
			return NULL;
		}
	}
	return error_new(ERR_USAGE, "--sandbox is none, setuid or namespace");
}

void run_job_describe(const struct run_job *job, const struct wire_result *res,
		      struct buf *out)
{
	int code = res->head.code;

	switch (res->head.status) {
	case WIRE_DONE:
		buf_str(out,
			job->prog ? "ran to its end" : "exited with status 0");
		break;
	case WIRE_EXITED:
		buf_printf(out, "exited with status %d", code);
		break;
	case WIRE_KILLED:
		buf_printf(out, "killed by signal %d (%s)", code,
			   strsignal(code));
		break;
	case WIRE_TIMEOUT:
		buf_printf(out, "killed after %u s",
			   job->req.timeout_ms / 1000);
		break;
	case WIRE_ERROR:
		/* The file is there: we put it there. */
		buf_printf(out, "could not be run: %s",
			   !job->prog && code == ENOENT ?
				   "its interpreter is not in the guest "
				   "(--file brings one)" :
				   strerror(code));
		break;
	default:
		buf_printf(out, "was refused by the executor: %s",
			   wire_status_text(res->head.status));
	}
}

bool run_job_ran(const struct wire_result *res)
{
	return res->head.status != WIRE_ERROR &&
	       res->head.status != WIRE_INVALID;
}

/* "= 3, 120 PCs", "= -1 ENOENT, ...", "blocked", "not called" */
static void outcome(const struct wire_result *res, uint32_t i, struct buf *out)
{
	const struct wire_call *c = &res->calls[i];
	const char *name = strerrorname_np(c->err);

	if (!(c->flags & WIRE_CALLED))
		buf_str(out, "not called");
	else if (!(c->flags & WIRE_RETURNED))
		buf_str(out, "did not return");
	else if (c->err)
		buf_printf(out, "-1 %s", name ? name : "unknown error");
	else
		buf_printf(out, c->ret < 4096 ? "%llu" : "0x%llx",
			   (unsigned long long)c->ret);
}

static uint32_t nr_calls(const struct run_job *job,
			 const struct wire_result *res)
{
	return MIN(res->ncalls, (uint32_t)prog_ncalls(job->prog));
}

/* Whether the coverage of call `i` did not fit into a buffer. */
static bool is_cut(const struct wire_result *res, uint32_t i)
{
	return (res->calls[i].flags & WIRE_COVER_FULL) ||
	       (res->head.flags & WIRE_RESP_TRUNCATED);
}

uint32_t run_job_extra_pcs(const struct wire_result *res)
{
	return res->extra ? wire_pcs(res, res->ncalls).len : 0;
}

/* The call, without the middle of images and other long data. */
static void short_call(const struct prog *p, size_t i, struct buf *out)
{
	_cleanup_(buf_deinit) struct buf all = {};
	struct slice head, tail;

	prog_call_to_text(p, i, &all);
	head = tail = buf_as_slice(&all);
	if (all.len <= LONG_CALL) {
		buf_slice(out, head);
		return;
	}
	head.len = LONG_CALL / 2;
	tail = slice_from(tail, tail.len - LONG_CALL / 4);
	buf_slice(out, head);
	buf_str(out, " ... ");
	buf_slice(out, tail);
}

void run_job_calls_to_text(const struct run_job *job,
			   const struct wire_result *res, FILE *f)
{
	for (uint32_t i = 0; i < nr_calls(job, res); i++) {
		_cleanup_(buf_deinit) struct buf line = {};

		short_call(job->prog, i, &line);
		buf_str(&line, " -> ");
		outcome(res, i, &line);
		buf_printf(&line, ", %u PCs%s\n", wire_pcs(res, i).len,
			   is_cut(res, i) ? " (cut)" : "");
		fputs(buf_cstr(&line), f);
	}
	if (run_job_extra_pcs(res))
		fprintf(f, "background -> %u PCs\n", run_job_extra_pcs(res));
}

struct json *run_job_calls_to_json(const struct run_job *job,
				   const struct wire_result *res)
{
	struct json *array = json_array_new();

	for (uint32_t i = 0; i < nr_calls(job, res); i++) {
		_cleanup_(buf_deinit) struct buf text = {};
		const struct wire_call *c = &res->calls[i];
		struct json *o = json_object_new();

		prog_call_to_text(job->prog, i, &text);
		json_set(o, "call", json_text(buf_as_slice(&text)));
		json_set(o, "called", json_flag(c->flags & WIRE_CALLED));
		json_set(o, "returned", json_flag(c->flags & WIRE_RETURNED));
		json_set(o, "errno", json_int(c->err));
		json_set(o, "ret", json_int((int64_t)c->ret));
		json_set(o, "pcs", json_int(wire_pcs(res, i).len));
		json_set(o, "blocks", json_int(res->calls[i].trace_len));
		json_set(o, "cut", json_flag(is_cut(res, i)));
		json_set(o, "faulted", json_flag(c->flags & WIRE_FAULTED));
		json_push(array, o);
	}
	return array;
}

static int by_address(const void *a, const void *b)
{
	uint64_t x, y;

	memcpy(&x, a, sizeof(x));
	memcpy(&y, b, sizeof(y));
	return (x > y) - (x < y);
}

static void sort_unique(struct pc_set *set)
{
	pc_vec *v = &set->pcs;
	size_t n = 0;

	if (v->len)
		qsort(v->data, v->len, sizeof(v->data[0]), by_address);
	for (size_t i = 0; i < v->len; i++)
		if (!n || v->data[n - 1] != v->data[i])
			v->data[n++] = v->data[i];
	v->len = set->unique = MIN(n, (size_t)PC_SET_MAX);
}

void run_job_add_pcs(const struct wire_result *res, struct pc_set *set)
{
	for (uint32_t i = 0; i < res->ncalls + res->extra; i++) {
		struct wire_u64s u = wire_pcs(res, i);

		for (uint32_t k = 0; k < u.len; k++)
			vec_push(&set->pcs, u.data[k]);
	}
	if (set->pcs.len > 2 * set->unique + PC_SET_SLACK)
		sort_unique(set);
}

void run_job_free_pcs(struct pc_set *set)
{
	vec_free(&set->pcs);
}

fallible run_job_write_pcs(struct pc_set *set, const char *path, FILE *f)
{
	if (ftruncate(fileno(f), 0) < 0 && errno != EINVAL) /* no file */
		return error_os("%s", path);
	sort_unique(set);
	for (size_t i = 0; i < set->pcs.len; i++)
		fprintf(f, "0x%llx\n", (unsigned long long)set->pcs.data[i]);
	if (fflush(f) != 0)
		return error_os("%s", path);
	return NULL;
}
