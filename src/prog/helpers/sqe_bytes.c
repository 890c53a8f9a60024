#include <linux/io_uring.h>
#include <stdint.h>

#ifndef IORING_SETUP_SQE128
#define IORING_SETUP_SQE128 (1u << 10)
#endif

static uint32_t sqe_bytes(const struct io_uring_params *p)
{
	return p->flags & IORING_SETUP_SQE128 ? 128 : 64;
}
