/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit.h"

#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/io.h"
#include "elf/disasm.h"

#define RULE "----------------\n"
#define ARROW " <-- trapping instruction"

/* False: it is not there. */
static bool read_shared(const char *name, struct buf *out)
{
	const char *root = getenv("ROOT");
	char path[4096];

	snprintf(path, sizeof(path), "%s/../shared/%s", root ? root : ".",
		 name);
	if (access(path, R_OK) != 0)
		return false;
	assert_null(io_read_file(path, 1 << 24, out));
	return true;
}

/* Split a document at its last rule: the report, and the block under it. */
static void split(const struct buf *doc, struct slice *report,
		  struct slice *block)
{
	struct slice rest = buf_as_slice(doc);
	const char *at, *last = NULL;

	while ((at = slice_find(rest, SLICE(RULE "Code")))) {
		last = at;
		rest = slice_range(at + 1, doc->data + doc->len);
	}
	assert_non_null(last);
	*report = slice_range(doc->data, last);
	*block = slice_range(last, doc->data + doc->len);
	while (slice_ends(*block, SLICE("\n\n")) ||
	       slice_ends(*block, SLICE(" ")))
		block->len--; /* how the document ends, not the block */
}

/* objdump of 2021 said callq; mail and copies lose blanks at line ends. */
static void normalize(struct slice text, struct buf *out)
{
	struct slice line;

	while (slice_line(&text, &line)) {
		const char *q = slice_find(line, SLICE("callq "));

		while (line.len && line.p[line.len - 1] == ' ')
			line.len--;
		if (q) {
			buf_add(out, line.p, (size_t)(q - line.p));
			buf_str(out, "call  ");
			line = slice_range(q + 6, line.p + line.len);
		}
		buf_slice(out, line);
		buf_char(out, '\n');
	}
}

static void expect_block(const char *name, bool exact)
{
	_cleanup_(buf_deinit) struct buf doc = {}, got = {}, a = {}, b = {};
	struct slice report, block;

	if (!read_shared(name, &doc))
		SKIP_TEST("no ../shared");
	split(&doc, &report, &block);
	const char *crash = slice_find(report, SLICE("\ncrash: "));

	if (crash)
		report = slice_range(crash + 1, report.p + report.len);
	assert_true(disasm_append(report, NULL, &got));
	if (exact) {
		buf_slice(&b, block);
		assert_string_equal(buf_cstr(&got), buf_cstr(&b));
		return;
	}
	normalize(buf_as_slice(&got), &a);
	normalize(block, &b);
	assert_string_equal(buf_cstr(&a), buf_cstr(&b));
}

static void seed_with_skipped_bytes(void **state)
{
	expect_block("seeds/002_0a9f6a3f40b07405.txt", true);
}

static void seed_of_2021_has_no_star(void **state)
{
	expect_block("seeds/004_9fa9da7e499b57fb.txt", true);
}

/* Two BUGs, and a use after free whose only code is the user's. */
static void seeds_without_a_block(void **state)
{
	static const char *const names[] = {
		"seeds/000_b1111e6ce04e7411.txt",
		"seeds/001_815cbb66994c651d.txt",
		"seeds/003_60fd9b48e4efae2d.txt",
	};

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		_cleanup_(buf_deinit) struct buf doc = {}, got = {};

		if (!read_shared(names[i], &doc))
			SKIP_TEST("no ../shared");
		assert_non_null(slice_find(buf_as_slice(&doc), SLICE("Code:")));
		assert_false(disasm_append(buf_as_slice(&doc), NULL, &got));
	}
}

static void nothing_skipped_has_a_star(void **state)
{
	expect_block("corpus/guilty/56", false);
}

static void one_byte_skipped(void **state)
{
	expect_block("corpus/guilty/66", false);
}

/* corpus/decompile: what comes out is the report with its block, if any. */
static void expect_out(const char *dir, int n, bool hang)
{
	_cleanup_(buf_deinit) struct buf in = {}, want = {};
	char name[64];

	snprintf(name, sizeof(name), "corpus/decompile/%s/%d.in", dir, n);
	if (!read_shared(name, &in))
		SKIP_TEST("no ../shared");
	snprintf(name, sizeof(name), "corpus/decompile/%s/%d.out", dir, n);
	assert_true(read_shared(name, &want));

	_cleanup_(buf_deinit) struct buf got = {};
	struct disasm_opts opts = { .hang = hang };

	buf_slice(&got, buf_as_slice(&in));
	disasm_append(buf_as_slice(&in), &opts, &got);
	assert_string_equal(buf_cstr(&got), buf_cstr(&want));
	/* It is the hang that counts there: there is kernel code. */
	opts.hang = false;
	assert_int_equal(disasm_append(buf_as_slice(&in), &opts, &got), hang);
}

static void corpus_ud2(void **state)
{
	expect_out("amd64", 0, false);
}

static void corpus_stall(void **state)
{
	expect_out("amd64", 2, true);
}

static void corpus_brk(void **state)
{
	expect_out("arm64", 0, false);
}

/* One report in, one block (or "") out. */
static void expect(const char *report, const char *want)
{
	_cleanup_(buf_deinit) struct buf got = {};
	bool found = disasm_append(slice_cstr(report), NULL, &got);

	assert_string_equal(buf_cstr(&got), want);
	assert_int_equal(found, *want != '\0');
}

#define HEAD RULE "Code disassembly (best guess):\n"
#define PUSH "   0:\t55                   \tpush   %rbp\n"
#define MOVE "*  1:\t48 89 e5             \tmov    %rsp,%rbp" ARROW "\n"
#define RET "   4:\tc3                   \tret\n"
#define KERNEL "RIP: 0010:f+0x1/0x2\n"
#define USER "RIP: 0033:0x4665e9\n"
#define CODE "Code: 55 <48> 89 e5 c3"

static void only_kernel_code(void **state)
{
	const char *block = HEAD PUSH MOVE RET;

	expect(KERNEL CODE, block);
	expect(USER CODE "\n", "");
	expect("RIP: 0023:0xf7f2c549\n" CODE "\n", "");
	expect("EIP: 0xb7f85549\n" CODE "\n", "");
	expect("a.out[1]: segfault at 0 ip 1 sp 2 error 4 in a.out\n" CODE, "");
	expect(USER "Code: 90 <90>\nRSP: 002b:1\n" KERNEL CODE, block);
	expect(KERNEL CODE "\n" USER "Code: 90 <90>\n", block);
	/* Before 4.18 the kernel's code came last. */
	expect(KERNEL "Call Trace:\n" USER "RSP: 002b:00007f379013c188\n" CODE,
	       block);
	expect("psr: 1\npstate: 60001000 (nZCv daif)\n"
	       "Code: d503201f (f9400000)",
	       "");
	expect("pc : [<0001>]    lr : [<0002>]    psr: 60000010\n"
	       "Code: e1a00000 (e5900000)",
	       "");
	expect("epc : 0000003fbb501bb0 ra : 0000003fbb500cde\n"
	       "status: 0000000200000020 badaddr: 0 cause: 2\n"
	       "Code: 0001 (6100) 0001",
	       "");
	expect("NIP:  000000001000 LR: 00\nMSR:  800000000280f033 <SF,PR>\n"
	       "Code: 60000000 <e8630000>",
	       "");
}

static void own_traps_say_nothing(void **state)
{
	expect(KERNEL "Code: 55 <0f> 0b c3", "");
	expect(KERNEL "Code: 55 <0f> ff c3", "");
	expect(KERNEL "Code: 55 <67> 48 0f b9 3a c3", "");
	expect(KERNEL "Code: 55 <67> 0f b9 40 10", "");
	expect("EIP: f+0x1/0x2\nCode: 55 <0f> 0b c3", "");
	expect("pstate: 60400005\nCode: d503201f (d42aa240)", "");
	expect("pc : [<1>] lr : [<2>] psr: 60000013\nCode: (e7f001f2)", "");
	expect("pc : [<1>] lr : [<2>] psr: 60000033\nCode: 46c0 (de02) 46c0",
	       "");
	expect("epc : ffffffff80 ra : 1\nstatus: 120 badaddr: 0 cause: 3\n"
	       "Code: 0001 (9002) 0001",
	       "");
	expect("NIP:  c000000000001000 LR: 0\nMSR:  8000000000029033\n"
	       "Code: 60000000 <0b030000>",
	       "");
}

static void other_processors(void **state)
{
	expect("EIP: 0060:[<c0101234>] EFLAGS: 00010246 CPU: 0\n"
	       "EAX: 00000000 EBX: 0\nCode: 40 <8b> 00 c3",
	       HEAD "   0:\t40                   \tinc    %eax\n"
		    "*  1:\t8b 00                \tmov    (%eax),%eax" ARROW
		    "\n   3:\tc3                   \tret\n");
	expect("pstate: 60400005 (nZCv daif +PAN)\npc : f+0x1/0x2\n"
	       "Code: ???????? d503201f (f9400260) \n",
	       HEAD "   0:\td503201f \tnop\n"
		    "*  4:\tf9400260 \tldr\tx0, [x19]" ARROW "\n");
	expect("pc : [<80117e24>]    lr : [<808bcc2c>]    psr: 60000013\n"
	       "Code: e1a0c00d (e5c35000) ",
	       HEAD "   0:\te1a0c00d \tmov\tip, sp\n"
		    "*  4:\te5c35000 \tstrb\tr5, [r3]" ARROW "\n");
	/* Thumb: 16 and 32-bit instructions, in halfwords. */
	expect("pc : [<80117e24>]    lr : [<808bcc2c>]    psr: 60000033\n"
	       "Code: b510 f8d0 4004 6823 (6818) bd10 \n",
	       HEAD "   0:\tb510      \tpush\t{r4, lr}\n"
		    "   2:\tf8d0 4004 \tldr.w\tr4, [r0, #4]\n"
		    "   6:\t6823      \tldr\tr3, [r4, #0]\n"
		    "*  8:\t6818      \tldr\tr0, [r3, #0]" ARROW "\n"
		    "   a:\tbd10      \tpop\t{r4, pc}\n");
	expect("epc : ffffffff80001000 ra : ffffffff80002000\n"
	       "status: 0000000200000120 badaddr: 0 cause: 000d\n"
	       "Code: 1141 b783 0005 (6388) 8082 \n",
	       HEAD "   0:\t1141                \tadd\tsp,sp,-16\n"
		    "   2:\t0005b783          \tld\ta5,0(a1)\n"
		    "*  6:\t6388                \tld\ta0,0(a5)" ARROW "\n"
		    "   8:\t8082                \tret\n");
}

static void powerpc_dumps(void **state)
{
	expect("NIP:  c000000000001000 LR: c000000000002000 CTR: 0\n"
	       "MSR:  8000000000009032 <SF,EE,ME,IR,DR,RI>  CR: 0\n"
	       "Instruction dump:\n38600000 \n<e8630010> 4e800020 \n"
	       "---[ end trace 0 ]---\n",
	       HEAD "   0:\t38 60 00 00 \tli      r3,0\n"
		    "*  4:\te8 63 00 10 \tld      r3,16(r3)" ARROW "\n"
		    "   8:\t4e 80 00 20 \tblr\n");
	expect("NIP:  c000000000001000 LR: c000000000002000 CTR: 0\n"
	       "MSR:  8000000000009033 <SF,EE,ME,IR,DR,RI,LE>  CR: 0\n"
	       "Code: XXXXXXXX 38600000 <e8630010> 4e800020 \n",
	       HEAD "   0:\t00 00 60 38 \tli      r3,0\n"
		    "*  4:\t10 00 63 e8 \tld      r3,16(r3)" ARROW "\n"
		    "   8:\t20 00 80 4e \tblr\n");
}

static void garbage_is_not_code(void **state)
{
	const char *block = HEAD PUSH MOVE RET;

	expect("", "");
	expect("Code:", "");
	expect(KERNEL "Code:\n", "");
	expect(KERNEL "Code: <48>", HEAD "*  0:\t48                   \t"
					 "rex.W" ARROW "\n");
	expect(KERNEL "Code: 55 48 89 e5", "");
	expect(KERNEL "Code: 55 <48> 89 <e5> c3", "");
	expect(KERNEL "Code: 5 <48> 89 e5", "");
	expect(KERNEL "Code: 555 <48> 89 e5", "");
	expect(KERNEL "Code: 55 zz <48> 89 e5", "");
	expect(KERNEL "Code: 55 <4 8> 89 e5", "");
	expect(KERNEL "Code: 55 <> 48", "");
	expect(KERNEL "Code: d503201f (f9400260)", "");
	/* Another CPU's words behind the trap; a second, whole line. */
	expect(KERNEL CODE " c[  12.5][ T1] x", block);
	expect(KERNEL "Code: 55[  12.5][ T1] x\n" KERNEL CODE, block);
	/* Nothing was readable there; what comes later trapped elsewhere. */
	expect("RIP: 0010:0x0\n"
	       "Code: Unable to access opcode bytes at 0xffffffffffffffd6.\n"
	       "RSP: 0018:0\n" KERNEL CODE,
	       "");
}

static void long_code_is_bounded(void **state)
{
	for (size_t n = DISASM_BYTES_MAX - 1; n < DISASM_BYTES_MAX + 2; n++) {
		_cleanup_(buf_deinit) struct buf in = {}, out = {};

		buf_str(&in, KERNEL "Code:");
		for (size_t i = 0; i < n; i++)
			buf_str(&in, " 66");
		buf_str(&in, " <90> c3 c3");
		assert_int_equal(disasm_append(buf_as_slice(&in), NULL, &out),
				 n < DISASM_BYTES_MAX);
		assert_true(out.len < 64 * (size_t)DISASM_BYTES_MAX);
	}
}

/*
 * Random code, against objdump itself.  The trap is the first word, so that
 * none is skipped; its mark and arrow are taken off again.
 */
struct machine {
	enum disasm_arch arch;
	unsigned unit;
	bool big;
	const char *objdump;
};

static void write_code(const struct machine *m, const unsigned char *code,
		       size_t size, struct buf *report)
{
	buf_str(report, "Code:");
	for (size_t i = 0; i < size; i += m->unit) {
		buf_str(report, i ? " " : " <");
		for (unsigned j = 0; j < m->unit; j++)
			buf_printf(report, "%02x",
				   code[i + (m->big ? j : m->unit - 1 - j)]);
		buf_str(report, i ? "" : ">");
	}
}

static void read_objdump(const struct machine *m, const unsigned char *code,
			 size_t size, struct buf *out)
{
	char path[] = "/tmp/test_disasm.XXXXXX", cmd[256], line[512];
	int fd = mkstemp(path);
	bool started = false;

	assert_true(fd >= 0);
	assert_null(io_write_all(fd, code, size));
	close(fd);
	snprintf(cmd, sizeof(cmd), "objdump -D -b binary %s %s 2>/dev/null",
		 m->objdump, path);
	FILE *f = popen(cmd, "r");

	assert_non_null(f);
	while (fgets(line, sizeof(line), f)) {
		/* What the end cuts off: we say .short there. */
		if (strstr(line, "out of bounds"))
			break;
		if (started && strcmp(line, "\t...\n") != 0)
			buf_str(out, line);
		started |= strstr(line, "<.data>:") != NULL;
	}
	pclose(f);
	unlink(path);
}

static void drop_marks(struct slice text, struct buf *out)
{
	struct slice line;

	while (slice_line(&text, &line)) {
		if (slice_ends(line, SLICE(ARROW)))
			line.len -= strlen(ARROW);
		if (slice_starts(line, SLICE("*"))) {
			buf_char(out, ' ');
			line = slice_from(line, 1);
		}
		buf_slice(out, line);
		buf_char(out, '\n');
	}
}

/* Line by line, so that the first difference can be read. */
static void same_lines(const char *what, struct slice a, struct slice b)
{
	struct slice x = {}, y = {};
	bool more;

	do {
		more = slice_line(&a, &x);
		if (more == slice_line(&b, &y) && (!more || slice_eq(x, y)))
			continue;
		fail_msg("%s: '" SLICE_FMT "' != '" SLICE_FMT "'", what,
			 SLICE_ARG(x), SLICE_ARG(y));
	} while (more);
}

/* Random code with runs of zeros, and an end in the middle of something. */
static void random_code(unsigned *seed, unsigned char *code, size_t size)
{
	for (size_t i = 0; i < size; i++)
		code[i] = (unsigned char)(rand_r(seed) >> 7);
	for (size_t n = 1; 60 * n + n < size; n++)
		memset(code + 60 * n, 0, n);
	memset(code + size - *seed % 4, 0, *seed % 4);
	memset(code, 0x21, 4); /* a first word that is no own trap */
}

static void expect_objdump(const struct machine *m, const unsigned char *code,
			   size_t size)
{
	_cleanup_(buf_deinit) struct buf in = {}, want = {}, got = {}, out = {};
	struct disasm_opts opts = { .arch = m->arch };

	write_code(m, code, size, &in);
	read_objdump(m, code, size, &want);
	if (!want.len) {
		print_message("# no objdump %s\n", m->objdump);
		return;
	}
	assert_true(disasm_append(buf_as_slice(&in), &opts, &got));
	drop_marks(slice_from(buf_as_slice(&got), strlen(HEAD)), &out);
	const char *cut_off = slice_find(buf_as_slice(&out), SLICE("\t.short"));

	if (m->unit == 2 && cut_off && out.len > want.len)
		out.len = want.len;
	same_lines(m->objdump, buf_as_slice(&out), buf_as_slice(&want));
}

static void same_as_objdump(void **state)
{
	static const struct machine machines[] = {
		{ DISASM_X86_64, 1, false, "-m i386 -M x86-64" },
		{ DISASM_I386, 1, false, "-m i386" },
		{ DISASM_ARM64, 4, false, "-m aarch64 -EL" },
		{ DISASM_ARM, 4, false, "-m arm -EL" },
		{ DISASM_ARM, 2, false, "-m arm -EL -M force-thumb" },
		{ DISASM_ARM, 4, false, "-m arm -EL" }, /* Thumb is off again */
		{ DISASM_RISCV64, 2, false, "-m riscv:rv64 -EL" },
		{ DISASM_RISCV32, 2, false, "-m riscv:rv32 -EL" },
		{ DISASM_PPC64, 4, true, "-m powerpc:common64 -EB" },
		{ DISASM_PPC64LE, 4, false, "-m powerpc:common64 -EL" },
		{ DISASM_PPC32, 4, true, "-m powerpc:common -EB" },
	};
	static const size_t sizes[] = { 4096, 64, 60, 56 };
	unsigned seed = 1;

	if (getenv("SEED"))
		seed = (unsigned)atoi(getenv("SEED"));
	for (size_t i = 0; i < ARRAY_LEN(machines); i++) {
		for (size_t j = 0; j < ARRAY_LEN(sizes); j++) {
			unsigned char code[4096];

			random_code(&seed, code, sizes[j]);
			expect_objdump(&machines[i], code, sizes[j]);
		}
	}
}

/* The first block loads libopcodes: must be the first test. */
static void costs(void **state)
{
	struct timespec t[3];
	_cleanup_(buf_deinit) struct buf out = {};
	const int rounds = 1000;

	clock_gettime(CLOCK_MONOTONIC, &t[0]);
	for (int i = 0; i <= rounds; i++) {
		out.len = 0;
		assert_true(disasm_append(
			SLICE(KERNEL
			      "Code: 89 ea 48 c1 ea 03 80 3c 02 00 0f "
			      "85 50 0a 00 00 4c 8b 65 70 49 8d 7c 24 "
			      "58 48 89 fa 48 c1 ea 03 <8a> 04 02 84 c0"),
			NULL, &out));
		if (i == 0)
			clock_gettime(CLOCK_MONOTONIC, &t[1]);
	}
	clock_gettime(CLOCK_MONOTONIC, &t[2]);
#define US(a, b) \
	(((b).tv_sec - (a).tv_sec) * 1e6 + ((b).tv_nsec - (a).tv_nsec) / 1e3)
	print_message("# first block %.0f us, each further %.1f us\n",
		      US(t[0], t[1]), US(t[1], t[2]) / rounds);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(costs),
		cmocka_unit_test(seed_with_skipped_bytes),
		cmocka_unit_test(seed_of_2021_has_no_star),
		cmocka_unit_test(seeds_without_a_block),
		cmocka_unit_test(nothing_skipped_has_a_star),
		cmocka_unit_test(one_byte_skipped),
		cmocka_unit_test(corpus_ud2),
		cmocka_unit_test(corpus_stall),
		cmocka_unit_test(corpus_brk),
		cmocka_unit_test(only_kernel_code),
		cmocka_unit_test(own_traps_say_nothing),
		cmocka_unit_test(other_processors),
		cmocka_unit_test(powerpc_dumps),
		cmocka_unit_test(garbage_is_not_code),
		cmocka_unit_test(long_code_is_bounded),
		cmocka_unit_test(same_as_objdump),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
