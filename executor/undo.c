/* SPDX-License-Identifier: GPL-2.0-or-later */
/* undo.c - bring a worker back to where it was before the program. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#include "executor.h"
#include "syscall.h"

#define MAX_NR 512u
#define MAX_MAPS 64u /* our own mappings */
#define MAX_MMAPS 16u /* of a program, before a sweep is cheaper */
#define SMALL_DATA (8u * WIRE_PAGE) /* zeroed rather than given back */
#define STACK_GROWTH (2u << 20)
#define KCOV_FD 239u /* from here on descriptors are the executor's */
#define LOOP_SET_FD 0x4c00u
#define LOOP_CONFIGURE 0x4c0au

/* What stands in undo.def has LISTED set, so that NOTHING is not absence. */
#define LISTED (1u << 30)

static const uint32_t class_of[MAX_NR] = {
#define UNDO(name, what) [SYS_##name] = LISTED | UNDO_##what,
#include "undo.def"
#undef UNDO
};

static struct {
	uintptr_t from, to;
} ours[MAX_MAPS];
static uint32_t nr_ours;
static struct sigaction actions[NSIG];

static struct {
	uint32_t todo; /* UNDO_* since the program began */
	uint32_t nmmaps;
	struct {
		uint64_t at, len;
	} mmaps[MAX_MMAPS];
	uint64_t signals; /* changed ones */
} now;

/* Of pseudo-calls. */
static const uint32_t class_of_pseudo[WIRE_NR_PSEUDO] = {
#define PSEUDO(NAME, name, undo) [WIRE_SYZ_##NAME] = UNDO_##undo,
#include "wire/pseudo.def"
#undef PSEUDO
};

uint32_t undo_class(uint32_t nr)
{
	if (nr >= WIRE_PSEUDO)
		return nr - WIRE_PSEUDO < WIRE_NR_PSEUDO ?
			       class_of_pseudo[nr - WIRE_PSEUDO] :
			       UNDO_NOTHING;

	uint32_t c = nr < MAX_NR ? class_of[nr] : 0;

	return c & LISTED ? c & ~LISTED : UNDO_NEVER;
}

/* Our mappings, with room for the stack to grow. */
static bool read_maps(void)
{
	FILE *f = fopen("/proc/self/maps", "re");
	char line[512];

	nr_ours = 0;
	while (f && nr_ours < MAX_MAPS && fgets(line, sizeof(line), f)) {
		char *end;
		uintptr_t from = strtoul(line, &end, 16);
		uintptr_t to = *end == '-' ? strtoul(end + 1, NULL, 16) : 0;

		if (to <= from)
			continue;
		if (strstr(line, "[stack]"))
			from -= STACK_GROWTH;
		if (nr_ours && ours[nr_ours - 1].to >= from)
			ours[nr_ours - 1].to = to;
		else
			ours[nr_ours++] = (__typeof__(ours[0])){ from, to };
	}
	if (f)
		fclose(f);
	return nr_ours && nr_ours < MAX_MAPS;
}

void undo_baseline(void)
{
	if (!read_maps())
		nr_ours = 0;
	for (int sig = 1; sig < NSIG; sig++)
		sigaction(sig, NULL, &actions[sig]);
}

static void note_mmap(uint64_t at, uint64_t len)
{
	bool in_data = at >= WIRE_DATA_BASE &&
		       at + len <= WIRE_DATA_BASE + WIRE_DATA_SIZE;

	if (in_data || now.nmmaps == MAX_MMAPS) {
		now.todo |= UNDO_MAPS;
		return;
	}
	now.mmaps[now.nmmaps].at = at;
	now.mmaps[now.nmmaps++].len = len;
}

uint32_t undo_refine(uint32_t c, uint32_t nr, const uint64_t args[6])
{
	uint64_t flags = args[nr == SYS_openat ? 2 : 1];
	uint32_t cmd = (uint32_t)args[1];

	if ((c & UNDO_OPEN) && (flags & O_CREAT))
		c |= UNDO_FILES;
	if ((c & UNDO_IOCTL) &&
	    (cmd == LOOP_SET_FD || cmd == LOOP_CONFIGURE || cmd == ~0u))
		c |= UNDO_LOOP;
	return c;
}

void undo_note(uint32_t nr, const uint64_t args[6], uint64_t ret)
{
	uint32_t c = undo_class(nr);
	bool failed = (int64_t)ret < 0 && (int64_t)ret >= -4095;

	if (c == UNDO_NOTHING)
		return;
	c = undo_refine(c, nr, args);
	/* The kernel may have done half of it: only mmap is known not to. */
	if ((c & UNDO_MMAP) && !failed)
		note_mmap(ret, args[1]);
	if ((c & UNDO_SIGNAL) && args[0] > 0 && args[0] < 64)
		now.signals |= 1ull << args[0];
	else if (c & UNDO_SIGNAL)
		c |= UNDO_NEVER;
	if (c & UNDO_STDIO) /* our own descriptors must not be hit */
		if (args[0] >= KCOV_FD || (nr == SYS_close_range) ||
		    (nr != SYS_close && args[1] >= KCOV_FD))
			c |= UNDO_NEVER;
	now.todo |= c;
}

static bool unmap(uintptr_t from, uintptr_t to)
{
	return from >= to || !munmap((void *)from, to - from);
}

/* Unmap everything between our own mappings. */
static bool sweep(void)
{
	uintptr_t at = 2 * WIRE_PAGE;

	if (!nr_ours)
		return false;
	for (uint32_t i = 0; i < nr_ours; i++) {
		if (ours[i].from > at && !unmap(at, ours[i].from))
			return false;
		at = ours[i].to;
	}
	/* Above the last there is the stack, the vdso or nothing. */
	return true;
}

static bool undo_memory(const struct executor *x)
{
	void *data = (void *)(uintptr_t)WIRE_DATA_BASE;
	uint32_t top = (x->job.data_top + 2 * WIRE_PAGE) & ~(WIRE_PAGE - 1);
	bool swept = now.todo & UNDO_MAPS;

	for (uint32_t i = 0; i < now.nmmaps && !swept; i++)
		munmap((void *)(uintptr_t)now.mmaps[i].at, now.mmaps[i].len);
	if (swept)
		return sweep() && mmap(data, WIRE_DATA_SIZE,
				       PROT_READ | PROT_WRITE | PROT_EXEC,
				       MAP_PRIVATE | MAP_ANONYMOUS |
					       MAP_NORESERVE | MAP_FIXED,
				       -1, 0) == data;
	/* Touched pages are dear: keep the few a small program uses. */
	if (top > SMALL_DATA)
		top = 0;
	memset(data, 0, top);
	return !madvise((char *)data + top, WIRE_DATA_SIZE - top,
			MADV_DONTNEED);
}

static bool undo_signals(void)
{
	sigset_t set;

	for (int sig = 1; sig < 64; sig++)
		if ((now.signals >> sig & 1) && sig != SIGKILL &&
		    sig != SIGSTOP && sigaction(sig, &actions[sig], NULL))
			return false;
	if (!(now.todo & UNDO_MASK))
		return true;
	sigemptyset(&set);
	return !sigprocmask(SIG_SETMASK, &set, NULL);
}

static bool undo_stdio(void)
{
	int fd = open("/dev/null", O_RDWR);

	if (fd < 0)
		return false;
	for (int i = 0; i < 3; i++)
		if (fd != i && dup2(fd, i) < 0)
			return false;
	if (fd > 2)
		close(fd);
	return true;
}

static void undo_timers(void)
{
	struct itimerval off = {};

	for (int which = ITIMER_REAL; which <= ITIMER_PROF; which++)
		setitimer((__itimer_which_t)which, &off, NULL);
}

bool undo_all(const struct executor *x)
{
	uint32_t todo = now.todo | (x->job.classes & UNDO_NEVER);
	bool ok = !(todo & UNDO_NEVER);

	/* Closing first: a file's last reference may be a mapping's. */
	if (ok)
		ok = !syscall(SYS_close_range, 3u, KCOV_FD - 1, 0u) &&
		     undo_memory(x);
	if (ok && (todo & UNDO_TIMER))
		undo_timers();
	if (ok && (todo & (UNDO_SIGNAL | UNDO_MASK)))
		ok = undo_signals();
	if (ok && (todo & UNDO_STDIO))
		ok = undo_stdio();
	if (ok && (todo & UNDO_CWD))
		ok = !chdir(x->work_dir);
	if (ok && (todo & UNDO_UMASK))
		umask(0);
	if (ok && (todo & UNDO_FILES))
		clean_work_dir(x->work_dir);
	if (x->job.classes & UNDO_TUN)
		tun_close();
	if (ok && (todo & UNDO_LOOP) && x->is_init)
		clean_loops();
	now.todo = now.nmmaps = 0;
	now.signals = 0;
	return ok;
}
