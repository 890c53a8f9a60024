/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_console.c - what carries the kernel's lines, and who says them. */
#include "unit.h"

#include "base/compiler.h"
#include "report/console.h"

/* Callers as console_parse() names them. */
#define TASK(n) ((caller_id)'T' << 40 | (n))
#define CPU(n) ((caller_id)'C' << 40 | (n))

static const struct {
	const char *raw, *text;
	caller_id caller;
	bool has_time;
} rows[] = {
	{ "BUG: x", "BUG: x", CALLER_NONE, false },
	{ "", "", CALLER_NONE, false },
	{ "[    1.234567] BUG: x", "BUG: x", CALLER_NONE, true },
	{ "[12345.678901] BUG: x", "BUG: x", CALLER_NONE, true },
	{ "[  1.234567,0] BUG: x", "BUG: x", CALLER_NONE, true },
	{ "[    1.234567][    T1] BUG: x", "BUG: x", TASK(1), true },
	{ "[    1.234567][   C12] BUG: x", "BUG: x", CPU(12), true },
	{ "[    1.234567][T123456] x", "x", TASK(123456), true },
	{ "<6>[    1.234567] BUG: x", "BUG: x", CALLER_NONE, true },
	{ "<14>[    1.234567][  T12] x", "x", TASK(12), true },
	{ "<6>BUG: x", "BUG: x", CALLER_NONE, false },
	{ "<190>BUG: x", "BUG: x", CALLER_NONE, false },
	{ "<6x>BUG: x", "<6x>BUG: x", CALLER_NONE, false },
	{ "\r[    1.234567] BUG: x\r", "BUG: x\r", CALLER_NONE, true },
	{ "# ls[    1.234567] BUG: x", "BUG: x", CALLER_NONE, true },
	/* /dev/kmsg and extended netconsole */
	{ "6,339,5140900,-;BUG: x", "BUG: x", CALLER_NONE, true },
	{ "4,1,5,-,caller=T12;BUG: x", "BUG: x", TASK(12), true },
	{ "4,1,5,c,caller=C3;BUG: x", "BUG: x", CPU(3), true },
	{ "4,1,5,-,ncfrag=0/33;BUG: x", "BUG: x", CALLER_NONE, true },
	{ "4,1,5;BUG: x", "4,1,5;BUG: x", CALLER_NONE, false },
	/* netconsole with the release in front */
	{ "6.4.0,3,444,501151268,-,caller=T123;BUG: x", "BUG: x", TASK(123),
	  true },
	{ "6.12.0-rc1+,3,4,5,-;BUG: x", "BUG: x", CALLER_NONE, true },
	{ "6.4.0,3,444;BUG: x", "6.4.0,3,444;BUG: x", CALLER_NONE, false },
	{ "6.4.0,6.4.0,3,4,5,-;BUG: x", "6.4.0,6.4.0,3,4,5,-;BUG: x",
	  CALLER_NONE, false },
	/* journalctl, syslog */
	{ "Nov 21 03:16:24 host kernel: BUG: x", "BUG: x", CALLER_NONE, false },
	{ "Nov 21 03:16:24 host kernel: [    1.234567] BUG: x", "BUG: x",
	  CALLER_NONE, true },
	{ "2026-11-21T03:16:24+0000 h kernel: [ 1.2][ T7] x", "x", TASK(7),
	  true },
	{ "2018/01/09 14:28:48 BUG: x", "BUG: x", CALLER_NONE, false },
	{ "[   12.345678] host kernel: x", "x", CALLER_NONE, true },
	{ "[   12.345678] a b kernel: x", "a b kernel: x", CALLER_NONE, true },
	/* dmesg -T, -x, -H, --time-format=iso */
	{ "[Sat Nov 21 02:24:36 2026] x", "x", CALLER_NONE, true },
	{ "kern  :warn  : [Sun Nov  1 02:24:36 2026] x", "x", CALLER_NONE,
	  true },
	{ "[Nov21 02:24] x", "x", CALLER_NONE, true },
	{ "[  +0.000012] x", "x", CALLER_NONE, true },
	{ "2026-11-21T02:24:36,123456+00:00 x", "x", CALLER_NONE, false },
	/* dmesg -d, -Td, --time-format=delta, -xt */
	{ "[   12.345678 <    0.000012>] x", "x", CALLER_NONE, true },
	{ "[   12.345678 <    0.000012 >] host kernel: x", "x", CALLER_NONE,
	  true },
	{ "[Sat Nov 21 02:24:36 2026 <    0.000012>] x", "x", CALLER_NONE,
	  true },
	{ "[<    0.000012>] x", "x", CALLER_NONE, true },
	{ "[ 12.345 < 0.000012] x", "[ 12.345 < 0.000012] x", CALLER_NONE,
	  false },
	{ "[ 12.345 <>] x", "[ 12.345 <>] x", CALLER_NONE, false },
	{ "[<ffffffff81234567>] f+0x1/0x2", "[<ffffffff81234567>] f+0x1/0x2",
	  CALLER_NONE, false },
	{ "kern  :alert : BUG: x", "BUG: x", CALLER_NONE, false },
	{ "kern  :err   :  f+0x1/0x2", " f+0x1/0x2", CALLER_NONE, false },
	{ "kernel:alert : BUG: x", "kernel:alert : BUG: x", CALLER_NONE,
	  false },
	/* quoted in a mail */
	{ "> BUG: x", "BUG: x", CALLER_NONE, false },
	{ ">>  f+0x1/0x2", " f+0x1/0x2", CALLER_NONE, false },
	{ "> > >ffff888012345600: fa", ">ffff888012345600: fa", CALLER_NONE,
	  false },
	{ ">ffff888012345600: fa", ">ffff888012345600: fa", CALLER_NONE,
	  false },
	{ ">", "", CALLER_NONE, false },
	/* ts, LAVA and others put the time of day in front */
	{ "Nov 21 02:24:36 kernel BUG at a.c:1!", "kernel BUG at a.c:1!",
	  CALLER_NONE, false },
	{ "Nov 21 02:24:36  f+0x1/0x2", " f+0x1/0x2", CALLER_NONE, false },
	{ "Nov 21 02:24:36 invalid opcode: 0000 [#1]",
	  "invalid opcode: 0000 [#1]", CALLER_NONE, false },
	{ "Nov 21 02:24:36 Hardware name: QEMU", "Hardware name: QEMU",
	  CALLER_NONE, false },
	{ "2026-11-21T02:24:36.1234567Z RIP: 0010:f+0x1/0x2",
	  "RIP: 0010:f+0x1/0x2", CALLER_NONE, false },
	{ "2026-11-21T02:24:36+01:00 x", "x", CALLER_NONE, false },
	{ "2026-11-21 02:24:36.5 x", "x", CALLER_NONE, false },
	{ "12.345678 RIP: 0010:f+0x1/0x2", "RIP: 0010:f+0x1/0x2", CALLER_NONE,
	  false },
	{ "12.3456 x", "12.3456 x", CALLER_NONE, false },
	/* but what a program says of itself is no crash */
	{ "Nov 21 02:24:36 WARNING: x", "Nov 21 02:24:36 WARNING: x",
	  CALLER_NONE, false },
	{ "2026-11-21T02:24:36Z INFO: x", "2026-11-21T02:24:36Z INFO: x",
	  CALLER_NONE, false },
	/* netconsole as it is, pstore */
	{ "[ 1234.567890] x", "x", CALLER_NONE, true },
	{ "<4>[ 1234.567890] x", "x", CALLER_NONE, true },
	{ "Panic#1 Part1", "Panic#1 Part1", CALLER_NONE, false },
	/* not quite */
	{ "[    1] BUG: x", "[    1] BUG: x", CALLER_NONE, false },
	{ "[    1.] BUG: x", "[    1.] BUG: x", CALLER_NONE, false },
	{ "[    1.2 BUG: x", "[    1.2 BUG: x", CALLER_NONE, false },
	{ "[    1.2][  X1] x", "[  X1] x", CALLER_NONE, true },
	{ "[    1.2][  T] x", "[  T] x", CALLER_NONE, true },
	{ "[", "[", CALLER_NONE, false },
	{ "[1.2", "[1.2", CALLER_NONE, false },
	{ "<", "<", CALLER_NONE, false },
	{ "<6", "<6", CALLER_NONE, false },
	{ "6,1,2,-;", "", CALLER_NONE, true },
	{ "[1.2]", "", CALLER_NONE, true },
};

static void prefixes_are_taken_off(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct console_line l = console_parse(slice_cstr(rows[i].raw));

		assert_slice(l.text, rows[i].text);
		assert_int_equal(l.caller, rows[i].caller);
		assert_int_equal(l.has_time, rows[i].has_time);
	}
}

/* Lines of programs in a system log are theirs, and none of the kernel's. */
static void program_lines(void **state)
{
	static const char *const lines[] = {
		"Jan  1 02:24:36 host systemd[1]: BUG: not the kernel's",
		"Nov 21 12:00:01 host CRON[4711]: WARNING: x",
		"Nov 21 12:00:01 host rsyslogd: INFO: x",
		"2026-11-21T02:24:36.123456+01:00 host myapp[1]: WARNING: x",
		"2026-11-21T02:24:36+0100 host myapp[1]: WARNING: x",
		"2026-11-21T02:24:36+01:00 host rsyslogd: INFO: x",
		"2026-11-21T02:24:36+01:00 host (udev)[12]: kernel BUG at",
	};
	static const char *const others[] = {
		"Jan  1 02:24:36",
		"2026-11-21T02:24:36.5+01:00",
		"2026-11-21T02:24:36+1 host myapp[1]: x",
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
		cmocka_unit_test(prefixes_are_taken_off),
		cmocka_unit_test(program_lines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
