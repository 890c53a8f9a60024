/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * minimize.c - programs made simpler as long as they do what they should.
 *
 * Each attempt is made on a copy; one that is good takes the place of the
 * program.  Arguments are changed in place, so their numbers stay the same and
 * the walk over them goes on.
 */
#include "prog/gen.h"

struct minimize {
	struct prog *p; /* the best so far */
	struct prog *attempt;
	size_t keep;
	size_t asked, max;
	prog_minimize_fn *good;
	void *ctx;
};

static bool ask(struct minimize *m, size_t keep)
{
	if (m->asked == m->max)
		return false;
	m->asked++;
	if (!m->good(m->attempt, keep, m->ctx))
		return false;

	struct prog was = *m->p;

	*m->p = *m->attempt;
	*m->attempt = was;
	m->keep = keep;
	return true;
}

/* ---- Calls ------------------------------------------------------------------- */

/* Without calls from..to - 1, but for the one that stays. */
static bool without_calls(struct minimize *m, size_t from, size_t to)
{
	struct prog *a = m->attempt;
	size_t keep = m->keep, n = from;

	prog_assign(a, m->p);
	for (size_t i = from; i < a->calls.len; i++) {
		if (i < to && i != m->keep)
			continue;
		if (i == m->keep)
			keep = n;
		a->calls.data[n++] = a->calls.data[i];
	}
	if (!n || n == a->calls.len)
		return false;
	a->calls.len = n;
	tree_fix_refs(a);
	return ask(m, keep);
}

/* What is behind the one that stays, then ever smaller parts from the end on. */
static void fewer_calls(struct minimize *m)
{
	if (m->keep != PROG_NO_CALL)
		without_calls(m, m->keep + 1, m->p->calls.len);
	for (size_t part = m->p->calls.len; part; part /= 2)
		for (size_t to = m->p->calls.len; to;) {
			size_t from = to > part ? to - part : 0;

			without_calls(m, from, to);
			to = MIN(from, m->p->calls.len);
		}
}

/* ---- Arguments ----------------------------------------------------------------- */

static bool ask_changed(struct minimize *m, size_t call)
{
	call_finish(m->attempt, call);
	tree_fix_refs(m->attempt);
	return ask(m, m->keep);
}

/*
 * Give an argument its default value; pointers that cannot be null keep their
 * addresses, so that nothing comes to overlap.  False: it has it already.
 */
static bool become_default(struct prog *p, uint32_t arg)
{
	struct arg a = *arg_at(p, arg);
	bool changed = false;
	uint32_t fresh;

	if (a.kind == ARG_ABSENT ||
	    (a.type != DESC_NONE && arg_type(p, &a)->kind == DESC_LEN))
		return false;
	if (a.kind == ARG_POINTER && !(arg_type(p, &a)->flags & DESC_OPT))
		return a.child != ARG_NONE && become_default(p, a.child);
	if (a.kind == ARG_GROUP && !(a.flags & ARG_ANY) &&
	    arg_type(p, &a)->kind == DESC_STRUCT) {
		for (uint32_t c = a.child; c != ARG_NONE;
		     c = arg_at(p, c)->next)
			changed |= become_default(p, c);
		return changed;
	}
	if (a.type == DESC_NONE || arg_is_default(p, arg))
		return false;
	fresh = arg_new_default(p, a.type, a.dir);
	*arg_at(p, arg) = *arg_at(p, fresh);
	arg_at(p, arg)->next = a.next;
	return true;
}

static uint64_t least(const struct desc_type *t)
{
	return t->flags & DESC_RANGE ? t->lo : 0;
}

/* Cut elements out, from the end on. */
static void fewer_elements(struct minimize *m, size_t call, uint32_t arg)
{
	uint64_t min = least(arg_type(m->p, arg_at(m->p, arg)));
	uint32_t n = list_len(m->p, arg_at(m->p, arg)->child);

	for (uint32_t i = n; i-- && n > min;) {
		uint32_t *link, gone;

		prog_assign(m->attempt, m->p);
		link = i ? &arg_at(m->attempt,
				   list_at(m->attempt,
					   arg_at(m->attempt, arg)->child,
					   i - 1))
				       ->next :
			   &arg_at(m->attempt, arg)->child;
		gone = *link;
		*link = arg_at(m->attempt, gone)->next;
		n -= ask_changed(m, call);
	}
}

/* Cut bytes off the end, half of them at first. */
static void fewer_bytes(struct minimize *m, size_t call, uint32_t arg)
{
	const struct arg *a = arg_at(m->p, arg);
	uint64_t min = 0;

	if (a->type != DESC_NONE) {
		const struct desc_type *t = arg_type(m->p, a);

		if (t->size != DESC_VARLEN ||
		    (t->kind != DESC_ARRAY && t->kind != DESC_TEXT))
			return;
		min = least(t);
	}
	for (uint32_t cut = a->len / 2; cut; cut /= 2)
		while (arg_at(m->p, arg)->len >= min + cut) {
			prog_assign(m->attempt, m->p);
			arg_at(m->attempt, arg)->len -= cut;
			if (!ask_changed(m, call))
				break;
		}
}

/* An argument as a whole, else what it is made of. */
static void simpler(struct minimize *m, size_t call, uint32_t arg)
{
	const struct arg *a;

	prog_assign(m->attempt, m->p);
	if (become_default(m->attempt, arg) && ask_changed(m, call))
		return;
	a = arg_at(m->p, arg);
	if (a->kind == ARG_DATA) {
		fewer_bytes(m, call, arg);
		return;
	}
	if (a->kind == ARG_RESULT)
		return;
	if (a->kind == ARG_GROUP && !(a->flags & ARG_ANY) &&
	    arg_type(m->p, a)->kind == DESC_ARRAY)
		fewer_elements(m, call, arg);
	for (uint32_t c = arg_at(m->p, arg)->child; c != ARG_NONE;
	     c = arg_at(m->p, c)->next)
		simpler(m, call, c);
}

static void simpler_call(struct minimize *m, size_t call)
{
	const struct call *c = &m->p->calls.data[call];

	if (m->p->target->d->calls[c->id].attrs & 1u << DESC_CALL_NO_MINIMIZE)
		return;
	for (uint32_t a = c->arg; a != ARG_NONE; a = arg_at(m->p, a)->next)
		simpler(m, call, a);
}

/* ---- Properties ------------------------------------------------------------------- */

static void fewer_props(struct minimize *m, size_t call)
{
	for (int i = 0; i < 3; i++) {
		struct prog_props was = m->p->calls.data[call].props, to = was;

		if (i == 0)
			to.fail_nth = 0;
		else if (i == 1)
			to.async = false;
		else
			to.rerun = 0;
		if (to.fail_nth == was.fail_nth && to.async == was.async &&
		    to.rerun == was.rerun)
			continue;
		prog_assign(m->attempt, m->p);
		m->attempt->calls.data[call].props = to;
		ask(m, m->keep);
	}
}

size_t prog_minimize(struct prog *p, size_t *keep, size_t max,
		     prog_minimize_fn *good, void *ctx)
{
	_cleanup_(prog_freep) struct prog *attempt = prog_new(p->target);
	struct minimize m = {
		.p = p,
		.attempt = attempt,
		.keep = *keep,
		.max = max,
		.good = good,
		.ctx = ctx,
	};

	fewer_calls(&m);
	for (size_t i = 0; i < p->calls.len; i++)
		simpler_call(&m, i);
	for (size_t i = 0; i < p->calls.len; i++)
		fewer_props(&m, i);
	tree_compact(p);
	*keep = m.keep;
	return m.asked;
}
