/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Input: a path, a newline, a MAINTAINERS file (which is also read as a
 * .mailmap).  No address may be listed twice or break the text form.
 */
#include <stddef.h>
#include <stdint.h>

#include "kernel/kernel.h"
#include "kernel/mailmap.h"
#include "kernel/regex.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct slice *list, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (!list[i].len || memchr(list[i].p, '"', list[i].len))
			__builtin_trap();
		for (size_t k = 0; k < i; k++)
			if (slice_eq(list[i], list[k]))
				__builtin_trap();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(maintainers_closep) struct maintainers *m = NULL;
	_cleanup_(recipients_deinit) struct recipients r = {};
	_cleanup_(buf_deinit) struct buf out = {};
	struct slice text = { (const char *)data, size }, path = {};

	slice_line(&text, &path);
	_cleanup_(mailmap_freep) struct mailmap *map = mailmap_parse(text);
	mailmap_address(map, SLICE("A B"), path);

	/* Keywords with a tree but no content there. */
	struct error *err = maintainers_parse(text, "/nonexistent",
					      MAINTAINERS_KEYWORDS, &m);
	if (err) {
		error_free(err);
		return 0;
	}
	maintainers_find(m, path, &r);
	check(r.to.data, r.to.len);
	check(r.cc.data, r.cc.len);
	recipients_to_text(&r, &out);

	/* The same regex engine on longer text. */
	struct regex *re = regex_new(path);

	buf_reserve(&out, 1);
	out.data[out.len] = '\0';
	if (re)
		regex_search(re, buf_as_slice(&out));
	regex_free(re);
	return 0;
}
