/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rules that all programs keep: damaged ones are refused. */
#include "prog_gen_fixture.h"

static void assert_refused(const struct prog *p, const char *why)
{
	struct error *err = prog_validate(p);

	assert_non_null(err);
	if (!strstr(error_message(err), why))
		fail_msg("%s instead of %s", error_message(err), why);
	error_free(err);
}

static void rules(void **state)
{
	struct fixture *f = *state;
	struct prog *p = f->p;
	uint32_t first, fd;

	tree_add_call(p, fixture_call(f, "open"), true);
	tree_add_call(p, fixture_call(f, "read"), true);
	assert_valid(p);
	first = p->calls.data[0].arg;
	fd = p->calls.data[1].arg;

	arg_at(p, fd)->child = p->calls.data[0].ret;
	assert_valid(p);
	arg_at(p, fd)->child = fd;
	assert_refused(p, "call 1 (read): fd: the result of no earlier call");
	arg_at(p, fd)->child = ARG_NONE;

	arg_at(p, first)->value = DATA_BYTES + 1;
	assert_refused(p, "call 0 (open): file: ");
	arg_at(p, first)->value = 0;
	arg_at(p, first)->dir = DESC_OUT;
	assert_refused(p, "of another type or direction");
	arg_at(p, first)->dir = DESC_IN;

	arg_at(p, list_at(p, fd, 2))->next = fd;
	assert_refused(p, "more than 3 fields");
	arg_at(p, list_at(p, fd, 1))->next = ARG_NONE;
	assert_refused(p, "2 of 3 fields");
	arg_at(p, fd)->next = fd;
	assert_refused(p, "in two places");
	arg_at(p, fd)->next = 1000;
	assert_refused(p, "no argument number 1000");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(rules),
	};

	return cmocka_run_group_tests_name("prog_validate", tests, NULL, NULL);
}
