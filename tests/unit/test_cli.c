/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit.h"

#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"

struct demo_opts {
	const char *file;
	unsigned count;
	bool json;
	struct opt_list more;
};

static const struct opt demo_table[] = {
	OPT(OPT_STR, 'f', "file", demo_opts, file, "FILE", "a file"),
	OPT(OPT_UINT, 'n', "count", demo_opts, count, "N", "a count"),
	OPT(OPT_FLAG, 0, "json", demo_opts, json, NULL, "print JSON"),
	OPT(OPT_LIST, 'm', "more", demo_opts, more, "X", "may be repeated"),
	OPT_END,
};

static const struct command demo = {
	.name = "demo",
	.args = "X...",
	.summary = "demonstrate",
	.opts = demo_table,
	.opts_size = sizeof(struct demo_opts),
};

static struct error *parse(struct demo_opts *o, int *n, char **argv)
{
	int argc = 0;

	while (argv[argc])
		argc++;
	return cli_parse(&demo, argc, argv, o, n);
}

#define WORDS(...)                                    \
	(char *[])                                    \
	{                                             \
		(char[]){ "demo" }, __VA_ARGS__, NULL \
	}
#define W(s)      \
	(char[])  \
	{         \
		s \
	}

static void options_stand_anywhere(void **state)
{
	struct demo_opts o = {};
	int n;
	char **argv = WORDS(W("a"), W("--json"), W("-n3"), W("b"), W("--file"),
			    W("x"), W("--"), W("--json"));

	assert_null(parse(&o, &n, argv));
	assert_int_equal(n, 3);
	assert_string_equal(argv[0], "a");
	assert_string_equal(argv[2], "--json");
	assert_true(o.json);
	assert_int_equal(o.count, 3);
	assert_string_equal(o.file, "x");
}

static void lists_collect(void **state)
{
	struct demo_opts o = {};
	int n;
	char *argv[OPT_LIST_MAX + 3] = { W("demo"), W("-ma"), W("--more=b") };
	char again[] = "-mx";

	assert_null(parse(&o, &n, argv));
	assert_int_equal(o.more.nr, 2);
	assert_string_equal(o.more.v[0], "a");
	assert_string_equal(o.more.v[1], "b");
	for (int i = 3; i < OPT_LIST_MAX + 2; i++)
		argv[i] = again;
	struct error *err = parse(&o, &n, argv); /* two and too many */
	assert_non_null(err);
	assert_int_equal(error_kind(err), ERR_USAGE);
	error_free(err);
}

static void misuse_is_a_usage_error(void **state)
{
	char **bad[] = {
		WORDS(W("--nope")),    WORDS(W("--count")),
		WORDS(W("--count=x")), WORDS(W("--count=-1")),
		WORDS(W("--json=1")),  WORDS(W("-n"), W("99999999999")),
	};

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct demo_opts o = {};
		int n;
		struct error *err = parse(&o, &n, bad[i]);

		assert_non_null(err);
		assert_int_equal(error_kind(err), ERR_USAGE);
		error_free(err);
	}
}

static void man_page_lists_what_help_lists(void **state)
{
	char *help = NULL, *man = NULL;
	size_t len;
	FILE *f = open_memstream(&help, &len);

	cli_help(&demo, f);
	fclose(f);
	f = open_memstream(&man, &len);
	cli_man_options(&demo, f);
	fclose(f);
	for (const struct opt *o = demo_table; o->name; o++) {
		assert_non_null(strstr(help, o->name));
		assert_non_null(strstr(man, o->name));
		assert_non_null(strstr(man, o->help));
	}
	free(help);
	free(man);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(options_stand_anywhere),
		cmocka_unit_test(lists_collect),
		cmocka_unit_test(misuse_is_a_usage_error),
		cmocka_unit_test(man_page_lists_what_help_lists),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
