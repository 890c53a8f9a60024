/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fuzz_vm.c - jobs of the loop to a guest, its answers back. */
#include "cmd/fuzz_vm.h"

#include <time.h>

#include "base/mem.h"

#define PROGRAM_NS_MAX 60000000000u /* the guest's word for it ends here */

enum {
	PROGRAM_MS = 3000, /* a program may take, on an idle machine */
	CALL_MS = 20, /* a call, until it is left behind */
	HANGS_MS = 10000, /* beyond the time of a program */
	HISTORY = 32,
};

struct under_way {
	struct fuzz_job *job;
	uint64_t since_ms; /* it could run: it is the first */
};

struct fuzz_vm {
	struct guest *guest;
	struct fuzz *f;
	unsigned index;
	struct under_way queue[WIRE_MAX_SLOTS]; /* oldest first */
	size_t nqueue;
	struct prog *history[HISTORY]; /* a ring */
	uint64_t nhistory;
	size_t signals; /* of the loop's that the guest knows */
	bool tried_snapshot;
	struct buf payload;
	struct fuzz_call calls[WIRE_MAX_CALLS + 1];
};

static uint64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

fallible fuzz_vm_open(const struct vm_config *cfg,
		      const struct guest_cover *cover, unsigned index,
		      struct fuzz *f, struct fuzz_vm **out)
{
	_cleanup_(fuzz_vm_closep) struct fuzz_vm *v = mem_calloc(1, sizeof(*v));

	v->f = f;
	v->index = index;
	TRY(guest_open(cfg, cover, GUEST_LINK_AUTO, &v->guest));
	*out = take_ptr(v);
	return NULL;
}

static void drop_queue(struct fuzz_vm *v)
{
	for (size_t i = 0; i < v->nqueue; i++) {
		if (i)
			fuzz_again(v->f, v->queue[i].job);
		else
			fuzz_lost(v->f, v->queue[i].job);
	}
	v->nqueue = 0;
}

void fuzz_vm_close(struct fuzz_vm *v)
{
	drop_queue(v);
	for (size_t i = 0; i < HISTORY; i++)
		if (v->history[i])
			prog_free(v->history[i]);
	if (v->guest)
		guest_close(v->guest);
	buf_deinit(&v->payload);
	free(v);
}

fallible fuzz_vm_restart(struct fuzz_vm *v)
{
	drop_queue(v);
	v->signals = 0;
	TRY(guest_start(v->guest));
	if (!v->tried_snapshot) {
		struct error *err = guest_snapshot(v->guest);

		v->tried_snapshot = true;
		if (err && error_kind(err) != ERR_NOT_FOUND)
			return err;
		error_free(err); /* UML boots faster than it restores */
	}
	return NULL;
}

struct guest *fuzz_vm_guest(struct fuzz_vm *v)
{
	return v->guest;
}

/* ---- There ------------------------------------------------------------------------- */

static void send_signals(struct fuzz_vm *v)
{
	const uint32_t *s;
	size_t n = fuzz_max_signal(v->f, v->signals, &s);

	if (n)
		wire_max_add(guest_wire(v->guest), s, n);
	v->signals += n;
}

static fallible submit(struct fuzz_vm *v)
{
	struct wire_request req = {
		.kind = WIRE_PROGRAM,
		.timeout_ms =
			(uint32_t)(PROGRAM_MS * (uint64_t)vm_slowdown() / 100),
		.call_timeout_ms = CALL_MS,
	};
	struct fuzz_job *j = fuzz_next(v->f);
	struct error *err;

	v->payload.len = 0;
	err = prog_encode(j->prog, v->index, &v->payload);
	if (err || v->payload.len > guest_max_payload(v->guest)) {
		error_free(err); /* more memory or results than there can be */
		fuzz_lost(v->f, j);
		return NULL;
	}
	req.flags = j->flags | WIRE_REQ_KEEP | WIRE_REQ_THREADS;
	err = guest_submit(v->guest, &req, buf_as_slice(&v->payload));
	if (err) {
		fuzz_lost(v->f, j);
		return err;
	}
	v->queue[v->nqueue++] = (struct under_way){ j, now_ms() };
	return NULL;
}

/* ---- And back ------------------------------------------------------------------------ */

static void convert(struct fuzz_call *to, const struct wire_result *res,
		    uint32_t i)
{
	const struct wire_call *c = &res->calls[i];
	struct wire_u32s s = wire_signals(res, i);
	struct wire_u64s pc = wire_pcs(res, i);
	struct wire_cmps cmp = wire_cmps(res, i);

	*to = (struct fuzz_call){
		.called = c->flags & WIRE_CALLED,
		.returned = c->flags & WIRE_RETURNED,
		.fault_hit = c->flags & WIRE_FAULTED,
		.err = c->err,
		.signal = s.data,
		.nsignal = s.len,
		.pc = pc.data,
		.npc = pc.len,
		.cmp = cmp.data,
		.ncmp = cmp.len,
	};
}

static void remember(struct fuzz_vm *v, const struct prog *p)
{
	struct prog **slot = &v->history[v->nhistory++ % HISTORY];

	if (*slot)
		prog_assign(*slot, p);
	else
		*slot = prog_copy(p);
}

static void answer(struct fuzz_vm *v, const struct wire_result *res)
{
	struct fuzz_job *j = v->queue[0].job;
	struct fuzz_result r = { .calls = v->calls,
				 .ncalls = MIN(res->ncalls, WIRE_MAX_CALLS),
				 .elapsed_ns = MIN(res->head.elapsed_ns,
						   (uint64_t)PROGRAM_NS_MAX) };

	memmove(v->queue, v->queue + 1, --v->nqueue * sizeof(*v->queue));
	if (v->nqueue)
		v->queue[0].since_ms = now_ms();
	for (uint32_t i = 0; i < r.ncalls + res->extra; i++)
		convert(&v->calls[i], res, i);
	if (res->extra)
		r.extra = &v->calls[r.ncalls];
	remember(v, j->prog);
	/* Refused, or the guest could not: that says nothing of the program. */
	if (res->head.status == WIRE_ERROR || res->head.status == WIRE_INVALID)
		fuzz_lost(v->f, j);
	else
		fuzz_done(v->f, j, &r);
}

static enum fuzz_vm_event how_it_is(struct fuzz_vm *v)
{
	uint64_t patience =
		(uint64_t)(PROGRAM_MS + HANGS_MS) * vm_slowdown() / 100;

	switch (vm_death(guest_vm(v->guest))->kind) {
	case VM_ALIVE:
		return v->nqueue && now_ms() - v->queue[0].since_ms > patience ?
			       FUZZ_VM_HANGS :
			       FUZZ_VM_IDLE;
	case VM_CRASHED:
		return FUZZ_VM_CRASHED;
	default:
		return FUZZ_VM_DIED;
	}
}

fallible fuzz_vm_step(struct fuzz_vm *v, unsigned wait_ms,
		      enum fuzz_vm_event *event)
{
	struct wire_result res;
	bool got = true;
	unsigned answers = 0;

	while (got && answers < WIRE_MAX_SLOTS) {
		send_signals(v);
		/* A dying guest gets nothing more: it would be to blame. */
		while (!vm_death(guest_vm(v->guest))->kind &&
		       guest_room(v->guest) && v->nqueue < WIRE_MAX_SLOTS)
			TRY(submit(v));
		TRY(guest_take(v->guest, answers ? 0 : wait_ms, &res, &got));
		if (got && v->nqueue) {
			answer(v, &res);
			answers++;
		}
	}
	*event = how_it_is(v);
	if (*event == FUZZ_VM_IDLE && answers)
		*event = FUZZ_VM_BUSY;
	return NULL;
}

/* ---- For the report ---------------------------------------------------------------- */

const struct prog *fuzz_vm_running(const struct fuzz_vm *v)
{
	if (v->nqueue)
		return v->queue[0].job->prog;
	return v->nhistory ? v->history[(v->nhistory - 1) % HISTORY] : NULL;
}

void fuzz_vm_history(const struct fuzz_vm *v, struct buf *out)
{
	uint64_t from = v->nhistory > HISTORY ? v->nhistory - HISTORY : 0;

	for (uint64_t i = from; i < v->nhistory; i++) {
		buf_printf(out, "# program %llu\n", (unsigned long long)i);
		prog_to_text(v->history[i % HISTORY], out);
	}
}
