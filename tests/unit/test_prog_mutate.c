/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Changes of programs: the rules stay kept, and everything happens sometimes. */
#include <unistd.h>

#include "prog_gen_fixture.h"

#include "base/vec.h"
#include "prog/gen.h"

enum { CORPUS = 50, CALLS = 12, ROUNDS = 20000 };

struct making {
	struct prog_choices *choices;
	struct prog *corpus[CORPUS];
	struct rng rng;
	struct prog_mutation how;
};

static void making_init(struct making *m, const struct prog_target *t,
			uint64_t seed)
{
	rng_seed(&m->rng, seed);
	m->choices = prog_choices_new(t, NULL, NULL, 0);
	for (int i = 0; i < CORPUS; i++)
		m->corpus[i] = prog_generate(m->choices, &m->rng, CALLS);
	m->how = (struct prog_mutation){
		.choices = m->choices,
		.corpus = (const struct prog *const *)m->corpus,
		.ncorpus = CORPUS,
		.max_calls = CALLS + 3,
		.props = true,
	};
}

static void making_deinit(struct making *m)
{
	for (int i = 0; i < CORPUS; i++)
		prog_free(m->corpus[i]);
	prog_choices_free(m->choices);
}

static const struct prog *one_of_corpus(struct making *m)
{
	return m->corpus[rng_below(&m->rng, CORPUS)];
}

/* Mutants of mutants, `rounds` in all, begun anew now and then. */
static void mutate_many(struct making *m, const struct prog_target *t,
			int rounds)
{
	_cleanup_(prog_freep) struct prog *p = prog_new(t);

	for (int i = 0; i < rounds; i++) {
		if (!(i % 20))
			prog_assign(p, one_of_corpus(m));
		prog_mutate(p, &m->how, &m->rng);
		assert_valid(p);
		assert_in_range(prog_ncalls(p), 1, CALLS + 3);
	}
}

static void valid(void **state)
{
	struct fixture *f = *state;
	struct making m;

	making_init(&m, f->t, 1);
	mutate_many(&m, f->t, ROUNDS);
	making_deinit(&m);
}

/* How a program differs from what it was. */
enum { LONGER, SHORTER, PROPS, SAME_CALLS, ANY, UNCHANGED, KINDS };

static void count(const struct prog *was, const struct prog *p, uint32_t *n)
{
	_cleanup_(buf_deinit) struct buf a = {}, b = {};

	prog_to_text(was, &a);
	prog_to_text(p, &b);
	n[LONGER] += prog_ncalls(p) > prog_ncalls(was);
	n[SHORTER] += prog_ncalls(p) < prog_ncalls(was);
	n[SAME_CALLS] += prog_ncalls(p) == prog_ncalls(was);
	n[ANY] += !!strstr(b.data, "ANY");
	n[PROPS] += strstr(b.data, "fail_nth") || strstr(b.data, "async") ||
		    strstr(b.data, "rerun");
	n[UNCHANGED] += !strcmp(a.data, b.data);
}

static void of_all_kinds(void **state)
{
	struct fixture *f = *state;
	_cleanup_(prog_freep) struct prog *p = prog_new(f->t);
	uint32_t n[KINDS] = {};
	struct making m;

	making_init(&m, f->t, 2);
	for (int i = 0; i < 4000; i++) {
		const struct prog *was = one_of_corpus(&m);

		prog_assign(p, was);
		prog_mutate(p, &m.how, &m.rng);
		count(was, p, n);
	}
	making_deinit(&m);
	assert_in_range(n[LONGER], 600, 2400);
	assert_in_range(n[SHORTER], 150, 800);
	assert_in_range(n[SAME_CALLS], 1200, 3200);
	assert_in_range(n[ANY], 20, 1000);
	assert_in_range(n[PROPS], 60, 400);
	assert_in_range(n[UNCHANGED], 0, 200);
}

static void reproducible(void **state)
{
	struct fixture *f = *state;
	struct buf text[3] = {};

	for (uint64_t i = 0; i < 3; i++) {
		_cleanup_(prog_freep) struct prog *p = prog_new(f->t);
		struct making m;

		making_init(&m, f->t, i / 2);
		for (int k = 0; k < 200; k++) {
			prog_mutate(p, &m.how, &m.rng);
			prog_to_text(p, &text[i]);
		}
		making_deinit(&m);
	}
	assert_string_equal(text[0].data, text[1].data);
	assert_string_not_equal(text[0].data, text[2].data);
	for (int i = 0; i < 3; i++)
		buf_deinit(&text[i]);
}

/* What may not be generated does not come; what is there may be changed. */
static void respectful(void **state)
{
	struct fixture *f = *state;
	uint32_t image = fixture_call(f, "image"), changed = 0;
	_cleanup_(prog_freep) struct prog *p = prog_new(f->t);
	_cleanup_(buf_deinit) struct buf raw = {}, text = {};
	struct making m;

	making_init(&m, f->t, 7);
	for (int i = 0; i < 4000; i++) {
		prog_assign(p, one_of_corpus(&m));
		prog_mutate(p, &m.how, &m.rng);
		for (size_t k = 0; k < prog_ncalls(p); k++) {
			assert_true(choices_have(m.choices,
						 (uint32_t)prog_call_id(p, k)));
		}
	}

	/* An image with something at 4096 only. */
	memset(buf_reserve(&raw, 65536), 0, 65536);
	memset(raw.data + 4096, 0x55, 256);
	raw.len = 65536;
	tree_add_call(f->p, image, true);
	prog_image_deflate(buf_as_slice(&raw), &text);

	uint32_t data = arg_at(f->p, f->p->calls.data[0].arg)->child;

	arg_at(f->p, data)->from = tree_bytes(f->p, text.data, text.len);
	arg_at(f->p, data)->len = (uint32_t)text.len;
	m.how.max_calls = 1;
	for (int i = 0; i < 200; i++) {
		_cleanup_(buf_deinit) struct buf now = {};
		const struct arg *a;

		prog_assign(p, f->p);
		prog_mutate(p, &m.how, &m.rng);
		assert_valid(p);
		if (prog_call_id(p, 0) != image)
			continue;
		a = arg_at(p, p->calls.data[0].arg);
		if (a->child == ARG_NONE)
			continue;
		a = arg_at(p, a->child);
		if (!a->len)
			continue;
		assert_null(prog_image_inflate(
			(struct slice){ p->bytes.data + a->from, a->len },
			PROG_IMAGE_MAX, &now));
		assert_int_equal(now.len, raw.len);
		changed += !!memcmp(now.data + 4096, raw.data + 4096, 256);
	}
	making_deinit(&m);
	assert_in_range(changed, 20, 200);
}

static void from_nothing(void **state)
{
	struct fixture *f = *state;
	_cleanup_(freep) uint8_t *none = calloc(f->d->ncalls, 1);
	_cleanup_(prog_choices_freep) struct prog_choices *c =
		prog_choices_new(f->t, none, NULL, 0);
	struct prog_mutation how = { .choices = c, .max_calls = 5 };
	struct making m;

	making_init(&m, f->t, 3);
	prog_mutate(f->p, &how, &m.rng);
	assert_int_equal(prog_ncalls(f->p), 0);
	prog_mutate(f->p, &m.how, &m.rng);
	assert_true(prog_ncalls(f->p) > 0);
	assert_valid(f->p);
	making_deinit(&m);
}

/* The whole set of descriptions, if there is one. */
static void valid_with_all(void **state)
{
	const char *env = getenv("BUGON_SYZKALLER");
	_cleanup_(desc_input_freep) struct desc_input *in = desc_input_new();
	_cleanup_(buf_deinit) struct buf dir = {};
	struct making m;

	(void)state;
	buf_printf(&dir, "%s/sys/linux", env ? env : "../shared/syzkaller");
	if (access(dir.data, R_OK))
		return; /* cmocka's skip() is a failure in TAP */
	assert_null(desc_input_dir(in, dir.data));

	_cleanup_(desc_freep) struct desc *d =
		desc_compile(in, desc_arch_find(SLICE("amd64")));
	_cleanup_(prog_target_freep) struct prog_target *t = prog_target_new(d);

	making_init(&m, t, 1);
	mutate_many(&m, t, ROUNDS);
	making_deinit(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(valid),
		TEST(of_all_kinds),
		TEST(reproducible),
		TEST(respectful),
		TEST(from_nothing),
		cmocka_unit_test(valid_with_all),
	};

	return cmocka_run_group_tests_name("prog_mutate", tests, NULL, NULL);
}
