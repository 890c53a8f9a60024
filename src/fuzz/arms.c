/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * arms.c - what to do next: share out guest time by what it brought lately.
 *
 * Each arm's yield is news per millisecond of guest time, with a prior so that
 * what was never tried looks good, and a floor so that nothing is given up: a
 * kernel's easy news come from generating, its late ones from hints and mutants.
 */
#include "fuzz/internal.h"

#define DECAY_EVERY 512 /* rounds */
#define DECAY 0.8
#define PRIOR_NEWS 2.0
#define PRIOR_MS 50.0
#define FLOOR 0.04 /* of all time, for each arm */

static const double fixed[FUZZ_NKINDS] = {
	[FUZZ_GENERATE] = 1, [FUZZ_MUTATE] = 10, [FUZZ_SMASH] = 20,
	[FUZZ_HINT] = 20,    [FUZZ_FAULT] = 3,	 [FUZZ_COLLIDE] = 3,
};

static double weight(const struct fuzz *f, enum fuzz_kind kind)
{
	const struct arm *a = &f->arms[kind];

	if (f->cfg.fixed_weights)
		return fixed[kind];
	return (a->news + PRIOR_NEWS) / (a->ms + PRIOR_MS);
}

enum fuzz_kind arms_choose(struct fuzz *f, uint32_t kinds)
{
	double w[FUZZ_NKINDS] = {}, sum = 0, at;
	enum fuzz_kind last = FUZZ_GENERATE;

	for (unsigned k = 0; k < FUZZ_NKINDS; k++)
		if (kinds & 1u << k)
			sum += w[k] = weight(f, k);
	for (unsigned k = 0; k < FUZZ_NKINDS; k++)
		if (w[k] > 0 && w[k] < FLOOR * sum && !f->cfg.fixed_weights)
			w[k] = FLOOR * sum;
	sum = 0;
	for (unsigned k = 0; k < FUZZ_NKINDS; k++)
		sum += w[k];
	at = (double)rng_below(&f->rng, 1u << 30) / (1u << 30) * sum;
	for (unsigned k = 0; k < FUZZ_NKINDS; k++) {
		if (w[k] <= 0)
			continue;
		last = k;
		if ((at -= w[k]) < 0)
			break;
	}
	return last;
}

void arms_reward(struct fuzz *f, enum fuzz_kind kind, size_t news, uint64_t ns)
{
	struct arm *a = &f->arms[kind];

	a->news += (double)news;
	a->ms += (double)ns / 1e6;
	if (f->stats.execs % DECAY_EVERY)
		return;
	for (unsigned k = 0; k < FUZZ_NKINDS; k++) {
		f->arms[k].news *= DECAY;
		f->arms[k].ms *= DECAY;
	}
}
