/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/error.h"
#include "base/io.h"
#include "base/vec.h"

static fallible fails(void)
{
	return error_new(ERR_BUILD, "no rule");
}

static fallible wraps(int n)
{
	TRY(fails(), "make %d", n);
	return NULL;
}

static void error_context_is_prefixed(void **state)
{
	struct error *err = wraps(3);

	assert_string_equal(error_message(err), "make 3: no rule");
	assert_int_equal(error_kind(err), ERR_BUILD);
	error_free(err);
}

static void buf_grows_and_consumes(void **state)
{
	_cleanup_(buf_deinit) struct buf b = {};

	assert_string_equal(buf_cstr(&b), "");
	for (int i = 0; i < 1000; i++)
		buf_printf(&b, "%d,", i);
	assert_int_equal(b.len, 10 * 2 + 90 * 3 + 900 * 4);
	buf_consume(&b, b.len - 4);
	assert_string_equal(buf_cstr(&b), "999,");
}

static void arena_keeps_what_it_gave(void **state)
{
	_cleanup_(arena_freep) struct arena *a = arena_new();
	char *first = arena_printf(a, "%s", "first");

	for (int i = 0; i < 100; i++)
		assert_non_null(arena_alloc(a, 1000));
	assert_non_null(arena_alloc(a, 1 << 20));
	assert_string_equal(first, "first");
	arena_reset(a);
	char *zero = arena_alloc(a, 64);
	for (int i = 0; i < 64; i++)
		assert_int_equal(zero[i], 0);
}

static void slice_lines_cover_the_text(void **state)
{
	struct slice text = SLICE("a\n\nb"), line;

	assert_true(slice_line(&text, &line) && slice_eq(line, SLICE("a")));
	assert_true(slice_line(&text, &line) && line.len == 0);
	assert_true(slice_line(&text, &line) && slice_eq(line, SLICE("b")));
	assert_false(slice_line(&text, &line));
	assert_true(slice_eq(slice_trim(SLICE(" \tx \r\n")), SLICE("x")));
	assert_true(slice_eq(slice_trim(SLICE(" \n")), SLICE("")));
}

static void vec_pushes(void **state)
{
	VEC(int) v = {};

	vec_for_each(&v, none)
		fail_msg("an empty vec holds %d", *none);
	for (int i = 0; i < 100; i++)
		vec_push(&v, i);
	assert_int_equal(v.len, 100);
	assert_int_equal(v.data[99], 99);
	vec_free(&v);
	assert_null(v.data);
}

static void bad_files_are_named(void **state)
{
	_cleanup_(buf_deinit) struct buf b = {};
	struct error *err = io_read_file("/nonexistent/x", 10, &b);

	assert_int_equal(error_kind(err), ERR_NOT_FOUND);
	error_free(err);
	err = io_read_file("/", 10, &b);
	assert_int_equal(error_kind(err), ERR_INPUT);
	assert_string_equal(error_message(err), "/: is a directory");
	error_free(err);
	err = io_read_file("/proc/self/maps", 10, &b);
	assert_int_equal(error_kind(err), ERR_INPUT);
	error_free(err);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(error_context_is_prefixed),
		cmocka_unit_test(buf_grows_and_consumes),
		cmocka_unit_test(arena_keeps_what_it_gave),
		cmocka_unit_test(slice_lines_cover_the_text),
		cmocka_unit_test(vec_pushes),
		cmocka_unit_test(bad_files_are_named),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
