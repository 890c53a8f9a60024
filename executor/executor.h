/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * executor.h - the guest's only program: /init of the initramfs, or an ordinary
 * process for tests (`executor --shm FILE`).
 *
 * Two kinds of process:
 *
 *   supervisor  PID 1.  Maps the region, takes requests, starts workers, kills
 *               them in time, cleans up behind them, publishes responses.
 *   worker      runs programs.  By default one per program; with WIRE_REQ_KEEP
 *               it serves requests itself and resets its own state, until a
 *               program did something that cannot be undone (undo.def).
 *
 * Both share `struct shared`, through which the supervisor learns how far a
 * worker got before it died.  A worker of one program does not map the region:
 * fork would copy its page table entries, as it would those of KCOV's buffers,
 * of which it maps the first page only.  Programs may overwrite anything they
 * find; then the worker, at worst the guest, is lost, and the host starts anew.
 */
#ifndef EXECUTOR_H
#define EXECUTOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "wire/format.h"

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))
#define LOOP_NODES 16 /* /dev/loop0... */
#define TUN_FD 254 /* while the tap device is there */
#define MAX_THREADS 8u /* of a worker */
#define DEFAULT_TIMEOUT_MS 5000u
#define DEFAULT_CALL_TIMEOUT_MS 50u
#define TICK_MS 20u /* how often the supervisor looks at a kept worker */

/* ---- region.c: the memory shared with the host -------------------------- */

struct region {
	unsigned char *base;
	struct wire_host host; /* checked copy */
	struct wire_guest *guest;
	int line; /* descriptor of the serial line that replaces it, or -1 */
};

/**
 * Find and map the region: `path`, or when NULL what the machine offers.
 * On failure returns a text of what is wrong, else NULL.
 */
const char *region_open(struct region *r, const char *path);

/** Map it again in a process that was forked (it is not inherited). */
bool region_reopen(struct region *r);

/** Map a page of it to read, in a mapping that workers inherit; or NULL. */
void *region_map_page(uint64_t off);

/** What is wrong with a header, or NULL. */
const char *region_check(const struct wire_host *h);

/** Publish what wire_guest says, and this state. */
void region_state(struct region *r, uint32_t state);

uint32_t region_submitted(const struct region *r);
bool region_stopped(const struct region *r);
void region_complete(struct region *r, uint32_t completed);
struct wire_request *region_request(const struct region *r, uint32_t number);
struct wire_response *region_response(const struct region *r, uint32_t number);

/* ---- serial.c: a serial line instead ------------------------------------ */

/** The line that the host names; -1 when there is none. */
int serial_open(void);

/** Say that we are here until the host sends its header; false: it does not. */
bool serial_meet(int line, struct wire_host *h);

/** Take in what came from the host.  Does not wait. */
void serial_take(const struct region *r);

/** Send these bytes of the region; waits until the line has taken them. */
void serial_send(const struct region *r, const unsigned char *from,
		 uint32_t len);

/* ---- What supervisor and worker share ----------------------------------- */

/* How far a call got.  Its coverage is entries [from, to) of thread's buffer. */
struct call_log {
	uint32_t flags; /* WIRE_CALLED... */
	int32_t err;
	uint64_t ret;
	uint32_t thread, from, to, reserved;
};

struct shared {
	uint32_t completed; /* requests answered; the next to run */
	uint32_t running; /* number + 1 of the request in a worker, or 0 */
	uint32_t timeout_ms; /* of that request */
	uint32_t done; /* the program ran to its end */
	uint32_t ncalls;
	uint32_t fresh; /* first program of its process */
	uint32_t stuck; /* workers that did not die when killed */
	uint32_t invalid_at; /* byte offset + 1 of what made no sense */
	struct call_log calls[WIRE_MAX_CALLS];
};

/* A private copy of the request under way. */
struct job {
	struct wire_request req;
	unsigned char *payload; /* req.size bytes */
	uint32_t classes; /* UNDO_* of all its calls */
	bool has_async;
	uint32_t data_top; /* highest byte of the data area it names */
};

struct executor {
	struct region region;
	struct shared *shared;
	struct job job;
	size_t payload_cap;
	bool is_init;
	uint32_t cover; /* enum wire_cover_source: KCOV, PLUGIN or NONE */
	const char *work_dir;
	uint64_t start_ns; /* of the request under way */
	void *stack_top; /* of a worker's first thread: see spawn.h */
};

#define STACK_BYTES (64u << 10) /* of a worker's further threads */
#define FIRST_STACK_BYTES (32u << 10)

/** Milliseconds and nanoseconds of the monotonic clock. */
uint64_t now_ns(void);
/** Write a short text to a file; false when it could not. */
bool write_file(const char *path, const char *text);
/** Say something on the console (stderr). */
void say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* ---- setup.c ------------------------------------------------------------- */

/** Everything PID 1 has to do before programs can run. */
void setup_machine(void);
/** Limits that workers inherit. */
void setup_limits(bool is_init);
/** Close what was open; 0, 1, 2 exist. */
void setup_stdio(bool is_init);
_Noreturn void machine_off(void);

/* ---- job.c: requests ------------------------------------------------------ */

/**
 * Copy request `number` out of the region and check it.  False when it makes no
 * sense; shared->invalid_at says where.
 */
bool job_load(struct executor *x, uint32_t number);

/* ---- kcov.c ---------------------------------------------------------------- */

bool kcov_open(void);
/** Threads' buffers: start tracing this thread into buffer `thread`. */
void kcov_start(uint32_t thread, bool comparisons);
void kcov_stop(uint32_t thread);
/** Entries so far in the buffer (comparisons count one each). */
uint32_t kcov_position(uint32_t thread);
/** The same before a call, after giving up the last ones' if they fill it. */
uint32_t kcov_make_room(uint32_t thread, bool comparisons);
void kcov_rewind(void);
/** Take back what was traced since `position`. */
void kcov_forget(uint32_t thread, uint32_t position);
bool kcov_is_full(uint32_t thread, uint32_t position, bool comparisons);
/** The entries; only where kcov_map_all() succeeded. */
const uint64_t *kcov_entries(uint32_t thread);
bool kcov_map_all(void);
/** Is there remote coverage: of threads that work for a program's process? */
bool kcov_has_remote(void);
/** Its entries since kcov_rewind_remote(). */
const uint64_t *kcov_remote(uint32_t *n);
void kcov_rewind_remote(void);

/* ---- plugin.c: the same from QEMU ------------------------------------------ */

/** Whether QEMU runs our plugin; then mapped for this process and workers. */
bool plugin_open(const struct region *r);
/** Find the entries in `r`, which was mapped again. */
void plugin_map(const struct region *r);
/** What to mark system calls with (syscall.h). */
const void *plugin_mark(uint32_t thread);
void plugin_start(uint32_t thread);
uint32_t plugin_position(uint32_t thread);
uint32_t plugin_make_room(uint32_t thread);
void plugin_rewind(void);
bool plugin_is_full(uint32_t thread, uint32_t position);
const uint64_t *plugin_entries(uint32_t thread);

/* ---- cover.c: whichever of the two there is ---------------------------------- */

/** Choose between what the host wants and what there is. */
uint32_t cover_open(const struct region *r);
/** In a worker that responds itself, with its own mapping of the region. */
bool cover_map_all(const struct region *r);
void cover_start(uint32_t thread, bool comparisons);
uint32_t cover_position(uint32_t thread);
uint32_t cover_make_room(uint32_t thread, bool comparisons);
void cover_rewind(void);
/** Take back what was traced since `position`; the plugin traces no such. */
void cover_forget(uint32_t thread, uint32_t position);
bool cover_is_full(uint32_t thread, uint32_t position, bool comparisons);
/** The entries; NULL when there are none of this sort. */
const uint64_t *cover_entries(uint32_t thread, bool comparisons);

/* ---- collect.c: responses --------------------------------------------------- */

/** Allocate what only the process that responds needs. */
bool collect_setup(void);
/** Write the response of the job and publish it. */
void respond(struct executor *x, uint32_t status, int32_t code);

/** Say how a child ended: its wait status, or -1 when its time was up. */
void respond_end(struct executor *x, int status);

#define SIGNAL_LATE 64 /* to a worker: call_timeout_ms have passed */

/* ---- run.c: the interpreter ------------------------------------------------- */

/** How much memory, shared with all workers, the interpreter wants. */
size_t run_memory(void);
/** Map the data area and install handlers; before the first fork. */
bool run_setup(void *memory);
/** Run the job's program on this thread; true when no call was left behind. */
bool run_program(struct executor *x);

/**
 * memcpy() that stops where a side is not there, which programs may have seen
 * to.  Returns how many bytes are left.
 */
size_t guarded_copy(void *to, const void *from, size_t len);

/* ---- pseudo.c, pseudo_*.c: calls that are made of system calls ---------------- */

/** What call `nr` returns, with WIRE_MAX_ARGS `args`; `image`: see WIRE_IMAGE. */
int64_t pseudo_call(uint32_t nr, const uint64_t *args,
		    const struct wire_insn *image, uint32_t thread);
/** Which of them the kernel supports: for wire_guest.pseudo. */
uint64_t pseudo_probe(bool is_init);
/** A tap device for this process, if there is none yet; false: impossible. */
bool tun_open(void);
void tun_close(void);

/* ---- undo.c: back to a clean process ----------------------------------------- */

#define UNDO_NOTHING 0u
#define UNDO_STDIO (1u << 0) /* descriptors 0 to 2 may be gone */
#define UNDO_MMAP (1u << 1) /* mapped something: unmap what it returned */
#define UNDO_MAPS (1u << 2) /* changed mappings: sweep the address space */
#define UNDO_CWD (1u << 3)
#define UNDO_FILES (1u << 4) /* may have made files: wipe the work directory */
#define UNDO_SIGNAL (1u << 5) /* changed one signal's handling */
#define UNDO_MASK (1u << 6) /* signal mask */
#define UNDO_TIMER (1u << 7) /* alarm, setitimer */
#define UNDO_UMASK (1u << 8)
#define UNDO_OPEN (1u << 9) /* UNDO_FILES if it may create */
#define UNDO_IOCTL (1u << 10) /* may have set up a loop device */
#define UNDO_LOOP (1u << 11) /* has */
#define UNDO_MOUNT (1u << 12) /* wants a mount namespace of its own */
#define UNDO_PROCESS (1u << 13) /* may have left processes */
#define UNDO_TUN (1u << 14) /* wants a tap device */
#define UNDO_NEVER (1u << 31) /* cannot be undone: a fresh process */

/** What undoing system call `nr` takes. */
uint32_t undo_class(uint32_t nr);
/** The same for certain arguments; ~0 stands for an unknown one. */
uint32_t undo_refine(uint32_t classes, uint32_t nr, const uint64_t args[6]);
/** Note the state to return to. */
void undo_baseline(void);
/** A call that has to be undone returned. */
void undo_note(uint32_t nr, const uint64_t args[6], uint64_t ret);
/** Undo what the program did; false when only a fresh process will do. */
bool undo_all(const struct executor *x);

/* ---- clean.c: what outlives a process ----------------------------------------- */

/** Kill and reap everything that `worker` left behind. */
void clean_processes(const struct executor *x, pid_t worker);
void clean_work_dir(const char *dir);
void clean_loops(void);

/* ---- sandbox.c ------------------------------------------------------------------ */

/** Give up privileges for good; false when the kernel cannot do it. */
bool sandbox_enter(uint32_t sandbox, bool own_mounts);
bool sandbox_has_userns(void);

/* ---- serve.c, exec.c -------------------------------------------------------------- */

_Noreturn void serve(struct executor *x);
/** A child that runs `fn`, which must not return; -1 on failure. */
pid_t spawn(struct executor *x, void (*fn)(void *));
/** WIRE_EXEC and WIRE_FILE. */
void exec_binary(struct executor *x);
void make_file(struct executor *x);
/**
 * Wait for child `pid` until `ms` after the request's start; its wait status,
 * or -1 when the time was up (it is not killed).
 */
int wait_child(struct executor *x, pid_t pid, uint32_t ms);
/** End this process at once. */
_Noreturn void end_process(int code);

#endif /* EXECUTOR_H */
