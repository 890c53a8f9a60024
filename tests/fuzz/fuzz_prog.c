/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Input: a program's text, or its wire form.  What parses must come back. */
#include <stddef.h>
#include <stdint.h>

#include "prog/prog.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct prog *p)
{
	_cleanup_(buf_deinit) struct buf wire = {}, one = {}, two = {};
	_cleanup_(prog_freep) struct prog *back = NULL;

	prog_encode(p, &wire);
	prog_to_text(p, &one);
	if (prog_decode(buf_as_slice(&wire), PROG_X86_64, &back))
		__builtin_trap();
	prog_to_text(back, &two);
	if (!slice_eq(buf_as_slice(&one), buf_as_slice(&two)))
		__builtin_trap();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice in = { (const char *)data, size };
	_cleanup_(prog_freep) struct prog *p = NULL, *q = NULL;
	struct error *err = prog_parse("fuzz", in, PROG_X86_64, &p);

	if (!err)
		check(p);
	error_free(err);
	err = prog_decode(in, PROG_X86_64, &q);
	if (!err)
		check(q);
	error_free(err);
	return 0;
}
