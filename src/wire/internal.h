/* SPDX-License-Identifier: GPL-2.0-or-later */
/* internal.h - struct wire, and the serial line's side of it. */
#ifndef WIRE_INTERNAL_H
#define WIRE_INTERNAL_H

#include "base/buf.h"
#include "wire/wire.h"

/* The line, as far as it got. */
struct serial {
	bool on; /* the guest spoke over it */
	bool never; /* it serves by shared memory: too late for the line */
	uint32_t sent, acked; /* bytes to the guest; both wrap */
};

struct wire {
	unsigned char *map;
	size_t file_size;
	struct wire_host host; /* ours; the guest may garble the shared one */
	uint32_t submitted, polled;
	uint32_t sent_at[WIRE_MAX_SLOTS]; /* serial.sent, once it has it */
	uint32_t *max; /* what the max-signal table should hold */
	unsigned char *copy; /* of the latest response */
	struct serial serial;
	struct buf in, out; /* of the line: not understood, to be sent */
	size_t out_at; /* of which was sent */
	/* What was when wire_snapshot() was called. */
	struct serial snapshot_serial;
	struct wire_guest snapshot_guest;
};

/** Will the line take `len` bytes more?  Not from a guest that reads nothing. */
bool serial_has_room(const struct wire *w, size_t len);

/** What serial.sent will be when all is sent that is to be sent now. */
uint32_t serial_end(const struct wire *w);

/** What the host wrote at map + off goes over the line, if that is used. */
void serial_put(struct wire *w, uint32_t off, uint32_t len);

/** The same for signals that were added to the table. */
void serial_put_signals(struct wire *w, const uint32_t *signals, size_t n);

/** All signals of the table, to a guest that has none. */
void serial_put_table(struct wire *w);

/** Forget what was received and is to be sent. */
void serial_reset(struct wire *w);

#endif /* WIRE_INTERNAL_H */
