/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fuzz.c - the loop: what to run next, and what came of it. */
#include "fuzz/fuzz.h"

#include "base/mem.h"
#include "fuzz/internal.h"
#include "wire/wire.h"

enum {
	DEFAULT_CALLS = 16,
	/* The choices know a corpus of this part of today's, at least. */
	CHOICES_GROWTH = 4, /* 1 / 4 more */
	CHOICES_FIRST = 64,
};

const char *fuzz_kind_name(enum fuzz_kind kind)
{
	static const char *const names[FUZZ_NKINDS] = {
		"candidate", "triage",	 "minimize", "cover",
		"compare",   "generate", "mutate",   "smash",
		"hint",	     "fault",	 "collide",
	};

	return names[kind];
}

struct fuzz *fuzz_new(const struct fuzz_config *cfg)
{
	struct fuzz *f = mem_calloc(1, sizeof(*f));

	f->cfg = *cfg;
	if (!f->cfg.calls)
		f->cfg.calls = DEFAULT_CALLS;
	rng_seed(&f->rng, cfg->seed);
	f->choices = prog_choices_new(cfg->target, cfg->enabled, NULL, 0);
	return f;
}

static void free_progs(struct prog **data, size_t n)
{
	for (size_t i = 0; i < n; i++)
		prog_free(data[i]);
}

void fuzz_free(struct fuzz *f)
{
	vec_for_each(&f->ready, it)
		item_free(*it);
	vec_for_each(&f->corpus, c)
		free(c->signal);
	free_progs(f->progs.data, f->progs.len);
	free_progs(f->candidates.data, f->candidates.len);
	free_progs(f->hints.data, f->hints.len);
	prog_choices_free(f->choices);
	set32_deinit(&f->max);
	set32_deinit(&f->stable);
	set64_deinit(&f->pcs);
	vec_free(&f->interest);
	vec_free(&f->max_list);
	vec_free(&f->corpus);
	vec_free(&f->progs);
	vec_free(&f->ready);
	vec_free(&f->candidates);
	vec_free(&f->hints);
	vec_free(&f->backlog);
	free(f);
}

void fuzz_candidate(struct fuzz *f, const struct prog *p)
{
	vec_push(&f->candidates, prog_copy(p));
}

/* ---- What next? --------------------------------------------------------------- */

/* Now and then the choices learn what the corpus has together. */
static void refresh_choices(struct fuzz *f)
{
	size_t n = f->progs.len;

	if (n < f->choices_corpus + f->choices_corpus / CHOICES_GROWTH +
			CHOICES_FIRST)
		return;
	prog_choices_free(f->choices);
	f->choices = prog_choices_new(f->cfg.target, f->cfg.enabled,
				      (const struct prog *const *)f->progs.data,
				      n);
	f->choices_corpus = n;
}

static bool is_worked_off(const struct corpus_prog *c)
{
	return !c->smash && !c->collide && !c->fault;
}

/* One of the backlog for which there is something of this kind to do. */
static struct corpus_prog *choose_backlog(struct fuzz *f, enum fuzz_kind kind,
					  size_t *index)
{
	for (unsigned tries = 0; f->backlog.len && tries < 8; tries++) {
		size_t at = rng_below(&f->rng, f->backlog.len);
		size_t i = f->backlog.data[at];
		struct corpus_prog *c = &f->corpus.data[i];

		if (is_worked_off(c) && !c->fault_busy) {
			f->backlog.data[at] = f->backlog.data[--f->backlog.len];
			continue;
		}
		*index = i;
		if ((kind == FUZZ_SMASH && c->smash) ||
		    (kind == FUZZ_COLLIDE && c->collide) ||
		    (kind == FUZZ_FAULT && c->fault && !c->fault_busy))
			return c;
	}
	return NULL;
}

static void mutate(struct fuzz *f, struct prog *p)
{
	const struct prog_mutation how = {
		.choices = f->choices,
		.corpus = (const struct prog *const *)f->progs.data,
		.ncorpus = f->progs.len,
		.max_calls = f->cfg.calls + f->cfg.calls / 2,
	};

	prog_mutate(p, &how, &f->rng);
}

static struct prog *make_collision(struct fuzz *f, const struct prog *from)
{
	struct prog *p = prog_copy(from);
	size_t n = prog_ncalls(p);

	for (size_t i = 0; i < n; i++) {
		struct prog_props props = prog_call_props(p, i);

		/* The last one has nobody to run beside. */
		props.async = i + 1 < n && rng_one_of(&f->rng, 2);
		if (rng_one_of(&f->rng, 4))
			props.rerun = (uint16_t)rng_range(&f->rng, 1, 30);
		prog_set_call_props(p, i, props);
	}
	return p;
}

static struct prog *make_fault(const struct corpus_prog *c)
{
	struct prog *p = prog_copy(c->prog);
	struct prog_props props = prog_call_props(p, c->call);

	props.fail_nth = c->fault;
	prog_set_call_props(p, c->call, props);
	return p;
}

/* A program of that kind; NULL when there turns out to be nothing to do. */
static struct prog *make(struct fuzz *f, struct fuzz_job *j)
{
	struct corpus_prog *c;
	struct prog *p;
	size_t i;

	switch (j->kind) {
	case FUZZ_HINT:
		i = rng_below(&f->rng, f->hints.len);
		p = f->hints.data[i];
		f->hints.data[i] = f->hints.data[--f->hints.len];
		return p;
	case FUZZ_MUTATE:
		p = prog_copy(f->progs.data[pool_choose(f)]);
		mutate(f, p);
		return p;
	case FUZZ_SMASH:
	case FUZZ_COLLIDE:
	case FUZZ_FAULT:
		c = choose_backlog(f, j->kind, &j->corpus);
		if (!c)
			return NULL;
		if (j->kind == FUZZ_FAULT) {
			c->fault_busy = true;
			return make_fault(c);
		}
		if (j->kind == FUZZ_COLLIDE) {
			c->collide--;
			return make_collision(f, c->prog);
		}
		c->smash--;
		p = prog_copy(c->prog);
		mutate(f, p);
		return p;
	default:
		j->kind = FUZZ_GENERATE;
		return prog_generate(f->choices, &f->rng, f->cfg.calls);
	}
}

static void explore(struct fuzz *f, struct fuzz_job *j)
{
	uint32_t kinds = 1u << FUZZ_GENERATE;

	if (f->corpus.len)
		kinds |= 1u << FUZZ_MUTATE;
	if (f->backlog.len)
		kinds |= 1u << FUZZ_SMASH | 1u << FUZZ_COLLIDE;
	if (f->backlog.len && f->cfg.faults)
		kinds |= 1u << FUZZ_FAULT;
	if (f->hints.len)
		kinds |= 1u << FUZZ_HINT;
	do {
		j->kind = arms_choose(f, kinds);
		j->prog = make(f, j);
		kinds &= ~(1u << j->kind);
	} while (!j->prog);
	j->flags = WIRE_REQ_SIGNAL;
}

struct fuzz_job *fuzz_next(struct fuzz *f)
{
	struct fuzz_job *j = mem_calloc(1, sizeof(*j));

	refresh_choices(f);
	if (f->ready.len) {
		j->item = f->ready.data[--f->ready.len];
		j->kind = j->item->stage;
		j->prog = prog_copy(triage_prog(j->item, &j->flags));
	} else if (f->candidates.len) {
		j->kind = FUZZ_CANDIDATE;
		j->prog = f->candidates.data[--f->candidates.len];
		j->flags = WIRE_REQ_SIGNAL;
	} else {
		explore(f, j);
	}
	return j;
}

/* ---- What came of it? -------------------------------------------------------------- */

/* That a call ended in this way is a signal like an edge of the kernel's. */
static uint32_t outcome(const struct prog *p, size_t call, int err)
{
	uint32_t s = wire_hash32((uint32_t)prog_call_id(p, call) * 4096u +
				 ((uint32_t)err & 4095u) + 1);

	return s ? s : 1;
}

/* Those of a call that nobody has seen; they are seen now. */
static void take_news(struct fuzz *f, const uint32_t *s, size_t n,
		      signal_vec *news)
{
	for (size_t i = 0; i < n; i++)
		if (s[i] && set32_add(&f->max, s[i])) {
			vec_push(&f->max_list, s[i]);
			vec_push(news, s[i]);
		}
}

/*
 * Each call with news is a case of its own.  In triage new signals are only
 * noted: they are what makes a program flaky.
 */
static size_t look_at(struct fuzz *f, const struct fuzz_job *j,
		      struct fuzz_result *r)
{
	size_t n = MIN(r->ncalls, prog_ncalls(j->prog)), all = 0;
	signal_vec news = {};

	for (size_t i = 0; i < n; i++) {
		struct fuzz_call *c = &r->calls[i];

		news.len = 0;
		c->outcome = c->returned ? outcome(j->prog, i, c->err) : 0;
		take_news(f, &c->outcome, 1, &news);
		take_news(f, c->signal, c->nsignal, &news);
		all += news.len;
		if (news.len && !j->item)
			triage_start(f, j->prog, i, news.data, news.len);
	}
	news.len = 0;
	if (r->extra)
		take_news(f, r->extra->signal, r->extra->nsignal, &news);
	vec_free(&news);
	return all;
}

/* The n-th chance to fail was there: try the next. */
static void fault_done(struct fuzz *f, const struct fuzz_job *j,
		       const struct fuzz_result *r)
{
	struct corpus_prog *c = &f->corpus.data[j->corpus];
	bool hit = r && c->call < r->ncalls && r->calls[c->call].fault_hit;

	c->fault_busy = false;
	c->fault = hit && c->fault < FAULT_MAX ? c->fault + 1 : 0;
}

static void job_free(struct fuzz_job *j)
{
	if (j->prog)
		prog_free(j->prog);
	free(j);
}

void fuzz_done(struct fuzz *f, struct fuzz_job *j, struct fuzz_result *r)
{
	size_t news;

	f->stats.execs++;
	f->stats.execs_of[j->kind]++;
	f->stats.ns_of[j->kind] += r->elapsed_ns;
	news = look_at(f, j, r);
	f->stats.news_of[j->kind] += news;
	arms_reward(f, j->kind, news, r->elapsed_ns);
	if (j->kind == FUZZ_FAULT)
		fault_done(f, j, r);
	if (j->item)
		triage_done(f, j->item, r);
	job_free(j);
}

void fuzz_lost(struct fuzz *f, struct fuzz_job *j)
{
	if (j->kind == FUZZ_FAULT)
		fault_done(f, j, NULL);
	if (j->item)
		triage_done(f, j->item, NULL);
	job_free(j);
}

void fuzz_again(struct fuzz *f, struct fuzz_job *j)
{
	switch (j->kind) {
	case FUZZ_FAULT:
		f->corpus.data[j->corpus].fault_busy = false;
		break;
	case FUZZ_SMASH:
		f->corpus.data[j->corpus].smash++;
		break;
	case FUZZ_COLLIDE:
		f->corpus.data[j->corpus].collide++;
		break;
	case FUZZ_HINT:
		vec_push(&f->hints, take_ptr(j->prog));
		break;
	case FUZZ_CANDIDATE:
		vec_push(&f->candidates, take_ptr(j->prog));
		break;
	default:
		if (j->item)
			vec_push(&f->ready, j->item);
	}
	/* It may have been worked off, and left the list, meanwhile. */
	if (j->kind == FUZZ_SMASH || j->kind == FUZZ_COLLIDE)
		vec_push(&f->backlog, j->corpus);
	job_free(j);
}

/* ---- What there is ------------------------------------------------------------------- */

size_t fuzz_max_signal(const struct fuzz *f, size_t from,
		       const uint32_t **signals)
{
	*signals = f->max_list.data + from;
	return f->max_list.len - from;
}

void fuzz_stats(const struct fuzz *f, struct fuzz_stats *out)
{
	*out = f->stats;
	out->corpus = f->corpus.len;
	out->candidates = f->candidates.len;
	out->triage = f->ready.len;
	out->smash = f->backlog.len;
	out->signal = f->stable.len;
	out->max_signal = f->max.len;
	out->pcs = f->pcs.len;
}

const struct prog *fuzz_corpus(const struct fuzz *f, size_t i, size_t *call,
			       const uint32_t **signal, size_t *n)
{
	const struct corpus_prog *c = &f->corpus.data[i];

	*call = c->call;
	*signal = c->signal;
	*n = c->nsignal;
	return c->prog;
}
