#include <errno.h>
#include <linux/netlink.h>
#include <sys/socket.h>
#include <unistd.h>

/* The number of a generic netlink family. */
static long syz_genetlink_get_family_id(const char *name, int fd)
{
	int own = fd == -1 ? socket(AF_NETLINK, SOCK_RAW, NETLINK_GENERIC) : -1;
	struct message m;
	long n = -1;

	ask_family(&m, name);
	if (own >= 0)
		fd = own;
	if (send(fd, &m, m.head.nlmsg_len, 0) >= 0)
		n = recv(fd, &m, sizeof(m), MSG_DONTWAIT);
	n = n < 0 ? -errno : family_in(&m, n);
	if (own >= 0)
		close(own);
	if (n >= 0)
		return n;
	errno = (int)-n;
	return -1;
}
