/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pseudo_net.c - packets through a tap device (Documentation/networking/tuntap),
 * and numbers of generic netlink families.
 *
 * How they are done is shared with C programs that "bugon prog c" prints.
 */
#include <errno.h>
#include <linux/netlink.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "pseudo.h"

#include "prog/helpers/netlink.c"

#include "prog/helpers/family_id.c"
#include "prog/helpers/find_tcp.c"
#include "prog/helpers/tun.c"

#define PACKETS_MAX 64 /* of the kernel's own, before an answer */

static bool tun_is_open;

/* ---- The device -------------------------------------------------------------------- */

bool tun_open(void)
{
	tun_is_open = tun_is_open || open_tun();
	return tun_is_open;
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

/* ---- Generic netlink --------------------------------------------------------------- */

static int64_t family_id(struct pseudo *c, uint64_t fd, const char *name)
{
	struct message m;
	int64_t n;

	ask_family(&m, name);
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
	ret = family_id(c, own >= 0 ? (uint64_t)own : c->args[1], name);
	if (own >= 0)
		SYS(c, close, (uint64_t)own);
	return ret;
}
