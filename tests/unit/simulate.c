/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "simulate.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

struct results {
	uint64_t value[WIRE_MAX_RESULTS];
	bool set[WIRE_MAX_RESULTS];
};

struct sim *sim_new(void)
{
	struct sim *s = calloc(1, sizeof(*s));

	s->data = calloc(1, WIRE_DATA_SIZE);
	return s;
}

void sim_free(struct sim *s)
{
	free(s->data);
	free(s);
}

static void forget(struct sim *s)
{
	unsigned char *data = s->data;

	for (uint32_t i = 0; i < sizeof(s->touched); i++)
		if (s->touched[i])
			memset(data + i * WIRE_PAGE, 0, WIRE_PAGE);
	memset(s, 0, sizeof(*s));
	s->data = data;
}

/* data[off, off + len), to be written; NULL when there is no such thing. */
static unsigned char *at(struct sim *s, uint64_t off, uint64_t len)
{
	if (off > WIRE_DATA_SIZE || len > WIRE_DATA_SIZE - off)
		return NULL;
	for (uint64_t i = off / WIRE_PAGE;
	     len && i <= (off + len - 1) / WIRE_PAGE; i++)
		s->touched[i] = 1;
	return s->data + off;
}

static uint64_t digest(const struct sim *s)
{
	uint64_t h = 0;

	for (uint32_t i = 0; i < sizeof(s->touched); i++)
		if (s->touched[i])
			h = XXH3_64bits_withSeed(s->data + i * WIRE_PAGE,
						 WIRE_PAGE, h ^ i);
	return h;
}

static uint64_t value_of(const struct results *r, const struct wire_arg *a)
{
	if (a->kind == WIRE_DATA)
		return WIRE_DATA_BASE + a->value;
	if (a->kind == WIRE_RESULT && r->set[a->result])
		return r->value[a->result];
	return a->value;
}

static bool arg_ok(const struct wire_arg *a)
{
	return a->kind == WIRE_CONST ||
	       (a->kind == WIRE_DATA && a->value < WIRE_DATA_SIZE) ||
	       (a->kind == WIRE_RESULT && a->result < WIRE_MAX_RESULTS);
}

static uint64_t read_be(const unsigned char *p, uint32_t n)
{
	uint64_t v = 0;

	while (n--)
		v = v << 8 | *p++;
	return v;
}

static void write_be(unsigned char *p, uint64_t v, uint32_t n)
{
	for (; n; v >>= 8)
		p[--n] = (unsigned char)v;
}

static const char *store(struct sim *s, const struct results *r,
			 const struct wire_insn *in)
{
	const struct wire_arg *a = (const void *)(in + 1);
	unsigned char *to = at(s, in->off, a->size);
	uint64_t v = value_of(r, a), old = 0, mask;
	char text[32];

	s->nstores++;
	if (!to || !arg_ok(a) || a->bit_off + a->bit_len > 8 * a->size)
		return "a store that makes no sense";
	if (a->text) {
		if (a->size != wire_text_bytes(a->text))
			return "a text of a wrong size";
		wire_text_put(a->text, v, text);
		memcpy(to, text, a->size);
		return NULL;
	}
	if (a->bit_len) {
		mask = (a->bit_len < 64 ? 1ull << a->bit_len : 0) - 1;
		if (a->flags & WIRE_BIG_ENDIAN)
			old = read_be(to, a->size);
		else
			memcpy(&old, to, a->size);
		v = (old & ~(mask << a->bit_off)) | (v & mask) << a->bit_off;
	}
	if (a->flags & WIRE_BIG_ENDIAN)
		write_be(to, v, a->size);
	else
		memcpy(to, &v, a->size);
	return NULL;
}

static const char *sum(struct sim *s, const struct wire_insn *in)
{
	const struct wire_chunk *c = (const void *)(in + 1);
	unsigned char *to = at(s, in->off, 2);
	uint64_t total = 0;

	s->nsums++;
	for (uint32_t i = 0; i < in->nargs; i++, c++) {
		const void *p = c->kind ? (void *)at(s, c->value, c->len) :
					  (const void *)&c->value;

		if (!p || (!c->kind && c->len > 8))
			return "a chunk that makes no sense";
		total = wire_csum_add(total, p, c->len);
	}
	uint16_t folded = wire_csum_fold(total);

	if (!to)
		return "a checksum beyond memory";
	memcpy(to, &folded, sizeof(folded));
	return NULL;
}

static const char *copy_out(struct sim *s, struct results *r,
			    const struct wire_insn *in)
{
	unsigned char *p = at(s, in->off, in->len);
	uint64_t v = SIM_OUT(in->off);

	s->ncopyouts++;
	if (!p || in->len > 8 || in->result >= WIRE_MAX_RESULTS)
		return "a copyout that makes no sense";
	memcpy(p, &v, in->len);
	r->value[in->result] = 0;
	if (in->nargs & WIRE_BIG_ENDIAN)
		r->value[in->result] = read_be(p, in->len);
	else
		memcpy(&r->value[in->result], p, in->len);
	r->set[in->result] = true;
	return NULL;
}

static const char *call(struct sim *s, struct results *r,
			const struct wire_insn *in, uint64_t image)
{
	const struct wire_arg *a = (const void *)(in + 1);
	struct sim_call *c = &s->calls[s->ncalls];

	if (in->nargs > WIRE_MAX_ARGS || s->ncalls == WIRE_MAX_CALLS)
		return "too many arguments or calls";
	*c = (struct sim_call){ .nr = in->nr,
				.nargs = in->nargs,
				.fail_nth = in->fail_nth,
				.props = in->props,
				.rerun = in->rerun,
				.memory = digest(s),
				.image = image };
	for (uint32_t i = 0; i < in->nargs; i++) {
		if (!arg_ok(&a[i]))
			return "an argument that makes no sense";
		c->args[i] = value_of(r, &a[i]);
	}
	if (in->result != WIRE_NO_RESULT) {
		if (in->result >= WIRE_MAX_RESULTS)
			return "a result too many";
		r->value[in->result] = SIM_RET(s->ncalls);
		r->set[in->result] = true;
	}
	s->ncalls++;
	return NULL;
}

static void derive(struct sim *s, struct results *r, const struct wire_insn *in)
{
	const struct wire_arg *div = (const void *)(in + 1);
	uint64_t v = r->value[in->from];

	s->nderived++;
	r->value[in->result] = (div->value > 1 ? v / div->value : v) + in->off;
	r->set[in->result] = r->set[in->from];
}

static const char *step(struct sim *s, struct results *r,
			const struct wire_insn *in, uint64_t *image)
{
	const char *wrong;
	unsigned char *to;

	switch (in->op) {
	case WIRE_COPYIN:
		to = at(s, in->off, in->len);
		if (!to)
			return "memory beyond the data area";
		memcpy(to, in + 1, in->len);
		s->ncopyins++;
		s->copied += in->len;
		return NULL;
	case WIRE_STORE:
		return store(s, r, in);
	case WIRE_CALL:
		wrong = call(s, r, in, *image);
		*image = 0;
		return wrong;
	case WIRE_COPYOUT:
		return copy_out(s, r, in);
	case WIRE_SPACE:
		return at(s, in->off, in->len) ? NULL : "space beyond memory";
	case WIRE_DERIVE:
		if (in->from >= WIRE_MAX_RESULTS ||
		    in->result >= WIRE_MAX_RESULTS)
			return "a result too many";
		derive(s, r, in);
		return NULL;
	case WIRE_CSUM:
		return sum(s, in);
	case WIRE_IMAGE:
		*image = XXH3_64bits_withSeed(in + 1, in->len, in->off) | 1;
		return NULL;
	default:
		return "an unknown instruction";
	}
}

const char *sim_run(struct sim *s, struct slice wire)
{
	struct results *r = calloc(1, sizeof(*r));
	const char *wrong = NULL;
	const struct wire_insn *in;
	struct slice operands;
	uint64_t image = 0;
	bool ended = false;

	forget(s);
	while (!wrong && !ended && wire_insn_next(&wire, &in, &operands)) {
		ended = in->op == WIRE_END;
		if (!ended)
			wrong = step(s, r, in, &image);
	}
	free(r);
	if (!wrong && (!ended || wire.len))
		return "no end, or more behind it";
	return wrong;
}
