/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * c_encoded.c - what is not in the program's tree but in what the executor gets
 * of it: images without compression, and checksums.
 */
#include "prog/c.h"
#include "wire/wire.h"

void c_next_call(struct c_out *c)
{
	const struct wire_insn *in;
	struct slice operands;
	const char *end = c->encoded_call.p + c->encoded_call.len;
	struct slice left = slice_range(end, c->encoded.p + c->encoded.len);

	c->encoded_call = left;
	while (wire_insn_next(&left, &in, &operands) && in->op != WIRE_CALL)
		;
	c->encoded_call.len -= left.len;
}

/* ---- Checksums --------------------------------------------------------------------- */

static bool is_late(const struct c_out *c, uint64_t off)
{
	struct slice left = c->encoded_call, operands;
	const struct wire_insn *in;

	while (wire_insn_next(&left, &in, &operands))
		if (in->op == WIRE_CSUM && in->off == off)
			return true;
	return false;
}

bool c_sum(const struct c_out *c, uint64_t off, uint16_t *value)
{
	struct slice left = c->encoded_call, operands;
	const struct wire_insn *in;
	bool known = false;

	while (wire_insn_next(&left, &in, &operands)) {
		if (in->op != WIRE_COPYIN || off < in->off ||
		    off + sizeof(*value) > in->off + in->len)
			continue;
		memcpy(value, operands.p + (off - in->off), sizeof(*value));
		known = true;
	}
	return known && !is_late(c, off);
}

static void put_chunk(struct c_out *c, const struct wire_chunk *k)
{
	buf_str(c->body, "\t\t{ ");
	if (k->kind == WIRE_CHUNK_DATA)
		buf_printf(c->body, "data + %#llx",
			   (unsigned long long)k->value);
	else
		c_literal(c->body, (const char *)&k->value, k->len);
	buf_printf(c->body, ", %u },\n", k->len);
}

void c_late_sums(struct c_out *c)
{
	struct slice left = c->encoded_call, operands;
	const struct wire_insn *in;

	while (wire_insn_next(&left, &in, &operands)) {
		if (in->op != WIRE_CSUM)
			continue;
		c_helper(c, "checksum");
		c->data = true;
		buf_printf(c->body,
			   "\tchecksum(data + %#llx, (struct covered[]){\n",
			   (unsigned long long)in->off);
		for (uint32_t i = 0; i < in->nargs; i++)
			put_chunk(c, (const struct wire_chunk *)(const void *)
						     operands.p +
					     i);
		buf_str(c->body, "\t\t{ 0 } });\n");
	}
}

/* ---- Images ------------------------------------------------------------------------- */

enum { LINE_BYTES = 32 };

static void put_run(struct buf *out, const struct wire_run *r)
{
	const char *bytes = (const char *)(r + 1);

	buf_printf(out, "\t{ %#llx, %u,", (unsigned long long)r->off, r->len);
	for (uint32_t i = 0; i < r->len; i += LINE_BYTES) {
		buf_str(out, "\n\t  ");
		c_literal(out, bytes + i, MIN(r->len - i, LINE_BYTES + 0u));
	}
	buf_str(out, " },\n");
}

static void put_image(struct c_out *c, const struct wire_insn *in,
		      struct slice runs)
{
	buf_printf(&c->images, "static const struct run image_%u[] = {\n",
		   c->call);
	for (size_t at = 0; at + sizeof(struct wire_run) <= runs.len;) {
		const struct wire_run *r = (const void *)(runs.p + at);

		put_run(&c->images, r);
		at += sizeof(*r) + ((r->len + 7u) & ~7u);
	}
	buf_printf(&c->images, "\t{ %#llx, 0, NULL }\n};\n\n",
		   (unsigned long long)in->off);
}

bool c_image(struct c_out *c)
{
	struct slice left = c->encoded_call, operands;
	const struct wire_insn *in;

	while (wire_insn_next(&left, &in, &operands))
		if (in->op == WIRE_IMAGE) {
			put_image(c, in, operands);
			return true;
		}
	return false;
}
