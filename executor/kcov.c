/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * kcov.c - coverage from the kernel (Documentation/dev-tools/kcov.rst).
 *
 * The supervisor opens a buffer per thread of a worker; a worker enables them.
 * Only the first one's first page, with the counter, is inherited over fork: the
 * kernel would copy every page table entry of the rest.  Whoever reads entries maps
 * all (kcov_map_all).  A dying thread disables its buffer (kcov_task_exit), so
 * the next worker can have it.
 *
 * A further buffer takes remote coverage: the supervisor enables it for a handle
 * that its children inherit (kcov_task_init), so that kernel threads and soft
 * interrupts which work for one of them (vhost, sockets, Bluetooth) say what they
 * did; for USB the handle is that of a bus.
 */
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <linux/kcov.h>

#include "executor.h"
#include "syscall.h"

#define FD_BASE 240 /* out of the way of programs' descriptors */
#define MAIN_ENTRIES (2u << 20) /* mounting bcachefs takes 1.6 million */
#define SIDE_ENTRIES (64u << 10)
#define CMP_WORDS 4 /* of a comparison record */

#define REMOTE MAX_THREADS /* the further buffer */
#define REMOTE_INSTANCE 1u /* of the handles: any but 0 */

static uint64_t *count_page[MAX_THREADS];
static uint64_t *entries[MAX_THREADS + 1];
static uint32_t opened;
static bool has_remote;

static uint32_t capacity(uint32_t thread)
{
	return thread ? SIDE_ENTRIES : MAIN_ENTRIES;
}

static void *map_buffer(uint32_t thread)
{
	void *p = mmap(NULL, capacity(thread) * sizeof(uint64_t),
		       PROT_READ | PROT_WRITE, MAP_SHARED,
		       FD_BASE + (int)thread, 0);

	return p == MAP_FAILED ? NULL : p;
}

static bool open_one(uint32_t thread)
{
	int fd = open("/sys/kernel/debug/kcov", O_RDWR);
	char *map;

	if (fd < 0)
		return false;
	if (dup3(fd, FD_BASE + (int)thread, O_CLOEXEC) < 0 ||
	    ioctl(fd, KCOV_INIT_TRACE, (unsigned long)capacity(thread))) {
		close(fd);
		return false;
	}
	close(fd);
	if (thread)
		return true;
	map = map_buffer(thread);
	if (!map)
		return false;
	/* KCOV maps all or nothing, but unmaps as we like. */
	munmap(map + WIRE_PAGE,
	       capacity(thread) * sizeof(uint64_t) - WIRE_PAGE);
	count_page[thread] = (uint64_t *)(void *)map;
	return true;
}

/* A process has one buffer enabled at most: the supervisor has no other. */
static bool enable_remote(void)
{
	/* The argument, with a handle behind it. */
	uint64_t mem[sizeof(struct kcov_remote_arg) / sizeof(uint64_t) + 1];
	struct kcov_remote_arg *arg = (void *)mem;

	*arg = (struct kcov_remote_arg){
		.trace_mode = KCOV_TRACE_PC,
		.area_size = SIDE_ENTRIES,
		.num_handles = 1,
		.common_handle = kcov_remote_handle(KCOV_SUBSYSTEM_COMMON,
						    REMOTE_INSTANCE),
	};
	arg->handles[0] =
		kcov_remote_handle(KCOV_SUBSYSTEM_USB, REMOTE_INSTANCE);
	return !ioctl(FD_BASE + (int)REMOTE, KCOV_REMOTE_ENABLE, arg);
}

bool kcov_open(void)
{
	while (opened < MAX_THREADS && open_one(opened))
		opened++;
	has_remote = opened == MAX_THREADS && open_one(REMOTE) &&
		     enable_remote();
	return opened > 0;
}

bool kcov_has_remote(void)
{
	return has_remote;
}

const uint64_t *kcov_remote(uint32_t *n)
{
	const uint64_t *e = entries[REMOTE];
	uint64_t count = e ? __atomic_load_n(e, __ATOMIC_ACQUIRE) : 0;

	*n = count < SIDE_ENTRIES ? (uint32_t)count : SIDE_ENTRIES - 1;
	return e ? e + 1 : NULL;
}

void kcov_rewind_remote(void)
{
	if (entries[REMOTE])
		__atomic_store_n(entries[REMOTE], 0, __ATOMIC_RELAXED);
}

bool kcov_map_all(void)
{
	for (uint32_t i = 0; i <= REMOTE; i++) {
		if (i == REMOTE ? !has_remote : i >= opened)
			continue;
		entries[i] = map_buffer(i);
		if (!entries[i])
			return false;
		madvise(entries[i], capacity(i) * sizeof(uint64_t),
			MADV_DONTFORK);
	}
	return true;
}

const uint64_t *kcov_entries(uint32_t thread)
{
	return thread < opened && entries[thread] ? entries[thread] + 1 : NULL;
}

void kcov_start(uint32_t thread, bool comparisons)
{
	if (thread >= opened)
		return;
	/* Few programs need more than one thread: these map for themselves. */
	if (!count_page[thread])
		count_page[thread] = map_buffer(thread);
	if (!count_page[thread])
		return;
	*count_page[thread] = 0;
	const uint64_t args[6] = { FD_BASE + thread, KCOV_ENABLE,
				   comparisons ? KCOV_TRACE_CMP :
						 KCOV_TRACE_PC };

	/* Without libc, whose text would be one more page fault. */
	syscall_raw(SYS_ioctl, args);
}

void kcov_stop(uint32_t thread)
{
	if (thread < opened)
		ioctl(FD_BASE + (int)thread, KCOV_DISABLE, 0);
}

uint32_t kcov_position(uint32_t thread)
{
	return thread < opened && count_page[thread] ?
		       (uint32_t)__atomic_load_n(count_page[thread],
						 __ATOMIC_RELAXED) :
		       0;
}

uint32_t kcov_make_room(uint32_t thread, bool comparisons)
{
	uint32_t at = kcov_position(thread), limit;

	if (!at)
		return 0;
	limit = capacity(thread) / 8 * 7 / (comparisons ? CMP_WORDS : 1);
	if (at <= limit)
		return at;
	__atomic_store_n(count_page[thread], limit, __ATOMIC_RELAXED);
	return limit;
}

void kcov_rewind(void)
{
	for (uint32_t i = 0; i < opened && count_page[i]; i++)
		__atomic_store_n(count_page[i], 0, __ATOMIC_RELAXED);
	kcov_rewind_remote();
}

void kcov_forget(uint32_t thread, uint32_t position)
{
	if (position < kcov_position(thread))
		__atomic_store_n(count_page[thread], position,
				 __ATOMIC_RELAXED);
}

bool kcov_is_full(uint32_t thread, uint32_t position, bool comparisons)
{
	uint32_t words = comparisons ? CMP_WORDS : 1;

	return ((uint64_t)position + 1) * words + 1 > capacity(thread);
}
