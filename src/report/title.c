/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "report/title.h"

#include <ctype.h>
#include <stdlib.h>

#include "base/buf.h"
#include "report/demangle.h"
#include "report/frame_pick.h"
#include "report/normal.h"

const char *report_type_name(enum report_type type)
{
	static const char *const names[] = {
#define TYPE(name, text) text,
#include "report/types.def"
#undef TYPE
	};
	return names[type];
}

/* Names of one function: the title's, then those it has elsewhere. */
struct names {
	const char *name[4];
	size_t nr;
};

static void add_name(struct names *n, const char *name)
{
	if (n->nr < ARRAY_LEN(n->name))
		n->name[n->nr++] = name;
}

/* System call entries have other prefixes on other architectures. */
static bool syscall_names(struct arena *arena, struct slice f, struct names *n)
{
	static const struct {
		struct slice prefix;
		const char *first, *other; /* NULL: none */
	} prefixes[] = {
		{ SLICE("__x64_sys_"), "sys_", NULL },
		{ SLICE("__ia32_sys_"), "sys_", NULL },
		{ SLICE("__arm64_sys_"), "sys_", NULL },
		{ SLICE("__riscv_sys_"), "sys_", NULL },
		{ SLICE("__s390x_sys_"), "sys_", NULL },
		{ SLICE("__ia32_compat_sys_"), "", NULL },
		{ SLICE("__x64_compat_sys_"), "", NULL },
		{ SLICE("__arm64_compat_sys_"), "", NULL },
		{ SLICE("__se_compat_sys_"), "", NULL },
		{ SLICE("__do_compat_sys_"), "", NULL },
		{ SLICE("__se_sys_"), "", "sys_" },
		{ SLICE("__do_sys_"), "", "sys_" },
		{ SLICE("compat_SyS_"), "", NULL },
		{ SLICE("compat_sys_"), "", NULL },
		{ SLICE("SyS_"), "", NULL },
		{ SLICE("SYSC_"), "", NULL },
		{ SLICE("ksys_"), "", NULL },
	};

	for (size_t i = 0; i < ARRAY_LEN(prefixes); i++) {
		if (!slice_starts(f, prefixes[i].prefix))
			continue;
		struct slice rest = slice_from(f, prefixes[i].prefix.len);
		if (!rest.len)
			return false;
		add_name(n, arena_printf(arena, "%s" SLICE_FMT,
					 prefixes[i].first, SLICE_ARG(rest)));
		add_name(n, arena_strndup(arena, f.p, f.len));
		if (prefixes[i].other)
			add_name(n, arena_printf(arena, "%s" SLICE_FMT,
						 prefixes[i].other,
						 SLICE_ARG(rest)));
		return true;
	}
	return false;
}

/* Functions that are one place to look at under several names. */
static const char *family(struct slice f)
{
	static const struct {
		struct slice prefix;
		const char *name;
	} families[] = {
		{ SLICE("smp_call_function_"), "smp_call_function" },
		{ SLICE("synchronize_rcu_"), "synchronize_rcu" },
		{ SLICE("synchronize_sched"), "synchronize_rcu" },
	};

	for (size_t i = 0; i < ARRAY_LEN(families); i++)
		if (slice_starts(f, families[i].prefix))
			return families[i].name;
	return NULL;
}

/* "bpf_prog_0123456789abcdef_name": the tag is a hash of the program. */
static const char *bpf_program(struct arena *arena, struct slice f)
{
	const size_t start = strlen("bpf_prog_"), end = start + 16;

	if (!slice_starts(f, SLICE("bpf_prog_")) || f.len < end)
		return NULL;
	for (size_t i = start; i < end; i++)
		if (!isxdigit((unsigned char)f.p[i]))
			return NULL;
	return arena_printf(arena, "bpf_prog_ADDR" SLICE_FMT,
			    SLICE_ARG(slice_from(f, end)));
}

static struct names names_of(struct arena *arena, struct slice f)
{
	struct names n = { .nr = 0 };
	const char *common = family(f);
	const char *plain = demangle(arena, f);
	const char *program = bpf_program(arena, f);

	if (common) {
		add_name(&n, common);
		add_name(&n, arena_strndup(arena, f.p, f.len));
	} else if (program) {
		add_name(&n, program);
	} else if (plain) {
		add_name(&n, plain);
	} else if (!syscall_names(arena, f, &n)) {
		add_name(&n, arena_strndup(arena, f.p, f.len));
	}
	return n;
}

/* Put the captures and the frame into a title. */
static const char *fill(struct arena *arena, const char *form,
			const struct match *m, const char *frame)
{
	_cleanup_(buf_deinit) struct buf out = {};

	while (*form) {
		const char *close = *form == '{' ? strchr(form, '}') : NULL;

		if (!close) {
			buf_char(&out, *form++);
			continue;
		}
		char name[32];
		size_t len = (size_t)(close - form - 1);
		if (len >= sizeof(name))
			abort();
		memcpy(name, form + 1, len);
		name[len] = '\0';
		if (!strcmp(name, "frame"))
			buf_str(&out, frame);
		else
			normal_append(&out, match_get(m, name));
		form = close + 1;
	}
	return normal_title(arena, buf_as_slice(&out));
}

static int compare_strings(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void add_alt(struct report *out, const char *alt)
{
	if (out->nr_alts == REPORT_MAX_ALTS || !strcmp(alt, out->title))
		return;
	for (size_t i = 0; i < out->nr_alts; i++)
		if (!strcmp(out->alts[i], alt))
			return;
	out->alts[out->nr_alts++] = alt;
}

static void make_titles(struct arena *arena, const struct format *f,
			const struct match *m, const struct names *names,
			struct report *out)
{
	out->title = fill(arena, f->title, m, names->name[0]);
	out->frame = names->name[0];
	for (size_t i = 0; i < names->nr; i++) {
		const char *alts = f->alts;

		if (i)
			add_alt(out, fill(arena, f->title, m, names->name[i]));
		while (alts && *alts) {
			size_t len = strcspn(alts, "|");
			char *one = arena_strndup(arena, alts, len);

			add_alt(out, fill(arena, one, m, names->name[i]));
			alts += len + (alts[len] == '|');
		}
	}
	qsort(out->alts, out->nr_alts, sizeof(out->alts[0]), compare_strings);
}

/* The detail line of a format; true when there is none to find. */
static bool find_detail(const struct body *b, const struct format *f,
			struct match *m)
{
	size_t last = f->flags & F_NEXT_LINE ? b->header + 1 : b->nr_lines - 1;

	if (!f->detail)
		return true;
	for (size_t i = b->header + 1; i <= last && i < b->nr_lines; i++) {
		struct slice line = b->lines[i].text;

		if (*f->detail != ' ')
			line = slice_trim(line);
		if (match_line(f->detail, line, m))
			return true;
	}
	return false;
}

/* The row that fits; *broken when a more telling one lacks its detail. */
static const struct format *find_format(const struct body *b, struct match *m,
					bool *broken)
{
	*broken = false;
	for (const struct format *f = b->hit.format; f < formats + nr_formats;
	     f++) {
		m->nr = 0;
		if (!format_matches(f, &b->hit, m))
			continue;
		if (find_detail(b, f, m)) {
			*broken &= (f->flags & F_CATCH_ALL) != 0;
			return f;
		}
		*broken = true;
	}
	return NULL;
}

/* KASAN, KFENCE, KMSAN: the type follows from what was done to the memory. */
static enum report_type access_type(const struct format *f,
				    const struct match *m)
{
	struct slice kind = match_get(m, "kind");
	struct slice access = match_get(m, "access");
	bool write = access.len && tolower((unsigned char)*access.p) == 'w';
	bool read = slice_eq(access, SLICE("read"));
	bool uaf = slice_has(kind, SLICE("use-after-free"));

	switch (f->type) {
	case REPORT_KASAN_UNKNOWN:
		if (slice_has(kind, SLICE("null-ptr-deref")))
			return write ? REPORT_KASAN_NULL_WRITE :
				       REPORT_KASAN_NULL_READ;
		if (uaf)
			return write ? REPORT_KASAN_UAF_WRITE :
				       REPORT_KASAN_UAF_READ;
		/* "Read" also where that line is lost: syzbot does the same. */
		return write ? REPORT_KASAN_WRITE : REPORT_KASAN_READ;
	case REPORT_KFENCE_UNKNOWN:
		if (!read && !write)
			return REPORT_KFENCE_UNKNOWN;
		if (strstr(f->line, "use-after-free"))
			return write ? REPORT_KFENCE_UAF_WRITE :
				       REPORT_KFENCE_UAF_READ;
		return write ? REPORT_KFENCE_WRITE : REPORT_KFENCE_READ;
	case REPORT_KMSAN_UNKNOWN:
		if (slice_has(kind, SLICE("uninit-value")))
			return REPORT_KMSAN_UNINIT;
		if (slice_has(kind, SLICE("infoleak")))
			return REPORT_KMSAN_LEAK;
		return uaf ? REPORT_KMSAN_UAF : REPORT_KMSAN_UNKNOWN;
	default:
		return f->type;
	}
}

/* Why the report cannot be trusted, judged by its call trace; NULL: it can. */
static const char *check_trace(const struct body *b)
{
	bool marker = false, stack = false;

	for (size_t i = b->header + 1; i < b->nr_lines; i++) {
		switch (b->lines[i].kind) {
		case LINE_TRACE:
			if (marker && !stack)
				return "the call trace is empty";
			marker = true;
			break;
		case LINE_FRAME:
			if (!b->lines[i].frame.is_guess)
				stack = true;
			break;
		default:
			break;
		}
	}
	if (!stack)
		return marker ? "the call trace is empty" : "no call trace";
	return NULL;
}

/*
 * Without callers in the prefixes the lines of two CPUs may alternate.  These
 * messages are never part of a report and come with a stack of their own.
 */
static bool is_foreign(struct slice line)
{
	return slice_has(line, SLICE("FAULT_INJECTION: forcing a failure")) ||
	       slice_has(line, SLICE("allocation failure:"));
}

/* Cut the body where a foreign report begins before its own trace ends. */
static void cut_foreign(struct body *b)
{
	for (size_t i = 0; i < b->header && !b->foreign; i++)
		b->foreign = is_foreign(b->lines[i].text);
	if (b->foreign) {
		b->nr_lines = b->header + 1;
		return;
	}
	for (size_t i = b->header + 1; i < b->nr_lines; i++) {
		struct slice t = slice_trim(b->lines[i].text);

		if (slice_starts(t, SLICE("---[ end trace")) ||
		    slice_starts(t, SLICE("entry_SYSCALL")) ||
		    slice_starts(t, SLICE("ret_from_fork")))
			return;
		if (is_foreign(t)) {
			b->foreign = true;
			b->nr_lines = i;
			return;
		}
	}
}

/* The two functions of a race in one order, whichever was printed first. */
static struct slice sort_pair(struct match *m)
{
	struct slice a = function_base(match_get(m, "a"));
	struct slice b = function_base(match_get(m, "b"));
	size_t n = a.len < b.len ? a.len : b.len;
	int order = memcmp(a.p, b.p, n);

	if (order > 0 || (!order && a.len > b.len)) {
		struct slice t = a;

		a = b;
		b = t;
	}
	match_set(m, "a", a);
	match_set(m, "b", b);
	return a;
}

void title_make(struct arena *arena, const struct body *whole,
		struct report *out)
{
	struct body cut = *whole, *body = &cut;

	if (!body->has_callers)
		cut_foreign(&cut);

	_cleanup_(buf_deinit) struct buf why = {};
	struct match m;
	bool broken;
	/* What stood in front says nothing about the lines that follow. */
	bool in_front = cut.foreign && cut.nr_lines == cut.header + 1;
	const struct format *f =
		find_format(in_front ? whole : body, &m, &broken);

	if (!f) {
		/* Only tentative formats have no catch-all behind them. */
		f = body->hit.format;
		m.nr = 0;
		(void)format_matches(f, &body->hit, &m);
	}
	buf_printf(&why, "line \"" SLICE_FMT "\"\nformat %s\nmeaning %s\n",
		   (int)(body->hit.at.len < 200 ? body->hit.at.len : 200),
		   body->hit.at.p, f->id, f->doc);
	struct slice frame = frame_pick(body, f, &m, &why);
	struct names names = { .name = { "" }, .nr = 1 };
	bool wants_frame = strstr(f->title, "{frame}") != NULL;
	if (frame.len) {
		names = names_of(arena, frame);
		buf_printf(&why, "frame " SLICE_FMT "\n", SLICE_ARG(frame));
	} else if (wants_frame) {
		names.name[0] = "corrupted";
		out->corrupted = body->foreign ?
					 "lines of another CPU are mixed in" :
					 "no frame to blame";
	}
	if (f->from == FROM_PAIR) {
		struct slice first = sort_pair(&m);

		names.name[0] = arena_strndup(arena, first.p, first.len);
	}
	out->type = access_type(f, &m);
	make_titles(arena, f, &m, &names, out);
	if (out->corrupted)
		;
	else if (broken || f->flags & F_BROKEN)
		out->corrupted = "the body of the report is missing";
	else if (body->interrupted && f->flags & F_RULED)
		out->corrupted = "another report interrupts it";
	else if (!(f->flags & F_NO_TRACE))
		out->corrupted = check_trace(body);
	out->explanation = arena_strndup(arena, why.data, why.len);
}
