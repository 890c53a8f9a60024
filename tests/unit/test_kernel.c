/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kernel/kernel.h"
#include "kernel/mailmap.h"
#include "kernel/regex.h"

/* In the shape of the kernel's; the people are not real. */
static const char file[] =
	"List of maintainers\n"
	"===================\n"
	"\n"
	"	M: *Mail* patches to: FullName <address@domain>\n"
	"	F:	drivers/net/	all files in and below drivers/net\n"
	"\n"
	"Maintainers List\n"
	"----------------\n"
	"\n"
	"FROG FILE SYSTEM\n"
	"M:	\"Frida O. Frog\" <frida@frog.example>\n"
	"M:	Tom, the \"T\" Toad <tom@toad.example>\n"
	"R:	Åsa Öst <asa@oest.example>\n"
	"R:	Frida O. Frog <frida@elsewhere.example>\n"
	"L:	frogfs@lists.example (moderated for non-subscribers)\n"
	"L:	frog-private@lists.example (subscribers-only)\n"
	"S:	Supported\n"
	"W:	http://frog.example\n"
	"F:	fs/frogfs/\n"
	"F:	include/uapi/linux/frog\n"
	"X:	fs/frogfs/legs/\n"
	"\n"
	"FILE SYSTEMS (VFS)\n"
	"M:	vera@vfs.example\n"
	"R:	Tom, the \"T\" Toad <tom@toad.example>\n"
	"L:	linux-fsdevel@vger.example\n"
	"L:	linux-kernel@vger.kernel.org\n"
	"S:	Maintained\n"
	"F:	fs/*\n"
	"F:	fs/frogfs\n"
	"\n"
	"LEGS\n"
	"S:	Orphan\n"
	"L:	legs@lists.example (open list)\n"
	"F:	fs/frogfs/legs/*\n"
	"M:	no address here\n"
	"M:	broken <a b@c>\n"
	"M:	quoted <x\"y@c.example>\n"
	"F:\n"
	"this is no line of a section\n"
	"M:	Lost <lost@example.example>\n"
	"\n"
	"SOC\n"
	"M:	Sam Soc <sam@soc.example>\n"
	"N:	soc[0-9]x\n"
	"N:	(?!never)look-ahead\n"
	"K:	\\bsoc_(?:enable|disable)\\b\n"
	"F:	arch/arm/mach-soc/\n"
	"\n"
	"THE REST\n"
	"M:	Chief <chief@kernel.example>\n"
	"L:	linux-kernel@vger.kernel.org\n"
	"S:	Buried\n"
	"F:	*\n"
	"F:	*/\n";

static struct maintainers *parsed(const char *text, const char *src,
				  unsigned int flags)
{
	struct maintainers *m = NULL;
	struct error *err = maintainers_parse(slice_cstr(text), src, flags, &m);

	if (err)
		fail_msg("%s", error_message(err));
	return m;
}

static void expect(const struct maintainers *m, const char *path,
		   const char *want)
{
	_cleanup_(recipients_deinit) struct recipients r = {};
	_cleanup_(buf_deinit) struct buf out = {};

	maintainers_find(m, slice_cstr(path), &r);
	recipients_to_text(&r, &out);
	if (strcmp(buf_cstr(&out), want))
		fail_msg("%s:\n%snot\n%s", path, buf_cstr(&out), want);
}

static void most_specific_section_comes_first(void **state)
{
	_cleanup_(maintainers_closep) struct maintainers *m =
		parsed(file, NULL, 0);

	expect(m, "fs/frogfs/pond.c",
	       "recipients (to): [\"frida@frog.example\" \"tom@toad.example\" "
	       "\"frogfs@lists.example\" \"vera@vfs.example\" "
	       "\"linux-fsdevel@vger.example\"]\n"
	       "recipients (cc): [\"asa@oest.example\" "
	       "\"linux-kernel@vger.kernel.org\"]\n");
	expect(m, "./fs/namei.c",
	       "recipients (to): [\"vera@vfs.example\" "
	       "\"linux-fsdevel@vger.example\"]\n"
	       "recipients (cc): [\"tom@toad.example\" "
	       "\"linux-kernel@vger.kernel.org\"]\n");
}

static void exclusions_and_orphans(void **state)
{
	_cleanup_(maintainers_closep) struct maintainers *m =
		parsed(file, NULL, 0);

	expect(m, "fs/frogfs/legs/left.c",
	       "recipients (to): [\"legs@lists.example\" \"vera@vfs.example\" "
	       "\"linux-fsdevel@vger.example\"]\n"
	       "recipients (cc): [\"tom@toad.example\" "
	       "\"linux-kernel@vger.kernel.org\"]\n");
	/* The beginning of a name counts, of a directory does not. */
	expect(m, "include/uapi/linux/frog_ioctl.h",
	       "recipients (to): [\"frida@frog.example\" \"tom@toad.example\" "
	       "\"frogfs@lists.example\"]\n"
	       "recipients (cc): [\"asa@oest.example\" "
	       "\"linux-kernel@vger.kernel.org\"]\n");
	expect(m, "include/uapi/linux/frogs/x.h",
	       "recipients (to): [\"linux-kernel@vger.kernel.org\"]\n"
	       "recipients (cc): []\n");
}

static void path_regexes(void **state)
{
	_cleanup_(maintainers_closep) struct maintainers *m =
		parsed(file, NULL, 0);

	expect(m, "drivers/clk/clk-soc7x.c",
	       "recipients (to): [\"sam@soc.example\"]\n"
	       "recipients (cc): [\"linux-kernel@vger.kernel.org\"]\n");
	expect(m, "fs/soc7x.c",
	       "recipients (to): [\"vera@vfs.example\" "
	       "\"linux-fsdevel@vger.example\" \"sam@soc.example\"]\n"
	       "recipients (cc): [\"tom@toad.example\" "
	       "\"linux-kernel@vger.kernel.org\"]\n");
	expect(m, "drivers/never/look-ahead.c",
	       "recipients (to): [\"sam@soc.example\"]\n"
	       "recipients (cc): [\"linux-kernel@vger.kernel.org\"]\n");
}

static void write_file(const char *dir, const char *name, const char *text)
{
	_cleanup_(buf_deinit) struct buf path = {};
	FILE *f;

	buf_printf(&path, "%s/%s", dir, name);
	f = fopen(buf_cstr(&path), "w");
	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

static void keywords_and_mailmap_of_a_tree(void **state)
{
	static const char to_sam[] =
		"recipients (to): [\"sam@new.example\"]\n"
		"recipients (cc): [\"linux-kernel@vger.kernel.org\"]\n";
	static const char to_nobody[] =
		"recipients (to): [\"linux-kernel@vger.kernel.org\"]\n"
		"recipients (cc): []\n";
	_cleanup_(maintainers_closep) struct maintainers *m = NULL, *off = NULL;
	char dir[] = "/tmp/test-kernel-XXXXXX";
	_cleanup_(buf_deinit) struct buf sub = {}, outside = {};

	assert_non_null(mkdtemp(dir));
	buf_printf(&sub, "%s/tree", dir);
	assert_int_equal(mkdir(buf_cstr(&sub), 0700), 0);
	write_file(buf_cstr(&sub), "MAINTAINERS", file);
	write_file(buf_cstr(&sub), ".mailmap",
		   "Sam Soc <sam@new.example> <SAM@soc.example>\n");
	write_file(buf_cstr(&sub), "a.c", "\treturn soc_enable(dev);\n");
	write_file(buf_cstr(&sub), "b.c", "\treturn my_soc_enabled(dev);\n");
	write_file(dir, "c.c", "soc_disable();\n");

	assert_null(maintainers_open(buf_cstr(&sub), MAINTAINERS_KEYWORDS, &m));
	expect(m, "a.c", to_sam);
	expect(m, "b.c", to_nobody);
	expect(m, "gone.c", to_nobody);
	/* A report does not get to read outside of the tree. */
	expect(m, "../c.c", to_nobody);
	expect(m, "x/../../c.c", to_nobody);
	buf_printf(&outside, "%s/c.c", dir);
	expect(m, buf_cstr(&outside), to_nobody);
	assert_null(maintainers_open(buf_cstr(&sub), 0, &off));
	expect(off, "a.c", to_nobody);

	assert_int_equal(chdir(dir), 0);
	assert_int_equal(unlink("tree/MAINTAINERS"), 0);
	assert_int_equal(unlink("tree/.mailmap"), 0);
	assert_int_equal(unlink("tree/a.c"), 0);
	assert_int_equal(unlink("tree/b.c"), 0);
	assert_int_equal(unlink("c.c"), 0);
	assert_int_equal(rmdir("tree"), 0);
	assert_int_equal(rmdir(dir), 0);
}

static void expect_error(struct error *err, enum error_kind kind,
			 const char *part)
{
	assert_non_null(err);
	assert_int_equal(error_kind(err), kind);
	assert_non_null(strstr(error_message(err), part));
	error_free(err);
}

static void errors_say_what_to_do(void **state)
{
	struct maintainers *m = NULL;

	expect_error(maintainers_open("/nonexistent", 0, &m), ERR_NOT_FOUND,
		     "give the directory of a kernel source tree");
	expect_error(maintainers_parse(SLICE(""), NULL, 0, &m), ERR_INPUT,
		     "no section");
	expect_error(maintainers_parse(SLICE("FROG\nhello\n\n\tF: x\n"), NULL,
				       0, &m),
		     ERR_INPUT, "no section");
	assert_null(m);
}

static void mailmap_forms(void **state)
{
	struct slice text = SLICE("# <no@x> <comment@x>\n"
				  "Only Name <stays@x>\n"
				  "<new1@x> <OLD1@x>\n"
				  "New Name <new2@x> <old2@x> # why\n"
				  "A B <ab@x> Abe <shared@x>\n"
				  "C D <cd@x> Cid <shared@x>\n"
				  "<first@x> <twice@x>\n"
				  "<last@x> <twice@x>\n"
				  "<unfinished@x> <old1@x\n"
				  "<> <> <a@x\n");
	_cleanup_(mailmap_freep) struct mailmap *m = mailmap_parse(text);
	static const struct {
		const char *name, *old, *new;
	} cases[] = {
		{ "", "comment@x", "comment@x" },
		{ "Only", "stays@x", "stays@x" },
		{ "", "old1@X", "new1@x" },
		{ "Any Name", "old2@x", "new2@x" },
		{ "abe", "shared@x", "ab@x" },
		{ "Cid", "shared@x", "cd@x" },
		{ "Eve", "shared@x", "shared@x" },
		{ "", "twice@x", "last@x" },
		{ "", "zzz@x", "zzz@x" },
		{ "", "", "" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		assert_true(
			slice_eq(mailmap_address(m, slice_cstr(cases[i].name),
						 slice_cstr(cases[i].old)),
				 slice_cstr(cases[i].new)));
}

static void regexes_in_the_manner_of_perl(void **state)
{
	static const struct {
		const char *regex, *text;
		int found; /* -1: refused */
	} cases[] = {
		{ "mt[2678]", "drivers/mt6577.c", 1 },
		{ "bcm283*", "bcm28", 1 },
		{ "bcm[9]?63138", "bcm63138", 1 },
		{ "(?:\\b|_)xdp(?:\\b|_)", "an xdp_frame", 1 },
		{ "(?:\\b|_)xdp(?:\\b|_)", "anxdp", 0 },
		{ "(?i)pidfd", "PidFD", 1 },
		{ "\\b(?i:rust)\\b", "in RUST.", 1 },
		{ "phylink\\.h|struct\\s+foo", "struct \t foo", 1 },
		{ "phylink\\.h", "phylinkxh", 0 },
		{ "a\\d+z", "a123z", 1 },
		{ "\"nxp,x\"", "= \"nxp,x\";", 1 },
		{ "foo_[a-z]\\+", "foo_a+", 1 },
		{ "foo_[a-z]\\+", "foo_aa", 0 },
		{ "abc?d", "abd", 1 },
		{ "a\\<b", "a<b", 1 },
		{ "ab{2,3}c", "abbc", 1 },
		{ "(abc|abd)x", "abdx", 1 },
		{ "(abc", "abc", -1 },
		{ "abc)", "abc", -1 },
		{ "*a", "a", -1 },
		{ "a+?b", "aab", 1 },
		{ "(a)\\1", "aa", 1 },
		{ "foo(?!bar)", "foobar", 0 },
		{ "^b", "a\nb", 1 },
		{ "a$", "a\nb", 1 },
		{ "[\\w]-", "a-", 1 },
		{ "[a", "a", -1 },
		{ "a\\", "a", -1 },
		{ "", "a", -1 },
		/* would take 2^32 steps */
		{ "(a+)+(a+)+b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaac", 0 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct regex *r = regex_new(slice_cstr(cases[i].regex));
		int found = r ? regex_search(r, slice_cstr(cases[i].text)) : -1;

		regex_free(r);
		if (found != cases[i].found)
			fail_msg("%s on %s: %d", cases[i].regex, cases[i].text,
				 found);
	}
}

/* KERNEL_SRC=/usr/src/linux: the tree of a real kernel. */
static void a_real_tree(void **state)
{
	_cleanup_(maintainers_closep) struct maintainers *m = NULL;
	_cleanup_(recipients_deinit) struct recipients r = {};
	const char *src = getenv("KERNEL_SRC");
	struct error *err;

	if (!src)
		SKIP_TEST("KERNEL_SRC is not set");
	err = maintainers_open(src, 0, &m);
	if (err)
		fail_msg("%s", error_message(err));
	maintainers_find(m, SLICE("fs/ext4/mballoc.c"), &r);
	assert_true(r.to.len >= 2);
	assert_true(slice_eq(r.to.data[0], SLICE("tytso@mit.edu")));
	assert_true(slice_eq(r.cc.data[r.cc.len - 1],
			     SLICE("linux-kernel@vger.kernel.org")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(most_specific_section_comes_first),
		cmocka_unit_test(exclusions_and_orphans),
		cmocka_unit_test(path_regexes),
		cmocka_unit_test(keywords_and_mailmap_of_a_tree),
		cmocka_unit_test(errors_say_what_to_do),
		cmocka_unit_test(mailmap_forms),
		cmocka_unit_test(regexes_in_the_manner_of_perl),
		cmocka_unit_test(a_real_tree),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
