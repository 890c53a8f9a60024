#include <errno.h>
#include <stdint.h>
#include <string.h>

/* Put an entry into the submission queue. */
static long syz_io_uring_submit(const struct io_uring_params *p, char *rings,
				char *sqes, const void *sqe)
{
	uint32_t *tail, mask;

	errno = EFAULT;
	if (!p || !rings || !sqes || !sqe)
		return -1;
	tail = (uint32_t *)(rings + p->sq_off.tail);
	mask = *(uint32_t *)(rings + p->sq_off.ring_mask);
	memcpy(sqes + (size_t)(*tail & mask) * sqe_bytes(p), sqe, sqe_bytes(p));
	__atomic_store_n(tail, *tail + 1, __ATOMIC_RELEASE);
	return 0;
}
