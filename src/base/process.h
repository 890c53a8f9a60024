/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * process.h - a child that cannot outlive us.
 *
 * It leads a process group of its own, gets SIGKILL when the thread that
 * started it ends for whatever reason (prctl(2), PR_SET_PDEATHSIG), dumps no
 * core, and inherits only the descriptors it is given.  For a program that is
 * run to its end see base/child.h.
 */
#ifndef BASE_PROCESS_H
#define BASE_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/error.h"

enum { PROCESS_MAX_FDS = 16 };

struct process {
	pid_t pid; /* 0: none */
	int pidfd; /* readable once it ended; -1: none */
	bool ended;
	int status, signal; /* once ended */
};

#define PROCESS_NONE         \
	((struct process){   \
		.pidfd = -1, \
	})

struct process_opts {
	char *const *argv;
	int out, err; /* become descriptors 1 and 2; -1: /dev/null */
	const int *keep; /* inherited under the same number */
	size_t nr_keep;
	int cpu; /* to run on; -1: any */
	const char *dir; /* to run in; NULL: ours */
	const char *const *env; /* "NAME=value" added to ours; NULL: none */
	size_t nr_env;
	/*
	 * For programs with children of their own (make): all of them end when
	 * we do, not just the first.  A process more watches over them.
	 */
	bool whole_group;
};

/** Errors: ERR_NOT_FOUND (no such program), ERR_OS. */
fallible process_start(const struct process_opts *o, struct process *out);

/** Has it ended? Then its status is known. Does not wait. */
bool process_ended(struct process *p);

/** Wait at most `timeout_ms` for its end. */
bool process_wait(struct process *p, int timeout_ms);

/** Kill the whole group, reap, forget. */
void process_kill(struct process *p);

#endif /* BASE_PROCESS_H */
