/* SPDX-License-Identifier: GPL-2.0-or-later */
/* exec.c - run a static binary in the guest, and bring files there. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <termios.h>
#include <unistd.h>

#include "executor.h"

enum { DRAIN_MS = 200 };

/* The payload as argv; false unless it is NUL-terminated strings. */
static bool split_argv(const struct job *j, char *argv[WIRE_MAX_ARGV + 1])
{
	char *p = (char *)j->payload, *end = p + j->req.size;
	unsigned n = 0;

	if (p == end || end[-1])
		return false;
	for (; p < end && n < WIRE_MAX_ARGV; p += strlen(p) + 1)
		argv[n++] = p;
	argv[n] = NULL;
	return p == end;
}

static void run_binary(void *arg)
{
	struct executor *x = arg;
	char *argv[WIRE_MAX_ARGV + 1];
	static char path[] = "PATH=/bin:/sbin:/usr/bin", home[] = "HOME=/tmp";
	static char *const env[] = { path, home, NULL };
	const struct wire_request *req = &x->job.req;
	sigset_t none;

	if (!split_argv(&x->job, argv))
		end_process(126);
	int out = x->is_init ? open("/dev/console", O_WRONLY | O_NOCTTY) : -1;

	setsid();
	if (out >= 0) {
		dup2(out, 1);
		dup2(out, 2);
	}
	syscall(SYS_close_range, 3u, ~0u, 0u);
	for (int sig = 1; sig < NSIG; sig++)
		signal(sig, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	if (!sandbox_enter(req->sandbox, x->is_init) && req->sandbox)
		end_process(126);
	execve(argv[0], argv, env);
	x->shared->invalid_at = (uint32_t)errno;
	end_process(127);
}

/*
 * What the program printed leaves the guest before the answer does.  Not for
 * ever: it may have stopped the terminal; the supervisor's timer interrupts.
 */
static void drain_console(void)
{
	uint64_t end = now_ns() + DRAIN_MS * 1000000ull;
	int fd = open("/dev/console", O_WRONLY | O_NOCTTY | O_CLOEXEC);

	while (fd >= 0 && tcdrain(fd) && errno == EINTR && now_ns() < end)
		;
	if (fd >= 0)
		close(fd);
}

void exec_binary(struct executor *x)
{
	char *argv[WIRE_MAX_ARGV + 1];
	int status;
	pid_t pid;

	x->shared->invalid_at = 0;
	if (!split_argv(&x->job, argv)) {
		respond(x, WIRE_INVALID, 0);
		return;
	}
	pid = spawn(x, run_binary);
	if (pid < 0) {
		respond(x, WIRE_ERROR, errno);
		return;
	}
	status = wait_child(x, pid, x->job.req.timeout_ms);
	clean_processes(x, pid);
	clean_work_dir(x->work_dir);
	if (x->is_init) {
		clean_loops();
		drain_console();
	}
	if (x->shared->invalid_at) /* execve() failed */
		respond(x, WIRE_ERROR, (int32_t)x->shared->invalid_at);
	else
		respond_end(x, status);
}

/* mkdir -p of what stands in front of the last slash. */
static void make_parents(char *path)
{
	for (char *p = path + 1; (p = strchr(p, '/')); p++) {
		*p = '\0';
		mkdir(path, 0755);
		*p = '/';
	}
}

static int write_bulk(const struct executor *x, const char *path)
{
	const struct wire_request *req = &x->job.req;
	const unsigned char *p =
		x->region.base + x->region.host.bulk_off + req->bulk_off;
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	uint32_t left = req->bulk_size;
	int err = 0;

	if (fd < 0)
		return errno;
	while (left && !err) {
		ssize_t n = write(fd, p, left);

		if (n <= 0) {
			err = n ? errno : EIO;
			break;
		}
		p += n;
		left -= (uint32_t)n;
	}
	if (!err && fchmod(fd, req->mode & 07777))
		err = errno;
	if (close(fd) && !err)
		err = errno;
	return err;
}

void make_file(struct executor *x)
{
	const struct wire_request *req = &x->job.req;
	uint32_t bulk = x->region.host.bulk_size;
	char *path = (char *)x->job.payload;
	int err;

	if (!req->size || memchr(path, 0, req->size) != path + req->size - 1 ||
	    req->bulk_off > bulk || req->bulk_size > bulk - req->bulk_off) {
		respond(x, WIRE_INVALID, 0);
		return;
	}
	make_parents(path);
	err = write_bulk(x, path);
	respond(x, err ? WIRE_ERROR : WIRE_DONE, err);
}
