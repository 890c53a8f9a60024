/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * triage.c - a program that brought something new: does it come back, which
 * calls does it take, and then into the corpus.
 *
 * prog_minimize() asks a question and wants the answer at once, but an answer
 * takes a run of a guest, and others are waiting.  As it is deterministic, it is
 * started from the beginning for each answer and given the ones that are known;
 * that costs microseconds and needs no threads.
 */
#include "base/mem.h"
#include "fuzz/internal.h"
#include "wire/wire.h"

void item_free(struct fuzz_item *it)
{
	if (it->prog)
		prog_free(it->prog);
	if (it->trial)
		prog_free(it->trial);
	vec_free(&it->news);
	vec_free(&it->answers);
	free(it);
}

void triage_start(struct fuzz *f, const struct prog *p, size_t call,
		  const uint32_t *news, size_t n)
{
	struct fuzz_item *it = mem_calloc(1, sizeof(*it));

	it->stage = FUZZ_TRIAGE;
	it->prog = prog_copy(p);
	it->call = call;
	for (size_t i = 0; i < n; i++)
		vec_push(&it->news, news[i]);
	vec_push(&f->ready, it);
}

const struct prog *triage_prog(const struct fuzz_item *it, uint32_t *flags)
{
	static const uint32_t wanted[FUZZ_NKINDS] = {
		[FUZZ_TRIAGE] = WIRE_REQ_SIGNAL | WIRE_REQ_ALL_SIGNAL,
		[FUZZ_MINIMIZE] = WIRE_REQ_SIGNAL | WIRE_REQ_ALL_SIGNAL,
		[FUZZ_COVER] = WIRE_REQ_COVER,
		[FUZZ_COMPARE] = WIRE_REQ_CMP,
	};

	*flags = wanted[it->stage];
	return it->stage == FUZZ_MINIMIZE ? it->trial : it->prog;
}

/* ---- Does it come back? ---------------------------------------------------------- */

static const struct fuzz_call *call_of(const struct fuzz_result *r, size_t call)
{
	return r && call < r->ncalls ? &r->calls[call] : NULL;
}

static int by_number(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

/* How many of `want` are among the call's; with `keep` drop the others. */
static size_t common(signal_vec *want, const struct fuzz_call *c, bool keep)
{
	size_t n = 0;
	uint32_t *have;

	if (!c)
		return 0;
	have = mem_calloc(c->nsignal + 1, sizeof(*have));
	if (c->nsignal)
		memcpy(have, c->signal, c->nsignal * sizeof(*have));
	qsort(have, c->nsignal, sizeof(*have), by_number);
	for (size_t i = 0; i < want->len; i++) {
		uint32_t s = want->data[i];

		if (s != c->outcome &&
		    !bsearch(&s, have, c->nsignal, sizeof(s), by_number))
			continue;
		if (keep)
			want->data[n] = s;
		n++;
	}
	if (keep)
		want->len = n;
	free(have);
	return n;
}

/* What others brought into the corpus meanwhile is not new any more. */
static void drop_known(struct fuzz *f, signal_vec *news)
{
	size_t n = 0;

	for (size_t i = 0; i < news->len; i++)
		if (!set32_has(&f->stable, news->data[i]))
			news->data[n++] = news->data[i];
	news->len = n;
}

/* ---- Minimise ---------------------------------------------------------------------- */

static bool ask(const struct prog *trial, size_t call, void *ctx)
{
	struct fuzz_item *it = ctx;

	if (it->answer < it->answers.len)
		return it->answers.data[it->answer++];
	if (!it->trial) {
		it->trial = prog_copy(trial);
		it->trial_call = call;
	}
	return false;
}

static void join(struct fuzz *f, struct fuzz_item *it)
{
	struct fuzz_item *next = mem_calloc(1, sizeof(*next));

	drop_known(f, &it->news);
	if (!it->news.len) {
		free(next);
		item_free(it);
		return;
	}
	next->corpus = pool_join(f, take_ptr(it->prog), it->call, it->news.data,
				 it->news.len);
	item_free(it);
	next->stage = FUZZ_COVER;
	next->prog = prog_copy(f->corpus.data[next->corpus].prog);
	vec_push(&f->ready, next);
}

static void minimize(struct fuzz *f, struct fuzz_item *it)
{
	struct prog *p = prog_copy(it->prog);
	size_t call = it->call;

	it->stage = FUZZ_MINIMIZE;
	it->answer = 0;
	/* Beyond the next question there is nothing to hear. */
	prog_minimize(p, &call, MIN((size_t)MINIMIZE_MAX, it->answers.len + 1),
		      ask, it);
	if (it->trial) {
		prog_free(p);
		vec_push(&f->ready, it);
		return;
	}
	prog_free(it->prog);
	it->prog = p;
	it->call = call;
	join(f, it);
}

/* ---- Answers ------------------------------------------------------------------------- */

static void triage_answer(struct fuzz *f, struct fuzz_item *it,
			  const struct fuzz_call *c)
{
	it->tries++;
	/* A run that did not get there says nothing about the signal. */
	if (c && c->called) {
		it->runs++;
		common(&it->news, c, true);
	}
	drop_known(f, &it->news);
	if (!it->news.len ||
	    it->tries - it->runs > TRIAGE_TRIES - TRIAGE_RUNS) {
		f->stats.flaky++;
		item_free(it);
	} else if (it->runs < TRIAGE_RUNS) {
		vec_push(&f->ready, it);
	} else {
		minimize(f, it);
	}
}

static bool add_hint(const struct prog *p, void *ctx)
{
	struct fuzz *f = ctx;

	if (f->hints.len >= HINTS_WAITING)
		return false;
	vec_push(&f->hints, prog_copy(p));
	return true;
}

/* The kernel's constant comes first: kernel/kcov.c, Linux 4.14 to 6.17. */
static struct prog_comparison comparison(const struct wire_cmp *c)
{
	return (struct prog_comparison){
		.a = c->arg2,
		.b = c->arg1,
		.bytes = (uint8_t)(1u << (c->type >> 1 & 3)),
		.b_is_constant = c->type & 1,
	};
}

static void compare_answer(struct fuzz *f, struct fuzz_item *it,
			   const struct fuzz_call *c)
{
	VEC(struct prog_comparison) pairs = {};

	for (uint32_t i = 0; c && i < c->ncmp; i++)
		vec_push(&pairs, comparison(&c->cmp[i]));
	prog_hints(it->prog, it->call, pairs.data, pairs.len, HINTS_MAX,
		   add_hint, f);
	vec_free(&pairs);
	item_free(it);
}

static void cover_answer(struct fuzz *f, struct fuzz_item *it,
			 const struct fuzz_result *r)
{
	for (size_t i = 0; r && i < r->ncalls; i++)
		pool_cover(f, it->corpus, r->calls[i].pc, r->calls[i].npc);
	if (r && r->extra)
		pool_cover(f, it->corpus, r->extra->pc, r->extra->npc);
	if (!f->cfg.comparisons) {
		item_free(it);
		return;
	}
	it->call = f->corpus.data[it->corpus].call;
	it->stage = FUZZ_COMPARE;
	vec_push(&f->ready, it);
}

void triage_done(struct fuzz *f, struct fuzz_item *it,
		 const struct fuzz_result *r)
{
	bool same;

	switch (it->stage) {
	case FUZZ_TRIAGE:
		triage_answer(f, it, call_of(r, it->call));
		break;
	case FUZZ_MINIMIZE:
		same = common(&it->news, call_of(r, it->trial_call), false) ==
		       it->news.len;
		vec_push(&it->answers, same);
		prog_free(take_ptr(it->trial));
		minimize(f, it);
		break;
	case FUZZ_COVER:
		cover_answer(f, it, r);
		break;
	default:
		compare_answer(f, it, call_of(r, it->call));
	}
}
