/* SPDX-License-Identifier: GPL-2.0-or-later */
/* serve.c - the supervisor: take requests, mind the workers, answer. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "executor.h"
#include "spawn.h"
#include "syscall.h"

#define SPINS 300u
#define IDLE_MIN_NS 50000l
#define IDLE_MAX_NS 1000000l
#define KILL_WAIT_MS 3000 /* a killed worker should be gone by then */

/* Not an atomic addition: arm64 has none on memory that is not cached. */
static void beat(struct executor *x)
{
	uint32_t *beats = &x->region.guest->heartbeat;

	__atomic_store_n(beats, *beats + 1, __ATOMIC_RELAXED);
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

/*
 * One wait for `pid`, at most until the supervisor's timer ticks: SIGALRM has a
 * handler without SA_RESTART (run.c).
 */
static bool reaped(pid_t pid, int *status)
{
	pid_t got = waitpid(pid, status, 0);

	if (got < 0 && errno == ECHILD) {
		*status = 0; /* a program's child took it: it is gone */
		return true;
	}
	return got == pid;
}

static void start_ticks(void)
{
	struct timeval tick = { .tv_usec = TICK_MS * 1000 };
	struct itimerval timer = { .it_interval = tick, .it_value = tick };

	setitimer(ITIMER_REAL, &timer, NULL);
}

int wait_child(struct executor *x, pid_t pid, uint32_t ms)
{
	int status = 0;

	while (!reaped(pid, &status)) {
		beat(x);
		if (now_ns() - x->start_ns >= ms * 1000000ull)
			return -1;
	}
	return status;
}

/* SIGKILL and reap; false when it does not die (stuck in the kernel). */
static bool kill_worker(pid_t pid)
{
	uint64_t until = now_ns() + KILL_WAIT_MS * 1000000ull;
	int status;

	kill(pid, SIGKILL);
	while (!reaped(pid, &status))
		if (now_ns() > until)
			return false;
	return true;
}

_Noreturn void end_process(int code)
{
	const uint64_t args[6] = { (uint64_t)code };

	for (;;)
		syscall_raw(SYS_exit_group, args);
}

pid_t spawn(struct executor *x, void (*fn)(void *))
{
	long pid = spawn_on(x->stack_top, fn, x);

	if (pid < 0) {
		errno = (int)-pid;
		return -1;
	}
	return (pid_t)pid;
}

/* The supervisor's stack is nobody else's: see spawn.h. */
static void keep_stack_private(void)
{
	FILE *f = fopen("/proc/self/maps", "re");
	char line[256];

	while (f && fgets(line, sizeof(line), f)) {
		char *end;
		uintptr_t from = strtoul(line, &end, 16);
		uintptr_t to = *end == '-' ? strtoul(end + 1, NULL, 16) : 0;

		if (strstr(line, "[stack]") && to > from)
			madvise((void *)from, to - from, MADV_DONTFORK);
	}
	if (f)
		fclose(f);
}

/* What a worker's programs may have left, by the classes of their calls. */
static void clean_after(struct executor *x, pid_t pid, uint32_t classes)
{
	if (classes & (UNDO_PROCESS | UNDO_NEVER))
		clean_processes(x, pid);
	if (classes & (UNDO_FILES | UNDO_NEVER))
		clean_work_dir(x->work_dir);
	if (x->is_init && (classes & UNDO_LOOP))
		clean_loops();
}

static void answer(struct executor *x, int status)
{
	if (x->shared->done)
		respond(x, WIRE_DONE, 0);
	else
		respond_end(x, status);
}

static bool wants_cover(const struct wire_request *r)
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
	if (x->region.line >= 0)
		close(x->region.line);
	/* Only root can make it; in a user namespace we are root later on. */
	if ((x->job.classes & UNDO_TUN) && r->sandbox != WIRE_SANDBOX_NAMESPACE)
		tun_open();
	if ((r->sandbox || mounts) && !sandbox_enter(r->sandbox, mounts) &&
	    r->sandbox)
		end_process(126);
	if (x->job.classes & UNDO_TUN)
		tun_open();
	if (wants_cover(r))
		cover_start(0, r->flags & WIRE_REQ_CMP);
}

static int wait_program(struct executor *x, pid_t pid)
{
	const struct wire_request *r = &x->job.req;

	if ((r->flags & WIRE_REQ_THREADS) && !(r->flags & WIRE_REQ_WATCH) &&
	    r->call_timeout_ms < r->timeout_ms) {
		int status = wait_child(x, pid, r->call_timeout_ms);

		if (status >= 0)
			return status;
		kill(pid, SIGNAL_LATE);
	}
	return wait_child(x, pid, r->timeout_ms);
}

static void single_worker(void *arg)
{
	struct executor *x = arg;

	become_worker(x);
	run_program(x);
	end_process(0);
}

static void one_program(struct executor *x)
{
	int status;
	pid_t pid;

	x->shared->fresh = 1;
	kcov_rewind_remote();
	pid = spawn(x, single_worker);
	if (pid < 0) {
		respond(x, WIRE_ERROR, errno);
		return;
	}
	x->region.guest->workers++;
	status = wait_program(x, pid);
	if (status < 0 && !kill_worker(pid))
		x->shared->stuck++;
	clean_after(x, pid, x->job.classes);
	answer(x, status);
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
	       wants_cover(&next) == wants_cover(was) &&
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
	if (pause_ns)
		x->start_ns = now_ns();
	return same_kind(x, was) && job_load(x, x->shared->completed) &&
	       !(x->job.classes & UNDO_MOUNT);
}

static void kept_worker(void *arg)
{
	static struct executor own; /* with its own mapping of the region */
	struct executor *x = &own;

	own = *(struct executor *)arg;

	struct wire_request was = x->job.req;
	struct shared *s = x->shared;

	if (!region_reopen(&x->region) || !collect_setup() ||
	    !cover_map_all(&x->region))
		end_process(125);
	become_worker(x);
	undo_baseline();
	s->fresh = 1;
	do {
		bool clean;

		s->timeout_ms = x->job.req.timeout_ms;
		__atomic_store_n(&s->running, x->job.req.number + 1,
				 __ATOMIC_RELEASE);
		if (x->job.classes & UNDO_TUN)
			tun_open();
		cover_rewind();
		run_program(x);
		/* The response comes after the reset, which is part of it. */
		clean = undo_all(x);
		if (!clean)
			end_process(0); /* the supervisor answers */
		respond(x, WIRE_DONE, 0);
		s->fresh = 0;
	} while (next_job(x, &was));
	end_process(0);
}

/* Wait for a kept worker, program by program; its status, -1 for a timeout. */
static int mind_worker(struct executor *x, pid_t pid)
{
	struct shared *s = x->shared;
	uint64_t since = now_ns();
	uint32_t last = 0;
	int status;

	while (!reaped(pid, &status)) {
		uint32_t running =
			__atomic_load_n(&s->running, __ATOMIC_ACQUIRE);
		uint64_t now = now_ns();

		beat(x);
		if (running != last)
			since = now;
		else if (running && now - since > s->timeout_ms * 1000000ull)
			return -1;
		last = running;
	}
	return status;
}

static void keep_serving(struct executor *x)
{
	struct shared *s = x->shared;
	uint32_t first = s->completed;
	int status;
	pid_t pid;

	s->running = first + 1;
	s->timeout_ms = x->job.req.timeout_ms;
	pid = spawn(x, kept_worker);
	if (pid < 0) {
		s->running = 0;
		respond(x, WIRE_ERROR, errno);
		return;
	}
	x->region.guest->workers++;
	status = mind_worker(x, pid);
	if (status < 0 && !kill_worker(pid))
		x->shared->stuck++;
	clean_after(x, pid, UNDO_NEVER | UNDO_LOOP);
	if (!s->running)
		return;
	/* It died in a program: answer in its place, from what it logged. */
	x->job.req.flags = region_request(&x->region, s->completed)->flags;
	answer(x, status);
}

static void handle(struct executor *x)
{
	if (!job_load(x, x->shared->completed)) {
		x->shared->ncalls = 0;
		respond(x, WIRE_INVALID, (int32_t)x->shared->invalid_at - 1);
		return;
	}
	x->region.guest->running = x->job.req.number;
	switch (x->job.req.kind) {
	case WIRE_PROGRAM:
		/* A kept worker needs memory that it can map, too. */
		if ((x->job.req.flags & WIRE_REQ_KEEP) && x->region.line < 0)
			keep_serving(x);
		else
			one_program(x);
		break;
	case WIRE_EXEC:
		exec_binary(x);
		break;
	case WIRE_FILE:
		make_file(x);
		break;
	case WIRE_NOP:
		respond(x, WIRE_DONE, 0);
		break;
	default:
		respond(x, WIRE_INVALID, 0);
	}
}

_Noreturn void serve(struct executor *x)
{
	uint32_t turn = 0;
	long pause_ns = 0;

	keep_stack_private();
	start_ticks();
	region_state(&x->region, WIRE_STATE_READY);
	while (!region_stopped(&x->region)) {
		beat(x);
		if (region_submitted(&x->region) == x->shared->completed) {
			idle(&turn, &pause_ns);
			continue;
		}
		if (pause_ns || !x->start_ns)
			x->start_ns = now_ns();
		turn = 0;
		pause_ns = 0;
		handle(x);
	}
	region_state(&x->region, WIRE_STATE_STOPPED);
	if (x->is_init)
		machine_off();
	clean_work_dir(x->work_dir);
	rmdir(x->work_dir);
	end_process(0);
}
