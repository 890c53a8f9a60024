/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * job.c - take a request out of the region and check it once, so that the
 * interpreter can believe its private copy.
 */
#include <string.h>

#include "executor.h"

struct walk {
	const unsigned char *p;
	uint32_t at, size;
	uint32_t calls;
};

static bool data_ok(uint64_t off, uint64_t len)
{
	return off <= WIRE_DATA_SIZE && len <= WIRE_DATA_SIZE - off;
}

static bool size_ok(uint32_t n)
{
	return n == 1 || n == 2 || n == 4 || n == 8;
}

static bool nr_ok(uint32_t nr)
{
	return nr < WIRE_PSEUDO || nr - WIRE_PSEUDO < WIRE_NR_PSEUDO ||
	       nr == WIRE_NR_NONE;
}

static bool arg_ok(const struct wire_arg *a)
{
	switch (a->kind) {
	case WIRE_CONST:
		return true;
	case WIRE_DATA:
		return a->value < WIRE_DATA_SIZE;
	case WIRE_RESULT:
		return a->result < WIRE_MAX_RESULTS;
	default:
		return false;
	}
}

static bool store_ok(const struct wire_insn *in, const struct wire_arg *a)
{
	if (!data_ok(in->off, a->size))
		return false;
	if (a->text)
		return a->text <= WIRE_OCT && !a->bit_len &&
		       a->size == wire_text_bytes(a->text);
	return size_ok(a->size) && a->bit_off + a->bit_len <= a->size * 8;
}

static bool chunks_ok(const struct wire_insn *in)
{
	const struct wire_chunk *c = (const void *)(in + 1);

	for (uint32_t i = 0; i < in->nargs; i++, c++)
		if (c->kind > WIRE_CHUNK_DATA ||
		    (c->kind ? !data_ok(c->value, c->len) : !size_ok(c->len)))
			return false;
	return true;
}

static bool image_ok(const struct wire_insn *in)
{
	const unsigned char *p = (const void *)(in + 1);
	uint32_t left = in->len;

	while (left >= sizeof(struct wire_run)) {
		const struct wire_run *r = (const void *)p;
		uint64_t bytes = sizeof(*r) + ((r->len + 7ull) & ~7ull);

		if (bytes > left || r->off > in->off ||
		    r->len > in->off - r->off)
			return false;
		p += bytes;
		left -= (uint32_t)bytes;
	}
	return !left;
}

/* Bytes of the operands of `in`, or -1 when it makes no sense. */
static int64_t operand_size(const struct wire_insn *in)
{
	switch (in->op) {
	case WIRE_COPYIN:
		return data_ok(in->off, in->len) ?
			       (int64_t)((in->len + 7ull) & ~7ull) :
			       -1;
	case WIRE_STORE:
		return sizeof(struct wire_arg);
	case WIRE_CALL:
		return in->nargs <= WIRE_MAX_ARGS ?
			       (int64_t)(in->nargs * sizeof(struct wire_arg)) :
			       -1;
	case WIRE_COPYOUT:
		return size_ok(in->len) && data_ok(in->off, in->len) &&
				       in->result < WIRE_MAX_RESULTS ?
			       0 :
			       -1;
	case WIRE_SPACE:
		return data_ok(in->off, in->len) ? 0 : -1;
	case WIRE_DERIVE:
		return in->from < WIRE_MAX_RESULTS &&
				       in->result < WIRE_MAX_RESULTS ?
			       (int64_t)sizeof(struct wire_arg) :
			       -1;
	case WIRE_CSUM:
		return data_ok(in->off, 2) ?
			       (int64_t)(in->nargs *
					 sizeof(struct wire_chunk)) :
			       -1;
	case WIRE_IMAGE:
		return in->off <= WIRE_MAX_IMAGE && !(in->len & 7) ?
			       (int64_t)in->len :
			       -1;
	default:
		return -1;
	}
}

static void raise_top(struct job *j, uint64_t top)
{
	if (top > j->data_top)
		j->data_top = (uint32_t)top;
}

/* The operands, which are there, of an instruction other than WIRE_COPYIN. */
static bool args_ok(struct job *j, const struct wire_insn *in, uint32_t at)
{
	const struct wire_arg *a = (const void *)(j->payload + at);
	uint32_t n = in->op == WIRE_CALL ? in->nargs : 1;

	if (in->op == WIRE_CSUM)
		return chunks_ok(in);
	if (in->op == WIRE_IMAGE)
		return image_ok(in);
	if (in->op == WIRE_DERIVE)
		return a->kind == WIRE_CONST;
	if (in->op != WIRE_STORE && in->op != WIRE_CALL)
		return true;
	for (uint32_t i = 0; i < n; i++) {
		if (!arg_ok(&a[i]))
			return false;
		if (a[i].kind == WIRE_DATA)
			raise_top(j, a[i].value);
	}
	return in->op != WIRE_STORE || store_ok(in, a);
}

/*
 * What undoing a call takes, by its constant arguments: most programs open
 * files without making any, and no ioctl but two sets up a loop device.
 */
static uint32_t classes_of(const struct wire_insn *in)
{
	const struct wire_arg *arg = (const void *)(in + 1);
	uint64_t args[WIRE_MAX_ARGS] = {};
	uint32_t c = undo_class(in->nr);

	for (uint32_t i = 0; i < in->nargs; i++) {
		args[i] = arg[i].value;
		if (arg[i].kind != WIRE_CONST)
			args[i] = ~0ull; /* anything: all flags set */
	}
	return undo_refine(c, in->nr, args);
}

static bool classify(struct job *j, const struct wire_insn *in, uint32_t *calls)
{
	switch (in->op) {
	case WIRE_CALL:
		break;
	case WIRE_COPYIN:
	case WIRE_SPACE:
		raise_top(j, in->off + in->len);
		return true;
	case WIRE_STORE:
	case WIRE_CSUM:
		raise_top(j, in->off + 8);
		return true;
	default:
		return true;
	}
	if ((in->result != WIRE_NO_RESULT && in->result >= WIRE_MAX_RESULTS) ||
	    !nr_ok(in->nr))
		return false;
	j->classes |= classes_of(in);
	j->has_async |= in->props & WIRE_CALL_ASYNC;
	return (*calls)++ < WIRE_MAX_CALLS;
}

/* Walk the program to its WIRE_END; false with `*at` where it goes wrong. */
static bool check_program(struct job *j, uint32_t *at, uint32_t *calls)
{
	uint32_t size = j->req.size;

	j->classes = j->data_top = 0;
	j->has_async = false;
	for (*at = 0, *calls = 0; size - *at >= sizeof(struct wire_insn);) {
		const struct wire_insn *in = (const void *)(j->payload + *at);
		int64_t more = operand_size(in);
		uint32_t next = *at + (uint32_t)sizeof(*in);

		if (in->op == WIRE_END)
			return true;
		if (more < 0 || more > size - next || !args_ok(j, in, next) ||
		    !classify(j, in, calls))
			return false;
		*at = next + (uint32_t)more;
	}
	return false;
}

bool job_load(struct executor *x, uint32_t number)
{
	const struct wire_request *shared = region_request(&x->region, number);
	struct job *j = &x->job;
	struct shared *s = x->shared;
	uint32_t at = 0, calls = 0;

	memcpy(&j->req, shared, sizeof(j->req));
	s->ncalls = s->done = s->invalid_at = 0;
	if (j->req.number != number || j->req.size > x->payload_cap ||
	    j->req.sandbox > WIRE_SANDBOX_NAMESPACE) {
		s->invalid_at = 1;
		return false;
	}
	memcpy(j->payload, shared + 1, j->req.size);
	if (!j->req.timeout_ms)
		j->req.timeout_ms = DEFAULT_TIMEOUT_MS;
	if (!j->req.call_timeout_ms)
		j->req.call_timeout_ms = DEFAULT_CALL_TIMEOUT_MS;
	if (j->req.kind == WIRE_PROGRAM && !check_program(j, &at, &calls)) {
		s->invalid_at = at + 1;
		return false;
	}
	s->ncalls = calls;
	memset(s->calls, 0, calls * sizeof(s->calls[0]));
	return true;
}
