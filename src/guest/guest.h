/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * guest.h - a VM with bugon's executor in it: boot, run things, see it die.
 *
 *	TRY(guest_open(&cfg, NULL, &g));
 *	TRY(guest_start(g));
 *	TRY(guest_call(g, &req, payload, 5000, &res, &got));
 *	if (!got)	// the guest died: vm_death(guest_vm(g))
 *
 * The executor is the file "executor" (arm64: "executor-arm64") beside the
 * program (build tree), in ../libexec/bugon (installed), or $BUGON_EXECUTOR
 * ($BUGON_EXECUTOR_ARM64).
 */
#ifndef GUEST_GUEST_H
#define GUEST_GUEST_H

#include "vm/vm.h"
#include "wire/wire.h"

enum { GUEST_MAX_FILES = 16 };

/* How host and executor are joined. */
enum guest_link {
	GUEST_LINK_AUTO, /* shared memory if the guest can, else serial */
	GUEST_LINK_SERIAL, /* the serial line: shared memory is not offered */
};

struct guest;

/* Where the programs' coverage is to come from. */
struct guest_cover {
	enum wire_cover_source source;
	/* Have QEMU's plugin ready: by TCG only, and slower (docs/design) */
	bool plugin;
};

/** Whose system calls a kernel file has; x86-64 when it is none. */
enum wire_arch guest_arch(const char *kernel);

/**
 * Where bugon's executor and QEMU's plugin are, as guest_open() finds them.
 * Errors: ERR_NOT_FOUND; the message says what to do.
 */
fallible guest_find_executor(enum wire_arch arch, char *path, size_t size);
fallible guest_find_plugin(char *path, size_t size);

/**
 * Prepare; /init and the shared memory are added to `cfg`.
 * The plugin is the file "cover-plugin.so", found like the executor, or
 * $BUGON_PLUGIN.  `cover` NULL: KCOV where the kernel has it.
 * Errors: those of vm_open() and wire_open(); ERR_NOT_FOUND for executor
 * and plugin.
 */
fallible guest_open(const struct vm_config *cfg,
		    const struct guest_cover *cover, enum guest_link link,
		    struct guest **out);
void guest_close(struct guest *g);
DEFINE_CLEANUP(struct guest *, guest_close)

/**
 * Boot afresh and wait for the executor.  Errors: those of vm_boot(),
 * ERR_CANCELLED (child_catch_signals()).
 */
fallible guest_start(struct guest *g);

/**
 * Remember the guest that was just started, before any guest_call(): later
 * guest_start()s restore it.  Errors: those of vm_snapshot().
 */
fallible guest_snapshot(struct guest *g);

/** Bytes of the largest payload that a guest takes. */
size_t guest_max_payload(const struct guest *g);

/** How many more requests the guest takes now. */
uint32_t guest_room(const struct guest *g);

/**
 * Have the guest do something after what it was asked before; guest_take()
 * brings the answers in order.  Errors: ERR_INPUT (too large, or no room).
 */
fallible guest_submit(struct guest *g, const struct wire_request *req,
		      struct slice payload);

/**
 * Wait for the next answer, reading the guest's console meanwhile.
 * *got is false when it died, answered nonsense, or not within `timeout_ms`
 * (see vm_death()).  The result lives until the next call.  Errors: ERR_INFRA,
 * ERR_CANCELLED.
 */
fallible guest_take(struct guest *g, unsigned timeout_ms,
		    struct wire_result *res, bool *got);

/** Both: do one thing and wait.  Errors: those of the two. */
fallible guest_call(struct guest *g, const struct wire_request *req,
		    struct slice payload, unsigned timeout_ms,
		    struct wire_result *res, bool *got);

/** Which coverage the guest that was started gives: KCOV, PLUGIN or NONE. */
enum wire_cover_source guest_cover_source(const struct guest *g);

struct vm *guest_vm(struct guest *g);

/** The host's end, for wire_max_add() and wire_guest(). */
struct wire *guest_wire(struct guest *g);

/** What joins us with the guest that runs: "shared memory", "serial line". */
const char *guest_link_name(const struct guest *g);

#endif /* GUEST_GUEST_H */
