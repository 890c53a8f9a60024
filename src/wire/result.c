/* SPDX-License-Identifier: GPL-2.0-or-later */
/* result.c - checks a response that was copied out of the guest's reach. */
#include "wire/wire.h"

/* Whether `n` elements of `size` bytes at `off` are within the response. */
static bool array_fits(const struct wire_result *r, uint32_t off, uint32_t n,
		       size_t size, size_t first)
{
	if (!n)
		return true;
	/* 32-bit factors: the product fits 64 bits. */
	return off >= first && off % (size < 8 ? size : 8) == 0 &&
	       off <= r->bytes.len && (uint64_t)n * size <= r->bytes.len - off;
}

static bool call_ok(const struct wire_result *r, const struct wire_call *c,
		    size_t first)
{
	return array_fits(r, c->signals_off, c->nsignals, sizeof(uint32_t),
			  first) &&
	       array_fits(r, c->pcs_off, c->npcs, sizeof(uint64_t), first) &&
	       array_fits(r, c->cmps_off, c->ncmps, sizeof(struct wire_cmp),
			  first);
}

/*
 * What the call's arrays take together.  Shared ones would make a small response
 * a large one: 512 calls with the same array.
 */
static uint64_t array_bytes(const struct wire_call *c)
{
	return (uint64_t)c->nsignals * sizeof(uint32_t) +
	       (uint64_t)c->npcs * sizeof(uint64_t) +
	       (uint64_t)c->ncmps * sizeof(struct wire_cmp);
}

fallible wire_result_check(struct slice bytes, uint32_t number,
			   struct wire_result *out)
{
	struct wire_result r = { .bytes = bytes };
	uint32_t records;
	uint64_t arrays = 0;
	size_t calls_size;

	if (bytes.len < sizeof(r.head))
		return error_new(ERR_INPUT, "a response of %zu bytes",
				 bytes.len);
	memcpy(&r.head, bytes.p, sizeof(r.head));
	if (r.head.number != number || r.head.size != bytes.len ||
	    r.head.status > WIRE_ERROR || r.head.ncalls > WIRE_MAX_CALLS)
		return error_new(ERR_INPUT,
				 "response %u is garbled: number %u, status "
				 "%u, %u calls, %u bytes",
				 number, r.head.number, r.head.status,
				 r.head.ncalls, r.head.size);
	r.extra = r.head.flags & WIRE_RESP_EXTRA;
	records = r.head.ncalls + r.extra;
	calls_size = records * sizeof(struct wire_call);
	if (calls_size > bytes.len - sizeof(r.head))
		return error_new(ERR_INPUT, "response %u lacks calls", number);
	r.ncalls = r.head.ncalls;
	r.calls = (const void *)(bytes.p + sizeof(r.head));
	for (uint32_t i = 0; i < records; i++) {
		if (!call_ok(&r, &r.calls[i], sizeof(r.head) + calls_size))
			return error_new(ERR_INPUT,
					 "response %u: coverage of call %u is "
					 "out of bounds",
					 number, i);
		arrays += array_bytes(&r.calls[i]);
	}
	if (arrays > bytes.len - sizeof(r.head) - calls_size)
		return error_new(ERR_INPUT,
				 "response %u: calls share their coverage",
				 number);
	*out = r;
	return NULL;
}

struct wire_u32s wire_signals(const struct wire_result *r, uint32_t i)
{
	const struct wire_call *c = &r->calls[i];

	if (!c->nsignals)
		return (struct wire_u32s){};
	return (struct wire_u32s){
		.data = (const void *)(r->bytes.p + c->signals_off),
		.len = c->nsignals,
	};
}

struct wire_u64s wire_pcs(const struct wire_result *r, uint32_t i)
{
	const struct wire_call *c = &r->calls[i];

	if (!c->npcs)
		return (struct wire_u64s){};
	return (struct wire_u64s){
		.data = (const void *)(r->bytes.p + c->pcs_off),
		.len = c->npcs,
	};
}

struct wire_cmps wire_cmps(const struct wire_result *r, uint32_t i)
{
	const struct wire_call *c = &r->calls[i];

	if (!c->ncmps)
		return (struct wire_cmps){};
	return (struct wire_cmps){
		.data = (const void *)(r->bytes.p + c->cmps_off),
		.len = c->ncmps,
	};
}

const char *wire_pseudo_name(enum wire_pseudo n)
{
	static const char *const names[] = {
#define PSEUDO(NAME, name, undo) #name,
#include "wire/pseudo.def"
#undef PSEUDO
	};

	return names[n];
}

const char *wire_status_text(uint32_t status)
{
	static const char *const text[] = {
		[WIRE_DONE] = "done",	      [WIRE_EXITED] = "exited",
		[WIRE_KILLED] = "killed",     [WIRE_TIMEOUT] = "timed out",
		[WIRE_INVALID] = "not valid", [WIRE_ERROR] = "failed",
	};

	return status < ARRAY_LEN(text) ? text[status] : "?";
}
