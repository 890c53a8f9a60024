/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fuzz_symbolize.c - no log makes symbolizing crash, lose text or take long.
 *
 * The kernel is this program itself: its functions (and libFuzzer's) are what
 * a lucky input names.  Start from the logs in ../shared/corpus/report.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "elf/elf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct symbols *self(void)
{
	static struct symbols *s;

	if (!s) {
		struct error *err = symbols_open("/proc/self/exe", NULL, &s);

		if (err)
			abort();
	}
	return s;
}

static size_t count_lines(struct slice s)
{
	size_t n = 0;

	for (size_t i = 0; i < s.len; i++)
		n += s.p[i] == '\n';
	return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(buf_deinit) struct buf once = {}, twice = {};
	struct slice text = { (const char *)data, size };

	symbolize_text(self(), text, &once);
	if (once.len < size ||
	    count_lines(buf_as_slice(&once)) < count_lines(text))
		abort();
	symbolize_text(self(), buf_as_slice(&once), &twice);
	if (!slice_eq(buf_as_slice(&once), buf_as_slice(&twice)))
		abort();
	return 0;
}
