/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "report/frames.h"

#include <ctype.h>

#include "report/match.h"

static struct slice skip_blanks(struct slice s)
{
	while (s.len && (*s.p == ' ' || *s.p == '\t'))
		s = slice_from(s, 1);
	return s;
}

static bool take(struct slice *s, struct slice word)
{
	if (!slice_starts(*s, word))
		return false;
	*s = slice_from(*s, word.len);
	return true;
}

/* "0x12ab"; false if no digit stands there. */
static bool take_hex(struct slice *s, uint64_t *out)
{
	uint64_t v = 0;
	size_t n = 0;

	for (; n < s->len && n < 16; n++) {
		unsigned digit = (unsigned)(s->p[n] - '0');
		unsigned letter = (unsigned)((s->p[n] | 0x20) - 'a');

		if (digit > 9 && letter > 5)
			break;
		v = v << 4 | (digit <= 9 ? digit : letter + 10);
	}
	*s = slice_from(*s, n);
	*out = v;
	return n > 0;
}

/* One "[<ffffffff81000000>]", "[c000000012345678]" or "<0x81000000>". */
static bool take_address(struct slice *s)
{
	struct slice t = *s;
	uint64_t addr;
	bool angle;

	if (!take(&t, SLICE("[")))
		return false;
	angle = take(&t, SLICE("<"));
	(void)take(&t, SLICE("0x"));
	size_t before = t.len;
	if (take(&t, SLICE("(____ptrval____)")) || take(&t, SLICE("(ptrval)")))
		;
	else if (!take_hex(&t, &addr) || before - t.len < 8)
		return false;
	if ((angle && !take(&t, SLICE(">"))) || !take(&t, SLICE("]")))
		return false;
	*s = skip_blanks(t);
	return true;
}

/* " fs/super.c:1814" and " [inline]" behind a function. */
static void take_file(struct slice *s, struct report_frame *f)
{
	struct slice t = skip_blanks(*s);
	size_t n = 0;

	while (n < t.len && !isspace((unsigned char)t.p[n]) && t.p[n] != ')')
		n++;
	struct slice word = { t.p, n };
	const char *colon = memrchr(word.p, ':', word.len);
	if (!colon || colon == word.p || word.p[0] == '[')
		return;
	const char *p = colon + 1;
	unsigned line = 0;
	while (p < word.p + n && isdigit((unsigned char)*p) && line < 10000000)
		line = line * 10 + (unsigned)(*p++ - '0');
	if (p == colon + 1 || p != word.p + n ||
	    !memchr(word.p, '.', (size_t)(colon - word.p)))
		return;
	f->file = slice_range(word.p, colon);
	f->line = line;
	*s = slice_from(t, n);
	t = skip_blanks(*s);
	if (take(&t, SLICE("[inline]"))) {
		f->is_inline = true;
		*s = t;
	}
}

/* "[ext4]", "[ext4 0123456789abcdef]" */
static void take_module(struct slice *s, struct report_frame *f)
{
	struct slice rest = skip_blanks(*s);
	size_t len = 0;

	if (f->module.len || !take(&rest, SLICE("[")))
		return;
	while (len < rest.len && rest.p[len] != ']' && rest.p[len] != ' ')
		len++;
	struct slice word = { rest.p, len };
	const char *close = memchr(rest.p, ']', rest.len);
	if (!close || slice_eq(word, SLICE("inline")))
		return;
	f->module = word;
	*s = slice_from(rest, (size_t)(close - rest.p) + 1);
}

/* "func+0x1/0x2 [module] file:line [inline]"; only "func file:1 [inline]"
 * may lack the offset. */
static bool take_symbol(struct slice s, struct report_frame *f)
{
	size_t n = symbol_len(s);

	if (!n)
		return false;
	f->function = (struct slice){ s.p, n };
	s = slice_from(s, n);
	bool has_offset = take(&s, SLICE("+0x")) && take_hex(&s, &f->offset);
	if (has_offset && take(&s, SLICE("/0x")))
		(void)take_hex(&s, &f->size);
	/* raw " [module]", symbolized " file:line [module]" */
	take_module(&s, f);
	take_file(&s, f);
	take_module(&s, f);
	if (slice_has(s, SLICE("(unreliable)")))
		f->is_guess = true;
	return has_offset || f->is_inline;
}

/* "0010:[<addr>]  [<addr>] func+0x1/0x2" in its variants. */
static bool register_symbol(struct slice s, struct report_frame *f)
{
	struct slice t = s;
	uint64_t v;

	if (take_hex(&t, &v) && take(&t, SLICE(":")))
		s = t;
	s = skip_blanks(s);
	while (take_address(&s))
		;
	(void)take(&s, SLICE("<")); /* sparc "<func+0x1/0x2>" */
	if (take_symbol(s, f))
		return true;
	/* MIPS and LoongArch "80123456 func+0x1/0x2" */
	t = s;
	if (take_hex(&t, &v) && t.len && *t.p == ' ' &&
	    take_symbol(skip_blanks(t), f))
		return true;
	/* s390 "... (func+0x1/0x2)", PowerPC "700 at func+0x1/0x2" */
	const char *at = slice_find(s, SLICE(" at "));
	if (at)
		return take_symbol(slice_from(s, (size_t)(at - s.p) + 4), f);
	at = memchr(s.p, '(', s.len);
	return at && take_symbol(slice_from(s, (size_t)(at - s.p) + 1), f);
}

/* "[<a>] (f) from [<b>] (g+0x1/0x2)" and " f from g+0x1/0x2". */
static bool arm_symbol(struct slice s, struct report_frame *f)
{
	const char *from = slice_find(s, SLICE(" from "));

	if (!from || from - s.p > 120)
		return false;
	struct slice callee = slice_range(s.p, from);
	s = slice_from(s, (size_t)(from - s.p) + strlen(" from "));
	while (take_address(&s))
		;
	(void)take(&s, SLICE("("));
	(void)take(&callee, SLICE("("));
	f->callee = (struct slice){ callee.p, symbol_len(callee) };
	return take_symbol(s, f);
}

/* Lines that their first words tell; behind LINE_PC and LINE_LINK is a place. */
static const struct word {
	struct slice text;
	enum line_kind kind;
} words[] = {
	{ SLICE("Call Trace:"), LINE_TRACE },
	{ SLICE("Call trace:"), LINE_TRACE },
	{ SLICE("Backtrace:"), LINE_TRACE },
	{ SLICE("backtrace:"), LINE_TRACE },
	{ SLICE("backtrace ("), LINE_TRACE },
	{ SLICE("Stack Traceback:"), LINE_TRACE },
	{ SLICE("</IRQ>"), LINE_IRQ_END },
	{ SLICE("<EOI>"), LINE_IRQ_END },
	{ SLICE("Allocated by "), LINE_STORY },
	{ SLICE("Allocated:"), LINE_STORY },
	{ SLICE("Freed by "), LINE_STORY },
	{ SLICE("Freed:"), LINE_STORY },
	{ SLICE("Last potentially related work"), LINE_STORY },
	{ SLICE("Second to last potentially"), LINE_STORY },
	{ SLICE("Last call_rcu"), LINE_STORY },
	{ SLICE("Uninit was "), LINE_STORY },
	{ SLICE("Local variable "), LINE_STORY },
	{ SLICE("The buggy address "), LINE_STORY },
	{ SLICE("page_owner tracks"), LINE_STORY },
	{ SLICE("allocated by task"), LINE_STORY },
	{ SLICE("freed by task"), LINE_STORY },
	{ SLICE("Code: "), LINE_STATE },
	{ SLICE("RSP: "), LINE_STATE },
	{ SLICE("RAX: "), LINE_STATE },
	{ SLICE("RDX: "), LINE_STATE },
	{ SLICE("RBP: "), LINE_STATE },
	{ SLICE("R10: "), LINE_STATE },
	{ SLICE("R13: "), LINE_STATE },
	{ SLICE("FS: "), LINE_STATE },
	{ SLICE("CS: "), LINE_STATE },
	{ SLICE("CR2: "), LINE_STATE },
	{ SLICE("DR0: "), LINE_STATE },
	{ SLICE("DR3: "), LINE_STATE },
	{ SLICE("PKRU: "), LINE_STATE },
	{ SLICE("EAX: "), LINE_STATE },
	{ SLICE("ESI: "), LINE_STATE },
	{ SLICE("DS: "), LINE_STATE },
	{ SLICE("ORIG_RAX"), LINE_STATE },
	{ SLICE("RIP: "), LINE_PC },
	{ SLICE("RIP  "), LINE_PC },
	{ SLICE("EIP: "), LINE_PC },
	{ SLICE("EIP is at "), LINE_PC },
	{ SLICE("IP: "), LINE_PC },
	{ SLICE("IP is at "), LINE_PC },
	{ SLICE("pc : "), LINE_PC },
	{ SLICE("PC is at "), LINE_PC },
	{ SLICE("pc is at "), LINE_PC },
	{ SLICE("PC: "), LINE_PC },
	{ SLICE("TPC: "), LINE_PC },
	{ SLICE("epc : "), LINE_PC },
	{ SLICE("epc   : "), LINE_PC },
	{ SLICE("ERA: "), LINE_PC },
	{ SLICE("NIP "), LINE_PC },
	{ SLICE("Krnl PSW : "), LINE_PC },
	{ SLICE("--- interrupt: "), LINE_PC },
	{ SLICE("--- Exception: "), LINE_PC },
	{ SLICE("lr : "), LINE_LINK },
	{ SLICE("LR is at "), LINE_LINK },
	{ SLICE("ra : "), LINE_LINK },
	{ SLICE("ra    : "), LINE_LINK },
	{ SLICE("ra: "), LINE_LINK },
	{ SLICE("RPC: "), LINE_LINK },
	{ SLICE("LR "), LINE_LINK },
};

/* The word that `t` begins with, or NULL. */
static const struct word *find_word(struct slice t)
{
	/* By the first byte: 1 + word, or 0 */
	static uint8_t first[256], next[ARRAY_LEN(words)];
	static bool known;

	for (size_t i = ARRAY_LEN(words); !known && i--;) {
		uint8_t *list = &first[(unsigned char)*words[i].text.p];

		next[i] = *list;
		*list = (uint8_t)(i + 1);
	}
	known = true;
	for (unsigned i = first[(unsigned char)*t.p]; i; i = next[i - 1]) {
		const struct word *w = &words[i - 1];

		if (t.len > 1 && t.p[1] == w->text.p[1] &&
		    slice_starts(t, w->text))
			return w;
	}
	return NULL;
}

enum line_kind frame_parse(struct slice text, struct report_frame *f)
{
	struct slice t = skip_blanks(text);

	*f = (struct report_frame){ 0 };
	if (!t.len)
		return LINE_OTHER;
	const struct word *word = find_word(t);
	enum line_kind kind = word ? word->kind : LINE_OTHER;
	if (*t.p == '<') {
		/* "<IRQ> [<ffffffff816efb87>] f+0x1/0x2": kernels before 4.9 */
		const char *close = memchr(t.p, '>', t.len);
		const char *end = t.p + t.len;
		struct slice rest;

		if (!close)
			return LINE_OTHER;
		if (close + 1 < end && close[1] == '>')
			close++; /* "<<EOE>>" */
		rest = skip_blanks(slice_range(close + 1, end));
		if (!take_address(&rest))
			return kind;
		t = rest;
	} else if (kind == LINE_PC || kind == LINE_LINK) {
		f->is_pc = kind == LINE_PC;
		t = slice_from(t, word->text.len);
		return register_symbol(t, f) ? kind : LINE_STATE;
	} else if (kind != LINE_OTHER) {
		return kind;
	}
	bool address = false;
	/* s390 puts what it is not sure of in parentheses: "([<addr>] func)" */
	if (slice_starts(t, SLICE("([<"))) {
		t = slice_from(t, 1);
		f->is_guess = true;
	}
	while (take_address(&t))
		address = true;
	if (arm_symbol(t, f))
		return LINE_FRAME;
	if (!address && t.p == text.p && !slice_has(t, SLICE("[inline]")))
		return LINE_OTHER; /* a call trace is indented */
	if (take(&t, SLICE("? ")))
		f->is_guess = true;
	(void)take(&t, SLICE("("));
	return take_symbol(t, f) ? LINE_FRAME : kind;
}

bool frame_parse_at(struct slice text, struct report_frame *f)
{
	const char *at = slice_find(text, SLICE("at: "));

	*f = (struct report_frame){ 0 };
	if (!at || (at > text.p && at[-1] != ' '))
		return false;
	struct slice t =
		skip_blanks(slice_from(text, (size_t)(at - text.p) + 4));
	while (take_address(&t))
		;
	return take_symbol(t, f);
}

size_t report_frames(struct slice text, struct report_frame *out, size_t max)
{
	struct slice line;
	size_t n = 0;

	while (n < max && slice_line(&text, &line)) {
		enum line_kind kind = frame_parse(line, &out[n]);

		if (kind == LINE_FRAME || kind == LINE_PC)
			n++;
	}
	return n;
}

struct slice function_base(struct slice function)
{
	static const struct slice suffixes[] = {
		SLICE(".isra."),  SLICE(".constprop."), SLICE(".part."),
		SLICE(".cold"),	  SLICE(".llvm."),	SLICE(".lto_priv."),
		SLICE(".clone."), SLICE(".cfi_jt"),	SLICE(".cfi"),
	};

	/* the code, not the descriptor, of a function of 64-bit PowerPC */
	if (function.len > 1 && *function.p == '.')
		function = slice_from(function, 1);
	if (!function.len || !memchr(function.p, '.', function.len))
		return function;
	for (size_t i = 0; i < ARRAY_LEN(suffixes); i++) {
		const char *p = slice_find(function, suffixes[i]);

		if (p && p > function.p)
			function.len = (size_t)(p - function.p);
	}
	return function;
}
