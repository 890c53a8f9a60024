/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * wire.h - the host's end of the memory shared with a guest's executor.
 *
 * format.h says what lies where.  The guest's memory is hostile: what the guest
 * wrote is copied once and then checked, and what the host wrote is never read
 * back from there.
 *
 *	_cleanup_(wire_closep) struct wire *w = NULL;
 *	struct wire_request req = { .kind = WIRE_PROGRAM,
 *				    .flags = WIRE_REQ_SIGNAL };
 *	struct wire_result res;
 *
 *	TRY(wire_open(fd, &(struct wire_config){}, &w));
 *	... start the guest on the file ...
 *	TRY(wire_wait_ready(w, 10000));
 *	TRY(wire_submit(w, &req, program, NULL));
 *	TRY(wire_wait(w, 6000, &res));
 *	for (uint32_t i = 0; i < res.ncalls; i++)
 *		use(res.calls[i].err, wire_signals(&res, i));
 *
 * A guest without shared memory is reached over a serial line: wire_receive().
 * One thread at a time.  Several requests may be under way (wire_room).
 */
#ifndef WIRE_WIRE_H
#define WIRE_WIRE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/slice.h"
#include "wire/format.h"

struct wire;

/* Sizes of the region's parts; zero means the default. */
struct wire_config {
	uint32_t slots; /* requests under way; 8 */
	uint32_t req_bytes; /* the largest request; 256 KiB */
	uint32_t resp_bytes; /* the largest response; 1 MiB */
	uint32_t max_slots; /* of the max-signal table; 512 Ki (2 MiB) */
	uint32_t bulk_bytes; /* for files sent to the guest; 4032 KiB */
	uint32_t cover_bytes; /* for QEMU's plugin: WIRE_COVER_BYTES; none */
	enum wire_cover_source cover_source; /* what the executor shall use */
};

#define WIRE_COVER_BYTES (16u << 20) /* 1.8 million blocks in a program */

/** Bytes of the region that `config` makes, for iomem= or the PCI device. */
size_t wire_size(const struct wire_config *config);

/**
 * Make `fd` (a writable file, best a memfd or a private file of mode 0600) a
 * region of wire_size() bytes rounded up to a power of two, as PCI wants it.
 * The descriptor stays the caller's.
 * Errors: ERR_INPUT (sizes out of bounds), ERR_OS.
 */
fallible wire_open(int fd, const struct wire_config *config, struct wire **out);
void wire_close(struct wire *w);
DEFINE_CLEANUP(struct wire *, wire_close)

/** Forget all requests and what the guest wrote: before booting it again. */
void wire_reset(struct wire *w);

/** Remember what a guest said that is ready and got no request yet. */
void wire_snapshot(struct wire *w);

/** As wire_reset(), but for a guest that comes back from that moment. */
void wire_restore(struct wire *w);

/**
 * Put the host's part into the shared memory anew, after a machine restored a
 * guest and with it the memory of that moment.
 */
void wire_refresh(struct wire *w);

/** Bytes of the file. */
size_t wire_file_size(const struct wire *w);

/** Bytes of the area for QEMU's plugin, and where it begins in the file. */
uint32_t wire_cover_area(const struct wire *w, uint32_t *off);

/** A checked copy of what the guest says of itself. */
struct wire_guest wire_guest(const struct wire *w);

/**
 * Wait until the guest serves.  Errors: ERR_TIMEOUT, ERR_INPUT (the executor
 * failed and said why, or is of another version).
 */
fallible wire_wait_ready(struct wire *w, unsigned int timeout_ms);

/** How many more requests can be submitted now. */
uint32_t wire_room(const struct wire *w);

/** Bytes of the largest payload that wire_submit() takes. */
size_t wire_max_payload(const struct wire *w);

/** How many requests were submitted and not yet taken back by wire_poll(). */
uint32_t wire_pending(const struct wire *w);

/**
 * Hand a request to the guest; `number` and `size` are filled in here, and the
 * number is written to `*number` unless it is NULL.
 * Errors: ERR_INPUT (too large, no room, or the guest has long been reading
 * nothing from the serial line).
 */
fallible wire_submit(struct wire *w, const struct wire_request *req,
		     struct slice payload, uint32_t *number);

/* A response: a private copy, valid until the next wire_poll or wire_close. */
struct wire_result {
	struct wire_response head;
	const struct wire_call *calls;
	uint32_t ncalls;
	bool extra; /* calls[ncalls] is there, too: see struct wire_call */
	struct slice bytes; /* the whole response; offsets are within */
};

/**
 * Take the oldest response if there is one (`*got`).  Errors: ERR_INPUT, the
 * guest wrote nonsense and should not be trusted any more.
 */
fallible wire_poll(struct wire *w, struct wire_result *out, bool *got);

/** wire_poll() with waiting.  Errors: ERR_TIMEOUT, ERR_INPUT. */
fallible wire_wait(struct wire *w, unsigned int timeout_ms,
		   struct wire_result *out);

/*
 * What call `i` of the result brought, with `extra` also i == ncalls; the arrays
 * are within the result.
 */
struct wire_u32s {
	const uint32_t *data;
	uint32_t len;
};
struct wire_u64s {
	const uint64_t *data;
	uint32_t len;
};
struct wire_cmps {
	const struct wire_cmp *data;
	uint32_t len;
};
struct wire_u32s wire_signals(const struct wire_result *r, uint32_t i);
struct wire_u64s wire_pcs(const struct wire_result *r, uint32_t i);
struct wire_cmps wire_cmps(const struct wire_result *r, uint32_t i);

/**
 * Tell the guest that these signals are known; returns how many found room.
 * They are dropped for one that reads nothing from the serial line.
 */
size_t wire_max_add(struct wire *w, const uint32_t *signals, size_t n);

/**
 * Copy a file's bytes to the bulk area.  Errors: ERR_INPUT (does not fit, or as
 * with wire_submit()).
 */
fallible wire_bulk_write(struct wire *w, uint32_t off, struct slice bytes);

/*
 * Over a serial line: hand in what came from the guest, and send it what
 * wire_to_send() gives, saying how much was sent.  All else stays the same;
 * that a guest uses the line shows when it says so over it, before its first
 * request.  At most the region's size is kept to be sent.
 */
void wire_receive(struct wire *w, struct slice bytes);
struct slice wire_to_send(const struct wire *w);
void wire_sent(struct wire *w, size_t n);

/** Did the guest choose the line? */
bool wire_is_serial(const struct wire *w);

/** Did the guest take all that was to be sent? */
bool wire_is_idle(const struct wire *w);

/** Ask the guest to power off (a process: to exit) after what it does now. */
void wire_stop(struct wire *w);

/**
 * Check a response that is not shared with anybody: all counts, offsets and
 * alignments.  `bytes` must be aligned to 8.  This is the only reader of what
 * guests say about programs.  Errors: ERR_INPUT.
 */
fallible wire_result_check(struct slice bytes, uint32_t number,
			   struct wire_result *out);

/**
 * Take an instruction with its operands off a program's payload, which is
 * aligned to 8.  False at its end, or when the operands are cut off.
 */
bool wire_insn_next(struct slice *payload, const struct wire_insn **in,
		    struct slice *operands);

/** The name of a pseudo-call, below WIRE_NR_PSEUDO. */
const char *wire_pseudo_name(enum wire_pseudo n);

const char *wire_status_text(uint32_t status);

#endif /* WIRE_WIRE_H */
