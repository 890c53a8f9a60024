/* SPDX-License-Identifier: GPL-2.0-or-later */
/* encode.c - programs to and from wire/format.h's instructions. */
#include "raw/raw.h"
#include "raw/steps.h"

static void put_insn(struct buf *out, const struct wire_insn *in)
{
	buf_add(out, in, sizeof(*in));
}

static void put_copyin(const struct raw *p, const struct value *v, uint64_t off,
		       struct buf *out)
{
	static const char zeroes[8];

	put_insn(out, &(struct wire_insn){ .op = WIRE_COPYIN,
					   .result = WIRE_NO_RESULT,
					   .len = v->len,
					   .off = off });
	if (v->len)
		buf_add(out, p->bytes.data + v->from, v->len);
	buf_add(out, zeroes, -v->len & 7u);
}

/* What has to be in memory before the value is used. */
static void put_memory(const struct raw *p, const struct value *v,
		       struct buf *out)
{
	if (v->kind == VALUE_BYTES)
		put_copyin(p, v, v->off, out);
	else if (v->kind == VALUE_ZERO)
		put_insn(out, &(struct wire_insn){ .op = WIRE_SPACE,
						   .result = WIRE_NO_RESULT,
						   .len = v->len,
						   .off = v->off });
}

static void put_value(const struct value *v, uint32_t size, struct buf *out)
{
	struct wire_arg a = { .size = (uint8_t)size };

	switch (v->kind) {
	case VALUE_CONST:
		a.kind = WIRE_CONST;
		a.value = v->number;
		break;
	case VALUE_RESULT:
		a.kind = WIRE_RESULT;
		a.result = (uint16_t)v->result;
		a.value = RAW_UNSET;
		break;
	case VALUE_BYTES:
	case VALUE_ZERO:
		a.kind = WIRE_DATA;
		a.value = v->off;
		break;
	}
	buf_add(out, &a, sizeof(a));
}

static void put_call(const struct step *s, struct buf *out)
{
	put_insn(out, &(struct wire_insn){ .op = WIRE_CALL,
					   .nargs = (uint8_t)s->nargs,
					   .result = (uint16_t)s->result,
					   .nr = s->nr,
					   .props = s->props,
					   .rerun = s->rerun,
					   .fail_nth = s->fail_nth });
	for (uint32_t i = 0; i < s->nargs; i++)
		put_value(&s->args[i], 0, out);
}

static void put_step(const struct raw *p, const struct step *s, struct buf *out)
{
	struct wire_insn in = { .result = (uint16_t)s->result, .off = s->off };

	if (s->kind == STEP_BYTES) {
		put_copyin(p, &s->args[0], s->off, out);
		return;
	}
	for (uint32_t i = 0; i < s->nargs; i++)
		put_memory(p, &s->args[i], out);
	switch (s->kind) {
	case STEP_CALL:
		put_call(s, out);
		break;
	case STEP_STORE:
		in.op = WIRE_STORE;
		put_insn(out, &in);
		put_value(&s->args[0], s->size, out);
		break;
	default:
		in.op = WIRE_COPYOUT;
		in.len = s->size;
		put_insn(out, &in);
	}
}

void raw_encode(const struct raw *p, struct buf *out)
{
	for (size_t i = 0; i < p->steps.len; i++)
		put_step(p, &p->steps.data[i], out);
	put_insn(out, &(struct wire_insn){ .op = WIRE_END,
					   .result = WIRE_NO_RESULT });
}
