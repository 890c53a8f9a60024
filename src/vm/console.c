/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "vm/console.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"

static uint64_t max_u64(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

/* Copy what is kept of [from, to), the part of it nearest to `from`. */
static void copy_range(const struct console *c, uint64_t from, uint64_t to,
		       struct buf *out)
{
	uint64_t at = max_u64(from, c->tail_from);

	if (from < c->head.len && from < to) {
		size_t n = MIN(c->head.len, (size_t)to) - (size_t)from;

		buf_add(out, c->head.data + from, n);
		at = max_u64(at, c->head.len);
		from += n;
	}
	if (at > from && to > at)
		buf_printf(out, "\n[%llu bytes dropped]\n",
			   (unsigned long long)(at - from));
	if (to > at)
		buf_add(out, c->tail.data + (at - c->tail_from),
			(size_t)(to - at));
}

static struct error *on_report(void *ctx, const struct report *r)
{
	struct console *c = ctx;

	if (c->nr_crashes >= VM_MAX_CRASHES / (c->booting ? 2u : 1u))
		return NULL;
	struct vm_crash *crash = &c->crashes[c->nr_crashes];
	struct buf *log = &c->logs[c->nr_crashes++];
	uint64_t from = r->start > CRASH_BEFORE_BYTES ?
				r->start - CRASH_BEFORE_BYTES :
				0;

	*crash = (struct vm_crash){
		.suppressed = r->suppressed,
		.corrupted = r->corrupted != NULL,
		.panicked = r->panicked,
		.start = r->start,
		.end = r->end,
		.seen_ms = c->now_ms,
	};
	snprintf(crash->title, sizeof(crash->title), "%s", r->title);
	copy_range(c, from, MIN(c->total, from + CRASH_LOG_BYTES), log);
	return NULL;
}

void console_deinit(struct console *c)
{
	buf_deinit(&c->head);
	buf_deinit(&c->tail);
	for (size_t i = 0; i < c->nr_crashes; i++)
		buf_deinit(&c->logs[i]);
	if (c->reports)
		report_stream_free(c->reports);
	*c = (struct console){ 0 };
}

void console_reset(struct console *c)
{
	console_deinit(c);
	c->reports = report_stream_new(on_report, c);
}

static void keep(struct console *c, struct slice text)
{
	size_t n = MIN(text.len, VM_HEAD_BYTES - c->head.len);

	buf_add(&c->head, text.p, n);
	text = slice_from(text, n);
	if (!c->tail.len)
		c->tail_from = c->total + n;
	buf_slice(&c->tail, text);
	c->total += n + text.len;
	/* Moving the tail down once per VM_TAIL_BYTES keeps it linear. */
	if (c->tail.len > 2 * (size_t)VM_TAIL_BYTES) {
		size_t drop = c->tail.len - VM_TAIL_BYTES;

		buf_consume(&c->tail, drop);
		c->tail_from += drop;
	}
}

void console_add(struct console *c, struct slice text)
{
	while (text.len) {
		struct slice piece = { text.p, MIN(text.len, (size_t)65536) };

		keep(c, piece);
		/* The callback never fails, so neither does this. */
		error_free(report_feed(c->reports, piece));
		text = slice_from(text, piece.len);
		c->unsettled = true;
	}
}

void console_settle(struct console *c)
{
	if (c->unsettled && c->reports)
		error_free(report_idle(c->reports));
	c->unsettled = false;
}

uint64_t console_read(const struct console *c, uint64_t from, struct buf *out)
{
	copy_range(c, from, c->total, out);
	return c->total;
}

bool console_find(const struct console *c, struct slice text, uint64_t *at)
{
	const char *p = slice_find(buf_as_slice(&c->head), text);

	if (p) {
		*at = (uint64_t)(p - c->head.data);
		return true;
	}
	p = slice_find(buf_as_slice(&c->tail), text);
	if (p)
		*at = c->tail_from + (uint64_t)(p - c->tail.data);
	return p != NULL;
}
