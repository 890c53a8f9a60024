/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "report/escape.h"

#include <string.h>

enum { ESC = '\x1b' };

void escapes_deinit(struct escapes *e)
{
	vec_free(&e->cuts);
}

void escapes_flush(struct escapes *e, struct buf *text)
{
	buf_add(text, e->held, e->nr_held);
	e->nr_held = 0;
}

/* What was held is a sequence, with one byte more. */
static void cut(struct escapes *e, uint64_t at)
{
	size_t n = e->cuts.len;

	e->total += e->nr_held + 1;
	e->nr_held = 0;
	if (n && e->cuts.data[n - 1].at == at)
		e->cuts.data[n - 1].total = e->total;
	else
		vec_push(&e->cuts, (struct escape_cut){ at, e->total });
}

/* May `c` stand in a sequence that goes on? */
static bool goes_on(const struct escapes *e, char c)
{
	if (e->nr_held == 1)
		return c == '[';
	return c >= ' ' && c <= '?' && e->nr_held < ESCAPE_MAX;
}

void escapes_strip(struct escapes *e, struct slice piece, uint64_t base,
		   struct buf *text)
{
	const char *p = piece.p;

	if (!piece.len)
		return; /* it may be NULL */
	const char *end = p + piece.len;
	while (p < end) {
		if (!e->nr_held) {
			const char *esc = memchr(p, ESC, (size_t)(end - p));
			const char *stop = esc ? esc : end;

			buf_add(text, p, (size_t)(stop - p));
			p = stop;
			if (esc)
				e->held[e->nr_held++] = *p++;
		} else if (goes_on(e, *p)) {
			e->held[e->nr_held++] = *p++;
		} else if (e->nr_held > 1 && *p >= '@' && *p <= '~') {
			cut(e, base + text->len);
			p++;
		} else {
			escapes_flush(e, text);
		}
	}
}

/* How many cuts lie before `offset`. */
static size_t cuts_before(const struct escapes *e, uint64_t offset)
{
	size_t low = 0, high = e->cuts.len;

	while (low < high) {
		size_t mid = (low + high) / 2;

		if (e->cuts.data[mid].at < offset)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

uint64_t escapes_offset(const struct escapes *e, uint64_t offset)
{
	size_t n = cuts_before(e, offset);

	return offset + (n ? e->cuts.data[n - 1].total : e->forgotten);
}

void escapes_forget(struct escapes *e, uint64_t offset)
{
	size_t n = cuts_before(e, offset);

	if (!n)
		return;
	e->forgotten = e->cuts.data[n - 1].total;
	e->cuts.len -= n;
	memmove(e->cuts.data, e->cuts.data + n,
		e->cuts.len * sizeof(*e->cuts.data));
}
