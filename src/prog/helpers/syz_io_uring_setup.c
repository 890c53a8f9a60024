#include <stdint.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Set an io_uring up and map its rings; where these and the parameters are goes
 * to the last three arguments. */
static long syz_io_uring_setup(uint32_t entries, struct io_uring_params *p,
			       void *params_at, void *rings_at, void *sqes_at)
{
	int fd = (int)syscall(SYS_io_uring_setup, entries, p);
	int prot = PROT_READ | PROT_WRITE, how = MAP_SHARED | MAP_POPULATE;
	uint64_t sq, cq;
	char *rings;

	if (fd < 0)
		return fd;
	sq = p->sq_off.array + (uint64_t)p->sq_entries * sizeof(uint32_t);
	cq = p->cq_off.cqes + (uint64_t)p->cq_entries * cqe_bytes(p);
	rings = mmap(NULL, sq > cq ? sq : cq, prot, how, fd,
		     IORING_OFF_SQ_RING);
	*(void **)params_at = p;
	*(void **)sqes_at = mmap(NULL, (size_t)p->sq_entries * sqe_bytes(p),
				 prot, how, fd, IORING_OFF_SQES);
	*(void **)rings_at = rings;
	if (rings == MAP_FAILED)
		return -1;
	for (uint32_t i = 0; i < p->sq_entries; i++)
		((uint32_t *)(rings + p->sq_off.array))[i] = i;
	return fd;
}
