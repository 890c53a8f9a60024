/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The region over a serial line: wire/serial.c and the frames of format.h. */
#include "unit.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/buf.h"
#include "wire/wire.h"

static const struct wire_config small = { .slots = 2,
					  .req_bytes = 4096,
					  .resp_bytes = 8192,
					  .max_slots = 1024,
					  .bulk_bytes = 8192 };

/* The host's end, and what the guest has made of its frames. */
struct line {
	int fd;
	struct wire *w;
	struct buf in;
	unsigned char *copy;
	struct wire_host host;
	uint32_t read, nframes, nsignals, last_off;
};

static void line_open(struct line *l)
{
	*l = (struct line){ .fd = memfd_create("wire", 0) };
	assert_null(wire_open(l->fd, &small, &l->w));
	l->copy = calloc(1, wire_file_size(l->w));
}

static void line_close(struct line *l)
{
	wire_close(l->w);
	close(l->fd);
	free(l->copy);
	buf_deinit(&l->in);
}

static void put(struct buf *b, uint32_t off, const void *bytes, uint32_t len)
{
	const struct wire_frame f = { WIRE_FRAME_MAGIC, off, len,
				      wire_frame_check(off, len),
				      wire_crc32(bytes, len) };

	buf_add(b, &f, sizeof(f));
	buf_add(b, bytes, len);
}

static void say(struct line *l, uint32_t off, const void *bytes, uint32_t len)
{
	_cleanup_(buf_deinit) struct buf b = {};

	put(&b, off, bytes, len);
	wire_receive(l->w, buf_as_slice(&b));
}

static void say_state(struct line *l, uint32_t state)
{
	const struct wire_guest g = { .magic = WIRE_MAGIC,
				      .version = WIRE_VERSION,
				      .state = state,
				      .serial_read = l->read };

	say(l, WIRE_GUEST_OFF, &g, sizeof(g));
}

/* Take all that the host sends, in the pieces that it allows. */
static void take(struct line *l)
{
	enum wire_frame_is is = WIRE_FRAME_NOISE;
	struct wire_frame f;
	uint32_t skip;

	for (;;) {
		struct slice s = wire_to_send(l->w);

		if (!s.len)
			break;
		assert_in_range(s.len, 1, WIRE_SERIAL_WINDOW);
		buf_slice(&l->in, s);
		l->read += (uint32_t)s.len;
		wire_sent(l->w, s.len);
		say(l,
		    WIRE_GUEST_OFF + offsetof(struct wire_guest, serial_read),
		    &l->read, sizeof(l->read));
	}
	while (l->in.len) {
		is = wire_frame_look((unsigned char *)l->in.data,
				     (uint32_t)l->in.len, &f, &skip);
		assert_int_equal(is, WIRE_FRAME_WHOLE);
		l->nframes++;
		l->last_off = f.off;
		if (l->host.magic && f.off == l->host.max_off)
			l->nsignals += f.len / 4;
		else
			memcpy(l->copy + f.off, l->in.data + sizeof(f), f.len);
		if (!f.off && f.len == sizeof(l->host))
			memcpy(&l->host, l->copy, sizeof(l->host));
		buf_consume(&l->in, skip);
	}
}

static void meet(struct line *l)
{
	assert_false(wire_is_serial(l->w));
	say_state(l, WIRE_STATE_NONE);
	assert_true(wire_is_serial(l->w));
	take(l);
	assert_int_equal(l->host.magic, WIRE_MAGIC);
	say_state(l, WIRE_STATE_READY);
	assert_null(wire_wait_ready(l->w, 0));
}

/* The check value of CRC-32 (Williams, "A painless guide to CRC"). */
static void crc(void **state)
{
	assert_int_equal(wire_crc32("123456789", 9), 0xcbf43926);
	assert_int_equal(wire_crc32("", 0), 0);
}

static void requests_go_and_responses_come(void **state)
{
	static char big[4000];
	struct wire_request req = { .kind = WIRE_NOP };
	struct wire_result r;
	struct line l;
	bool got;

	line_open(&l);
	meet(&l);
	memset(big, 'b', sizeof(big));
	for (uint32_t n = 0; n < 5; n++) {
		uint32_t done = n + 1;
		uint32_t slot = l.host.resp_off + n % 2 * l.host.resp_size;
		struct wire_response resp = { .number = n,
					      .size = sizeof(resp),
					      .code = 7 };
		const struct wire_request *q =
			(void *)(l.copy + l.host.req_off +
				 n % 2 * l.host.req_size);

		assert_null(wire_submit(
			l.w, &req, (struct slice){ big, sizeof(big) }, NULL));
		take(&l);
		/* The counter comes behind what it counts. */
		assert_int_equal(l.last_off,
				 offsetof(struct wire_host, submitted));
		assert_memory_equal(l.copy + offsetof(struct wire_host,
						      submitted),
				    &done, 4);
		assert_int_equal(q->number, n);
		assert_memory_equal(q + 1, big, sizeof(big));
		say(&l, slot, &resp, sizeof(resp));
		assert_null(wire_poll(l.w, &r, &got));
		assert_false(got);
		say(&l, WIRE_GUEST_OFF + offsetof(struct wire_guest, completed),
		    &done, 4);
		assert_null(wire_poll(l.w, &r, &got));
		assert_true(got);
		assert_int_equal(r.head.code, 7);
	}
	assert_true(wire_is_idle(l.w));
	line_close(&l);
}

static void signals_and_files_go_too(void **state)
{
	uint32_t signals[3] = { 5, 6, 7 };
	static char file[8192];
	struct line l;

	line_open(&l);
	/* Known before the guest was there, and after. */
	assert_int_equal(wire_max_add(l.w, signals, 2), 2);
	say_state(&l, WIRE_STATE_NONE);
	take(&l);
	assert_int_equal(l.nsignals, 2);
	assert_int_equal(wire_max_add(l.w, signals + 2, 1), 1);
	memset(file, 'f', sizeof(file));
	assert_null(
		wire_bulk_write(l.w, 0, (struct slice){ file, sizeof(file) }));
	wire_stop(l.w);
	take(&l);
	assert_int_equal(l.nsignals, 3);
	assert_memory_equal(l.copy + l.host.bulk_off, file, sizeof(file));
	assert_int_equal(((struct wire_host *)l.copy)->stop, 1);
	line_close(&l);
}

/* Without answers no more than the window is sent. */
static void window_is_kept(void **state)
{
	static char file[8192];
	size_t sent = 0;
	struct slice s;
	struct line l;

	line_open(&l);
	meet(&l);
	assert_null(
		wire_bulk_write(l.w, 0, (struct slice){ file, sizeof(file) }));
	while ((s = wire_to_send(l.w)).len) {
		sent += 1;
		wire_sent(l.w, 1);
	}
	assert_int_equal(sent, WIRE_SERIAL_WINDOW);
	assert_false(wire_is_idle(l.w));
	/* A guest cannot have read what was not sent. */
	l.read += WIRE_SERIAL_WINDOW + 1;
	say_state(&l, WIRE_STATE_READY);
	assert_int_equal(wire_to_send(l.w).len, 0);
	l.read -= 1;
	say_state(&l, WIRE_STATE_READY);
	assert_true(wire_to_send(l.w).len > 0);
	line_close(&l);
}

/* Noise, damage and frames to where the guest may not write. */
static void noise_is_skipped(void **state)
{
	_cleanup_(buf_deinit) struct buf b = {};
	struct wire_request req = { .kind = WIRE_NOP };
	struct wire_host evil;
	struct line l;
	uint32_t one = 1;
	bool got;

	line_open(&l);
	meet(&l);
	memset(&evil, 0xff, sizeof(evil));
	put(&b, 0, &evil, sizeof(evil));
	put(&b, l.host.req_off, &evil, sizeof(evil));
	put(&b, l.host.bulk_off, &evil, sizeof(evil));
	put(&b, l.host.max_off - 4, &evil, sizeof(evil));
	put(&b, WIRE_GUEST_OFF + 200, &evil, sizeof(evil));
	put(&b, UINT32_MAX - 8, &evil, sizeof(evil));
	buf_str(&b, "login: \x5a\x4e\x60\xb0");
	size_t at = b.len;
	put(&b, WIRE_GUEST_OFF + offsetof(struct wire_guest, completed), &evil,
	    4);
	b.data[at + sizeof(struct wire_frame)] ^= 1;
	put(&b, WIRE_GUEST_OFF + offsetof(struct wire_guest, workers), &one, 4);
	/* By the byte: what is not whole yet is kept. */
	for (size_t i = 0; i < b.len; i++)
		wire_receive(l.w, (struct slice){ b.data + i, 1 });
	assert_int_equal(wire_guest(l.w).workers, 1);
	assert_int_equal(wire_guest(l.w).completed, 0);
	assert_null(wire_submit(l.w, &req, SLICE(""), NULL));
	take(&l);
	assert_int_equal(((struct wire_host *)l.copy)->submitted, 1);
	struct wire_result r;
	assert_null(wire_poll(l.w, &r, &got));
	assert_false(got);
	line_close(&l);
}

/* Who has the memory and talks over the line nevertheless is not heard. */
static void memory_comes_first(void **state)
{
	struct line l;

	line_open(&l);
	struct wire_guest *g = mmap(NULL, WIRE_PAGE, PROT_READ | PROT_WRITE,
				    MAP_SHARED, l.fd, WIRE_GUEST_OFF);
	g->magic = WIRE_MAGIC;
	g->version = WIRE_VERSION;
	g->state = WIRE_STATE_READY;
	say_state(&l, WIRE_STATE_NONE);
	assert_false(wire_is_serial(l.w));
	assert_int_equal(g->state, WIRE_STATE_READY);
	assert_int_equal(wire_to_send(l.w).len, 0);
	munmap(g, WIRE_PAGE);
	line_close(&l);
}

/* It serves, and then undoes its introduction to be asked over the line. */
static void memory_is_not_left(void **state)
{
	struct wire_request req = { .kind = WIRE_NOP };
	struct line l;

	line_open(&l);
	struct wire_guest *g = mmap(NULL, WIRE_PAGE, PROT_READ | PROT_WRITE,
				    MAP_SHARED, l.fd, WIRE_GUEST_OFF);
	assert_null(wire_submit(l.w, &req, SLICE(""), NULL));
	g->state = WIRE_STATE_NONE;
	say_state(&l, WIRE_STATE_NONE);
	assert_false(wire_is_serial(l.w));
	assert_int_equal(wire_to_send(l.w).len, 0);
	/* Another guest may choose anew. */
	wire_reset(l.w);
	say_state(&l, WIRE_STATE_NONE);
	assert_true(wire_is_serial(l.w));
	munmap(g, WIRE_PAGE);
	line_close(&l);
}

static void answer(struct line *l, uint32_t n)
{
	struct wire_response resp = { .number = n, .size = sizeof(resp) };
	uint32_t done = n + 1;

	say(l, l->host.resp_off + n % 2 * l->host.resp_size, &resp,
	    sizeof(resp));
	say(l, WIRE_GUEST_OFF + offsetof(struct wire_guest, completed), &done,
	    4);
}

/* Who answers without reading would have us keep ever more for it. */
static void answers_do_not_come_first(void **state)
{
	struct wire_request req = { .kind = WIRE_NOP };
	static char big[3000];
	struct wire_result r;
	struct line l;
	struct slice s;
	bool got;

	line_open(&l);
	meet(&l);
	assert_null(wire_submit(l.w, &req, (struct slice){ big, sizeof(big) },
				NULL));
	while ((s = wire_to_send(l.w)).len) {
		buf_slice(&l.in, s);
		l.read += (uint32_t)s.len;
		wire_sent(l.w, s.len);
	}
	answer(&l, 0);
	struct error *err = wire_poll(l.w, &r, &got);
	assert_non_null(err);
	assert_int_equal(error_kind(err), ERR_INPUT);
	assert_non_null(strstr(error_message(err), "before it was sent"));
	error_free(err);
	/* Sent is enough: what it read, a guest may say later. */
	say_state(&l, WIRE_STATE_READY);
	while ((s = wire_to_send(l.w)).len)
		wire_sent(l.w, s.len);
	answer(&l, 0);
	assert_null(wire_poll(l.w, &r, &got));
	assert_true(got);
	line_close(&l);
}

/* What a guest that reads nothing makes us keep is bounded. */
static void deaf_guest_is_not_fed(void **state)
{
	struct wire_request req = { .kind = WIRE_NOP };
	uint32_t signals[1000];
	struct line l;

	line_open(&l);
	meet(&l);
	for (uint32_t i = 0; i < ARRAY_LEN(signals); i++)
		signals[i] = i + 1;
	for (int i = 0; i < 1000; i++)
		wire_max_add(l.w, signals, ARRAY_LEN(signals));
	struct error *err = NULL;
	for (int i = 0; i < 100 && !err; i++)
		err = wire_bulk_write(l.w, 0,
				      (struct slice){ (char *)signals, 4000 });
	assert_non_null(err);
	assert_int_equal(error_kind(err), ERR_INPUT);
	error_free(err);
	err = wire_submit(l.w, &req, (struct slice){ (char *)signals, 4000 },
			  NULL);
	assert_non_null(err);
	assert_int_equal(error_kind(err), ERR_INPUT);
	error_free(err);
	take(&l);
	assert_in_range(l.read, l.host.total_size / 2,
			l.host.total_size + 8192);
	/* It was only slow: all goes on. */
	assert_null(wire_submit(l.w, &req, SLICE(""), NULL));
	take(&l);
	assert_int_equal(((struct wire_host *)l.copy)->submitted, 1);
	line_close(&l);
}

static void snapshot_comes_back(void **state)
{
	struct wire_request req = { .kind = WIRE_NOP };
	uint32_t signal = 9;
	struct line l;

	line_open(&l);
	meet(&l);
	wire_snapshot(l.w);
	uint32_t then = l.read;
	assert_null(wire_submit(l.w, &req, SLICE("lost"), NULL));
	assert_int_equal(wire_max_add(l.w, &signal, 1), 1);
	take(&l);
	wire_restore(l.w);
	l.read = then;
	l.nsignals = 0;
	assert_true(wire_is_serial(l.w));
	assert_null(wire_wait_ready(l.w, 0));
	assert_int_equal(wire_room(l.w), 2);
	assert_null(wire_submit(l.w, &req, SLICE("found"), NULL));
	take(&l);
	assert_int_equal(l.nsignals, 1); /* it did not know it then */
	assert_memory_equal(l.copy + l.host.req_off +
				    sizeof(struct wire_request),
			    "found", 5);
	assert_true(wire_is_idle(l.w));
	line_close(&l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(crc),
		cmocka_unit_test(requests_go_and_responses_come),
		cmocka_unit_test(signals_and_files_go_too),
		cmocka_unit_test(window_is_kept),
		cmocka_unit_test(noise_is_skipped),
		cmocka_unit_test(memory_comes_first),
		cmocka_unit_test(memory_is_not_left),
		cmocka_unit_test(answers_do_not_come_first),
		cmocka_unit_test(deaf_guest_is_not_fed),
		cmocka_unit_test(snapshot_comes_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
