/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/io.h"
#include "base/mem.h"

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

static void end_group(int sig)
{
	kill(0, SIGKILL);
}

/*
 * PR_SET_PDEATHSIG is for one process, not for its children.  So one stays
 * here that is told when we end and ends the group; it returns in its child.
 */
static int guard(int report)
{
	struct sigaction end = { .sa_handler = end_group };
	pid_t middle = getpid(), pid;
	int status = 0;

	sigaction(SIGTERM, &end, NULL);
	if (prctl(PR_SET_PDEATHSIG, SIGTERM) < 0)
		return errno;
	pid = fork();
	if (pid < 0)
		return errno;
	if (!pid) {
		signal(SIGTERM, SIG_DFL);
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() != middle)
			_exit(127);
		return 0;
	}
	close(report);
	close(1); /* who reads from there sees when the others are done */
	close(2);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (WIFSIGNALED(status)) {
		signal(WTERMSIG(status), SIG_DFL);
		raise(WTERMSIG(status));
	}
	_exit(WEXITSTATUS(status));
}

static _Noreturn void child(const struct process_opts *o, char **env,
			    pid_t parent, int report)
{
	int e = child_setup(o, parent);

	if (!e)
		e = child_fds(o);
	if (!e && o->dir && chdir(o->dir) < 0)
		e = errno;
	if (!e && o->whole_group)
		e = guard(report);
	if (!e) {
		execvpe(o->argv[0], o->argv, env);
		e = errno;
	}
	ssize_t n = write(report, &e, sizeof(e));
	(void)n;
	_exit(127);
}

/* ---- the parent ---- */

/* Ours, with what is added; what is added wins. free() it. */
static char **make_env(const struct process_opts *o)
{
	size_t nr = 0, n = 0;

	while (environ[nr])
		nr++;
	char **env = mem_calloc(nr + o->nr_env + 1, sizeof(*env));

	for (size_t i = 0; i < o->nr_env; i++)
		env[n++] = (char *)(uintptr_t)o->env[i];
	for (size_t i = 0; i < nr; i++) {
		size_t name = strcspn(environ[i], "=") + 1, k = 0;

		while (k < o->nr_env && strncmp(environ[i], o->env[k], name))
			k++;
		if (k == o->nr_env)
			env[n++] = environ[i];
	}
	return env;
}

fallible process_start(const struct process_opts *o, struct process *out)
{
	_cleanup_(close_fdp) int from = -1;
	_cleanup_(close_fdp) int to = -1;
	_cleanup_(freep) char **env = make_env(o);
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
		child(o, env, parent, to);
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
