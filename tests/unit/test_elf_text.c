/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lines of logs in every form, and kernels that are none. */
#include "elf_fixture.h"

/* --- text --- */

/* An offset whose own line is not that of the byte before it. */
static uint64_t border(struct symbols *s, const struct sym *sym)
{
	for (uint64_t i = 1; i < sym->size; i++) {
		struct symbols_query q = query_of(sym, i);
		struct source_chain c;
		unsigned exact, before;

		assert_int_equal(symbols_lookup(s, &q, &c), SYMBOLS_FOUND);
		exact = c.lines[c.nr - 1].line;
		q.is_return = true;
		assert_int_equal(symbols_lookup(s, &q, &c), SYMBOLS_FOUND);
		before = c.lines[c.nr - 1].line;
		if (exact == 27 && before == 26)
			return i;
	}
	fail_msg("%s has no such offset", sym->name);
	return 0;
}

/* The text around "%" and whether the address is exact, in calls(). */
static const struct {
	const char *before, *after;
	bool is_exact;
} forms[] = {
	{ " ", "", false },
	{ " ? ", "", false },
	{ "RIP: 0010:", "", true },
	{ "RIP: e030:", " RSP: ffffc90000000000", true },
	{ "RIP: 0010:[<ffffffff81234567>]  [<ffffffff81234567>] ", "", true },
	{ "RIP  [<ffffffff81234567>] ", "", true },
	{ "EIP: ", " EFLAGS: 00010246 CPU: 0", true },
	{ "EIP is at ", "", true },
	{ "IP: [<ffffffff81234567>] ", "", true },
	{ "IP: ", "", true },
	{ "pc : ", "", true },
	{ "lr : ", "", false },
	{ "PC is at ", "", true },
	{ "LR is at ", "", false },
	{ "epc : ", "", true },
	{ "ra : ", "", false },
	{ " ra : ", "", false },
	{ "epc   : 80100200 ", "", true },
	{ "ra    : 80100200 ", "", false },
	{ "   era: 9000000000223344 ", "", true },
	{ "    ra: 9000000000223344 ", "", false },
	{ "NIP [c000000000012345] ", "", true },
	{ "LR [c000000000012345] ", "", false },
	{ "[c000000003a4b7c0] [c000000000012345] ", " (unreliable)", false },
	{ "[<c0101234>] (dump_stack) from [<c0105678>] (", ")", false },
	{ "TPC: <", ">", true },
	{ "BUG: KASAN: slab-use-after-free in ", "", false },
	{ "BUG: KASAN: use-after-free in ", " at addr ffff8801c5b6c110",
	  false },
	{ "WARNING: CPU: 0 PID: 1 at fs/x.c:12 ", "", true },
	{ "WARNING: CPU: 0 PID: 1 at fs/x.c:12 ", "()", true },
	{ "WARNING: CPU: 0 PID: 1 at small.c:26 ", "", false },
	{ "WARNING: CPU: 0 PID: 1 at /src/small.c:27 ", "", true },
	{ "WARNING: small.c:26 at ", ", CPU#1: syz.0.1/33", false },
	{ " ", " nobody+0x1/0x2:3", false },
	{ " ", " (P)", true },
	{ " ", " (PF)", true },
	{ " ", " (F)", false },
	{ "WARNING: fs/x.c:12 at ", ", CPU#1: syz.0.1/33", true },
	{ "NMI backtrace for cpu 1 skipped: idling at ", "", true },
	{ "caller is ", "", false },
	{ " #0: ffff8880123 (&f->f_pos_lock){+.+.}-{3:3}, at: ", "", false },
	{ "[   12.345678][ T1234]  ", "", false },
	{ "[   12.345678][ T1234] RIP: 0010:", "", true },
	{ "[   12.345678] pc : ", "", true },
	{ "<4>[   12.345678]  [<ffffffff81234567>] ? ", "", false },
	{ " ", "\r", false },
};

static void forms_are_known(void **state)
{
	_cleanup_(symbols_closep) struct symbols *s =
		open_ok(in_dir("small"), NULL);
	_cleanup_(image_closep) struct image *img = image_ok(in_dir("small"));
	const struct sym *sym = sym_of(img, "calls");
	uint64_t at = border(s, sym);
	char token[128];

	snprintf(token, sizeof(token), "calls+0x%llx/0x%llx",
		 (unsigned long long)at,
		 (unsigned long long)(sym->end - sym->addr));
	for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
		_cleanup_(buf_deinit) struct buf in = {}, want = {}, out = {},
						 again = {};

		buf_printf(&in, "%s%s%s", forms[i].before, token,
			   forms[i].after);
		buf_printf(&want, "%s%s small.c:%d%s", forms[i].before, token,
			   forms[i].is_exact ? 27 : 26, forms[i].after);
		symbolize_text(s, buf_as_slice(&in), &out);
		assert_string_equal(buf_cstr(&out), want.data);
		symbolize_text(s, buf_as_slice(&out), &again);
		assert_string_equal(buf_cstr(&again), want.data);
	}
}

static void inline_lines_repeat_what_surrounds_them(void **state)
{
	_cleanup_(symbols_closep) struct symbols *s =
		open_ok(in_dir("small"), NULL);
	_cleanup_(image_closep) struct image *img = image_ok(in_dir("small"));
	const struct sym *sym = sym_of(img, "outer");
	unsigned long long at = 0, size = sym->end - sym->addr;
	unsigned line = 0;

	for (uint64_t i = 1; i < sym->size && !at; i++) {
		struct symbols_query q = query_of(sym, i);
		struct source_chain c;

		q.is_return = true;
		if (symbols_lookup(s, &q, &c) == SYMBOLS_FOUND && c.nr == 3 &&
		    c.lines[0].line == 6) {
			at = i;
			line = c.lines[2].line;
		}
	}
	assert_true(at > 0);
	_cleanup_(buf_deinit) struct buf in = {}, want = {}, out = {};
	buf_printf(&in,
		   "[    1.5][  T9] BUG: KASAN: double-free in "
		   "outer+0x%llx/0x%llx\n"
		   " ? outer+0x%llx/0x%llx\n",
		   at, size, at, size);
	buf_printf(&want,
		   "[    1.5][  T9] BUG: KASAN: double-free in inner "
		   "small.c:6 [inline]\n"
		   "[    1.5][  T9] BUG: KASAN: double-free in middle "
		   "small.c:11 [inline]\n"
		   "[    1.5][  T9] BUG: KASAN: double-free in "
		   "outer+0x%llx/0x%llx small.c:%u\n"
		   " ? outer+0x%llx/0x%llx small.c:%u\n",
		   at, size, line, at, size, line);
	symbolize_text(s, buf_as_slice(&in), &out);
	assert_string_equal(buf_cstr(&out), want.data);
}

/* Several frames on a line are done in place, a heap of them not at all. */
static void lines_of_several_frames(void **state)
{
	_cleanup_(symbols_closep) struct symbols *s =
		open_ok(in_dir("small"), NULL);
	_cleanup_(image_closep) struct image *img = image_ok(in_dir("small"));
	const struct sym *sym = sym_of(img, "padded");
	unsigned long long size = sym->end - sym->addr;

	for (int nr = 2; nr < 20; nr++) {
		_cleanup_(buf_deinit) struct buf in = {}, want = {}, out = {};

		for (int i = 0; i < nr; i++) {
			buf_printf(&in, " padded+0x1/0x%llx", size);
			buf_printf(&want, " padded+0x1/0x%llx%s", size,
				   nr <= 16 ? " small.c:22" : "");
		}
		symbolize_text(s, buf_as_slice(&in), &out);
		assert_string_equal(buf_cstr(&out), want.data);
	}
}

static void module_frames_keep_their_module(void **state)
{
	assert_int_equal(run("rm -rf m && mkdir m m/b && ln -s .. m/loop && "
			     "cc -O2 -c -o m/x_mod.ko small.c && "
			     "cc -g -O2 -c -o m/b/x-mod.ko.debug small.c && "
			     "echo junk >m/bad.ko"),
			 0);
	_cleanup_(symbols_closep) struct symbols *s =
		open_ok(in_dir("small"), in_dir("m"));
	_cleanup_(image_closep) struct image *img =
		image_ok(in_dir("m/b/x-mod.ko.debug"));
	const struct sym *sym = sym_of(img, "padded");
	unsigned long long size = sym->end - sym->addr;
	_cleanup_(buf_deinit) struct buf in = {}, want = {}, out = {},
					 notes = {};

	buf_printf(&in,
		   " padded+0x1/0x%llx [x_mod]\n"
		   " padded+0x1/0x%llx [x_mod 1234abcd]\n"
		   " padded+0x1/0x%llx [bad]\n padded+0x1/0x%llx [absent]\n",
		   size, size, size, size);
	buf_printf(&want,
		   " padded+0x1/0x%llx small.c:22 [x_mod]\n"
		   " padded+0x1/0x%llx small.c:22 [x_mod 1234abcd]\n"
		   " padded+0x1/0x%llx [bad]\n padded+0x1/0x%llx [absent]\n",
		   size, size, size, size);
	symbolize_text(s, buf_as_slice(&in), &out);
	assert_string_equal(buf_cstr(&out), want.data);
	symbols_note(s, &notes);
	assert_non_null(strstr(notes.data, "module bad: "));
	assert_non_null(strstr(notes.data, "no debug file for module absent"));
	buf_consume(&in, in.len);
	symbolize_text(s, buf_as_slice(&out), &in); /* again: no change */
	assert_string_equal(buf_cstr(&in), want.data);
}

static void other_text_is_left_alone(void **state)
{
	static const char *const texts[] = {
		"",
		"\n",
		"\n\n",
		"no newline",
		" +0x1/0x2\n",
		" outer+0x/0x\n",
		" outer+0x1\n",
		" outer+0x1/0x\n",
		" outer+0x1/0x2g\n",
		" outer+0x11111111111111111/0x1\n",
		" 9outer+0x1/0x2\n",
		"+0x",
		"+0x+0x+0x1/0x",
		" outer fs/x.c:12 [inline]\n",
		" outer+0x1/0x40 fs/x.c:12\n",
		" outer+0x1/0x40 (fs/x.c:12) mod\n",
		" outer+0x1/0x40 [x_mod] fs/x.c:12\n",
	};
	_cleanup_(symbols_closep) struct symbols *s =
		open_ok(in_dir("small"), NULL);

	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		_cleanup_(buf_deinit) struct buf out = {};

		symbolize_text(s, slice_cstr(texts[i]), &out);
		assert_string_equal(buf_cstr(&out), texts[i]);
	}
}

/* A line of megabytes must cost what its bytes cost. */
static void long_lines_take_linear_time(void **state)
{
	_cleanup_(symbols_closep) struct symbols *s =
		open_ok(in_dir("small"), NULL);
	_cleanup_(buf_deinit) struct buf in = {}, out = {};
	alarm(20);

	for (int i = 0; i < 500000; i++)
		buf_str(&in, i & 1 ? "outer+0x1/0x2 " : "[<a+0x+0x1/0x1 ");
	symbolize_text(s, buf_as_slice(&in), &out);
	assert_true(out.len == in.len);
	buf_consume(&in, in.len);
	for (int i = 0; i < 4000000; i++)
		buf_char(&in, 'a');
	buf_str(&in, "+0x1/0x2");
	buf_consume(&out, out.len);
	symbolize_text(s, buf_as_slice(&in), &out);
	assert_true(out.len == in.len);
	alarm(0);
}

static void other_builds_are_noted(void **state)
{
	_cleanup_(symbols_closep) struct symbols *s =
		open_ok(in_dir("small"), NULL);
	_cleanup_(buf_deinit) struct buf out = {}, notes = {};

	symbolize_text(s, SLICE(" outer+0x5/0x77770\n calls+0x6/0x77770\n"),
		       &out);
	symbols_note(s, &notes);
	assert_string_equal(buf_cstr(&notes),
			    "vmlinux is of another build: 2 of 2 frames do "
			    "not match\n");
	symbolize_text(s, SLICE(" f+0x5/0x7 [some_mod]\n"), &out);
	symbols_note(s, &notes);
	assert_non_null(strstr(buf_cstr(&notes),
			       "no module directory given for module "
			       "some_mod\n"));
	assert_string_equal(buf_cstr(&out), " outer+0x5/0x77770\n"
					    " calls+0x6/0x77770\n"
					    " f+0x5/0x7 [some_mod]\n");
}

static void assert_symbolized(const char *path, const char *in,
			      const char *want)
{
	_cleanup_(symbols_closep) struct symbols *s = open_ok(path, NULL);
	_cleanup_(buf_deinit) struct buf out = {}, again = {}, notes = {};

	symbolize_text(s, slice_cstr(in), &out);
	assert_string_equal(buf_cstr(&out), want);
	symbolize_text(s, buf_as_slice(&out), &again);
	assert_string_equal(buf_cstr(&again), want);
	symbols_note(s, &notes);
	assert_string_equal(buf_cstr(&notes), "");
}

/* Printed by these kernels when they were booted without a root. */
static void real_panics_are_symbolized(void **state)
{
	const char *path = kernel("x86-6.12", "vmlinux");

	if (!path)
		SKIP_TEST("no ready kernel");
	assert_symbolized(
		path,
		"[    3.411798]  <TASK>\n"
		"[    3.412265]  dump_stack_lvl+0x3e/0xe0\n"
		"[    3.414848]  panic+0x5ff/0x6e0\n"
		"[    3.415267]  ? crash_smp_send_stop+0x70/0x70\n"
		"[    3.416014]  ? vprintk_emit+0x21b/0x490\n"
		"[    3.416561]  mount_root_generic+0x544/0x730\n"
		"[    3.417486]  mount_root+0x398/0x440\n"
		"[    3.422726]  ret_from_fork_asm+0x11/0x20\n",
		"[    3.411798]  <TASK>\n"
		"[    3.412265]  __dump_stack lib/dump_stack.c:97 [inline]\n"
		"[    3.412265]  dump_stack_lvl+0x3e/0xe0 lib/dump_stack.c:123\n"
		"[    3.414848]  panic+0x5ff/0x6e0 kernel/panic.c:407\n"
		"[    3.415267]  ? crash_smp_send_stop+0x70/0x70\n"
		"[    3.416014]  ? vprintk_emit+0x21b/0x490 "
		"kernel/printk/printk.c:2405\n"
		"[    3.416561]  mount_root_generic+0x544/0x730 "
		"init/do_mounts.c:236\n"
		"[    3.417486]  mount_block_root init/do_mounts.c:380 "
		"[inline]\n"
		"[    3.417486]  mount_root+0x398/0x440 init/do_mounts.c:407\n"
		"[    3.422726]  ret_from_fork_asm+0x11/0x20 "
		"arch/x86/entry/entry_64.S:244\n");
	path = kernel("uml-6.17", "linux");
	if (!path)
		SKIP_TEST("no ready kernel");
	assert_symbolized(
		path,
		"[    0.130000]  [<600ea784>] dump_stack_lvl+0x6a/0xe8\n"
		"[    0.130000]  [<602f1580>] ? "
		"__sanitizer_cov_trace_const_cmp1+0x0/0x30\n"
		"[    0.130000]  [<617d17b9>] kernel_init+0x39/0x270\n",
		"[    0.130000]  [<600ea784>] __dump_stack "
		"lib/dump_stack.c:94 [inline]\n"
		"[    0.130000]  [<600ea784>] dump_stack_lvl+0x6a/0xe8 "
		"lib/dump_stack.c:120\n"
		"[    0.130000]  [<602f1580>] ? "
		"__sanitizer_cov_trace_const_cmp1+0x0/0x30 kernel/kcov.c:300\n"
		"[    0.130000]  [<617d17b9>] kernel_init+0x39/0x270 "
		"init/main.c:1481\n");
}

/* Reports that are symbolized already do not change, by any kernel. */
static void seeds_stay_as_they_are(void **state)
{
	static const char *const seeds[] = {
		"000_b1111e6ce04e7411",
		"001_815cbb66994c651d",
		"002_0a9f6a3f40b07405",
		"003_60fd9b48e4efae2d",
	};
	const char *path = kernel("x86-6.12", "vmlinux");

	if (!path || !getenv("ROOT"))
		SKIP_TEST("no ready kernel");
	_cleanup_(symbols_closep) struct symbols *s = open_ok(path, NULL);
	for (size_t i = 0; i < ARRAY_LEN(seeds); i++) {
		_cleanup_(buf_deinit) struct buf in = {}, out = {};
		char file[512];

		snprintf(file, sizeof(file), "%s/../shared/seeds/%s.txt",
			 getenv("ROOT"), seeds[i]);
		if (access(file, R_OK) != 0)
			SKIP_TEST("no ../shared/seeds");
		assert_null(io_read_file(file, 1 << 24, &in));
		symbolize_text(s, buf_as_slice(&in), &out);
		assert_string_equal(buf_cstr(&out), buf_cstr(&in));
	}
}

/* --- bad files --- */

static void assert_bad(const char *path, enum error_kind kind, const char *what)
{
	struct symbols *s = NULL;
	struct error *err = symbols_open(path, NULL, &s);

	assert_non_null(err);
	assert_int_equal(error_kind(err), kind);
	if (!strstr(error_message(err), path) ||
	    !strstr(error_message(err), what))
		fail_msg("%s: not \"%s\"", error_message(err), what);
	assert_null(s);
	error_free(err);
}

static void bad_kernels_are_explained(void **state)
{
	struct symbols *s = NULL;

	assert_int_equal(run("rm -rf bad && mkdir bad && : >bad/empty && "
			     "echo text >bad/text && mkfifo bad/fifo && "
			     "cc -O2 -o bad/nodebug small.c a.c b.c && "
			     "strip -o bad/stripped small && "
			     "strip --strip-all --keep-section=.debug_* "
			     "-o bad/nosyms small && "
			     "head -c 40 small >bad/header && "
			     "head -c 9000 small >bad/half"),
			 0);
	assert_bad(in_dir("bad/none"), ERR_NOT_FOUND, "no such file");
	assert_bad(in_dir("bad"), ERR_INPUT, "is a directory");
	assert_bad("/dev/null", ERR_INPUT, "not a regular file");
	assert_bad(in_dir("bad/fifo"), ERR_INPUT, "not a regular file");
	assert_bad(in_dir("bad/empty"), ERR_INPUT, "is empty");
	assert_bad(in_dir("bad/text"), ERR_INPUT, "is not an ELF file");
	assert_bad(in_dir("bad/nodebug"), ERR_INPUT, "no debug information");
	assert_bad(in_dir("bad/stripped"), ERR_INPUT, "no debug information");
	assert_bad(in_dir("bad/header"), ERR_INPUT, "");
	assert_bad(in_dir("bad/half"), ERR_INPUT, "is truncated");
	struct error *err = symbols_open(in_dir("small"), in_dir("none"), &s);
	assert_int_equal(error_kind(err), ERR_NOT_FOUND);
	error_free(err);
	err = symbols_open(in_dir("small"), in_dir("small"), &s);
	assert_int_equal(error_kind(err), ERR_INPUT);
	error_free(err);
}

static void try_everything(const char *path, struct image *good)
{
	static const char *const names[] = { "outer", "calls", "main", "twin" };
	struct symbols *s = NULL;
	struct error *err = symbols_open(path, NULL, &s);

	error_free(err);
	if (!s)
		return;
	for (size_t n = 0; n < ARRAY_LEN(names); n++) {
		const struct sym *sym = sym_of(good, names[n]);

		for (uint64_t i = 0; i < sym->size; i += 3) {
			struct symbols_query q = query_of(sym, i);
			struct source_chain c = {};

			symbols_lookup(s, &q, &c);
			for (size_t k = 0; k < c.nr; k++)
				assert_true(c.lines[k].file && c.lines[k].func);
		}
	}
	symbols_close(s);
}

/* No lie of the file brings us down; what comes out does not matter. */
static void damaged_kernels_are_survived(void **state)
{
	_cleanup_(image_closep) struct image *img = image_ok(in_dir("small"));
	_cleanup_(buf_deinit) struct buf elf = {};
	unsigned seed = 1;

	assert_null(io_read_file(in_dir("small"), 1 << 24, &elf));
	for (size_t n = 0; n < elf.len; n += elf.len / 61) {
		write_file("cut", elf.data, n);
		try_everything(in_dir("cut"), img);
	}
	for (int i = 0; i < 300; i++) {
		_cleanup_(freep) char *bad = mem_dup0(elf.data, elf.len);

		for (int k = 0; k < 8; k++)
			bad[(size_t)rand_r(&seed) % elf.len] =
				(char)rand_r(&seed);
		write_file("cut", bad, elf.len);
		try_everything(in_dir("cut"), img);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(other_builds_are_noted),
		cmocka_unit_test(forms_are_known),
		cmocka_unit_test(inline_lines_repeat_what_surrounds_them),
		cmocka_unit_test(lines_of_several_frames),
		cmocka_unit_test(module_frames_keep_their_module),
		cmocka_unit_test(other_text_is_left_alone),
		cmocka_unit_test(long_lines_take_linear_time),
		cmocka_unit_test(bad_kernels_are_explained),
		cmocka_unit_test(damaged_kernels_are_survived),
		cmocka_unit_test(real_panics_are_symbolized),
		cmocka_unit_test(seeds_stay_as_they_are),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
