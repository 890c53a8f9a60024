#include <sys/socket.h>

/* A socket of the first network namespace: we never leave it. */
static long syz_init_net_socket(int domain, int type, int protocol)
{
	return socket(domain, type, protocol);
}
