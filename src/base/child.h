/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * child.h - run a program to its end: apt, make, git.
 *
 *	struct child_opts o = { .argv = argv, .dir = tree, .log_fd = fd };
 *	_cleanup_(child_result_deinit) struct child_result r = {};
 *	TRY(child_run(&o, &r));
 *	if (!child_ok(&r))
 *		... r.tail says why
 *
 * There is no shell, so nothing has to be quoted.  Standard input is empty;
 * output and errors go together to the log, to the caller line by line, and
 * their end is kept.  The program and its children end when we do, and when
 * the user interrupts us (child_catch_signals()).
 *
 * Limits: lines over 64 KiB come in pieces.  One program at a time per thread.
 */
#ifndef BASE_CHILD_H
#define BASE_CHILD_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/error.h"

enum { CHILD_TAIL_BYTES = 64 * 1024, CHILD_TICK_MS = 250 };

struct child_opts {
	const char *const *argv; /* ends with NULL; looked up in PATH */
	const char *dir; /* to run in; NULL: ours */
	const char *const *env; /* "NAME=value" added; LC_ALL is C already */
	size_t nr_env;
	int log_fd; /* gets all output; 0: none */
	void (*on_line)(void *ctx, struct slice line); /* NULL: nobody */
	void (*on_tick)(void *ctx); /* every CHILD_TICK_MS; NULL: nobody */
	void *ctx;
};

struct child_result {
	int status; /* exit status; -1: killed by `signal` */
	int signal;
	struct buf tail; /* the last CHILD_TAIL_BYTES of its output */
};

void child_result_deinit(struct child_result *r);

static inline bool child_ok(const struct child_result *r)
{
	return r->status == 0;
}

/**
 * Run it and wait.  Its failure is no error, but a result.
 * Errors: ERR_NOT_FOUND (no such program), ERR_CANCELLED (the user interrupted
 * us; the program is gone), ERR_OS (also when the log cannot be written).
 */
fallible child_run(const struct child_opts *o, struct child_result *r);

/** The same for what prints little: its output also goes to `out`, by lines. */
fallible child_read(const char *const *argv, const char *dir, struct buf *out,
		    struct child_result *r);

/** From now on SIGINT, SIGTERM and SIGHUP end child_run(), not us. */
void child_catch_signals(void);

/** Did such a signal come? */
bool child_cancelled(void);

/** ERR_CANCELLED if such a signal came. */
fallible child_check_cancelled(void);

/** Die of the signal that came, as a shell expects; returns if none did. */
void child_reraise(void);

#endif /* BASE_CHILD_H */
