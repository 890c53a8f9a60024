/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * collect.c - from a log of calls and their traces to the response.
 *
 * A trace has every block as often as it ran; what crosses is each edge signal
 * once per call, without those in the max-signal table, and each PC once.
 */
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "executor.h"

#define SEEN_SLOTS (32u << 10)
#define SEEN_PROBES 16u
#define CMP_WORDS 4u
#define MAX_CMPS 4096u /* of a call */

/* What was already seen; emptied by raising the generation. */
static struct seen {
	uint32_t generation;
	struct {
		uint32_t generation, value;
	} slot[SEEN_SLOTS];
} * seen;

bool collect_setup(void)
{
	seen = mmap(NULL, sizeof(*seen), PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	return seen != MAP_FAILED &&
	       !madvise(seen, sizeof(*seen), MADV_DONTFORK);
}

/* A response under construction, in the region itself. */
struct sink {
	unsigned char *base;
	uint32_t used, cap;
	bool truncated;
};

/* Whether `value` is seen for the first time; when in doubt, it is. */
static bool first_time(uint32_t value)
{
	uint32_t at = wire_hash32(value);

	for (uint32_t i = 0; i < SEEN_PROBES; i++, at++) {
		uint32_t s = at & (SEEN_SLOTS - 1);

		if (seen->slot[s].generation != seen->generation) {
			seen->slot[s].generation = seen->generation;
			seen->slot[s].value = value;
			return true;
		}
		if (seen->slot[s].value == value)
			return false;
	}
	return true;
}

static void *sink_add(struct sink *k, uint32_t size)
{
	void *p = k->base + k->used;

	if (size > k->cap - k->used) {
		k->truncated = true;
		return NULL;
	}
	k->used += size;
	return p;
}

static void sink_align(struct sink *k)
{
	k->used = (k->used + 7) & ~7u;
	if (k->used > k->cap)
		k->used = k->cap;
}

static void add_signals(struct sink *k, struct wire_call *c,
			const struct executor *x, const uint64_t *pc,
			uint32_t n)
{
	const struct wire_host *h = &x->region.host;
	const uint32_t *max = (const void *)(x->region.base + h->max_off);
	bool all = x->job.req.flags & WIRE_REQ_ALL_SIGNAL;
	uint64_t prev = 0;

	seen->generation++;
	c->signals_off = k->used;
	for (uint32_t i = 0; i < n; prev = pc[i++]) {
		uint32_t s = wire_edge(prev, pc[i]), *to;

		if (pc[i] == WIRE_COVER_GAP || prev == WIRE_COVER_GAP)
			continue;
		if ((!all && wire_max_has(max, h->max_slots, s)) ||
		    !first_time(s))
			continue;
		to = sink_add(k, sizeof(*to));
		if (!to)
			break;
		*to = s;
		c->nsignals++;
	}
	sink_align(k);
}

static void add_pcs(struct sink *k, struct wire_call *c, const uint64_t *pc,
		    uint32_t n)
{
	seen->generation++;
	c->pcs_off = k->used;
	for (uint32_t i = 0; i < n; i++) {
		uint64_t *to;

		if (pc[i] == WIRE_COVER_GAP || !first_time((uint32_t)pc[i]))
			continue;
		to = sink_add(k, sizeof(*to));
		if (!to)
			break;
		*to = pc[i];
		c->npcs++;
	}
}

static uint32_t hash_cmp(const uint64_t w[CMP_WORDS])
{
	uint32_t h = 0;

	for (uint32_t i = 0; i < CMP_WORDS; i++)
		h = wire_hash32(h ^ (uint32_t)w[i]) ^ (uint32_t)(w[i] >> 32);
	return h;
}

static void add_cmps(struct sink *k, struct wire_call *c, const uint64_t *words,
		     uint32_t n)
{
	seen->generation++;
	c->cmps_off = k->used;
	for (uint32_t i = 0; i < n && c->ncmps < MAX_CMPS; i++) {
		const uint64_t *w = words + (size_t)i * CMP_WORDS;
		void *to;

		if (!first_time(hash_cmp(w)))
			continue;
		to = sink_add(k, sizeof(struct wire_cmp));
		if (!to)
			break;
		memcpy(to, w, sizeof(struct wire_cmp));
		c->ncmps++;
	}
}

static void add_trace(struct sink *k, struct wire_call *c,
		      const struct executor *x, const uint64_t *pc, uint32_t n)
{
	uint32_t flags = x->job.req.flags;

	if (flags & (WIRE_REQ_SIGNAL | WIRE_REQ_ALL_SIGNAL))
		add_signals(k, c, x, pc, n);
	if (flags & WIRE_REQ_COVER)
		add_pcs(k, c, pc, n);
}

static void add_coverage(struct sink *k, struct wire_call *c,
			 const struct executor *x, const struct call_log *log)
{
	uint32_t flags = x->job.req.flags, thread = log->thread;
	bool cmp = flags & WIRE_REQ_CMP;
	uint32_t from = log->from, to = log->to;
	const uint64_t *words = cover_entries(thread, cmp);

	/* The log is a program's to overwrite. */
	if (!words || from > to || cover_is_full(thread, to ? to - 1 : 0, cmp))
		return;
	c->trace_len = to - from;
	if (cover_is_full(thread, to, cmp))
		c->flags |= WIRE_COVER_FULL;
	if (cmp)
		add_cmps(k, c, words + (size_t)from * CMP_WORDS, to - from);
	else
		add_trace(k, c, x, words + from, to - from);
}

/* What others did for the program. */
static void add_extra(struct sink *k, struct wire_call *c,
		      const struct executor *x)
{
	const uint64_t *pc = kcov_remote(&c->trace_len);

	add_trace(k, c, x, pc, c->trace_len);
}

static bool wants_extra(const struct executor *x)
{
	const uint32_t pcs = WIRE_REQ_SIGNAL | WIRE_REQ_ALL_SIGNAL |
			     WIRE_REQ_COVER;
	uint32_t n;

	return x->job.req.kind == WIRE_PROGRAM && (x->job.req.flags & pcs) &&
	       !(x->job.req.flags & WIRE_REQ_CMP) && kcov_remote(&n) && n;
}

static void add_call(struct sink *k, struct wire_call *c,
		     const struct executor *x, const struct call_log *log)
{
	*c = (struct wire_call){ .flags = log->flags };
	if (log->flags & WIRE_RETURNED) {
		c->ret = log->ret;
		c->err = log->err;
	}
	if (log->flags & WIRE_CALLED)
		add_coverage(k, c, x, log);
}

void respond(struct executor *x, uint32_t status, int32_t code)
{
	struct shared *s = x->shared;
	struct wire_response *r = region_response(&x->region, s->completed);
	struct sink k = { .base = (unsigned char *)r,
			  .used = sizeof(*r),
			  .cap = x->region.host.resp_size };
	uint32_t n = s->ncalls <= WIRE_MAX_CALLS ? s->ncalls : 0;
	uint64_t now = now_ns();
	bool extra = wants_extra(x);
	struct wire_call *calls = sink_add(&k, (n + extra) * sizeof(*calls));

	if (!calls)
		n = extra = 0;
	for (uint32_t i = 0; i < n; i++)
		add_call(&k, &calls[i], x, &s->calls[i]);
	if (extra) {
		calls[n] = (struct wire_call){};
		add_extra(&k, &calls[n], x);
	}
	*r = (struct wire_response){
		.number = s->completed,
		.status = status,
		.code = code,
		.flags = (k.truncated ? WIRE_RESP_TRUNCATED : 0) |
			 (s->fresh ? WIRE_RESP_NEW_WORKER : 0) |
			 (s->stuck ? WIRE_RESP_STUCK : 0) |
			 (extra ? WIRE_RESP_EXTRA : 0),
		.ncalls = n,
		.size = k.used,
		.elapsed_ns = now - x->start_ns,
	};
	/* If the next request is there already, it starts now. */
	x->start_ns = now;
	s->running = 0;
	s->completed++;
	region_complete(&x->region, s->completed);
}

void respond_end(struct executor *x, int status)
{
	if (status < 0)
		respond(x, WIRE_TIMEOUT, 0);
	else if (WIFSIGNALED(status))
		respond(x, WIRE_KILLED, WTERMSIG(status));
	else
		respond(x, WIRE_EXITED, WEXITSTATUS(status));
}
