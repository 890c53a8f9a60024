/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_frames.c - frames and program counters as the architectures print them.
 *
 * The lines follow show_regs(), show_stack() and relatives of Linux 4.4 to
 * 6.17; each says which architecture prints it so.
 */
#include "unit.h"

#include "report/frames.h"

struct line_case {
	const char *text;
	enum line_kind kind;
	const char *function; /* NULL: not looked at */
};

static void check(const struct line_case *cases, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct report_frame f;
		enum line_kind kind =
			frame_parse(slice_cstr(cases[i].text), &f);

		if (kind != cases[i].kind)
			print_error("%s\n", cases[i].text);
		assert_int_equal(kind, cases[i].kind);
		if (!cases[i].function)
			continue;
		if (!slice_eq(f.function, slice_cstr(cases[i].function)))
			print_error("%s: " SLICE_FMT "\n", cases[i].text,
				    SLICE_ARG(f.function));
		assert_true(
			slice_eq(f.function, slice_cstr(cases[i].function)));
	}
}

static void program_counters(void **state)
{
	static const struct line_case cases[] = {
		/* x86-64: now, before 4.9, at the end of an old oops, Xen */
		{ "RIP: 0010:walk+0x10/0x20", LINE_PC, "walk" },
		{ "RIP: 0010:[<ffffffff81234567>]  [<ffffffff81234567>] walk+0x1/0x2",
		  LINE_PC, "walk" },
		{ "RIP  [<ffffffff81234567>] walk+0x10/0x20", LINE_PC, "walk" },
		{ "RIP: e030:walk+0x10/0x20", LINE_PC, "walk" },
		{ "RIP: 0033:0x45a639", LINE_STATE, NULL },
		{ "RIP: 0010:0x0", LINE_STATE, NULL },
		/* i386 */
		{ "EIP: walk+0x10/0x20", LINE_PC, "walk" },
		{ "EIP is at walk+0x10/0x20", LINE_PC, "walk" },
		{ "EIP: [<c1234567>] walk+0x10/0x20 SS:ESP 0068:f5d01e2c",
		  LINE_PC, "walk" },
		{ "EIP: 0060:[<c1234567>] EFLAGS: 00010246 CPU: 0", LINE_STATE,
		  NULL },
		/* arm64, arm */
		{ "pc : walk+0x10/0x20", LINE_PC, "walk" },
		{ "pc : [<c0234567>]    lr : [<c0234560>]    psr: 60000013",
		  LINE_STATE, NULL },
		{ "PC is at walk+0x10/0x20", LINE_PC, "walk" },
		/* riscv */
		{ "epc : walk+0x10/0x20", LINE_PC, "walk" },
		{ "epc : ffffffff80001234 ra : ffffffff80001235 sp : ff20000",
		  LINE_STATE, NULL },
		/* powerpc: registers, the end of an interrupt frame, 4.x */
		{ "NIP [c000000000123456] walk+0x10/0x20", LINE_PC, "walk" },
		{ "NIP [c000000000123456] .walk+0x10/0x20", LINE_PC, ".walk" },
		{ "--- interrupt: 700 at walk+0x10/0x20", LINE_PC, "walk" },
		{ "--- Exception: 300 at walk+0x10/0x20", LINE_PC, "walk" },
		{ "--- interrupt: c00 at 0x7fff9a1b2c3d", LINE_STATE, NULL },
		/* s390 */
		{ "Krnl PSW : 0704e00180000000 000000000012345a (walk+0x1/0x2)",
		  LINE_PC, "walk" },
		/* mips, loongarch */
		{ "epc   : 80123456 walk+0x10/0x20", LINE_PC, "walk" },
		{ "epc   : ffffffff80123456 walk+0x10/0x20 [ext4]", LINE_PC,
		  "walk" },
		{ "  ERA: 9000000000223456 walk+0x10/0x20", LINE_PC, "walk" },
		/* sparc, m68k, alpha */
		{ "TPC: <walk+0x10/0x20>", LINE_PC, "walk" },
		{ "PC: [<00123456>] walk+0x10/0x20", LINE_PC, "walk" },
		{ "pc is at walk+0x10/0x20", LINE_PC, "walk" },
	};

	(void)state;
	check(cases, ARRAY_LEN(cases));
}

/* The link register may be stale: its function is never blamed. */
static void link_registers(void **state)
{
	static const struct line_case cases[] = {
		{ "lr : walk+0x10/0x20", LINE_LINK, "walk" },
		{ "LR is at walk+0x10/0x20", LINE_LINK, "walk" },
		{ "LR [c000000000123456] walk+0x10/0x20", LINE_LINK, "walk" },
		{ " ra : walk+0x10/0x20", LINE_LINK, "walk" },
		{ "ra    : 80123456 walk+0x10/0x20", LINE_LINK, "walk" },
		{ "   ra: 9000000000223456 walk+0x10/0x20", LINE_LINK, "walk" },
	};

	(void)state;
	check(cases, ARRAY_LEN(cases));
}

static void trace_lines(void **state)
{
	static const struct line_case cases[] = {
		{ " walk+0x10/0x20", LINE_FRAME, "walk" },
		{ " walk+0x10/0x20 (P)", LINE_FRAME, "walk" },
		{ " walk+0x10/0x20 [ext4 0123456789abcdef]", LINE_FRAME,
		  "walk" },
		{ " [<ffffffff81234567>] walk+0x10/0x20", LINE_FRAME, "walk" },
		{ " <IRQ>  [<ffffffff81234567>] walk+0x10/0x20", LINE_FRAME,
		  "walk" },
		{ " <<EOE>>  [<ffffffff81234567>] walk+0x10/0x20", LINE_FRAME,
		  "walk" },
		{ "[<ffffffff80001234>] walk+0x10/0x20", LINE_FRAME, "walk" },
		{ "[c00000000f123456] [c000000000123456] walk+0x10/0x20",
		  LINE_FRAME, "walk" },
		{ " [<000000000012345a>] walk+0x10/0x20 ", LINE_FRAME, "walk" },
		{ "[<c0123456>] (walk) from [<c0123456>] (call+0x1/0x2)",
		  LINE_FRAME, "call" },
		{ " walk from call+0x10/0x20", LINE_FRAME, "call" },
		{ " </IRQ>", LINE_IRQ_END, NULL },
		{ "Call Trace: ", LINE_TRACE, NULL },
		{ "Call trace:", LINE_TRACE, NULL },
		{ "Backtrace: ", LINE_TRACE, NULL },
		{ " ? 0xffffffffa0001234", LINE_OTHER, NULL },
		{ "walk+0x10/0x20 is mentioned in a sentence", LINE_OTHER,
		  NULL },
	};

	(void)state;
	check(cases, ARRAY_LEN(cases));
}

static void guesses(void **state)
{
	static const char *const guesses[] = {
		" ? walk+0x10/0x20",
		" [<ffffffff81234567>] ? walk+0x10/0x20",
		"[c00000000f123456] [c000000000123456] walk+0x1/0x2 (unreliable)",
		"([<000000000012345a>] walk+0x10/0x20)", /* s390 */
		" [<60123456>] ? walk+0x10/0x20", /* UML */
	};
	struct report_frame f;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(guesses); i++) {
		assert_int_equal(frame_parse(slice_cstr(guesses[i]), &f),
				 LINE_FRAME);
		assert_true(f.is_guess);
	}
	assert_int_equal(frame_parse(SLICE(" walk+0x10/0x20"), &f), LINE_FRAME);
	assert_false(f.is_guess);
}

static void compiler_suffixes(void **state)
{
	static const char *const names[] = {
		"walk",		"walk.isra.0",	   "walk.constprop.0.isra.1",
		"walk.part.12", "walk.cold",	   "walk.cold.34",
		"walk.llvm.12", "walk.lto_priv.0", ".walk",
		"walk.cfi_jt",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		assert_true(slice_eq(function_base(slice_cstr(names[i])),
				     SLICE("walk")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(program_counters),
		cmocka_unit_test(link_registers),
		cmocka_unit_test(trace_lines),
		cmocka_unit_test(guesses),
		cmocka_unit_test(compiler_suffixes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
