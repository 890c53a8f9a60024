#include <stdint.h>
#include <unistd.h>

/* A packet arrives. */
static long syz_emit_ethernet(uint64_t bytes, const void *packet)
{
	return write(TUN_FD, packet, bytes);
}
