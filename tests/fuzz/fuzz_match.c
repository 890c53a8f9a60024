/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fuzz_match.c - one line: prefix, formats, frames, names, titles.
 *
 * Everything handed out must lie within the line.
 */
#include "target.h"

#include "base/arena.h"
#include "base/buf.h"
#include "report/console.h"
#include "report/demangle.h"
#include "report/formats.h"
#include "report/frames.h"
#include "report/normal.h"

static void within(struct slice part, struct slice whole)
{
	if (part.len)
		ensure(part.p >= whole.p &&
		       part.p + part.len <= whole.p + whole.len);
}

static void try_frames(struct slice text)
{
	struct report_frame f;

	(void)frame_parse(text, &f);
	within(f.function, text);
	within(f.module, text);
	within(f.file, text);
	within(f.callee, text);
	within(function_base(f.function), text);
	(void)frame_parse_at(text, &f);
	within(f.function, text);
}

/* The scanner must see whatever a format can match at the start of a line. */
static void try_formats(struct slice text)
{
	struct hit hit;
	bool found = formats_find(text, &hit);

	if (found) {
		struct match again = { .nr = 0 };

		within(hit.at, text);
		ensure(format_matches(hit.format, &hit, &again));
	}
	for (unsigned i = 0; i < nr_formats; i++) {
		struct match m = { .nr = 0 };
		struct hit here = { .format = &formats[i], .at = text };

		if (format_matches(&formats[i], &here, &m)) {
			ensure(m.nr <= MATCH_MAX);
			for (unsigned k = 0; k < m.nr; k++)
				within(m.value[k], text);
		} else {
			ensure(m.nr == 0);
		}
		m.nr = 0;
		if (formats[i].detail &&
		    match_line(formats[i].detail, text, &m))
			for (unsigned k = 0; k < m.nr; k++)
				within(m.value[k], text);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *copy = fuzz_copy(data, size);
	struct slice raw = { copy, size };
	struct console_line line = console_parse(raw);
	_cleanup_(buf_deinit) struct buf out = {};
	struct arena *arena = arena_new();

	within(line.text, raw);
	/* the rest of the line, or nothing of it */
	ensure(!line.text.len ||
	       line.text.p + line.text.len == raw.p + raw.len);
	ensure(symbol_len(raw) <= raw.len);
	try_frames(raw);
	try_frames(line.text);
	try_formats(line.text);
	normal_append(&out, raw);
	ensure(strlen(normal_title(arena, raw)) <= REPORT_TITLE_BYTES);
	(void)demangle(arena, raw);
	arena_free(arena);
	free(copy);
	return 0;
}
