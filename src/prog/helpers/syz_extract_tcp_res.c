#include <arpa/inet.h>
#include <errno.h>
#include <stdint.h>
#include <unistd.h>

/* The numbers of the next TCP packet that is sent to us, in network order. */
static long syz_extract_tcp_res(void *to, uint32_t add_seq, uint32_t add_ack)
{
	unsigned char packet[1600] __attribute__((aligned(4)));
	const struct tcphdr *tcp = NULL;
	uint32_t *out = to;

	for (int i = 0; i < 64 && !tcp; i++) {
		/* At +2, the headers behind Ethernet's are aligned. */
		ssize_t n = read(TUN_FD, packet + 2, sizeof(packet) - 2);

		if (n < 0)
			return -1;
		tcp = find_tcp(packet + 2, (size_t)n);
	}
	errno = ENOENT;
	if (!tcp)
		return -1;
	out[0] = htonl(ntohl(tcp->th_seq) + add_seq);
	out[1] = htonl(ntohl(tcp->th_ack) + add_ack);
	return 0;
}
