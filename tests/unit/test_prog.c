/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Programs in memory: defaults, sizes, copies, references, compaction. */
#include "prog_fixture.h"

static const char text[] =
	"resource fd[int32]: -1, -100\n"
	"resource sock[fd]\n"
	"open(file ptr[in, string[\"./x\"]], flags flags[modes]) fd (disabled)\n"
	"socket() sock\n"
	"pair(out ptr[out, both])\n"
	"use(f fd, n intptr, p ptr[in, vec], v vma, q ptr[in, rest, opt])\n"
	"both {\n\ta\tsock\n\tb\tfd\n}\n"
	"vec {\n\tn\tlen[data, int16]\n\tdata\tarray[int8]\n} [packed, align[4]]\n"
	"rest {\n\tnext\tptr[in, rest, opt]\n\tu\tchoice\n\ts\tarray[int32, 3]\n}\n"
	"choice [\n\ta\tint8\n\tb\tint64\n]\n"
	"modes = 1, 2\n";

static const char consts[] = "arches = amd64\n"
			     "__NR_open = 1\n__NR_socket = 2\n"
			     "__NR_pair = 3\n__NR_use = 4\n";

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

static struct call *add(struct fixture *s, const char *name)
{
	return tree_add_call(s->p, fixture_call(s, name), true);
}

static uint32_t argument(const struct fixture *s, const struct call *c,
			 uint32_t i)
{
	return list_at(s->p, c->arg, i);
}

static void defaults(void **state)
{
	struct fixture *s = *state;
	const struct call *c = add(s, "use");
	const struct arg *f = arg_at(s->p, argument(s, c, 0));

	assert_int_equal(list_len(s->p, c->arg), 5);
	assert_int_equal(f->kind, ARG_RESULT);
	assert_int_equal(f->value, UINT64_MAX);
	assert_int_equal(arg_at(s->p, argument(s, c, 4))->flags, ARG_SPECIAL);
	assert_int_equal(arg_at(s->p, argument(s, c, 3))->flags, ARG_SPECIAL);
	for (uint32_t a = c->arg; a != ARG_NONE; a = arg_at(s->p, a)->next)
		assert_true(arg_is_default(s->p, a));
	arg_at(s->p, argument(s, c, 1))->value = 7;
	assert_false(arg_is_default(s->p, argument(s, c, 1)));

	c = add(s, "open");
	const struct arg *data =
		arg_at(s->p, arg_at(s->p, argument(s, c, 0))->child);
	assert_int_equal(data->len, 4);
	assert_memory_equal(s->p->bytes.data + data->from, "./x", 4);
	assert_true(arg_is_default(s->p, argument(s, c, 0)));
	s->p->bytes.data[data->from] = '/';
	assert_false(arg_is_default(s->p, argument(s, c, 0)));
}

static void sizes(void **state)
{
	struct fixture *s = *state;
	const struct call *c = add(s, "use");
	uint32_t vec = arg_at(s->p, argument(s, c, 2))->child;
	uint32_t data = list_at(s->p, arg_at(s->p, vec)->child, 1);
	uint32_t type = s->d->types[arg_at(s->p, argument(s, c, 4))->type].elem;
	uint32_t rest = arg_new_default(s->p, type, DESC_IN);

	assert_int_equal(arg_size(s->p, vec), 4); /* 2 and padding */
	arg_at(s->p, data)->len = 7; /* as if there were so many */
	assert_int_equal(arg_size(s->p, vec), 12);
	arg_at(s->p, data)->len = 0;
	assert_int_equal(arg_size(s->p, rest), 32); /* 8 + 8 + 12, aligned */
}

static void references(void **state)
{
	struct fixture *s = *state;

	add(s, "socket");
	add(s, "pair");
	add(s, "use");
	add(s, "use");

	struct call *c = s->p->calls.data;
	uint32_t both = arg_at(s->p, argument(s, &c[1], 0))->child;
	uint32_t b = list_at(s->p, arg_at(s->p, both)->child, 1);

	arg_at(s->p, argument(s, &c[2], 0))->child = c[0].ret;
	arg_at(s->p, argument(s, &c[3], 0))->child = b;
	tree_fix_refs(s->p);
	assert_int_equal(arg_at(s->p, argument(s, &c[2], 0))->child, c[0].ret);
	assert_int_equal(arg_at(s->p, argument(s, &c[3], 0))->child, b);

	/* The same after garbage went away. */
	for (int i = 0; i < 100; i++)
		arg_new_default(s->p, s->d->calls[0].arg, DESC_IN);
	tree_compact(s->p);
	c = s->p->calls.data;
	assert_int_equal(arg_at(s->p, argument(s, &c[2], 0))->child, c[0].ret);
	both = arg_at(s->p, argument(s, &c[1], 0))->child;
	b = list_at(s->p, arg_at(s->p, both)->child, 1);
	assert_int_equal(arg_at(s->p, argument(s, &c[3], 0))->child, b);

	_cleanup_(prog_freep) struct prog *copy = prog_copy(s->p);

	prog_remove_call(s->p, 0);
	c = s->p->calls.data;
	const struct arg *first = arg_at(s->p, argument(s, &c[1], 0));
	assert_int_equal(first->child, ARG_NONE);
	assert_int_equal(first->value, UINT64_MAX);
	assert_int_equal(arg_at(s->p, argument(s, &c[2], 0))->child, b);
	assert_int_equal(prog_ncalls(copy), 4);
	assert_string_equal(prog_call_name(copy, 0), "socket");

	/* A result that comes only later is none. */
	arg_at(copy, copy->calls.data[2].arg)->child = ARG_NONE;
	struct call swap = copy->calls.data[1];
	copy->calls.data[1] = copy->calls.data[3];
	copy->calls.data[3] = swap;
	tree_fix_refs(copy);
	assert_int_equal(arg_at(copy, copy->calls.data[1].arg)->child,
			 ARG_NONE);
}

static void makers(void **state)
{
	struct fixture *s = *state;
	const struct by_resource *m = &s->t->makers, *u = &s->t->users;
	uint32_t fd = 0;

	while (strcmp(desc_name(s->d, s->d->resources[fd].name), "fd"))
		fd++;
	uint32_t sock = !fd;

	assert_true(resource_fits(s->d, sock, fd));
	assert_false(resource_fits(s->d, fd, sock));
	assert_int_equal(m->from[fd + 1] - m->from[fd], 3);
	assert_int_equal(m->from[sock + 1] - m->from[sock], 2);
	assert_int_equal(u->from[fd + 1] - u->from[fd], 1);
	assert_int_equal(u->list[u->from[fd]], fixture_call(s, "use"));
}

static void walk(void **state)
{
	struct fixture *s = *state;
	const struct call *c = add(s, "pair");
	struct tree_walk w;
	uint32_t depths[8], n = 0;

	for (uint32_t a = walk_call(&w, s->p, c); a != ARG_NONE;
	     a = walk_next(&w))
		depths[n++] = w.depth;
	assert_int_equal(n, 4);
	assert_int_equal(depths[0], 0);
	assert_int_equal(depths[1], 1);
	assert_int_equal(depths[2], 2);
	assert_int_equal(depths[3], 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(defaults, setup, teardown),
		cmocka_unit_test_setup_teardown(sizes, setup, teardown),
		cmocka_unit_test_setup_teardown(references, setup, teardown),
		cmocka_unit_test_setup_teardown(makers, setup, teardown),
		cmocka_unit_test_setup_teardown(walk, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
