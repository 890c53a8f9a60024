/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit.h"

#include <dirent.h>
#include <stdio.h>

#include "base/buf.h"
#include "base/glob.h"
#include "base/io.h"
#include "report/guilty.h"

static void expect(const char *title, const char *text, const char *file)
{
	struct slice got =
		report_guilty_file(slice_cstr(title), slice_cstr(text));

	if (!slice_eq(got, slice_cstr(file)))
		fail_msg("blamed '" SLICE_FMT "', not '%s', for:\n%s",
			 SLICE_ARG(got), file, text);
	/* A part of the text, never a copy. */
	if (got.len)
		assert_true(got.p >= text && got.p < text + strlen(text));
}

static void glob_knows_maintainers_patterns(void **state)
{
	static const struct {
		const char *pattern, *path;
		bool match;
	} cases[] = {
		{ "fs/ext4/", "fs/ext4/inode.c", true },
		{ "fs/ext4/", "fs/ext4/a/b.c", true },
		{ "fs/ext4/", "fs/ext4", false },
		{ "fs/ext4", "fs/ext4/inode.c", false },
		{ "net/*", "net/socket.c", true },
		{ "net/*", "net/core/dev.c", false },
		{ "*/net/*", "drivers/net/tun.c", true },
		{ "*/net/*", "net/tun.c", false },
		{ "arch/*/kvm/", "arch/x86/kvm/mmu/mmu.c", true },
		{ "a*b*c", "aXbXbc", true },
		{ "a*b*c", "aXbXb", false },
		{ "*", "a", true },
		{ "*", "", true },
		{ "*", "a/b", false },
		{ "*/", "a/b", true },
		{ "", "a", false },
		{ "drivers/*/*/pm8??\?-*", "drivers/a/b/pm8123-x.c", true },
		{ "drivers/*/*/pm8??\?-*", "drivers/a/b/pm812-x.c", false },
		{ "a?c", "a/c", false },
		{ "irq-gic*.[ch]", "irq-gic-v3.h", true },
		{ "irq-gic*.[ch]", "irq-gic-v3.S", false },
		{ "da[79]*", "da905", true },
		{ "x[!a-c]", "xd", true },
		{ "x[!a-c]", "xb", false },
		{ "x[^a]", "x/", false },
		{ "x[]]", "x]", true },
		{ "x[a", "x[a", true },
		{ "x[a-]", "x-", true },
		{ "x\\*", "x*", true },
		{ "x\\*", "xy", false },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		if (glob_match(slice_cstr(cases[i].pattern),
			       slice_cstr(cases[i].path)) != cases[i].match)
			fail_msg("%s on %s", cases[i].pattern, cases[i].path);
	assert_true(
		glob_match_begin(SLICE("inc/drm/dr"), SLICE("inc/drm/dr.h")));
	assert_false(glob_match_begin(SLICE("inc/dr"), SLICE("inc/drm/dr.h")));
	assert_int_equal(glob_literal_prefix(SLICE("fs/e[x]t4")), 4);
}

static void glob_takes_no_exponential_time(void **state)
{
	char path[4001], pattern[2001];

	memset(path, 'a', 4000);
	for (int i = 0; i < 2000; i++)
		pattern[i] = i % 2 ? '*' : 'a';
	path[4000] = '\0';
	pattern[1999] = 'b';
	pattern[2000] = '\0';
	assert_false(glob_match(slice_cstr(pattern), slice_cstr(path)));
}

static void innermost_specific_frame_is_blamed(void **state)
{
	expect("",
	       "kernel BUG at ./include/linux/swapops.h:10!\n"
	       "RIP: 0010:migrate_it+0x1/0x2 mm/migrate.c:7\n"
	       " mutex_lock+0x3/0x9 kernel/locking/mutex.c:285\n"
	       " nilfs_do include/linux/fs.h:9 [inline]\n"
	       " nilfs_do_it fs/nilfs2/page.c:44 [inline]\n"
	       " nilfs_outer+0x3/0x9 fs/nilfs2/inode.c:3\n"
	       " vfs_read+0x3/0x9 fs/read_write.c:45\n",
	       "fs/nilfs2/page.c");
	expect("", "WARNING: CPU: 0 PID: 9 at drivers/x/y.c:12 f+0x1/0x2\n",
	       "drivers/x/y.c");
	expect("", "UBSAN: shift-out-of-bounds in fs/hfs/x.c:12:7\n",
	       "fs/hfs/x.c");
	expect("", " f+0x1/0x2 drivers/android/binder/node.rs:12\n",
	       "drivers/android/binder/node.rs");
	/* The usb core serves drivers; KVM is no trap handler. */
	expect("",
	       " usb_submit_urb+0x1/0x2 drivers/usb/core/urb.c:12\n"
	       " probe+0x1/0x2 drivers/media/usb/x/y.c:12\n",
	       "drivers/media/usb/x/y.c");
	expect("",
	       " exc_page_fault+0x1/0x2 arch/x86/mm/fault.c:12\n"
	       " walk+0x1/0x2 arch/x86/kvm/mmu/mmu.c:12\n"
	       " kvm_vm_ioctl+0x1/0x2 virt/kvm/kvm_main.c:12\n",
	       "arch/x86/kvm/mmu/mmu.c");
}

static void notes_do_not_count_as_frames(void **state)
{
	expect("",
	       "BUG: sleeping function called from invalid context at "
	       "kernel/locking/mutex.c:562\n"
	       "1 lock held by a/1:\n"
	       " #0: ffff8880 (&x){+.+.}-{3:3}, at: g+0x1/0x2 net/rds/g.c:3\n"
	       "softirqs last  enabled at (12): [<ffff>] h+0x1 net/llc/h.c:4\n"
	       "Call Trace:\n"
	       " f+0x1/0x2 fs/squashfs/f.c:12\n",
	       "fs/squashfs/f.c");
	/* Better than nothing. */
	expect("", " #0: ff (&x){+.+.}, at: g+0x1/0x2 net/rds/g.c:3\n",
	       "net/rds/g.c");
	/* Links of a lockdep chain are stacks. */
	expect("", "-> #1 (&x){+.+.}:\n f+0x1/0x2 net/rds/g.c:3\n",
	       "net/rds/g.c");
}

static void what_is_left_without_a_specific_file(void **state)
{
	/* The core rather than a lock, or a header inlined into it. */
	expect("",
	       " __schedule+0x1/0x2 kernel/sched/core.c:12\n"
	       " inode_lock include/linux/fs.h:7 [inline]\n"
	       " do_unlinkat+0x1/0x2 fs/namei.c:12\n"
	       " do_syscall_64+0x1/0x2 arch/x86/entry/common.c:12\n",
	       "fs/namei.c");
	/* The title knows. */
	expect("WARNING in vfs_statx",
	       " path_get+0x1/0x2 fs/namei.c:12\n"
	       " vfs_statx_path+0x1/0x2 fs/open.c:12\n"
	       " vfs_statx+0x1/0x2 fs/stat.c:12\n",
	       "fs/stat.c");
	expect("WARNING in corrupted",
	       " path_get+0x1/0x2 fs/namei.c:12\n"
	       " vfs_statx+0x1/0x2 fs/stat.c:12\n",
	       "fs/namei.c");
	/* A file system's own header before all that is generic. */
	expect("",
	       " vfs_read+0x1/0x2 fs/read_write.c:12\n"
	       " x+0x1/0x2 fs/befs/befs.h:12\n",
	       "fs/befs/befs.h");
	expect("", " dump_stack+0x1/0x2 lib/dump_stack.c:1\n",
	       "lib/dump_stack.c");
	expect("", " f+0x1/0x2 /home/me/module/f.c:1\n", "/home/me/module/f.c");
	expect("",
	       " f+0x1/0x2 /home/me/module/f.c:1\n"
	       " g+0x1/0x2 fs/hfs/g.c:1\n",
	       "fs/hfs/g.c");
}

static void words_that_are_no_positions(void **state)
{
	expect("", "", "");
	expect("WARNING in f", "no position here\n", "");
	expect("", "panic at (fw/kernel/ipc.c:472): bad\n", "");
	expect("", "see fs/a/b.c and fs/a/b.c: text\nmodule.c:12\n", "");
	expect("", "http://x.y/b.c:zz fs/x/b.cc:12 fs/x/b.c:12x\n", "");
	expect("", "./:1 ./.c:1 .c:1 :1 / :\n", "");
}

/* One file of the corpus; how many were right is for the caller to judge. */
static bool corpus_file_is_right(const char *path)
{
	_cleanup_(buf_deinit) struct buf b = {};
	struct slice text, line = {}, want, got;
	struct error *err = io_read_file(path, 16 << 20, &b);

	assert_null(err);
	text = buf_as_slice(&b);
	assert_true(slice_line(&text, &line));
	assert_true(slice_starts(line, SLICE("FILE:")));
	want = slice_trim(slice_from(line, 5));
	got = report_guilty_file(SLICE(""), text);
	if (!slice_eq(got, want))
		print_message("# %s: blamed '" SLICE_FMT "', not '" SLICE_FMT
			      "'\n",
			      path, SLICE_ARG(got), SLICE_ARG(want));
	return slice_eq(got, want);
}

static void corpus_is_right_to_95_percent(void **state)
{
	char dir[4096], path[8192];
	size_t right = 0, all = 0;
	struct dirent *e;
	DIR *d;

	snprintf(dir, sizeof(dir), "%s/../shared/corpus/guilty",
		 getenv("ROOT") ?: ".");
	d = opendir(dir);
	if (!d)
		SKIP_TEST("no ../shared/corpus");
	while ((e = readdir(d))) {
		if (e->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "%s/%s", dir, e->d_name);
		right += corpus_file_is_right(path);
		all++;
	}
	closedir(d);
	print_message("# %zu of %zu right\n", right, all);
	assert_true(all > 0);
	assert_true(right * 100 >= all * 95);
}

static void seeds_are_right(void **state)
{
	static const char *const seeds[][2] = {
		{ "000_b1111e6ce04e7411", "fs/bcachefs/btree_io.c" },
		{ "001_815cbb66994c651d", "fs/bcachefs/fs-io-direct.c" },
		{ "002_0a9f6a3f40b07405", "fs/bcachefs/movinggc.c" },
		{ "003_60fd9b48e4efae2d", "fs/ext4/mballoc.c" },
		{ "004_9fa9da7e499b57fb", "fs/io_uring.c" },
	};

	for (size_t i = 0; i < sizeof(seeds) / sizeof(*seeds); i++) {
		_cleanup_(buf_deinit) struct buf path = {}, text = {};
		struct error *err;

		buf_printf(&path, "%s/../shared/seeds/%s.txt",
			   getenv("ROOT") ?: ".", seeds[i][0]);
		err = io_read_file(buf_cstr(&path), 16 << 20, &text);
		if (err) {
			error_free(err);
			SKIP_TEST("no ../shared/seeds");
		}
		expect("", buf_cstr(&text), seeds[i][1]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(glob_knows_maintainers_patterns),
		cmocka_unit_test(glob_takes_no_exponential_time),
		cmocka_unit_test(innermost_specific_frame_is_blamed),
		cmocka_unit_test(notes_do_not_count_as_frames),
		cmocka_unit_test(what_is_left_without_a_specific_file),
		cmocka_unit_test(words_that_are_no_positions),
		cmocka_unit_test(corpus_is_right_to_95_percent),
		cmocka_unit_test(seeds_are_right),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
