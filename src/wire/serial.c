/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * serial.c - the region over a serial line: see the end of format.h.
 *
 * What the guest sends is as hostile as what it writes to shared memory, and
 * ends in the same place: wire_guest and the responses, nothing else.
 */
#include <stddef.h>
#include <string.h>

#include "base/mem.h"
#include "wire/internal.h"

static void put_frame(struct wire *w, uint32_t off, const void *bytes,
		      uint32_t len)
{
	const struct wire_frame f = wire_frame_of(off, bytes, len);

	buf_add(&w->out, &f, sizeof(f));
	buf_add(&w->out, bytes, len);
}

/*
 * Requests under way, the table and the bulk area are parts of the region, so
 * who reads at all never has as much to come.
 */
bool serial_has_room(const struct wire *w, size_t len)
{
	return !w->serial.on ||
	       w->out.len - w->out_at + len <= w->host.total_size;
}

uint32_t serial_end(const struct wire *w)
{
	return w->serial.sent + (uint32_t)(w->out.len - w->out_at);
}

void serial_put(struct wire *w, uint32_t off, uint32_t len)
{
	while (w->serial.on && len) {
		uint32_t n = MIN(len, WIRE_FRAME_MAX);

		put_frame(w, off, w->map + off, n);
		off += n;
		len -= n;
	}
}

void serial_put_signals(struct wire *w, const uint32_t *signals, size_t n)
{
	/* A signal that does not arrive is reported again: harmless. */
	while (w->serial.on && n && serial_has_room(w, n * sizeof(*signals))) {
		size_t some = MIN(n, (size_t)WIRE_FRAME_MAX / sizeof(*signals));

		put_frame(w, w->host.max_off, signals,
			  (uint32_t)(some * sizeof(*signals)));
		signals += some;
		n -= some;
	}
}

void serial_put_table(struct wire *w)
{
	uint32_t some[1024], n = 0;

	for (uint32_t i = 0; i < w->host.max_slots; i++) {
		if (!w->max[i])
			continue;
		some[n++] = w->max[i];
		if (n == ARRAY_LEN(some)) {
			serial_put_signals(w, some, n);
			n = 0;
		}
	}
	serial_put_signals(w, some, n);
}

void serial_reset(struct wire *w)
{
	w->serial = (struct serial){};
	w->in.len = w->out.len = w->out_at = 0;
}

/* ---- From the guest -------------------------------------------------------- */

static uint32_t guest_field(const struct wire *w, size_t field)
{
	const void *at = w->map + WIRE_GUEST_OFF + field;

	return __atomic_load_n((const uint32_t *)at, __ATOMIC_ACQUIRE);
}

/* Within wire_guest or the responses? */
static bool may_write(const struct wire *w, const struct wire_frame *f)
{
	const struct wire_host *h = &w->host;
	uint64_t end = (uint64_t)f->off + f->len;

	if (f->off < h->resp_off)
		return f->off >= WIRE_GUEST_OFF &&
		       end <= WIRE_GUEST_OFF + sizeof(struct wire_guest);
	return end <= h->resp_off + (uint64_t)h->slots * h->resp_size;
}

/*
 * The first frame; who has shared memory needs no line, and who got a request
 * there cannot change its mind.
 */
static bool begins(const struct wire *w, const struct wire_frame *f)
{
	return !w->serial.never && f->off == WIRE_GUEST_OFF &&
	       f->len == sizeof(struct wire_guest) &&
	       guest_field(w, offsetof(struct wire_guest, state)) ==
		       WIRE_STATE_NONE;
}

/* A guest without the header asks for it, perhaps more than once. */
static void greet(struct wire *w, bool first)
{
	if (!first && w->out.len)
		return; /* it is on its way */
	put_frame(w, 0, &w->host, sizeof(w->host));
	if (first)
		serial_put_table(w);
}

static void got_frame(struct wire *w, const struct wire_frame *f,
		      const char *bytes)
{
	bool first = !w->serial.on;
	uint32_t read;

	if (!may_write(w, f) || (first && !begins(w, f)))
		return;
	w->serial.on = true;
	memcpy(w->map + f->off, bytes, f->len);
	if (f->off >= w->host.resp_off)
		return;
	if (f->len == sizeof(struct wire_guest) &&
	    guest_field(w, offsetof(struct wire_guest, state)) ==
		    WIRE_STATE_NONE)
		greet(w, first);
	read = guest_field(w, offsetof(struct wire_guest, serial_read));
	/* It cannot have taken more than was sent. */
	if (read - w->serial.acked <= w->serial.sent - w->serial.acked)
		w->serial.acked = read;
}

void wire_receive(struct wire *w, struct slice bytes)
{
	enum wire_frame_is is = WIRE_FRAME_NOISE;
	size_t at = 0;

	buf_add(&w->in, bytes.p, bytes.len);
	while (at < w->in.len && is != WIRE_FRAME_PARTIAL) {
		struct wire_frame f;
		uint32_t skip;
		char *p = w->in.data + at;

		is = wire_frame_look((unsigned char *)p,
				     (uint32_t)MIN(w->in.len - at,
						   (size_t)UINT32_MAX),
				     &f, &skip);
		if (is == WIRE_FRAME_WHOLE)
			got_frame(w, &f, p + sizeof(f));
		if (is != WIRE_FRAME_PARTIAL)
			at += skip;
	}
	buf_consume(&w->in, at);
}

/* ---- To the guest ---------------------------------------------------------- */

struct slice wire_to_send(const struct wire *w)
{
	uint32_t under_way = w->serial.sent - w->serial.acked;
	size_t room = under_way < WIRE_SERIAL_WINDOW ?
			      WIRE_SERIAL_WINDOW - under_way :
			      0;

	if (!w->out.len)
		return (struct slice){};
	return (struct slice){ w->out.data + w->out_at,
			       MIN(w->out.len - w->out_at, room) };
}

void wire_sent(struct wire *w, size_t n)
{
	w->serial.sent += (uint32_t)n;
	w->out_at += n;
	/* Moving the rest once per half of it keeps that linear. */
	if (w->out_at == w->out.len || w->out_at > w->out.len / 2) {
		buf_consume(&w->out, w->out_at);
		w->out_at = 0;
	}
}

bool wire_is_idle(const struct wire *w)
{
	return !w->out.len && w->serial.sent == w->serial.acked;
}

bool wire_is_serial(const struct wire *w)
{
	return w->serial.on;
}
