/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit.h"

#include "raw/raw.h"
#include "wire/wire.h"

static struct raw *parse(const char *text)
{
	struct raw *p = NULL;
	struct error *err = raw_parse("t", slice_cstr(text), RAW_X86_64, &p);

	if (err)
		fail_msg("%s", error_message(err));
	return p;
}

/* Text -> program -> wire -> program -> text. */
static void expect_text(const char *text, const char *want)
{
	_cleanup_(raw_freep) struct raw *p = parse(text), *back = NULL;
	_cleanup_(buf_deinit) struct buf wire = {}, one = {}, two = {};
	struct error *err;

	raw_encode(p, &wire);
	err = raw_decode(buf_as_slice(&wire), RAW_X86_64, &back);
	if (err)
		fail_msg("%s: %s", text, error_message(err));
	raw_to_text(p, &one);
	raw_to_text(back, &two);
	assert_string_equal(buf_cstr(&one), want);
	assert_string_equal(buf_cstr(&two), want);
}

static void round_trip(void **state)
{
	static const char text[] =
		"r0 = openat(0xffffff9c, \"/dev/loop0\\x00\", 0x2, 0x0)\n"
		"ioctl(r0, 0x4c00, r1)\n"
		"write(r0, \"\\x01\\x02\", 0x2)\n"
		"read(r0, &[61], 0x3d)\n"
		"syscall(9999, 0xffffffffffffffff) (async)\n"
		"getpid() (rerun: 3, fail_nth: 7)\n"
		"*0x20800000 = \"a \\\"quoted\\\" \\\\ text\"\n"
		"*0x20800020 = 0x12:2\n"
		"*0x20800028 = \"pointed to\":8\n"
		"*0x20800030 = &[8]:8\n"
		"r2 = *0x20800028:4\n"
		"write(r511, \"\", 0x0)\n"
		"write(\"a\", \"bc\", \"\", &[1], &[0], r2)\n";

	expect_text(text, text);
	expect_text("", "");
	expect_text("# nothing\n\n  \t\n", "");
	expect_text("getpid()# yes", "getpid()\n");
	expect_text("close( 010 )\r\nclose(-1)\n close ( 12 )",
		    "close(0x8)\nclose(0xffffffffffffffff)\nclose(0xc)\n");
	expect_text("write(1, &\"\\0\\n\\r\\t\", 4)\n",
		    "write(0x1, \"\\x00\\x0a\\x0d\\x09\", 0x4)\n");
	expect_text("syscall(39)\nsyscall(3, 7)\n", "getpid()\nclose(0x7)\n");
}

static void errors_say_where(void **state)
{
	static const struct {
		const char *text, *message;
	} cases[] = {
		{ "getpid(\n", "t:1:8: expected a number" },
		{ "\n\nnosuch()\n", "t:3:1: unknown system call" },
		{ "  nosuch()\n", "t:1:3: unknown system call" },
		{ "close(0x)\n", "t:1:7: expected a number" },
		{ "close(0x11111111111111111)\n", "t:1:7: expected a number" },
		{ "close(09)\n", "t:1:7: expected a number" },
		{ "close(1 2)\n", "t:1:9: expected ','" },
		{ "close(1) x\n", "t:1:10: expected the end" },
		{ "close(\"a)\n", "t:1:10: a string that does not end" },
		{ "close(\"\\q\")\n", "t:1:9: unknown escape" },
		{ "close(\"\\x0\")\n", "t:1:9: expected two hex" },
		{ "close(1,2,3,4,5,6,7)\n", "t:1:19: more than 6" },
		{ "r512 = getpid()\n", "t:1:1: unknown system call" },
		{ "*0x20000000 = 1:4\n", "t:1:2: not an address" },
		{ "*0x20800000 = 1:3\n", "t:1:17: expected a size" },
		{ "*0x20ffffff = 1:4\n", "t:1:1: the program is too large" },
		{ "getpid() (often)\n", "t:1:11: expected async" },
		{ "getpid() (rerun: 65536)\n", "t:1:17: rerun" },
		{ "read(0, &[8388608], 1)\n", "t:1:1: the program is too" },
		{ "read(0, &[99999999], 1)\n", "t:1:11: a buffer over" },
		{ "= getpid()\n", "t:1:1: expected the name" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct raw *p = NULL;
		struct error *err = raw_parse("t", slice_cstr(cases[i].text),
					      RAW_X86_64, &p);

		if (!err)
			fail_msg("accepted: %s", cases[i].text);
		if (!slice_starts(slice_cstr(error_message(err)),
				  slice_cstr(cases[i].message)))
			fail_msg("%s: %s", cases[i].text, error_message(err));
		error_free(err);
	}
}

static void bounds(void **state)
{
	_cleanup_(buf_deinit) struct buf text = {};
	struct raw *p = NULL;
	struct error *err;

	for (int i = 0; i < 512; i++)
		buf_str(&text, "getpid()\n");
	p = parse(buf_cstr(&text));
	assert_int_equal(raw_ncalls(p), 512);
	raw_free(p);
	buf_str(&text, "getpid()\n");
	err = raw_parse("t", buf_as_slice(&text), RAW_X86_64, &p);
	assert_non_null(err);
	error_free(err);
}

static void names(void **state)
{
	_cleanup_(raw_freep) struct raw *p =
		parse("*0x20800000 = 1:1\ngetpid()\nr1 = dup(0)\n");
	_cleanup_(buf_deinit) struct buf text = {};

	raw_call_to_text(p, 1, &text);
	assert_string_equal(buf_cstr(&text), "r1 = dup(0x0)");
	assert_int_equal(raw_syscall_nr(RAW_ARM64, SLICE("openat")), 56);
	assert_int_equal(raw_syscall_nr(RAW_X86_64, SLICE("openat")), 257);
	assert_int_equal(raw_syscall_nr(RAW_ARM64, SLICE("open")), -1);
	assert_string_equal(raw_syscall_name(RAW_ARM64, 25), "fcntl");
	assert_null(raw_syscall_name(RAW_X86_64, 100000));
}

/* Whatever is cut off or changed: an error or a program, never a crash. */
static void garbled_wire(void **state)
{
	_cleanup_(raw_freep) struct raw *p =
		parse("r0 = openat(1, \"abc\", &[9])\n*0x20800000 = \"x\"\n"
		      "*0x20800010 = \"y\":8\nr1 = *0x20800010:8\n");
	_cleanup_(buf_deinit) struct buf wire = {};
	int errors = 0;

	raw_encode(p, &wire);
	for (size_t i = 0; i < wire.len; i++) {
		struct raw *back = NULL;
		struct error *err = raw_decode((struct slice){ wire.data, i },
					       RAW_X86_64, &back);

		assert_non_null(err);
		error_free(err);
		wire.data[i] ^= (char)0xff;
		err = raw_decode(buf_as_slice(&wire), RAW_X86_64, &back);
		wire.data[i] ^= (char)0xff;
		errors += err != NULL;
		error_free(err);
		if (back)
			raw_free(back);
	}
	assert_in_range(errors, wire.len / 4, wire.len);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(round_trip),
		cmocka_unit_test(errors_say_where),
		cmocka_unit_test(bounds),
		cmocka_unit_test(names),
		cmocka_unit_test(garbled_wire),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
