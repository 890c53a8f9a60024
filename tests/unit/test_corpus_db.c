/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * corpus.db: files made here byte by byte, values in stored deflate blocks, are
 * read; what was written is read back; damage.  tests/cli/corpus_cli.py checks
 * both ways against Python's zlib.
 */
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/io.h"
#include "base/rng.h"
#include "corpus/corpus.h"
#include "unit.h"

static char dir[64], path[80];

static int make_dir(void **state)
{
	strcpy(dir, "/tmp/test-corpus.XXXXXX");
	if (!mkdtemp(dir))
		return -1;
	snprintf(path, sizeof(path), "%s/corpus.db", dir);
	return 0;
}

/* Succeeds only if no temporary file was left. */
static int remove_dir(void **state)
{
	unlink(path);
	return rmdir(dir);
}

/* ---- Files byte by byte --------------------------------------------------- */

static void number(struct buf *b, unsigned bytes, uint64_t v)
{
	while (bytes--) {
		buf_char(b, (char)(v & 0xff));
		v >>= 8;
	}
}

static void header(struct buf *b, uint32_t format, uint64_t version)
{
	number(b, 4, 0xbaddb);
	number(b, 4, format);
	if (format > 1)
		number(b, 8, version);
}

static void removal(struct buf *b, const char *key)
{
	number(b, 4, 0xfee1bad);
	number(b, 4, strlen(key));
	buf_str(b, key);
	number(b, 8, UINT64_MAX);
}

/* RFC 1951, 3.2.4: one stored block, the last. */
static void record(struct buf *b, const char *key, const char *value,
		   uint64_t seq)
{
	size_t len = strlen(value);

	number(b, 4, 0xfee1bad);
	number(b, 4, strlen(key));
	buf_str(b, key);
	number(b, 8, seq);
	number(b, 4, len ? len + 5 : 0);
	if (!len)
		return;
	buf_char(b, 1);
	number(b, 2, len);
	number(b, 2, ~len);
	buf_str(b, value);
}

static void put_file(const struct buf *b)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_int_equal(fwrite(b->data, 1, b->len, f), b->len);
	fclose(f);
}

/* What a file holds, as "key=value@seq " for each record; then the damage. */
static void expect(const char *want, const char *damage)
{
	_cleanup_(corpus_closep) struct corpus_reader *r = NULL;
	_cleanup_(buf_deinit) struct buf got = {};
	struct corpus_record rec;
	bool more;

	assert_null(corpus_open(path, &r));
	for (;;) {
		assert_null(corpus_next(r, &rec, &more));
		if (!more)
			break;
		buf_slice(&got, rec.key);
		buf_char(&got, '=');
		buf_slice(&got, rec.value);
		buf_printf(&got, "@%d ", (int)rec.seq);
	}
	assert_string_equal(buf_cstr(&got), want);
	if (damage) {
		assert_non_null(corpus_damage(r));
		assert_string_equal(corpus_damage(r), damage);
	} else {
		assert_null(corpus_damage(r));
	}
}

static void refused(const struct buf *b, const char *why)
{
	struct corpus_reader *r = NULL;

	put_file(b);
	struct error *err = corpus_open(path, &r);

	assert_non_null(err);
	assert_int_equal(error_kind(err), ERR_INPUT);
	assert_non_null(strstr(error_message(err), why));
	error_free(err);
}

static void reads(void **state)
{
	_cleanup_(buf_deinit) struct buf b = {};
	_cleanup_(corpus_closep) struct corpus_reader *r = NULL;

	header(&b, 2, 5);
	record(&b, "", "", 0);
	record(&b, "a", "alpha", 1);
	record(&b, "b", "beta", 7);
	put_file(&b);
	expect("=@0 a=alpha@1 b=beta@7 ", NULL);
	assert_null(corpus_open(path, &r));
	assert_int_equal(corpus_version(r), 5);
	assert_int_equal(corpus_count(r), 3);
	assert_true(corpus_is_db(path));
	assert_false(corpus_is_db(dir));
	assert_false(corpus_is_db("/nowhere"));
}

static void reads_format_1(void **state)
{
	_cleanup_(buf_deinit) struct buf b = {};

	header(&b, 1, 0);
	record(&b, "a", "alpha", 1);
	put_file(&b);
	expect("a=alpha@1 ", NULL);
}

static void empty(void **state)
{
	_cleanup_(buf_deinit) struct buf b = {};

	buf_reserve(&b, 1);
	put_file(&b);
	assert_false(corpus_is_db(path));
	expect("", NULL);
}

static void last_record_counts(void **state)
{
	_cleanup_(buf_deinit) struct buf b = {};

	header(&b, 2, 0);
	record(&b, "gone", "1", 0);
	record(&b, "changed", "1", 0);
	record(&b, "back", "1", 0);
	removal(&b, "gone");
	removal(&b, "back");
	removal(&b, "never there");
	record(&b, "changed", "2", 9);
	record(&b, "back", "2", 0);
	put_file(&b);
	expect("changed=2@9 back=2@0 ", NULL);
}

static void not_a_db(void **state)
{
	_cleanup_(buf_deinit) struct buf text = {}, newer = {}, cut = {};

	buf_str(&text, "getpid()\n");
	refused(&text, "not a corpus.db");
	header(&newer, 3, 0);
	refused(&newer, "a corpus.db of format 3; known are 1 to 2");
	header(&cut, 2, 0);
	cut.len = 12;
	refused(&cut, "ends within its header");
}

/* ---- Damage --------------------------------------------------------------- */

/* Cut anywhere: what is whole is there, and the rest is said to be lost. */
static void cut_anywhere(void **state)
{
	_cleanup_(buf_deinit) struct buf b = {};
	char damage[128];

	header(&b, 2, 0);
	record(&b, "a", "alpha", 1);
	size_t first = b.len, whole;

	record(&b, "b", "beta", 2);
	whole = b.len;
	for (b.len = first; b.len <= whole; b.len++) {
		bool intact = b.len == first || b.len == whole;

		snprintf(damage, sizeof(damage),
			 "damaged at byte %zu (the file ends within a record): "
			 "%zu bytes from there are lost",
			 first, b.len - first);
		put_file(&b);
		expect(b.len == whole ? "a=alpha@1 b=beta@2 " : "a=alpha@1 ",
		       intact ? NULL : damage);
	}
}

static void damaged_frame(void **state)
{
	_cleanup_(buf_deinit) struct buf b = {};

	header(&b, 2, 0);
	record(&b, "a", "alpha", 1);
	size_t at = b.len;

	record(&b, "b", "beta", 2);
	b.data[at] ^= 1;
	put_file(&b);
	expect("a=alpha@1 ", "damaged at byte 47 (no record begins there): "
			     "30 bytes from there are lost");
	b.data[at] ^= 1;
	b.data[at + 6] = 2; /* a key of 128 KiB */
	put_file(&b);
	expect("a=alpha@1 ", "damaged at byte 47 (a key of over 64 KiB): "
			     "30 bytes from there are lost");
}

static void damaged_value(void **state)
{
	_cleanup_(buf_deinit) struct buf b = {};

	header(&b, 2, 0);
	record(&b, "a", "alpha", 1);
	b.data[b.len - 8] ^= 1; /* the length's complement */
	record(&b, "b", "beta", 2);
	put_file(&b);
	expect("b=beta@2 ", "1 value does not unpack and is left out");
	b.len--;
	put_file(&b);
	expect("", "damaged at byte 47 (the file ends within a record): "
		   "29 bytes from there are lost; "
		   "1 value does not unpack and is left out");
}

/* A value that ends before its deflate stream does not reach into the next. */
static void value_too_short(void **state)
{
	_cleanup_(buf_deinit) struct buf b = {};

	header(&b, 2, 0);
	record(&b, "a", "alpha", 1);
	b.data[b.len - 14] = 9; /* of ten packed bytes */
	b.len--;
	record(&b, "b", "beta", 2);
	put_file(&b);
	expect("b=beta@2 ", "1 value does not unpack and is left out");
}

/* ---- Writing -------------------------------------------------------------- */

static void add(struct corpus_writer *w, const char *key, struct slice value,
		uint64_t seq)
{
	assert_null(corpus_add(w, &(struct corpus_record){ slice_cstr(key),
							   value, seq }));
}

static void writes(void **state)
{
	_cleanup_(corpus_writer_freep) struct corpus_writer *w = NULL;
	_cleanup_(corpus_closep) struct corpus_reader *r = NULL;
	struct stat st;

	assert_null(corpus_create(path, 5, &w));
	add(w, "a", SLICE("alpha"), 1);
	add(w, "", SLICE(""), 0);
	add(w, "b", SLICE("beta"), 2);
	assert_int_equal(access(path, F_OK), -1);
	assert_null(corpus_commit(w));
	expect("a=alpha@1 =@0 b=beta@2 ", NULL);
	assert_null(corpus_open(path, &r));
	assert_int_equal(corpus_version(r), 5);
	mode_t mask = umask(0);

	umask(mask);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0666 & ~mask);
}

static void replaces_only_when_committed(void **state)
{
	struct corpus_writer *w = NULL;

	assert_null(corpus_create(path, 0, &w));
	add(w, "a", SLICE("alpha"), 1);
	assert_null(corpus_commit(w));
	corpus_writer_free(w);
	assert_null(corpus_create(path, 0, &w));
	add(w, "b", SLICE("beta"), 2);
	corpus_writer_free(w);
	expect("a=alpha@1 ", NULL);
}

static void large_values(void **state)
{
	_cleanup_(corpus_writer_freep) struct corpus_writer *w = NULL;
	_cleanup_(corpus_closep) struct corpus_reader *r = NULL;
	size_t max = CORPUS_MAX_VALUE_BYTES;
	_cleanup_(freep) char *noise = malloc(max + 1);
	struct corpus_record rec = { SLICE("noise"), { noise, max }, 1 };
	struct rng rng;
	bool more;

	rng_seed(&rng, 1);
	for (size_t i = 0; i <= max; i++)
		noise[i] = (char)rng_u64(&rng);
	assert_null(corpus_create(path, 0, &w));
	assert_null(corpus_add(w, &rec));
	rec.value.len++;
	struct error *err = corpus_add(w, &rec);

	assert_non_null(err);
	assert_int_equal(error_kind(err), ERR_INPUT);
	error_free(err);
	assert_null(corpus_commit(w));

	assert_null(corpus_open(path, &r));
	assert_null(corpus_next(r, &rec, &more));
	assert_true(more);
	assert_int_equal(rec.value.len, max);
	assert_memory_equal(rec.value.p, noise, max);
	assert_null(corpus_next(r, &rec, &more));
	assert_false(more);
	assert_null(corpus_damage(r));
}

/* ---- Logs ------------------------------------------------------------------ */

static void call_names(void **state)
{
	static const char *const lines[][2] = {
		{ "getpid()", "getpid" },
		{ "r0 = open$dir(&(0x7f0000000000)='./x\\x00', 0x0, 0x0)\r",
		  "open$dir" },
		{ "  syz_open(0x1) (async, rerun: 3)", "syz_open" },
		{ "ioctl(r0, 0x1", "" },
		{ "# getpid()", "" },
		{ "x = getpid()", "" },
		{ "[   12.3][ T45] getpid()", "" },
		{ "RIP: 0010:foo(bar)", "" },
		{ "12(3)", "" },
		{ "()", "" },
		{ "", "" },
		{ "r0 = ", "" },
	};

	for (size_t i = 0; i < ARRAY_LEN(lines); i++)
		assert_slice(corpus_call_name(slice_cstr(lines[i][0])),
			     lines[i][1]);
}

static void expect_log(const char *log, const char *want)
{
	_cleanup_(buf_deinit) struct buf out = {}, all = {};
	struct slice rest = slice_cstr(log);

	while (corpus_log_next(&rest, &out)) {
		buf_slice(&all, buf_as_slice(&out));
		buf_str(&all, "--\n");
	}
	assert_string_equal(buf_cstr(&all), want);
	assert_int_equal(corpus_is_log(slice_cstr(log)), *want != '\0');
}

static void logs(void **state)
{
	expect_log("", "");
	expect_log("getpid()\n# executing program 0:\ngettid()\n", "");
	expect_log("2026/01/02 03:04:05 executing program 3:\n"
		   "r0 = open(&(0x7f0000000000)='./x\\x00', 0x0, 0x0)\n"
		   "[   12.345678][ T123] foo: bar(1)\n"
		   "close(r0) (async)\r\n"
		   "\n"
		   "executing program 1 (id=7):\n"
		   "1.5s ago: executing program 2 (id=8):\n"
		   "getpid()",
		   "r0 = open(&(0x7f0000000000)='./x\\x00', 0x0, 0x0)\n"
		   "close(r0) (async)\n--\n"
		   "getpid()\n--\n");
}

static void logs_with_faults(void **state)
{
	expect_log("executing program 0 (fault-call:1 fault-nth:2):\n"
		   "getpid()\ngettid()\n"
		   "executing program 0 (fault-call:9 fault-nth:2):\n"
		   "getpid()\n"
		   "executing program 0 (fault-call:0):\n"
		   "getpid()\n"
		   "executing program 0 (fault-call:99999999999):\n"
		   "getpid()\n",
		   "getpid()\ngettid() (fail_nth: 3)\n--\n"
		   "getpid()\n--\n"
		   "getpid() (fail_nth: 1)\n--\n"
		   "getpid()\n--\n");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, make_dir, remove_dir)
	const struct CMUnitTest tests[] = {
		TEST(reads),
		TEST(reads_format_1),
		TEST(empty),
		TEST(last_record_counts),
		TEST(not_a_db),
		TEST(cut_anywhere),
		TEST(damaged_frame),
		TEST(damaged_value),
		TEST(value_too_short),
		TEST(writes),
		TEST(replaces_only_when_committed),
		TEST(large_values),
		cmocka_unit_test(call_names),
		cmocka_unit_test(logs),
		cmocka_unit_test(logs_with_faults),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
