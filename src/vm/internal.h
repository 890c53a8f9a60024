/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * internal.h - what the machines share: struct vm and the ops table.
 *
 * A machine that is a process (UML, QEMU) sets proc, con_fd and msg_fd in its
 * start(); waiting, reading and death are then done in vm.c and wait.c.  A
 * machine without a process (fake.c) has wait() instead.
 */
#ifndef VM_INTERNAL_H
#define VM_INTERNAL_H

#include "base/process.h"
#include "vm/console.h"
#include "vm/vm.h"

struct vm_ops {
	const char *name;
	unsigned boot_timeout_ms; /* default; on an idle machine */
	unsigned usual_boot_ms; /* of the kernels in shared/kernel, idle */
	fallible (*open)(struct vm *vm); /* check what start() needs */
	fallible (*start)(struct vm *vm);
	void (*stop)(struct vm *vm); /* beyond killing the process */
	void (*close)(struct vm *vm);
	/* Only without a process: vm_poll() and vm_send(). */
	fallible (*wait)(struct vm *vm, unsigned timeout_ms, unsigned *events);
	fallible (*send)(struct vm *vm, struct slice data);
	uint64_t (*now_ms)(const struct vm *vm);
	/* Optional. */
	fallible (*diagnose)(struct vm *vm, struct buf *out);
	fallible (*snapshot)(struct vm *vm);
	/* More about why a boot failed; appends a phrase or nothing. */
	void (*explain)(struct vm *vm, struct buf *why);
};

struct vm {
	struct vm_config cfg;
	const struct vm_ops *ops;
	struct vm_kernel kernel;
	struct vm_death death;
	struct console console;
	struct buf inbox;
	struct process proc;
	int con_fd, msg_fd, err_fd; /* ours: console, messages, stderr */
	struct buf errors; /* the machine's own complaints, bounded */
	int initrd_fd;
	int kernel_fd; /* the kernel unpacked, or -1: cfg.kernel */
	int shm_fd;
	void *shm;
	size_t shm_bytes;
	uint64_t started_ms,
		output_ms; /* monotonic: start, last sign of life */
	bool ready; /* a splat before does not end it, and is no program's */
	uint64_t ready_at; /* where the console was then */
	bool restored; /* this run came from a snapshot; start() sets it */
	unsigned boot_ms;
	unsigned boot_slowdown; /* percent, from the last boot's duration */
	char machine[64];
	void *impl;
};

extern const struct vm_ops vm_uml_ops, vm_qemu_ops, vm_fake_ops;

/** Milliseconds of CLOCK_MONOTONIC, or of the fake machine's clock. */
uint64_t vm_now_ms(const struct vm *vm);

/** `ms` of an idle machine on this one: times the slowdown, up to 20 times. */
unsigned vm_scaled(const struct vm *vm, unsigned ms);

/** Record why the guest is dead; the first reason stays. */
void vm_set_death(struct vm *vm, enum vm_death_kind kind, const char *fmt, ...)
	PRINTF(3, 4);

/** The crash that ended the guest: before it was ready, only a panic; or NULL. */
const struct vm_crash *vm_fatal_crash(const struct vm *vm);

/** Text and messages arriving; the bounds are kept here. */
void vm_got_console(struct vm *vm, struct slice text);
void vm_got_message(struct vm *vm, struct slice data);

/** wait.c: poll the descriptors of a machine that is a process. */
fallible vm_wait_process(struct vm *vm, unsigned timeout_ms, unsigned *events);

/** wait.c: what the passing of time means: silence, a report's end. */
void vm_check_time(struct vm *vm);

/** wait.c: how long to sleep until the next vm_check_time(), at most. */
int vm_sleep_ms(const struct vm *vm, unsigned timeout_ms);

/** wait.c: the machine ended as vm->proc says; make that a death. */
void vm_process_death(struct vm *vm);

/** wait.c: write to the message channel without blocking for long. */
fallible vm_send_fd(struct vm *vm, struct slice data);

/** A connected pair: ours non-blocking, both close-on-exec. */
fallible vm_channel(int *ours, int *theirs);

/** unpack.c: an EFI zboot image's kernel in a memfd; *fd = -1: as it is. */
fallible vm_kernel_unpack(const char *path, int *fd);

/** unpack.c: the first bytes of what a gzip file holds; how many. */
size_t vm_gunzip_head(struct slice packed, char *out, size_t size);

/** boot_why.c: one phrase on why this guest did not get ready. */
void vm_explain_boot(struct vm *vm, bool timed_out, struct buf *why);

#endif /* VM_INTERNAL_H */
