/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * simulate.h - run a WIRE_PROGRAM's payload here, with a kernel that makes
 * things up: call number n returns SIM_RET(n), and what it reads back from
 * memory is SIM_OUT(off).
 *
 * Everything is checked on the way, as the executor does: a payload that makes
 * no sense fails the test.
 */
#ifndef SIMULATE_H
#define SIMULATE_H

#include "wire/wire.h"

#define SIM_RET(n) (0x1000u + (n))
#define SIM_OUT(off) (0x5a000000u + (uint32_t)(off))

struct sim_call {
	uint32_t nr, nargs, fail_nth;
	uint16_t props, rerun;
	uint64_t args[WIRE_MAX_ARGS];
	uint64_t memory; /* digest of all memory that was ever written */
	uint64_t image; /* digest of the image before it, or 0 */
};

struct sim {
	unsigned char *data; /* WIRE_DATA_SIZE bytes */
	unsigned char touched[WIRE_DATA_SIZE / WIRE_PAGE];
	struct sim_call calls[WIRE_MAX_CALLS];
	uint32_t ncalls, ncopyins, nstores, ncopyouts, nsums, nderived;
	uint64_t copied; /* bytes of constant memory */
};

struct sim *sim_new(void);
void sim_free(struct sim *s);

/** Run it, from zeroed memory; NULL, or what is wrong with the payload. */
const char *sim_run(struct sim *s, struct slice wire);

#endif /* SIMULATE_H */
