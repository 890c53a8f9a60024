/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vm.h - a kernel running in a machine, whichever machine it is.
 *
 * Nothing above vm/ knows if the guest is a process (UML), an emulator (QEMU)
 * or a script (the fake one of the tests).  A VM has a console that is only
 * read, a message channel (bytes both ways; a serial port of the guest, which
 * finds its name in the variable bugon_serial of init's environment) and memory
 * shared with the guest.
 *
 *	struct vm_config cfg = VM_CONFIG_DEFAULT;
 *	cfg.kernel = "linux";
 *	cfg.files = files, cfg.nr_files = 1;	// "/init"
 *	_cleanup_(vm_closep) struct vm *vm = NULL;
 *	TRY(vm_open(&cfg, &vm));
 *	TRY(vm_boot(vm));
 *	while (!vm_death(vm)->kind)
 *		TRY(vm_poll(vm, 1000, &events));
 *
 * vm_boot() is also the reset: the machine that ran is killed, a fresh one
 * boots (or is restored, if vm_snapshot() was called).
 *
 * Hygiene: the machine is a child in a process group of its own that dies with
 * the thread that booted it (PR_SET_PDEATHSIG), even by SIGKILL.  Memory,
 * initramfs and channels are anonymous (memfd, socketpair): no file, socket or
 * directory is made, so none is left.
 *
 * Limits: console memory is bounded (VM_HEAD_BYTES + VM_TAIL_BYTES); of a flood
 * the beginning and the end are kept.  At most VM_MAX_CRASHES crashes per boot
 * are listed.  With VM_INBOX_BYTES of unread messages no more are taken from the
 * guest, which then waits.  One thread per VM.
 *
 * Guests are hostile: every byte of console, messages and shared memory is.
 *
 * To add a machine: implement struct vm_ops (vm/internal.h), add it to
 * vm_type and to the table in vm.c.
 */
#ifndef VM_VM_H
#define VM_VM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/slice.h"

enum {
	VM_HEAD_BYTES = 256 * 1024,
	VM_TAIL_BYTES = 2 * 1024 * 1024,
	VM_INBOX_BYTES = 64 * 1024,
	VM_MAX_CRASHES = 16,
};

enum vm_type { VM_AUTO, VM_UML, VM_QEMU, VM_FAKE };
enum vm_accel { VM_ACCEL_AUTO, VM_ACCEL_KVM, VM_ACCEL_TCG };

/* A file for the initramfs: from `host`, or `data` when that is NULL. */
struct vm_file {
	const char *path; /* "/init"; directories above it are made */
	const char *host;
	struct slice data;
	unsigned mode; /* 0755; type bits: 0 or S_IFREG, S_IFDIR */
};

/* What the fake machine does, at a time after its start. */
enum vm_fake_act {
	VM_FAKE_END, /* of the script: nothing more happens */
	VM_FAKE_CONSOLE, /* prints `text` */
	VM_FAKE_MESSAGE, /* sends `text` */
	VM_FAKE_ON_MESSAGE, /* waits until the host sent something */
	VM_FAKE_EXIT, /* ends with status `arg` */
	VM_FAKE_SIGNAL, /* is killed by signal `arg` */
	VM_FAKE_FAIL, /* the machine breaks: ERR_INFRA with `text` */
	VM_FAKE_FLOOD, /* prints `text` `arg` times */
	VM_FAKE_MAYBE, /* skips the next step in `arg` % of the runs */
};

struct vm_fake_step {
	unsigned after_ms; /* since the step before */
	enum vm_fake_act act;
	const char *text;
	unsigned arg;
};

/* Strings and arrays are borrowed: they must live until vm_close(). */
struct vm_config {
	enum vm_type type; /* VM_AUTO: by looking at the kernel file */
	const char *kernel; /* bzImage, vmlinux with PVH note, UML binary */
	const struct vm_file *files;
	size_t nr_files;
	const char *cmdline; /* added to what the machine needs; NULL: none */
	/* vm_boot() waits for this text on console or messages (NULL: not) */
	const char *ready;
	/* ... and for this, asked every few milliseconds; NULL: not */
	bool (*is_ready)(void *ctx);
	void *ready_ctx;
	/* Sees the console as it comes; NULL: nobody does */
	void (*on_console)(void *ctx, struct slice text);
	void *console_ctx;
	unsigned memory_mib, cpus;
	enum vm_accel accel;
	const char *qemu; /* the program; NULL: $BUGON_QEMU or the default */
	/*
	 * Shared memory: a descriptor of the caller's (a memfd), or -1 and the
	 * size of one to make (0: none).  A power of two, as PCI wants it.
	 */
	int shm_fd;
	size_t shm_bytes;
	/* Times on an idle machine; they are multiplied by vm_slowdown(). */
	unsigned boot_timeout_ms; /* 0: a default for the machine */
	unsigned silent_timeout_ms; /* VM_SILENT after it; 0: never */
	int pin_cpu; /* UML: host CPU to run on; -1: take turns */
	const char *extra_args; /* QEMU: more arguments, split at blanks */
	/*
	 * QEMU: a TCG plugin (a file) for this part of the shared memory, told
	 * by its arguments shm=FILE,off=BYTES,size=BYTES.  With it there is no
	 * KVM, and the kernel is where its symbols say.  NULL: none.
	 */
	const char *plugin;
	uint32_t plugin_off, plugin_size;
	const struct vm_fake_step *script;
	uint64_t seed; /* of the fake machine's dice */
};

#define VM_CONFIG_DEFAULT          \
	((struct vm_config){       \
		.memory_mib = 512, \
		.cpus = 1,         \
		.pin_cpu = -1,     \
		.shm_fd = -1,      \
	})

/* Why a guest is of no use any more. */
enum vm_death_kind {
	VM_ALIVE,
	VM_CRASHED, /* a crash on the console; see vm_crashes() */
	VM_SHUTDOWN, /* the guest powered off */
	VM_EXITED, /* the machine ended by itself with `status` or `signal` */
	VM_LOST, /* the machine was killed by somebody else */
	VM_SILENT, /* neither console nor messages for silent_timeout_ms */
};

struct vm_death {
	enum vm_death_kind kind;
	int status; /* of the process, or -1 */
	int signal; /* that ended it, or 0 */
	char why[256]; /* one phrase for people */
};

struct vm_crash {
	char title[160];
	bool suppressed, corrupted, panicked; /* as in struct report */
	uint64_t start, end; /* console stream offsets */
	uint64_t seen_ms; /* after the start of this boot */
};

enum vm_events {
	VM_EV_CONSOLE = 1, /* new console text */
	VM_EV_MESSAGE = 2, /* vm_inbox() is not empty */
	VM_EV_DEATH = 4, /* vm_death() is not VM_ALIVE */
};

struct vm;

/**
 * Look at the kernel file, build the initramfs, make the shared memory.  Does
 * not start anything.  Errors: ERR_NOT_FOUND (kernel, a file, QEMU; the message
 * says what to install), ERR_BOOT (this file cannot be booted, or not with that
 * much memory, and why),
 * ERR_INFRA (memory).
 */
fallible vm_open(const struct vm_config *cfg, struct vm **out);

/**
 * Start afresh and wait for cfg->ready, if any.  Errors: ERR_BOOT with the
 * diagnosis (console: vm_console()), ERR_INFRA if the machine itself is broken.
 */
fallible vm_boot(struct vm *vm);

/**
 * Kill the machine, if it runs.  vm_boot() does so, too; call it before when
 * what is in the shared memory must not be touched by the old guest any more.
 */
void vm_stop(struct vm *vm);

/** Kill and forget everything; never fails, leaves nothing behind. */
void vm_close(struct vm *vm);
DEFINE_CLEANUP(struct vm *, vm_close)

/**
 * Wait at most `timeout_ms` (not scaled) until something happened; *events has
 * VM_EV_ bits, 0 if nothing did.  Once dead, returns at once with VM_EV_DEATH.
 * Errors: ERR_INFRA; a dead guest is an event, not an error.
 */
fallible vm_poll(struct vm *vm, unsigned timeout_ms, unsigned *events);

/** Go on reading the console of a dead or dying guest, at most this long. */
fallible vm_drain(struct vm *vm, unsigned timeout_ms);

const struct vm_death *vm_death(const struct vm *vm);

/** What ran there cannot be trusted any more: VM_LOST, if it is not dead yet. */
void vm_condemn(struct vm *vm, const char *why);

/** The crashes since the guest is ready, in order of appearance. */
const struct vm_crash *vm_crashes(const struct vm *vm, size_t *nr);

/**
 * Those of its start, at most VM_MAX_CRASHES / 2: what ran later is not to
 * blame.  Only a panic or the machine's end keeps a guest from getting ready.
 */
const struct vm_crash *vm_boot_crashes(const struct vm *vm, size_t *nr);

/** The console offset where the text of the start ends. */
uint64_t vm_boot_end(const struct vm *vm);

/**
 * The shared memory, mapped; NULL if none was asked for.  The guest finds it as
 * /dev/mmapper (UML) or BAR 2 of PCI device 1af4:1110 (QEMU).
 */
void *vm_shm(struct vm *vm, size_t *bytes);

/**
 * Ring the guest: `len` bytes (few) to its message UART.
 * Errors: ERR_INFRA when the guest does not take them.
 */
fallible vm_send(struct vm *vm, const void *data, size_t len);

/** Bytes from the guest's message UART that were not consumed. */
struct slice vm_inbox(const struct vm *vm);
void vm_inbox_consume(struct vm *vm, size_t n);

/**
 * Console text of this boot from stream offset `from` on, as far as it was
 * kept; what is missing is said in a line "[N bytes dropped]".  Returns the
 * offset of the end: pass it the next time.
 */
uint64_t vm_console(const struct vm *vm, uint64_t from, struct buf *out);

/** The text around crash `i` of vm_crashes(), kept whatever the console drops afterwards. */
struct slice vm_crash_log(const struct vm *vm, size_t i);

/**
 * Ask a silent guest what it does: registers, stack or the kernel's own state
 * (SysRq, NMI).  Appends text; the guest may be unusable afterwards.
 * Errors: ERR_INFRA when not even the machine answers.
 */
fallible vm_diagnose(struct vm *vm, struct buf *out);

/**
 * Remember the state of the ready guest; later vm_boot()s restore it.  The
 * shared memory is not part of it, and cfg->ready is not waited for after a
 * restore (cfg->is_ready is).  Errors: ERR_NOT_FOUND if the machine
 * cannot (UML boots faster than it would restore), ERR_INFRA.
 */
fallible vm_snapshot(struct vm *vm);

/** How long the last vm_boot() took until ready. */
unsigned vm_boot_ms(const struct vm *vm);

/** "uml", "qemu, tcg", ... */
const char *vm_machine(const struct vm *vm);

/** The process id of the machine, or 0; for tests and diagnostics. */
int vm_pid(const struct vm *vm);

/**
 * How much slower this machine is now than the one the default timeouts were
 * measured on, in percent (at least 100): measured CPU speed and contention.
 */
unsigned vm_slowdown(void);

/* ---- what doctor and auto-detection need ---- */

enum vm_kernel_kind {
	VM_KERNEL_UNKNOWN,
	VM_KERNEL_BZIMAGE, /* x86 */
	VM_KERNEL_VMLINUX, /* x86-64 ELF */
	VM_KERNEL_UML,
	VM_KERNEL_ARM64,
	VM_KERNEL_OTHER, /* recognised, but not bootable here */
};

struct vm_kernel {
	enum vm_kernel_kind kind;
	char version[128]; /* "6.12.117 (...)", or "" */
	char what[160]; /* for people: "x86 bzImage", "text file" */
};

/** Say what a file is. Errors: ERR_NOT_FOUND, ERR_INPUT, ERR_OS. */
fallible vm_kernel_identify(const char *path, struct vm_kernel *out);

struct vm_qemu {
	const char *program;
	unsigned major, minor;
	bool usable;
	char problem[256]; /* if it is not */
};

/** Run `qemu --version`; NULL: $BUGON_QEMU or qemu-system-x86_64. */
void vm_qemu_probe(const char *program, struct vm_qemu *out);

struct vm_kvm {
	bool works, known; /* known: tried, now or earlier */
	char why[256]; /* if not */
};

/**
 * Does a guest run under KVM?  Only booting `kernel` tells; takes at most some
 * seconds, and the verdict is kept in $XDG_CACHE_HOME/bugon until the host
 * reboots or QEMU's file changes; not if all kept silent (see vm/kvm.h).  With kernel NULL only what is known without trying.
 */
void vm_kvm_probe(const char *qemu, const char *kernel, struct vm_kvm *out);

#endif /* VM_VM_H */
