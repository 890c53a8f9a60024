/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/diagnosis.h"

#include <stdlib.h>
#include <string.h>

enum { DIGITS = 16 }; /* of an address, as stacks and QEMU print it */

static bool read_address(struct slice s, uint64_t *value)
{
	char digits[DIGITS + 1] = "";
	char *end;

	if (s.len < DIGITS)
		return false;
	memcpy(digits, s.p, DIGITS);
	*value = strtoull(digits, &end, 16);
	return end == digits + DIGITS;
}

/* Behind "[<ffffffff81000000>]" of a stack, "RIP=" and "PC=" of QEMU. */
static void name_address(const struct symbols *s, struct slice line,
			 struct buf *out)
{
	static const struct slice marks[] = { SLICE("[<"), SLICE("IP="),
					      SLICE("PC=") };

	for (size_t i = 0; i < ARRAY_LEN(marks); i++) {
		_cleanup_(buf_deinit) struct buf name = {};
		const char *at = slice_find(line, marks[i]);
		uint64_t address;

		if (!at)
			continue;
		struct slice rest =
			slice_range(at + marks[i].len, line.p + line.len);
		if (!read_address(rest, &address) ||
		    !symbols_name(s, address, &name))
			continue;
		rest = slice_from(rest, DIGITS);
		if (slice_starts(rest, SLICE(">]")))
			rest = slice_from(rest, 2);
		buf_slice(out, slice_range(line.p, rest.p));
		buf_printf(out, " %s", buf_cstr(&name));
		line = rest;
		break;
	}
	buf_slice(out, line);
}

fallible diagnosis_take(struct vm *vm, struct symbols *symbols, struct buf *out)
{
	_cleanup_(buf_deinit) struct buf raw = {}, line = {};
	struct error *err = vm_diagnose(vm, &raw);
	struct slice text = buf_as_slice(&raw), each;

	if (!symbols)
		buf_slice(out, text);
	while (symbols && slice_line(&text, &each)) {
		buf_consume(&line, line.len);
		name_address(symbols, each, &line);
		symbolize_line(symbols, buf_as_slice(&line), out);
	}
	return err;
}
