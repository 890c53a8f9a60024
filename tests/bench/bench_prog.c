/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Programs: bench_prog DESCRIPTIONS, or those of a syzkaller tree when
 * BUGON_SYZKALLER names one.  In memory: of 30 calls each, all calls of the
 * descriptions in turn, with pointers to something in every place.  As text:
 * the small ones of the tree, or the same.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/io.h"
#include "prog/tree.h"

enum { CALLS = 30, ROUNDS = 20, MAX_PROGS = 1000, SMALL_BYTES = 8 << 10 };
#define ENCODE_TARGET_US 10.0
#define PARSE_TARGET_MS 40.0
#define SIZES_TARGET_NS 300.0

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

/* ---- Lengths ---- */

static void bench_sizes(struct prog **progs, size_t n)
{
	double best = 1e9;
	size_t calls = 0;

	for (size_t i = 0; i < n; i++)
		calls += progs[i]->calls.len;
	for (int round = 0; round < ROUNDS; round++) {
		double start = now_us(), took;

		for (size_t i = 0; i < n; i++)
			vec_for_each(&progs[i]->calls, c)
				prog_assign_sizes(progs[i], c);
		took = (now_us() - start) * 1e3 / (double)calls;
		best = took < best ? took : best;
	}
	printf("lengths: %.0f ns a call (target: under %.0f)\n", best,
	       SIZES_TARGET_NS);
}

/* ---- Text ---- */

struct texts {
	VEC(struct slice) all;
	size_t bytes;
};

static void add_text(struct texts *t, struct buf *text)
{
	vec_push(&t->all, buf_as_slice(text));
	t->bytes += text->len;
	*text = (struct buf){};
}

/* Small programs of a syzkaller tree (DIR/test), without images. */
static void read_texts(const char *dir, struct texts *t)
{
	_cleanup_(buf_deinit) struct buf path = {};
	DIR *d;
	const struct dirent *e;

	buf_printf(&path, "%s/test", dir);
	d = opendir(path.data);
	while (d && (e = readdir(d))) {
		_cleanup_(buf_deinit) struct buf file = {}, text = {};
		struct error *err;

		buf_printf(&file, "%s/%s", path.data, e->d_name);
		err = io_read_file(file.data, SMALL_BYTES, &text);
		if (!err && !slice_has(buf_as_slice(&text), SLICE("\"$")))
			add_text(t, &text);
		error_free(err);
	}
	if (d)
		closedir(d);
}

static void print_progs(struct prog **progs, size_t n, struct texts *t)
{
	for (size_t i = 0; i < n; i++) {
		struct buf text = {};

		prog_to_text(progs[i], &text);
		add_text(t, &text);
	}
}

static void parse_all(const struct prog_target *target, const struct texts *t,
		      double *parse_us, double *print_us)
{
	_cleanup_(buf_deinit) struct buf out = {};
	double start = now_us(), printing = 0;

	vec_for_each(&t->all, text) {
		_cleanup_(prog_freep) struct prog *p = NULL;
		struct error *err =
			prog_parse(target, "bench", *text, PROG_REPAIR, &p);

		if (err) {
			fprintf(stderr, "%s\n", error_message(err));
			exit(1);
		}

		double from = now_us();

		out.len = 0;
		prog_to_text(p, &out);
		printing += now_us() - from;
	}
	*parse_us = now_us() - start - printing;
	*print_us = printing;
}

static void bench_text(const struct prog_target *target, const char *dir,
		       struct prog **progs, size_t n)
{
	struct texts t = {};
	double parse = 1e18, print = 1e18;

	read_texts(dir, &t);
	if (!t.all.len)
		print_progs(progs, n, &t);
	for (int round = 0; round < ROUNDS; round++) {
		double a, b;

		parse_all(target, &t, &a, &b);
		parse = a < parse ? a : parse;
		print = b < print ? b : print;
	}

	double mb = (double)t.bytes / (1 << 20);

	printf("parse: %.1f ms for 1 MB of programs of %zu bytes (target: "
	       "under %.0f)\nprint: %.1f ms\n",
	       parse / 1e3 / mb, t.bytes / t.all.len, PARSE_TARGET_MS,
	       print / 1e3 / mb);
	vec_for_each(&t.all, text)
		free((void *)(uintptr_t)text->p);
	vec_free(&t.all);
}

int main(int argc, char **argv)
{
	const char *tree = getenv("BUGON_SYZKALLER");
	struct prog *progs[MAX_PROGS];
	char path[4096];
	size_t n = 0;

	if (argc < 2)
		return 2;
	if (tree) /* more calls than ours, and programs */
		snprintf(path, sizeof(path), "%s/sys/linux", tree);

	const char *dir = tree ? path : argv[1];
	struct desc_input *in = desc_input_new();
	struct error *err = desc_input_dir(in, dir);

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
	bench_sizes(progs, n);
	bench_text(t, dir, progs, n);
	while (n--)
		prog_free(progs[n]);
	prog_target_free(t);
	desc_free(d);
	desc_input_free(in);
	return 0;
}
