/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_console.c - what carries the kernel's lines, and who says them. */
#include "unit.h"

#include "base/compiler.h"
#include "report/console.h"

static void kernel_lines(void **state)
{
	static const struct {
		const char *raw;
		bool has_time;
		caller_id caller;
	} cases[] = {
		{ "[   12.345678] text", true, CALLER_NONE },
		{ "<4>[   12.345678] text", true, CALLER_NONE },
		{ "[   12.345678][  T123] text", true,
		  (caller_id)'T' << 40 | 123 },
		{ "[   12.345678][    C1] text", true,
		  (caller_id)'C' << 40 | 1 },
		{ "6,1234,56789,-,caller=T12;text", true,
		  (caller_id)'T' << 40 | 12 },
		{ "Jan  1 02:24:36 host kernel: text", false, CALLER_NONE },
		{ "Jan 21 02:24:36 host kernel: [   12.345678] text", true,
		  CALLER_NONE },
		{ "text", false, CALLER_NONE },
		/* journalctl -o short-monotonic, dmesg -T, -H, --time-format */
		{ "[   12.345678] host kernel: text", true, CALLER_NONE },
		{ "[Sat Nov 21 02:24:36 2026] text", true, CALLER_NONE },
		{ "[Sun Nov  1 02:24:36 2026] text", true, CALLER_NONE },
		{ "kern  :warn  : [Sun Nov  1 02:24:36 2026] text", true,
		  CALLER_NONE },
		{ "[Nov21 02:24] text", true, CALLER_NONE },
		{ "[  +0.000012] text", true, CALLER_NONE },
		{ "2026-11-21T02:24:36,123456+00:00 text", false, CALLER_NONE },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct console_line l = console_parse(slice_cstr(cases[i].raw));

		assert_true(slice_eq(l.text, SLICE("text")));
		assert_int_equal(l.has_time, cases[i].has_time);
		assert_int_equal(l.caller, cases[i].caller);
	}
}

/* Lines of programs in a system log are theirs, and none of the kernel's. */
static void program_lines(void **state)
{
	static const char *const lines[] = {
		"Jan  1 02:24:36 host systemd[1]: BUG: not the kernel's",
		"Nov 21 12:00:01 host CRON[4711]: WARNING: x",
	};
	static const char *const others[] = {
		"Jan  1 02:24:36",
		"Jan  1 02:24:36 ",
		"Jan  1 02:24:36 host",
		"Jan  1 02:24:36 host text without a tag: x",
		"BUG: unable to handle kernel paging request at 1: 2",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
		struct console_line l = console_parse(slice_cstr(lines[i]));

		assert_int_equal(l.caller, CALLER_PROGRAM);
		assert_int_equal(l.text.len, 0);
	}
	for (size_t i = 0; i < ARRAY_LEN(others); i++) {
		struct console_line l = console_parse(slice_cstr(others[i]));

		assert_int_equal(l.caller, CALLER_NONE);
		assert_int_equal(l.text.len, strlen(others[i]));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(kernel_lines),
		cmocka_unit_test(program_lines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
