/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fuzz_vm.h - one of the machines of "bugon fuzz": it runs jobs of the loop. */
#ifndef CMD_FUZZ_VM_H
#define CMD_FUZZ_VM_H

#include "fuzz/fuzz.h"
#include "guest/guest.h"

struct fuzz_vm;

enum fuzz_vm_event {
	FUZZ_VM_IDLE, /* nothing happened: all is under way */
	FUZZ_VM_BUSY, /* answers came */
	FUZZ_VM_CRASHED, /* look at it, then fuzz_vm_restart() */
	FUZZ_VM_DIED, /* the machine ended without a crash report */
	FUZZ_VM_HANGS, /* no answer for long */
};

/** `cfg` is borrowed.  Errors: those of guest_open(). */
fallible fuzz_vm_open(const struct vm_config *cfg,
		      const struct guest_cover *cover, unsigned index,
		      struct fuzz *f, struct fuzz_vm **out);

/** Jobs under way are given up: close it before the loop. */
void fuzz_vm_close(struct fuzz_vm *v);
DEFINE_CLEANUP(struct fuzz_vm *, fuzz_vm_close)

/**
 * Boot, from the snapshot when there is one.  What was under way is lost; what
 * only waited is done again.  Errors: those of guest_start().
 */
fallible fuzz_vm_restart(struct fuzz_vm *v);

/**
 * Hand out jobs, take answers; waits at most `wait_ms`.
 * Errors: ERR_INFRA, ERR_CANCELLED.
 */
fallible fuzz_vm_step(struct fuzz_vm *v, unsigned wait_ms,
		      enum fuzz_vm_event *event);

struct guest *fuzz_vm_guest(struct fuzz_vm *v);

/** The program that runs now, or ran last; NULL: none. */
const struct prog *fuzz_vm_running(const struct fuzz_vm *v);

/** Append the programs before it, oldest first, each behind a comment. */
void fuzz_vm_history(const struct fuzz_vm *v, struct buf *out);

#endif /* CMD_FUZZ_VM_H */
