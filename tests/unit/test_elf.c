/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Programs are compiled here, with every address of theirs compared with what
 * addr2line says; the same with random addresses of the shared kernels.
 */
#include "elf_fixture.h"

/* --- addr2line --- */

/* One address and its lines as "func\nfile:line\n" pairs. */
struct expected {
	uint64_t addr;
	struct source_line lines[CHAIN_MAX];
	size_t nr;
};

typedef VEC(struct expected) expected_vec;

static void read_pair(struct expected *e, struct slice func, struct slice place)
{
	struct source_line *l = &e->lines[e->nr++];
	const char *discr = slice_find(place, SLICE(" (discriminator"));
	if (discr)
		place.len = (size_t)(discr - place.p);
	const char *colon = memrchr(place.p, ':', place.len);
	char *file = mem_dup0(place.p, (size_t)(colon - place.p));

	assert_true(e->nr < CHAIN_MAX);
	path_collapse(file);
	l->func = mem_dup0(func.p, func.len);
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
		const struct source_line *x = &e->lines[i];

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
	uint64_t *addrs = mem_calloc(nr, sizeof(*addrs));
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

static void addresses_are_named(void **state)
{
	_cleanup_(buf_deinit) struct buf out = {};
	char want[64];

	assert_int_equal(run("gcc -g -O2 -o v small.c a.c b.c"), 0);
	_cleanup_(symbols_closep) struct symbols *s =
		open_ok(in_dir("v"), NULL);
	_cleanup_(image_closep) struct image *img = image_ok(in_dir("v"));
	const struct sym *sym = sym_of(img, "outer");

	assert_true(symbols_name(s, sym->addr, &out));
	buf_char(&out, ' ');
	assert_true(symbols_name(s, sym->end - 1, &out));
	snprintf(want, sizeof(want), "outer+0x0/0x%llx outer+0x%llx/0x%llx",
		 (unsigned long long)(sym->end - sym->addr),
		 (unsigned long long)(sym->end - sym->addr - 1),
		 (unsigned long long)(sym->end - sym->addr));
	assert_string_equal(buf_cstr(&out), want);
	assert_false(symbols_name(s, 0, &out));
	assert_false(symbols_name(s, UINT64_MAX, &out));
	assert_string_equal(buf_cstr(&out), want);
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
	_cleanup_(freep) char *first = mem_strdup(c.lines[0].file);
	q.address = two->addr + 1;
	assert_int_equal(symbols_lookup(s, &q, &c), SYMBOLS_FOUND);
	assert_string_not_equal(c.lines[0].file, first);
}

/* The module loader puts other things behind the last function. */
static void last_functions_may_be_longer(void **state)
{
	assert_int_equal(run("rm -rf m && mkdir m && "
			     "cc -g -O2 -c -o m/x_mod.ko small.c"),
			 0);
	_cleanup_(symbols_closep) struct symbols *s =
		open_ok(in_dir("small"), in_dir("m"));
	_cleanup_(image_closep) struct image *img =
		image_ok(in_dir("m/x_mod.ko"));
	int nr_last = 0;

	for (uint32_t i = 0; i < img->symtab.nr; i++) {
		const struct sym *sym = &img->symtab.syms[i];
		struct symbols_query q = query_of(sym, 1);
		struct source_chain c;

		q.module = SLICE("x_mod");
		q.address = 0;
		q.size_bytes = sym->size + 1000;
		nr_last += sym->is_last;
		assert_int_equal(symbols_lookup(s, &q, &c),
				 sym->is_last ? SYMBOLS_FOUND :
						SYMBOLS_MISMATCH);
	}
	assert_int_equal(nr_last, 2); /* .text and .init.text */
}

static void assert_file_of(struct symbols *s, struct image *img,
			   const char *func, const char *file)
{
	const struct sym *sym = sym_of(img, func);
	struct symbols_query q = query_of(sym, sym->size / 2);
	struct source_chain c;

	assert_int_equal(symbols_lookup(s, &q, &c), SYMBOLS_FOUND);
	assert_string_equal(c.lines[0].file, file);
}

/* As "make O=obj" leaves it: sources here, generated ones there. */
static void paths_are_relative_to_the_tree(void **state)
{
	static const char panic_c[] =
		"volatile int sink;\n"
		"#include <generated/g.h>\n"
		"#include \"../kernel/./sub/../h.h\"\n"
		"void panic(void) { sink = sink * 7 + sink; }\n"
		"int main(void) { panic(); header(); generated(); return 0; }\n";
	/* Beside the sources, below them, and with paths mapped away. */
	static const char *const builds[][2] = {
		{ "obj", "../tree/kernel/panic.c" },
		{ "obj", "$PWD/../tree/kernel/panic.c" },
		{ "tree/obj", "../kernel/panic.c" },
		{ "tree", "kernel/panic.c -fdebug-prefix-map=$PWD=." },
	};

	assert_int_equal(run("mkdir -p tree/kernel/sub && "
			     "echo '__attribute__((noinline)) static void "
			     "header(void) { sink = sink * 3 + sink; }' "
			     ">tree/kernel/h.h"),
			 0);
	write_file("tree/kernel/panic.c", panic_c, sizeof(panic_c) - 1);
	for (size_t i = 0; i < ARRAY_LEN(builds); i++) {
		assert_int_equal(
			run("mkdir -p %s/generated && cd %s && "
			    "echo '__attribute__((noinline)) static void "
			    "generated(void) { sink = sink * 5 + sink; }' "
			    ">generated/g.h && cc -g -O2 -I. -o %s/k %s",
			    builds[i][0], builds[i][0], dir, builds[i][1]),
			0);
		_cleanup_(symbols_closep) struct symbols *s =
			open_ok(in_dir("k"), NULL);
		_cleanup_(image_closep) struct image *img =
			image_ok(in_dir("k"));
		assert_file_of(s, img, "panic", "kernel/panic.c");
		assert_file_of(s, img, "header", "kernel/h.h");
		assert_file_of(s, img, "generated", "generated/g.h");
	}
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
		_cleanup_(freep) char *path = mem_strdup(pairs[i][0]);

		path_collapse(path);
		assert_string_equal(path, pairs[i][1]);
	}
	assert_string_equal(path_strip("/src/mm/x.c", dirs, 3), "mm/x.c");
	assert_string_equal(path_strip("/src/build/inc/x.h", dirs, 3),
			    "inc/x.h");
	assert_string_equal(path_strip("/srcs/x.c", dirs, 3), "/srcs/x.c");
}

/* --- the shared kernels --- */

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
		SKIP_TEST("no ready kernel");
	compare_random(path, 600, 11);
}

static void uml_kernel_is_as_addr2line_says(void **state)
{
	const char *path = kernel("uml-6.17", "linux");

	if (!path)
		SKIP_TEST("no ready kernel");
	compare_random(path, 400, 12);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(paths_collapse),
		cmocka_unit_test(lines_are_those_of_addr2line),
		cmocka_unit_test(addresses_are_named),
		cmocka_unit_test(modules_are_relocated),
		cmocka_unit_test(inlined_callers_are_named),
		cmocka_unit_test(namesakes_are_told_apart),
		cmocka_unit_test(doubt_is_not_resolved_by_chance),
		cmocka_unit_test(last_functions_may_be_longer),
		cmocka_unit_test(paths_are_relative_to_the_tree),
		cmocka_unit_test(memory_of_answers_is_bounded),
		cmocka_unit_test(x86_kernel_is_as_addr2line_says),
		cmocka_unit_test(uml_kernel_is_as_addr2line_says),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
