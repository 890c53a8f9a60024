#include <net/ethernet.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/tcp.h>
#include <stddef.h>
#include <stdint.h>

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
