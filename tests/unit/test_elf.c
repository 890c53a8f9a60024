/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Programs are compiled here, with every address of theirs compared with what
 * addr2line says; the same with random addresses of the shared kernels.
 */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "base/mem.h"
#include "elf/internal.h"

#define CACHE "/tmp/bugon-cache"

static char dir[] = "/tmp/bugon-elf-XXXXXX";

/* Line numbers matter: they are counted from the first line of the string. */
static const char small_c[] =
	"volatile int sink;\n" /* 1 */
	"#define INLINE static inline __attribute__((always_inline))\n"
	"#define NOINLINE __attribute__((noinline, used))\n"
	"INLINE int inner(int x)\n" /* 4 */
	"{\n"
	"	sink += x * 7;\n" /* 6 */
	"	return sink;\n"
	"}\n"
	"INLINE int middle(int x)\n" /* 9 */
	"{\n"
	"	return inner(x + 1) / 3;\n" /* 11 */
	"}\n"
	"NOINLINE int outer(int x)\n" /* 13 */
	"{\n"
	"	sink++;\n" /* 15 */
	"	for (int i = 0; i < x; i++)\n"
	"		sink += middle(i);\n" /* 17 */
	"	return middle(sink) * 5;\n"
	"}\n"
	"NOINLINE int padded(void)\n" /* 20 */
	"{\n"
	"	return sink;\n" /* 22 */
	"}\n"
	"NOINLINE int calls(int x)\n" /* 24 */
	"{\n"
	"	int r = outer(x);\n"
	"	sink = r;\n" /* 27 */
	"	return r + outer(sink);\n"
	"}\n"
	"NOINLINE __attribute__((section(\".init.text\"))) int starts(void)\n"
	"{\n"
	"	return calls(sink) + middle(sink);\n" /* 32 */
	"}\n";

/* Namesakes: of two sizes, and (same) of one size in two files. */
static const char a_c[] =
	"extern volatile int sink;\n"
	"#define NOINLINE static __attribute__((noinline, used))\n"
	"NOINLINE int twin(int x) { return x + sink; }\n" /* 3 */
	"NOINLINE int same(int x) { return x * sink; }\n"
	"int a(int x) { return twin(x) + same(x); }\n";
static const char b_c[] =
	"extern volatile int sink;\n"
	"#define NOINLINE static __attribute__((noinline, used))\n"
	"NOINLINE int same(int x) { return x * sink; }\n"
	"NOINLINE int twin(int x)\n"
	"{\n"
	"	for (int i = 0; i < x; i++)\n" /* 6 */
	"		sink += x / (sink + 1) * 3;\n"
	"	return sink * 11 + x / 3;\n"
	"}\n"
	"int a(int x);\n"
	"int main(int c, char **v) { return a(c) + twin(c) + same(c); }\n";

static void write_file(const char *name, const char *data, size_t len)
{
	_cleanup_(freep) char *path = NULL;

	assert_true(asprintf(&path, "%s/%s", dir, name) > 0);
	FILE *f = fopen(path, "w");
	assert_non_null(f);
	assert_int_equal(fwrite(data, 1, len, f), len);
	assert_int_equal(fclose(f), 0);
}

/* Run a shell command in the test's directory. */
static PRINTF(1, 2) int run(const char *fmt, ...)
{
	char cmd[4096];
	va_list ap;
	int n = snprintf(cmd, sizeof(cmd), "cd %s && ", dir);

	va_start(ap, fmt);
	vsnprintf(cmd + n, sizeof(cmd) - (size_t)n, fmt, ap);
	va_end(ap);
	return system(cmd); // NOLINT(cert-env33-c)
}

static const char *in_dir(const char *name)
{
	static char path[8][512];
	static unsigned turn;
	char *p = path[turn++ % 8];

	snprintf(p, sizeof(path[0]), "%s/%s", dir, name);
	return p;
}

static int setup(void **state)
{
	if (!mkdtemp(dir))
		return -1;
	write_file("small.c", small_c, sizeof(small_c) - 1);
	write_file("a.c", a_c, sizeof(a_c) - 1);
	write_file("b.c", b_c, sizeof(b_c) - 1);
	return run("cc -g -O2 -falign-functions=64 -no-pie -o small small.c "
		   "a.c b.c");
}

static int teardown(void **state)
{
	return run("rm -rf %s", dir);
}

static struct symbols *open_ok(const char *path, const char *modules)
{
	struct symbols *s = NULL;
	struct error *err = symbols_open(path, modules, &s);

	if (err)
		fail_msg("%s", error_message(err));
	return s;
}

static struct image *image_ok(const char *path)
{
	struct image *img = NULL;
	struct error *err = image_open(path, &img);

	if (err)
		fail_msg("%s", error_message(err));
	return img;
}

static const struct sym *sym_of(struct image *img, const char *name)
{
	const struct sym *sym = symtab_find(&img->symtab, slice_cstr(name));

	if (!sym)
		fail_msg("no symbol %s in %s", name, img->path);
	return sym;
}

static struct symbols_query query_of(const struct sym *sym, uint64_t offset)
{
	return (struct symbols_query){
		.func = slice_cstr(sym->name),
		.offset_bytes = offset,
		.size_bytes = sym->end - sym->addr,
		.address = sym->addr + offset,
	};
}

/* --- addr2line --- */

/* One address and its lines as "func\nfile:line\n" pairs. */
struct expected {
	uint64_t addr;
	struct raw_line lines[CHAIN_MAX];
	size_t nr;
};

typedef VEC(struct expected) expected_vec;

static void read_pair(struct expected *e, struct slice func, struct slice place)
{
	struct raw_line *l = &e->lines[e->nr++];
	const char *discr = slice_find(place, SLICE(" (discriminator"));
	if (discr)
		place.len = (size_t)(discr - place.p);
	const char *colon = memrchr(place.p, ':', place.len);
	char *file = xmemdup0(place.p, (size_t)(colon - place.p));

	assert_true(e->nr < CHAIN_MAX);
	path_collapse(file);
	l->func = xmemdup0(func.p, func.len);
	l->file = file;
	l->line = (unsigned)strtoul(colon + 1, NULL, 10);
}

static void free_expected(expected_vec *v)
{
	vec_for_each(v, e)
		for (size_t i = 0; i < e->nr; i++) {
			free((void *)(uintptr_t)e->lines[i].func);
			free((void *)(uintptr_t)e->lines[i].file);
		}
	vec_free(v);
}

/* All addresses through one process: it reads the DWARF again every time. */
static void ask_addr2line(const char *elf, const char *section,
			  const uint64_t *addrs, size_t nr, expected_vec *out)
{
	_cleanup_(buf_deinit) struct buf in = {}, text = {};
	struct slice rest, line, place = {};

	for (size_t i = 0; i < nr; i++)
		buf_printf(&in, "0x%llx\n", (unsigned long long)addrs[i]);
	write_file("addrs", in.data, in.len);
	assert_int_equal(run("addr2line -f -i -a %s -e %s <addrs >lines",
			     section, elf),
			 0);
	assert_null(io_read_file(in_dir("lines"), 1 << 28, &text));
	rest = buf_as_slice(&text);
	while (slice_line(&rest, &line)) {
		if (slice_starts(line, SLICE("0x"))) {
			uint64_t addr = strtoull(line.p, NULL, 16);

			vec_push(out, (struct expected){ .addr = addr });
			continue;
		}
		assert_true(out->len && slice_line(&rest, &place));
		read_pair(&out->data[out->len - 1], line, place);
	}
	assert_int_equal(out->len, nr);
}

/* Is `ours` the end of the collapsed absolute path `full`? */
static bool same_file(const char *ours, const char *full)
{
	size_t n = strlen(ours), m = strlen(full);

	return m >= n && !strcmp(full + m - n, ours) &&
	       (m == n || full[m - n - 1] == '/');
}

static void print_chains(const struct sym *sym, uint64_t offset,
			 struct source_chain c, const struct expected *e)
{
	print_error("%s+0x%llx\n", sym->name, (unsigned long long)offset);
	for (size_t i = 0; i < c.nr; i++)
		print_error("  is  %s %s:%u\n", c.lines[i].func,
			    c.lines[i].file, c.lines[i].line);
	for (size_t i = 0; i < e->nr; i++)
		print_error("  not %s %s:%u\n", e->lines[i].func,
			    e->lines[i].file, e->lines[i].line);
}

/*
 * Deliberate differences: the physical function keeps the symbol's name with
 * its suffix, where addr2line gives the one in the source; line 0 ("?") is no
 * line for us.
 */
static bool same_chain_as(struct source_chain c, const struct expected *e)
{
	size_t skipped = 0;

	for (size_t i = 0; i < e->nr; i++) {
		const struct raw_line *x = &e->lines[i];

		if (!x->line) {
			skipped++;
			continue;
		}
		if (i - skipped >= c.nr)
			return false;
		const struct source_line *l = &c.lines[i - skipped];
		if (l->line != x->line || !same_file(l->file, x->file))
			return false;
		if (l->inlined != (i + 1 < e->nr) ||
		    (l->inlined && strcmp(l->func, x->func) != 0))
			return false;
	}
	return c.nr == e->nr - skipped;
}

struct place {
	const struct sym *sym;
	uint64_t offset;
};

/* Returns how many of the places have a line. */
static size_t compare(struct symbols *s, const char *elf, const char *section,
		      uint64_t bias, struct slice module,
		      const struct place *places, size_t nr)
{
	_cleanup_(free_expected) expected_vec expected = {};
	uint64_t *addrs = xcalloc(nr, sizeof(*addrs));
	size_t nr_found = 0, nr_bad = 0;

	for (size_t i = 0; i < nr; i++)
		addrs[i] = places[i].sym->addr + places[i].offset - bias;
	ask_addr2line(elf, section, addrs, nr, &expected);
	free(addrs);
	for (size_t i = 0; i < nr; i++) {
		struct source_chain c = {};
		struct symbols_query q =
			query_of(places[i].sym, places[i].offset);

		q.module = module;
		if (symbols_lookup(s, &q, &c) == SYMBOLS_FOUND)
			nr_found++;
		if (same_chain_as(c, &expected.data[i]))
			continue;
		if (nr_bad++ < 10)
			print_chains(places[i].sym, places[i].offset, c,
				     &expected.data[i]);
	}
	assert_int_equal(nr_bad, 0);
	return nr_found;
}

/* Every byte of these functions. */
static void compare_functions(struct symbols *s, struct image *img,
			      const char *section, bool is_module,
			      const char *const *names, size_t nr_names)
{
	VEC(struct place) places = {};
	uint64_t bias = 0;

	for (size_t n = 0; n < nr_names; n++) {
		const struct sym *sym = sym_of(img, names[n]);

		for (uint64_t i = 0; i < sym->size; i++)
			vec_push(&places, (struct place){ sym, i });
	}
	/* addr2line counts from the section's begin, libdwfl lays them out. */
	if (is_module)
		bias = sym_of(img, names[0])->addr;
	size_t found = compare(s, img->path, section, bias,
			       is_module ? SLICE("x_mod") : SLICE(""),
			       places.data, places.len);
	/* clang gives some instructions line 0: not everything is found. */
	assert_true(found * 100 >= places.len * 95);
	vec_free(&places);
}

static const char *const variants[] = {
	"cc -gdwarf-4",
	"cc -gdwarf-5",
	"cc -gdwarf-4 -gz",
	"cc -gdwarf-5 -gz",
	"clang -gdwarf-4",
	"clang -gdwarf-5",
	"cc -gdwarf-5 -pie -fpie",
};

static bool have_compiler(const char *variant)
{
	return strncmp(variant, "clang", 5) != 0 ||
	       run("clang --version >/dev/null 2>&1") == 0;
}

static void lines_are_those_of_addr2line(void **state)
{
	static const char *const names[] = { "outer", "calls", "starts",
					     "padded", "main" };

	for (size_t i = 0; i < ARRAY_LEN(variants); i++) {
		if (!have_compiler(variants[i]))
			continue;
		assert_int_equal(
			run("%s -O2 -o v small.c a.c b.c", variants[i]), 0);
		_cleanup_(symbols_closep) struct symbols *s =
			open_ok(in_dir("v"), NULL);
		_cleanup_(image_closep) struct image *img =
			image_ok(in_dir("v"));
		compare_functions(s, img, "", false, names, ARRAY_LEN(names));
	}
}

static void modules_are_relocated(void **state)
{
	static const char *const text[] = { "outer" };
	static const char *const init[] = { "starts" };

	for (size_t i = 0; i < ARRAY_LEN(variants); i++) {
		if (!have_compiler(variants[i]))
			continue;
		assert_int_equal(run("rm -rf m && mkdir -p m/kernel/fs && "
				     "%s -O2 -c -o m/kernel/fs/x-mod.ko "
				     "small.c",
				     variants[i]),
				 0);
		_cleanup_(symbols_closep) struct symbols *s =
			open_ok(in_dir("small"), in_dir("m"));
		_cleanup_(image_closep) struct image *img =
			image_ok(in_dir("m/kernel/fs/x-mod.ko"));
		assert_true(img->symtab.is_relocatable);
		compare_functions(s, img, "-j .text", true, text, 1);
		compare_functions(s, img, "-j .init.text", true, init, 1);
	}
}

/* --- lookups --- */

static void inlined_callers_are_named(void **state)
{
	_cleanup_(symbols_closep) struct symbols *s =
		open_ok(in_dir("small"), NULL);
	_cleanup_(image_closep) struct image *img = image_ok(in_dir("small"));
	const struct sym *sym = sym_of(img, "outer");
	int nr_deep = 0;

	for (uint64_t i = 0; i < sym->size; i++) {
		struct symbols_query q = query_of(sym, i);
		struct source_chain c;

		assert_int_equal(symbols_lookup(s, &q, &c), SYMBOLS_FOUND);
		if (c.nr != 3 || c.lines[0].line != 6)
			continue;
		nr_deep++;
		assert_string_equal(c.lines[0].func, "inner");
		assert_string_equal(c.lines[0].file, "small.c");
		assert_true(c.lines[0].inlined);
		assert_string_equal(c.lines[1].func, "middle");
		assert_int_equal(c.lines[1].line, 11);
		assert_string_equal(c.lines[2].func, "outer");
		assert_true(c.lines[2].line == 17 || c.lines[2].line == 18);
		assert_false(c.lines[2].inlined);
	}
	assert_true(nr_deep > 0);
}

static void namesakes_are_told_apart(void **state)
{
	_cleanup_(symbols_closep) struct symbols *s =
		open_ok(in_dir("small"), NULL);
	_cleanup_(image_closep) struct image *img = image_ok(in_dir("small"));
	const struct sym *one = sym_of(img, "twin");
	const struct sym *two = symtab_find_next(&img->symtab, one);
	struct source_chain c;

	assert_non_null(two);
	assert_true(one->size != two->size &&
		    one->end - one->addr != two->end - two->addr);
	if (one->size > two->size) {
		const struct sym *t = one;
		one = two;
		two = t;
	}
	struct symbols_query q = query_of(one, 1);
	q.address = 0;
	assert_int_equal(symbols_lookup(s, &q, &c), SYMBOLS_FOUND);
	assert_string_equal(c.lines[0].file, "a.c");
	assert_int_equal(c.lines[0].line, 3);
	q.size_bytes = one->size; /* without the padding */
	assert_int_equal(symbols_lookup(s, &q, &c), SYMBOLS_FOUND);
	assert_string_equal(c.lines[0].file, "a.c");
	q.size_bytes = two->end - two->addr;
	assert_int_equal(symbols_lookup(s, &q, &c), SYMBOLS_FOUND);
	assert_string_equal(c.lines[c.nr - 1].file, "b.c");
	q.size_bytes = 0x77777;
	assert_int_equal(symbols_lookup(s, &q, &c), SYMBOLS_MISMATCH);
	q.func = SLICE("nobody");
	assert_int_equal(symbols_lookup(s, &q, &c), SYMBOLS_UNKNOWN);
	struct symbols_stats stats = symbols_stats(s);
	assert_int_equal(stats.nr[SYMBOLS_FOUND], 3);
	assert_int_equal(stats.nr[SYMBOLS_MISMATCH], 1);
	assert_int_equal(stats.nr[SYMBOLS_UNKNOWN], 1);
}

static void doubt_is_not_resolved_by_chance(void **state)
{
	_cleanup_(symbols_closep) struct symbols *s =
		open_ok(in_dir("small"), NULL);
	_cleanup_(image_closep) struct image *img = image_ok(in_dir("small"));
	const struct sym *one = sym_of(img, "same");
	const struct sym *two = symtab_find_next(&img->symtab, one);
	struct source_chain c;

	assert_non_null(two);
	assert_int_equal(one->size, two->size);
	struct symbols_query q = query_of(one, 1);
	q.size_bytes = one->size;
	q.address = 0;
	assert_int_equal(symbols_lookup(s, &q, &c), SYMBOLS_AMBIGUOUS);
	q.address = one->addr + 1;
	assert_int_equal(symbols_lookup(s, &q, &c), SYMBOLS_FOUND);
	_cleanup_(freep) char *first = xstrdup(c.lines[0].file);
	q.address = two->addr + 1;
	assert_int_equal(symbols_lookup(s, &q, &c), SYMBOLS_FOUND);
	assert_string_not_equal(c.lines[0].file, first);
}

static void other_builds_are_noted(void **state)
{
	_cleanup_(symbols_closep) struct symbols *s =
		open_ok(in_dir("small"), NULL);
	_cleanup_(buf_deinit) struct buf out = {}, notes = {};

	symbolize_text(s, SLICE(" outer+0x5/0x77770\n calls+0x6/0x77770\n"),
		       &out);
	symbols_note(s, &notes);
	assert_string_equal(buf_cstr(&notes),
			    "vmlinux is of another build: 2 of 2 frames do "
			    "not match\n");
	symbolize_text(s, SLICE(" f+0x5/0x7 [some_mod]\n"), &out);
	symbols_note(s, &notes);
	assert_non_null(strstr(buf_cstr(&notes),
			       "no module directory given for module "
			       "some_mod\n"));
	assert_string_equal(buf_cstr(&out), " outer+0x5/0x77770\n"
					    " calls+0x6/0x77770\n"
					    " f+0x5/0x7 [some_mod]\n");
}

static void memory_of_answers_is_bounded(void **state)
{
	_cleanup_(symbols_closep) struct symbols *s =
		open_ok(in_dir("small"), NULL);
	_cleanup_(image_closep) struct image *img = image_ok(in_dir("small"));
	const struct sym *sym = sym_of(img, "outer");

	/* More than are kept; the first must be right again at the end. */
	for (uint64_t i = 0; i < 100000; i++) {
		struct symbols_query q = query_of(sym, 1);
		struct source_chain c;

		q.address = i % 70000;
		assert_int_equal(symbols_lookup(s, &q, &c), SYMBOLS_FOUND);
		assert_string_equal(c.lines[c.nr - 1].func, "outer");
	}
}

/* --- text --- */

/* An offset whose own line is not that of the byte before it. */
static uint64_t border(struct symbols *s, const struct sym *sym)
{
	for (uint64_t i = 1; i < sym->size; i++) {
		struct symbols_query q = query_of(sym, i);
		struct source_chain c;
		unsigned exact, before;

		assert_int_equal(symbols_lookup(s, &q, &c), SYMBOLS_FOUND);
		exact = c.lines[c.nr - 1].line;
		q.is_return = true;
		assert_int_equal(symbols_lookup(s, &q, &c), SYMBOLS_FOUND);
		before = c.lines[c.nr - 1].line;
		if (exact == 27 && before == 26)
			return i;
	}
	fail_msg("%s has no such offset", sym->name);
	return 0;
}

/* The text around "%" and whether the address is exact, in calls(). */
static const struct {
	const char *before, *after;
	bool is_exact;
} forms[] = {
	{ " ", "", false },
	{ " ? ", "", false },
	{ "RIP: 0010:", "", true },
	{ "RIP: e030:", " RSP: ffffc90000000000", true },
	{ "RIP: 0010:[<ffffffff81234567>]  [<ffffffff81234567>] ", "", true },
	{ "RIP  [<ffffffff81234567>] ", "", true },
	{ "EIP: ", " EFLAGS: 00010246 CPU: 0", true },
	{ "EIP is at ", "", true },
	{ "IP: [<ffffffff81234567>] ", "", true },
	{ "IP: ", "", true },
	{ "pc : ", "", true },
	{ "lr : ", "", false },
	{ "PC is at ", "", true },
	{ "LR is at ", "", false },
	{ "epc : ", "", true },
	{ "ra : ", "", false },
	{ " ra : ", "", false },
	{ "epc   : 80100200 ", "", true },
	{ "ra    : 80100200 ", "", false },
	{ "   era: 9000000000223344 ", "", true },
	{ "    ra: 9000000000223344 ", "", false },
	{ "NIP [c000000000012345] ", "", true },
	{ "LR [c000000000012345] ", "", false },
	{ "[c000000003a4b7c0] [c000000000012345] ", " (unreliable)", false },
	{ "[<c0101234>] (dump_stack) from [<c0105678>] (", ")", false },
	{ "TPC: <", ">", true },
	{ "BUG: KASAN: slab-use-after-free in ", "", false },
	{ "BUG: KASAN: use-after-free in ", " at addr ffff8801c5b6c110",
	  false },
	{ "WARNING: CPU: 0 PID: 1 at fs/x.c:12 ", "", true },
	{ "WARNING: CPU: 0 PID: 1 at fs/x.c:12 ", "()", true },
	{ "WARNING: fs/x.c:12 at ", ", CPU#1: syz.0.1/33", true },
	{ "NMI backtrace for cpu 1 skipped: idling at ", "", true },
	{ "caller is ", "", false },
	{ " #0: ffff8880123 (&f->f_pos_lock){+.+.}-{3:3}, at: ", "", false },
	{ "[   12.345678][ T1234]  ", "", false },
	{ "[   12.345678][ T1234] RIP: 0010:", "", true },
	{ "[   12.345678] pc : ", "", true },
	{ "<4>[   12.345678]  [<ffffffff81234567>] ? ", "", false },
	{ " ", "\r", false },
};

static void forms_are_known(void **state)
{
	_cleanup_(symbols_closep) struct symbols *s =
		open_ok(in_dir("small"), NULL);
	_cleanup_(image_closep) struct image *img = image_ok(in_dir("small"));
	const struct sym *sym = sym_of(img, "calls");
	uint64_t at = border(s, sym);
	char token[128];

	snprintf(token, sizeof(token), "calls+0x%llx/0x%llx",
		 (unsigned long long)at,
		 (unsigned long long)(sym->end - sym->addr));
	for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
		_cleanup_(buf_deinit) struct buf in = {}, want = {}, out = {},
						 again = {};

		buf_printf(&in, "%s%s%s", forms[i].before, token,
			   forms[i].after);
		buf_printf(&want, "%s%s small.c:%d%s", forms[i].before, token,
			   forms[i].is_exact ? 27 : 26, forms[i].after);
		symbolize_text(s, buf_as_slice(&in), &out);
		assert_string_equal(buf_cstr(&out), want.data);
		symbolize_text(s, buf_as_slice(&out), &again);
		assert_string_equal(buf_cstr(&again), want.data);
	}
}

static void inline_lines_repeat_what_surrounds_them(void **state)
{
	_cleanup_(symbols_closep) struct symbols *s =
		open_ok(in_dir("small"), NULL);
	_cleanup_(image_closep) struct image *img = image_ok(in_dir("small"));
	const struct sym *sym = sym_of(img, "outer");
	unsigned long long at = 0, size = sym->end - sym->addr;
	unsigned line = 0;

	for (uint64_t i = 1; i < sym->size && !at; i++) {
		struct symbols_query q = query_of(sym, i);
		struct source_chain c;

		q.is_return = true;
		if (symbols_lookup(s, &q, &c) == SYMBOLS_FOUND && c.nr == 3 &&
		    c.lines[0].line == 6) {
			at = i;
			line = c.lines[2].line;
		}
	}
	assert_true(at > 0);
	_cleanup_(buf_deinit) struct buf in = {}, want = {}, out = {};
	buf_printf(&in,
		   "[    1.5][  T9] BUG: KASAN: double-free in "
		   "outer+0x%llx/0x%llx\n"
		   " ? outer+0x%llx/0x%llx\n",
		   at, size, at, size);
	buf_printf(&want,
		   "[    1.5][  T9] BUG: KASAN: double-free in inner "
		   "small.c:6 [inline]\n"
		   "[    1.5][  T9] BUG: KASAN: double-free in middle "
		   "small.c:11 [inline]\n"
		   "[    1.5][  T9] BUG: KASAN: double-free in "
		   "outer+0x%llx/0x%llx small.c:%u\n"
		   " ? outer+0x%llx/0x%llx small.c:%u\n",
		   at, size, line, at, size, line);
	symbolize_text(s, buf_as_slice(&in), &out);
	assert_string_equal(buf_cstr(&out), want.data);
}

static void module_frames_keep_their_module(void **state)
{
	assert_int_equal(run("rm -rf m && mkdir m m/b && ln -s .. m/loop && "
			     "cc -O2 -c -o m/x_mod.ko small.c && "
			     "cc -g -O2 -c -o m/b/x-mod.ko.debug small.c && "
			     "echo junk >m/bad.ko"),
			 0);
	_cleanup_(symbols_closep) struct symbols *s =
		open_ok(in_dir("small"), in_dir("m"));
	_cleanup_(image_closep) struct image *img =
		image_ok(in_dir("m/b/x-mod.ko.debug"));
	const struct sym *sym = sym_of(img, "padded");
	unsigned long long size = sym->end - sym->addr;
	_cleanup_(buf_deinit) struct buf in = {}, want = {}, out = {},
					 notes = {};

	buf_printf(&in,
		   " padded+0x1/0x%llx [x_mod]\n"
		   " padded+0x1/0x%llx [x_mod 1234abcd]\n"
		   " padded+0x1/0x%llx [bad]\n padded+0x1/0x%llx [absent]\n",
		   size, size, size, size);
	buf_printf(&want,
		   " padded+0x1/0x%llx small.c:22 [x_mod]\n"
		   " padded+0x1/0x%llx small.c:22 [x_mod 1234abcd]\n"
		   " padded+0x1/0x%llx [bad]\n padded+0x1/0x%llx [absent]\n",
		   size, size, size, size);
	symbolize_text(s, buf_as_slice(&in), &out);
	assert_string_equal(buf_cstr(&out), want.data);
	symbols_note(s, &notes);
	assert_non_null(strstr(notes.data, "module bad: "));
	assert_non_null(strstr(notes.data, "no debug file for module absent"));
	buf_consume(&in, in.len);
	symbolize_text(s, buf_as_slice(&out), &in); /* again: no change */
	assert_string_equal(buf_cstr(&in), want.data);
}

static void other_text_is_left_alone(void **state)
{
	static const char *const texts[] = {
		"",
		"\n",
		"\n\n",
		"no newline",
		" +0x1/0x2\n",
		" outer+0x/0x\n",
		" outer+0x1\n",
		" outer+0x1/0x\n",
		" outer+0x1/0x2g\n",
		" outer+0x11111111111111111/0x1\n",
		" 9outer+0x1/0x2\n",
		"+0x",
		"+0x+0x+0x1/0x",
		" outer fs/x.c:12 [inline]\n",
		" outer+0x1/0x40 fs/x.c:12\n",
		" outer+0x1/0x40 (fs/x.c:12) mod\n",
		" outer+0x1/0x40 [x_mod] fs/x.c:12\n",
	};
	_cleanup_(symbols_closep) struct symbols *s =
		open_ok(in_dir("small"), NULL);

	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		_cleanup_(buf_deinit) struct buf out = {};

		symbolize_text(s, slice_cstr(texts[i]), &out);
		assert_string_equal(buf_cstr(&out), texts[i]);
	}
}

/* A line of megabytes must cost what its bytes cost. */
static void long_lines_take_linear_time(void **state)
{
	_cleanup_(symbols_closep) struct symbols *s =
		open_ok(in_dir("small"), NULL);
	_cleanup_(buf_deinit) struct buf in = {}, out = {};
	alarm(20);

	for (int i = 0; i < 500000; i++)
		buf_str(&in, i & 1 ? "outer+0x1/0x2 " : "[<a+0x+0x1/0x1 ");
	symbolize_text(s, buf_as_slice(&in), &out);
	assert_true(out.len == in.len);
	buf_consume(&in, in.len);
	for (int i = 0; i < 4000000; i++)
		buf_char(&in, 'a');
	buf_str(&in, "+0x1/0x2");
	buf_consume(&out, out.len);
	symbolize_text(s, buf_as_slice(&in), &out);
	assert_true(out.len == in.len);
	alarm(0);
}

static void paths_collapse(void **state)
{
	static const char *const pairs[][2] = {
		{ "/a/./b//c", "/a/b/c" },
		{ "/a/b/../c", "/a/c" },
		{ "./x.c", "x.c" },
		{ "../x.c", "../x.c" },
		{ "../../x.c", "../../x.c" },
		{ "a/../../x.c", "../x.c" },
		{ "/../x", "/x" },
		{ "", "" },
		{ "/", "/" },
		{ "a/..", "" },
		{ "/a/..", "/" },
		{ "a/b/", "a/b" },
		{ "..a/..", "" },
		{ "/a.../b", "/a.../b" },
	};
	static const char *const dirs[] = { "/src", "/src/build/", NULL };

	for (size_t i = 0; i < ARRAY_LEN(pairs); i++) {
		_cleanup_(freep) char *path = xstrdup(pairs[i][0]);

		path_collapse(path);
		assert_string_equal(path, pairs[i][1]);
	}
	assert_string_equal(path_strip("/src/mm/x.c", dirs, 3), "mm/x.c");
	assert_string_equal(path_strip("/src/build/inc/x.h", dirs, 3),
			    "inc/x.h");
	assert_string_equal(path_strip("/srcs/x.c", dirs, 3), "/srcs/x.c");
}

/* --- bad files --- */

static void assert_bad(const char *path, enum error_kind kind, const char *what)
{
	struct symbols *s = NULL;
	struct error *err = symbols_open(path, NULL, &s);

	assert_non_null(err);
	assert_int_equal(error_kind(err), kind);
	if (!strstr(error_message(err), path) ||
	    !strstr(error_message(err), what))
		fail_msg("%s: not \"%s\"", error_message(err), what);
	assert_null(s);
	error_free(err);
}

static void bad_kernels_are_explained(void **state)
{
	struct symbols *s = NULL;

	assert_int_equal(run("rm -rf bad && mkdir bad && : >bad/empty && "
			     "echo text >bad/text && "
			     "cc -O2 -o bad/nodebug small.c a.c b.c && "
			     "strip -o bad/stripped small && "
			     "strip --strip-all --keep-section=.debug_* "
			     "-o bad/nosyms small && "
			     "head -c 40 small >bad/header && "
			     "head -c 9000 small >bad/half"),
			 0);
	assert_bad(in_dir("bad/none"), ERR_NOT_FOUND, "no such file");
	assert_bad(in_dir("bad"), ERR_INPUT, "is a directory");
	assert_bad("/dev/null", ERR_INPUT, "not a regular file");
	assert_bad(in_dir("bad/empty"), ERR_INPUT, "is empty");
	assert_bad(in_dir("bad/text"), ERR_INPUT, "is not an ELF file");
	assert_bad(in_dir("bad/nodebug"), ERR_INPUT, "no debug information");
	assert_bad(in_dir("bad/stripped"), ERR_INPUT, "no debug information");
	assert_bad(in_dir("bad/header"), ERR_INPUT, "");
	assert_bad(in_dir("bad/half"), ERR_INPUT, "is truncated");
	struct error *err = symbols_open(in_dir("small"), in_dir("none"), &s);
	assert_int_equal(error_kind(err), ERR_NOT_FOUND);
	error_free(err);
	err = symbols_open(in_dir("small"), in_dir("small"), &s);
	assert_int_equal(error_kind(err), ERR_INPUT);
	error_free(err);
}

static void try_everything(const char *path, struct image *good)
{
	static const char *const names[] = { "outer", "calls", "main", "twin" };
	struct symbols *s = NULL;
	struct error *err = symbols_open(path, NULL, &s);

	error_free(err);
	if (!s)
		return;
	for (size_t n = 0; n < ARRAY_LEN(names); n++) {
		const struct sym *sym = sym_of(good, names[n]);

		for (uint64_t i = 0; i < sym->size; i += 3) {
			struct symbols_query q = query_of(sym, i);
			struct source_chain c = {};

			symbols_lookup(s, &q, &c);
			for (size_t k = 0; k < c.nr; k++)
				assert_true(c.lines[k].file && c.lines[k].func);
		}
	}
	symbols_close(s);
}

/* No lie of the file brings us down; what comes out does not matter. */
static void damaged_kernels_are_survived(void **state)
{
	_cleanup_(image_closep) struct image *img = image_ok(in_dir("small"));
	_cleanup_(buf_deinit) struct buf elf = {};
	unsigned seed = 1;

	assert_null(io_read_file(in_dir("small"), 1 << 24, &elf));
	for (size_t n = 0; n < elf.len; n += elf.len / 61) {
		write_file("cut", elf.data, n);
		try_everything(in_dir("cut"), img);
	}
	for (int i = 0; i < 300; i++) {
		_cleanup_(freep) char *bad = xmemdup0(elf.data, elf.len);

		for (int k = 0; k < 8; k++)
			bad[(size_t)rand_r(&seed) % elf.len] =
				(char)rand_r(&seed);
		write_file("cut", bad, elf.len);
		try_everything(in_dir("cut"), img);
	}
}

/* --- the shared kernels --- */

/* Unpack once per machine, for everybody. */
static const char *kernel(const char *name, const char *file)
{
	static char path[512];
	const char *root = getenv("ROOT");

	snprintf(path, sizeof(path), CACHE "/%s/%s", name, file);
	if (access(path, R_OK) == 0)
		return path;
	if (!root ||
	    run("test -r %s/../shared/kernel/%s/%s.xz", root, name, file) != 0)
		return NULL;
	int failed = run("mkdir -p " CACHE "/%s && cd " CACHE "/%s && "
			 "t=$(mktemp) && xz -dc %s/../shared/kernel/%s/%s.xz "
			 ">$t && mv $t %s",
			 name, name, root, name, file, file);
	return failed ? NULL : path;
}

static void compare_random(const char *path, size_t nr, unsigned seed)
{
	_cleanup_(symbols_closep) struct symbols *s = open_ok(path, NULL);
	_cleanup_(image_closep) struct image *img = image_ok(path);
	VEC(struct place) places = {};

	while (places.len < nr) {
		const struct sym *sym =
			&img->symtab.syms[(unsigned)rand_r(&seed) %
					  img->symtab.nr];

		/*
		 * Static call slots have no line for anybody, nor have gcc's
		 * constructors: there addr2line gives that of the function
		 * before, and we give none.
		 */
		if (sym->size < 2 || !strncmp(sym->name, "__SC", 4) ||
		    !strncmp(sym->name, "_sub_", 5))
			continue;
		vec_push(&places, (struct place){ sym, (unsigned)rand_r(&seed) %
							       sym->size });
	}
	size_t found = compare(s, path, "", 0, SLICE(""), places.data, nr);
	vec_free(&places);
	assert_true(found * 100 >= nr * 97);
}

static void x86_kernel_is_as_addr2line_says(void **state)
{
	const char *path = kernel("x86-6.12", "vmlinux");

	if (!path)
		skip();
	compare_random(path, 600, 11);
}

static void uml_kernel_is_as_addr2line_says(void **state)
{
	const char *path = kernel("uml-6.17", "linux");

	if (!path)
		skip();
	compare_random(path, 400, 12);
}

static void assert_symbolized(const char *path, const char *in,
			      const char *want)
{
	_cleanup_(symbols_closep) struct symbols *s = open_ok(path, NULL);
	_cleanup_(buf_deinit) struct buf out = {}, again = {}, notes = {};

	symbolize_text(s, slice_cstr(in), &out);
	assert_string_equal(buf_cstr(&out), want);
	symbolize_text(s, buf_as_slice(&out), &again);
	assert_string_equal(buf_cstr(&again), want);
	symbols_note(s, &notes);
	assert_string_equal(buf_cstr(&notes), "");
}

/* Printed by these kernels when they were booted without a root. */
static void real_panics_are_symbolized(void **state)
{
	const char *path = kernel("x86-6.12", "vmlinux");

	if (!path)
		skip();
	assert_symbolized(
		path,
		"[    3.411798]  <TASK>\n"
		"[    3.412265]  dump_stack_lvl+0x3e/0xe0\n"
		"[    3.414848]  panic+0x5ff/0x6e0\n"
		"[    3.415267]  ? crash_smp_send_stop+0x70/0x70\n"
		"[    3.416014]  ? vprintk_emit+0x21b/0x490\n"
		"[    3.416561]  mount_root_generic+0x544/0x730\n"
		"[    3.417486]  mount_root+0x398/0x440\n"
		"[    3.422726]  ret_from_fork_asm+0x11/0x20\n",
		"[    3.411798]  <TASK>\n"
		"[    3.412265]  __dump_stack lib/dump_stack.c:97 [inline]\n"
		"[    3.412265]  dump_stack_lvl+0x3e/0xe0 lib/dump_stack.c:123\n"
		"[    3.414848]  panic+0x5ff/0x6e0 kernel/panic.c:407\n"
		"[    3.415267]  ? crash_smp_send_stop+0x70/0x70\n"
		"[    3.416014]  ? vprintk_emit+0x21b/0x490 "
		"kernel/printk/printk.c:2405\n"
		"[    3.416561]  mount_root_generic+0x544/0x730 "
		"init/do_mounts.c:236\n"
		"[    3.417486]  mount_block_root init/do_mounts.c:380 "
		"[inline]\n"
		"[    3.417486]  mount_root+0x398/0x440 init/do_mounts.c:407\n"
		"[    3.422726]  ret_from_fork_asm+0x11/0x20 "
		"arch/x86/entry/entry_64.S:244\n");
	path = kernel("uml-6.17", "linux");
	if (!path)
		skip();
	assert_symbolized(
		path,
		"[    0.130000]  [<600ea784>] dump_stack_lvl+0x6a/0xe8\n"
		"[    0.130000]  [<602f1580>] ? "
		"__sanitizer_cov_trace_const_cmp1+0x0/0x30\n"
		"[    0.130000]  [<617d17b9>] kernel_init+0x39/0x270\n",
		"[    0.130000]  [<600ea784>] __dump_stack "
		"lib/dump_stack.c:94 [inline]\n"
		"[    0.130000]  [<600ea784>] dump_stack_lvl+0x6a/0xe8 "
		"lib/dump_stack.c:120\n"
		"[    0.130000]  [<602f1580>] ? "
		"__sanitizer_cov_trace_const_cmp1+0x0/0x30 kernel/kcov.c:300\n"
		"[    0.130000]  [<617d17b9>] kernel_init+0x39/0x270 "
		"init/main.c:1481\n");
}

/* Reports that are symbolized already do not change, by any kernel. */
static void seeds_stay_as_they_are(void **state)
{
	static const char *const seeds[] = {
		"000_b1111e6ce04e7411",
		"001_815cbb66994c651d",
		"002_0a9f6a3f40b07405",
		"003_60fd9b48e4efae2d",
	};
	const char *path = kernel("x86-6.12", "vmlinux");

	if (!path || !getenv("ROOT"))
		skip();
	_cleanup_(symbols_closep) struct symbols *s = open_ok(path, NULL);
	for (size_t i = 0; i < ARRAY_LEN(seeds); i++) {
		_cleanup_(buf_deinit) struct buf in = {}, out = {};
		char file[512];

		snprintf(file, sizeof(file), "%s/../shared/seeds/%s.txt",
			 getenv("ROOT"), seeds[i]);
		if (access(file, R_OK) != 0)
			skip();
		assert_null(io_read_file(file, 1 << 24, &in));
		symbolize_text(s, buf_as_slice(&in), &out);
		assert_string_equal(buf_cstr(&out), buf_cstr(&in));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(paths_collapse),
		cmocka_unit_test(lines_are_those_of_addr2line),
		cmocka_unit_test(modules_are_relocated),
		cmocka_unit_test(inlined_callers_are_named),
		cmocka_unit_test(namesakes_are_told_apart),
		cmocka_unit_test(doubt_is_not_resolved_by_chance),
		cmocka_unit_test(other_builds_are_noted),
		cmocka_unit_test(memory_of_answers_is_bounded),
		cmocka_unit_test(forms_are_known),
		cmocka_unit_test(inline_lines_repeat_what_surrounds_them),
		cmocka_unit_test(module_frames_keep_their_module),
		cmocka_unit_test(other_text_is_left_alone),
		cmocka_unit_test(long_lines_take_linear_time),
		cmocka_unit_test(bad_kernels_are_explained),
		cmocka_unit_test(damaged_kernels_are_survived),
		cmocka_unit_test(x86_kernel_is_as_addr2line_says),
		cmocka_unit_test(uml_kernel_is_as_addr2line_says),
		cmocka_unit_test(real_panics_are_symbolized),
		cmocka_unit_test(seeds_stay_as_they_are),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
