/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bench_gen.c - how fast programs are made, with a whole set of descriptions.
 *
 *	bench_gen DESCRIPTIONS
 *
 * Processor time of one thread: the best of ROUNDS, for the machine may do other
 * things meanwhile.  A missed target is printed, not an error.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/vec.h"
#include "prog/prog.h"

enum { SKIP = 77, ROUNDS = 7, PROGRAMS = 2000, CALLS = 30, CORPUS = 1000 };

static double now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static void figure(const char *what, double us, const char *unit, double target)
{
	printf("%-40s %8.1f %s (target: %.0f)%s\n", what, us, unit, target,
	       us > target ? "  MISSED" : "");
}

struct bench {
	struct prog_target *t;
	struct prog_choices *choices;
	struct rng rng;
	VEC(struct prog *) corpus;
};

static double choices_us(struct bench *b)
{
	double start = now_us();

	prog_choices_free(prog_choices_new(
		b->t, NULL, (const struct prog *const *)b->corpus.data,
		b->corpus.len));
	return now_us() - start;
}

static double generate_us(struct bench *b)
{
	double start = now_us();

	for (int i = 0; i < PROGRAMS; i++)
		prog_free(prog_generate(b->choices, &b->rng, CALLS));
	return (now_us() - start) / PROGRAMS;
}

static double mutate_us(struct bench *b)
{
	struct prog_mutation how = {
		.choices = b->choices,
		.corpus = (const struct prog *const *)b->corpus.data,
		.ncorpus = b->corpus.len,
		.max_calls = CALLS,
		.props = true,
	};
	_cleanup_(prog_freep) struct prog *p = prog_new(b->t);
	double start = now_us();

	for (int i = 0; i < PROGRAMS; i++) {
		prog_assign(p,
			    b->corpus.data[rng_below(&b->rng, b->corpus.len)]);
		prog_mutate(p, &how, &b->rng);
	}
	return (now_us() - start) / PROGRAMS;
}

static double best(struct bench *b, double (*measure)(struct bench *))
{
	double min = measure(b);

	for (int i = 1; i < ROUNDS; i++) {
		double us = measure(b);

		min = us < min ? us : min;
	}
	return min;
}

int main(int argc, char **argv)
{
	const char *env = getenv("BUGON_SYZKALLER");
	_cleanup_(desc_input_freep) struct desc_input *in = desc_input_new();
	_cleanup_(buf_deinit) struct buf dir = {};
	struct bench b = {};

	buf_printf(&dir, "%s/sys/linux", env ? env : argc > 1 ? argv[1] : ".");
	if (access(dir.data, R_OK)) {
		printf("no descriptions in %s\n", dir.data);
		return SKIP;
	}

	struct error *err = desc_input_dir(in, dir.data);

	if (err) {
		fprintf(stderr, "bench_gen: %s\n", error_message(err));
		return 1;
	}

	_cleanup_(desc_freep) struct desc *d =
		desc_compile(in, desc_arch_find(SLICE("amd64")));

	b.t = prog_target_new(d);
	b.choices = prog_choices_new(b.t, NULL, NULL, 0);
	rng_seed(&b.rng, 1);
	for (int i = 0; i < CORPUS; i++)
		vec_push(&b.corpus, prog_generate(b.choices, &b.rng, CALLS));
	printf("%zu calls, programs of %d\n", d->ncalls, CALLS);
	figure("choice table", best(&b, choices_us) / 1e3, "ms", 80);
	figure("generate", best(&b, generate_us), "us", 60);
	figure("copy and mutate", best(&b, mutate_us), "us", 25);
	vec_for_each(&b.corpus, p)
		prog_free(*p);
	vec_free(&b.corpus);
	prog_choices_free(b.choices);
	prog_target_free(b.t);
	return 0;
}
