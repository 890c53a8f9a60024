/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fuzz_report.c - a whole log, in pieces and at once.
 *
 * The first byte chooses the sizes of the pieces, the rest is the log.  What
 * report.h promises is checked, and that both ways find the same.
 */
#include "target.h"

#include "base/buf.h"
#include "report/report.h"

struct found {
	size_t log_len;
	struct buf text;
};

static struct error *check(void *ctx, const struct report *r)
{
	struct found *f = ctx;
	size_t len = strlen(r->title);

	ensure(r->start <= r->end && r->end <= f->log_len);
	ensure(len > 0 && len <= REPORT_TITLE_BYTES);
	for (size_t i = 0; i < len; i++)
		ensure(r->title[i] >= ' ' && r->title[i] < 127);
	ensure(r->nr_alts <= REPORT_MAX_ALTS);
	for (size_t i = 0; i + 1 < r->nr_alts; i++)
		ensure(strcmp(r->alts[i], r->alts[i + 1]) < 0);
	ensure(r->frame && r->key && r->explanation);
	ensure(report_type_name(r->type) != NULL);
	ensure(r->text.len > 0 && r->text.p[r->text.len - 1] == '\n');
	for (size_t i = 0; i < r->text.len; i++)
		ensure(r->text.p[i] == '\n' || r->text.p[i] == '\t' ||
		       (unsigned char)r->text.p[i] >= ' ');
	static struct report_frame frames[REPORT_MAX_FRAMES];
	ensure(r->headline < r->text.len);
	size_t n = report_frames(r->text, frames, ARRAY_LEN(frames));
	for (size_t i = 0; i < n; i++) {
		ensure(frames[i].function.len > 0);
		ensure(frames[i].function.p >= r->text.p &&
		       frames[i].function.p < r->text.p + r->text.len);
	}
	buf_printf(&f->text, "%s %d%d %llu %llu %s\n", r->title, r->type,
		   r->panicked, (unsigned long long)r->start,
		   (unsigned long long)r->end, r->corrupted ? "c" : "");
	buf_slice(&f->text, r->text);
	return NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (!size)
		return 0;
	struct slice log = { (const char *)data + 1, size - 1 }, rest = log;
	struct found pieces = { .log_len = log.len }, whole = pieces;
	struct report_stream *s = report_stream_new(check, &pieces);
	size_t step = 1 + (size_t)*data * *data / 8;

	while (rest.len) {
		size_t n = MIN(rest.len, step);
		char *piece = fuzz_copy(rest.p, n);

		ensure(!report_feed(s, (struct slice){ piece, n }));
		free(piece);
		rest = slice_from(rest, n);
	}
	ensure(!report_finish(s));
	report_stream_free(s);
	ensure(!report_parse(log, check, &whole));
	ensure(slice_eq(buf_as_slice(&pieces.text), buf_as_slice(&whole.text)));
	buf_deinit(&pieces.text);
	buf_deinit(&whole.text);

	/* Silence anywhere may cut a report short, but breaks no promise. */
	struct found idle = { .log_len = log.len };
	s = report_stream_new(check, &idle);
	for (rest = log; rest.len;) {
		size_t n = MIN(rest.len, step);

		ensure(!report_feed(s, (struct slice){ rest.p, n }));
		ensure(!(n % 2 ? report_idle(s) : report_tick(s)));
		rest = slice_from(rest, n);
		if (step < 64)
			step *= 2;
	}
	ensure(!report_finish(s));
	report_stream_free(s);
	buf_deinit(&idle.text);
	return 0;
}
