/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The parts of report/ one by one; whole streams are in test_stream.c. */
#include "unit.h"

#include <stdio.h>

#include "base/buf.h"
#include "report/demangle.h"
#include "report/formats.h"
#include "report/frames.h"
#include "report/match.h"
#include "report/normal.h"
#include "report/scan.h"

/* The captures as "name=value;..." or "no". */
static const char *matched(const char *pattern, const char *text)
{
	static char out[256];
	struct match m = { .nr = 0 };
	size_t n = 0;

	if (!match_line(pattern, slice_cstr(text), &m))
		return m.nr ? "captures left behind" : "no";
	out[0] = '\0';
	for (unsigned i = 0; i < m.nr; i++)
		n += (size_t)snprintf(out + n, sizeof(out) - n,
				      SLICE_FMT "=" SLICE_FMT ";",
				      SLICE_ARG(m.name[i]),
				      SLICE_ARG(m.value[i]));
	return out;
}

static void patterns_match(void **state)
{
	static const struct {
		const char *pattern, *text, *want;
	} rows[] = {
		{ "abc", "abc", "" },
		{ "abc", "abcd", "" },
		{ "abc", "ab", "no" },
		{ "abc", "abd", "no" },
		{ "abc", "", "no" },
		{ "", "abc", "" },
		/* a blank is one or more */
		{ "a b", "a b", "" },
		{ "a b", "a \t  b", "" },
		{ "a b", "ab", "no" },
		{ "a b", "a ", "no" },
		/* free text: the shortest, at the end the rest */
		{ "a{x}b", "a12b3b", "x=12;" },
		{ "a{x}b", "ab", "x=;" },
		{ "a{x}b", "a12", "no" },
		{ "a{x}", "a12 3", "x=12 3;" },
		{ "a{x}", "a", "no" },
		{ "a{*}b{x}", "a12b3", "x=3;" },
		{ "a{x} at b", "a1 ax at  b", "x=1 ax;" },
		{ "{x} end", "      end", "x=;" },
		{ "{x} end", "          ", "no" },
		/* classes */
		{ "{x:w} y", "ab.c/d:1 y", "x=ab.c/d:1;" },
		{ "{x:w}", " ", "no" },
		{ "{x:w}", "", "no" },
		{ "{x:d}!", "123!", "x=123;" },
		{ "{x:d}!", "12a!", "no" },
		{ "{x:d}", "a", "no" },
		{ "{x:x}:", "0x12aF:", "x=0x12aF;" },
		{ "{x:x}:", "12aF:", "x=12aF;" },
		{ "{x:x}", "xyz", "no" },
		{ "{x:x}", "0xg", "x=0;" },
		{ "{x:f}!", "func+0x1/0x2!", "x=func;" },
		{ "{x:f}!", "func!", "x=func;" },
		{ "{x:f}!", "f.isra.0+0x1!", "x=f.isra.0;" },
		{ "{x:f}", "_RNvCs1_4core", "x=_RNvCs1_4core;" },
		{ "{x:f}", "123", "no" },
		{ "{x:f}", "ffffffff81000000", "no" },
		{ "{x:f}", "deadbeef", "no" },
		{ "{x:f}", "feed", "x=feed;" },
		{ "{*:f} in {y:f}", "a+0x1/0x2 in b", "y=b;" },
		{ "{a:d} {b:d}", "1 x", "no" },
		{ "{x:a} of size", "Read of size", "x=Read;" },
		{ "{x:a} of size", "Write of size", "x=Write;" },
		{ "{x:a} of size", "Free of size", "no" },
		{ "{x:a} of size", "1,2,-;Read of size", "no" },
		{ "{x:a}", "Wri", "no" },
		{ "{x:a}", "", "no" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_string_equal(matched(rows[i].pattern, rows[i].text),
				    rows[i].want);
}

static void captures_are_bounded(void **state)
{
	struct match m = { .nr = 0 };

	assert_true(match_line("{a:d} {b:d} {c:d} {d:d} {e:d} {f:d} {g:d} "
			       "{h:d} {i:d} {j:d}",
			       SLICE("1 2 3 4 5 6 7 8 9 10"), &m));
	assert_int_equal(m.nr, MATCH_MAX);
	assert_slice(match_get(&m, "h"), "8");
	assert_slice(match_get(&m, "i"), "");
	match_set(&m, "a", SLICE("x"));
	match_set(&m, "z", SLICE("no room"));
	assert_slice(match_get(&m, "a"), "x");
	assert_slice(match_get(&m, "z"), "");
}

static uint32_t rnd(uint64_t *seed)
{
	*seed = *seed * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(*seed >> 33);
}

/* What scanner_find() promises, byte by byte. */
static const char *find_slowly(const struct slice *lit, unsigned nr,
			       struct slice text, size_t from, unsigned *which)
{
	for (size_t i = from; i < text.len; i++)
		for (unsigned k = 0; k < nr; k++)
			if (slice_starts(slice_from(text, i), lit[k])) {
				*which = k;
				return text.p + i;
			}
	return NULL;
}

static void scanner_finds_what_is_there(void **state)
{
	static const struct slice lit[] = {
		SLICE("abab"),	SLICE("abba"), SLICE("babbab"),	 SLICE("aaaa"),
		SLICE("bbbbb"), SLICE("aaab"), SLICE("baba ab"),
	};
	static struct scanner s;
	uint64_t seed = 1;

	scanner_init(&s, lit, ARRAY_LEN(lit));
	assert_null(scanner_find(&s, (struct slice){ NULL, 0 }, 0, NULL));
	for (int round = 0; round < 100000; round++) {
		char text[96];
		struct slice t = { text, rnd(&seed) % sizeof(text) };
		size_t from = rnd(&seed) % (t.len + 1);
		unsigned a = 99, b = 99, letters = round % 2 ? 2 : 12;

		for (size_t i = 0; i < t.len; i++)
			text[i] = "ab cdefghijk\xff"[rnd(&seed) % letters];
		/* exactly allocated, so that a sanitizer sees an overrun */
		char *exact = malloc(t.len ? t.len : 1);
		memcpy(exact, text, t.len);
		t.p = exact;
		assert_ptr_equal(scanner_find(&s, t, from, &a),
				 find_slowly(lit, ARRAY_LEN(lit), t, from, &b));
		assert_int_equal(a, b);
		free(exact);
	}
}

static void titles_lose_what_varies(void **state)
{
	static const struct {
		const char *text, *want;
	} rows[] = {
		{ "at 123", "at NUM" },
		{ "at 0x1f", "at ADDR" },
		{ "at ffffffff81000000", "at ADDR" },
		{ "at c0001234", "at ADDR" },
		{ "deadbeef1", "deadbeef1" },
		{ "from 10.0.0.1 to", "from IP to" },
		{ "from 10.0.0.1.2", "from NUM.NUM.NUM.NUM.NUM" },
		{ "fs/super.c:1814!", "fs/super.c:LINE!" },
		{ "linux/list.h:12", "linux/list.h:LINE" },
		{ "rust/kernel.rs:7", "rust/kernel.rs:LINE" },
		{ "on CPU#12", "on CPU" },
		{ "in f+0x1/0x2", "in f" },
		{ "in f+0x1", "in f" },
		{ "ext4_ipv6", "ext4_ipv6" },
		{ "x1234", "xNUM" },
		{ "a12b", "a12b" },
		{ "", "" },
		{ "+0x", "" },
		{ "CPU#", "CPU#" },
		{ "0x", "NUMx" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		_cleanup_(buf_deinit) struct buf out = {};

		normal_append(&out, slice_cstr(rows[i].text));
		assert_string_equal(buf_cstr(&out), rows[i].want);
	}
}

static void titles_are_short_and_printable(void **state)
{
	_cleanup_(arena_freep) struct arena *a = arena_new();
	char text[400];

	memset(text, 'x', sizeof(text));
	memcpy(text, " \t\x01 a\x7f\xff\r\n", 9);
	const char *t = normal_title(a, (struct slice){ text, sizeof(text) });
	assert_int_equal(strlen(t), 120);
	assert_memory_equal(t, " ax", 3);
	assert_string_equal(normal_title(a, SLICE("  a b \r\n")), "a b");
	assert_string_equal(normal_title(a, SLICE("")), "");
}

/* Hex digits behind a letter once took time in the square of their number. */
static void long_hex_is_quick(void **state)
{
	_cleanup_(buf_deinit) struct buf out = {};
	struct slice s = { memset(malloc(1 << 20), 'f', 1 << 20), 1 << 20 };

	((char *)(uintptr_t)s.p)[0] = 'x';
	normal_append(&out, s);
	assert_int_equal(out.len, s.len);
	free((char *)(uintptr_t)s.p);
}

static const struct {
	const char *line;
	enum line_kind kind;
	const char *function;
	uint64_t offset, size;
	const char *module, *callee;
} frame_rows[] = {
	/* x86-64 */
	{ " dump_stack+0x1b9/0x294", LINE_FRAME, "dump_stack", 0x1b9, 0x294, "",
	  "" },
	{ " ? f+0x1/0x2", LINE_FRAME, "f", 1, 2, "", "" },
	{ " f.isra.0+0x1/0x2 [ext4]", LINE_FRAME, "f.isra.0", 1, 2, "ext4",
	  "" },
	{ " [<ffffffff81c2e54b>] f+0x1/0x2", LINE_FRAME, "f", 1, 2, "", "" },
	{ " [<     inline     >] f lib/f.c:51", LINE_OTHER, "", 0, 0, "", "" },
	{ " <IRQ> [<ffffffff81c2e54b>] f+0x1/0x2", LINE_FRAME, "f", 1, 2, "",
	  "" },
	{ "RIP: 0010:f+0x1/0x2", LINE_PC, "f", 1, 2, "", "" },
	{ "RIP: 0010:[<ffffffff81c2e54b>]  [<ffffffff81c2e54b>] "
	  "f+0x1/0x2",
	  LINE_PC, "f", 1, 2, "", "" },
	{ "RIP: 0033:0x7f1234567890", LINE_STATE, "", 0, 0, "", "" },
	/* i386 */
	{ "EIP: f+0x1/0x2", LINE_PC, "f", 1, 2, "", "" },
	{ "EIP is at f+0x1/0x2", LINE_PC, "f", 1, 2, "", "" },
	{ "EIP: 0060:[<c1234567>] EFLAGS: 00010286", LINE_STATE, "", 0, 0, "",
	  "" },
	/* arm64 */
	{ "pc : f+0x1/0x2", LINE_PC, "f", 1, 2, "", "" },
	{ "lr : f+0x1/0x2", LINE_LINK, "f", 1, 2, "", "" },
	{ " f+0x1/0x2 [mod] (P)", LINE_FRAME, "f", 1, 2, "mod", "" },
	/* arm */
	{ "PC is at f+0x1/0x2", LINE_PC, "f", 1, 2, "", "" },
	{ "LR is at f+0x1/0x2", LINE_LINK, "f", 1, 2, "", "" },
	{ "[<81001234>] (f) from [<81005678>] (g+0x1/0x2)", LINE_FRAME, "g", 1,
	  2, "", "f" },
	{ " f from g+0x1/0x2", LINE_FRAME, "g", 1, 2, "", "f" },
	/* RISC-V */
	{ "epc : f+0x1/0x2", LINE_PC, "f", 1, 2, "", "" },
	{ " ra : f+0x1/0x2", LINE_LINK, "f", 1, 2, "", "" },
	{ "[<ffffffff80001234>] f+0x1/0x2", LINE_FRAME, "f", 1, 2, "", "" },
	/* PowerPC */
	{ "NIP [c000000000123456] f+0x1/0x2", LINE_PC, "f", 1, 2, "", "" },
	{ "LR [c000000000123456] f+0x1/0x2", LINE_LINK, "f", 1, 2, "", "" },
	{ "[c00000000123abcd] [c000000000123456] f+0x1/0x2 "
	  "(unreliable)",
	  LINE_FRAME, "f", 1, 2, "", "" },
	{ "--- interrupt: 700 at f+0x1/0x2", LINE_PC, "f", 1, 2, "", "" },
	/* s390 */
	{ "Krnl PSW : 0404c00180000000 0000000000123456 (f+0x1/0x2)", LINE_PC,
	  "f", 1, 2, "", "" },
	{ " [<000000000012ab34>] f+0x1/0x2", LINE_FRAME, "f", 1, 2, "", "" },
	{ "([<000000000012ab34>] f+0x1/0x2)", LINE_FRAME, "f", 1, 2, "", "" },
	/* no frames */
	{ "f+0x1/0x2", LINE_OTHER, "", 0, 0, "", "" },
	{ "", LINE_OTHER, "", 0, 0, "", "" },
	{ " ", LINE_OTHER, "", 0, 0, "", "" },
	{ " f", LINE_OTHER, "", 0, 0, "", "" },
	{ " +0x1/0x2", LINE_OTHER, "", 0, 0, "", "" },
	{ "Call Trace:", LINE_TRACE, "", 0, 0, "", "" },
	{ " </IRQ>", LINE_IRQ_END, "", 0, 0, "", "" },
	{ "Allocated by task 1:", LINE_STORY, "", 0, 0, "", "" },
	{ "Code: 00 11", LINE_STATE, "", 0, 0, "", "" },
};

static void frames_of_all_architectures(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(frame_rows); i++) {
		struct report_frame f;
		enum line_kind kind =
			frame_parse(slice_cstr(frame_rows[i].line), &f);

		if (kind != frame_rows[i].kind)
			print_error("line: %s\n", frame_rows[i].line);
		assert_int_equal(kind, frame_rows[i].kind);
		if (kind != LINE_FRAME && kind != LINE_PC && kind != LINE_LINK)
			continue;
		assert_slice(f.function, frame_rows[i].function);
		assert_int_equal(f.offset, frame_rows[i].offset);
		assert_int_equal(f.size, frame_rows[i].size);
		assert_slice(f.module, frame_rows[i].module);
		assert_slice(f.callee, frame_rows[i].callee);
	}
}

static void frames_carry_files_and_doubts(void **state)
{
	struct report_frame f;

	frame_parse(SLICE(" f fs/super.c:1814 [inline]"), &f);
	assert_true(f.is_inline);
	assert_slice(f.file, "fs/super.c");
	assert_int_equal(f.line, 1814);
	frame_parse(SLICE(" f+0x1/0x2 net/ipv4/ip.c:99999999999"), &f);
	assert_slice(f.file, "");
	frame_parse(SLICE(" ? f+0x1/0x2"), &f);
	assert_true(f.is_guess);
	frame_parse(SLICE("[c00000000123abcd] [c000000000123456] f+0x1/0x2 "
			  "(unreliable)"),
		    &f);
	assert_true(f.is_guess);
	assert_true(frame_parse_at(SLICE("#0: 1 (x){+.}, at: f+0x1/0x2"), &f));
	assert_slice(f.function, "f");
	assert_false(frame_parse_at(SLICE("what: f+0x1/0x2"), &f));
	assert_slice(function_base(SLICE("f.isra.0.cold")), "f");
	assert_slice(function_base(SLICE(".cold")), "cold");
}

/* A line of headlines once took time in the square of its length. */
static void long_lines_are_quick(void **state)
{
	_cleanup_(buf_deinit) struct buf line = {};
	struct hit hit;

	for (int i = 0; i < 10000; i++)
		buf_str(&line, "BUG: ");
	for (int i = 0; i < 10000; i++)
		buf_str(&line, "    ");
	for (int i = 0; i < 100; i++)
		(void)formats_find(buf_as_slice(&line), &hit);
}

/* "B<n>_": the type that begins at n + 1. */
static void back_reference(struct buf *b, size_t to)
{
	static const char digits[] = "0123456789abcdefghijklmnopqrstuvwxyz"
				     "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
	size_t n = to - 1;

	buf_char(b, 'B');
	if (n >= 62)
		buf_char(b, digits[n / 62]);
	buf_char(b, digits[n % 62]);
	buf_char(b, '_');
}

/* Each of its types holds the one before twice: 2^60 in 600 bytes. */
static void mangled_names_do_not_explode(void **state)
{
	_cleanup_(arena_freep) struct arena *a = arena_new();
	_cleanup_(buf_deinit) struct buf b = {};
	size_t last, here = strlen("INvC1a1f");

	assert_string_equal(demangle(a, SLICE("_RNvC1a1f")), "a::f");
	assert_string_equal(demangle(a, SLICE("_ZN1a1f17h0123456789abcdefE")),
			    "a::f");
	assert_null(demangle(a, SLICE("_R")));
	(void)demangle(a, SLICE("_RNvC0")); /* a name without characters */
	assert_null(demangle(a, SLICE("printk")));
	assert_null(demangle(a, SLICE("")));
	buf_str(&b, "_RINvC1a1fTuuE");
	for (int i = 0; i < 60; i++) {
		last = here;
		here = b.len - 2;
		buf_char(&b, 'T');
		back_reference(&b, last);
		back_reference(&b, last);
		buf_char(&b, 'E');
		if (i == 1) {
			/* it is well-formed */
			_cleanup_(buf_deinit) struct buf two = {};

			buf_slice(&two, buf_as_slice(&b));
			buf_char(&two, 'E');
			assert_non_null(demangle(a, buf_as_slice(&two)));
		}
	}
	buf_char(&b, 'E');
	for (int i = 0; i < 1000; i++)
		assert_null(demangle(a, buf_as_slice(&b)));
	/* and again with a limit on what may be lost */
	assert_non_null(demangle(a, SLICE("_RNvC1a1f")));
}

/* "what happened; who prints it"; the length is checked when compiled. */
static void formats_have_docs(void **state)
{
	(void)state;
	for (unsigned i = 0; i < nr_formats; i++) {
		struct slice doc = slice_cstr(formats[i].doc);
		const char *file = strstr(doc.p, "; ");

		assert_non_null(file);
		assert_true(file > doc.p && file[2]);
		assert_int_not_equal(doc.p[doc.len - 1], '.');
		assert_null(strstr(doc.p, "  ")); /* splits --formats */
		for (size_t k = 0; k < doc.len; k++)
			assert_in_range(doc.p[k], ' ', '~');
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(patterns_match),
		cmocka_unit_test(captures_are_bounded),
		cmocka_unit_test(scanner_finds_what_is_there),
		cmocka_unit_test(titles_lose_what_varies),
		cmocka_unit_test(titles_are_short_and_printable),
		cmocka_unit_test(long_hex_is_quick),
		cmocka_unit_test(frames_of_all_architectures),
		cmocka_unit_test(frames_carry_files_and_doubts),
		cmocka_unit_test(long_lines_are_quick),
		cmocka_unit_test(mangled_names_do_not_explode),
		cmocka_unit_test(formats_have_docs),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
