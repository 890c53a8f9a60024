/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Programs in memory: bench_prog DESCRIPTIONS.  Of 30 calls each, all calls of
 * the descriptions in turn, with pointers to something in every place.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "prog/tree.h"

enum { CALLS = 30, ROUNDS = 20, MAX_PROGS = 1000 };
#define ENCODE_TARGET_US 10.0

static double now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec * 1e6 + (double)ts.tv_nsec / 1e3;
}

/* Lay pointees out one after the other. */
static void place_pointers(struct prog *p)
{
	uint64_t at = 0;

	for (uint32_t i = 0; i < p->args.len; i++) {
		struct arg *a = arg_at(p, i);

		if (a->kind != ARG_POINTER || a->child == ARG_NONE)
			continue;
		a->value = at;
		at += (arg_size(p, a->child) + 63) & ~63ull;
		if (at > DATA_BYTES / 2)
			at = 0;
	}
}

static struct prog *make_prog(const struct prog_target *t, size_t first)
{
	const struct desc *d = prog_target_desc(t);
	struct prog *p = prog_new(t);

	for (size_t i = 0; i < CALLS; i++)
		tree_add_call(p, (uint32_t)((first + i) % d->ncalls), true);
	place_pointers(p);
	return p;
}

static void bench_encode(struct prog **progs, size_t n)
{
	_cleanup_(buf_deinit) struct buf wire = {};
	double best = 1e9;
	size_t bytes = 0, args = 0;

	for (int round = 0; round < ROUNDS; round++) {
		double start = now_us();

		bytes = 0;
		for (size_t i = 0; i < n; i++) {
			wire.len = 0;
			struct error *err = prog_encode(progs[i], 0, &wire);

			if (err) {
				fprintf(stderr, "%s\n", error_message(err));
				exit(1);
			}
			bytes += wire.len;
		}
		double took = (now_us() - start) / (double)n;

		best = took < best ? took : best;
	}
	for (size_t i = 0; i < n; i++)
		args += progs[i]->args.len;
	printf("encode: %.2f us a program of %d calls, %zu arguments, %zu "
	       "bytes (target: under %.0f)\n",
	       best, CALLS, args / n, bytes / n, ENCODE_TARGET_US);
}

int main(int argc, char **argv)
{
	struct prog *progs[MAX_PROGS];
	size_t n = 0;

	if (argc < 2)
		return 2;
	struct desc_input *in = desc_input_new();
	struct error *err = desc_input_dir(in, argv[1]);
	if (err) {
		fprintf(stderr, "%s\n", error_message(err));
		return 77;
	}
	struct desc *d = desc_compile(in, desc_arch_find(SLICE("amd64")));
	struct prog_target *t = prog_target_new(d);

	if (desc_errors(in) || !d->ncalls)
		return 1;
	for (size_t i = 0; i < d->ncalls && n < MAX_PROGS; i += CALLS)
		progs[n++] = make_prog(t, i);
	bench_encode(progs, n);
	while (n--)
		prog_free(progs[n]);
	prog_target_free(t);
	desc_free(d);
	desc_input_free(in);
	return 0;
}
