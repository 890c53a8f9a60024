/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "elf/disasm.h"

#include <dlfcn.h>
#include <stdarg.h>
#include <stdio.h>

#define PACKAGE "bugon" /* bfd.h wants to see a config.h */
#include <dis-asm.h>

#include "elf/code_line.h"

/* How libopcodes is told about a processor: what -m, -M and -E are to objdump. */
struct target {
	enum bfd_architecture arch;
	unsigned long mach;
	const char *options;
	const char *options_2; /* with 2-byte words: Thumb */
	unsigned address_bits; /* of branch targets */
};

/*
 * x86-64 is i386 in 64-bit mode: the same instructions, but branch targets of
 * 32 bits, as in the reports (0xfa1c36dd rather than 0xfffffffffa1c36dd).
 * libopcodes keeps force-thumb between calls, so it must also be switched off.
 */
static const struct target targets[] = {
	[DISASM_X86_64] = { bfd_arch_i386, bfd_mach_i386_i386, "x86-64",
			    .address_bits = 32 },
	[DISASM_I386] = { bfd_arch_i386, bfd_mach_i386_i386,
			  .address_bits = 32 },
	[DISASM_ARM64] = { bfd_arch_aarch64, bfd_mach_aarch64,
			   .address_bits = 64 },
	[DISASM_ARM] = { bfd_arch_arm, bfd_mach_arm_unknown, "no-force-thumb",
			 "force-thumb", 32 },
	[DISASM_RISCV64] = { bfd_arch_riscv, bfd_mach_riscv64,
			     .address_bits = 64 },
	[DISASM_RISCV32] = { bfd_arch_riscv, bfd_mach_riscv32,
			     .address_bits = 32 },
	[DISASM_PPC64] = { bfd_arch_powerpc, bfd_mach_ppc64,
			   .address_bits = 64 },
	[DISASM_PPC64LE] = { bfd_arch_powerpc, bfd_mach_ppc64,
			     .address_bits = 64 },
	[DISASM_PPC32] = { bfd_arch_powerpc, bfd_mach_ppc, .address_bits = 32 },
};

/*
 * libopcodes is loaded when the first block is wanted: linked, it would cost
 * every start of the program milliseconds of relocations.  The names are those
 * of the version whose dis-asm.h we see, as its structures change.
 */
struct library {
	const char *name;
	bool tried;
	bool usable;
	__typeof__(init_disassemble_info) *init;
	__typeof__(disassembler) *find;
	__typeof__(disassemble_init_for_target) *init_target;
	__typeof__(disassemble_free_target) *free_target;
};

static struct library libraries[] = {
	{ .name = LIBOPCODES }, /* the build machine's own processors */
	{ .name = LIBOPCODES_MULTIARCH }, /* Debian's binutils-multiarch */
};

/* One stretch of code and the instruction of it that was decoded last. */
struct decoder {
	const struct library *lib;
	const struct target *target;
	disassembler_ftype decode;
	disassemble_info info;
	struct buf text;
	bool cut_off; /* it goes on behind the end */
	unsigned unit_bytes;
	uint8_t *code; /* not written to: libopcodes' pointer is not const */
	const uint16_t *zeros; /* how many zero bytes start at each offset */
	size_t len, trap;
};

static bool library_open(struct library *lib)
{
	if (lib->tried)
		return lib->usable;
	lib->tried = true;

	void *so = dlopen(lib->name, RTLD_LAZY | RTLD_LOCAL);

	if (!so)
		return false;
	lib->init = dlsym(so, "init_disassemble_info");
	lib->find = dlsym(so, "disassembler");
	lib->init_target = dlsym(so, "disassemble_init_for_target");
	lib->free_target = dlsym(so, "disassemble_free_target");
	lib->usable = lib->init && lib->find && lib->init_target &&
		      lib->free_target;
	return lib->usable;
}

static int PRINTF(2, 0)
	text_vprintf(struct decoder *d, const char *fmt, va_list args)
{
	char tmp[256];
	int n = vsnprintf(tmp, sizeof(tmp), fmt, args);

	if (n > 0)
		buf_add(&d->text, tmp, MIN((size_t)n, sizeof(tmp) - 1));
	return n;
}

static int PRINTF(2, 3) text_printf(void *stream, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	int n = text_vprintf(stream, fmt, args);
	va_end(args);
	return n;
}

static int PRINTF(3, 4)
	text_styled_printf(void *stream, enum disassembler_style style,
			   const char *fmt, ...)
{
	va_list args;

	(void)style;
	va_start(args, fmt);
	int n = text_vprintf(stream, fmt, args);
	va_end(args);
	return n;
}

/* The default one writes a sentence into the instruction. */
static void note_memory_error(int status, bfd_vma address,
			      struct disassemble_info *info)
{
	struct decoder *d = info->stream;

	(void)status;
	(void)address;
	d->cut_off = true;
}

/* As objdump does where there are no symbols. */
static void print_address(bfd_vma address, struct disassemble_info *info)
{
	struct decoder *d = info->stream;

	if (d->target->address_bits == 32)
		address &= 0xffffffff;
	buf_printf(&d->text, "0x%llx", (unsigned long long)address);
}

/* Forget the first `n` bytes: what follows is at address 0. */
static void decoder_skip(struct decoder *d, size_t n)
{
	d->code += n;
	d->zeros += n;
	d->len -= n;
	d->trap -= n;
	d->info.buffer = d->code;
	d->info.buffer_length = d->len;
	d->info.stop_offset = d->len;
}

static void count_zeros(const struct code_line *code, uint16_t *zeros)
{
	zeros[code->len] = 0;
	for (size_t at = code->len; at-- > 0;)
		zeros[at] = code->bytes[at] ? 0 : zeros[at + 1] + 1;
}

/* Find the library for d->target and prepare it; false when there is none. */
static bool decoder_open(struct decoder *d, bool big)
{
	const struct target *t = d->target;

	for (size_t i = 0; i < ARRAY_LEN(libraries) && !d->decode; i++) {
		if (!library_open(&libraries[i]))
			continue;
		d->lib = &libraries[i];
		d->decode = d->lib->find(t->arch, big, t->mach, NULL);
	}
	if (!d->decode)
		return false;
	d->lib->init(&d->info, d, text_printf, text_styled_printf);
	d->info.arch = t->arch;
	d->info.mach = t->mach;
	d->info.endian = big ? BFD_ENDIAN_BIG : BFD_ENDIAN_LITTLE;
	d->info.endian_code = d->info.display_endian = d->info.endian;
	d->info.disassembler_options =
		t->options_2 && d->unit_bytes == 2 ? t->options_2 : t->options;
	d->info.print_address_func = print_address;
	d->info.memory_error_func = note_memory_error;
	/* objdump's defaults; some targets have their own. */
	d->info.skip_zeroes = 8;
	d->info.skip_zeroes_at_end = 3;
	d->lib->init_target(&d->info);
	return true;
}

static bool decoder_init(struct decoder *d, struct code_line *code,
			 const uint16_t *zeros)
{
	*d = (struct decoder){
		.target = &targets[code->arch],
		.unit_bytes = code->unit_bytes,
		.code = code->bytes,
		.zeros = zeros,
		.len = code->len,
		.trap = code->trap,
	};
	if (!decoder_open(d, arch_is_big_endian(code->arch)))
		return false;
	decoder_skip(d, 0);
	return true;
}

static void decoder_deinit(struct decoder *d)
{
	if (d->lib && d->decode)
		d->lib->free_target(&d->info);
	buf_deinit(&d->text);
}

/*
 * Decode the instruction at `at` into d->text; its length, never 0 nor beyond
 * the end.  What is cut off by the end is shown as the data that it may be.
 */
static size_t decode(struct decoder *d, size_t at)
{
	size_t left = d->len - at;

	d->text.len = 0;
	d->info.bytes_per_line = 0;
	d->info.bytes_per_chunk = 0;
	d->info.insn_info_valid = 0;
	d->cut_off = false;

	int n = d->decode(at, &d->info);

	if (n > 0 && !d->cut_off)
		return MIN((size_t)n, left);
	d->text.len = 0;
	n = (int)MIN((size_t)d->unit_bytes, left);
	buf_printf(&d->text, "%s\t0x",
		   n == 1 ? ".byte" :
		   n == 2 ? ".short" :
			    ".word");
	for (int i = n; i-- > 0;)
		buf_printf(&d->text, "%02x", d->code[at + (size_t)i]);
	d->info.bytes_per_chunk = n;
	d->info.bytes_per_line = 4;
	return (size_t)n;
}

/*
 * At address 0 libopcodes is still in the IT block (Thumb's conditional
 * instructions) where it was last: lead it out, past at most 4 instructions.
 */
static void leave_it_block(struct decoder *d)
{
	uint8_t nops[] = { 0, 0xbf, 0, 0xbf, 0, 0xbf, 0, 0xbf };

	if (d->target->arch != bfd_arch_arm || d->unit_bytes != 2)
		return;
	d->info.buffer = nops;
	d->info.buffer_length = d->info.stop_offset = sizeof(nops);
	for (size_t at = 0; at < sizeof(nops); at += 2)
		d->decode(at, &d->info);
	decoder_skip(d, 0);
}

/*
 * What the processors' decoders say of bytes that are no instruction.  Words
 * of four bytes begin where they begin, whatever they are.
 */
static bool is_invalid(const struct decoder *d)
{
	struct slice s = buf_as_slice(&d->text);

	if (d->unit_bytes == 4)
		return false;
	return slice_starts(s, SLICE(".")) || slice_starts(s, SLICE("0x")) ||
	       slice_has(s, SLICE("(bad)")) ||
	       slice_has(s, SLICE("ndefined")) ||
	       slice_has(s, SLICE("UNDEFINED"));
}

/*
 * The zero bytes at `at` that objdump leaves out without -z: many, in fours
 * when something follows, or a few at the very end.  Never the trap.
 */
static size_t left_out(const struct decoder *d, size_t at)
{
	size_t n = d->zeros[at];
	bool last = at + n == d->len;

	if (n < d->info.skip_zeroes &&
	    !(last && n < d->info.skip_zeroes_at_end))
		return 0;
	n = last ? n : n / 4 * 4;
	return at <= d->trap && d->trap < at + n ? 0 : n;
}

/*
 * The fewest units to skip so that valid instructions lead to the trap.  Going
 * backwards each offset is decoded once: it leads there when its instruction
 * is valid and ends where one leads there.
 */
static size_t find_start(struct decoder *d)
{
	bool leads[DISASM_BYTES_MAX + 1] = {};
	size_t start = d->trap;

	leads[start] = true;
	for (size_t at = start; at >= d->unit_bytes;) {
		at -= d->unit_bytes;
		size_t zeros = left_out(d, at);
		size_t next = at + (zeros ? zeros : decode(d, at));

		leads[at] = next <= d->trap && leads[next] &&
			    (zeros || !is_invalid(d));
		if (leads[at])
			start = at;
	}
	return start;
}

/*
 * One row of the raw bytes: in chunks, each as a number in the processor's
 * byte order, filled up with blanks to `width` bytes (0: as they are).
 */
static void print_bytes(const struct decoder *d, size_t at, size_t n,
			size_t width, struct buf *out)
{
	size_t chunk = d->info.bytes_per_chunk > 0 ?
			       (size_t)d->info.bytes_per_chunk :
			       1;
	bool little = d->info.display_endian == BFD_ENDIAN_LITTLE;

	for (size_t i = 0; i < n || i < width; i += chunk) {
		for (size_t j = 0; j < chunk; j++) {
			size_t k = i + (little ? chunk - 1 - j : j);

			if (i + chunk <= n)
				buf_printf(out, "%02x", d->code[at + k]);
			else if (i >= n)
				buf_str(out, "  ");
		}
		buf_char(out, ' ');
	}
}

/* Print the instruction that was just decoded; long ones take more rows. */
static void print_insn(const struct decoder *d, size_t at, size_t len,
		       const char *suffix, struct buf *out)
{
	size_t row =
		d->info.bytes_per_line > 0 ? (size_t)d->info.bytes_per_line : 4;

	int digits = d->len < 0x1000 ? 4 : 8; /* as wide as the last address */

	buf_printf(out, "%*zx:\t", digits, at);
	print_bytes(d, at, MIN(len, row), row, out);
	buf_char(out, '\t');
	buf_add(out, d->text.data, d->text.len);
	buf_printf(out, "%s\n", suffix);
	for (size_t i = row; i < len; i += row) {
		buf_printf(out, "%*zx:\t", digits, at + i);
		print_bytes(d, at + i, MIN(len - i, row), 0, out);
		buf_char(out, '\n');
	}
}

static void print_block(struct decoder *d, bool mark, struct buf *out)
{
	size_t len;

	leave_it_block(d);
	for (size_t at = 0; at < d->len; at += len) {
		size_t line = out->len;
		bool here = at == d->trap;

		len = left_out(d, at);
		if (len)
			continue;
		len = decode(d, at);
		print_insn(d, at, len, here ? " <-- trapping instruction" : "",
			   out);
		if (here && mark)
			out->data[line] = '*';
	}
}

/*
 * Whether the kernel put the trap there itself (BUG, WARN, UBSAN, KASAN): an
 * instruction whose only use is to trap.
 *   x86: 0f 0b ud2; 0f b9 ud1, with 67 and REX before it (UBSAN, printf-like
 *        WARN); 0f ff ud0 (WARN of 4.12 to 4.15): arch/x86/include/asm/bug.h
 *   arm64: brk #imm: arch/arm64/include/asm/brk-imm.h
 *   arm: udf: e7f001f2, de02: arch/arm/include/asm/bug.h
 *   RISC-V: ebreak: arch/riscv/include/asm/bug.h
 *   PowerPC: tdi, twi: arch/powerpc/include/asm/bug.h
 */
static bool is_own_trap(const struct code_line *code)
{
	struct slice x86 = { (const char *)code->bytes + code->trap,
			     code->len - code->trap };
	uint32_t word = code_line_trap_word(code);

	switch (code->arch) {
	case DISASM_X86_64:
	case DISASM_I386:
		if (slice_starts(x86, SLICE("\x67")))
			x86 = slice_from(x86, 1);
		if (code->arch == DISASM_X86_64 && x86.len &&
		    (*x86.p & 0xf0) == 0x40)
			x86 = slice_from(x86, 1);
		return slice_starts(x86, SLICE("\x0f\x0b")) ||
		       slice_starts(x86, SLICE("\x0f\xb9")) ||
		       slice_starts(x86, SLICE("\x0f\xff"));
	case DISASM_ARM64:
		return (word & 0xffe0001f) == 0xd4200000;
	case DISASM_ARM:
		return code->unit_bytes == 2 ?
			       (word & 0xff00) == 0xde00 :
			       (word & 0xfff000f0) == 0xe7f000f0;
	case DISASM_RISCV64:
	case DISASM_RISCV32:
		return word == 0x9002 || word == 0x00100073 ||
		       (code->unit_bytes == 2 && word == 0x0073 &&
			code->len - code->trap >= 4 &&
			code->bytes[code->trap + 2] == 0x10);
	case DISASM_PPC64:
	case DISASM_PPC64LE:
	case DISASM_PPC32:
		return word >> 26 == 2 || word >> 26 == 3;
	case DISASM_ARCH_AUTO:
		break;
	}
	return false;
}

/*
 * Reports of 5.14 kernels (August 2021) show the block without '*', those of
 * 6.0 and later with it; the version stands behind "Not tainted"/"Tainted: G".
 */
static bool has_star(struct slice report)
{
	const char *at = slice_find(report, SLICE("ainted"));
	const char *end = report.p + report.len;
	unsigned major = 0, minor = 0;

	while (at && at < end && *at != '\n' && (*at < '0' || *at > '9'))
		at++;
	if (!at || at == end || *at == '\n')
		return true;
	for (; at < end && *at >= '0' && *at <= '9' && major < 100; at++)
		major = major * 10 + (unsigned)(*at - '0');
	if (at == end || *at++ != '.')
		return true;
	for (; at < end && *at >= '0' && *at <= '9' && minor < 1000; at++)
		minor = minor * 10 + (unsigned)(*at - '0');
	return major > 5 || (major == 5 && minor >= 15);
}

bool disasm_append(struct slice report, const struct disasm_opts *opts,
		   struct buf *out)
{
	static const struct disasm_opts defaults;
	uint16_t zeros[DISASM_BYTES_MAX + 1];
	struct code_line code;
	struct decoder d;

	if (!opts)
		opts = &defaults;
	if (opts->hang || !code_line_find(report, opts->arch, &code) ||
	    is_own_trap(&code))
		return false;
	count_zeros(&code, zeros);
	if (!decoder_init(&d, &code, zeros))
		return false;

	size_t skip = find_start(&d);

	if (out->len && out->data[out->len - 1] != '\n')
		buf_char(out, '\n');
	buf_str(out, "----------------\nCode disassembly (best guess)");
	if (skip)
		buf_printf(out, ", %zu bytes skipped", skip);
	buf_str(out, ":\n");
	decoder_skip(&d, skip);
	print_block(&d, has_star(report), out);
	decoder_deinit(&d);
	return true;
}

bool disasm_function(uint8_t *code, size_t len, uint64_t address,
		     disasm_insn_fn *insn, void *data)
{
	static const struct target x86_64 = { bfd_arch_i386, bfd_mach_x86_64,
					      NULL, NULL, 64 };
	struct decoder d = { .target = &x86_64, .unit_bytes = 1 };

	if (!decoder_open(&d, false))
		return false;
	d.info.buffer = code;
	d.info.buffer_length = d.info.stop_offset = len;
	d.info.buffer_vma = address;
	for (size_t at = 0; at < len;) {
		d.text.len = 0;
		d.cut_off = false;

		int n = d.decode(address + at, &d.info);

		if (n <= 0 || d.cut_off)
			break;
		insn(data, buf_cstr(&d.text));
		at += (size_t)n;
	}
	decoder_deinit(&d);
	return true;
}
