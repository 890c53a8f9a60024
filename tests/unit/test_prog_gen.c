/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Making programs: choices, generation. */
#include "prog_gen_fixture.h"

#include "base/vec.h"
#include "prog/gen.h"

enum { PROGRAMS = 2000, CALLS = 12 };

/* ---- Which calls --------------------------------------------------------------- */

static void closed(void **state)
{
	struct fixture *f = *state;
	_cleanup_(freep) uint8_t *on = malloc(f->d->ncalls);
	_cleanup_(buf_deinit) struct buf why = {};

	memset(on, 1, f->d->ncalls);
	prog_enabled_close(f->t, on, &why);
	assert_string_equal(buf_cstr(&why),
			    "huge: too large\n"
			    "off: disabled\n"
			    "orphan: no enabled call makes lonely\n"
			    "orphan_user: no enabled call makes lonely\n");
	assert_false(on[fixture_call(f, "huge")]);
	assert_true(on[fixture_call(f, "dup")]);

	/* Without what makes files there is nothing to read or to duplicate. */
	why.len = 0;
	memset(on, 0, f->d->ncalls);
	on[fixture_call(f, "dup")] = on[fixture_call(f, "read")] = 1;
	on[fixture_call(f, "maybe")] = 1;
	prog_enabled_close(f->t, on, &why);
	assert_string_equal(buf_cstr(&why), "dup: no enabled call makes fd\n"
					    "read: no enabled call makes fd\n");
	assert_true(on[fixture_call(f, "maybe")]);
}

/* How often, of 10,000, `next` follows `first`. */
static unsigned int follows(const struct prog_choices *c,
			    const struct fixture *f, const char *first,
			    const char *next)
{
	struct rng rng;
	unsigned int n = 0;

	rng_seed(&rng, 5);
	for (int i = 0; i < 10000; i++)
		n += prog_choices_pick(c, &rng, fixture_call(f, first)) ==
		     fixture_call(f, next);
	return n;
}

static void related(void **state)
{
	struct fixture *f = *state;
	_cleanup_(prog_choices_freep) struct prog_choices *c =
		prog_choices_new(f->t, NULL, NULL, 0);

	/* The same resource; the same struct; nothing in common. */
	assert_true(follows(c, f, "timer", "timer_set") > 2000);
	assert_true(follows(c, f, "clock_get", "clock_set") > 2000);
	assert_true(follows(c, f, "timer", "clock_set") < 200);
	assert_int_equal(follows(c, f, "timer", "hidden"), 0);
	assert_int_equal(follows(c, f, "timer", "off"), 0);
}

static void related_by_corpus(void **state)
{
	struct fixture *f = *state;

	tree_add_call(f->p, fixture_call(f, "timer"), true);
	tree_add_call(f->p, fixture_call(f, "clock_set"), true);
	tree_add_call(f->p, fixture_call(f, "hidden"), true);

	const struct prog *corpus[] = { f->p };
	_cleanup_(prog_choices_freep) struct prog_choices *c =
		prog_choices_new(f->t, NULL, corpus, 1);

	assert_true(follows(c, f, "timer", "clock_set") > 2000);
	assert_int_equal(follows(c, f, "timer", "hidden"), 0);
}

static void nothing_to_choose(void **state)
{
	struct fixture *f = *state;
	_cleanup_(freep) uint8_t *none = calloc(f->d->ncalls, 1);
	_cleanup_(prog_choices_freep) struct prog_choices *c =
		prog_choices_new(f->t, none, NULL, 0);
	struct rng rng;

	rng_seed(&rng, 1);
	assert_true(prog_choices_pick(c, &rng, PROG_NO_CALL) == PROG_NO_CALL);

	_cleanup_(prog_freep) struct prog *p = prog_generate(c, &rng, 10);

	assert_int_equal(prog_ncalls(p), 0);
}

/* ---- Programs -------------------------------------------------------------------- */

static void generated(void **state)
{
	struct fixture *f = *state;
	_cleanup_(prog_choices_freep) struct prog_choices *c =
		prog_choices_new(f->t, NULL, NULL, 0);
	_cleanup_(freep) uint32_t *seen = calloc(f->d->ncalls, sizeof(*seen));
	uint32_t refs = 0;
	struct rng rng;

	rng_seed(&rng, 1);
	for (int i = 0; i < PROGRAMS; i++) {
		_cleanup_(prog_freep) struct prog *p =
			prog_generate(c, &rng, CALLS);

		assert_valid(p);
		assert_int_equal(prog_ncalls(p), CALLS);
		for (size_t k = 0; k < CALLS; k++)
			seen[prog_call_id(p, k)]++;
		vec_for_each(&p->args, a)
			refs += a->kind == ARG_RESULT && a->child != ARG_NONE;
	}
	assert_true(refs > PROGRAMS);
	for (size_t i = 0; i < f->d->ncalls; i++)
		if (choices_have(c, (uint32_t)i))
			assert_true(seen[i] > 0);
		else
			assert_int_equal(seen[i], 0);
}

static void reproducible(void **state)
{
	struct fixture *f = *state;
	_cleanup_(prog_choices_freep) struct prog_choices *c =
		prog_choices_new(f->t, NULL, NULL, 0);
	_cleanup_(buf_deinit) struct buf a = {}, b = {}, other = {};
	struct buf *to[] = { &a, &b, &other };

	for (uint64_t i = 0; i < 3; i++) {
		struct rng rng;

		rng_seed(&rng, i / 2);
		for (int k = 0; k < 20; k++) {
			_cleanup_(prog_freep) struct prog *p =
				prog_generate(c, &rng, CALLS);

			prog_to_text(p, to[i]);
		}
	}
	assert_string_equal(a.data, b.data);
	assert_string_not_equal(a.data, other.data);
}

/* Text says everything: what is parsed again prints the same. */
static void as_text(void **state)
{
	struct fixture *f = *state;
	_cleanup_(prog_choices_freep) struct prog_choices *c =
		prog_choices_new(f->t, NULL, NULL, 0);
	struct rng rng;

	rng_seed(&rng, 3);
	for (int i = 0; i < 200; i++) {
		_cleanup_(prog_freep) struct prog *p = prog_generate(c, &rng,
								     CALLS),
						  *again = NULL;
		_cleanup_(buf_deinit) struct buf one = {}, two = {};

		prog_to_text(p, &one);
		assert_null(prog_parse(f->t, "p", buf_as_slice(&one),
				       PROG_STRICT, &again));
		assert_valid(again);
		prog_to_text(again, &two);
		assert_string_equal(one.data, two.data);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(closed),
		TEST(related),
		TEST(related_by_corpus),
		TEST(nothing_to_choose),
		TEST(generated),
		TEST(reproducible),
		TEST(as_text),
	};

	return cmocka_run_group_tests_name("prog_gen", tests, NULL, NULL);
}
