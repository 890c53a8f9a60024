/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Input: a program's text, or its wire form.  What parses must come back. */
#include <stddef.h>
#include <stdint.h>

#include "raw/raw.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct raw *p)
{
	_cleanup_(buf_deinit) struct buf wire = {}, one = {}, two = {};
	_cleanup_(raw_freep) struct raw *back = NULL;

	raw_encode(p, &wire);
	raw_to_text(p, &one);
	if (raw_decode(buf_as_slice(&wire), RAW_X86_64, &back))
		__builtin_trap();
	raw_to_text(back, &two);
	if (!slice_eq(buf_as_slice(&one), buf_as_slice(&two)))
		__builtin_trap();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice in = { (const char *)data, size };
	_cleanup_(raw_freep) struct raw *p = NULL, *q = NULL;
	struct error *err = raw_parse("fuzz", in, RAW_X86_64, &p);

	if (!err)
		check(p);
	error_free(err);
	err = raw_decode(in, RAW_X86_64, &q);
	if (!err)
		check(q);
	error_free(err);
	return 0;
}
