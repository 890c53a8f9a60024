/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Input: what a hostile guest sends over the serial line, the first half of it
 * before a request and the rest after.  Meanwhile the host has more to say than
 * the guest may read: what is kept of both directions is bounded.
 */
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

#include "base/buf.h"
#include "wire/internal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct wire *w;

static void put_frame(struct buf *out, uint32_t off, const void *bytes,
		      uint32_t len)
{
	const struct wire_frame f = wire_frame_of(off, bytes, len);

	buf_add(out, &f, sizeof(f));
	buf_add(out, bytes, len);
}

/* Fuzzers do not find checksums: "F", offset, length and bytes make a frame. */
static void frames(const uint8_t *data, size_t size, struct buf *out)
{
	while (size > 5) {
		uint32_t off = (uint32_t)(data[1] | data[2] << 8) << 2;
		uint32_t len = data[3];
		size_t n = len < size - 4 ? len : size - 4;

		if (data[0] != 'F') {
			buf_add(out, data++, 1);
			size--;
			continue;
		}
		put_frame(out, off, data + 4, (uint32_t)n);
		data += 4 + n;
		size -= 4 + n;
	}
	buf_add(out, data, size);
}

static void drain(void)
{
	struct slice s = wire_to_send(w);

	if (s.len > WIRE_SERIAL_WINDOW)
		__builtin_trap();
	wire_sent(w, s.len);
	/* One frame of headroom; twice as much until sent bytes are dropped. */
	if (w->out.len > 2 * (w->host.total_size + WIRE_FRAME_MAX) ||
	    w->in.len > 2 * WIRE_FRAME_MAX || (!w->serial.on && w->out.len))
		__builtin_trap();
}

static void say_much(void)
{
	uint32_t signals[1000];

	for (uint32_t i = 0; i < 1000; i++)
		signals[i] = i + 1;
	for (int i = 0; i < 10; i++)
		wire_max_add(w, signals, 1000);
	drain();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct wire_request req = { .kind = WIRE_NOP };
	struct wire_config config = { .slots = 2,
				      .req_bytes = 4096,
				      .resp_bytes = 4096,
				      .max_slots = 1024,
				      .bulk_bytes = 4096 };
	_cleanup_(buf_deinit) struct buf line = {};
	struct wire_guest hello = { .magic = WIRE_MAGIC };
	struct wire_result r;
	bool got;

	if (!w && wire_open(memfd_create("fuzz", 0), &config, &w))
		__builtin_trap();
	wire_reset(w);
	if (size && data[0] & 1)
		put_frame(&line, WIRE_GUEST_OFF, &hello, sizeof(hello));
	frames(data, size, &line);
	struct slice s = buf_as_slice(&line), half = s;

	half.len /= 2;
	wire_receive(w, half);
	drain();
	if (size && data[0] & 2)
		say_much();
	error_free(wire_submit(w, &req, SLICE("x"), NULL));
	wire_receive(w, slice_from(s, half.len));
	drain();
	error_free(wire_poll(w, &r, &got));
	if (size && data[0] & 2)
		say_much();
	return 0;
}
