/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "wire/wire.h"

static const struct wire_config small = { .slots = 2,
					  .req_bytes = 4096,
					  .resp_bytes = 8192,
					  .max_slots = 1024,
					  .bulk_bytes = 4096 };

/* A region with both ends: `g` is the guest's view of the same file. */
struct pair {
	int fd;
	struct wire *w;
	unsigned char *g;
	struct wire_host *host;
	struct wire_guest *guest;
};

static struct pair pair_open(void)
{
	struct pair p = { .fd = memfd_create("wire", 0) };

	assert_null(wire_open(p.fd, &small, &p.w));
	p.g = mmap(NULL, wire_file_size(p.w), PROT_READ | PROT_WRITE,
		   MAP_SHARED, p.fd, 0);
	assert_true(p.g != MAP_FAILED);
	p.host = (struct wire_host *)p.g;
	p.guest = (struct wire_guest *)(p.g + WIRE_GUEST_OFF);
	return p;
}

static void pair_close(struct pair *p)
{
	munmap(p->g, wire_file_size(p->w));
	wire_close(p->w);
	close(p->fd);
}

static struct wire_response *slot(struct pair *p, uint32_t n)
{
	return (void *)(p->g + p->host->resp_off + n % 2 * p->host->resp_size);
}

static void expect_error(struct error *err, enum error_kind kind,
			 const char *part)
{
	assert_non_null(err);
	if (error_kind(err) != kind || !strstr(error_message(err), part))
		fail_msg("'%s' lacks '%s'", error_message(err), part);
	error_free(err);
}

static void layout_is_disjoint(void **state)
{
	struct pair p = pair_open();
	const struct wire_host *h = p.host;

	assert_int_equal(h->magic, WIRE_MAGIC);
	assert_int_equal(h->req_off, 2 * WIRE_PAGE);
	assert_int_equal(h->resp_off, h->req_off + 2 * h->req_size);
	assert_int_equal(h->max_off, h->resp_off + 2 * h->resp_size);
	assert_int_equal(h->bulk_off, h->max_off + 4096);
	assert_int_equal(h->total_size, h->bulk_off + 4096);
	assert_true(wire_file_size(p.w) >= h->total_size);
	assert_int_equal(wire_file_size(p.w) & (wire_file_size(p.w) - 1), 0);
	pair_close(&p);
	assert_int_equal(wire_size(&(struct wire_config){ .slots = 3 }), 0);
	assert_int_equal(
		wire_size(&(struct wire_config){ .resp_bytes = 1u << 31 }), 0);
}

static void requests_and_responses(void **state)
{
	struct pair p = pair_open();
	struct wire_request req = { .kind = WIRE_NOP };
	struct wire_result r;
	uint32_t number;
	bool got;

	for (uint32_t n = 0; n < 5; n++) {
		assert_null(wire_submit(p.w, &req, SLICE("abc"), &number));
		assert_int_equal(number, n);
		assert_int_equal(p.host->submitted, n + 1);
		const struct wire_request *q =
			(void *)(p.g + p.host->req_off +
				 n % 2 * p.host->req_size);
		assert_int_equal(q->number, n);
		assert_int_equal(q->size, 3);
		assert_memory_equal(q + 1, "abc", 3);
		assert_null(wire_poll(p.w, &r, &got));
		assert_false(got);
		*slot(&p, n) = (struct wire_response){ .number = n,
						       .size = 64,
						       .status = WIRE_EXITED,
						       .code = 5 };
		p.guest->completed = n + 1;
		assert_null(wire_poll(p.w, &r, &got));
		assert_true(got);
		assert_int_equal(r.head.code, 5);
		assert_int_equal(wire_pending(p.w), 0);
	}
	assert_null(wire_submit(p.w, &req, SLICE(""), NULL));
	assert_null(wire_submit(p.w, &req, SLICE(""), NULL));
	assert_int_equal(wire_room(p.w), 0);
	expect_error(wire_submit(p.w, &req, SLICE(""), NULL), ERR_INPUT,
		     "too many");
	expect_error(wire_wait(p.w, 1, &r), ERR_TIMEOUT, "no response");
	wire_reset(p.w);
	assert_int_equal(wire_room(p.w), 2);
	assert_int_equal(p.host->submitted, 0);
	static char big[4096];
	expect_error(wire_submit(p.w, &req,
				 (struct slice){ big, 4096 - 64 + 1 }, NULL),
		     ERR_INPUT, "too large");
	expect_error(wire_bulk_write(p.w, 1, (struct slice){ big, 4096 }),
		     ERR_INPUT, "do not fit");
	assert_null(wire_bulk_write(p.w, 0, (struct slice){ big, 4096 }));
	pair_close(&p);
}

static void a_lying_guest_is_caught(void **state)
{
	struct pair p = pair_open();
	struct wire_request req = { .kind = WIRE_NOP };
	struct wire_response *s = slot(&p, 0);
	struct wire_call *c = (struct wire_call *)(s + 1);
	struct wire_result r;
	bool got;

	assert_null(wire_submit(p.w, &req, SLICE(""), NULL));
	p.guest->completed = 2;
	expect_error(wire_poll(p.w, &r, &got), ERR_INPUT, "answered 2");
	p.guest->completed = UINT32_MAX;
	expect_error(wire_poll(p.w, &r, &got), ERR_INPUT, "answered");
	p.guest->completed = 1;
	expect_error(wire_poll(p.w, &r, &got), ERR_INPUT, "of 0 bytes");
	*s = (struct wire_response){ .size = 8193 };
	expect_error(wire_poll(p.w, &r, &got), ERR_INPUT, "8193");
	*s = (struct wire_response){ .size = 64, .number = 1 };
	expect_error(wire_poll(p.w, &r, &got), ERR_INPUT, "garbled");
	*s = (struct wire_response){ .size = 64, .ncalls = 1 };
	expect_error(wire_poll(p.w, &r, &got), ERR_INPUT, "lacks calls");
	*s = (struct wire_response){ .size = 64 + 48 + 8, .ncalls = 1 };
	*c = (struct wire_call){ .nsignals = 3, .signals_off = 112 };
	expect_error(wire_poll(p.w, &r, &got), ERR_INPUT, "out of bounds");
	*c = (struct wire_call){ .nsignals = 2, .signals_off = 108 };
	expect_error(wire_poll(p.w, &r, &got), ERR_INPUT, "out of bounds");
	*c = (struct wire_call){ .npcs = 1, .pcs_off = 113 };
	expect_error(wire_poll(p.w, &r, &got), ERR_INPUT, "out of bounds");
	*c = (struct wire_call){ .npcs = 0x20000001, .pcs_off = 112 };
	expect_error(wire_poll(p.w, &r, &got), ERR_INPUT, "out of bounds");
	*c = (struct wire_call){ .ncmps = 1, .cmps_off = UINT32_MAX - 7 };
	expect_error(wire_poll(p.w, &r, &got), ERR_INPUT, "out of bounds");
	*c = (struct wire_call){ .nsignals = 2, .signals_off = 112 };
	assert_null(wire_poll(p.w, &r, &got));
	assert_true(got);
	assert_int_equal(wire_signals(&r, 0).len, 2);
	/* A copy: what the guest does now is too late. */
	c->nsignals = 1 << 30;
	assert_int_equal(r.calls[0].nsignals, 2);
	pair_close(&p);
}

/* A record more than calls: what the kernel's threads did. */
static void extra_coverage(void **state)
{
	struct {
		struct wire_response head;
		struct wire_call calls[2];
		uint64_t pcs[3];
	} r = { .head = { .size = sizeof(r),
			  .ncalls = 1,
			  .flags = WIRE_RESP_EXTRA },
		.calls = { [1] = { .npcs = 3,
				   .pcs_off = offsetof(typeof(r), pcs) } },
		.pcs = { 1, 2, 3 } };
	struct slice bytes = { (char *)&r, sizeof(r) };
	struct wire_result out;

	assert_null(wire_result_check(bytes, 0, &out));
	assert_int_equal(out.ncalls, 1);
	assert_true(out.extra);
	assert_int_equal(wire_pcs(&out, 1).len, 3);
	assert_int_equal(wire_pcs(&out, 1).data[2], 3);
	/* Within its own record, or out of bounds. */
	r.calls[1].pcs_off = offsetof(typeof(r), calls[1]);
	expect_error(wire_result_check(bytes, 0, &out), ERR_INPUT,
		     "out of bounds");
	r.calls[1].pcs_off = offsetof(typeof(r), pcs[1]);
	expect_error(wire_result_check(bytes, 0, &out), ERR_INPUT,
		     "out of bounds");
	r.head.size = bytes.len = offsetof(typeof(r), calls[1]);
	expect_error(wire_result_check(bytes, 0, &out), ERR_INPUT, "lacks");
}

/* Two calls with one array: a response would grow 512-fold in our memory. */
static void arrays_are_not_shared(void **state)
{
	struct {
		struct wire_response head;
		struct wire_call calls[2];
		uint64_t pcs[4];
	} r = { .head = { .size = sizeof(r), .ncalls = 2 } };
	struct slice bytes = { (char *)&r, sizeof(r) };
	uint32_t off = offsetof(typeof(r), pcs);
	struct wire_result out;

	r.calls[0] = (struct wire_call){ .npcs = 2, .pcs_off = off };
	r.calls[1] = (struct wire_call){ .npcs = 2, .pcs_off = off + 16 };
	assert_null(wire_result_check(bytes, 0, &out));
	r.calls[0].npcs = 3;
	expect_error(wire_result_check(bytes, 0, &out), ERR_INPUT, "share");
	r.calls[0].npcs = 2;
	r.calls[1] = (struct wire_call){ .nsignals = 5, .signals_off = off };
	expect_error(wire_result_check(bytes, 0, &out), ERR_INPUT, "share");
	r.calls[1] = (struct wire_call){ .ncmps = 1, .cmps_off = off };
	expect_error(wire_result_check(bytes, 0, &out), ERR_INPUT, "share");
}

static void guest_says_how_it_is(void **state)
{
	struct pair p = pair_open();

	expect_error(wire_wait_ready(p.w, 1), ERR_TIMEOUT, "no sign");
	memset(p.guest, 0xff, sizeof(*p.guest));
	assert_int_equal(strlen(wire_guest(p.w).message), 127);
	assert_int_equal(wire_guest(p.w).message[0], '?');
	expect_error(wire_wait_ready(p.w, 1), ERR_INPUT, "version");
	*p.guest = (struct wire_guest){ .magic = WIRE_MAGIC,
					.version = WIRE_VERSION,
					.state = WIRE_STATE_BOOTING };
	expect_error(wire_wait_ready(p.w, 1), ERR_TIMEOUT, "not ready");
	p.guest->state = WIRE_STATE_FAILED;
	memcpy(p.guest->message, "no memory", 10);
	expect_error(wire_wait_ready(p.w, 1), ERR_INPUT, "no memory");
	p.guest->state = WIRE_STATE_READY;
	assert_null(wire_wait_ready(p.w, 1));
	pair_close(&p);
}

/* The table survives a guest that overwrites it, once it is booted again. */
static void max_signals(void **state)
{
	struct pair p = pair_open();
	const uint32_t *table = (void *)(p.g + p.host->max_off);
	uint32_t signals[600];
	size_t placed, known = 0;

	for (uint32_t i = 0; i < 600; i++)
		signals[i] = i * 2654435761u + 1;
	placed = wire_max_add(p.w, signals, 600);
	assert_in_range(placed, 590, 600);
	assert_int_equal(wire_max_add(p.w, signals, 600), placed);
	for (uint32_t i = 0; i < 600; i++)
		known += wire_max_has(table, 1024, signals[i]) ? 1 : 0;
	assert_int_equal(known, placed);
	assert_false(wire_max_has(table, 1024, 0x12345678));
	assert_false(wire_max_has(table, 0, signals[0]));
	memset(p.g, 0xee, wire_file_size(p.w));
	wire_reset(p.w);
	assert_int_equal(p.host->magic, WIRE_MAGIC);
	assert_true(wire_max_has(table, 1024, signals[0]));
	assert_int_equal(wire_max_add(p.w, (uint32_t[]){ 0 }, 1), 0);
	pair_close(&p);
}

static void edges(void **state)
{
	assert_int_not_equal(wire_edge(1, 2), wire_edge(2, 1));
	assert_int_not_equal(wire_edge(0, 5), wire_edge(4, 5));
	assert_int_not_equal(wire_edge(7, wire_hash32(7)), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(layout_is_disjoint),
		cmocka_unit_test(requests_and_responses),
		cmocka_unit_test(a_lying_guest_is_caught),
		cmocka_unit_test(extra_coverage),
		cmocka_unit_test(arrays_are_not_shared),
		cmocka_unit_test(guest_says_how_it_is),
		cmocka_unit_test(max_signals),
		cmocka_unit_test(edges),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
