/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Programs made simpler, and with values that the kernel asks for. */
#include "prog_gen_fixture.h"

#include "base/vec.h"

static struct prog *parsed(struct fixture *f, const char *text)
{
	struct prog *p = NULL;
	struct error *err =
		prog_parse(f->t, "p", slice_cstr(text), PROG_STRICT, &p);

	if (err)
		print_error("%s\n", error_message(err));
	assert_null(err);
	return p;
}

/* ---- Minimising -------------------------------------------------------------- */

struct question {
	const char *want[4]; /* in the text, all of them */
	const char *call; /* the name of the one that stays */
	unsigned int asked;
};

static bool contains(const struct prog *p, size_t keep, void *ctx)
{
	struct question *q = ctx;
	_cleanup_(buf_deinit) struct buf text = {};

	q->asked++;
	assert_valid(p);
	if (q->call)
		assert_string_equal(prog_call_name(p, keep), q->call);
	prog_to_text(p, &text);
	for (size_t i = 0; i < 4 && q->want[i]; i++)
		if (!strstr(buf_cstr(&text), q->want[i]))
			return false;
	return true;
}

static void assert_minimized(struct fixture *f, const char *from,
			     struct question *q, size_t keep, const char *to)
{
	_cleanup_(prog_freep) struct prog *p = parsed(f, from);
	_cleanup_(buf_deinit) struct buf text = {};
	size_t asked = prog_minimize(p, &keep, 1000, contains, q);

	assert_int_equal(asked, q->asked);
	assert_valid(p);
	prog_to_text(p, &text);
	assert_string_equal(buf_cstr(&text), to);
	if (q->call)
		assert_string_equal(prog_call_name(p, keep), q->call);
}

static void minimized(void **state)
{
	static const char program[] =
		"r0 = open(&(0x7f0000000000)='./a\\x00', 0x1, 0x5)\n"
		"timer(&(0x7f0000000080)=<r1=>0x0)\n"
		"r2 = dup(r0) (async, rerun: 4)\n"
		"timer_set(r1, &(0x7f00000000c0)={0xa, 0x7})\n"
		"write(r2, &(0x7f0000000100)=\"0123456789abcdef\", 0x8)\n"
		"timer_del(r1)\n";
	struct question any = { .want = { "timer_set(", "0x7}" } };
	struct question kept = { .want = { "\"01234567", "r1 = dup(r0)" },
				 .call = "write" };

	assert_minimized(*state, program, &any, PROG_NO_CALL,
			 "timer_set(0x0, &(0x7f00000000c0)={0x0, 0x7})\n");
	assert_minimized(*state, program, &kept, 4,
			 "r0 = open(&(0x7f0000000000), 0x0, 0x0)\n"
			 "r1 = dup(r0)\n"
			 "write(r1, &(0x7f0000000100)=\"01234567\", 0x4)\n");
}

static void minimized_structs(void **state)
{
	struct question q = { .want = { "@b='x'", "0x55" } };

	assert_minimized(
		*state,
		"sendmsg(0xffffffffffffffff, &(0x7f0000000000)={0x0, 0x7, 0x1, "
		"0x2, [{0x8, 0x1, @a=0x5}, {0x5, 0x55, @b='x'}, {0x8, 0x3, "
		"@a=0x5}], 0xffffffffffffffff, 0x12, \"0102\"}, 0x5)\n",
		&q, PROG_NO_CALL,
		"sendmsg(0xffffffffffffffff, &(0x7f0000000000)={0x22, 0x0, 0x0, 0x0, "
		"[{0x8, 0x55, @b='x'}]}, 0x0)\n");
}

static bool always(const struct prog *p, size_t keep, void *ctx)
{
	size_t *asked = ctx;

	(void)keep;
	assert_valid(p);
	assert_true(prog_ncalls(p) > 0);
	++*asked;
	return true;
}

static void minimized_within_limits(void **state)
{
	struct fixture *f = *state;
	_cleanup_(prog_choices_freep) struct prog_choices *c =
		prog_choices_new(f->t, NULL, NULL, 0);
	struct rng rng;

	rng_seed(&rng, 4);
	for (int i = 0; i < 300; i++) {
		_cleanup_(prog_freep) struct prog *p =
			prog_generate(c, &rng, 8);
		size_t keep = rng_below(&rng, 8), asked = 0, max = 5;
		uint32_t id = (uint32_t)prog_call_id(p, keep);

		prog_minimize(p, &keep, max, always, &asked);
		assert_true(asked <= max);
		assert_int_equal(prog_call_id(p, keep), id);
		max = 1000;
		prog_minimize(p, &keep, max, always, &asked);
		assert_int_equal(prog_ncalls(p), 1);
		assert_int_equal(prog_call_id(p, 0), id);
		assert_valid(p);
	}
}

/* ---- Hints ---------------------------------------------------------------------- */

static bool collect(const struct prog *p, void *ctx)
{
	assert_valid(p);
	prog_to_text(p, ctx);
	return true;
}

static void assert_hints(struct fixture *f, const char *from,
			 const struct prog_comparison *c, size_t n,
			 const char *want)
{
	_cleanup_(prog_freep) struct prog *p = parsed(f, from);
	_cleanup_(buf_deinit) struct buf text = {};

	prog_hints(p, 0, c, n, 100, collect, &text);
	assert_string_equal(buf_cstr(&text), want);
}

static void hints_for_numbers(void **state)
{
	static const char set[] =
		"clock_set(&(0x7f0000000000)={0x1234, 0x80000001})\n";
	const struct prog_comparison plain = { 0x1234, 0xabcd, 4, true };
	const struct prog_comparison other_way = { 0xabcd, 0x1234, 4, false };
	const struct prog_comparison constant = { 0xabcd, 0x1234, 4, true };
	const struct prog_comparison swap = { 0x3412, 0x0102, 2, true };
	const struct prog_comparison sign = { 0xffffffff80000001, UINT64_MAX, 8,
					      true };
	const struct prog_comparison wide = { 0x80000001, 0x100000000, 8,
					      true };
	static const char abcd[] =
		"clock_set(&(0x7f0000000000)={0xabcd, 0x80000001})\n";

	assert_hints(*state, set, &plain, 1, abcd);
	assert_hints(*state, set, &other_way, 1, abcd);
	assert_hints(*state, set, &constant, 1, "");
	assert_hints(*state, set, &swap, 1,
		     "clock_set(&(0x7f0000000000)={0x201, 0x80000001})\n");
	assert_hints(*state, set, &sign, 1,
		     "clock_set(&(0x7f0000000000)={0x1234, 0xffffffff})\n");
	assert_hints(*state, set, &wide, 1, "");
}

static void hints_for_bytes(void **state)
{
	const struct prog_comparison c[] = {
		{ 0x04030201, 0x11223344, 4, true },
		{ 0x0203, 0xaabb, 2, true },
	};

	assert_hints(*state,
		     "write(0xffffffffffffffff, &(0x7f0000000000)="
		     "\"0001020304\", 0x5)\n",
		     c, 2,
		     "write(0xffffffffffffffff, &(0x7f0000000000)="
		     "\"0044332211\", 0x5)\n"
		     "write(0xffffffffffffffff, &(0x7f0000000000)="
		     "\"0001aabb04\", 0x5)\n");
}

static void hints_within_rules(void **state)
{
	const struct prog_comparison range = { 5, 100, 4, true };
	const struct prog_comparison cond = { 2, 3, 4, true };

	assert_hints(*state, "open(&(0x7f0000000000)='./a\\x00', 0x1, 0x5)\n",
		     &range, 1, "");
	/* A field comes, another goes. */
	assert_hints(
		*state,
		"cond(&(0x7f0000000000)={0x2, @void, @b=0x1, @value=\"010203\"})\n",
		&cond, 1,
		"cond(&(0x7f0000000000)={0x3, @value, @b=0x1})\n"
		"cond(&(0x7f0000000000)={0x2, @void, @b=0x1, "
		"@value=\"010303\"})\n");
}

static bool count_to(const struct prog *p, void *ctx)
{
	size_t *left = ctx;

	(void)p;
	return --*left;
}

static void hints_end(void **state)
{
	struct fixture *f = *state;
	_cleanup_(prog_freep) struct prog *p = parsed(
		f, "clock_set(&(0x7f0000000000)={0x1234, 0x80000001})\n");
	struct prog_comparison c[50];
	size_t left = 1000;

	for (uint64_t i = 0; i < 50; i++)
		c[i] = (struct prog_comparison){ 0x1234, 0x2000 + i, 4, true };
	assert_int_equal(prog_hints(p, 0, c, 50, 0, count_to, &left), 0);
	assert_int_equal(prog_hints(p, 0, c, 50, 7, count_to, &left), 7);
	assert_int_equal(prog_hints(p, 0, c, 50, 100, count_to, &left), 50);
	left = 3;
	assert_int_equal(prog_hints(p, 0, c, 50, 100, count_to, &left), 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(minimized),
		TEST(minimized_structs),
		TEST(minimized_within_limits),
		TEST(hints_for_numbers),
		TEST(hints_for_bytes),
		TEST(hints_within_rules),
		TEST(hints_end),
	};

	return cmocka_run_group_tests_name("prog_simplify", tests, NULL, NULL);
}
