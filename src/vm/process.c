/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "vm/process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/io.h"

/* ---- between fork and exec: async-signal-safe functions only ---- */

static int child_setup(const struct process_opts *o, pid_t parent)
{
	struct rlimit no_core = { 0, 0 };
	sigset_t none;

	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
		return errno;
	if (getppid() != parent) /* it died before the prctl */
		_exit(127);
	setpgid(0, 0);
	setrlimit(RLIMIT_CORE, &no_core);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	if (o->cpu >= 0) {
		cpu_set_t set;

		CPU_ZERO(&set);
		CPU_SET((size_t)o->cpu % CPU_SETSIZE, &set);
		sched_setaffinity(0, sizeof(set), &set); /* best effort */
	}
	return 0;
}

/* Put `fd` (or /dev/null) at `as`. */
static int child_dup(int fd, int as, int flags)
{
	if (fd < 0)
		fd = open("/dev/null", flags);
	return fd < 0 || dup2(fd, as) < 0 ? errno : 0;
}

static int child_fds(const struct process_opts *o)
{
	int e = child_dup(-1, 0, O_RDONLY);

	if (!e)
		e = child_dup(o->out, 1, O_WRONLY);
	if (!e)
		e = child_dup(o->err, 2, O_WRONLY);
	for (size_t i = 0; !e && i < o->nr_keep; i++)
		if (o->keep[i] >= 0 && fcntl(o->keep[i], F_SETFD, 0) < 0)
			e = errno;
	return e;
}

static _Noreturn void child(const struct process_opts *o, pid_t parent,
			    int report)
{
	int e = child_setup(o, parent);

	if (!e)
		e = child_fds(o);
	if (!e) {
		execvp(o->argv[0], o->argv);
		e = errno;
	}
	ssize_t n = write(report, &e, sizeof(e));
	(void)n;
	_exit(127);
}

/* ---- the parent ---- */

fallible process_start(const struct process_opts *o, struct process *out)
{
	_cleanup_(close_fdp) int from = -1;
	_cleanup_(close_fdp) int to = -1;
	int pipefd[2], e = 0;
	pid_t parent = getpid();

	if (pipe2(pipefd, O_CLOEXEC) < 0)
		return error_os("pipe");
	from = pipefd[0];
	to = pipefd[1];
	pid_t pid = fork();
	if (pid < 0)
		return error_os("fork");
	if (!pid)
		child(o, parent, to);
	setpgid(pid, pid); /* also here: the group exists when we return */
	close_fdp(&to);
	to = -1;
	ssize_t n;
	do
		n = read(from, &e, sizeof(e));
	while (n < 0 && errno == EINTR);
	if (n == (ssize_t)sizeof(e)) {
		waitpid(pid, NULL, 0);
		if (e == ENOENT)
			return error_new(ERR_NOT_FOUND, "%s: no such program",
					 o->argv[0]);
		return error_new(ERR_OS, "%s: %s", o->argv[0], strerror(e));
	}
	int pidfd = pidfd_open(pid, 0);
	if (pidfd < 0) {
		struct error *err = error_os("pidfd_open");

		kill(-pid, SIGKILL);
		waitpid(pid, NULL, 0);
		return err;
	}
	*out = (struct process){ .pid = pid, .pidfd = pidfd };
	return NULL;
}

bool process_ended(struct process *p)
{
	int status;

	if (!p->pid || p->ended)
		return true;
	pid_t r = waitpid(p->pid, &status, WNOHANG);
	if (r == 0 || (r < 0 && errno == EINTR))
		return false;
	p->ended = true;
	p->status = r > 0 && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
	p->signal = r > 0 && WIFSIGNALED(status) ? WTERMSIG(status) : 0;
	return true;
}

bool process_wait(struct process *p, int timeout_ms)
{
	if (!process_ended(p)) {
		struct pollfd f = { .fd = p->pidfd, .events = POLLIN };

		poll(&f, 1, timeout_ms);
	}
	return process_ended(p);
}

void process_kill(struct process *p)
{
	if (p->pid) {
		/* The group first: its leader may have left children. */
		kill(-p->pid, SIGKILL);
		if (!p->ended) {
			kill(p->pid, SIGKILL);
			while (waitpid(p->pid, NULL, 0) < 0 && errno == EINTR)
				;
		}
	}
	close_fdp(&p->pidfd);
	*p = PROCESS_NONE;
}
