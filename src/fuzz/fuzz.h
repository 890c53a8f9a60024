/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fuzz.h - the coverage-guided loop, without machines: it says which program
 * to run next and is told what came of it.
 *
 *	while (...) {
 *		struct fuzz_job *j = fuzz_next(f);
 *		... run j->prog with j->flags (WIRE_REQ_*) ...
 *		fuzz_done(f, j, &result);	// or fuzz_lost(f, j)
 *	}
 *
 * Any number of jobs may be under way, and they may end in any order.  The
 * same seed, target and answers give the same jobs: tests run it against a
 * kernel made of arithmetic.
 *
 * The life of a program that brought a signal nobody has seen: triage (run it
 * again; what does not come back is flaky), minimise (with the call's new
 * signal kept), corpus, then smash: mutants, values that the kernel compared
 * with (hints), faults injected into its last call, and collisions (calls run
 * at the same time, and again).
 */
#ifndef FUZZ_FUZZ_H
#define FUZZ_FUZZ_H

#include "base/error.h"
#include "prog/prog.h"

struct fuzz;

/* What a job is for: also the arms between which time is shared out. */
enum fuzz_kind {
	FUZZ_CANDIDATE, /* from outside: seeds, an older corpus */
	FUZZ_TRIAGE,
	FUZZ_MINIMIZE,
	FUZZ_COVER, /* a program of the corpus, for its coverage */
	FUZZ_COMPARE, /* ... for what the kernel compares */
	FUZZ_GENERATE,
	FUZZ_MUTATE,
	FUZZ_SMASH,
	FUZZ_HINT,
	FUZZ_FAULT,
	FUZZ_COLLIDE,
	FUZZ_NKINDS
};

const char *fuzz_kind_name(enum fuzz_kind kind);

struct fuzz_config {
	const struct prog_target *target;
	const uint8_t *enabled; /* per call of the descriptions; NULL: all */
	uint64_t seed;
	unsigned calls; /* of a generated program, about; 0: 16 */
	bool fixed_weights; /* do not learn where news come from */
	bool comparisons, faults; /* the guest has them */
	/*
	 * How interesting a program counter is: 0 to 255.  NULL: all the same.
	 * Programs that cover what is interesting are chosen more often.
	 */
	unsigned (*focus)(void *ctx, uint64_t pc);
	void *focus_ctx;
	/* A program joined the corpus; it is borrowed for the call. */
	void (*on_corpus)(void *ctx, const struct prog *p, size_t call,
			  const uint32_t *signal, size_t n);
	void *corpus_ctx;
};

/* A program to run. */
struct fuzz_job {
	enum fuzz_kind kind;
	uint32_t flags; /* WIRE_REQ_SIGNAL, ALL_SIGNAL, COVER, CMP */
	struct prog *prog; /* the loop's; not to be changed */
	/* The rest is the loop's own. */
	struct fuzz_item *item;
	size_t corpus;
};

/* What came of a call. */
struct fuzz_call {
	bool called, returned, fault_hit;
	int err; /* errno, or 0 */
	const uint32_t *signal;
	const uint64_t *pc;
	const struct wire_cmp *cmp;
	uint32_t nsignal, npc, ncmp;
	uint32_t outcome; /* the loop's own */
};

struct fuzz_result {
	struct fuzz_call *calls; /* as in the program */
	size_t ncalls; /* those behind it have not run */
	const struct fuzz_call *extra; /* what others did for it, or NULL */
	uint64_t elapsed_ns;
};

/** `cfg` is copied; what it points to must stay. */
struct fuzz *fuzz_new(const struct fuzz_config *cfg);
void fuzz_free(struct fuzz *f);
DEFINE_CLEANUP(struct fuzz *, fuzz_free)

/** A program from outside, to be tried first; it is copied. */
void fuzz_candidate(struct fuzz *f, const struct prog *p);

/** The next job; never NULL.  It is freed by fuzz_done() or fuzz_lost(). */
struct fuzz_job *fuzz_next(struct fuzz *f);

/** What came of it. */
void fuzz_done(struct fuzz *f, struct fuzz_job *j, struct fuzz_result *r);

/** Nothing came: the guest died of this program, or it could not be sent. */
void fuzz_lost(struct fuzz *f, struct fuzz_job *j);

/** It has not run, by no fault of its own. */
void fuzz_again(struct fuzz *f, struct fuzz_job *j);

/**
 * Signals in the order in which they were first seen, for the guests' tables:
 * ask from the number of the last call on.
 */
size_t fuzz_max_signal(const struct fuzz *f, size_t from,
		       const uint32_t **signals);

struct fuzz_stats {
	uint64_t execs, execs_of[FUZZ_NKINDS];
	uint64_t news_of[FUZZ_NKINDS]; /* signals first seen by such jobs */
	uint64_t ns_of[FUZZ_NKINDS]; /* of guest time */
	size_t corpus, candidates, triage, smash; /* waiting */
	size_t signal, max_signal; /* stable, and ever seen */
	size_t pcs; /* covered program counters of the corpus */
	uint64_t flaky; /* programs whose news did not come back */
};

void fuzz_stats(const struct fuzz *f, struct fuzz_stats *out);

/** Program `i` of the corpus, the call that matters, and its signal. */
const struct prog *fuzz_corpus(const struct fuzz *f, size_t i, size_t *call,
			       const uint32_t **signal, size_t *n);

#endif /* FUZZ_FUZZ_H */
