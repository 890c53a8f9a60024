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

/* ---- And back ------------------------------------------------------------------ */

struct decoder {
	struct raw *p;
	struct slice wire;
	size_t at;
	/* Memory that the next call or store will point to. */
	struct value memory[RAW_MAX_ARGS];
	uint32_t nmemory, taken;
};

static fallible garbled(const struct decoder *d)
{
	return error_new(ERR_INPUT, "byte %zu is not of a program of ours",
			 d->at);
}

static bool get(struct decoder *d, void *to, size_t len)
{
	if (len > d->wire.len - d->at)
		return false;
	memcpy(to, d->wire.p + d->at, len);
	d->at += len;
	return true;
}

static bool decode_value(struct decoder *d, struct value *v, uint32_t *size)
{
	struct wire_arg a;

	if (!get(d, &a, sizeof(a)) || a.flags || a.bit_len)
		return false;
	*v = (struct value){};
	*size = a.size;
	switch (a.kind) {
	case WIRE_CONST:
		v->number = a.value;
		return true;
	case WIRE_RESULT:
		v->kind = VALUE_RESULT;
		v->result = a.result;
		return a.result < WIRE_MAX_RESULTS && a.value == RAW_UNSET;
	case WIRE_DATA:
		if (d->taken == d->nmemory ||
		    d->memory[d->taken].off != a.value)
			return false;
		*v = d->memory[d->taken++];
		return true;
	default:
		return false;
	}
}

static bool decode_bytes(struct decoder *d, const struct wire_insn *in,
			 struct value *v)
{
	size_t padded = ((size_t)in->len + 7) & ~(size_t)7;

	if (padded > d->wire.len - d->at || in->off >= WIRE_DATA_SIZE ||
	    in->len > WIRE_DATA_SIZE - in->off)
		return false;
	*v = (struct value){ .kind = VALUE_BYTES,
			     .from = (uint32_t)d->p->bytes.len,
			     .len = in->len,
			     .off = (uint32_t)in->off };
	buf_add(&d->p->bytes, d->wire.p + d->at, in->len);
	d->at += padded;
	return true;
}

/*
 * Bytes are for the next call when they lie where we would have placed them;
 * what was written at an address of the user's choice (the upper half) is a
 * step of its own.
 */
static bool decode_memory(struct decoder *d, const struct wire_insn *in)
{
	struct value v = { .kind = VALUE_ZERO,
			   .len = in->len,
			   .off = (uint32_t)in->off };

	if (in->op == WIRE_COPYIN && !decode_bytes(d, in, &v))
		return false;
	if (in->off < RAW_PLACED_BYTES) {
		if (in->off != d->p->top || d->nmemory == RAW_MAX_ARGS)
			return false;
		d->memory[d->nmemory++] = v;
		return raw_place(d->p, &v);
	}
	struct step s = { .kind = STEP_BYTES,
			  .result = WIRE_NO_RESULT,
			  .nargs = 1,
			  .off = in->off,
			  .args = { v } };
	return in->op == WIRE_COPYIN && raw_add(d->p, &s);
}

static bool decode_step(struct decoder *d, const struct wire_insn *in)
{
	struct step s = { .result = in->result };
	uint32_t size = 0;

	if (in->result != WIRE_NO_RESULT && in->result >= WIRE_MAX_RESULTS)
		return false;
	if (in->op == WIRE_CALL) {
		s.nr = in->nr;
		s.nargs = in->nargs;
		s.props = in->props;
		s.rerun = in->rerun;
		s.fail_nth = in->fail_nth;
	} else {
		s.kind = in->op == WIRE_STORE ? STEP_STORE : STEP_LOAD;
		s.nargs = in->op == WIRE_STORE;
		s.off = in->off;
		s.size = in->len;
	}
	if (s.nargs > RAW_MAX_ARGS ||
	    (s.kind != STEP_CALL &&
	     (s.off < RAW_PLACED_BYTES || s.off >= WIRE_DATA_SIZE)))
		return false;
	for (uint32_t i = 0; i < s.nargs; i++)
		if (!decode_value(d, &s.args[i], &size))
			return false;
	if (s.kind == STEP_STORE)
		s.size = size;
	if (s.kind != STEP_CALL && s.size != 1 && s.size != 2 && s.size != 4 &&
	    s.size != 8)
		return false;
	if (d->taken != d->nmemory)
		return false;
	d->taken = d->nmemory = 0;
	return raw_add(d->p, &s);
}

fallible raw_decode(struct slice wire, enum raw_arch arch, struct raw **out)
{
	_cleanup_(raw_freep) struct raw *p = raw_new(arch);
	struct decoder d = { .p = p, .wire = wire };
	struct wire_insn in;

	while (get(&d, &in, sizeof(in))) {
		bool ok = false;

		if (in.op == WIRE_END) {
			if (d.nmemory || d.at != wire.len)
				return garbled(&d);
			*out = take_ptr(p);
			return NULL;
		}
		if (in.op == WIRE_COPYIN || in.op == WIRE_SPACE)
			ok = decode_memory(&d, &in);
		else if (in.op == WIRE_CALL || in.op == WIRE_STORE ||
			 in.op == WIRE_COPYOUT)
			ok = decode_step(&d, &in);
		if (!ok)
			return garbled(&d);
	}
	return garbled(&d);
}
