/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The store: what comes back, versions, several processes, kill -9. */
#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/rng.h"
#include "store/store.h"
#include "unit.h"

enum { KILLS = 60, READS = 200, OPENERS = 6 };

static char top[64], dir[80], file[96];

static int make_dir(void **state)
{
	strcpy(top, "/tmp/test-store.XXXXXX");
	if (!mkdtemp(top))
		return -1;
	snprintf(dir, sizeof(dir), "%s/work", top);
	snprintf(file, sizeof(file), "%s/bugon.db", dir);
	return 0;
}

/* Who only reads may leave an empty log behind. */
static int remove_dir(void **state)
{
	static const char *const suffixes[] = { "", "-wal", "-shm" };
	char path[128];

	for (size_t i = 0; i < ARRAY_LEN(suffixes); i++) {
		snprintf(path, sizeof(path), "%s%s", file, suffixes[i]);
		unlink(path);
	}
	rmdir(dir);
	return rmdir(top);
}

static void must(struct error *err)
{
	if (err)
		fail_msg("%s", error_message(err));
}

static void fails(struct error *err, enum error_kind kind, const char *why)
{
	assert_non_null(err);
	assert_non_null(strstr(error_message(err), why));
	assert_int_equal(error_kind(err), kind);
	error_free(err);
}

static struct store *open_store(enum store_mode mode)
{
	struct store *s = NULL;

	must(store_open(dir, mode, &s));
	return s;
}

static bool add(struct store *s, const char *text)
{
	const struct store_program p = { .text = slice_cstr(text) };
	bool added;

	must(store_program_add(s, &p, &added));
	return added;
}

static uint64_t count(struct store *s)
{
	struct store_program_counts c;

	must(store_program_count(s, &c));
	return c.programs;
}

/* All texts, one after the other. */
static void expect(struct store *s, const char *want)
{
	_cleanup_(buf_deinit) struct buf got = {};
	struct store_program p;
	int64_t id = 0;
	bool more;

	for (;;) {
		must(store_program_next(s, &id, &p, &more));
		if (!more)
			break;
		buf_slice(&got, p.text);
	}
	assert_string_equal(buf_cstr(&got), want);
}

/* ---- Programs -------------------------------------------------------------- */

static void names(void **state)
{
	char text[STORE_NAME_CHARS + 1];

	/* FIPS 180-2, appendix A.1. */
	store_name_to_text(store_name(SLICE("abc")), text);
	assert_string_equal(text, "a9993e364706816aba3e25717850c26c9cd0d89d");
}

static void adds_once(void **state)
{
	_cleanup_(store_closep) struct store *s = open_store(STORE_WRITE);

	assert_true(store_exists(dir));
	assert_true(add(s, "a()\n"));
	assert_true(add(s, "b()\n"));
	assert_false(add(s, "a()\n"));
	assert_true(add(s, ""));
	expect(s, "a()\nb()\n");
	assert_int_equal(count(s), 3);
}

static void keeps_all_fields(void **state)
{
	_cleanup_(store_closep) struct store *s = open_store(STORE_WRITE);
	struct store_program p = {
		SLICE("a()\n"), { "x\0y", 3 }, UINT64_MAX, 7
	};
	struct store_program_counts c;
	struct store_program got;
	int64_t id = 0;
	bool more;

	must(store_program_add(s, &p, NULL));
	add(s, "b()\n");
	p.text = SLICE("c()\n");
	p.signal = SLICE("");
	must(store_program_add(s, &p, NULL));

	must(store_program_next(s, &id, &got, &more));
	assert_true(more);
	assert_int_equal(id, 1);
	assert_slice(got.text, "a()\n");
	assert_int_equal(got.signal.len, 3);
	assert_memory_equal(got.signal.p, "x\0y", 3);
	assert_true(got.descriptions == UINT64_MAX);
	assert_int_equal(got.added_ms, 7);
	must(store_program_next(s, &id, &got, &more));
	assert_null(got.signal.p);
	assert_int_equal(got.descriptions, 0);
	assert_true(got.added_ms > 1000 * (int64_t)1700000000);
	must(store_program_next(s, &id, &got, &more));
	assert_non_null(got.signal.p);
	assert_int_equal(got.signal.len, 0);
	must(store_program_next(s, &id, &got, &more));
	assert_false(more);

	must(store_program_count(s, &c));
	assert_int_equal(c.programs, 3);
	assert_int_equal(c.with_signal, 2);
	assert_int_equal(c.text_bytes, 12);
	assert_int_equal(c.packed_bytes, 12);
}

static void packs_when_it_pays(void **state)
{
	_cleanup_(store_closep) struct store *s = open_store(STORE_WRITE);
	_cleanup_(freep) char *text = malloc(STORE_MAX_TEXT_BYTES + 1);
	struct store_program p = { .text = { text, STORE_MAX_TEXT_BYTES + 1 } };
	struct store_program_counts c;
	struct rng rng;
	int64_t id = 0;
	bool more;

	memset(text, 'a', STORE_MAX_TEXT_BYTES + 1);
	fails(store_program_add(s, &p, NULL), ERR_INPUT, "the limit is");
	p.text.len--;
	must(store_program_add(s, &p, NULL));
	must(store_program_next(s, &id, &p, &more));
	assert_int_equal(p.text.len, STORE_MAX_TEXT_BYTES);
	assert_memory_equal(p.text.p, text, STORE_MAX_TEXT_BYTES);
	must(store_program_count(s, &c));
	assert_true(c.packed_bytes < STORE_MAX_TEXT_BYTES / 1000);

	rng_seed(&rng, 1);
	for (size_t i = 0; i < 1000; i++)
		text[i] = (char)rng_u64(&rng);
	p = (struct store_program){ .text = { text, 1000 } };
	must(store_program_add(s, &p, NULL));
	must(store_program_next(s, &id, &p, &more));
	assert_int_equal(p.text.len, 1000);
	assert_memory_equal(p.text.p, text, 1000);
}

/* Deleting while walking; a number is not used again. */
static void deletes(void **state)
{
	_cleanup_(store_closep) struct store *s = open_store(STORE_WRITE);
	struct store_program p;
	int64_t id = 0, found;
	bool more;

	add(s, "a()\n");
	add(s, "b()\n");
	add(s, "c()\n");
	must(store_program_find(s, store_name(SLICE("b()\n")), &found));
	assert_int_equal(found, 2);
	must(store_program_next(s, &id, &p, &more));
	must(store_program_delete(s, 2));
	must(store_program_delete(s, 2));
	must(store_program_next(s, &id, &p, &more));
	assert_int_equal(id, 3);
	must(store_program_delete(s, 3));
	assert_true(add(s, "b()\n"));
	must(store_program_next(s, &id, &p, &more));
	assert_true(more);
	assert_int_equal(id, 4);
	expect(s, "a()\nb()\n");
	must(store_program_find(s, store_name(SLICE("c()\n")), &found));
	assert_int_equal(found, 0);
}

static void transactions(void **state)
{
	struct store *s = open_store(STORE_WRITE);

	must(store_begin(s));
	add(s, "a()\n");
	must(store_commit(s));
	must(store_begin(s));
	add(s, "b()\n");
	store_close(s);
	s = open_store(STORE_READ);
	expect(s, "a()\n");
	store_close(s);
}

/* ---- Versions and files ---------------------------------------------------- */

static void sql(const char *text)
{
	sqlite3 *db;

	assert_int_equal(sqlite3_open(file, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, text, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
}

static void refused(enum store_mode mode, enum error_kind kind, const char *why)
{
	struct store *s = NULL;

	fails(store_open(dir, mode, &s), kind, why);
}

/* Version 0, an empty file, is what a process leaves that is killed early. */
static void migrates(void **state)
{
	struct store *s;

	refused(STORE_READ, ERR_NOT_FOUND, "no store there");
	assert_int_equal(mkdir(dir, 0700), 0);
	assert_false(store_exists(dir));
	close(open(file, O_CREAT | O_WRONLY, 0600));
	refused(STORE_READ, ERR_INPUT, "its schema has version 0");
	s = open_store(STORE_WRITE);
	add(s, "a()\n");
	store_close(s);
	s = open_store(STORE_READ);
	expect(s, "a()\n");
	store_close(s);
}

/* A migration that does not go through leaves the file as it was. */
static void migrates_wholly(void **state)
{
	struct store *s = open_store(STORE_WRITE);

	store_close(s);
	sql("PRAGMA user_version = 0");
	refused(STORE_WRITE, ERR_OS, "to version 1 of the schema");
	sql("DROP TABLE crashes; DROP TABLE bugs; DROP TABLE programs");
	s = open_store(STORE_WRITE);
	add(s, "a()\n");
	expect(s, "a()\n");
	store_close(s);
}

/* Of a bug the crashes are counted, and the first ones kept. */
static void crashes(void **state)
{
	struct store *s = open_store(STORE_WRITE);
	struct store_bug bug;
	struct store_crash c;
	int64_t id = 0, of;
	bool more, is_new;
	char report[2000];

	memset(report, 'x', sizeof(report));
	for (int i = 0; i < STORE_CRASHES_OF_BUG + 5; i++) {
		must(store_crash_add(
			s,
			&(struct store_crash){
				.title = i % 5 ? "WARNING in a" : "BUG in b",
				.key = "k1-0",
				.alts = "one\ntwo\n",
				.machine = "uml",
				.report = { report, sizeof(report) },
				.log = SLICE("the log"),
				.program = SLICE("a()\n"),
				.seen_ms = 1000 + i },
			&is_new));
		assert_int_equal(is_new, i < 2);
	}
	store_close(s);
	s = open_store(STORE_READ);
	must(store_bug_next(s, &id, &bug, &more));
	assert_true(more);
	assert_string_equal(bug.title, "BUG in b");
	assert_string_equal(bug.alts, "one\ntwo\n");
	assert_int_equal(bug.crashes, 3);
	assert_int_equal(bug.first_ms, 1000);
	assert_int_equal(bug.last_ms, 1010);
	must(store_bug_next(s, &id, &bug, &more));
	assert_true(more);
	assert_int_equal(bug.crashes, STORE_CRASHES_OF_BUG + 2);
	must(store_bug_next(s, &id, &bug, &more));
	assert_false(more);

	int64_t crash = 0, kept = 0;

	for (;;) {
		must(store_crash_next(s, id, &crash, &c, &of, &more));
		if (!more)
			break;
		assert_int_equal(of, id);
		assert_string_equal(c.title, "WARNING in a");
		assert_string_equal(c.kernel, "");
		assert_int_equal(c.report.len, sizeof(report));
		assert_memory_equal(c.report.p, report, sizeof(report));
		assert_slice(c.log, "the log");
		assert_slice(c.program, "a()\n");
		assert_int_equal(c.before.len, 0);
		kept++;
	}
	assert_int_equal(kept, STORE_CRASHES_OF_BUG);
	store_close(s);
}

/* A crash that cannot be kept takes nothing else with it. */
static void crash_fails(void **state)
{
	struct store *s = open_store(STORE_WRITE);
	const struct store_crash c = { .title = "BUG in c", .key = "k" };

	sql("ALTER TABLE crashes RENAME TO gone");
	fails(store_crash_add(s, &c, NULL), ERR_OS, "crashes");
	sql("ALTER TABLE gone RENAME TO crashes");
	add(s, "a()\n");
	must(store_crash_add(s, &c, NULL));
	store_close(s);
	s = open_store(STORE_READ);
	expect(s, "a()\n");
	store_close(s);
}

static void newer_is_refused(void **state)
{
	store_close(open_store(STORE_WRITE));
	sql("PRAGMA user_version = 1000");
	refused(STORE_WRITE, ERR_INPUT, "made by a newer bugon");
	refused(STORE_READ, ERR_INPUT, "made by a newer bugon");
	sql("PRAGMA user_version = 2");
	store_close(open_store(STORE_READ));
}

static void others_are_refused(void **state)
{
	FILE *f;

	assert_int_equal(mkdir(dir, 0700), 0);
	sql("CREATE TABLE mine (a)");
	refused(STORE_WRITE, ERR_INPUT, "not of bugon");
	refused(STORE_READ, ERR_INPUT, "not of bugon");
	f = fopen(file, "w");
	for (int i = 0; i < 1000; i++)
		fputs("text\n", f);
	fclose(f);
	refused(STORE_WRITE, ERR_INPUT, "not a database");
	refused(STORE_READ, ERR_INPUT, "not a database");
	unlink(file);
	assert_int_equal(rmdir(dir), 0);
	close(open(dir, O_CREAT | O_WRONLY, 0600));
	refused(STORE_WRITE, ERR_OS, "bugon.db");
	unlink(dir);
}

static void damage_is_an_error(void **state)
{
	struct store *s = open_store(STORE_WRITE);
	_cleanup_(buf_deinit) struct buf text = {};
	struct store_program p;
	int64_t id = 0;
	bool more;

	for (int i = 0; i < 100; i++)
		buf_str(&text, "getpid()\n");
	add(s, text.data);
	store_close(s);
	sql("UPDATE programs SET text = zeroblob(length(text))");
	s = open_store(STORE_WRITE);
	fails(store_program_next(s, &id, &p, &more), ERR_INPUT,
	      "does not unpack");
	store_close(s);
	sql("UPDATE programs SET text_bytes = -1");
	s = open_store(STORE_WRITE);
	fails(store_program_next(s, &id, &p, &more), ERR_INPUT,
	      "does not unpack");
	store_close(s);
}

/* ---- Several processes ----------------------------------------------------- */

/* A test's child must not run the rest of the test. */
static pid_t start(void (*run)(void *), void *arg)
{
	pid_t pid = fork();

	if (pid)
		return pid;
	run(arg);
	_exit(0);
}

static void child_must(struct error *err)
{
	if (err) {
		fprintf(stderr, "child: %s\n", error_message(err));
		_exit(1);
	}
}

static void open_and_add(void *arg)
{
	struct store *s;
	char text[32];

	snprintf(text, sizeof(text), "%d()\n", *(int *)arg);
	child_must(store_open(dir, STORE_WRITE, &s));
	child_must(store_program_add(
		s, &(struct store_program){ .text = slice_cstr(text) }, NULL));
	store_close(s);
}

static void made_by_several_at_once(void **state)
{
	int status, of_child[OPENERS];
	struct store *s;

	for (int i = 0; i < OPENERS; i++) {
		of_child[i] = i;
		start(open_and_add, &of_child[i]);
	}
	for (int i = 0; i < OPENERS; i++) {
		assert_true(wait(&status) > 0);
		assert_int_equal(status, 0);
	}
	s = open_store(STORE_READ);
	assert_int_equal(count(s), OPENERS);
	store_close(s);
}

/* ---- kill -9 --------------------------------------------------------------- */

struct shared {
	uint32_t acknowledged; /* programs 0 to that are in the store */
	bool in_batches;
};

static void text_of(uint32_t n, struct buf *out)
{
	struct rng rng;

	rng_seed(&rng, n);
	out->len = 0;
	for (uint64_t calls = rng_range(&rng, 1, 40); calls; calls--)
		buf_printf(out, "call_%u(0x%lx, &(0x7f0000000%03x))\n", n,
			   (unsigned long)rng_u64(&rng),
			   (unsigned)rng_below(&rng, 4096));
}

static void write_until_killed(void *arg)
{
	struct shared *sh = arg;
	struct store *s;
	_cleanup_(buf_deinit) struct buf text = {};
	uint32_t n = sh->acknowledged;

	child_must(store_open(dir, STORE_WRITE, &s));
	for (;;) {
		if (sh->in_batches)
			child_must(store_begin(s));
		for (int i = sh->in_batches ? 10 : 1; i; i--) {
			struct store_program p = {};

			text_of(n++, &text);
			p.text = buf_as_slice(&text);
			child_must(store_program_add(s, &p, NULL));
		}
		if (sh->in_batches)
			child_must(store_commit(s));
		__atomic_store_n(&sh->acknowledged, n, __ATOMIC_SEQ_CST);
	}
}

static void sleep_us(uint64_t us)
{
	struct timespec t = { .tv_nsec = (long)us * 1000 };

	nanosleep(&t, NULL);
}

/* Programs 0, 1, 2, ... without a gap; at least what was acknowledged. */
static void check_whole(struct store *s, uint32_t acknowledged, uint32_t *from,
			int64_t *id)
{
	_cleanup_(buf_deinit) struct buf want = {};
	struct store_program p;
	bool more;

	for (;;) {
		must(store_program_next(s, id, &p, &more));
		if (!more)
			break;
		text_of((*from)++, &want);
		assert_true(slice_eq(p.text, buf_as_slice(&want)));
	}
	assert_true(*from >= acknowledged);
}

static void kill_9(void **state)
{
	struct shared *sh = mmap(NULL, sizeof(*sh), PROT_READ | PROT_WRITE,
				 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	uint32_t seen = 0;
	int64_t id = 0;
	struct rng rng;
	int status;

	rng_seed(&rng, (uint64_t)getpid());
	for (int i = 0; i < KILLS; i++) {
		sh->in_batches = i % 2;
		pid_t pid = start(write_until_killed, sh);

		sleep_us(rng_below(&rng, 30000));
		kill(pid, SIGKILL);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFSIGNALED(status));
		if (!store_exists(dir))
			continue; /* killed before it began */
		/* For reading, unless that was before there was a schema. */
		struct store *s =
			open_store(i % 3 && seen ? STORE_READ : STORE_WRITE);

		check_whole(s, sh->acknowledged, &seen, &id);
		store_close(s);
		sh->acknowledged = seen;
	}
	assert_true(seen > KILLS);
	munmap(sh, sizeof(*sh));
}

static void read_while_written(void **state)
{
	struct shared *sh = mmap(NULL, sizeof(*sh), PROT_READ | PROT_WRITE,
				 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	uint32_t seen = 0;
	int64_t id = 0;

	store_close(open_store(STORE_WRITE));
	sh->in_batches = true;
	pid_t pid = start(write_until_killed, sh);

	for (int i = 0; i < READS; i++) {
		uint32_t acknowledged =
			__atomic_load_n(&sh->acknowledged, __ATOMIC_SEQ_CST);
		struct store *s = open_store(STORE_READ);

		check_whole(s, acknowledged, &seen, &id);
		assert_int_equal(count(s) % 10, 0);
		fails(store_program_delete(s, 1), ERR_OS, "readonly");
		store_close(s);
	}
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	assert_true(seen > 0);
	munmap(sh, sizeof(*sh));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, make_dir, remove_dir)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names),
		TEST(adds_once),
		TEST(keeps_all_fields),
		TEST(packs_when_it_pays),
		TEST(deletes),
		TEST(transactions),
		TEST(migrates),
		TEST(migrates_wholly),
		TEST(crashes),
		TEST(crash_fails),
		TEST(newer_is_refused),
		TEST(others_are_refused),
		TEST(damage_is_an_error),
		TEST(made_by_several_at_once),
		TEST(kill_9),
		TEST(read_while_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
