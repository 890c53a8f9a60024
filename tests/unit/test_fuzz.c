/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The loop against a kernel made of arithmetic. */
#include "unit.h"

#include "fake_kernel.h"
#include "fuzz/fuzz.h"

static struct fuzz *start(struct fake_kernel *k, uint64_t seed, bool learn)
{
	struct fuzz_config cfg = { .target = k->t,
				   .seed = seed,
				   .calls = 8,
				   .fixed_weights = !learn,
				   .comparisons = true };

	return fuzz_new(&cfg);
}

static void step(struct fuzz *f, struct fake_kernel *k)
{
	struct fuzz_job *j = fuzz_next(f);
	struct fuzz_result r;

	assert_null(prog_validate(j->prog));
	r = fake_run(k, j->prog);
	fuzz_done(f, j, &r);
}

/* Executions until the last step of the chain; 0: not found. */
static uint64_t find_chain(uint64_t seed, uint64_t most, bool learn)
{
	struct fake_kernel k;
	struct fuzz *f;
	uint64_t found;

	fake_init(&k);
	f = start(&k, seed, learn);
	while (!k.crashed && k.execs < most)
		step(f, &k);
	found = k.crashed ? k.execs : 0;
	fuzz_free(f);
	fake_deinit(&k);
	return found;
}

#define ENOUGH 60000

/* Five conditions that depend on each other, with and without learning. */
static void chain_is_found(void **state)
{
	for (uint64_t seed = 1; seed <= 10; seed++) {
		uint64_t n = find_chain(seed, ENOUGH, seed % 2);

		print_message("# seed %d: %d executions\n", (int)seed, (int)n);
		assert_true(n > 0);
	}
}

/* The control: the same generator without feedback does not get there. */
static void chance_does_not_find_it(void **state)
{
	struct fake_kernel k;
	struct prog_choices *c;
	struct rng rng;

	fake_init(&k);
	c = prog_choices_new(k.t, NULL, NULL, 0);
	rng_seed(&rng, 1);
	while (k.execs < 10ull * ENOUGH && !k.crashed) {
		struct prog *p = prog_generate(c, &rng, 8);

		fake_run(&k, p);
		prog_free(p);
	}
	assert_false(k.crashed);
	prog_choices_free(c);
	fake_deinit(&k);
}

static void corpus_text(const struct fuzz *f, struct buf *out)
{
	struct fuzz_stats s;
	const uint32_t *signal;
	size_t call, n;

	fuzz_stats(f, &s);
	for (size_t i = 0; i < s.corpus; i++) {
		prog_to_text(fuzz_corpus(f, i, &call, &signal, &n), out);
		buf_printf(out, "# call %zu, signal %zu\n", call, n);
	}
}

static void same_seed_same_corpus(void **state)
{
	struct buf text[3] = {};

	for (int i = 0; i < 3; i++) {
		struct fake_kernel k;
		struct fuzz *f;

		fake_init(&k);
		f = start(&k, i == 2 ? 8 : 7, true);
		while (k.execs < 5000)
			step(f, &k);
		corpus_text(f, &text[i]);
		fuzz_free(f);
		fake_deinit(&k);
	}
	assert_string_equal(buf_cstr(&text[0]), buf_cstr(&text[1]));
	assert_string_not_equal(buf_cstr(&text[0]), buf_cstr(&text[2]));
	for (int i = 0; i < 3; i++)
		buf_deinit(&text[i]);
}

/* What comes once does not get into the corpus. */
static void flaky_signals(void **state)
{
	struct fake_kernel k;
	struct fuzz_stats s;
	struct fuzz *f;

	fake_init(&k);
	k.flaky = 4;
	f = start(&k, 3, true);
	while (k.execs < 20000)
		step(f, &k);
	fuzz_stats(f, &s);
	assert_true(s.flaky > 100);
	assert_true(s.corpus < 80);
	assert_true(s.max_signal > s.signal);
	fuzz_free(f);
	fake_deinit(&k);
}

/* Programs of the corpus are small: what a call needs, and the call. */
static void corpus_is_minimal(void **state)
{
	struct fake_kernel k;
	struct fuzz_stats s;
	struct fuzz *f;
	size_t calls = 0, call, n;
	const uint32_t *signal;

	fake_init(&k);
	f = start(&k, 5, true);
	while (k.execs < 20000)
		step(f, &k);
	fuzz_stats(f, &s);
	assert_true(s.corpus > 10);
	for (size_t i = 0; i < s.corpus; i++)
		calls += prog_ncalls(fuzz_corpus(f, i, &call, &signal, &n));
	assert_true(calls < 3 * s.corpus);
	fuzz_free(f);
	fake_deinit(&k);
}

/* Jobs that get lost, and jobs that end in another order. */
static void lost_and_late(void **state)
{
	struct fake_kernel k;
	struct fuzz_job *under_way[16] = {};
	struct fuzz_stats s;
	struct fuzz *f;
	struct rng rng;

	fake_init(&k);
	f = start(&k, 9, true);
	rng_seed(&rng, 2);
	for (unsigned i = 0; i < 20000; i++) {
		size_t at = rng_below(&rng, 16);
		struct fuzz_job *j = under_way[at];

		if (j && rng_one_of(&rng, 10)) {
			if (rng_one_of(&rng, 2))
				fuzz_lost(f, j);
			else
				fuzz_again(f, j);
		} else if (j) {
			struct fuzz_result r = fake_run(&k, j->prog);

			fuzz_done(f, j, &r);
		}
		under_way[at] = fuzz_next(f);
	}
	for (unsigned i = 0; i < 16; i++)
		if (under_way[i])
			fuzz_lost(f, under_way[i]);
	fuzz_stats(f, &s);
	assert_true(s.corpus > 10);
	fuzz_free(f);
	fake_deinit(&k);
}

/* Faults go on as long as they hit: one more than there are; collisions run. */
static void faults_and_collisions(void **state)
{
	struct fuzz_config cfg = { .seed = 6, .calls = 8, .faults = true };
	struct fake_kernel k;
	struct fuzz_stats s;
	struct fuzz *f;

	fake_init(&k);
	cfg.target = k.t;
	f = fuzz_new(&cfg);
	while (k.execs < 20000)
		step(f, &k);
	fuzz_stats(f, &s);
	assert_int_equal(s.execs_of[FUZZ_FAULT], 4 * s.corpus);
	assert_true(s.execs_of[FUZZ_COLLIDE] > 0);
	assert_true(k.asynchronous > s.execs_of[FUZZ_COLLIDE] / 4);
	fuzz_free(f);
	fake_deinit(&k);
}

static void count_joined(void *ctx, const struct prog *p, size_t call,
			 const uint32_t *signal, size_t n)
{
	assert_true(n > 0);
	assert_true(call < prog_ncalls(p));
	++*(size_t *)ctx;
}

/* Programs from outside come first, the last one before the others. */
static void candidates(void **state)
{
	struct fuzz_config cfg = { .seed = 6, .calls = 8 };
	_cleanup_(buf_deinit) struct buf got = {};
	const uint32_t *signals;
	struct fake_kernel k;
	struct fuzz_stats s;
	struct fuzz_job *j;
	size_t joined = 0;
	struct fuzz *f;

	fake_init(&k);
	cfg.target = k.t;
	cfg.on_corpus = count_joined;
	cfg.corpus_ctx = &joined;
	f = fuzz_new(&cfg);
	for (int i = 0; i < 2; i++) {
		const char *text = i ? "box_noise(0x1, 0x2)\n" :
				       "r0 = box_open(0x3)\n"
				       "box_set(r0, 0xb0c5e7)\n";
		struct prog *p;

		assert_null(prog_parse(k.t, "t", slice_cstr(text), PROG_STRICT,
				       &p));
		fuzz_candidate(f, p);
		prog_free(p);
	}
	/* What has not run is given out again. */
	for (int i = 0; i < 3; i++) {
		got.len = 0;
		j = fuzz_next(f);
		assert_int_equal(j->kind, FUZZ_CANDIDATE);
		prog_to_text(j->prog, &got);
		assert_string_equal(buf_cstr(&got), "box_noise(0x1, 0x2)\n");
		fuzz_again(f, j);
	}
	while (k.execs < 500)
		step(f, &k);
	fuzz_stats(f, &s);
	assert_int_equal(s.execs_of[FUZZ_CANDIDATE], 2);
	assert_int_equal(s.corpus, joined);
	assert_true(fuzz_max_signal(f, 0, &signals) == s.max_signal);
	assert_true(fuzz_max_signal(f, s.max_signal - 3, &signals) == 3);
	fuzz_free(f);
	fake_deinit(&k);
}

static unsigned box_load_only(void *ctx, uint64_t pc)
{
	return pc == 0xffffffff81000000u + 51 * 16 ? 255 : 0;
}

/* With a focus, programs that get there are mutated more. */
static void focus(void **state)
{
	uint64_t visits[2] = {};

	for (int with = 0; with < 2; with++) {
		struct fuzz_config cfg = { .seed = 4,
					   .calls = 8,
					   .comparisons = true };
		struct fake_kernel k;
		struct fuzz *f;

		fake_init(&k);
		cfg.target = k.t;
		cfg.focus = with ? box_load_only : NULL;
		f = fuzz_new(&cfg);
		while (k.execs < 60000) {
			struct fuzz_job *j = fuzz_next(f);
			struct fuzz_result r = fake_run(&k, j->prog);

			for (uint32_t i = 0; k.execs > 20000 && i < k.npcs; i++)
				visits[with] += box_load_only(NULL, k.pcs[i]) >
						0;
			fuzz_done(f, j, &r);
		}
		fuzz_free(f);
		fake_deinit(&k);
	}
	print_message("# visits: %d, with focus %d\n", (int)visits[0],
		      (int)visits[1]);
	assert_true(visits[1] > visits[0] * 3 / 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(chain_is_found),
		cmocka_unit_test(chance_does_not_find_it),
		cmocka_unit_test(same_seed_same_corpus),
		cmocka_unit_test(flaky_signals),
		cmocka_unit_test(corpus_is_minimal),
		cmocka_unit_test(lost_and_late),
		cmocka_unit_test(focus),
		cmocka_unit_test(faults_and_collisions),
		cmocka_unit_test(candidates),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
