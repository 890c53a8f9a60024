/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The programs of a syzkaller tree (sys/linux/test): what is for amd64 is read
 * strictly, and what is printed reads as the same program.
 */
#include <dirent.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/io.h"
#include "desc/desc.h"
#include "prog/prog.h"
#include "unit.h"

/* "# requires: arch=arm64" and the like: not for us. */
static bool for_amd64(struct slice text)
{
	struct slice line;

	while (slice_line(&text, &line)) {
		if (!line.len || *line.p != '#')
			return true;
		if (slice_starts(line, SLICE("# requires:")) &&
		    slice_has(line, SLICE(" arch=")) &&
		    !slice_has(line, SLICE(" arch=amd64")))
			return false;
	}
	return true;
}

static const char *parse_and_print(const struct prog_target *t,
				   const char *name, struct slice text,
				   enum prog_mode mode, struct buf *out)
{
	static char said[512];
	_cleanup_(prog_freep) struct prog *p = NULL;
	struct error *err = prog_parse(t, name, text, mode, &p);

	out->len = 0;
	if (!err) {
		prog_to_text(p, out);
		return NULL;
	}
	snprintf(said, sizeof(said), "%s", error_message(err));
	error_free(err);
	return said;
}

static const char *check_file(const struct prog_target *t, const char *path,
			      const char *name, bool *skipped)
{
	_cleanup_(buf_deinit) struct buf text = {}, one = {}, two = {};
	struct error *err = io_read_file(path, 64 << 20, &text);
	const char *said;

	assert_null(err);
	*skipped = !for_amd64(buf_as_slice(&text));
	if (*skipped)
		return NULL;
	said = parse_and_print(t, name, buf_as_slice(&text), PROG_STRICT, &one);
	if (said)
		return said;
	said = parse_and_print(t, name, buf_as_slice(&one), PROG_REPAIR, &two);
	if (said)
		return said;
	return slice_eq(buf_as_slice(&one), buf_as_slice(&two)) ?
		       NULL :
		       "the text of the text is another";
}

static void check_dir(const struct prog_target *t, const char *dir)
{
	DIR *d = opendir(dir);
	const struct dirent *e;
	size_t files = 0, bad = 0;

	assert_non_null(d);
	while ((e = readdir(d))) {
		_cleanup_(buf_deinit) struct buf path = {};
		const char *said;
		struct stat st;
		bool skipped;

		buf_printf(&path, "%s/%s", dir, e->d_name);
		if (stat(path.data, &st) || !S_ISREG(st.st_mode))
			continue;
		said = check_file(t, path.data, e->d_name, &skipped);
		files += !skipped;
		bad += said != NULL;
		if (said)
			print_message("# %s: %s\n", e->d_name, said);
	}
	closedir(d);
	print_message("# %zu programs\n", files);
	assert_int_equal(bad, 0);
	assert_true(files > 700);
}

static void every_program(void **state)
{
	const char *root = getenv("BUGON_SYZKALLER");
	_cleanup_(desc_input_freep) struct desc_input *in = desc_input_new();
	_cleanup_(buf_deinit) struct buf dir = {};

	(void)state;
	if (root)
		buf_printf(&dir, "%s/sys/linux", root);
	else
		buf_printf(&dir, "%s/../shared/syzkaller/sys/linux",
			   getenv("ROOT") ? getenv("ROOT") : ".");
	struct error *err = desc_input_dir(in, dir.data);

	error_free(err);
	if (err)
		SKIP_TEST("no syzkaller tree, see BUGON_SYZKALLER");

	_cleanup_(desc_freep) struct desc *d =
		desc_compile(in, desc_arch_find(SLICE("amd64")));

	assert_int_equal(desc_errors(in), 0);

	_cleanup_(prog_target_freep) struct prog_target *t = prog_target_new(d);

	buf_str(&dir, "/test");
	check_dir(t, dir.data);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_program),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
