/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * encode.c - programs to wire/format.h's instructions.
 *
 * What a pointer points to becomes a WIRE_COPYIN for each contiguous piece of
 * constant memory, written into the payload at once, with zeroes as padding.
 * What is only known when the program runs is stored over it: results, and
 * checksums of such.  Pointees of pointees come behind, level by level.
 */
#include <string.h>

#include "base/mem.h"
#include "prog/encode.h"

/* ---- Results --------------------------------------------------------------------------- */

uint16_t number_of(struct encoder *e, uint32_t arg)
{
	if (!e->numbers[arg])
		return WIRE_NO_RESULT;
	if (e->numbers[arg] == USED && e->nnumbers == NR_NUMBERED) {
		e->too_many = true;
		return WIRE_NO_RESULT;
	}
	if (e->numbers[arg] == USED)
		e->numbers[arg] = (uint16_t)++e->nnumbers;
	return e->numbers[arg] - 1;
}

/* What stands for the result when there is none. */
static uint64_t unset_value(const struct encoder *e, const struct arg *a)
{
	return a->type == DESC_NONE ?
		       UINT64_MAX :
		       resource_default(e->d, e->d->types[a->type].elem);
}

bool is_ref(const struct encoder *e, const struct arg *a)
{
	return a->child != ARG_NONE && e->numbers[a->child] &&
	       e->numbers[a->child] != USED;
}

void put_ref(struct encoder *e, const struct arg *a, uint16_t temp,
	     struct wire_arg *how)
{
	struct wire_arg div = { .value = a->div };

	how->kind = WIRE_RESULT;
	how->result = number_of(e, a->child);
	how->value = unset_value(e, a);
	if (a->div <= 1 && !a->extra)
		return;
	put_insn(e, &(struct wire_insn){ .op = WIRE_DERIVE,
					 .result = temp,
					 .from = how->result,
					 .off = a->extra });
	put_arg(e, &div);
	how->result = temp;
}

uint64_t result_value(const struct encoder *e, const struct arg *a)
{
	return a->child == ARG_NONE ? a->value : unset_value(e, a);
}

/* ---- Calls -------------------------------------------------------------------- */

/* An argument in its register; what it is derived from is put before. */
static void put_register(struct encoder *e, uint32_t arg, uint16_t temp,
			 struct wire_arg *w)
{
	const struct arg *a = arg_at(e->p, arg);

	while (a->kind == ARG_UNION)
		a = arg_at(e->p, a->child);

	const struct desc_type *t = arg_type(e->p, a);

	switch ((enum arg_kind)a->kind) {
	case ARG_CONST:
		w->value = const_value(e, a, t);
		if ((t->flags & DESC_BE) && plain_size(t->size))
			w->value = swapped(w->value, t->size);
		break;
	case ARG_RESULT:
		if (is_ref(e, a))
			put_ref(e, a, temp, w);
		else
			w->value = result_value(e, a);
		break;
	case ARG_POINTER:
	case ARG_VMA:
		w->value = a->value;
		if (!(a->flags & ARG_SPECIAL))
			w->kind = WIRE_DATA;
		e->too_far |= w->kind && w->value >= WIRE_DATA_SIZE;
		break;
	default:
		break;
	}
}

static bool is_image(const struct encoder *e, const struct arg *pointer)
{
	const struct arg *a = arg_at(e->p, pointer->child);

	return a->kind == ARG_DATA && a->type != DESC_NONE &&
	       e->d->types[a->type].kind == DESC_IMAGE;
}

/* All that the call's arguments point to. */
static void put_pointees(struct encoder *e, const struct call *c)
{
	e->pointers.len = 0;
	for (uint32_t a = c->arg; a != ARG_NONE; a = arg_at(e->p, a)->next)
		if (arg_at(e->p, a)->kind == ARG_POINTER &&
		    arg_at(e->p, a)->child != ARG_NONE)
			vec_push(&e->pointers, a);
	/* More come while they are written. */
	for (size_t i = 0; i < e->pointers.len; i++) {
		const struct arg *a = arg_at(e->p, e->pointers.data[i]);

		if (is_image(e, a))
			put_image(e, arg_at(e->p, a->child));
		else
			put_pointee(e, a);
	}
}

static void put_copyouts(struct encoder *e)
{
	vec_for_each(&e->copyouts, c)
		put_insn(e, &(struct wire_insn){ .op = WIRE_COPYOUT,
						 .nargs = c->how.flags,
						 .result = number_of(e, c->arg),
						 .len = c->how.size,
						 .off = c->off });
	e->copyouts.len = 0;
}

static void put_call(struct encoder *e, const struct call *c)
{
	struct wire_arg args[WIRE_MAX_ARGS] = {};
	uint32_t n = 0;

	put_pointees(e, c);
	for (uint32_t a = c->arg; a != ARG_NONE && n < WIRE_MAX_ARGS;
	     a = arg_at(e->p, a)->next, n++)
		put_register(e, a, (uint16_t)(NR_NUMBERED + n), &args[n]);
	put_insn(e, &(struct wire_insn){
			    .op = WIRE_CALL,
			    .nargs = (uint8_t)n,
			    .result = c->ret == ARG_NONE ? WIRE_NO_RESULT :
							   number_of(e, c->ret),
			    .nr = e->p->target->nr[c->id],
			    .props = c->props.async ? WIRE_CALL_ASYNC : 0,
			    .rerun = c->props.rerun,
			    .fail_nth = c->props.fail_nth });
	buf_add(e->out, args, n * sizeof(args[0]));
	put_copyouts(e);
}

/* Which results are taken: of garbage, too, which costs little. */
static void find_used(struct encoder *e)
{
	for (uint32_t i = 0; i < e->p->args.len; i++) {
		const struct arg *a = arg_at(e->p, i);

		if (a->kind == ARG_RESULT && a->child != ARG_NONE)
			e->numbers[a->child] = USED;
	}
}

fallible prog_encode(const struct prog *p, unsigned proc, struct buf *out)
{
	struct encoder e = {
		.p = p,
		.d = p->target->d,
		.out = out,
		.proc = proc,
		.numbers = mem_calloc(p->args.len + 1, sizeof(*e.numbers)),
	};
	size_t start = out->len;

	find_used(&e);
	for (size_t i = 0; i < p->calls.len; i++)
		put_call(&e, &p->calls.data[i]);
	put_insn(&e, &(struct wire_insn){ .op = WIRE_END,
					  .result = WIRE_NO_RESULT });
	free(e.numbers);
	vec_free(&e.stores);
	vec_free(&e.copyouts);
	vec_free(&e.sums);
	vec_free(&e.pointers);
	if (!e.too_far && !e.too_many && p->calls.len <= WIRE_MAX_CALLS)
		return NULL;
	out->len = start;
	return error_new(ERR_INPUT,
			 e.too_far  ? "memory beyond the data area" :
			 e.too_many ? "more than %u results are used" :
				      "more than %u calls",
			 e.too_many ? NR_NUMBERED : WIRE_MAX_CALLS);
}

bool prog_call_is_known(const struct prog_target *t, size_t id)
{
	return t->nr[id] != WIRE_NR_NONE;
}

bool prog_call_works(const struct prog *p, size_t i, uint64_t pseudo)
{
	uint32_t nr = p->target->nr[prog_call_id(p, i)];

	return nr < WIRE_PSEUDO ||
	       (nr != WIRE_NR_NONE && (pseudo >> (nr - WIRE_PSEUDO) & 1));
}
