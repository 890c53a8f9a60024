/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Facts on what kernels print are from Linux 6.12: arch/x86/kernel/dumpstack.c
 * and process_{32,64}.c, arch/arm64/kernel/{traps,process}.c,
 * arch/arm/kernel/{traps,process}.c, arch/riscv/kernel/{traps,process}.c,
 * arch/powerpc/kernel/process.c.
 */
#include "elf/code_line.h"

enum mode { MODE_UNKNOWN, MODE_KERNEL, MODE_USER };

/* What the registers printed so far say. */
struct cpu {
	enum disasm_arch arch;
	enum mode mode;
	/*
	 * x86: whose instruction pointer stands right above.  A user's one has
	 * its own Code line below it; before Linux 4.18 it had none, and the
	 * kernel's came last, after the trace and the user registers.
	 */
	enum mode above;
};

/* The words of a Code line, being read. */
struct words {
	struct code_line *code;
	size_t digits; /* of every word */
	bool marked; /* the trapping one was seen */
	bool ended; /* what follows is not code */
	bool broken; /* nor is what came before */
};

bool arch_is_big_endian(enum disasm_arch arch)
{
	return arch == DISASM_PPC64 || arch == DISASM_PPC32;
}

uint32_t code_line_trap_word(const struct code_line *code)
{
	bool big = arch_is_big_endian(code->arch);
	uint32_t word = 0;

	if (code->len - code->trap < code->unit_bytes)
		return 0;
	for (unsigned i = 0; i < code->unit_bytes; i++) {
		unsigned at = big ? i : code->unit_bytes - 1 - i;

		word = word << 8 | code->bytes[code->trap + at];
	}
	return word;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* The number at the start of `s`; its digits, 0 when there is none. */
static size_t parse_hex(struct slice s, uint64_t *value)
{
	size_t n = 0;

	for (*value = 0; n < s.len && n < 16 && hex_digit(s.p[n]) >= 0; n++)
		*value = *value << 4 | (uint64_t)hex_digit(s.p[n]);
	return n;
}

/* Cut `prefix` and the blanks behind it off `*s`. */
static bool skip_prefix(struct slice *s, struct slice prefix)
{
	if (!slice_starts(*s, prefix))
		return false;
	*s = slice_trim(slice_from(*s, prefix.len));
	return true;
}

static void set_cpu(struct cpu *cpu, enum disasm_arch arch, bool user)
{
	cpu->arch = arch;
	cpu->mode = user ? MODE_USER : MODE_KERNEL;
}

/*
 * "RIP: 0010:func+0x1/0x2", "EIP: 0060:[<c0101234>]", "EIP: func+0x1/0x2".
 * The low two bits of the selector are the privilege level: 3 is a user's.
 * Without a selector a bare address is no kernel function.
 */
static void read_x86_ip(struct cpu *cpu, enum disasm_arch arch, struct slice s)
{
	uint64_t selector;
	size_t n = parse_hex(s, &selector);
	bool user = slice_starts(s, SLICE("0x"));

	if (n == 4 && s.len > n && s.p[n] == ':')
		user = (selector & 3) == 3;
	cpu->above = user ? MODE_USER : MODE_KERNEL;
	if (cpu->mode == MODE_UNKNOWN)
		cpu->mode = cpu->above;
	cpu->arch = arch;
}

/* PowerPC's MSR: 0x4000 is PR, "problem state"; 1 is LE. */
static void read_msr(struct cpu *cpu, struct slice s)
{
	uint64_t msr;

	if (!parse_hex(s, &msr))
		return;
	if ((msr & 1) && cpu->arch == DISASM_PPC64)
		cpu->arch = DISASM_PPC64LE;
	cpu->mode = msr & 0x4000 ? MODE_USER : MODE_KERNEL;
}

/* "pc : [<80117e24>]    lr : [<808bcc2c>]    psr: 60000013" */
static void read_arm_pc(struct cpu *cpu, struct slice line)
{
	const char *at = slice_find(line, SLICE("psr: "));
	uint64_t psr;

	if (at && parse_hex(slice_range(at + 5, line.p + line.len), &psr))
		set_cpu(cpu, DISASM_ARM, (psr & 0xf) == 0); /* 0x10: user */
}

/* Learn from one line of the report which processor it is, and in which mode. */
static void read_registers(struct cpu *cpu, struct slice s)
{
	uint64_t v;
	struct slice line = s;

	if (skip_prefix(&s, SLICE("RIP: "))) {
		read_x86_ip(cpu, DISASM_X86_64, s);
	} else if (skip_prefix(&s, SLICE("EIP: "))) {
		read_x86_ip(cpu, DISASM_I386, s);
	} else if (slice_starts(s, SLICE("RSP: ")) ||
		   slice_starts(s, SLICE("EAX: "))) {
		cpu->above = MODE_UNKNOWN;
	} else if (skip_prefix(&s, SLICE("pstate: "))) {
		/* M[3:0] is 0 in EL0; bit 4 is AArch32, never the kernel. */
		if (parse_hex(s, &v))
			set_cpu(cpu, DISASM_ARM64, (v & 0xf) == 0 || v & 0x10);
	} else if (slice_starts(s, SLICE("pc : "))) {
		read_arm_pc(cpu, line);
	} else if (skip_prefix(&s, SLICE("epc : "))) {
		/* The mode follows in "status:", after all registers. */
		cpu->arch = parse_hex(s, &v) > 8 ? DISASM_RISCV64 :
						   DISASM_RISCV32;
		cpu->mode = MODE_UNKNOWN;
	} else if (skip_prefix(&s, SLICE("status: "))) {
		/* SPP, 0x100: trapped from supervisor mode. */
		if (parse_hex(s, &v) && slice_has(line, SLICE("badaddr: ")))
			cpu->mode = v & 0x100 ? MODE_KERNEL : MODE_USER;
	} else if (skip_prefix(&s, SLICE("NIP: "))) {
		cpu->arch = parse_hex(s, &v) > 8 ? DISASM_PPC64 : DISASM_PPC32;
		cpu->mode = MODE_UNKNOWN;
	} else if (skip_prefix(&s, SLICE("MSR: "))) {
		read_msr(cpu, s);
	}
}

/* Take the next word off `*line`: text between blanks. */
static bool next_token(struct slice *line, struct slice *token)
{
	*line = slice_trim(*line);
	size_t n = 0;

	while (n < line->len && line->p[n] != ' ' && line->p[n] != '\t')
		n++;
	*token = (struct slice){ line->p, n };
	*line = slice_from(*line, n);
	return n != 0;
}

/* <0f> on x86 and PowerPC, (d4210000) on arm and RISC-V. */
static bool strip_mark(struct slice *token)
{
	if (token->len < 3)
		return false;
	char first = token->p[0], last = token->p[token->len - 1];

	if (!(first == '<' && last == '>') && !(first == '(' && last == ')'))
		return false;
	*token = (struct slice){ token->p + 1, token->len - 2 };
	return true;
}

/* "????????" (arm) or "XXXXXXXX" (PowerPC): memory that was not readable. */
static bool is_unreadable(struct slice token)
{
	for (size_t i = 0; i < token.len; i++)
		if (token.p[i] != '?' && token.p[i] != 'X')
			return false;
	return token.len == 8;
}

static bool add_word(struct words *w, struct slice token, bool big)
{
	struct code_line *code = w->code;
	size_t n = token.len / 2;
	uint64_t value;

	if ((w->digits && token.len != w->digits) ||
	    (token.len != 2 && token.len != 4 && token.len != 8) ||
	    parse_hex(token, &value) != token.len ||
	    code->len + n > sizeof(code->bytes))
		return false;
	w->digits = token.len;
	for (size_t i = 0; i < n; i++) {
		size_t shift = 8 * (big ? n - 1 - i : i);

		code->bytes[code->len++] = (uint8_t)(value >> shift);
	}
	return true;
}

/*
 * Add the words of one line.  Consoles are shared: a line may end in the words
 * of another CPU, which end the code; before the trap they make it useless.
 */
static void add_words(struct words *w, struct slice line)
{
	struct code_line *code = w->code;
	bool big = arch_is_big_endian(code->arch);
	struct slice token;

	while (!w->ended && next_token(&line, &token)) {
		bool marked = strip_mark(&token);
		size_t at = code->len;

		if (is_unreadable(token)) {
			w->ended = w->marked || marked;
			code->len = w->marked ? code->len : 0;
		} else if (!add_word(w, token, big)) {
			w->ended = true;
		} else if (marked) {
			w->broken = w->marked; /* two: which one is it? */
			w->ended = w->broken;
			w->marked = true;
			code->trap = at;
		}
	}
}

static bool fits(enum disasm_arch arch, size_t digits)
{
	switch (arch) {
	case DISASM_X86_64:
	case DISASM_I386:
		return digits == 2;
	case DISASM_ARM:
	case DISASM_RISCV64:
	case DISASM_RISCV32:
		return digits == 4 || digits == 8;
	case DISASM_ARM64:
	case DISASM_PPC64:
	case DISASM_PPC64LE:
	case DISASM_PPC32:
		return digits == 8;
	case DISASM_ARCH_AUTO:
		break;
	}
	return false;
}

/* PowerPC before 6.3 breaks the dump after every 8 words. */
#define DUMP_LINES_MAX 4

/* `line` is what follows the keyword, `rest` the lines after it. */
static bool parse_code(struct slice line, struct slice rest, bool many,
		       struct code_line *code)
{
	struct words w = { .code = code };

	code->len = 0;
	add_words(&w, line);
	for (int i = 0; many && i < DUMP_LINES_MAX && !w.ended; i++) {
		if (!slice_line(&rest, &line))
			break;
		add_words(&w, line);
	}
	code->unit_bytes = (unsigned)w.digits / 2;
	return w.marked && !w.broken && fits(code->arch, w.digits);
}

/* "Code: Bad RIP value.", "Code: Unable to access opcode bytes at 0x..." */
static bool says_unreadable(struct slice text)
{
	return slice_starts(text, SLICE("Bad ")) ||
	       slice_starts(text, SLICE("bad ")) ||
	       slice_starts(text, SLICE("Unable "));
}

bool code_line_find(struct slice report, enum disasm_arch arch,
		    struct code_line *out)
{
	struct cpu cpu = {};
	struct slice line;

	while (slice_line(&report, &line)) {
		struct slice s = slice_trim(line);
		bool dump = skip_prefix(&s, SLICE("Instruction dump:"));

		if (!dump && !skip_prefix(&s, SLICE("Code:"))) {
			read_registers(&cpu, s);
			continue;
		}
		enum mode mode = cpu.above ? cpu.above : cpu.mode;

		cpu.above = MODE_UNKNOWN;
		out->arch = arch ? arch : cpu.arch;
		if (mode == MODE_USER || (mode == MODE_UNKNOWN && !arch))
			continue;
		/* What traps later is not what this report is about. */
		if (says_unreadable(s))
			return false;
		/* A garbled line is often repeated below "end trace". */
		if (parse_code(s, report, dump, out))
			return true;
	}
	return false;
}
