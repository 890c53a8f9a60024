/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pseudo_net.c - packets through a tap device (Documentation/networking/tuntap),
 * and numbers of generic netlink families.
 *
 * The device has the addresses that descriptions know: 172.20.20.170, fe80::aa
 * and aa:aa:aa:aa:aa:aa are ours; 172.20.20.187, fe80::bb and ...:bb belong to
 * whom packets are to come from.  It lives as long as its descriptor.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/genetlink.h>
#include <linux/if_tun.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <netinet/ether.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "pseudo.h"

#define DEVICE "syz_tun"
#define PACKETS_MAX 64 /* of the kernel's own, before an answer */

static bool tun_is_open;

/* ---- Netlink: netlink(7), rtnetlink(7) ------------------------------------------- */

struct message {
	struct nlmsghdr head;
	char body[512];
};

static void start(struct message *m, uint16_t type, uint16_t flags,
		  const void *body, uint32_t len)
{
	m->head = (struct nlmsghdr){ .nlmsg_len = NLMSG_LENGTH(len),
				     .nlmsg_type = type,
				     .nlmsg_flags = flags | NLM_F_REQUEST };
	memset(m->body, 0, sizeof(m->body));
	memcpy(m->body, body, len);
}

static void attribute(struct message *m, uint16_t type, const void *value,
		      uint32_t len)
{
	uint32_t at = NLMSG_ALIGN(m->head.nlmsg_len);
	struct nlattr a = { .nla_len = (uint16_t)(sizeof(a) + len),
			    .nla_type = type };

	if (at + sizeof(a) + len > sizeof(*m))
		return;
	memcpy((char *)m + at, &a, sizeof(a));
	memcpy((char *)m + at + sizeof(a), value, len);
	m->head.nlmsg_len = at + a.nla_len;
}

static void request(const struct message *m)
{
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);

	if (fd < 0)
		return;
	/* Done when it returns; a kernel without IPv6 says no. */
	if (send(fd, m, m->head.nlmsg_len, 0) < 0)
		say("netlink: %s", strerror(errno));
	close(fd);
}

/* ---- The device -------------------------------------------------------------------- */

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

/* No packets of the kernel's own, as far as that can be said. */
static void keep_quiet(void)
{
	write_file("/proc/sys/net/ipv6/conf/" DEVICE "/accept_dad", "0");
	write_file("/proc/sys/net/ipv6/conf/" DEVICE "/router_solicitations",
		   "0");
	write_file("/proc/sys/net/ipv6/conf/" DEVICE "/mldv1_unsolicited_report"
		   "_interval",
		   "0");
}

bool tun_open(void)
{
	struct ifreq ifr = { .ifr_name = DEVICE,
			     .ifr_flags = IFF_TAP | IFF_NO_PI };
	unsigned index;
	int fd;

	if (tun_is_open)
		return true;
	fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return false;
	tun_is_open = !ioctl(fd, TUNSETIFF, &ifr) &&
		      dup3(fd, TUN_FD, O_CLOEXEC) == TUN_FD;
	close(fd);
	index = tun_is_open ? if_nametoindex(DEVICE) : 0;
	if (!index)
		return tun_is_open;
	keep_quiet();
	set_link(index);
	set_address(index, AF_INET, "172.20.20.170", 24);
	set_neighbour(index, AF_INET, "172.20.20.187");
	set_address(index, AF_INET6, "fe80::aa", 64);
	set_neighbour(index, AF_INET6, "fe80::bb");
	return true;
}

void tun_close(void)
{
	if (tun_is_open)
		close(TUN_FD);
	tun_is_open = false;
}

/* syz_emit_ethernet(bytes, packet, fragments): these are for NAPI only */
int64_t pseudo_emit_ethernet(struct pseudo *c)
{
	if (!tun_is_open)
		return -ENODEV;
	return SYS(c, write, TUN_FD, c->args[1], c->args[0]);
}

/* Where TCP is in a packet of `n` bytes, or NULL. */
static const struct tcphdr *find_tcp(const unsigned char *p, size_t n)
{
	size_t at = sizeof(struct ether_header);
	uint16_t type = (uint16_t)(p[12] << 8 | p[13]);
	uint8_t protocol = 0;

	if (type == ETHERTYPE_IP && n > at + sizeof(struct iphdr)) {
		protocol = p[at + 9];
		at += (p[at] & 15) * 4u;
	} else if (type == ETHERTYPE_IPV6 && n > at + sizeof(struct ip6_hdr)) {
		protocol = p[at + 6];
		at += sizeof(struct ip6_hdr);
	}
	return protocol == IPPROTO_TCP && n >= at + sizeof(struct tcphdr) ?
		       (const struct tcphdr *)(const void *)(p + at) :
		       NULL;
}

/* syz_extract_tcp_res(where to put two numbers, what to add to each) */
int64_t pseudo_extract_tcp_res(struct pseudo *c)
{
	unsigned char packet[1600] __attribute__((aligned(4)));
	const struct tcphdr *tcp = NULL;

	if (!tun_is_open)
		return -ENODEV;
	for (int i = 0; i < PACKETS_MAX && !tcp; i++) {
		/* At +2, the headers behind Ethernet's are aligned. */
		int64_t n =
			SYS(c, read, TUN_FD, P(packet + 2), sizeof(packet) - 2);

		if (n < 0)
			return n;
		tcp = find_tcp(packet + 2, (size_t)n);
	}
	if (!tcp)
		return -ENOENT;

	uint32_t out[2] = { htonl(ntohl(tcp->th_seq) + (uint32_t)c->args[1]),
			    htonl(ntohl(tcp->th_ack) + (uint32_t)c->args[2]) };

	return guarded_copy((void *)(uintptr_t)c->args[0], out, sizeof(out)) ?
		       -EFAULT :
		       0;
}

/* ---- Generic netlink: Documentation/userspace-api/netlink/intro.rst ------------------ */

static int64_t family_in(const struct message *m, int64_t len)
{
	uint32_t at = NLMSG_LENGTH(GENL_HDRLEN);

	if (len < (int64_t)sizeof(m->head))
		return -EBADMSG;
	if (m->head.nlmsg_type == NLMSG_ERROR && len >= NLMSG_LENGTH(4)) {
		int32_t err;

		memcpy(&err, m->body, sizeof(err));
		return err < 0 ? err : -EBADMSG;
	}
	while (at + sizeof(struct nlattr) <= (uint64_t)len) {
		struct nlattr a;
		uint16_t id;

		memcpy(&a, (const char *)m + at, sizeof(a));
		if (a.nla_type == CTRL_ATTR_FAMILY_ID &&
		    at + sizeof(a) + sizeof(id) <= (uint64_t)len) {
			memcpy(&id, (const char *)m + at + sizeof(a),
			       sizeof(id));
			return id;
		}
		if (a.nla_len < sizeof(a))
			break;
		at += NLMSG_ALIGN(a.nla_len);
	}
	return -EBADMSG;
}

static int64_t ask_family(struct pseudo *c, uint64_t fd, const char *name)
{
	struct genlmsghdr get = { .cmd = CTRL_CMD_GETFAMILY };
	struct message m;
	int64_t n;

	start(&m, GENL_ID_CTRL, 0, &get, sizeof(get));
	attribute(&m, CTRL_ATTR_FAMILY_NAME, name, (uint32_t)strlen(name) + 1);
	n = SYS(c, sendto, fd, P(&m), m.head.nlmsg_len, 0);
	if (n < 0)
		return n;
	n = SYS(c, recvfrom, fd, P(&m), sizeof(m), MSG_DONTWAIT);
	return n < 0 ? n : family_in(&m, n);
}

/* syz_genetlink_get_family_id(name, socket or -1) */
int64_t pseudo_genetlink_get_family_id(struct pseudo *c)
{
	int64_t own = -1, ret;
	char name[64];

	if (!read_text(name, sizeof(name), c->args[0]))
		return -EFAULT;
	if ((int)c->args[1] == -1) {
		own = SYS(c, socket, AF_NETLINK, SOCK_RAW, NETLINK_GENERIC);
		if (own < 0)
			return own;
	}
	ret = ask_family(c, own >= 0 ? (uint64_t)own : c->args[1], name);
	if (own >= 0)
		SYS(c, close, (uint64_t)own);
	return ret;
}
