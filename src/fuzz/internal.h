/* SPDX-License-Identifier: GPL-2.0-or-later */
/* internal.h - the loop's state, for the files of fuzz/. */
#ifndef FUZZ_INTERNAL_H
#define FUZZ_INTERNAL_H

#include "base/vec.h"
#include "fuzz/fuzz.h"
#include "fuzz/set.h"

enum {
	TRIAGE_RUNS = 3, /* times that news must come back... */
	TRIAGE_TRIES = 5, /* ... out of so many */
	MINIMIZE_MAX = 150, /* questions asked about a program */
	SMASH_RUNS = 40, /* mutants of a program that joined */
	COLLIDE_RUNS = 6,
	FAULT_MAX = 40, /* the n of fail_nth */
	HINTS_MAX = 200, /* mutants of a program, by comparisons */
	HINTS_WAITING = 4096,
};

typedef VEC(uint32_t) signal_vec;

/* A program on its way into the corpus, or asked for its coverage there. */
struct fuzz_item {
	enum fuzz_kind stage; /* TRIAGE, MINIMIZE, COVER, COMPARE */
	struct prog *prog;
	size_t call; /* whose signal is new */
	signal_vec news; /* what is new and came back each time so far */
	unsigned tries, runs;
	/* Minimising starts anew for each answer: see triage.c. */
	VEC(uint8_t) answers;
	size_t answer; /* the next one that is looked up */
	struct prog *trial; /* the question, or NULL */
	size_t trial_call;
	size_t corpus; /* COVER, COMPARE: of which program */
};

struct corpus_prog {
	struct prog *prog;
	size_t call;
	uint32_t *signal;
	size_t nsignal;
	unsigned interest; /* by the focus: 0 to 255 */
	/* What is still to be tried with it. */
	unsigned smash, collide;
	unsigned fault; /* the next n; 0: none */
	bool fault_busy;
};

/* What is known of an arm, with older rounds counting less. */
struct arm {
	double news, ms;
};

struct fuzz {
	struct fuzz_config cfg;
	struct rng rng;
	struct prog_choices *choices;
	size_t choices_corpus; /* programs that the choices know */
	struct set32 max; /* every signal seen */
	signal_vec max_list; /* the same, in order */
	struct set32 stable; /* of the corpus */
	struct set64 pcs;
	VEC(uint8_t) interest; /* beside pcs.values: what the focus says */
	VEC(struct corpus_prog) corpus;
	VEC(struct prog *) progs; /* of corpus, for prog_mutate() */
	double best_weight; /* of a program of the corpus */
	VEC(struct fuzz_item *) ready; /* a stack: the newest first */
	VEC(struct prog *) candidates;
	VEC(struct prog *) hints;
	VEC(size_t) backlog; /* of the corpus: something is left to try */
	struct arm arms[FUZZ_NKINDS];
	struct fuzz_stats stats;
};

/* ---- arms.c ------------------------------------------------------------------- */

/** Choose between arms (bits of kinds). */
enum fuzz_kind arms_choose(struct fuzz *f, uint32_t kinds);
void arms_reward(struct fuzz *f, enum fuzz_kind kind, size_t news, uint64_t ns);

/* ---- triage.c ------------------------------------------------------------------ */

/** New signal of call `call` of `p` (copied): find out what is to it. */
void triage_start(struct fuzz *f, const struct prog *p, size_t call,
		  const uint32_t *news, size_t n);
/** The program that item `it` wants to have run, and how; borrowed. */
const struct prog *triage_prog(const struct fuzz_item *it, uint32_t *flags);
/** An answer; the item may be freed.  NULL: nothing came. */
void triage_done(struct fuzz *f, struct fuzz_item *it,
		 const struct fuzz_result *r);
void item_free(struct fuzz_item *it);

/* ---- pool.c ------------------------------------------------------------------- */

/** Take over a program with its signal; its index. */
size_t pool_join(struct fuzz *f, struct prog *p, size_t call,
		 const uint32_t *signal, size_t n);
/** A program, the more signal and interest the likelier; SIZE_MAX: none. */
size_t pool_choose(struct fuzz *f);
/** What the program covers. */
void pool_cover(struct fuzz *f, size_t i, const uint64_t *pcs, size_t n);

#endif /* FUZZ_INTERNAL_H */
