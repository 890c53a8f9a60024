/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * run_job.h - what "bugon run" has a guest do: a binary or a program of system
 * calls, as a request to the executor, and how its outcome is printed.
 */
#ifndef CMD_RUN_JOB_H
#define CMD_RUN_JOB_H

#include <stdio.h>

#include "base/vec.h"
#include "prog/prog.h"
#include "wire/wire.h"
#include "json/json.h"

/* PCs to be written; of a hostile guest's, as many as a kernel has. */
typedef VEC(uint64_t) pc_vec;
struct pc_set {
	pc_vec pcs; /* in order and without duplicates up to `unique` */
	size_t unique;
};
enum { PC_SET_MAX = 8 << 20, PC_SET_SLACK = 1 << 20 };

struct run_job {
	const char *name; /* of its file */
	struct wire_request req;
	struct buf payload;
	struct prog *prog; /* NULL: a binary */
};

void run_job_deinit(struct run_job *job);

/** Run /bin/program of the guest with these arguments. */
void run_job_binary(const char *name, int argc, char **argv,
		    struct run_job *out);

/**
 * Read a program of calls of `t`, which has to stay; --repair: PROG_REPAIR.
 * Errors: those of io_read_file(), prog_parse(), prog_encode().
 */
fallible run_job_program(const char *path, const struct prog_target *t,
			 enum prog_mode mode, struct run_job *out);

/**
 * Append the names of the program's calls that will not work, once each: we do
 * not have them, or the kernel (wire_guest.pseudo) lacks what they need.
 */
void run_job_unsupported(const struct run_job *job, uint64_t pseudo,
			 struct buf *out);

/** "none", "setuid", "namespace", or NULL. Errors: ERR_USAGE. */
fallible run_job_sandbox(const char *name, uint32_t *out);

/** A phrase on how the executor says that the job ended. */
void run_job_describe(const struct run_job *job, const struct wire_result *res,
		      struct buf *out);

/** False if the guest refused it or could not start it. */
bool run_job_ran(const struct wire_result *res);

/** A line per call: its text, what it returned, how much it covered. */
void run_job_calls_to_text(const struct run_job *job,
			   const struct wire_result *res, FILE *f);
struct json *run_job_calls_to_json(const struct run_job *job,
				   const struct wire_result *res);

/** PCs that the kernel's threads covered for the program. */
uint32_t run_job_extra_pcs(const struct wire_result *res);

/**
 * Add the PCs that the calls, and others for them, covered.  Takes memory for
 * less than twice the distinct ones plus PC_SET_SLACK and a response; of more
 * than PC_SET_MAX distinct ones the lowest stay.
 */
void run_job_add_pcs(const struct wire_result *res, struct pc_set *set);
void run_job_free_pcs(struct pc_set *set);

/**
 * Write each PC once, in order, a line each, in place of what is in `f`, open
 * for appending.  Errors: ERR_OS (`path` is for the message).
 */
fallible run_job_write_pcs(struct pc_set *set, const char *path, FILE *f);

#endif /* CMD_RUN_JOB_H */
