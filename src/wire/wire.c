/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "wire/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"

/* Longest pause while waiting; see format.h about spinning. */
#define PAUSE_MAX_NS 1000000
#define PAUSE_MIN_NS 50000
#define SPINS 200

static uint32_t page_up(uint32_t n)
{
	return (n + WIRE_PAGE - 1) & ~(WIRE_PAGE - 1);
}

static bool power_of_two(uint32_t n)
{
	return n && !(n & (n - 1));
}

/* Where the parts lie; false when the sizes are out of bounds. */
static bool layout(const struct wire_config *c, struct wire_host *h)
{
	uint32_t slots = c->slots ? c->slots : 8;
	uint32_t req = c->req_bytes ? c->req_bytes : 256 << 10;
	uint32_t resp = c->resp_bytes ? c->resp_bytes : 1 << 20;
	uint32_t max = c->max_slots ? c->max_slots : 512 << 10;
	/* The defaults make 16 MiB together. */
	uint32_t bulk = c->bulk_bytes ? c->bulk_bytes : 4032 << 10;
	uint64_t off = 2 * WIRE_PAGE;

	if (!power_of_two(slots) || slots > WIRE_MAX_SLOTS ||
	    !power_of_two(max) || req > WIRE_MAX_REGION / 2 ||
	    resp > WIRE_MAX_REGION / 2 || max > WIRE_MAX_REGION / 8 ||
	    bulk > WIRE_MAX_REGION / 2 ||
	    c->cover_bytes > WIRE_MAX_REGION / 2 ||
	    (c->cover_bytes && c->cover_bytes < WIRE_COVER_MIN))
		return false;
	*h = (struct wire_host){
		.magic = WIRE_MAGIC,
		.version = WIRE_VERSION,
		.host_size = sizeof(struct wire_host),
		.guest_size = sizeof(struct wire_guest),
		.slots = slots,
		.req_size = page_up(req),
		.resp_size = page_up(resp),
		.max_slots = max,
		.bulk_size = page_up(bulk),
	};
	h->req_off = (uint32_t)off;
	off += (uint64_t)slots * h->req_size;
	h->resp_off = (uint32_t)off;
	off += (uint64_t)slots * h->resp_size;
	h->max_off = (uint32_t)off;
	off += page_up(max * 4);
	h->bulk_off = (uint32_t)off;
	off += h->bulk_size;
	if (c->cover_bytes) {
		h->cover_off = (uint32_t)off;
		h->cover_size = page_up(c->cover_bytes);
		off += h->cover_size;
	}
	h->cover_source = c->cover_source;
	h->total_size = off;
	return off <= WIRE_MAX_REGION;
}

size_t wire_size(const struct wire_config *config)
{
	struct wire_host h;
	size_t size = WIRE_PAGE;

	if (!layout(config, &h))
		return 0;
	while (size < h.total_size)
		size *= 2;
	return size;
}

fallible wire_open(int fd, const struct wire_config *config, struct wire **out)
{
	size_t size = wire_size(config);
	void *map;

	if (!size)
		return error_new(ERR_INPUT, "shared memory of a wrong size");
	/* Reserve it now: a full tmpfs would be a SIGBUS later. */
	int err = posix_fallocate(fd, 0, (off_t)size);

	if (err) {
		errno = err;
		return error_os("reserving %zu bytes of shared memory", size);
	}
	map = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (map == MAP_FAILED)
		return error_os("mapping %zu bytes of shared memory", size);
	struct wire *w = mem_calloc(1, sizeof(*w));

	w->map = map;
	w->file_size = size;
	if (!layout(config, &w->host))
		abort(); /* wire_size() has seen it */
	w->max = mem_calloc(w->host.max_slots, sizeof(*w->max));
	w->copy = mem_calloc(1, w->host.resp_size);
	wire_reset(w);
	*out = w;
	return NULL;
}

void wire_close(struct wire *w)
{
	if (!w)
		return;
	munmap(w->map, w->file_size);
	free(w->max);
	free(w->copy);
	buf_deinit(&w->in);
	buf_deinit(&w->out);
	free(w);
}

void wire_refresh(struct wire *w)
{
	memcpy(w->map + w->host.max_off, w->max,
	       (size_t)w->host.max_slots * sizeof(*w->max));
	memcpy(w->map, &w->host, sizeof(w->host));
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
}

void wire_reset(struct wire *w)
{
	w->submitted = w->polled = 0;
	memset(w->map + WIRE_GUEST_OFF, 0, sizeof(struct wire_guest));
	serial_reset(w);
	wire_refresh(w);
}

void wire_snapshot(struct wire *w)
{
	w->snapshot_guest = wire_guest(w);
	w->snapshot_serial = w->serial;
}

/*
 * The executor waits for request 0 and has answered none, which is what
 * wire_reset() makes of the memory; only its introduction is missing.
 */
void wire_restore(struct wire *w)
{
	wire_reset(w);
	memcpy(w->map + WIRE_GUEST_OFF, &w->snapshot_guest,
	       sizeof(w->snapshot_guest));
	w->serial = w->snapshot_serial;
	/* Of the table it has what was known then. */
	serial_put_table(w);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
}

size_t wire_file_size(const struct wire *w)
{
	return w->file_size;
}

uint32_t wire_cover_area(const struct wire *w, uint32_t *off)
{
	*off = w->host.cover_off;
	return w->host.cover_size;
}

/* Copy what the guest may be writing: each byte is read once. */
static void copy_shared(void *to, const void *from, size_t len)
{
	memcpy(to, from, len);
	/* From here on the compiler knows nothing of the shared bytes. */
	__asm__ volatile("" ::: "memory");
}

static uint32_t load_guest(const struct wire *w, size_t field)
{
	const void *at = w->map + WIRE_GUEST_OFF + field;

	return __atomic_load_n((const uint32_t *)at, __ATOMIC_ACQUIRE);
}

static void store_host(struct wire *w, size_t field, uint32_t value)
{
	void *at = w->map + field;

	__atomic_store_n((uint32_t *)at, value, __ATOMIC_RELEASE);
	serial_put(w, (uint32_t)field, sizeof(value));
}

struct wire_guest wire_guest(const struct wire *w)
{
	struct wire_guest g;

	copy_shared(&g, w->map + WIRE_GUEST_OFF, sizeof(g));
	g.message[sizeof(g.message) - 1] = '\0';
	for (char *p = g.message; *p; p++)
		if (*p < ' ' || *p > '~')
			*p = '?';
	return g;
}

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

/* One step of waiting; false when the time is up. */
struct wait {
	uint64_t until_ns;
	unsigned int turn;
	long pause_ns;
};

static bool wait_more(struct wait *t)
{
	if (t->turn++ < SPINS) {
		__asm__ volatile("" ::: "memory");
		return true;
	}
	if (now_ns() >= t->until_ns)
		return false;
	t->pause_ns = t->pause_ns ? MIN(t->pause_ns * 2, PAUSE_MAX_NS) :
				    PAUSE_MIN_NS;
	nanosleep(&(struct timespec){ .tv_nsec = t->pause_ns }, NULL);
	return true;
}

static struct wait wait_for(unsigned int timeout_ms)
{
	return (struct wait){
		.until_ns = now_ns() + timeout_ms * UINT64_C(1000000),
	};
}

fallible wire_wait_ready(struct wire *w, unsigned int timeout_ms)
{
	struct wait t = wait_for(timeout_ms);
	struct wire_guest g;

	do {
		uint32_t state =
			load_guest(w, offsetof(struct wire_guest, state));

		if (state == WIRE_STATE_READY || state == WIRE_STATE_FAILED)
			break;
	} while (wait_more(&t));
	g = wire_guest(w);
	if (g.state == WIRE_STATE_NONE)
		return error_new(ERR_TIMEOUT,
				 "no sign of the executor in %u ms",
				 timeout_ms);
	if (g.magic != WIRE_MAGIC || g.version != WIRE_VERSION)
		return error_new(ERR_INPUT,
				 "the executor speaks version %u, we speak %u",
				 g.version, WIRE_VERSION);
	if (g.state == WIRE_STATE_FAILED)
		return error_new(ERR_INPUT, "the executor failed: %s",
				 g.message);
	if (g.state != WIRE_STATE_READY)
		return error_new(ERR_TIMEOUT,
				 "the executor started but was not ready in "
				 "%u ms",
				 timeout_ms);
	return NULL;
}

uint32_t wire_pending(const struct wire *w)
{
	return w->submitted - w->polled;
}

uint32_t wire_room(const struct wire *w)
{
	return w->host.slots - wire_pending(w);
}

size_t wire_max_payload(const struct wire *w)
{
	return w->host.req_size - sizeof(struct wire_request);
}

fallible wire_submit(struct wire *w, const struct wire_request *req,
		     struct slice payload, uint32_t *number)
{
	struct wire_request r = *req;
	uint32_t slot = w->submitted & (w->host.slots - 1);
	unsigned char *at =
		w->map + w->host.req_off + (size_t)slot * w->host.req_size;

	if (!wire_room(w))
		return error_new(ERR_INPUT, "too many requests under way");
	if (payload.len > wire_max_payload(w))
		return error_new(ERR_INPUT,
				 "a request of %zu bytes is too large",
				 payload.len);
	if (!serial_has_room(w, sizeof(r) + payload.len))
		return error_new(
			ERR_INPUT,
			"the guest reads nothing from the serial line");
	r.number = w->submitted;
	r.size = (uint32_t)payload.len;
	memcpy(at, &r, sizeof(r));
	if (payload.len)
		memcpy(at + sizeof(r), payload.p, payload.len);
	serial_put(w, (uint32_t)(at - w->map),
		   (uint32_t)(sizeof(r) + payload.len));
	store_host(w, offsetof(struct wire_host, submitted), ++w->submitted);
	w->serial.never = !w->serial.on;
	w->sent_at[slot] = serial_end(w);
	if (number)
		*number = r.number;
	return NULL;
}

fallible wire_poll(struct wire *w, struct wire_result *out, bool *got)
{
	uint32_t completed =
		load_guest(w, offsetof(struct wire_guest, completed));
	uint32_t slot = w->polled & (w->host.slots - 1);
	const unsigned char *at =
		w->map + w->host.resp_off + (size_t)slot * w->host.resp_size;
	struct wire_response head;

	*got = false;
	if (completed == w->polled)
		return NULL;
	if (completed - w->polled > wire_pending(w))
		return error_new(ERR_INPUT,
				 "the guest answered %u requests, %u were sent",
				 completed, w->submitted);
	if (w->serial.on && (int32_t)(w->serial.sent - w->sent_at[slot]) < 0)
		return error_new(ERR_INPUT,
				 "the guest answered request %u before it was "
				 "sent",
				 w->polled);
	copy_shared(&head, at, sizeof(head));
	if (head.size < sizeof(head) || head.size > w->host.resp_size)
		return error_new(ERR_INPUT, "a response of %u bytes",
				 head.size);
	copy_shared(w->copy, at, head.size);
	/* What was checked is what counts, were it changed meanwhile. */
	memcpy(w->copy, &head, sizeof(head));
	TRY(wire_result_check((struct slice){ (char *)w->copy, head.size },
			      w->polled, out));
	w->polled++;
	*got = true;
	return NULL;
}

fallible wire_wait(struct wire *w, unsigned int timeout_ms,
		   struct wire_result *out)
{
	struct wait t = wait_for(timeout_ms);
	bool got = false;

	do {
		TRY(wire_poll(w, out, &got));
		if (got)
			return NULL;
	} while (wait_more(&t));
	return error_new(ERR_TIMEOUT, "no response in %u ms", timeout_ms);
}

size_t wire_max_add(struct wire *w, const uint32_t *signals, size_t n)
{
	uint32_t *shared = (void *)(w->map + w->host.max_off);
	size_t placed = 0;

	serial_put_signals(w, signals, n);
	for (size_t k = 0; k < n; k++) {
		uint32_t at = wire_hash32(signals[k]);

		for (uint32_t i = 0; signals[k] && i < WIRE_PROBES; i++, at++) {
			uint32_t slot = at & (w->host.max_slots - 1);

			if (w->max[slot] && w->max[slot] != signals[k])
				continue;
			w->max[slot] = signals[k];
			__atomic_store_n(&shared[slot], signals[k],
					 __ATOMIC_RELAXED);
			placed++;
			break;
		}
	}
	return placed;
}

fallible wire_bulk_write(struct wire *w, uint32_t off, struct slice bytes)
{
	if (off > w->host.bulk_size || bytes.len > w->host.bulk_size - off)
		return error_new(ERR_INPUT,
				 "%zu bytes do not fit into the bulk area of "
				 "%u",
				 bytes.len, w->host.bulk_size);
	if (!serial_has_room(w, bytes.len))
		return error_new(
			ERR_INPUT,
			"the guest reads nothing from the serial line");
	if (bytes.len)
		memcpy(w->map + w->host.bulk_off + off, bytes.p, bytes.len);
	serial_put(w, w->host.bulk_off + off, (uint32_t)bytes.len);
	return NULL;
}

void wire_stop(struct wire *w)
{
	store_host(w, offsetof(struct wire_host, stop), 1);
}
