/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * line.c - the line table of a unit (DWARF 2 to 5, section 6.2).
 *
 * Not dwarf_getsrclines(): that makes 40 bytes of every row and every file of
 * the unit and sorts them, half of the time that new frames took.  Here the
 * line program is run once to leave a mark every MARK_BYTES; a lookup
 * runs it on from the nearest mark.
 */
#include <dwarf.h>
#include <stdlib.h>
#include <string.h>

#include "elf/internal.h"

enum { MARK_BYTES = 256, OVERLAPS_MAX = 16, FORMATS_MAX = 16 };

/* --- the header --- */

static const char *string_at(struct slice section, uint64_t offset)
{
	return offset < section.len ? section.p + offset : NULL;
}

struct header {
	struct reader r;
	const struct dwarf_sections *sections;
	unsigned version, offset_bytes;
	VEC(const char *) dirs;
};

/* One field of a version 5 entry: a string, or a number. */
static const char *read_form(struct header *h, unsigned form, uint64_t *number)
{
	struct reader *r = &h->r;

	switch (form) {
	case DW_FORM_string:
		return read_str(r);
	case DW_FORM_line_strp:
		return string_at(h->sections->line_str,
				 read_uint(r, h->offset_bytes));
	case DW_FORM_strp:
		return string_at(h->sections->str,
				 read_uint(r, h->offset_bytes));
	case DW_FORM_udata:
		*number = read_uleb(r);
		break;
	case DW_FORM_data1:
		*number = read_u8(r);
		break;
	case DW_FORM_data2:
		*number = read_uint(r, 2);
		break;
	case DW_FORM_data4:
		*number = read_uint(r, 4);
		break;
	case DW_FORM_data8:
		*number = read_uint(r, 8);
		break;
	case DW_FORM_data16:
		read_skip(r, 16);
		break;
	case DW_FORM_block:
		read_skip(r, read_uleb(r));
		break;
	default: /* of unknown size */
		read_fail(r);
	}
	return NULL;
}

static const char *dir_at(const struct header *h, uint64_t i)
{
	return i < h->dirs.len ? h->dirs.data[i] : NULL;
}

/* The directories, or with `files` the files, of a version 5 header. */
static void read_entries(struct header *h, struct line_table *files)
{
	struct {
		uint64_t type, form;
	} format[FORMATS_MAX];
	struct reader *r = &h->r;
	unsigned nr_formats = read_u8(r);

	for (unsigned i = 0; i < nr_formats && i < FORMATS_MAX; i++) {
		format[i].type = read_uleb(r);
		format[i].form = read_uleb(r);
	}
	uint64_t nr = read_uleb(r);
	/* Every form takes a byte at least, so `nr` is bounded by the header. */
	if (nr_formats > FORMATS_MAX || (nr && !nr_formats))
		read_fail(r);
	for (; nr && !r->is_bad; nr--) {
		const char *path = NULL;
		uint64_t dir = 0;

		for (unsigned i = 0; i < nr_formats; i++) {
			uint64_t number = 0;
			const char *s =
				read_form(h, (unsigned)format[i].form, &number);

			if (format[i].type == DW_LNCT_path)
				path = s;
			else if (format[i].type == DW_LNCT_directory_index)
				dir = number;
		}
		if (files)
			vec_push(&files->files,
				 (struct src_file){ .dir = dir_at(h, dir),
						    .name = path });
		else
			vec_push(&h->dirs, path);
	}
}

/* The same before version 5: strings, ended by an empty one. */
static void read_old_entries(struct header *h, struct line_table *t)
{
	const char *s;

	vec_push(&h->dirs, NULL); /* 0: that of the unit */
	while (*(s = read_str(&h->r)))
		vec_push(&h->dirs, s);
	vec_push(&t->files, (struct src_file){ 0 }); /* 0: no file */
	while (*(s = read_str(&h->r))) {
		uint64_t dir = read_uleb(&h->r);

		read_uleb(&h->r); /* time */
		read_uleb(&h->r); /* size */
		vec_push(&t->files,
			 (struct src_file){ .dir = dir_at(h, dir), .name = s });
	}
}

/* What the line program needs; h->r is left at the directories. */
static void read_parameters(struct header *h, struct line_table *t)
{
	struct reader *r = &h->r;
	unsigned max_ops;

	t->min_inst_bytes = read_u8(r);
	max_ops = h->version >= 4 ? read_u8(r) : 1;
	read_u8(r); /* default_is_stmt */
	t->line_base = (int8_t)read_u8(r);
	t->line_range = read_u8(r);
	t->opcode_base = read_u8(r);
	t->operands = r->p; /* their number, from opcode 1 on */
	if (t->opcode_base)
		read_skip(r, t->opcode_base - 1u);
	/* Several operations in one address: no machine that Linux runs on. */
	if (!t->opcode_base || !t->line_range || max_ops != 1)
		read_fail(r);
	else
		t->reciprocal = (1u << 16) / t->line_range + 1;
}

/* Cut h->r to the unit, and t->program out of it. */
static void read_header(struct header *h, struct line_table *t)
{
	struct reader *r = &h->r;
	uint64_t len = read_unit_length(r, &h->offset_bytes);

	if (len > reader_left(r))
		read_fail(r);
	else
		r->end = r->p + len;
	h->version = (unsigned)read_uint(r, 2);
	if (h->version < 2 || h->version > 5)
		read_fail(r);
	if (h->version >= 5)
		read_skip(r, 2); /* sizes of an address and a segment */
	len = read_uint(r, h->offset_bytes);
	t->program = *r;
	read_skip(&t->program, len);
	read_parameters(h, t);
	if (h->version >= 5) {
		read_entries(h, NULL);
		read_entries(h, t);
	} else {
		read_old_entries(h, t);
	}
}

/* --- the program --- */

struct state {
	uint64_t addr;
	uint32_t line, file;
};

static const struct state start = { .line = 1, .file = 1 };

enum step { STEP_ROW, STEP_END, STEP_OUT };

/* True at the end of a sequence. */
static inline bool run_extended(struct reader *r, struct state *s)
{
	uint64_t len = read_uleb(r);
	uint8_t op = len ? read_u8(r) : 0;

	if (!len)
		return false;
	if (op == DW_LNE_set_address && len - 1 <= sizeof(s->addr))
		s->addr = read_uint(r, (unsigned)len - 1);
	else
		read_skip(r, len - 1);
	return op == DW_LNE_end_sequence;
}

static inline void run_standard(const struct line_table *t, struct reader *r,
				uint8_t op, struct state *s)
{
	switch (op) {
	case DW_LNS_advance_pc:
		s->addr += read_uleb(r) * t->min_inst_bytes;
		break;
	case DW_LNS_advance_line:
		s->line += (uint32_t)read_sleb(r);
		break;
	case DW_LNS_set_file:
		s->file = (uint32_t)read_uleb(r);
		break;
	case DW_LNS_set_column:
		read_uleb(r);
		break;
	case DW_LNS_negate_stmt:
		break;
	case DW_LNS_const_add_pc:
		s->addr += (uint64_t)((255 - t->opcode_base) / t->line_range) *
			   t->min_inst_bytes;
		break;
	case DW_LNS_fixed_advance_pc:
		s->addr += read_uint(r, 2);
		break;
	default:
		for (unsigned n = t->operands[op - 1]; n; n--)
			read_uleb(r);
	}
}

/* op / line_range without a division: exact for 8 bits. */
static inline void run_special(const struct line_table *t, uint8_t op,
			       struct state *s)
{
	unsigned n = op - t->opcode_base;
	unsigned steps = n * t->reciprocal >> 16;

	s->addr += (uint64_t)steps * t->min_inst_bytes;
	s->line += (uint32_t)(t->line_base + (int)(n - steps * t->line_range));
}

/* Run to the next row; on copies, which the compiler keeps in registers. */
static enum step run_to_row(const struct line_table *t, struct reader *reader,
			    struct state *state)
{
	struct reader r = *reader;
	struct state s = *state;
	enum step step = STEP_OUT;

	while (r.p < r.end && step == STEP_OUT) {
		uint8_t op = *r.p++;

		if (op >= t->opcode_base) {
			run_special(t, op, &s);
			step = STEP_ROW;
		} else if (!op) {
			if (run_extended(&r, &s))
				step = STEP_END;
		} else if (op == DW_LNS_copy) {
			step = STEP_ROW;
		} else {
			run_standard(t, &r, op, &s);
		}
	}
	*reader = r;
	*state = s;
	return step;
}

/* A mark ends where the next one of its sequence begins. */
static void end_mark(struct line_table *t, uint64_t hi)
{
	struct line_mark *m = &t->marks.data[t->marks.len - 1];

	m->hi = hi;
	if (m->hi <= m->lo)
		t->marks.len--;
}

static void mark_rows(struct line_table *t)
{
	struct reader r = t->program;
	struct state s = start;
	const unsigned char *open = NULL; /* where the last mark is, if it is */
	uint64_t prev = 0;
	enum step step;

	while ((step = run_to_row(t, &r, &s)) != STEP_OUT) {
		bool is_back = s.addr < prev; /* DWARF forbids it */

		if (open &&
		    (step == STEP_END || is_back || r.p - open >= MARK_BYTES)) {
			end_mark(t, is_back ? prev : s.addr);
			open = NULL;
		}
		prev = s.addr;
		if (step == STEP_END) {
			s = start;
			prev = 0;
		} else if (!open) {
			open = r.p;
			vec_push(&t->marks, (struct line_mark){
						    .lo = s.addr,
						    .next_op = r.p,
						    .line = s.line,
						    .file = s.file,
					    });
		}
	}
	if (open) /* a sequence without an end */
		t->marks.len--;
}

/* Most tables are in order already. */
static bool is_sorted(const struct line_table *t)
{
	for (size_t i = 1; i < t->marks.len; i++)
		if (t->marks.data[i - 1].lo > t->marks.data[i].lo)
			return false;
	return true;
}

static int by_lo(const void *a, const void *b)
{
	const struct line_mark *x = a, *y = b;

	if (x->lo != y->lo)
		return x->lo < y->lo ? -1 : 1;
	return x->next_op < y->next_op ? -1 : x->next_op > y->next_op;
}

void line_table_read(struct line_table *t, const struct dwarf_sections *s,
		     uint64_t offset)
{
	struct header h = { .sections = s };

	if (offset >= s->line.len)
		return;
	h.r.p = (const unsigned char *)s->line.p + offset;
	h.r.end = (const unsigned char *)s->line.p + s->line.len;
	h.r.is_big = s->is_big;
	read_header(&h, t);
	vec_free(&h.dirs);
	if (h.r.is_bad || t->program.is_bad)
		return;
	mark_rows(t);
	if (!is_sorted(t))
		qsort(t->marks.data, t->marks.len, sizeof(*t->marks.data),
		      by_lo);
}

void line_table_free(struct line_table *t)
{
	vec_for_each(&t->files, f)
		free(f->path);
	vec_free(&t->files);
	vec_free(&t->marks);
}

struct src_file *line_table_file(const struct line_table *t, uint64_t i)
{
	return i < t->files.len && t->files.data[i].name ? &t->files.data[i] :
							   NULL;
}

static const struct line_mark *mark_at(const struct line_table *t, uint64_t pc)
{
	size_t lo = 0, hi = t->marks.len;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (t->marks.data[mid].lo <= pc)
			lo = mid + 1;
		else
			hi = mid;
	}
	for (int tries = 0; lo-- > 0 && tries < OVERLAPS_MAX; tries++)
		if (pc < t->marks.data[lo].hi)
			return &t->marks.data[lo];
	return NULL;
}

bool line_table_find(const struct line_table *t, uint64_t pc,
		     struct line_row *out)
{
	const struct line_mark *m = mark_at(t, pc);
	struct reader r = t->program;

	if (!m)
		return false;
	struct state s = { .addr = m->lo, .line = m->line, .file = m->file };
	struct state row = s;
	r.p = m->next_op;
	/* The next mark is near, unless opcodes without rows come on end. */
	if (reader_left(&r) > 2 * MARK_BYTES)
		r.end = r.p + 2 * MARK_BYTES;
	while (run_to_row(t, &r, &s) == STEP_ROW && s.addr <= pc &&
	       s.addr >= row.addr)
		row = s;
	*out = (struct line_row){
		.addr = row.addr,
		.file = line_table_file(t, row.file),
		.line = row.line,
	};
	return row.line <= INT32_MAX && out->file;
}
