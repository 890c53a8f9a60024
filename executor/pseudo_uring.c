/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pseudo_uring.c - io_uring's rings, mapped and filled: io_uring(7).  The rings
 * and what says where things are in them are the program's, which may have
 * written anything there.
 */
#include <errno.h>
#include <linux/io_uring.h>
#include <sys/mman.h>

#include "pseudo.h"

static bool get(void *to, uint64_t from, size_t len)
{
	return !guarded_copy(to, (const void *)(uintptr_t)from, len);
}

static bool put(uint64_t to, const void *from, size_t len)
{
	return !guarded_copy((void *)(uintptr_t)to, from, len);
}

static uint32_t sqe_bytes(const struct io_uring_params *p)
{
	return p->flags & IORING_SETUP_SQE128 ? 128 : 64;
}

static uint32_t cqe_bytes(const struct io_uring_params *p)
{
	return p->flags & IORING_SETUP_CQE32 ? 32 : 16;
}

static int64_t map(struct pseudo *c, int64_t fd, uint64_t len, uint64_t off)
{
	return SYS(c, mmap, 0, len, PROT_READ | PROT_WRITE,
		   MAP_SHARED | MAP_POPULATE, (uint64_t)fd, off);
}

/*
 * syz_io_uring_setup(entries, params, where to put: the address of params, of
 * the rings, of the entries to submit)
 */
int64_t pseudo_io_uring_setup(struct pseudo *c)
{
	const uint64_t *a = c->args;
	int64_t fd = SYS(c, io_uring_setup, (uint32_t)a[0], a[1]), rings, sqes;
	struct io_uring_params p;
	uint64_t sq, cq;

	if (fd < 0)
		return fd;
	if (!get(&p, a[1], sizeof(p)))
		return -EFAULT;
	sq = p.sq_off.array + (uint64_t)p.sq_entries * sizeof(uint32_t);
	cq = p.cq_off.cqes + (uint64_t)p.cq_entries * cqe_bytes(&p);
	rings = map(c, fd, sq > cq ? sq : cq, IORING_OFF_SQ_RING);
	sqes = map(c, fd, (uint64_t)p.sq_entries * sqe_bytes(&p),
		   IORING_OFF_SQES);
	put(a[2], &a[1], sizeof(a[1]));
	put(a[3], &rings, sizeof(rings));
	put(a[4], &sqes, sizeof(sqes));
	if (rings < 0 && rings >= -4095)
		return rings;
	for (uint32_t i = 0; i < p.sq_entries; i++)
		if (!put((uint64_t)rings + p.sq_off.array + i * 4ull, &i,
			 sizeof(i)))
			break;
	return fd;
}

/* syz_io_uring_submit(params, rings, entries, the entry) */
int64_t pseudo_io_uring_submit(struct pseudo *c)
{
	uint64_t rings = c->args[1], to = c->args[2];
	struct io_uring_params p;
	uint32_t mask, tail;
	char sqe[128];

	if (!get(&p, c->args[0], sizeof(p)) ||
	    !get(&mask, rings + p.sq_off.ring_mask, sizeof(mask)) ||
	    !get(&tail, rings + p.sq_off.tail, sizeof(tail)) ||
	    !get(sqe, c->args[3], sqe_bytes(&p)))
		return -EFAULT;
	to += (uint64_t)(tail & mask) * sqe_bytes(&p);
	if (!put(to, sqe, sqe_bytes(&p)))
		return -EFAULT;
	__atomic_thread_fence(__ATOMIC_RELEASE);
	tail++;
	return put(rings + p.sq_off.tail, &tail, sizeof(tail)) ? 0 : -EFAULT;
}

/* syz_io_uring_complete(params, rings): what the oldest completion says */
int64_t pseudo_io_uring_complete(struct pseudo *c)
{
	uint64_t rings = c->args[1];
	struct io_uring_params p;
	uint32_t mask, head;
	struct {
		uint64_t user_data;
		int32_t res;
		uint32_t flags;
	} cqe;

	if (!get(&p, c->args[0], sizeof(p)) ||
	    !get(&mask, rings + p.cq_off.ring_mask, sizeof(mask)) ||
	    !get(&head, rings + p.cq_off.head, sizeof(head)) ||
	    !get(&cqe,
		 rings + p.cq_off.cqes +
			 (uint64_t)(head & mask) * cqe_bytes(&p),
		 sizeof(cqe)))
		return -EFAULT;
	head++;
	__atomic_thread_fence(__ATOMIC_RELEASE);
	if (!put(rings + p.cq_off.head, &head, sizeof(head)))
		return -EFAULT;
	return cqe.res;
}
