/* SPDX-License-Identifier: GPL-2.0-or-later */
/* serve.c - the supervisor: take requests, mind the workers, answer. */
#include <errno.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <sys/resource.h>
#include <unistd.h>

#include "executor.h"

#define SPINS 300u
#define IDLE_MIN_NS 50000l
#define IDLE_MAX_NS 1000000l
#define KILL_WAIT_MS 3000 /* a killed worker should be gone by then */

static void beat(struct executor *x)
{
	__atomic_fetch_add(&x->region.guest->heartbeat, 1, __ATOMIC_RELAXED);
}

/* Wait a little for something new of the host; longer from turn to turn. */
static void idle(uint32_t *turn, long *pause_ns)
{
	if ((*turn)++ < SPINS)
		return;
	*pause_ns = *pause_ns ? *pause_ns * 2 : IDLE_MIN_NS;
	if (*pause_ns > IDLE_MAX_NS)
		*pause_ns = IDLE_MAX_NS;
	nanosleep(&(struct timespec){ .tv_nsec = *pause_ns }, NULL);
}

/* One wait of at most `ns` for `pid` to end. */
static bool reaped(pid_t pid, int64_t ns, int *status)
{
	struct timespec ts = { .tv_sec = ns / 1000000000,
			       .tv_nsec = ns % 1000000000 };
	sigset_t set;
	pid_t got;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	if (sigtimedwait(&set, NULL, &ts) < 0 && errno == EAGAIN &&
	    kill(pid, 0) == 0)
		return waitpid(pid, status, WNOHANG) == pid;
	while ((got = waitpid(-1, status, WNOHANG)) > 0)
		if (got == pid)
			return true;
	return got < 0 && errno == ECHILD; /* somebody took it: it is gone */
}

int wait_child(struct executor *x, pid_t pid, uint64_t deadline_ns)
{
	int status = 0;

	for (;;) {
		int64_t left = (int64_t)(deadline_ns - now_ns());

		if (left <= 0)
			return -1;
		if (left > 50000000)
			left = 50000000;
		if (reaped(pid, left, &status))
			return status;
		beat(x);
	}
}

/* SIGKILL and reap; false when it does not die (stuck in the kernel). */
static bool kill_worker(struct executor *x, pid_t pid)
{
	kill(pid, SIGKILL);
	return wait_child(x, pid, now_ns() + KILL_WAIT_MS * 1000000ull) >= 0;
}

/* What a worker's programs may have left, by the classes of their calls. */
static void clean_after(struct executor *x, pid_t pid, uint32_t classes)
{
	if (classes & (UNDO_PROCESS | UNDO_NEVER))
		clean_processes(x, pid);
	if (classes & (UNDO_FILES | UNDO_OPEN | UNDO_NEVER))
		clean_work_dir(x->work_dir);
	if (x->is_init && (classes & (UNDO_IOCTL | UNDO_LOOP)))
		clean_loops();
}

static void answer(struct executor *x, int status, uint64_t start_ns)
{
	if (x->shared->done)
		respond(x, WIRE_DONE, 0, start_ns);
	else if (status < 0)
		respond(x, WIRE_TIMEOUT, 0, start_ns);
	else if (WIFSIGNALED(status))
		respond(x, WIRE_KILLED, WTERMSIG(status), start_ns);
	else
		respond(x, WIRE_EXITED, WEXITSTATUS(status), start_ns);
}

static bool wants_kcov(const struct wire_request *r)
{
	return r->flags & (WIRE_REQ_SIGNAL | WIRE_REQ_ALL_SIGNAL |
			   WIRE_REQ_COVER | WIRE_REQ_CMP);
}

/* First steps of every worker.  A worker that cannot is no worker. */
static void become_worker(struct executor *x)
{
	const struct wire_request *r = &x->job.req;
	bool mounts = (r->flags & WIRE_REQ_ISOLATE) ||
		      (x->job.classes & UNDO_MOUNT);

	if (!x->is_init)
		setpgid(0, 0);
	if (wants_kcov(r))
		kcov_start(0, r->flags & WIRE_REQ_CMP);
	if ((r->sandbox || mounts) && !sandbox_enter(r->sandbox, mounts) &&
	    r->sandbox)
		_exit(126);
}

static int wait_program(struct executor *x, pid_t pid, uint64_t start_ns)
{
	const struct wire_request *r = &x->job.req;
	uint32_t late_ms = r->call_timeout_ms;

	if ((r->flags & WIRE_REQ_THREADS) && late_ms < r->timeout_ms) {
		int status =
			wait_child(x, pid, start_ns + late_ms * 1000000ull);

		if (status >= 0)
			return status;
		kill(pid, SIGNAL_LATE);
	}
	return wait_child(x, pid, start_ns + r->timeout_ms * 1000000ull);
}

static void one_program(struct executor *x, uint64_t start_ns)
{
	int status;
	pid_t pid;

	x->shared->fresh = 1;
	pid = fork();
	if (!pid) {
		become_worker(x);
		run_program(x);
		_exit(0);
	}
	if (pid < 0) {
		respond(x, WIRE_ERROR, errno, start_ns);
		return;
	}
	x->region.guest->workers++;
	status = wait_program(x, pid, start_ns);
	if (status < 0)
		kill_worker(x, pid);
	clean_after(x, pid, x->job.classes);
	answer(x, status, start_ns);
}

/* ---- Workers that are kept ------------------------------------------------- */

/* Whether this worker can take the next request; the header is not trusted. */
static bool same_kind(const struct executor *x, const struct wire_request *was)
{
	struct wire_request next =
		*region_request(&x->region, x->shared->completed);

	return next.kind == WIRE_PROGRAM && (next.flags & WIRE_REQ_KEEP) &&
	       !((next.flags ^ was->flags) &
		 (WIRE_REQ_CMP | WIRE_REQ_ISOLATE)) &&
	       wants_kcov(&next) == wants_kcov(was) &&
	       next.sandbox == was->sandbox;
}

/* The next request, when it is one for this worker. */
static bool next_job(struct executor *x, const struct wire_request *was)
{
	uint32_t turn = 0;
	long pause_ns = 0;

	while (region_submitted(&x->region) == x->shared->completed) {
		if (region_stopped(&x->region))
			return false;
		idle(&turn, &pause_ns);
	}
	return same_kind(x, was) && job_load(x, x->shared->completed) &&
	       !(x->job.classes & UNDO_MOUNT);
}

static _Noreturn void kept_worker(struct executor *x)
{
	struct wire_request was = x->job.req;
	struct shared *s = x->shared;

	if (!region_reopen(&x->region) || (x->has_kcov && !kcov_map_all()))
		_exit(125);
	become_worker(x);
	undo_baseline();
	s->fresh = 1;
	do {
		uint64_t start_ns = now_ns();
		bool clean;

		s->timeout_ms = x->job.req.timeout_ms;
		__atomic_store_n(&s->running, x->job.req.number + 1,
				 __ATOMIC_RELEASE);
		kcov_rewind();
		run_program(x);
		/* The response comes after the reset, which is part of it. */
		clean = undo_all(x);
		if (!clean)
			_exit(0); /* the supervisor answers */
		respond(x, WIRE_DONE, 0, start_ns);
		s->fresh = 0;
	} while (next_job(x, &was));
	_exit(0);
}

/* Wait for a kept worker, program by program; its status, -1 for a timeout. */
static int mind_worker(struct executor *x, pid_t pid, uint64_t *start_ns)
{
	struct shared *s = x->shared;
	uint32_t last = 0;
	int status;

	for (;;) {
		uint32_t running;
		uint64_t now;

		if (reaped(pid, TICK_MS * 1000000l, &status))
			return status;
		beat(x);
		now = now_ns();
		running = __atomic_load_n(&s->running, __ATOMIC_ACQUIRE);
		if (running != last)
			*start_ns = now;
		else if (running &&
			 now - *start_ns > s->timeout_ms * 1000000ull)
			return -1;
		last = running;
	}
}

static void keep_serving(struct executor *x, uint64_t start_ns)
{
	struct shared *s = x->shared;
	uint32_t first = s->completed;
	int status;
	pid_t pid;

	s->running = first + 1;
	s->timeout_ms = x->job.req.timeout_ms;
	pid = fork();
	if (!pid)
		kept_worker(x);
	if (pid < 0) {
		s->running = 0;
		respond(x, WIRE_ERROR, errno, start_ns);
		return;
	}
	x->region.guest->workers++;
	status = mind_worker(x, pid, &start_ns);
	if (status < 0)
		kill_worker(x, pid);
	clean_after(x, pid, UNDO_NEVER | UNDO_IOCTL);
	if (!s->running)
		return;
	/* It died in a program: answer in its place, from what it logged. */
	x->job.req.flags = region_request(&x->region, s->completed)->flags;
	answer(x, status, start_ns);
}

static void handle(struct executor *x)
{
	uint64_t start_ns = now_ns();

	if (!job_load(x, x->shared->completed)) {
		x->shared->ncalls = 0;
		respond(x, WIRE_INVALID, (int32_t)x->shared->invalid_at - 1,
			start_ns);
		return;
	}
	x->region.guest->running = x->job.req.number;
	switch (x->job.req.kind) {
	case WIRE_PROGRAM:
		if (x->job.req.flags & WIRE_REQ_KEEP)
			keep_serving(x, start_ns);
		else
			one_program(x, start_ns);
		break;
	case WIRE_EXEC:
		exec_binary(x, start_ns);
		break;
	case WIRE_FILE:
		make_file(x, start_ns);
		break;
	case WIRE_NOP:
		respond(x, WIRE_DONE, 0, start_ns);
		break;
	default:
		respond(x, WIRE_INVALID, 0, start_ns);
	}
}

_Noreturn void serve(struct executor *x)
{
	uint32_t turn = 0;
	long pause_ns = 0;
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, NULL);
	__atomic_store_n(&x->region.guest->state, WIRE_STATE_READY,
			 __ATOMIC_RELEASE);
	while (!region_stopped(&x->region)) {
		beat(x);
		if (region_submitted(&x->region) == x->shared->completed) {
			idle(&turn, &pause_ns);
			continue;
		}
		turn = 0;
		pause_ns = 0;
		handle(x);
	}
	x->region.guest->state = WIRE_STATE_STOPPED;
	{struct rusage ru; getrusage(RUSAGE_CHILDREN,&ru); say("DBG flt %ld workers %u", ru.ru_minflt, x->region.guest->workers); getrusage(RUSAGE_SELF,&ru); say("DBG self flt %ld", ru.ru_minflt);}
	if (x->is_init)
		machine_off();
	clean_work_dir(x->work_dir);
	rmdir(x->work_dir);
	_exit(0);
}
