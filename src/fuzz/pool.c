/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pool.c - the programs that are kept, and which of them comes next. */
#include "base/mem.h"
#include "fuzz/internal.h"

/* Interest counts for up to 20 times as much as none. */
static double weight(const struct corpus_prog *c)
{
	return (double)(c->nsignal + 1) * (1 + c->interest * 19.0 / 255);
}

size_t pool_join(struct fuzz *f, struct prog *p, size_t call,
		 const uint32_t *signal, size_t n)
{
	struct corpus_prog c = { .prog = p, .call = call, .nsignal = n };

	c.signal = mem_calloc(n + 1, sizeof(*signal));
	if (n)
		memcpy(c.signal, signal, n * sizeof(*signal));
	c.smash = SMASH_RUNS;
	c.collide = prog_ncalls(p) > 1 ? COLLIDE_RUNS : 0;
	c.fault = f->cfg.faults;
	for (size_t i = 0; i < n; i++)
		set32_add(&f->stable, signal[i]);
	vec_push(&f->corpus, c);
	vec_push(&f->progs, p);
	vec_push(&f->backlog, f->corpus.len - 1);
	if (weight(&c) > f->best_weight)
		f->best_weight = weight(&c);
	if (f->cfg.on_corpus)
		f->cfg.on_corpus(f->cfg.corpus_ctx, p, call, signal, n);
	return f->corpus.len - 1;
}

/* By rejection: most programs weigh about the same. */
size_t pool_choose(struct fuzz *f)
{
	size_t i = SIZE_MAX;

	for (unsigned tries = 0; f->corpus.len && tries < 32; tries++) {
		i = rng_below(&f->rng, f->corpus.len);
		if ((double)rng_below(&f->rng, 1 << 20) / (1 << 20) *
			    f->best_weight <=
		    weight(&f->corpus.data[i]))
			break;
	}
	return i;
}

void pool_cover(struct fuzz *f, size_t i, const uint64_t *pcs, size_t n)
{
	struct corpus_prog *c = &f->corpus.data[i];

	for (size_t k = 0; k < n; k++) {
		size_t at = set64_add(&f->pcs, pcs[k]);

		if (!f->cfg.focus)
			continue;
		/* Each is asked for once: symbols are slow. */
		if (at == f->interest.len)
			vec_push(&f->interest,
				 (uint8_t)f->cfg.focus(f->cfg.focus_ctx,
						       pcs[k]));
		if (f->interest.data[at] > c->interest)
			c->interest = f->interest.data[at];
	}
	if (weight(c) > f->best_weight)
		f->best_weight = weight(c);
}
