/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lengths of all kinds, and fields with conditions. */
#include "prog_fixture.h"

static const char text[] =
	"lens(s ptr[in, outer], v vma, nv len[v], nb bytesize[s],"
	" deep bytesize4[s:in:data], maybe ptr[in, int32, opt], no len[maybe])\n"
	"outer {\n"
	"	count	len[list, int32]\n"
	"	bytes	bytesize[list, int32]\n"
	"	bits	bitsize[list, int32]\n"
	"	words	bytesize2[list, int32]\n"
	"	at	offsetof[list, int32]\n"
	"	self	len[parent, int32]\n"
	"	arg	len[syscall:v, int32]\n"
	"	p	ptr[in, len[list, int32]]\n"
	"	in	inner\n"
	"	list	array[int16, 3]\n"
	"}\n"
	"inner {\n"
	"	up	len[parent:parent, int32]\n"
	"	type	bytesize[outer:list, int32]\n"
	"	data	array[int64, 2]\n"
	"	u	choice\n"
	"}\n"
	"choice [\n"
	"	n	len[inner:data, int32]\n"
	"	x	int64\n"
	"]\n"
	"conds(s ptr[in, cond])\n"
	"cond {\n"
	"	flags	int32\n"
	"	a	int32	(if[value[flags] & 1 != 0])\n"
	"	b	int32	(if[value[flags] & 1 == 0 || value[flags] == 3])\n"
	"	u	pick\n"
	"} [packed]\n"
	"pick [\n"
	"	one	int32	(if[value[cond:flags] == 1])\n"
	"	any	int64\n"
	"] [varlen]\n";

static const char consts[] = "arches = amd64\n__NR_lens = 1\n__NR_conds = 2\n";

static int setup(void **state)
{
	*state = fixture_new(text, consts);
	return 0;
}

static int teardown(void **state)
{
	fixture_free(*state);
	return 0;
}

static uint64_t value(const struct prog *p, uint32_t list, uint32_t i)
{
	return arg_at(p, list_at(p, list, i))->value;
}

static void lengths(void **state)
{
	struct fixture *f = *state;
	struct prog *p = f->p;
	struct call c = *tree_add_call(p, fixture_call(f, "lens"), true);
	uint32_t outer = arg_at(p, c.arg)->child;
	uint32_t first = arg_at(p, outer)->child;
	uint32_t vma = list_at(p, c.arg, 1);

	arg_at(p, vma)->flags = 0;
	arg_at(p, vma)->extra = 2 * DATA_PAGE;
	arg_at(p, list_at(p, c.arg, 6))->value = 77;
	prog_assign_sizes(p, &c);
	assert_int_equal(value(p, c.arg, 2), 2 * DATA_PAGE);
	assert_int_equal(value(p, c.arg, 3), arg_size(p, outer));
	assert_int_equal(value(p, c.arg, 4), 4);
	assert_int_equal(value(p, c.arg, 6), 0);

	assert_int_equal(value(p, first, 0), 3);
	assert_int_equal(value(p, first, 1), 6);
	assert_int_equal(value(p, first, 2), 48);
	assert_int_equal(value(p, first, 3), 3);
	assert_int_equal(value(p, first, 4), 40 + 32);
	assert_int_equal(value(p, first, 5), arg_size(p, outer));
	assert_int_equal(value(p, first, 6), 2 * DATA_PAGE);

	uint32_t pointed = arg_at(p, list_at(p, first, 7))->child;

	assert_int_equal(arg_at(p, pointed)->value, 3);

	uint32_t inner = arg_at(p, list_at(p, first, 8))->child;

	assert_int_equal(value(p, inner, 0), arg_size(p, outer));
	assert_int_equal(value(p, inner, 1), 6);
	assert_int_equal(
		arg_at(p, arg_at(p, list_at(p, inner, 3))->child)->value, 2);
}

static void only_autos(void **state)
{
	struct fixture *f = *state;
	struct prog *p = f->p;
	struct call c = *tree_add_call(p, fixture_call(f, "lens"), true);
	uint32_t first = arg_at(p, arg_at(p, c.arg)->child)->child;

	arg_at(p, first)->flags |= ARG_AUTO;
	prog_assign_autos(p, &c);
	assert_int_equal(value(p, first, 0), 3);
	assert_int_equal(arg_at(p, first)->flags, 0);
	assert_int_equal(value(p, first, 1), 0);
}

/* What is squashed has no fields: lengths stay as they are. */
static void squashed(void **state)
{
	struct fixture *f = *state;
	struct prog *p = f->p;
	struct call c = *tree_add_call(p, fixture_call(f, "lens"), true);
	uint32_t outer = arg_at(p, c.arg)->child;

	arg_at(p, outer)->flags = ARG_ANY;
	arg_at(p, outer)->child = ARG_NONE;
	arg_at(p, list_at(p, c.arg, 3))->value = 11;
	arg_at(p, list_at(p, c.arg, 4))->value = 12;
	prog_assign_sizes(p, &c);
	assert_int_equal(value(p, c.arg, 3), 11);
	assert_int_equal(value(p, c.arg, 4), 12);
}

static void conditions(void **state)
{
	struct fixture *f = *state;
	struct prog *p = f->p;
	struct call c = *tree_add_call(p, fixture_call(f, "conds"), true);
	uint32_t cond = arg_at(p, c.arg)->child;
	uint32_t first = arg_at(p, cond)->child;
	uint32_t a = list_at(p, first, 1), b = list_at(p, first, 2);
	uint32_t u = list_at(p, first, 3);

	/* Defaults already fit. */
	assert_int_equal(arg_at(p, a)->kind, ARG_ABSENT);
	assert_int_equal(arg_at(p, b)->kind, ARG_CONST);
	assert_int_equal(arg_at(p, u)->extra, 1);
	assert_int_equal(arg_at(p, u)->flags | arg_at(p, b)->flags, 0);
	assert_int_equal(cond_check(p, &c), ARG_NONE);
	assert_int_equal(arg_size(p, cond), 16);

	arg_at(p, first)->value = 1;
	assert_int_equal(cond_check(p, &c), a);
	assert_int_equal(cond_settle(p, &c, COND_ALL), a);
	assert_int_equal(arg_at(p, a)->kind, ARG_CONST);
	assert_int_equal(arg_at(p, b)->kind, ARG_ABSENT);
	assert_int_equal(arg_size(p, b), 0);
	assert_int_equal(arg_at(p, u)->extra, 1);

	arg_at(p, u)->extra = 0;
	arg_at(p, u)->child = arg_new_default(
		p,
		f->d->fields[f->d->records[arg_type(p, arg_at(p, u))->elem].field]
			.type,
		DESC_IN);
	assert_int_equal(cond_check(p, &c), ARG_NONE);
	arg_at(p, first)->value = 3;
	assert_int_equal(cond_settle(p, &c, COND_AUTO), ARG_NONE);
	assert_int_equal(cond_settle(p, &c, COND_ALL), b);
	assert_int_equal(arg_at(p, u)->extra, 1);
	assert_int_equal(arg_at(p, a)->kind, ARG_CONST);
	assert_int_equal(arg_at(p, b)->kind, ARG_CONST);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(lengths, setup, teardown),
		cmocka_unit_test_setup_teardown(only_autos, setup, teardown),
		cmocka_unit_test_setup_teardown(squashed, setup, teardown),
		cmocka_unit_test_setup_teardown(conditions, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
