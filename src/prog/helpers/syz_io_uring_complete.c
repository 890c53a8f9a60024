#include <errno.h>
#include <stdint.h>

/* What the oldest completion says. */
static long syz_io_uring_complete(const struct io_uring_params *p, char *rings)
{
	uint32_t *head, mask;
	struct io_uring_cqe *cqe;
	int res;

	errno = EFAULT;
	if (!p || !rings)
		return -1;
	head = (uint32_t *)(rings + p->cq_off.head);
	mask = *(uint32_t *)(rings + p->cq_off.ring_mask);
	cqe = (void *)(rings + p->cq_off.cqes +
		       (size_t)(*head & mask) * cqe_bytes(p));
	res = cqe->res;
	__atomic_store_n(head, *head + 1, __ATOMIC_RELEASE);
	if (res >= 0)
		return res;
	errno = -res;
	return -1;
}
