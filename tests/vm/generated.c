/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * generated.c - generated programs in a guest: does the executor stand them?
 *
 *	generated KERNEL-FILE.SH KERNEL SYS/LINUX [PROGRAMS [SEED]]
 *
 * Makes programs from our descriptions and runs them.  Each has to get an
 * answer that says what became of it; a guest that crashes or hangs is told
 * apart (that is what programs are for), with the program, and replaced.  At
 * the end: how many of the call variants that ran succeeded at least once; with
 * 10,000 programs or more less than 60 % is a failure.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../kernel_file.h"
#include "base/mem.h"
#include "guest/guest.h"
#include "prog/prog.h"

enum {
	EXIT_SKIP = 77,
	PROGRAMS = 300,
	MANY = 10000, /* enough to ask for the share below */
	SHARE = 60, /* percent */
	CALLS = 10,
	PROGRAM_MS = 3000,
	CALL_MS = 20,
	ANSWER_MS = 60000,
	LAST_WORDS_MS = 1000,
};

struct tally {
	uint8_t *ran, *succeeded; /* by call of the descriptions */
	unsigned status[8], crashes, hangs, too_large, misbehaved;
};

static void must(struct error *err)
{
	if (!err)
		return;
	fprintf(stderr, "%s\n", error_message(err));
	exit(1);
}

static struct desc *descriptions(const char *dir)
{
	struct desc_input *in = desc_input_new();
	struct desc *d;

	must(desc_input_dir(in, dir));
	d = desc_compile(in, desc_arch_find(SLICE("amd64")));
	if (desc_errors(in))
		exit((fprintf(stderr, "%s has errors\n", dir), 1));
	desc_input_free(in);
	return d;
}

static void show(const char *what, const struct prog *p)
{
	_cleanup_(buf_deinit) struct buf text = {};

	prog_to_text(p, &text);
	printf("# %s\n%s\n", what, buf_cstr(&text));
}

/* What a right answer says: a known status, and calls of this program. */
static bool makes_sense(const struct wire_result *res, const struct prog *p)
{
	return res->head.status <= WIRE_ERROR &&
	       res->head.status != WIRE_INVALID &&
	       res->head.status != WIRE_ERROR &&
	       !(res->head.flags & WIRE_RESP_STUCK) &&
	       res->ncalls == prog_ncalls(p);
}

static void count(struct tally *t, const struct wire_result *res,
		  const struct prog *p)
{
	t->status[res->head.status & 7]++;
	if (!makes_sense(res, p)) {
		t->misbehaved++;
		show("no sensible answer:", p);
		printf("# status %u, code %d, %u calls\n", res->head.status,
		       res->head.code, res->ncalls);
		return;
	}
	for (uint32_t i = 0; i < res->ncalls; i++) {
		size_t id = prog_call_id(p, i);

		if (res->calls[i].flags & WIRE_CALLED)
			t->ran[id] = 1;
		if ((res->calls[i].flags & WIRE_RETURNED) && !res->calls[i].err)
			t->succeeded[id] = 1;
	}
}

/* The guest is of no use any more: it crashed, or does not answer. */
static void lost(struct tally *t, struct guest *g, const struct prog *p)
{
	struct vm *vm = guest_vm(g);
	const struct vm_crash *c;
	size_t n;

	must(vm_drain(vm, LAST_WORDS_MS));
	c = vm_crashes(vm, &n);
	if (vm_death(vm)->kind == VM_ALIVE)
		t->hangs++;
	else
		t->crashes++;
	show(n			? c[0].title :
	     vm_death(vm)->kind ? vm_death(vm)->why :
				  "the guest hangs",
	     p);
	must(guest_start(g));
}

static void run(struct tally *t, struct guest *g, const struct prog *p)
{
	_cleanup_(buf_deinit) struct buf payload = {};
	struct wire_request req = { .kind = WIRE_PROGRAM,
				    .flags = WIRE_REQ_KEEP | WIRE_REQ_THREADS,
				    .timeout_ms = PROGRAM_MS,
				    .call_timeout_ms = CALL_MS };
	struct wire_result res;
	bool got;

	must(prog_encode(p, 0, &payload));
	if (payload.len > guest_max_payload(g)) {
		t->too_large++;
		return;
	}
	must(guest_call(g, &req, buf_as_slice(&payload), ANSWER_MS, &res,
			&got));
	if (got)
		count(t, &res, p);
	if (!got || vm_death(guest_vm(g))->kind)
		lost(t, g, p);
}

static int sum_up(const struct tally *t, const struct desc *d, unsigned n)
{
	unsigned ran = 0, succeeded = 0;

	for (size_t i = 0; i < d->ncalls; i++) {
		ran += t->ran[i];
		succeeded += t->succeeded[i];
	}
	printf("# %u programs: %u done, %u exited, %u killed, %u timed out; %u "
	       "crashes, %u hangs, %u too large, %u misbehaved\n",
	       n, t->status[WIRE_DONE], t->status[WIRE_EXITED],
	       t->status[WIRE_KILLED], t->status[WIRE_TIMEOUT], t->crashes,
	       t->hangs, t->too_large, t->misbehaved);
	printf("# %u of %zu call variants ran, %u (%u %%) of them succeeded\n",
	       ran, d->ncalls, succeeded, ran ? 100 * succeeded / ran : 0);
	return t->misbehaved || !ran ||
	       (n >= MANY && 100 * succeeded < SHARE * ran);
}

int main(int argc, char **argv)
{
	_cleanup_(guest_closep) struct guest *g = NULL;
	struct guest_cover cover = { .source = WIRE_COVER_NONE };
	struct vm_config cfg = VM_CONFIG_DEFAULT;
	struct tally t = {};
	char kernel[512];
	unsigned n = argc > 4 ? (unsigned)atoi(argv[4]) : PROGRAMS;
	struct rng rng;

	if (argc < 4)
		return 2;
	if (!kernel_file(argv[1], argv[2], kernel, sizeof(kernel))) {
		printf("skipped: no %s in ../shared/kernel\n", argv[2]);
		return EXIT_SKIP;
	}
	struct desc *d = descriptions(argv[3]);
	struct prog_target *target = prog_target_new(d);
	struct prog_choices *c = prog_choices_new(target, NULL, NULL, 0);

	t.ran = mem_calloc(d->ncalls, 1);
	t.succeeded = mem_calloc(d->ncalls, 1);
	cfg.kernel = kernel;
	cfg.accel = VM_ACCEL_TCG;
	must(guest_open(&cfg, &cover, GUEST_LINK_AUTO, &g));
	must(guest_start(g));
	rng_seed(&rng, argc > 5 ? strtoull(argv[5], NULL, 0) : 1);
	for (unsigned i = 0; i < n; i++) {
		_cleanup_(prog_freep) struct prog *p =
			prog_generate(c, &rng, CALLS);

		run(&t, g, p);
	}
	int bad = sum_up(&t, d, n);

	free(t.ran);
	free(t.succeeded);
	prog_choices_free(c);
	prog_target_free(target);
	desc_free(d);
	return bad;
}
