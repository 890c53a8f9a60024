/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * prog.h - programs: system calls with typed arguments, made from descriptions.
 *
 * The text is the one that syzbot publishes (docs/program_syntax.md of
 * google/syzkaller):
 *
 *	r0 = openat(0xffffffffffffff9c, &(0x7f0000000000)='./file0\x00', 0x42, 0x0)
 *	write(r0, &(0x7f0000000040)="0102", 0x2) (fail_nth: 3)
 *
 * A program lives in three arrays (tree.h) without pointers, so that a copy is
 * three memcpy() and mutation allocates nothing in the usual case.
 *
 *	_cleanup_(prog_target_freep) struct prog_target *t = prog_target_new(desc);
 *	_cleanup_(prog_freep) struct prog *p = NULL;
 *	TRY(prog_parse(t, "a.prog", text, PROG_STRICT, &p));
 *	prog_encode(p, 0, &wire);
 *
 * Everything random comes from the caller's struct rng: the same seed, target
 * and corpus give the same programs.
 */
#ifndef PROG_PROG_H
#define PROG_PROG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/rng.h"
#include "base/slice.h"
#include "desc/desc.h"

struct prog;

/* ---- target.c: descriptions, and what is looked up in them often --------- */

struct prog_target;

/** Borrows `d`, which must be without errors and stay until the target goes. */
struct prog_target *prog_target_new(const struct desc *d);
void prog_target_free(struct prog_target *t);
DEFINE_CLEANUP(struct prog_target *, prog_target_free)

const struct desc *prog_target_desc(const struct prog_target *t);

/* ---- Programs ------------------------------------------------------------- */

/** An empty program. */
struct prog *prog_new(const struct prog_target *t);
struct prog *prog_copy(const struct prog *p);
/** Make `to`, of the same target, a copy; reuses its memory. */
void prog_assign(struct prog *to, const struct prog *from);
void prog_free(struct prog *p);
DEFINE_CLEANUP(struct prog *, prog_free)

size_t prog_ncalls(const struct prog *p);

/** The call's name ("openat$dir") and its number in the descriptions. */
const char *prog_call_name(const struct prog *p, size_t i);
size_t prog_call_id(const struct prog *p, size_t i);

/** Take call `i` out; what used its results gets their special values. */
void prog_remove_call(struct prog *p, size_t i);

/* Properties of a call. */
struct prog_props {
	uint32_t fail_nth; /* inject a fault into the n-th chance; 0: none */
	uint16_t rerun; /* run it that many times more */
	bool async; /* do not wait for it */
};
struct prog_props prog_call_props(const struct prog *p, size_t i);
void prog_set_call_props(struct prog *p, size_t i, struct prog_props props);

/* ---- Text ------------------------------------------------------------------ */

enum prog_mode {
	PROG_STRICT, /* every word fits the descriptions */
	/*
	 * For programs made with other descriptions: what does not fit gets
	 * default values, calls that are unknown or unreadable are left out,
	 * and so is the use of their results.
	 */
	PROG_REPAIR,
};

/**
 * Read a program; `name` is for messages.  What is AUTO gets its length,
 * constant or address.
 * Errors: ERR_INPUT "name:line:column: what, what to do"; in PROG_REPAIR only
 * when a limit is exceeded (64 MiB of text, 512 calls, 2^20 arguments, 64 MiB
 * of data, images of 1 GiB).
 */
fallible prog_parse(const struct prog_target *t, const char *name,
		    struct slice text, enum prog_mode mode, struct prog **out);

/**
 * Append the canonical text, a line per call.  Parsing it gives an equal
 * program; what says nothing (default values at the end of structs, of
 * pointees, of options) is not written.
 */
void prog_to_text(const struct prog *p, struct buf *out);

/** Append call `i` as it stands in that text, without the newline. */
void prog_call_to_text(const struct prog *p, size_t i, struct buf *out);

/* ---- image.c: file-system images, as programs hold them ------------------- */

#define PROG_IMAGE_MAX (132u << 20) /* uncompressed: what the executor takes */

/**
 * Inflate an image; an empty one is empty.
 * Errors: ERR_INPUT when it is no zlib stream, or larger than `max` bytes.
 */
fallible prog_image_inflate(struct slice compressed, size_t max,
			    struct buf *out);

/** The same only to see whether it works; `size` is what it would have. */
fallible prog_image_check(struct slice compressed, size_t max, size_t *size);

/** Append the compressed form; of nothing: a stream of nothing. */
void prog_image_deflate(struct slice raw, struct buf *out);

/* ---- Making programs --------------------------------------------------------- */

#define PROG_NO_CALL SIZE_MAX

/**
 * Take out of `enabled` (a byte per call) the calls that cannot be of use: with
 * an attribute `disabled`, those that need a resource no enabled call can make,
 * those whose default value is absurdly large.  A line per call, "name: why",
 * goes to `reasons` unless that is NULL.
 */
void prog_enabled_close(const struct prog_target *t, uint8_t *enabled,
			struct buf *reasons);

/*
 * Which calls go together: from the types they share, and from programs that
 * proved to be of use.
 */
struct prog_choices;

/**
 * Choices among enabled calls (a byte per call; NULL: all that
 * prog_enabled_close() leaves), without those that have `no_generate`.
 * `corpus` is only looked at; `t` must stay.
 */
struct prog_choices *prog_choices_new(const struct prog_target *t,
				      const uint8_t *enabled,
				      const struct prog *const *corpus,
				      size_t n);
void prog_choices_free(struct prog_choices *c);
DEFINE_CLEANUP(struct prog_choices *, prog_choices_free)

/**
 * A call (its number in the descriptions) that goes well with call `bias`, or
 * with nothing in particular when that is PROG_NO_CALL.  PROG_NO_CALL: there is
 * nothing to choose from.
 */
size_t prog_choices_pick(const struct prog_choices *c, struct rng *rng,
			 size_t bias);

/** A program of `ncalls` calls, or none when there is nothing to choose from. */
struct prog *prog_generate(const struct prog_choices *c, struct rng *rng,
			   size_t ncalls);

struct prog_mutation {
	const struct prog_choices *choices;
	const struct prog *const *corpus; /* to splice with, of the same target */
	size_t ncorpus;
	size_t max_calls;
	bool props; /* faults, async and rerun, too */
};

/** Change a program, in one place or in some; never to nothing. */
void prog_mutate(struct prog *p, const struct prog_mutation *how,
		 struct rng *rng);

/*
 * Two values that the kernel compared, as it saw them: `bytes` wide.  When `b`
 * is a constant of the kernel, the program cannot have made it.
 */
struct prog_comparison {
	uint64_t a, b;
	uint8_t bytes; /* 1, 2, 4, 8 */
	bool b_is_constant;
};

/** False: that is enough. */
typedef bool prog_hint_fn(const struct prog *p, void *ctx);

/**
 * Call `use` with variants of `p`: a value of call `i` that was compared, in
 * any width and byte order, became what it was compared with.  No more than
 * `max` of them; how many it were.
 */
size_t prog_hints(const struct prog *p, size_t i,
		  const struct prog_comparison *comparisons, size_t n,
		  size_t max, prog_hint_fn *use, void *ctx);

/** Whether a variant is still what we look for; call `keep` is in it. */
typedef bool prog_minimize_fn(const struct prog *p, size_t keep, void *ctx);

/**
 * Simplify `p` as long as `good` says so, which is asked `max` times at most:
 * without calls, then with fewer and simpler arguments, then without properties
 * of calls.  Call `*keep` stays (it may move; PROG_NO_CALL: any may go).
 * Returns how often `good` was asked.
 */
size_t prog_minimize(struct prog *p, size_t *keep, size_t max,
		     prog_minimize_fn *good, void *ctx);

/* ---- Rules ----------------------------------------------------------------- */

/**
 * Whether the program keeps all rules: types, references to earlier results
 * only, sizes of buffers, addresses within the data area.
 * Errors: ERR_INPUT that says where and what.
 */
fallible prog_validate(const struct prog *p);

/* ---- C -------------------------------------------------------------------------- */

/* How a call went. */
struct prog_c_result {
	bool returned;
	int err; /* errno, or 0 */
	uint64_t ret;
};

struct prog_c_opts {
	const char *title; /* for the first line, or NULL */
	unsigned repeat; /* in a process each; 0: once, in main()'s */
	unsigned timeout_s; /* of one repetition; 0: 5 */
	bool print; /* "call N = result errno" to the standard output */
	bool threads; /* a thread per call, which is left behind after 50 ms */
	const struct prog_c_result *results; /* of calls, for comments; or NULL */
	size_t nresults;
};

/**
 * Append a C program that does the same, for amd64 and arm64 Linux with glibc:
 * gcc -Wall has nothing to say about it.  Pseudo-system-calls are made on main()'s
 * thread, whatever `threads` says.  Errors: ERR_INPUT for a pseudo-system-call
 * that has no C form (c_pseudo.def), and those of prog_encode().
 */
fallible prog_to_c(const struct prog *p, const struct prog_c_opts *opts,
		   struct buf *out);

/* ---- For the guest -------------------------------------------------------------- */

/**
 * Append the payload of a WIRE_PROGRAM request.  `proc` is for values that
 * differ between executors (proc[...]).  Calls that the executor does not have
 * (prog_call_is_known) end with ENOSYS there.
 * Errors: ERR_INPUT: more results or memory than there can be.
 */
fallible prog_encode(const struct prog *p, unsigned proc, struct buf *out);

/** Whether call `id` of the descriptions is one the executor has. */
bool prog_call_is_known(const struct prog_target *t, size_t id);

/** Whether call `i` works in a guest whose wire_guest.pseudo is this. */
bool prog_call_works(const struct prog *p, size_t i, uint64_t pseudo);

#endif /* PROG_PROG_H */
