#include <linux/io_uring.h>
#include <stdint.h>

#ifndef IORING_SETUP_CQE32
#define IORING_SETUP_CQE32 (1u << 11)
#endif

static uint32_t cqe_bytes(const struct io_uring_params *p)
{
	return p->flags & IORING_SETUP_CQE32 ? 32 : 16;
}
