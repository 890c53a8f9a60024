/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Input: what a hostile guest writes over the whole shared region, in front of
 * each poll.  All that the host then reads must be within its private copy.
 */
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

#include "wire/wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct wire *w;
static unsigned char *guest;
static size_t region_size;

static void setup(void)
{
	struct wire_config config = { .slots = 2,
				      .req_bytes = 4096,
				      .resp_bytes = 4096,
				      .max_slots = 1024,
				      .bulk_bytes = 4096,
				      .cover_bytes = WIRE_COVER_MIN };
	int fd = memfd_create("fuzz", 0);

	if (wire_open(fd, &config, &w))
		__builtin_trap();
	region_size = wire_file_size(w);
	guest = mmap(NULL, region_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
		     0);
}

/* Read every byte that the result claims to have: not more than it has. */
static uint64_t use(const struct wire_result *r)
{
	uint64_t sum = 0, bytes = 0;

	for (uint32_t i = 0; i < r->ncalls + r->extra; i++) {
		struct wire_u32s s = wire_signals(r, i);
		struct wire_u64s p = wire_pcs(r, i);
		struct wire_cmps c = wire_cmps(r, i);

		for (uint32_t k = 0; k < s.len; k++)
			sum += s.data[k];
		for (uint32_t k = 0; k < p.len; k++)
			sum += p.data[k];
		for (uint32_t k = 0; k < c.len; k++)
			sum += c.data[k].pc;
		bytes += s.len * sizeof(*s.data) + p.len * sizeof(*p.data) +
			 c.len * sizeof(*c.data) + sizeof(struct wire_call);
	}
	if (bytes + sizeof(r->head) > r->bytes.len)
		__builtin_trap();
	return sum;
}

static void consume(uint64_t sum)
{
	__asm__ volatile("" : : "r"(sum));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct wire_request req = { .kind = WIRE_NOP };
	struct wire_host *host;
	struct wire_result r;
	struct error *err;
	bool got = false;

	if (!w)
		setup();
	wire_reset(w);
	err = wire_submit(w, &req, SLICE(""), NULL);
	if (err)
		__builtin_trap();
	/* Two bytes choose what is hit: the response, or anything. */
	host = (struct wire_host *)guest;
	size_t at = host->resp_off;

	if (size > 2 && data[0] & 1)
		at = (size_t)(data[0] << 8 | data[1]) * 2 % region_size;
	if (size > 2)
		memcpy(guest + at, data + 2,
		       size - 2 < region_size - at ? size - 2 :
						     region_size - at);
	if (!(size && data[0] & 2))
		((struct wire_guest *)(guest + WIRE_GUEST_OFF))->completed = 1;
	err = wire_poll(w, &r, &got);
	if (!err && got)
		consume(use(&r));
	error_free(err);
	struct wire_guest g = wire_guest(w);

	if (strlen(g.message) >= sizeof(g.message))
		__builtin_trap();
	return 0;
}
