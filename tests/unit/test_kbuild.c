/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Kernels: signatures, configurations, the cache, children. */
#include "unit.h"

#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "elf/elf.h"
#include "kbuild/internal.h"
#include "json/json.h"

static char dir[] = "/tmp/bugon-kbuild-XXXXXX";

static void must(struct error *err)
{
	if (err)
		fail_msg("%s", error_message(err));
}

static char *in_dir(const char *name)
{
	return text_printf("%s/%s", dir, name);
}

static int make_dir(void **state)
{
	return mkdtemp(dir) ? 0 : -1;
}

static int remove_dir(void **state)
{
	file_remove_tree(dir);
	return file_exists(dir) ? -1 : 0;
}

/* ---- signatures ---- */

/* Compile something with the marks of a kernel; false: no compiler here. */
static bool compile(const char *name, const char *body, const char *flag)
{
	_cleanup_(freep) char *src = text_printf("%s/%s.c", dir, name);
	_cleanup_(freep) char *out = in_dir(name);
	const char *argv[] = { "cc",	    "-g",      "-O1",
			       "-nostdlib", "-static", "-Wl,--build-id",
			       flag,	    "-o",      out,
			       src,	    NULL };
	_cleanup_(child_result_deinit) struct child_result r = {};
	struct child_opts o = { .argv = argv };

	must(file_write(src, slice_cstr(body)));
	struct error *err = child_run(&o, &r);
	if (err && error_kind(err) == ERR_NOT_FOUND) {
		error_free(err);
		return false;
	}
	must(err);
	if (!child_ok(&r))
		fail_msg("%s", buf_cstr(&r.tail));
	return true;
}

#define KERNEL(banner, code)                                        \
	"const char banner[] = \"" banner "\";\n"                   \
	"const char kernel_config_data[] = \"IKCFG_ST\" CONFIG;\n"  \
	"char uts[6][65] = { \"Linux\", \"x\", \"" banner "\" };\n" \
	"int x = 7;\n"                                              \
	"void _start(void) { x += " code " + banner[x]\n"           \
	"	+ kernel_config_data[x] + uts[2][x]; for (;;) ; }\n"

static void signature(const char *name, char out[ELF_SIGNATURE_BYTES])
{
	_cleanup_(freep) char *path = in_dir(name);

	must(elf_signature(path, out));
	assert_int_equal(strlen(out), ELF_SIGNATURE_BYTES - 1);
}

static void equal_code_has_one_signature(void **state)
{
	char a[ELF_SIGNATURE_BYTES], b[ELF_SIGNATURE_BYTES];

	if (!compile("a", KERNEL("Linux version 6.1 of Monday", "3"),
		     "-DCONFIG=\"x\""))
		SKIP_TEST("no compiler");
	assert_true(compile("b", KERNEL("Linux version 6.2 of Friday", "3"),
			    "-DCONFIG=\"x\""));
	signature("a", a);
	signature("b", b);
	assert_string_equal(a, b);
	/* Not because nothing counts: */
	assert_true(compile("c", KERNEL("Linux version 6.1 of Monday", "4"),
			    "-DCONFIG=\"x\""));
	signature("c", b);
	assert_string_not_equal(a, b);
	assert_true(compile("d",
			    KERNEL("Linux version 6.1 of Monday",
				   "3") "char data = 1;\n",
			    "-DCONFIG=\"x\""));
	signature("d", b);
	assert_string_not_equal(a, b);
}

static void debug_information_does_not_count(void **state)
{
	char a[ELF_SIGNATURE_BYTES], b[ELF_SIGNATURE_BYTES];

	if (!compile("e", KERNEL("L", "3"), "-DCONFIG=\"x\""))
		SKIP_TEST("no compiler");
	assert_true(
		compile("f", "\n\n\n\n" KERNEL("L", "3"), "-DCONFIG=\"x\""));
	signature("e", a);
	signature("f", b);
	assert_string_equal(a, b);
}

static void what_is_no_kernel_has_no_signature(void **state)
{
	_cleanup_(freep) char *text = in_dir("text");
	_cleanup_(freep) char *cut = in_dir("a");
	_cleanup_(freep) char *none = in_dir("none");
	char sig[ELF_SIGNATURE_BYTES];
	struct error *err;

	must(file_write(text, SLICE("no ELF file\n")));
	err = elf_signature(text, sig);
	assert_non_null(err);
	assert_int_equal(error_kind(err), ERR_INPUT);
	error_free(err);
	err = elf_signature(none, sig);
	assert_non_null(err);
	assert_int_equal(error_kind(err), ERR_NOT_FOUND);
	error_free(err);
	if (!file_exists(cut))
		return;
	/* Any truncation is an error or (of debug information) harmless. */
	for (off_t n = 5000; n > 0; n -= 97) {
		assert_int_equal(truncate(cut, n), 0);
		err = elf_signature(cut, sig);
		error_free(err);
	}
	assert_non_null(err);
}

/* ---- configurations ---- */

static const struct slice kconfig =
	SLICE("config A\n"
	      "\tbool \"A\"\n"
	      "\tdepends on B && (C || D) && \\\n"
	      "\t\t!E\n"
	      "\thelp\n"
	      "\t  Not for everybody:\n"
	      "\t  if you do not know, say N.\n"
	      "\n"
	      "\t  config Z is not defined by this.\n"
	      "menu \"things\"\n"
	      "\tdepends on NET\n"
	      "if BLOCK\n"
	      "config IN_MENU\n"
	      "\ttristate \"text if it were\" if EXPERT\n"
	      "endif\n"
	      "endmenu\n"
	      "config HIDDEN\n"
	      "\tbool\n"
	      "\tdepends on $(cc-option,-fx)\n"
	      "config CHOSEN\n"
	      "\tbool \"x\"\n"
	      "\tdepends on $(cc-option,-fx)\n"
	      "choice\n"
	      "\tprompt \"one of\"\n"
	      "config ONE\n"
	      "\tbool \"one\"\n"
	      "endchoice\n"
	      "source \"arch/$(SRCARCH)/Kconfig\"\n");

static const char *why(const kernel_misses *m, const char *option)
{
	for (size_t i = 0; i < m->len; i++)
		if (!strcmp(m->data[i].option, option))
			return m->data[i].why;
	return "it was taken";
}

static void misses_are_explained(void **state)
{
	static const struct slice wanted = SLICE(
		"CONFIG_A=y\nCONFIG_IN_MENU=y\nCONFIG_HIDDEN=y\n"
		"CONFIG_CHOSEN=y\nCONFIG_ONE=y\nCONFIG_Z=y\nCONFIG_FAR=y\n"
		"# CONFIG_ON is not set\nCONFIG_NUMBER=5\nCONFIG_B=n\n"
		"CONFIG_B=y\nCONFIG_TEXT=\"a\"\n");
	static const struct slice config =
		SLICE("CONFIG_B=y\nCONFIG_E=y\nCONFIG_EXPERT=y\nCONFIG_ON=y\n"
		      "# CONFIG_NET is not set\nCONFIG_NUMBER=5\n"
		      "CONFIG_TEXT=\"b\"\n");
	_cleanup_(freep) char *top = in_dir("Kconfig");
	_cleanup_(freep) char *arch = in_dir("arch/x86");
	_cleanup_(freep) char *far = in_dir("arch/x86/Kconfig");
	_cleanup_(kernel_misses_deinit) kernel_misses m = {};

	must(file_make_dirs(arch));
	must(file_write(top, kconfig));
	must(file_write(far, SLICE("config FAR\n\tbool \"far\"\n"
				   "\tdepends on NEAR=\"n\" && 64BIT\n")));
	missed_find(wanted, config, &m);
	kconfig_explain(dir, "x86_64", config, &m);
	assert_string_equal(why(&m, "CONFIG_A"), "needs (C || D) && !E");
	assert_string_equal(why(&m, "CONFIG_IN_MENU"), "needs NET && BLOCK");
	assert_string_equal(why(&m, "CONFIG_HIDDEN"),
			    "cannot be chosen, other options decide it");
	assert_string_equal(why(&m, "CONFIG_CHOSEN"),
			    "the compiler or a tool lacks what it needs");
	assert_string_equal(why(&m, "CONFIG_ONE"),
			    "another one of the same choice was taken");
	assert_string_equal(why(&m, "CONFIG_Z"),
			    "this tree has no such option");
	assert_string_equal(why(&m, "CONFIG_FAR"), "needs 64BIT");
	assert_string_equal(why(&m, "CONFIG_ON"),
			    "this tree has no such option");
	assert_string_equal(why(&m, "CONFIG_NUMBER"), "it was taken");
	assert_string_equal(why(&m, "CONFIG_B"), "it was taken");
	assert_int_equal(m.len, 9);
	assert_string_equal(m.data[8].got, "\"b\"");
}

/* Sources that include themselves, parentheses without end. */
static void odd_kconfig_is_bounded(void **state)
{
	static const struct slice wanted = SLICE("CONFIG_A=y\n");
	_cleanup_(freep) char *top = in_dir("Kconfig");
	_cleanup_(buf_deinit) struct buf text = {};
	_cleanup_(kernel_misses_deinit) kernel_misses m = {};

	buf_str(&text, "config A\n\tbool \"A\"\n\tdepends on ");
	for (int i = 0; i < 100000; i++)
		buf_str(&text, i % 2 ? "(" : "!");
	buf_str(&text, "\nendif\nendmenu\nsource \"Kconfig\"\nhelp");
	must(file_write(top, buf_as_slice(&text)));
	missed_find(wanted, SLICE(""), &m);
	kconfig_explain(dir, "x86_64", SLICE(""), &m);
	assert_int_equal(m.len, 1);
}

/* ---- the cache ---- */

static void info_survives_a_round_trip(void **state)
{
	_cleanup_(freep) char *path = in_dir("info");
	_cleanup_(buf_deinit) struct buf text = {};
	_cleanup_(info_deinit) struct kernel_info a = {}, b = {};
	FILE *f = fopen(path, "we");

	kernel_info_init(&a);
	info_set(&a.release, SLICE("6.1 \"quoted\" \xff"));
	info_set(&a.commit, SLICE("0123-dirty"));
	a.time_s = 1234567890123;
	a.kasan = true;
	assert_non_null(f);
	fclose(f);
	must(info_write(&a, path));
	f = fopen(path, "re");
	char data[4096];
	buf_add(&text, data, fread(data, 1, sizeof(data), f));
	fclose(f);
	must(kernel_info_parse(buf_as_slice(&text), &b));
	assert_string_equal(b.release, "6.1 \"quoted\" \xef\xbf\xbd");
	assert_string_equal(b.commit, "0123-dirty");
	assert_true(b.time_s == a.time_s);
	assert_true(b.kasan);
	assert_false(b.kcov);
	assert_string_equal(b.package, "");
	struct error *err = kernel_info_parse(SLICE("{ \"release\": "), &b);
	assert_non_null(err);
	error_free(err);
}

/* A stage with something like a kernel in it. */
static void stage_kernel(struct kernel_cache *c, struct stage *s,
			 const char *text, const char *config)
{
	must(stage_open(c, s));
	_cleanup_(freep) char *image = text_printf("%s/bzImage", s->out);
	_cleanup_(freep) char *conf = text_printf("%s/config", s->out);

	must(file_write(image, slice_cstr(text)));
	must(file_write(conf, slice_cstr(config)));
}

static void publish(struct kernel_cache *c, const char *text,
		    const char *config, int64_t *time_s, bool *known)
{
	_cleanup_(stage_close) struct stage s = { .lock = -1 };
	_cleanup_(info_deinit) struct kernel_info i = {};
	_cleanup_(buf_deinit) struct buf to = {};

	stage_kernel(c, &s, text, config);
	kernel_info_init(&i);
	info_set(&i.release, SLICE("6.1/x"));
	info_set(&i.arch, SLICE("x86_64"));
	must(stage_publish(c, &s, &i, &to, known));
	*time_s = i.time_s;
	assert_true(file_is_dir(buf_cstr(&to)));
}

static void kernels_are_kept_by_content(void **state)
{
	_cleanup_(freep) char *path = in_dir("cache/deep");
	_cleanup_(kernel_cache_closep) struct kernel_cache *c = NULL;
	_cleanup_(kernel_entries_deinit) kernel_entries all = {};
	bool known;
	int64_t t;

	must(kernel_cache_open(path, &c));
	publish(c, "one", "\nCONFIG_X=y\n", &t, &known);
	assert_false(known);
	publish(c, "one", "\nCONFIG_X=y\n", &t, &known);
	assert_true(known);
	publish(c, "two", "\nCONFIG_KASAN=y\nCONFIG_KCOV=y\n", &t, &known);
	assert_false(known);
	publish(c, "one", "CONFIG_KCOV=y\n", &t, &known);
	assert_false(known);
	kernel_list(path, true, &all);
	assert_int_equal(all.len, 3);
	assert_true(all.data[0].info.kcov && all.data[0].info.kasan);
	assert_true(all.data[1].info.kcov && !all.data[1].info.kasan);
	assert_false(all.data[2].info.kcov);
	assert_true(all.data[2].size_bytes > 0);
	assert_true(strncmp(all.data[0].name, "6.1-x_x86_64_", 13) == 0);
}

/* Somebody dies in the middle of it: the next one clears that away. */
static void stages_of_the_dead_are_removed(void **state)
{
	_cleanup_(freep) char *path = in_dir("cache2");
	_cleanup_(kernel_cache_closep) struct kernel_cache *c = NULL;
	_cleanup_(stage_close) struct stage alive = { .lock = -1 };
	char name[4096] = { 0 };
	int pipefd[2];

	must(kernel_cache_open(path, &c));
	must(stage_open(c, &alive));
	assert_int_equal(pipe(pipefd), 0);
	pid_t pid = fork();
	if (!pid) {
		struct kernel_cache *mine;
		struct stage s;
		struct error *err = kernel_cache_open(path, &mine);

		if (!err)
			err = stage_open(mine, &s);
		if (err || write(pipefd[1], s.dir, strlen(s.dir)) < 0)
			_exit(1);
		kill(getpid(), SIGKILL);
	}
	close(pipefd[1]);
	ssize_t n = read(pipefd[0], name, sizeof(name) - 1);
	close(pipefd[0]);
	assert_true(n > 0);
	for (int i = 0; i < 500 && waitpid(pid, NULL, WNOHANG) == 0; i++)
		usleep(10000);
	assert_true(file_exists(name));
	kernel_cache_close(take_ptr(c));
	must(kernel_cache_open(path, &c));
	assert_false(file_exists(name));
	assert_true(file_exists(alive.dir));
}

/* ---- children ---- */

static void count(void *ctx, struct slice line)
{
	++*(unsigned *)ctx;
	assert_slice(line, "a line");
}

static void output_comes_by_lines_and_its_end_is_kept(void **state)
{
	const char *argv[] = { "sh", "-c",
			       "i=0; while [ $i -lt 20000 ]; do echo a line; "
			       "i=$((i+1)); done; printf 'a line'; exit 3",
			       NULL };
	_cleanup_(child_result_deinit) struct child_result r = {};
	unsigned nr = 0;
	struct child_opts o = { .argv = argv, .on_line = count, .ctx = &nr };

	must(child_run(&o, &r));
	assert_int_equal(nr, 20001);
	assert_int_equal(r.status, 3);
	assert_int_equal(r.tail.len, CHILD_TAIL_BYTES);
	assert_true(slice_ends(buf_as_slice(&r.tail), SLICE("\na line")));
}

static void children_get_directory_and_environment(void **state)
{
	const char *env[] = { "BUGON_TEST=a b'c" };
	const char *argv[] = { "sh", "-c",
			       "pwd; echo \"$BUGON_TEST\"; echo $LC_ALL",
			       NULL };
	_cleanup_(child_result_deinit) struct child_result r = {};
	struct child_opts o = {
		.argv = argv, .dir = "/", .env = env, .nr_env = 1
	};

	setenv("BUGON_TEST", "old", 1);
	must(child_run(&o, &r));
	assert_string_equal(buf_cstr(&r.tail), "/\na b'c\nC\n");
	argv[0] = "/no such/program";
	struct error *err = child_run(&o, &r);
	assert_non_null(err);
	assert_int_equal(error_kind(err), ERR_NOT_FOUND);
	error_free(err);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(equal_code_has_one_signature),
		cmocka_unit_test(debug_information_does_not_count),
		cmocka_unit_test(what_is_no_kernel_has_no_signature),
		cmocka_unit_test(misses_are_explained),
		cmocka_unit_test(odd_kconfig_is_bounded),
		cmocka_unit_test(info_survives_a_round_trip),
		cmocka_unit_test(kernels_are_kept_by_content),
		cmocka_unit_test(stages_of_the_dead_are_removed),
		cmocka_unit_test(output_comes_by_lines_and_its_end_is_kept),
		cmocka_unit_test(children_get_directory_and_environment),
	};
	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
