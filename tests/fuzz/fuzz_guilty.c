/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Input: a title, a newline, a symbolized report.  The answer must be a part
 * of the report.  Seed corpus: ../shared/corpus/guilty.
 */
#include <stddef.h>
#include <stdint.h>

#include "report/guilty.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice text = { (const char *)data, size }, title = {}, got;

	slice_line(&text, &title);
	got = report_guilty_file(title, text);
	if (got.len && (got.p < text.p || got.p + got.len > text.p + text.len))
		__builtin_trap();
	return 0;
}
