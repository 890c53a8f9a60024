/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Input: a log.  Each program in it has calls, and is itself no log. */
#include "corpus/corpus.h"
#include "target.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(buf_deinit) struct buf out = {};
	char *copy = fuzz_copy(data, size);
	struct slice log = { copy, size }, line;
	bool is_log = corpus_is_log(log);
	size_t n = 0;

	while (corpus_log_next(&log, &out)) {
		struct slice text = buf_as_slice(&out);

		ensure(!corpus_is_log(text));
		while (slice_line(&text, &line))
			ensure(corpus_call_name(line).len);
		n++;
	}
	ensure(is_log || !n);
	ensure(!log.len);
	free(copy);
	return 0;
}
