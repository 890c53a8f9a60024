/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Compiled descriptions in a file: used, made anew when stale or damaged. */
#include <dirent.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/files.h"
#include "base/io.h"
#include "base/mem.h"
#include "desc/desc.h"
#include "unit.h"

struct fixture {
	char dir[64], cache[80], file[80];
};

static void put(const char *path, const char *text)
{
	struct error *err = file_write(path, slice_cstr(text));

	assert_null(err);
}

/* Longer than time stamps of files tick: see SETTLED_NS. */
static void settle(void)
{
	nanosleep(&(struct timespec){ .tv_nsec = 150000000 }, NULL);
}

static int setup(void **state)
{
	struct fixture *f = mem_calloc(1, sizeof(*f));

	snprintf(f->dir, sizeof(f->dir), "/tmp/test_desc_cache.XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	snprintf(f->cache, sizeof(f->cache), "%s/cache", f->dir);
	snprintf(f->file, sizeof(f->file), "%s/a.txt", f->dir);
	put(f->file, "syz_one(a int32)\nsyz_two(a ptr[in, string[\"x\"]])\n");
	settle();
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	file_remove_tree(f->dir);
	free(f);
	return 0;
}

/* Load; `cached`: whether nothing was read. */
static struct desc *load(struct fixture *f, bool *cached)
{
	_cleanup_(desc_input_freep) struct desc_input *in = desc_input_new();
	struct desc *d = NULL;
	struct error *err =
		desc_load(f->dir, desc_arch_at(0), f->cache, in, &d);

	assert_null(err);
	*cached = !desc_files(in);
	return d;
}

static void check_load(struct fixture *f, bool want_cached, size_t ncalls)
{
	_cleanup_(buf_deinit) struct buf text = {};
	bool cached;
	_cleanup_(desc_freep) struct desc *d = load(f, &cached);
	const struct desc_call *call = desc_call_find(d, SLICE("syz_two"));

	assert_int_equal(cached, want_cached);
	assert_int_equal(d->ncalls, ncalls);
	assert_non_null(call);
	desc_call_to_text(d, call, &text);
	assert_non_null(strstr(buf_cstr(&text), "\"x\""));
}

/* The one file of the cache. */
static void cache_file(struct fixture *f, char path[static 512])
{
	DIR *dir = opendir(f->cache);
	const struct dirent *e;

	assert_non_null(dir);
	while ((e = readdir(dir)))
		if (*e->d_name != '.')
			snprintf(path, 512, "%s/%s", f->cache, e->d_name);
	closedir(dir);
}

static void test_used(void **state)
{
	struct fixture *f = *state;

	check_load(f, false, 2);
	check_load(f, true, 2);
	put(f->file, "syz_two(a ptr[in, string[\"x\"]])\n");
	check_load(f, false, 1); /* changed just now: nothing is kept */
	check_load(f, false, 1);
	settle();
	check_load(f, false, 1);
	check_load(f, true, 1);
}

static void test_damaged(void **state)
{
	struct fixture *f = *state;
	_cleanup_(buf_deinit) struct buf whole = {};
	char path[512] = "";

	check_load(f, false, 2);
	cache_file(f, path);
	assert_null(io_read_file(path, SIZE_MAX / 2, &whole));
	for (size_t i = 0; i < whole.len; i += whole.len / 60) {
		/* A byte of it is another, then the rest is missing. */
		whole.data[i] ^= 0x40;
		assert_null(file_write(path, buf_as_slice(&whole)));
		whole.data[i] ^= 0x40;
		check_load(f, false, 2);
		assert_null(file_write(path, (struct slice){ whole.data, i }));
		check_load(f, false, 2);
		check_load(f, true, 2);
	}
	assert_int_equal(chmod(path, 0666), 0);
	check_load(f, false, 2); /* anyone could have written it */
}

static void test_errors(void **state)
{
	struct fixture *f = *state;

	put(f->file, "syz_one(a nosuch)\n");
	settle();
	for (int i = 0; i < 2; i++) {
		_cleanup_(desc_input_freep) struct desc_input *in =
			desc_input_new();
		_cleanup_(desc_freep) struct desc *d = NULL;

		assert_null(
			desc_load(f->dir, desc_arch_at(0), f->cache, in, &d));
		assert_int_equal(desc_errors(in), 1);
	}
	assert_false(file_exists(f->cache));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_used, setup, teardown),
		cmocka_unit_test_setup_teardown(test_damaged, setup, teardown),
		cmocka_unit_test_setup_teardown(test_errors, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
