/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bench_symbolize.c - how fast frames of the shared vmlinux are symbolized.
 *
 *	bench_symbolize KERNEL-FILE.SH
 *
 * The page cache is warm, the process is not: it is forked for each figure.
 * Processor time, the kernel's included, so that other work on the machine
 * counts less.  A missed target is printed, not an error.
 * Frames are of random functions of the whole kernel, at random offsets.  Those
 * "from the start" are the first that a new process reads: opening the file is
 * in their time, and the worst of COLD_RUNS sets of frames is told.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "../kernel_file.h"
#include "base/buf.h"
#include "elf/internal.h"

enum { SKIP = 77, FIRST_RUNS = 9, COLD_RUNS = 3 };
enum { FRAMES = 20000, REPORT_FRAMES = 500 };

static long peak_kb; /* of the last child */

static double now_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void must(struct error *err)
{
	if (!err)
		return;
	fprintf(stderr, "bench_symbolize: %s\n", error_message(err));
	exit(1);
}

/* `nr` return addresses all over the kernel, as lines of a trace. */
static void make_frames(const char *vmlinux, size_t nr, unsigned seed,
			struct buf *out)
{
	_cleanup_(image_closep) struct image *img = NULL;

	must(image_open(vmlinux, &img));
	while (nr) {
		const struct sym *sym =
			&img->symtab.syms[(unsigned)rand_r(&seed) %
					  img->symtab.nr];

		if (sym->size < 16)
			continue;
		buf_printf(out, " %s+0x%llx/0x%llx\n", sym->name,
			   1 + (unsigned)rand_r(&seed) %
					   (unsigned long long)sym->size,
			   (unsigned long long)(sym->end - sym->addr));
		nr--;
	}
}

static double first_frame_s(const char *vmlinux)
{
	_cleanup_(symbols_closep) struct symbols *s = NULL;
	_cleanup_(buf_deinit) struct buf out = {};
	double from = now_s();

	must(symbols_open(vmlinux, NULL, &s));
	symbolize_line(s, SLICE(" panic+0x5ff/0x6e0"), &out);
	if (!strstr(buf_cstr(&out), "kernel/panic.c:"))
		fprintf(stderr, "not symbolized: %s", buf_cstr(&out));
	return now_s() - from;
}

static unsigned long nr_lookups(const struct symbols *s)
{
	struct symbols_stats st = symbols_stats(s);
	unsigned long nr = 0;

	for (int i = 0; i < SYMBOLS_NR_STATUS; i++)
		nr += st.nr[i];
	return nr;
}

/* Without `before`: with the time to open the kernel. */
static double frames_per_s(const char *vmlinux, const struct buf *before,
			   const struct buf *text, unsigned times)
{
	_cleanup_(symbols_closep) struct symbols *s = NULL;
	_cleanup_(buf_deinit) struct buf out = {};
	double from = now_s();

	must(symbols_open(vmlinux, NULL, &s));
	if (before) {
		symbolize_text(s, buf_as_slice(before), &out);
		from = now_s();
	}
	unsigned long nr = nr_lookups(s);
	for (unsigned i = 0; i < times; i++) {
		buf_consume(&out, out.len);
		symbolize_text(s, buf_as_slice(text), &out);
	}
	return (double)(nr_lookups(s) - nr) / (now_s() - from);
}

/* Run in a process of its own and hand the figure over. */
#define IN_CHILD(expr)                                                       \
	({                                                                   \
		struct rusage usage_ = {};                                   \
		int pipe_[2];                                                \
		double value_ = -1;                                          \
		if (pipe(pipe_) != 0)                                        \
			exit(1);                                             \
		pid_t pid_ = fork();                                         \
		if (pid_ == 0) {                                             \
			value_ = (expr);                                     \
			_exit(write(pipe_[1], &value_, sizeof(value_)) < 0); \
		}                                                            \
		close(pipe_[1]);                                             \
		if (read(pipe_[0], &value_, sizeof(value_)) < 0)             \
			value_ = -1;                                         \
		close(pipe_[0]);                                             \
		wait4(pid_, NULL, 0, &usage_);                               \
		peak_kb = usage_.ru_maxrss;                                  \
		value_;                                                      \
	})

static int by_value(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

static void row(const char *what, double got, double target, bool at_least)
{
	printf("%-46s %10.*f  target %s %g  %s\n", what, at_least ? 0 : 3, got,
	       at_least ? ">=" : "<=", target,
	       (at_least ? got >= target : got <= target) ? "ok" : "MISSED");
}

/* The slowest of COLD_RUNS sets of frames. */
static double cold_frames_per_s(const char *vmlinux)
{
	double worst = 0;

	for (unsigned i = 0; i < COLD_RUNS; i++) {
		_cleanup_(buf_deinit) struct buf cold = {};

		make_frames(vmlinux, FRAMES, 4 + i, &cold);
		double speed = IN_CHILD(frames_per_s(vmlinux, NULL, &cold, 1));
		worst = !i || speed < worst ? speed : worst;
	}
	return worst;
}

int main(int argc, char **argv)
{
	_cleanup_(buf_deinit) struct buf report = {}, one = {}, two = {};
	double first[FIRST_RUNS];
	char vmlinux[512];

	if (argc != 2)
		return 2;
	if (!kernel_file(argv[1], "x86-6.12/vmlinux", vmlinux,
			 sizeof(vmlinux))) {
		puts("skipped: no x86-6.12/vmlinux in ../shared/kernel");
		return SKIP;
	}
	make_frames(vmlinux, REPORT_FRAMES, 1, &report);
	make_frames(vmlinux, FRAMES, 2, &one);
	make_frames(vmlinux, FRAMES, 3, &two);
	for (int i = 0; i < FIRST_RUNS; i++)
		first[i] = IN_CHILD(first_frame_s(vmlinux));
	qsort(first, FIRST_RUNS, sizeof(*first), by_value);
	row("first frame, seconds (median)", first[FIRST_RUNS / 2], 0.3, false);
	row("500 frames again and again, per second",
	    IN_CHILD(frames_per_s(vmlinux, &report, &report, 100)), 20000,
	    true);
	row("20,000 new frames, units known, per second",
	    IN_CHILD(frames_per_s(vmlinux, &one, &two, 1)), 20000, true);
	row("20,000 new frames from the start, per second",
	    cold_frames_per_s(vmlinux), 20000, true);
	printf("its peak memory %33ld MB\n", peak_kb / 1024);
	return 0;
}
