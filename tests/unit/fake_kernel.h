/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fake_kernel.h - a kernel made of arithmetic, for tests of the loop.
 *
 * Boxes are opened, set, tuned, loaded and fired, in this order; each step asks
 * for something of the arguments, and the last one "crashes".  Each branch is a
 * program counter; values compared are told as KCOV does.
 */
#ifndef FAKE_KERNEL_H
#define FAKE_KERNEL_H

#include "fuzz/fuzz.h"
#include "prog/tree.h"
#include "wire/wire.h"

static const char fake_text[] =
	"resource box[int32]: -1\n"
	"box_open(mode flags[box_modes]) box\n"
	"box_set(b box, v int32)\n"
	"box_tune(b box, how flags[box_hows], n int8)\n"
	"box_load(b box, data ptr[in, array[int8]], n len[data])\n"
	"box_fire(b box, n int64)\n"
	"box_noise(a int64, b int64)\n"
	"box_modes = 1, 2, 4, 8\n"
	"box_hows = 16, 32, 64, 128\n";

static const char fake_consts[] =
	"arches = amd64\n__NR_box_open = 1\n__NR_box_set = 2\n"
	"__NR_box_tune = 3\n__NR_box_load = 4\n__NR_box_fire = 5\n"
	"__NR_box_noise = 6\n";

struct fake_kernel {
	struct desc *d;
	struct prog_target *t;
	struct rng noise; /* of flaky signals */
	unsigned flaky; /* one in so many runs brings a random signal */
	uint64_t execs, asynchronous;
	bool crashed;
	/* Of the run under way. */
	unsigned state[64], nboxes;
	uint32_t made[64]; /* arguments that are boxes */
	uint64_t trace[256];
	uint32_t ntrace;
	struct wire_cmp cmps[256];
	uint32_t ncmps;
	struct fuzz_call calls[PROG_MAX_CALLS];
	uint32_t signals[4096];
	uint32_t nsignals;
	uint64_t pcs[4096];
	uint32_t npcs;
	struct wire_cmp all_cmps[4096];
	uint32_t nall_cmps;
};

static inline void fake_init(struct fake_kernel *k)
{
	struct desc_input *in = desc_input_new();

	memset(k, 0, sizeof(*k));
	desc_input_text(in, "fake.txt", slice_cstr(fake_text));
	desc_input_text(in, "fake.const", slice_cstr(fake_consts));
	k->d = desc_compile(in, desc_arch_find(SLICE("amd64")));
	assert_int_equal(desc_errors(in), 0);
	desc_input_free(in);
	k->t = prog_target_new(k->d);
	rng_seed(&k->noise, 1);
}

static inline void fake_deinit(struct fake_kernel *k)
{
	prog_target_free(k->t);
	desc_free(k->d);
}

static inline void fake_at(struct fake_kernel *k, uint64_t pc)
{
	if (k->ntrace < 256)
		k->trace[k->ntrace++] = 0xffffffff81000000u + pc * 16;
}

/* The kernel compares with a constant of its own. */
static inline bool fake_is(struct fake_kernel *k, uint64_t value,
			   uint64_t constant, unsigned size_bits)
{
	if (k->ncmps < 256)
		k->cmps[k->ncmps++] = (struct wire_cmp){
			.type = 1 | size_bits << 1,
			.arg1 = constant,
			.arg2 = value,
		};
	return value == constant;
}

static inline unsigned *fake_box(struct fake_kernel *k, const struct prog *p,
				 uint32_t arg)
{
	const struct arg *a = arg_at(p, arg);

	for (unsigned i = 0; a->child != ARG_NONE && i < k->nboxes; i++)
		if (k->made[i] == a->child)
			return &k->state[i];
	return NULL;
}

static inline int fake_call(struct fake_kernel *k, const struct prog *p,
			    const struct call *c)
{
	const char *name = desc_name(k->d, k->d->calls[c->id].name);
	uint32_t a1 = arg_at(p, c->arg)->next;
	unsigned *box = fake_box(k, p, c->arg);

	fake_at(k, c->id);
	if (!strcmp(name, "box_open")) {
		if (arg_at(p, c->arg)->value > 15)
			return 22;
		if (k->nboxes == 64)
			return 24;
		k->state[k->nboxes] = 0;
		k->made[k->nboxes++] = c->ret;
		return 0;
	}
	if (!strcmp(name, "box_noise")) {
		for (unsigned bit = 0; bit < 6; bit++)
			if (arg_at(p, c->arg)->value >> bit & 1)
				fake_at(k, 100 + bit);
		return 0;
	}
	if (!box)
		return 9;
	fake_at(k, 20);
	if (!strcmp(name, "box_set")) {
		if (!fake_is(k, (uint32_t)arg_at(p, a1)->value, 0xb0c5e7, 2))
			return 22;
		fake_at(k, 30);
		*box = 1;
	} else if (!strcmp(name, "box_tune")) {
		if (*box < 1 || !(arg_at(p, a1)->value & 64))
			return 22;
		fake_at(k, 40);
		*box = *box > 2 ? *box : 2;
	} else if (!strcmp(name, "box_load")) {
		const struct arg *ptr = arg_at(p, a1), *data;
		uint32_t magic = 0;

		if (*box < 2 || ptr->child == ARG_NONE)
			return 22;
		fake_at(k, 50);
		data = arg_at(p, ptr->child);
		if (data->kind != ARG_DATA || data->len < 4)
			return 22;
		memcpy(&magic, p->bytes.data + data->from, 4);
		fake_at(k, 51);
		if (!fake_is(k, magic, 0x4e475542, 2))
			return 22;
		fake_at(k, 52);
		*box = 3;
	} else if (!strcmp(name, "box_fire")) {
		if (*box < 3)
			return 22;
		fake_at(k, 60);
		if (!fake_is(k, arg_at(p, a1)->value, 0x123456789abc, 3))
			return 22;
		fake_at(k, 61);
		k->crashed = true;
	}
	return 0;
}

static inline void fake_collect(struct fake_kernel *k, struct fuzz_call *r)
{
	uint64_t prev = 0;

	r->signal = k->signals + k->nsignals;
	r->pc = k->pcs + k->npcs;
	r->cmp = k->all_cmps + k->nall_cmps;
	for (uint32_t i = 0; i < k->ntrace && k->nsignals < 4000; i++) {
		k->signals[k->nsignals++] = wire_edge(prev, k->trace[i]);
		k->pcs[k->npcs++] = prev = k->trace[i];
		r->nsignal++;
		r->npc++;
	}
	if (k->flaky && rng_one_of(&k->noise, k->flaky)) {
		k->signals[k->nsignals++] =
			1 + (uint32_t)rng_below(&k->noise, 1u << 31);
		r->nsignal++;
	}
	for (uint32_t i = 0; i < k->ncmps && k->nall_cmps < 4096; i++) {
		k->all_cmps[k->nall_cmps++] = k->cmps[i];
		r->ncmp++;
	}
}

/* Run a program; what it brought is valid until the next one. */
static inline struct fuzz_result fake_run(struct fake_kernel *k,
					  const struct prog *p)
{
	k->execs++;
	k->nboxes = k->nsignals = k->npcs = k->nall_cmps = 0;
	for (size_t i = 0; i < p->calls.len; i++) {
		struct fuzz_call *r = &k->calls[i];

		*r = (struct fuzz_call){ .called = true, .returned = true };
		k->ntrace = k->ncmps = 0;
		/* Three things may fail in each call. */
		r->fault_hit = p->calls.data[i].props.fail_nth &&
			       p->calls.data[i].props.fail_nth <= 3;
		k->asynchronous += p->calls.data[i].props.async;
		if (r->fault_hit) {
			r->err = 12;
			fake_at(k, 200 + p->calls.data[i].props.fail_nth);
		} else {
			r->err = fake_call(k, p, &p->calls.data[i]);
		}
		fake_collect(k, r);
	}
	return (struct fuzz_result){ .calls = k->calls,
				     .ncalls = p->calls.len,
				     .elapsed_ns = 100000 };
}

#endif /* FAKE_KERNEL_H */
