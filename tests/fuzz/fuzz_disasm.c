/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The first byte chooses the processor (low 4 bits), the mark (0x10), and
 * whether the rest is a report or, so that the decoders get their share, raw
 * code for which a Code line of 1, 2 or 4-byte words is written (0x60).
 */
#include <stdint.h>
#include <stdlib.h>

#include "base/buf.h"
#include "elf/disasm.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void code_report(const uint8_t *p, size_t size, size_t unit,
			struct buf *out)
{
	size_t trap = size / unit / 4 * 3;

	buf_str(out, "RIP: 0010:f+0x1/0x2\nCode:");
	for (size_t i = 0; i + unit <= size; i += unit) {
		buf_str(out, i / unit == trap ? " <" : " ");
		for (size_t j = 0; j < unit; j++)
			buf_printf(out, "%02x", p[i + j]);
		buf_str(out, i / unit == trap ? ">" : "");
	}
	buf_char(out, '\n');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(buf_deinit) struct buf report = {}, out = {};

	if (!size)
		return 0;
	struct disasm_opts opts = {
		.arch = (data[0] & 15) % (DISASM_PPC32 + 1),
	};
	unsigned unit_log = data[0] >> 5 & 3;

	if (unit_log == 3)
		buf_add(&report, data + 1, size - 1);
	else
		code_report(data + 1, size - 1, (size_t)1 << unit_log, &report);

	bool found = disasm_append(buf_as_slice(&report), &opts, &out);
	struct slice block = buf_as_slice(&out);
	const char *arrow = slice_find(block, SLICE(" <-- trapping"));

	if (found != (arrow != NULL))
		abort();
	if (!found && out.len)
		abort();
	if (found && slice_has(slice_range(arrow + 1, block.p + block.len),
			       SLICE(" <-- trapping")))
		abort();
	return 0;
}
