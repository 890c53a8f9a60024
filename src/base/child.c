/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/io.h"
#include "base/mem.h"
#include "base/process.h"

enum { MAX_LINE_BYTES = 64 * 1024, READ_BYTES = 16 * 1024, ENV_MAX = 32 };

static volatile sig_atomic_t signal_that_came;

static void on_signal(int sig)
{
	signal_that_came = sig;
}

void child_catch_signals(void)
{
	struct sigaction catch = { .sa_handler = on_signal };
	const int signals[] = { SIGINT, SIGTERM, SIGHUP };

	for (size_t i = 0; i < ARRAY_LEN(signals); i++) {
		struct sigaction old;

		/* nohup(1) and shells' background jobs ignore them: so do we */
		if (sigaction(signals[i], NULL, &old) == 0 &&
		    old.sa_handler != SIG_IGN)
			sigaction(signals[i], &catch, NULL);
	}
}

bool child_cancelled(void)
{
	return signal_that_came != 0;
}

fallible child_check_cancelled(void)
{
	if (signal_that_came)
		return error_new(ERR_CANCELLED, "interrupted");
	return NULL;
}

void child_reraise(void)
{
	if (!signal_that_came)
		return;
	signal(signal_that_came, SIG_DFL);
	raise(signal_that_came);
}

void child_result_deinit(struct child_result *r)
{
	buf_deinit(&r->tail);
}

struct run {
	const struct child_opts *o;
	struct child_result *r;
	struct process p;
	int fd; /* its output; -1 at its end */
	struct buf line;
	uint64_t tick_ms;
};

static void cleanup_run(struct run *run)
{
	process_kill(&run->p);
	close_fdp(&run->fd);
	buf_deinit(&run->line);
}

static uint64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static void keep_tail(struct buf *tail, const char *p, size_t len)
{
	buf_add(tail, p, len);
	if (tail->len > 2 * CHILD_TAIL_BYTES)
		buf_consume(tail, tail->len - CHILD_TAIL_BYTES);
}

static void give_lines(struct run *run, const char *p, size_t len)
{
	if (!run->o->on_line)
		return;
	buf_add(&run->line, p, len);
	struct slice text = buf_as_slice(&run->line), line;
	while (memchr(text.p, '\n', text.len) || text.len > MAX_LINE_BYTES) {
		slice_line(&text, &line);
		run->o->on_line(run->o->ctx, line);
		if (!text.len)
			break;
	}
	buf_consume(&run->line, run->line.len - text.len);
}

static fallible read_output(struct run *run)
{
	char data[READ_BYTES];
	ssize_t n = read(run->fd, data, sizeof(data));

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return NULL;
	if (n <= 0) {
		close(run->fd);
		run->fd = -1;
		return NULL;
	}
	keep_tail(&run->r->tail, data, (size_t)n);
	if (run->o->log_fd > 0)
		TRY(io_write_all(run->o->log_fd, data, (size_t)n),
		    "writing the log");
	give_lines(run, data, (size_t)n);
	return NULL;
}

static fallible start(struct run *run)
{
	const struct child_opts *o = run->o;
	const char *env[ENV_MAX] = { "LC_ALL=C" };
	size_t n = 1;
	int pipefd[2];

	for (size_t i = 0; i < o->nr_env && n < ENV_MAX; i++)
		env[n++] = o->env[i];
	if (pipe2(pipefd, O_CLOEXEC) < 0)
		return error_os("pipe");
	_cleanup_(close_fdp) int to = pipefd[1];
	run->fd = pipefd[0];
	struct process_opts po = {
		.argv = (char *const *)(uintptr_t)o->argv,
		.out = to,
		.err = to,
		.cpu = -1,
		.dir = o->dir,
		.env = env,
		.nr_env = n,
		.whole_group = true,
	};
	return process_start(&po, &run->p);
}

static void tick(struct run *run)
{
	uint64_t now = now_ms();

	if (!run->o->on_tick || now < run->tick_ms)
		return;
	run->tick_ms = now + CHILD_TICK_MS;
	run->o->on_tick(run->o->ctx);
}

/* Until it ended and, as far as it is there at once, all output was read. */
static fallible follow(struct run *run)
{
	for (;;) {
		struct pollfd f[2] = {
			{ .fd = run->fd, .events = POLLIN },
			{ .fd = run->p.pidfd, .events = POLLIN },
		};
		bool ended = process_ended(&run->p);

		TRY(child_check_cancelled());
		if (ended)
			f[1].fd = -1;
		int n = poll(f, 2, ended ? 0 : CHILD_TICK_MS);
		if (n < 0 && errno != EINTR)
			return error_os("poll");
		if (n > 0 && f[0].revents)
			TRY(read_output(run));
		else if (ended)
			return NULL;
		tick(run);
	}
}

fallible child_run(const struct child_opts *o, struct child_result *r)
{
	_cleanup_(cleanup_run) struct run run = {
		.o = o,
		.r = r,
		.p = PROCESS_NONE,
		.fd = -1,
	};

	TRY(child_check_cancelled());
	TRY(start(&run));
	TRY(follow(&run));
	if (run.line.len)
		o->on_line(o->ctx, buf_as_slice(&run.line));
	r->status = run.p.status;
	r->signal = run.p.signal;
	if (r->tail.len > CHILD_TAIL_BYTES)
		buf_consume(&r->tail, r->tail.len - CHILD_TAIL_BYTES);
	return NULL;
}

static void collect(void *ctx, struct slice line)
{
	struct buf *out = ctx;

	buf_slice(out, line);
	buf_char(out, '\n');
}

fallible child_read(const char *const *argv, const char *dir, struct buf *out,
		    struct child_result *r)
{
	struct child_opts o = {
		.argv = argv,
		.dir = dir,
		.on_line = collect,
		.ctx = out,
	};

	return child_run(&o, r);
}
