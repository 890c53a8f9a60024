/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * machine_code.c - code for a guest of KVM and the like: text[...].
 *
 * Sources: Intel's and AMD's manuals (machine_code.def); Arm's for A64; the
 * RISC-V and Power instruction sets.
 */
#include "prog/gen.h"

enum follows { NONE, MODRM, MODRM_REG, IMM8, IMMV, FAR };
enum modes { ANY, LONG, OTHER };

static const struct x86 {
	const char *opcode;
	uint8_t len, follows, modes;
} x86_table[] = {
#define X86(opcode, follows, modes) \
	{ opcode, sizeof(opcode) - 1, follows, modes },
#include "prog/machine_code.def"
};

static void add_bytes(struct buf *out, uint64_t v, uint32_t n)
{
	buf_add(out, &v, n); /* little-endian, as all machines bugon runs on */
}

/* ---- x86 ------------------------------------------------------------------------- */

static void add_displacement(struct rng *r, uint8_t modrm, bool wide,
			     struct buf *out)
{
	uint8_t mod = modrm >> 6, rm = modrm & 7;

	if (mod == 3)
		return;
	if (wide && rm == 4) {
		uint8_t sib = (uint8_t)rng_u64(r);

		buf_char(out, (char)sib);
		if (!mod && (sib & 7) == 5)
			add_bytes(out, gen_int(r, 32), 4);
	}
	if (mod == 1)
		buf_char(out, (char)gen_int(r, 8));
	else if (mod == 2 || (wide ? rm == 5 : rm == 6))
		add_bytes(out, gen_int(r, 32), wide ? 4 : 2);
}

/* Registers of the machine that have a meaning, or any number. */
static uint32_t some_msr(struct rng *r)
{
	static const uint32_t bases[] = {
		0x10,	    0x1b,	0x3a,	    0x8b,	0x174,
		0x1d9,	    0x200,	0x277,	    0x2ff,	0x38d,
		0x480,	    0x600,	0x800,	    0xd90,	0x40000000,
		0x4b564d00, 0xc0000080, 0xc0000100, 0xc0010114,
	};

	if (rng_one_of(r, 8))
		return (uint32_t)gen_int(r, 32);
	return bases[rng_below(r, ARRAY_LEN(bases))] +
	       (uint32_t)rng_below(r, 8);
}

static void add_msr_access(struct rng *r, bool wide, struct buf *out)
{
	static const uint8_t loads[] = { 0xb9, 0xb8, 0xba }; /* ecx eax edx */

	for (size_t i = 0; i < ARRAY_LEN(loads); i++) {
		if (!wide)
			buf_char(out, 0x66);
		buf_char(out, (char)loads[i]);
		add_bytes(out, i ? gen_int(r, 32) : some_msr(r), 4);
	}
	buf_add(out, rng_one_of(r, 3) ? "\x0f\x32" : "\x0f\x30", 2);
}

static void add_x86(struct rng *r, enum desc_text kind, struct buf *out)
{
	bool is64 = kind == DESC_TEXT_X86_64;
	bool wide = is64 || kind == DESC_TEXT_X86_32;
	static const char prefixes[] = "\x66\x67\x2e\x36\x64\x65\xf0\xf2\xf3";
	const struct x86 *x;
	uint8_t modrm;

	if (rng_one_of(r, 12)) {
		add_msr_access(r, wide, out);
		return;
	}
	do
		x = &x86_table[rng_below(r, ARRAY_LEN(x86_table))];
	while (x->modes != ANY && (x->modes == LONG) != is64);
	if (rng_one_of(r, 8))
		buf_char(out, prefixes[rng_below(r, sizeof(prefixes) - 1)]);
	else if (is64 && rng_one_of(r, 4))
		buf_char(out, (char)rng_range(r, 0x40, 0x4f));
	buf_add(out, x->opcode, x->len);
	switch ((enum follows)x->follows) {
	case NONE:
		break;
	case MODRM:
	case MODRM_REG:
		modrm = (uint8_t)rng_u64(r);
		modrm |= x->follows == MODRM_REG ? 0xc0 : 0;
		buf_char(out, (char)modrm);
		add_displacement(r, modrm, wide, out);
		break;
	case IMM8:
		buf_char(out, (char)gen_int(r, 8));
		break;
	case FAR:
		add_bytes(out, gen_int(r, 32), wide ? 4 : 2);
		add_bytes(out, rng_below(r, 32) * 8, 2);
		break;
	case IMMV:
		add_bytes(out, gen_int(r, 32), wide ? 4 : 2);
		break;
	}
}

/* ---- Machines with words -------------------------------------------------------------- */

/* A pattern, and which bits of it are free. */
struct word {
	uint32_t is, free;
};

static const struct word arm64_words[] = {
	{ 0xd4000001, 0x001fffe0 }, /* svc */
	{ 0xd4000002, 0x001fffe0 }, /* hvc */
	{ 0xd4000003, 0x001fffe0 }, /* smc */
	{ 0xd4200000, 0x001fffe0 }, /* brk */
	{ 0xd503201f, 0x00000fe0 }, /* nop, wfi, sev and other hints */
	{ 0xd503309f, 0x00000f60 }, /* dsb, dmb, isb */
	{ 0xd5300000, 0x000fffff }, /* mrs */
	{ 0xd5100000, 0x000fffff }, /* msr */
	{ 0xd5080000, 0x0007ffff }, /* sys: at, dc, ic, tlbi */
	{ 0xd5280000, 0x0007ffff }, /* sysl */
	{ 0xd500401f, 0x00070fe0 }, /* msr to a field of PSTATE */
	{ 0xd2800000, 0x007fffff }, /* movz */
	{ 0xf2800000, 0x007fffff }, /* movk */
	{ 0xf9400000, 0x003fffff }, /* ldr */
	{ 0xf9000000, 0x003fffff }, /* str */
	{ 0xc85f7c00, 0x000003ff }, /* ldxr */
	{ 0xc8007c00, 0x001f03ff }, /* stxr */
	{ 0x14000000, 0x0000001f }, /* b, a bit ahead */
	{ 0x54000000, 0x000003ef }, /* b.cond */
	{ 0x8b000000, 0x001fffff }, /* add */
	{ 0xd65f0000, 0x000003e0 }, /* ret */
	{ 0xd69f03e0, 0x00000000 }, /* eret */
};

static const struct word riscv64_words[] = {
	{ 0x00000073, 0x00000000 }, /* ecall */
	{ 0x00100073, 0x00000000 }, /* ebreak */
	{ 0x10500073, 0x00000000 }, /* wfi */
	{ 0x10200073, 0x00000000 }, /* sret */
	{ 0x12000073, 0x01ff8000 }, /* sfence.vma */
	{ 0x00001073, 0xffffef80 }, /* csrrw and others */
	{ 0x0000000f, 0x0ff00000 }, /* fence */
	{ 0x00000013, 0xfff0ff80 }, /* addi */
	{ 0x00000037, 0xffffff80 }, /* lui */
	{ 0x00003003, 0xfff0ff80 }, /* ld */
	{ 0x00003023, 0xfff08f80 }, /* sd */
	{ 0x0000302f, 0xf9ff8f80 }, /* amo */
};

static const struct word ppc64_words[] = {
	{ 0x44000002, 0x00000fe0 }, /* sc */
	{ 0x7c0003a6, 0x03fff800 }, /* mtspr */
	{ 0x7c0002a6, 0x03fff800 }, /* mfspr */
	{ 0x7c000164, 0x03e10000 }, /* mtmsrd */
	{ 0x4c000024, 0x00000000 }, /* rfid */
	{ 0x7c000264, 0x03fff800 }, /* tlbie */
	{ 0x7c0004ac, 0x00600000 }, /* sync */
	{ 0x4c00012c, 0x00000000 }, /* isync */
	{ 0x38000000, 0x03ffffff }, /* addi */
	{ 0x3c000000, 0x03ffffff }, /* addis */
	{ 0xe8000000, 0x03fffffc }, /* ld */
	{ 0xf8000000, 0x03fffffc }, /* std */
};

static void add_word(struct rng *r, const struct word *words, size_t n,
		     struct buf *out)
{
	const struct word *w = &words[rng_below(r, n)];
	uint32_t v = (uint32_t)rng_u64(r);

	if (!rng_one_of(r, 16))
		v = w->is | (v & w->free);
	add_bytes(out, v, 4);
}

/* ---- Any --------------------------------------------------------------------------------- */

static enum desc_text text_of_target(const struct desc_arch *arch)
{
	static const struct {
		const char *arch;
		enum desc_text kind;
	} kinds[] = {
		{ "amd64", DESC_TEXT_X86_64 },
		{ "386", DESC_TEXT_X86_32 },
		{ "arm64", DESC_TEXT_ARM64 },
		{ "ppc64le", DESC_TEXT_PPC64 },
		{ "riscv64", DESC_TEXT_RISCV64 },
	};

	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		if (!strcmp(kinds[i].arch, arch->name))
			return kinds[i].kind;
	return DESC_TEXT_TARGET;
}

void gen_instruction(struct rng *r, const struct desc_arch *arch,
		     enum desc_text kind, struct buf *out)
{
	if (kind == DESC_TEXT_TARGET)
		kind = text_of_target(arch);
	switch (kind) {
	case DESC_TEXT_X86_REAL:
	case DESC_TEXT_X86_16:
	case DESC_TEXT_X86_32:
	case DESC_TEXT_X86_64:
		add_x86(r, kind, out);
		break;
	case DESC_TEXT_ARM64:
		add_word(r, arm64_words, ARRAY_LEN(arm64_words), out);
		break;
	case DESC_TEXT_RISCV64:
		add_word(r, riscv64_words, ARRAY_LEN(riscv64_words), out);
		break;
	case DESC_TEXT_PPC64:
		add_word(r, ppc64_words, ARRAY_LEN(ppc64_words), out);
		break;
	default:
		add_bytes(out, rng_u64(r), 4);
	}
}

void gen_text(struct rng *r, const struct desc_arch *arch, enum desc_text kind,
	      struct buf *out)
{
	do
		gen_instruction(r, arch, kind, out);
	while (!rng_one_of(r, 8) && out->len < 256);
}
