/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whole logs: what is found must not depend on how they arrive. */
#include "unit.h"

#include <dirent.h>
#include <stdio.h>
#include <sys/resource.h>

#include "base/buf.h"
#include "base/io.h"
#include "base/vec.h"
#include "report/report.h"

struct seen {
	struct buf text; /* all that was reported */
	unsigned nr;
	uint64_t log_len;
};

static struct error *note(void *ctx, const struct report *r)
{
	struct seen *s = ctx;

	assert_true(r->start <= r->end);
	assert_true(r->end <= s->log_len);
	assert_true(*r->title && strlen(r->title) <= REPORT_TITLE_BYTES);
	s->nr++;
	buf_printf(&s->text,
		   "%s|%s|%s|%d%d%d|%llu-%llu|%zu\n%s\n" SLICE_FMT "\n",
		   r->title, r->frame, r->corrupted ? r->corrupted : "",
		   r->suppressed, r->panicked, r->has_executor,
		   (unsigned long long)r->start, (unsigned long long)r->end,
		   r->headline, r->explanation, SLICE_ARG(r->text));
	for (size_t i = 0; i < r->nr_alts; i++)
		buf_printf(&s->text, "alt %s\n", r->alts[i]);
	return NULL;
}

static uint32_t rnd(uint64_t *seed)
{
	*seed = *seed * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(*seed >> 33);
}

/* Parse in pieces of up to `max` bytes, random unless `max` is 1. */
static struct seen parse(struct slice log, size_t max)
{
	struct seen s = { .log_len = log.len };
	_cleanup_(report_stream_freep) struct report_stream *stream =
		report_stream_new(note, &s);
	uint64_t seed = max;

	while (log.len) {
		size_t n = max == 1 ? 1 : 1 + rnd(&seed) % max;

		n = MIN(n, log.len);
		/* a copy of the right size: nobody may keep pointers to it */
		char *piece = malloc(n);
		memcpy(piece, log.p, n);
		assert_null(report_feed(stream, (struct slice){ piece, n }));
		free(piece);
		log = slice_from(log, n);
	}
	assert_null(report_finish(stream));
	return s;
}

static void assert_same_in_pieces(struct slice log, const char *name)
{
	static const size_t sizes[] = { 1, 7, 100, 4096, 70000 };
	struct seen whole = { .log_len = log.len };

	assert_null(report_parse(log, note, &whole));
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		struct seen s = parse(log, sizes[i]);

		if (strcmp(buf_cstr(&s.text), buf_cstr(&whole.text)) != 0)
			print_error("%s differs in pieces of %zu\n", name,
				    sizes[i]);
		assert_string_equal(buf_cstr(&s.text), buf_cstr(&whole.text));
		buf_deinit(&s.text);
	}
	buf_deinit(&whole.text);
}

/* Add the files of a directory, in order; false: there is none. */
static bool add_logs(const char *dir, struct buf *all, bool check)
{
	_cleanup_(buf_deinit) struct buf path = {};
	struct dirent **names;

	buf_printf(&path, "%s/../shared/%s", getenv("ROOT"), dir);
	int n = scandir(buf_cstr(&path), &names, NULL, alphasort);
	size_t before = all->len;
	for (int i = 0; i < n; i++) {
		_cleanup_(buf_deinit) struct buf file = {}, log = {};

		buf_printf(&file, "%s/%s", buf_cstr(&path), names[i]->d_name);
		if (names[i]->d_name[0] != '.') {
			assert_null(io_read_file(file.data, 1 << 24, &log));
			if (check)
				assert_same_in_pieces(buf_as_slice(&log),
						      file.data);
			buf_slice(all, buf_as_slice(&log));
		}
		free(names[i]);
	}
	if (n < 0)
		return false;
	free(names);
	assert_true(all->len > before); /* it is there, and empty? */
	return true;
}

static void pieces_do_not_matter(void **state)
{
	_cleanup_(buf_deinit) struct buf all = {};

	if (!add_logs("corpus/report", &all, true) ||
	    !add_logs("seeds", &all, true))
		SKIP_TEST("no ../shared");
}

/* All logs as one: reports in each other's history and reach. */
static void pieces_do_not_matter_in_a_long_log(void **state)
{
	_cleanup_(buf_deinit) struct buf all = {};

	if (!add_logs("seeds", &all, false) ||
	    !add_logs("corpus/report", &all, false))
		SKIP_TEST("no ../shared");
	assert_same_in_pieces(buf_as_slice(&all), "all logs");
}

/* Text that is dense with everything the stream has to decide about. */
static void random_log(uint64_t *seed, struct buf *b)
{
	static const char *const lines[] = {
		"------------[ cut here ]------------\n",
		"BUG: KASAN: use-after-free in f+0x1/0x2\n",
		"Read of size 8 at addr ffff888000000000 by task x/1\n",
		"WARNING: CPU: 1 PID: 2 at fs/a.c:3 g+0x1/0x2\n",
		"kernel BUG at fs/a.c:3!\n",
		"BUG: Bad rss-counter state mm:1 idx:2 val:3\n",
		"Call Trace:\n",
		" h+0x1/0x2\n",
		" ? i+0x1/0x2\n",
		" </IRQ>\n",
		"---[ end trace 0123456789abcdef ]---\n",
		"RIP: 0010:j+0x1/0x2\n",
		"Kernel panic - not syncing: Fatal exception\n",
		"Rebooting in 86400 seconds..\n",
		"Sending NMI from CPU 1 to CPUs 0:\n",
		"NMI backtrace for cpu 0\n",
		"==========================================\n",
		"** replaying previous printk message **\n",
		"BUG: KASAN: use-after-free in f+0x1/0\n",
		"Booting the kernel.\n",
		"\n",
		"noise\n",
		"INFO: task x:1 blocked for more than 1 seconds.\n",
		"BUG: unable to handle", /* without its end */
	};
	unsigned callers = rnd(seed) % 2 ? 4 : 3000;
	unsigned shape = rnd(seed) % 4;
	size_t len = 20000 + rnd(seed) % 40000;

	if (rnd(seed) % 8 == 0)
		len *= 40; /* beyond the window */
	while (b->len < len) {
		unsigned k = rnd(seed) % (ARRAY_LEN(lines) + 1);

		if (shape && rnd(seed) % 2)
			buf_printf(b, "[ %u.%u][ T%u] ", rnd(seed) % 9, 1u,
				   rnd(seed) % callers);
		else if (shape == 2)
			buf_printf(b, "[ %u.%u] ", 1u, 2u);
		if (k < ARRAY_LEN(lines))
			buf_str(b, lines[k]);
		for (unsigned n = rnd(seed) % 300; k == 24 && n; n--)
			buf_str(b, n % 40 ? "quiet text without a line end " :
					    "it ends\n");
	}
}

static void pieces_do_not_matter_in_random_logs(void **state)
{
	for (uint64_t round = 1; round <= 60; round++) {
		_cleanup_(buf_deinit) struct buf log = {};
		uint64_t seed = round;
		char name[32];

		random_log(&seed, &log);
		snprintf(name, sizeof(name), "random log %u", (unsigned)round);
		assert_same_in_pieces(buf_as_slice(&log), name);
	}
}

#define CRASH                                                                  \
	"[    1.000000] BUG: KASAN: use-after-free in f+0x1/0x2\n"             \
	"[    1.000000] Read of size 8 at addr ffff888000000000 by task x/1\n" \
	"[    1.000000] Call Trace:\n"                                         \
	"[    1.000000]  g+0x1/0x2\n"

static void silence_completes_a_report(void **state)
{
	struct seen s = { .log_len = 1000 };
	_cleanup_(report_stream_freep) struct report_stream *stream =
		report_stream_new(note, &s);

	assert_null(report_idle(stream));
	assert_null(report_feed(stream, SLICE(CRASH "[    1.0] unfini")));
	assert_int_equal(s.nr, 0);
	assert_null(report_idle(stream));
	assert_int_equal(s.nr, 1);
	assert_null(strstr(buf_cstr(&s.text), "unfini"));
	assert_null(report_feed(stream, SLICE("shed\n" CRASH)));
	assert_null(report_finish(stream));
	assert_int_equal(s.nr, 2);
	buf_deinit(&s.text);
}

/* What dmesg --color=always makes of one line. */
#define RED(first, rest)                               \
	"\x1b[32m[    1.000000] \x1b[0m\x1b[33m" first \
	"\x1b[0m\x1b[7m\x1b[31m" rest "\x1b[0m\n"

/* Colours are no text, wherever they stand, and count in the offsets. */
static void colours_are_left_out(void **state)
{
	static const char log[] =
		"[ 1.0] [\x1b[0;32m  OK  \x1b[0m] Started\n" RED(
			"BUG: ", "KASAN: use-after-free in f+0x1/0x2")
			RED("",
			    "Read of size 8 at addr ffff888000000000 by task x/1")
				RED("Call Trace:", "") RED("", " g+0x1/0x2")
		/* none: not a sequence, not ended, too long */
		"[    1.000000]  \x1b(h+0x1/0x2\n"
		"[    1.000000]  \x1b[\x1b[1;\n"
		"[    1.000000]  \x1b[0000000000000000000000000000000000m\n"
		"[    1.000000] end \x1b[";
	struct slice text = { log, sizeof(log) - 1 };
	struct seen s = { .log_len = text.len };

	assert_null(report_parse(text, note, &s));
	assert_int_equal(s.nr, 1);
	const char *seen = buf_cstr(&s.text);
	assert_non_null(strstr(seen, "KASAN: use-after-free Read in f|"));
	assert_non_null(strstr(seen, "[  OK  ] Started\nBUG: KASAN: use"));
	assert_non_null(strstr(seen, "\n g+0x1/0x2\n (h+0x1/0x2\n [[1;\n"));
	assert_non_null(strstr(seen, "00m\nend [\n"));
	buf_deinit(&s.text);
	assert_same_in_pieces(text, "colours");
}

static struct error *note_offsets(void *ctx, const struct report *r)
{
	VEC(uint64_t) *offsets = ctx;

	vec_push(offsets, r->start);
	vec_push(offsets, r->end);
	return NULL;
}

/* Offsets are those of the log, however long ago the colours were. */
static void offsets_count_colours(void **state)
{
	_cleanup_(buf_deinit) struct buf log = {};
	VEC(uint64_t) want = {}, got = {};

	for (int i = 0; i < 30; i++) {
		for (int k = 0; k < 700; k++)
			buf_str(&log, RED("a: ", "all is well"));
		vec_push(&want, log.len);
		buf_str(&log, RED("BUG: ", "KASAN: use-after-free in f"));
		buf_str(&log, RED("", "Read of size 8 at addr 0 by task x/1"));
		buf_str(&log, RED("", "Call Trace:"));
		buf_str(&log, RED("", " g+0x1/0x2"));
		buf_str(&log, "[ 1.0] =================================");
		vec_push(&want, log.len);
		buf_str(&log, "\n");
	}
	assert_null(report_parse(buf_as_slice(&log), note_offsets, &got));
	assert_int_equal(got.len, want.len);
	for (size_t i = 0; i < want.len; i++)
		assert_int_equal(got.data[i], want.data[i]);
	vec_free(&want);
	vec_free(&got);
}

/* The log goes on, but the report has not grown from one tick to the next. */
static void ticks_complete_a_report(void **state)
{
	struct seen s = { .log_len = 2000 };
	_cleanup_(report_stream_freep) struct report_stream *stream =
		report_stream_new(note, &s);

	assert_null(report_tick(stream));
	assert_null(report_feed(stream, SLICE(CRASH)));
	assert_null(report_tick(stream));
	assert_null(report_feed(stream, SLICE("[    1.0]  grows+0x1/0x2\n"
					      "[    1.0] all is well\n")));
	assert_null(report_tick(stream));
	assert_int_equal(s.nr, 0);
	assert_null(report_feed(stream, SLICE("[    1.0] all is well\n")));
	assert_null(report_tick(stream));
	assert_int_equal(s.nr, 1);
	assert_non_null(strstr(buf_cstr(&s.text), "grows+0x1"));
	assert_null(report_tick(stream));
	assert_null(report_tick(stream));
	assert_int_equal(s.nr, 1);
	/* the next one has only begun: it is not cut */
	assert_null(report_feed(stream, SLICE(CRASH "[    1.0] BUG: KASAN: ")));
	assert_null(report_tick(stream));
	assert_null(report_feed(stream, SLICE("double-free in k+0x1/0x2\n"
					      "[    1.0] Call Trace:\n")));
	assert_null(report_tick(stream));
	assert_null(report_tick(stream));
	assert_int_equal(s.nr, 2);
	assert_null(report_tick(stream));
	assert_null(report_feed(stream, SLICE("[    1.0]  late+0x1/0x2\n")));
	assert_null(report_finish(stream));
	assert_int_equal(s.nr, 3);
	assert_non_null(strstr(buf_cstr(&s.text), "late+0x1"));
	buf_deinit(&s.text);
}

/* Half a headline says nothing yet, however long the console pauses. */
static void silence_does_not_cut_a_headline(void **state)
{
	struct seen s = { .log_len = 1000 };
	_cleanup_(report_stream_freep) struct report_stream *stream =
		report_stream_new(note, &s);

	assert_null(report_feed(stream, SLICE("[    1.0] BUG: KASAN: use-a")));
	assert_null(report_idle(stream));
	assert_null(report_feed(stream, SLICE("fter-free in f+0x1/0x2\n")));
	assert_null(report_finish(stream));
	assert_int_equal(s.nr, 1);
	assert_non_null(strstr(buf_cstr(&s.text), "KASAN: use-after-free"));
	buf_deinit(&s.text);
}

static void nothing_is_found_in_nothing(void **state)
{
	struct seen s = {};

	assert_null(report_parse((struct slice){ NULL, 0 }, note, &s));
	assert_null(report_parse(SLICE(""), note, &s));
	assert_null(report_parse(SLICE("\n"), note, &s));
	assert_null(report_parse(SLICE("BUG"), note, &s));
	assert_int_equal(s.nr, 0);
}

static struct error *refuse(void *ctx, const struct report *r)
{
	return error_new(ERR_CANCELLED, "enough");
}

static void errors_of_the_callback_come_back(void **state)
{
	struct error *err = report_parse(SLICE(CRASH), refuse, NULL);

	assert_int_equal(error_kind(err), ERR_CANCELLED);
	error_free(err);
}

/* The limits that report.h promises. */
static void reports_are_bounded(void **state)
{
	_cleanup_(buf_deinit) struct buf log = {};
	struct seen s = { .log_len = 1 << 30 };

	buf_str(&log, CRASH);
	for (int i = 0; i < 50000; i++)
		buf_str(&log, "[    1.000000]  g+0x1/0x2\n");
	buf_str(&log, CRASH);
	assert_null(report_parse(buf_as_slice(&log), note, &s));
	assert_int_equal(s.nr, 2);
	assert_true(s.text.len < 2 * REPORT_MAX_LINES * 32);
	buf_deinit(&s.text);
}

/* A caller is not lost because another one has the same place in a table. */
static void many_callers_are_told_apart(void **state)
{
	_cleanup_(buf_deinit) struct buf log = {};
	struct seen s = { .log_len = 1 << 30 };

	buf_str(&log, "[ 1.0][ T1] BUG: KASAN: use-after-free in f+0x1/0x2\n"
		      "[ 1.0][ T1] Read of size 8 at addr 0 by task x/1\n"
		      "[ 1.0][ T1] Call Trace:\n");
	for (int i = 0; i < 2000; i++)
		buf_printf(&log, "[ 1.0][ T%d] noise\n", 100 + i * 8);
	buf_str(&log, "[ 1.0][ T1]  the_end+0x1/0x2\n");
	assert_null(report_parse(buf_as_slice(&log), note, &s));
	assert_int_equal(s.nr, 1);
	assert_non_null(strstr(buf_cstr(&s.text), "the_end"));
	buf_deinit(&s.text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pieces_do_not_matter),
		cmocka_unit_test(pieces_do_not_matter_in_a_long_log),
		cmocka_unit_test(pieces_do_not_matter_in_random_logs),
		cmocka_unit_test(silence_completes_a_report),
		cmocka_unit_test(ticks_complete_a_report),
		cmocka_unit_test(silence_does_not_cut_a_headline),
		cmocka_unit_test(colours_are_left_out),
		cmocka_unit_test(offsets_count_colours),
		cmocka_unit_test(nothing_is_found_in_nothing),
		cmocka_unit_test(errors_of_the_callback_come_back),
		cmocka_unit_test(reports_are_bounded),
		cmocka_unit_test(many_callers_are_told_apart),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
