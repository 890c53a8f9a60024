/* SPDX-License-Identifier: GPL-2.0-or-later */
/* frame.c - find "func+0xoffset/0xsize [module]" in a line of a log. */
#include <ctype.h>
#include <string.h>

#include "elf/internal.h"

/* KSYM_NAME_LEN is 512 since Linux 6.1 (for Rust). */
enum { NAME_MAX_BYTES = 512, MODULE_MAX_BYTES = 64 };

/* In front of a program counter; compared in lower case. */
static const char *const exact_words[] = {
	"rip", /* x86-64, also "rIP: 0x... (sym)" of an unchecked MSR access */
	"eip", /* x86-32 */
	"ip", /* "IP: sym", page faults of older x86 */
	"pc", /* arm64, loongarch; "PC is at sym" of arm */
	"epc", /* riscv, mips */
	"nip", /* powerpc */
	"era", /* loongarch */
	"tpc", /* sparc */
};

static bool is_name(char c)
{
	return isalnum((unsigned char)c) || c == '_' || c == '.' || c == '$';
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static uint64_t hex_digit(char c)
{
	return (uint64_t)(c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
}

/* Up to 16 hexadecimal digits at `at`; the place behind them, or 0. */
static size_t read_hex(struct slice line, size_t at, uint64_t *out)
{
	size_t from = at;
	uint64_t v = 0;

	while (at < line.len && isxdigit((unsigned char)line.p[at]))
		v = v << 4 | hex_digit(line.p[at++]);
	if (at == from || at - from > 16)
		return 0;
	*out = v;
	return at;
}

static struct slice rtrim(struct slice s)
{
	while (s.len && is_blank(s.p[s.len - 1]))
		s.len--;
	return s;
}

/* The last word of `s` (letters and digits). */
static struct slice last_word(struct slice s)
{
	size_t n = 0;

	while (n < s.len && isalnum((unsigned char)s.p[s.len - 1 - n]))
		n++;
	return slice_from(s, s.len - n);
}

static bool is_hex_word(struct slice w)
{
	for (size_t i = 0; i < w.len; i++)
		if (!isxdigit((unsigned char)w.p[i]))
			return false;
	return w.len > 0;
}

static bool ends_with_char(struct slice s, char c)
{
	return s.len && s.p[s.len - 1] == c;
}

/*
 * What stands between the word that says what the address is and the name:
 * "[<ffffffff81000000>] ", "0010:", "9000000000200000 ", "0x10 (".
 * Returns `s` without the last such thing, or unchanged.
 */
static struct slice skip_address(struct slice s, uint64_t *address)
{
	struct slice r = rtrim(s);
	bool is_open = ends_with_char(r, '(') || ends_with_char(r, '<');

	if (is_open)
		r.len--;
	r = rtrim(r);
	if (ends_with_char(r, ']')) {
		r.len--;
		if (ends_with_char(r, '>'))
			r.len--;
		struct slice w = last_word(r);
		r.len -= w.len;
		if (ends_with_char(r, '<'))
			r.len--;
		if (!is_hex_word(w) || !ends_with_char(r, '['))
			return s;
		read_hex(w, 0, address);
		r.len--;
		return r;
	}
	bool is_segment = ends_with_char(r, ':');
	if (is_segment)
		r.len--;
	struct slice w = last_word(r);
	if (slice_starts(w, SLICE("0x")))
		w = slice_from(w, 2);
	if (!is_hex_word(w) || (is_segment ? w.len != 4 : w.len < 8))
		return is_open ? rtrim((struct slice){ s.p, s.len - 1 }) : s;
	if (!is_segment)
		read_hex(w, 0, address);
	r.len = (size_t)(w.p - r.p);
	if (slice_ends(r, SLICE("0x")))
		r.len -= 2;
	return r;
}

static bool is_exact_word(struct slice w)
{
	for (size_t i = 0; i < ARRAY_LEN(exact_words); i++)
		if (w.len == strlen(exact_words[i]) &&
		    !strncasecmp(w.p, exact_words[i], w.len))
			return true;
	return false;
}

/*
 * The "fs/x.c:12" of a WARNING's header, which stands in front of the frame:
 * "WARNING: CPU: 0 PID: 1 at fs/x.c:12 f+0x1/0x2", or in newer kernels
 * "WARNING: fs/x.c:12 at f+0x1/0x2, CPU#0: comm/1".
 */
static struct slice warning_place(struct slice before)
{
	struct slice none = { 0 }, r = rtrim(before);
	const char *warning = slice_find(r, SLICE("WARNING: "));
	size_t n = 0;

	if (!warning ||
	    !slice_has(slice_range(warning, r.p + r.len), SLICE(" at")))
		return none;
	if (slice_ends(r, SLICE(" at")))
		r = rtrim((struct slice){ r.p, r.len - 3 });
	while (n < r.len && !is_blank(r.p[r.len - 1 - n]))
		n++;
	return slice_from(r, r.len - n);
}

/*
 * Newer arm64 kernels mark a program counter from the registers with " (P)"
 * (KUNWIND_SOURCE_REGS_PC in arch/arm64/kernel/stacktrace.c).
 */
static bool is_marked_pc(struct slice after)
{
	if (!slice_starts(after, SLICE(" (P")))
		return false;
	after = slice_from(after, 3);
	while (after.len && isupper((unsigned char)*after.p))
		after = slice_from(after, 1);
	return slice_starts(after, SLICE(")"));
}

/* Does what stands before the name say that this is a program counter? */
static bool is_exact(struct slice before, uint64_t *address)
{
	for (int i = 0; i < 3; i++)
		before = skip_address(before, address);
	before = rtrim(before);
	if (ends_with_char(before, ':'))
		before.len--;
	before = rtrim(before);
	if (slice_ends(before, SLICE("idling at")))
		return true;
	if (slice_ends(before, SLICE(" is at")))
		before.len -= strlen(" is at");
	return is_exact_word(last_word(before));
}

/* " [module]" or " [module buildid]" at the beginning of `after`. */
static struct slice read_module(struct slice after, size_t *len)
{
	struct slice s = after, name;
	size_t n = 0;

	*len = 0;
	if (!slice_starts(s, SLICE(" [")))
		return (struct slice){ s.p, 0 };
	s = slice_from(s, 2);
	while (n < s.len && n < MODULE_MAX_BYTES &&
	       (is_name(s.p[n]) || s.p[n] == '-'))
		n++;
	name = (struct slice){ s.p, n };
	s = slice_from(s, n);
	/* lib/kallsyms: "%s %s", with CONFIG_STACKTRACE_BUILD_ID (5.14). */
	if (slice_starts(s, SLICE(" "))) {
		size_t i = 1;

		while (i < s.len && i < 64 && isxdigit((unsigned char)s.p[i]))
			i++;
		s = slice_from(s, i);
	}
	if (!slice_starts(s, SLICE("]")) || !n)
		return (struct slice){ after.p, 0 };
	*len = (size_t)(s.p + 1 - after.p);
	return name;
}

static bool is_path(char c)
{
	return is_name(c) || (c && strchr("/-+~@,", c));
}

/* Does `after` begin with file.c:12 or (file.c:12)? */
static bool has_line(struct slice after)
{
	size_t n = 0;

	while (after.len && (is_blank(*after.p) || *after.p == '('))
		after = slice_from(after, 1);
	while (n < after.len && is_path(after.p[n]))
		n++;
	struct slice file = { after.p, n };
	if (n + 1 >= after.len || after.p[n] != ':' ||
	    (!isdigit((unsigned char)after.p[n + 1]) && after.p[n + 1] != '?'))
		return false;
	/* "f+0x1/0x2:3" is another frame. */
	return (slice_has(file, SLICE(".")) || slice_has(file, SLICE("/"))) &&
	       !slice_has(file, SLICE("+0x"));
}

/* Parse the frame whose "+0x" is at `plus`; false if it is not one. */
static bool read_frame(struct slice line, size_t plus, struct frame *f,
		       size_t *end)
{
	size_t from = plus, at;
	struct symbols_query *q = &f->query;

	*f = (struct frame){ 0 };
	while (from && is_name(line.p[from - 1]) &&
	       plus - from < NAME_MAX_BYTES)
		from--;
	if (from == plus || isdigit((unsigned char)line.p[from]) ||
	    (from && is_name(line.p[from - 1])))
		return false;
	at = read_hex(line, plus + 3, &q->offset_bytes);
	if (!at || !slice_starts(slice_from(line, at), SLICE("/0x")))
		return false;
	at = read_hex(line, at + 3, &q->size_bytes);
	if (!at || (at < line.len && is_name(line.p[at])))
		return false;
	*end = at;
	q->func = (struct slice){ line.p + from, plus - from };
	f->before = (struct slice){ line.p, from };
	f->token = (struct slice){ line.p + from, at - from };
	f->after = slice_from(line, at);
	return true;
}

static bool is_guess(struct slice before)
{
	struct slice r = rtrim(before);
	uint64_t ignored;

	if (ends_with_char(r, ']'))
		r = rtrim(skip_address(r, &ignored));
	return ends_with_char(r, '?') &&
	       (r.len == 1 || is_blank(r.p[r.len - 2]) ||
		r.p[r.len - 2] == ']');
}

bool frame_next(struct slice line, size_t *pos, struct frame *out)
{
	while (*pos < line.len) {
		const char *plus =
			slice_find(slice_from(line, *pos), SLICE("+0x"));
		size_t end, module_len;

		if (!plus)
			break;
		*pos = (size_t)(plus - line.p) + 3;
		if (!read_frame(line, *pos - 3, out, &end))
			continue;
		*pos = end;
		struct symbols_query *q = &out->query;
		q->module = read_module(out->after, &module_len);
		if (has_line(out->after) ||
		    has_line(slice_from(out->after, module_len)))
			continue;
		out->place = warning_place(out->before);
		q->is_return =
			!is_exact(out->before, &q->address) &&
			!out->place.len &&
			!is_marked_pc(slice_from(out->after, module_len));
		out->is_guess = is_guess(out->before);
		return true;
	}
	*pos = line.len;
	return false;
}
