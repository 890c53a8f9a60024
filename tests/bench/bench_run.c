/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bench_run.c - how fast programs run in a guest, beside what was promised.
 *
 *	bench_run KERNEL-FILE.SH KERNEL FRESH_TARGET KEPT_TARGET [COVERAGE]
 *
 * One VM, programs of five cheap calls, edge signals collected and made known
 * as a fuzzer does.  Once with a process per program (the target is 80 % of the
 * guest's own fork and exit rate, shared/kernel/README.md), once with the
 * worker kept.  COVERAGE is kcov (the default), plugin or none.  A target that is missed is printed, not an error: a loaded
 * machine measures its load.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../kernel_file.h"
#include "guest/guest.h"
#include "prog/prog.h"

enum { EXIT_SKIP = 77, RUNS = 5, RUN_S = 2, ANSWER_MS = 20000 };

static const char text[] =
	"r0 = openat(0xffffffffffffff9c, &AUTO='/dev/null\\x00', 0x2, 0x0)\n"
	"write(r0, &AUTO='x', 0x1)\nlseek(r0, 0x0, 0x0)\n"
	"close(r0)\ngetpid()\n";

static void must(struct error *err)
{
	if (!err)
		return;
	fprintf(stderr, "%s\n", error_message(err));
	exit(1);
}

static double now_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static enum wire_cover_source source = WIRE_COVER_KCOV;

/* Take one answer; every call of it must have run. */
static void take(struct guest *g)
{
	struct wire_result res;
	bool got;

	must(guest_take(g, ANSWER_MS, &res, &got));
	if (!got || res.head.status != WIRE_DONE || res.ncalls != 5) {
		fprintf(stderr, "no answer: %s\n", vm_death(guest_vm(g))->why);
		exit(1);
	}
	for (uint32_t i = 0; i < res.ncalls; i++) {
		struct wire_u32s news = wire_signals(&res, i);

		if (res.calls[i].err ||
		    (source != WIRE_COVER_NONE && !res.calls[i].trace_len))
			exit((fprintf(stderr, "call %u failed\n", i), 1));
		wire_max_add(guest_wire(g), news.data, news.len);
	}
}

/* Answers per second over RUN_S seconds, the queue kept full. */
static double rate(struct guest *g, uint32_t flags, struct slice payload)
{
	struct wire_request req = { .kind = WIRE_PROGRAM, .flags = flags };
	double from = now_s();
	unsigned got = 0;

	for (; now_s() < from + RUN_S; got++) {
		while (guest_room(g))
			must(guest_submit(g, &req, payload));
		take(g);
	}
	double took = now_s() - from;
	while (wire_pending(guest_wire(g)))
		take(g);
	return got / took;
}

static int by_value(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

static void measure(struct guest *g, const char *what, const char *how,
		    uint32_t flags, struct slice payload, double target)
{
	double v[RUNS];

	rate(g, flags, payload); /* warm up: learn the signals */
	for (int i = 0; i < RUNS; i++)
		v[i] = rate(g, flags, payload);
	qsort(v, RUNS, sizeof(*v), by_value);
	printf("%-16s %-6s %-22s %6.0f programs/s (%.0f to %.0f)  target %.0f  %s\n",
	       what,
	       source == WIRE_COVER_PLUGIN ? "plugin" :
	       source == WIRE_COVER_NONE   ? "none" :
					     "kcov",
	       how, v[RUNS / 2], v[0], v[RUNS - 1], target,
	       v[RUNS / 2] >= target ? "ok" : "MISSED");
}

static struct guest_cover choose(const char *name)
{
	source = !strcmp(name, "plugin") ? WIRE_COVER_PLUGIN :
		 !strcmp(name, "none")	 ? WIRE_COVER_NONE :
					   WIRE_COVER_KCOV;
	return (struct guest_cover){ .source = source,
				     .plugin = source == WIRE_COVER_PLUGIN };
}

/* The program, with the descriptions in sys/ beside kernel-file.sh. */
static void encode(const char *script, struct buf *payload)
{
	_cleanup_(desc_input_freep) struct desc_input *in = desc_input_new();
	_cleanup_(prog_freep) struct prog *p = NULL;
	char dir[512];

	snprintf(dir, sizeof(dir), "%.*ssys",
		 (int)(strrchr(script, '/') + 1 - script), script);
	must(desc_input_dir(in, dir));
	struct desc *d = desc_compile(in, desc_arch_find(SLICE("amd64")));
	struct prog_target *t = prog_target_new(d);

	must(prog_parse(t, "bench", slice_cstr(text), PROG_STRICT, &p));
	must(prog_encode(p, 0, payload));
	prog_target_free(t);
	desc_free(d);
}

int main(int argc, char **argv)
{
	_cleanup_(guest_closep) struct guest *g = NULL;
	_cleanup_(buf_deinit) struct buf payload = {};
	struct vm_config cfg = VM_CONFIG_DEFAULT;
	struct guest_cover cover;
	char kernel[512];

	if (argc < 5)
		return 2;
	cover = choose(argc > 5 ? argv[5] : "kcov");
	if (!kernel_file(argv[1], argv[2], kernel, sizeof(kernel))) {
		printf("skipped: no %s in ../shared/kernel\n", argv[2]);
		return EXIT_SKIP;
	}
	cfg.kernel = kernel;
	cfg.accel = VM_ACCEL_TCG;
	must(guest_open(&cfg, &cover, GUEST_LINK_AUTO, &g));
	must(guest_start(g));
	encode(argv[1], &payload);
	measure(g, argv[2], "a process per program", WIRE_REQ_SIGNAL,
		buf_as_slice(&payload), atof(argv[3]));
	measure(g, argv[2], "the worker kept",
		WIRE_REQ_SIGNAL | WIRE_REQ_KEEP | WIRE_REQ_THREADS,
		buf_as_slice(&payload), atof(argv[4]));
	return 0;
}
