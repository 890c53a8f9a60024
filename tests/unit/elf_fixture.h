/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * elf_fixture.h - programs compiled for the tests of src/elf/, in a directory
 * of their own, and where the shared kernels are.
 */
#ifndef ELF_FIXTURE_H
#define ELF_FIXTURE_H

#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../kernel_file.h"
#include "base/io.h"
#include "base/mem.h"
#include "elf/internal.h"

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

static inline void write_file(const char *name, const char *data, size_t len)
{
	_cleanup_(freep) char *path = NULL;

	assert_true(asprintf(&path, "%s/%s", dir, name) > 0);
	FILE *f = fopen(path, "w");
	assert_non_null(f);
	assert_int_equal(fwrite(data, 1, len, f), len);
	assert_int_equal(fclose(f), 0);
}

/* Run a shell command in the test's directory. */
static inline PRINTF(1, 2) int run(const char *fmt, ...)
{
	char cmd[4096];
	va_list ap;
	int n = snprintf(cmd, sizeof(cmd), "cd %s && ", dir);

	va_start(ap, fmt);
	vsnprintf(cmd + n, sizeof(cmd) - (size_t)n, fmt, ap);
	va_end(ap);
	return system(cmd); // NOLINT(cert-env33-c)
}

static inline const char *in_dir(const char *name)
{
	static char path[8][512];
	static unsigned turn;
	char *p = path[turn++ % 8];

	snprintf(p, sizeof(path[0]), "%s/%s", dir, name);
	return p;
}

static inline int setup(void **state)
{
	if (!mkdtemp(dir))
		return -1;
	write_file("small.c", small_c, sizeof(small_c) - 1);
	write_file("a.c", a_c, sizeof(a_c) - 1);
	write_file("b.c", b_c, sizeof(b_c) - 1);
	return run("cc -g -O2 -falign-functions=64 -no-pie -o small small.c "
		   "a.c b.c");
}

static inline int teardown(void **state)
{
	return run("rm -rf %s", dir);
}

static inline struct symbols *open_ok(const char *path, const char *modules)
{
	struct symbols *s = NULL;
	struct error *err = symbols_open(path, modules, &s);

	if (err)
		fail_msg("%s", error_message(err));
	return s;
}

static inline struct image *image_ok(const char *path)
{
	struct image *img = NULL;
	struct error *err = image_open(path, &img);

	if (err)
		fail_msg("%s", error_message(err));
	return img;
}

static inline const struct sym *sym_of(struct image *img, const char *name)
{
	const struct sym *sym = symtab_find(&img->symtab, slice_cstr(name));

	if (!sym)
		fail_msg("no symbol %s in %s", name, img->path);
	return sym;
}

static inline struct symbols_query query_of(const struct sym *sym,
					    uint64_t offset)
{
	return (struct symbols_query){
		.func = slice_cstr(sym->name),
		.offset_bytes = offset,
		.size_bytes = sym->end - sym->addr,
		.address = sym->addr + offset,
	};
}

/* Unpacked once per machine, for everybody; NULL if there is none. */
static inline const char *kernel(const char *name, const char *file)
{
	static char path[512];
	const char *root = getenv("ROOT");
	char script[512], what[64];

	snprintf(script, sizeof(script), "%s/tests/kernel-file.sh",
		 root ? root : ".");
	snprintf(what, sizeof(what), "%s/%s", name, file);
	return kernel_file(script, what, path, sizeof(path)) ? path : NULL;
}

#endif /* ELF_FIXTURE_H */
