/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * mutate.c - damaged logs by the million: mutate DIR N [SEED [FIRST]]
 *
 * Takes the logs in DIR, makes N mutants of them the way consoles, editors
 * and serial lines damage logs, and parses each.  Mutant i depends on DIR,
 * SEED and i only: a finding is repeated with FIRST=i and N=1.  The sanitizers
 * find what is wrong with memory; broken promises of report.h abort.
 */
#include <dirent.h>
#include <stdio.h>
#include <time.h>

#include "base/buf.h"
#include "base/io.h"
#include "base/vec.h"
#include "report/report.h"

enum { MAX_LOG = 1 << 20, MAX_MUTANT = 128 * 1024 };

static VEC(struct buf) logs;
static uint64_t rng, mutant, reports;

static uint32_t rnd(uint32_t below)
{
	rng ^= rng << 13;
	rng ^= rng >> 7;
	rng ^= rng << 17;
	return below ? (uint32_t)(rng >> 32) % below : 0;
}

static void promise(bool kept, const char *what)
{
	if (kept)
		return;
	fprintf(stderr, "mutant %llu: %s\n", (unsigned long long)mutant, what);
	abort();
}

static struct error *check(void *ctx, const struct report *r)
{
	static struct report_frame frames[REPORT_MAX_FRAMES];
	const struct slice *log = ctx;
	size_t len = strlen(r->title);

	reports++;
	promise(r->start <= r->end && r->end <= log->len, "offsets");
	promise(len && len <= REPORT_TITLE_BYTES, "length of the title");
	for (size_t i = 0; i < len; i++)
		promise(r->title[i] >= ' ' && r->title[i] < 127, "title");
	promise(r->text.len && r->text.p[r->text.len - 1] == '\n', "text");
	promise(r->headline < r->text.len, "headline");
	size_t n = report_frames(slice_from(r->text, r->headline), frames,
				 REPORT_MAX_FRAMES);
	promise(n <= REPORT_MAX_FRAMES, "number of frames");
	for (size_t i = 0; i < n; i++)
		promise(frames[i].function.len > 0, "a frame's name");
	return NULL;
}

static struct slice some_log(void)
{
	return buf_as_slice(&logs.data[rnd((uint32_t)logs.len)]);
}

/* A piece of `s`, of any length up to `most`. */
static struct slice piece(struct slice s, size_t most)
{
	if (!s.len)
		return SLICE("");
	size_t from = rnd((uint32_t)s.len + 1);
	size_t left = MIN(s.len - from, most);

	return (struct slice){ s.p + from, rnd((uint32_t)left + 1) };
}

static void cut(struct buf *b)
{
	struct slice part = piece(buf_as_slice(b), b->len);
	struct buf out = {};

	buf_slice(&out, part);
	buf_deinit(b);
	*b = out;
}

/* Two consoles on one line, or two CPUs without caller tags. */
static void interleave(struct buf *b)
{
	struct slice one = buf_as_slice(b), two = some_log(), line;
	struct buf out = {};

	while (one.len || two.len) {
		struct slice *from = rnd(2) ? &one : &two;

		if (!slice_line(from, &line))
			continue;
		buf_slice(&out, line);
		if (rnd(50))
			buf_char(&out, '\n');
	}
	buf_deinit(b);
	*b = out;
}

static void insert(struct buf *b, struct slice what)
{
	size_t at = rnd((uint32_t)b->len + 1);
	struct buf out = {};

	buf_add(&out, b->data, at);
	buf_slice(&out, what);
	buf_add(&out, buf_cstr(b) + at, b->len - at);
	buf_deinit(b);
	*b = out;
}

static void duplicate(struct buf *b)
{
	insert(b, piece(buf_as_slice(b), 4096));
}

static void flip(struct buf *b)
{
	for (uint32_t n = 1 + rnd(64); b->len && n; n--)
		b->data[rnd((uint32_t)b->len)] ^= (char)(1u << rnd(8));
}

/* Bytes that some part of the parser treats specially. */
static void specials(struct buf *b)
{
	static const char odd[] = "\0\n\r\t []<>(){}+:;,#?0fx\xff\x7f";

	for (uint32_t n = 1 + rnd(32); b->len && n; n--)
		b->data[rnd((uint32_t)b->len)] = odd[rnd(sizeof(odd) - 1)];
}

/* Give lines other prefixes. */
static void prefixes(struct buf *b)
{
	struct slice rest = buf_as_slice(b), line;
	uint32_t kind = rnd(8), callers = 1 + rnd(5);
	struct buf out = {};

	while (slice_line(&rest, &line)) {
		const char *close = slice_find(line, SLICE("] "));
		uint32_t who = rnd(callers);

		if (close && rnd(4))
			line = slice_range(close + 2, line.p + line.len);
		switch (kind) {
		case 0:
			buf_printf(&out, "[%5u.%06u][%s%u] ", rnd(99999),
				   rnd(999999), who % 2 ? "    C" : "  T", who);
			break;
		case 1:
			buf_printf(&out, "<%u>[    1.2] ", rnd(8));
			break;
		case 2:
			buf_printf(&out, "6,%u,%u,-,caller=T%u;", rnd(9999),
				   rnd(99999), who);
			break;
		case 3:
			buf_str(&out, "Nov 21 03:16:24 host kernel: ");
			break;
		case 4:
			buf_printf(&out, "[ 1.%u] ", rnd(1000));
			break;
		case 6:
			buf_printf(&out, "\x1b[32m[%5u.%06u] \x1b[0m\x1b[31m",
				   rnd(99999), rnd(999999));
			break;
		default:
			break;
		}
		buf_slice(&out, line);
		buf_str(&out, kind == 5 ? "\r\n" : "\n");
	}
	buf_deinit(b);
	*b = out;
}

static void join(struct buf *b)
{
	buf_slice(b, some_log());
}

static void splice(struct buf *b)
{
	insert(b, piece(some_log(), 4096));
}

static void make_mutant(struct buf *b)
{
	static void (*const ways[])(struct buf *) = {
		cut,	  interleave, duplicate, flip,
		specials, prefixes,   join,	 splice,
	};

	buf_slice(b, some_log());
	for (uint32_t n = 1 + rnd(4); n && b->len < MAX_MUTANT; n--)
		ways[rnd(ARRAY_LEN(ways))](b);
	if (b->len > MAX_MUTANT)
		b->len = MAX_MUTANT;
}

/* Most in one piece, some in many: pointers must survive a moving buffer. */
static void parse(struct slice log)
{
	_cleanup_(report_stream_freep) struct report_stream *s =
		report_stream_new(check, &log);
	struct slice rest = log;
	uint32_t most = rnd(4) ? 1 << 20 : 1 + rnd(5000);

	while (rest.len) {
		size_t n = MIN(rest.len,
			       (size_t)(most > 5000 ? most : 1 + rnd(most)));

		error_free(report_feed(s, (struct slice){ rest.p, n }));
		rest = slice_from(rest, n);
		if (most <= 5000 && !rnd(100))
			error_free(report_idle(s));
		if (most <= 5000 && !rnd(20))
			error_free(report_tick(s));
	}
	error_free(report_finish(s));
}

static int load(const char *dir)
{
	struct dirent **names;
	int n = scandir(dir, &names, NULL, alphasort);

	for (int i = 0; i < n; i++) {
		_cleanup_(buf_deinit) struct buf path = {};
		struct buf log = {};

		buf_printf(&path, "%s/%s", dir, names[i]->d_name);
		struct error *err = io_read_file(path.data, MAX_LOG, &log);
		if (!err && log.len)
			vec_push(&logs, log);
		error_free(err);
		free(names[i]);
	}
	if (n >= 0)
		free(names);
	return logs.len ? 0 : 77;
}

int main(int argc, char **argv)
{
	uint64_t bytes = 0, slowest = 0;
	double worst = 0;
	struct timespec t0, t1, t2;

	if (argc < 3) {
		fputs("usage: mutate DIR N [SEED [FIRST]]\n", stderr);
		return 2;
	}
	int status = load(argv[1]);
	if (status) {
		printf("SKIP: no logs in %s\n", argv[1]);
		return status;
	}
	uint64_t n = strtoull(argv[2], NULL, 10);
	uint64_t seed = argc > 3 ? strtoull(argv[3], NULL, 10) : 1;
	uint64_t first = argc > 4 ? strtoull(argv[4], NULL, 10) : 0;
	clock_gettime(CLOCK_MONOTONIC, &t0);
	for (mutant = first; mutant < first + n; mutant++) {
		_cleanup_(buf_deinit) struct buf b = {};

		rng = (seed << 40 | (mutant + 1)) * 0x9e3779b97f4a7c15u | 1;
		make_mutant(&b);
		/* the exact size, so that an overrun is seen */
		char *exact = malloc(b.len ? b.len : 1);
		memcpy(exact, buf_cstr(&b), b.len);
		clock_gettime(CLOCK_MONOTONIC, &t1);
		parse((struct slice){ exact, b.len });
		clock_gettime(CLOCK_MONOTONIC, &t2);
		free(exact);
		double ms = (double)(t2.tv_sec - t1.tv_sec) * 1e3 +
			    (double)(t2.tv_nsec - t1.tv_nsec) / 1e6;
		if (ms > worst) {
			worst = ms;
			slowest = mutant;
		}
		bytes += b.len;
		if ((mutant + 1) % 100000 == 0) {
			printf("%llu...\n", (unsigned long long)mutant + 1);
			fflush(stdout);
		}
	}
	printf("%llu mutants of %zu logs, %.1f MB, %llu reports, %.1f s, "
	       "slowest %.1f ms (mutant %llu): no finding\n",
	       (unsigned long long)n, logs.len, (double)bytes / 1e6,
	       (unsigned long long)reports,
	       (double)(t2.tv_sec - t0.tv_sec) +
		       (double)(t2.tv_nsec - t0.tv_nsec) / 1e9,
	       worst, (unsigned long long)slowest);
	vec_for_each(&logs, log)
		buf_deinit(log);
	vec_free(&logs);
	return 0;
}
