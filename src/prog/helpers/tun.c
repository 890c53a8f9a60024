#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <linux/neighbour.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define TUN_DEVICE "syz_tun"
#define TUN_FD 254

static void request(const struct message *m)
{
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);

	if (fd < 0)
		return;
	/* Done when it returns; a kernel without IPv6 says no. */
	if (send(fd, m, m->head.nlmsg_len, 0) < 0)
		perror("netlink");
	close(fd);
}

static const uint8_t local_mac[6] = { 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa };
static const uint8_t remote_mac[6] = { 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xbb };

static void set_link(unsigned index)
{
	struct ifinfomsg info = { .ifi_index = (int)index,
				  .ifi_flags = IFF_UP,
				  .ifi_change = IFF_UP };
	struct message m;

	start(&m, RTM_NEWLINK, 0, &info, sizeof(info));
	attribute(&m, IFLA_ADDRESS, local_mac, sizeof(local_mac));
	request(&m);
}

static void set_address(unsigned index, uint8_t family, const char *text,
			uint8_t prefix)
{
	struct ifaddrmsg info = { .ifa_family = family,
				  .ifa_prefixlen = prefix,
				  .ifa_flags = IFA_F_NODAD,
				  .ifa_index = index };
	uint32_t len = family == AF_INET ? 4 : 16;
	uint8_t address[16];
	struct message m;

	inet_pton(family, text, address);
	start(&m, RTM_NEWADDR, NLM_F_CREATE | NLM_F_REPLACE, &info,
	      sizeof(info));
	attribute(&m, IFA_LOCAL, address, len);
	attribute(&m, IFA_ADDRESS, address, len);
	request(&m);
}

static void set_neighbour(unsigned index, uint8_t family, const char *text)
{
	struct ndmsg info = { .ndm_family = family,
			      .ndm_ifindex = (int)index,
			      .ndm_state = NUD_PERMANENT };
	uint8_t address[16];
	struct message m;

	inet_pton(family, text, address);
	start(&m, RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_REPLACE, &info,
	      sizeof(info));
	attribute(&m, NDA_DST, address, family == AF_INET ? 4 : 16);
	attribute(&m, NDA_LLADDR, remote_mac, sizeof(remote_mac));
	request(&m);
}

static void set_ipv6_zero(const char *name)
{
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "/proc/sys/net/ipv6/conf/%s/%s",
		 TUN_DEVICE, name);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	if (write(fd, "0", 1) < 0)
		perror(path);
	close(fd);
}

/* A tap device (Documentation/networking/tuntap.rst): 172.20.20.170, fe80::aa
 * and aa:aa:aa:aa:aa:aa are ours; 172.20.20.187, fe80::bb and ...:bb belong to
 * whom packets are to come from.  It lives as long as TUN_FD. */
static bool open_tun(void)
{
	struct ifreq ifr = { .ifr_name = TUN_DEVICE,
			     .ifr_flags = IFF_TAP | IFF_NO_PI };
	unsigned index;
	bool ok;
	int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0)
		return false;
	ok = !ioctl(fd, TUNSETIFF, &ifr) &&
	     dup3(fd, TUN_FD, O_CLOEXEC) == TUN_FD;
	close(fd);
	index = ok ? if_nametoindex(TUN_DEVICE) : 0;
	if (!index)
		return ok;
	/* No packets of the kernel's own, as far as that can be said. */
	set_ipv6_zero("accept_dad");
	set_ipv6_zero("router_solicitations");
	set_ipv6_zero("mldv1_unsolicited_report_interval");
	set_link(index);
	set_address(index, AF_INET, "172.20.20.170", 24);
	set_neighbour(index, AF_INET, "172.20.20.187");
	set_address(index, AF_INET6, "fe80::aa", 64);
	set_neighbour(index, AF_INET6, "fe80::bb");
	return true;
}
