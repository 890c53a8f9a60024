#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct covered {
	const void *bytes;
	size_t length;
};

/* Store the internet checksum (RFC 1071) of the pieces; the last one has no
 * bytes. */
static void checksum(void *to, const struct covered *c)
{
	uint64_t sum = 0;
	uint16_t out;

	for (; c->bytes; c++)
		for (size_t i = 0; i < c->length; i++)
			sum += (uint64_t)((const uint8_t *)c->bytes)[i]
			       << (i & 1) * 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	out = (uint16_t)~sum;
	memcpy(to, &out, sizeof(out));
}
