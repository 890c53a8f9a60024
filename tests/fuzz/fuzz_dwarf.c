/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fuzz_dwarf.c - no line table and no unit makes our readers of them crash or
 * take long.
 *
 * The first byte: 1: big endian; 2: a unit, else a line table.  A unit: the
 * offset of its first entry, 2 bytes of the length of .debug_abbrev, that, then
 * .debug_info.
 */
#include <stdint.h>
#include <stdlib.h>

#include "elf/internal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { BUDGET = 10000, DEPTH_MAX = 16 };

static void walk(struct die_unit *u, const struct die *parent, int depth)
{
	struct die die, again;
	uint64_t lo, hi;

	if (depth > DEPTH_MAX || !die_child(u, parent, &die))
		return;
	do {
		die_pc(u, &die, &lo, &hi);
		if (u->budget && (!die_at(u, die_offset(u, &die), &again) ||
				  again.end != die.end))
			abort();
		walk(u, &die, depth + 1);
	} while (die_next(u, &die));
}

static void read_unit(struct slice s, bool is_big)
{
	struct die_unit u = {};
	struct die top;

	if (s.len < 3)
		return;
	unsigned char first = (unsigned char)s.p[0];
	size_t nr = (unsigned char)s.p[1] | (size_t)(unsigned char)s.p[2] << 8;
	struct slice abbrevs = slice_from(s, 3);
	if (nr > abbrevs.len)
		nr = abbrevs.len;
	struct slice info = slice_from(abbrevs, nr);
	abbrevs.len = nr;
	if (die_unit_read(&u, info, abbrevs, is_big, 0, first)) {
		u.budget = BUDGET;
		if (die_at(&u, first, &top))
			walk(&u, &top, 0);
	}
	die_unit_free(&u);
}

static void read_lines(struct slice s, bool is_big)
{
	struct dwarf_sections sections = { .line = s, .is_big = is_big };
	struct line_table t = {};
	struct line_row row;

	line_table_read(&t, &sections, 0);
	for (size_t i = 0; i < t.marks.len && i < 64; i++) {
		const struct line_mark *m = &t.marks.data[i];

		/* The row of an address is one that begins before it. */
		if (line_table_find(&t, m->lo, &row) && row.addr > m->lo)
			abort();
		if (line_table_find(&t, m->hi - 1, &row) &&
		    (row.addr >= m->hi || !row.file->name))
			abort();
	}
	line_table_free(&t);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice s = { (const char *)data, size };

	if (!size)
		return 0;
	if (data[0] & 2)
		read_unit(slice_from(s, 1), data[0] & 1);
	else
		read_lines(slice_from(s, 1), data[0] & 1);
	return 0;
}
