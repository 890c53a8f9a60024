/* SPDX-License-Identifier: GPL-2.0-or-later */
/* raw.c - the program in memory, and the names of calls. */
#include "raw/raw.h"

#include "base/mem.h"
#include "raw/steps.h"

#define MAX_STEPS 4096

static const struct {
	enum raw_arch arch;
	const char *name;
	uint32_t nr;
} syscalls[] = {
#define SYSCALL(arch, name, nr) { RAW_##arch, name, nr },
#include <syscalls.def> /* made by tools/make-syscalls.sh */
#undef SYSCALL
};

int64_t raw_syscall_nr(enum raw_arch arch, struct slice name)
{
	for (uint32_t i = 0; i < WIRE_NR_PSEUDO; i++)
		if (slice_eq(slice_cstr(wire_pseudo_name(i)), name))
			return WIRE_PSEUDO + i;
	for (size_t i = 0; i < ARRAY_LEN(syscalls); i++)
		if (syscalls[i].arch == arch &&
		    slice_eq(slice_cstr(syscalls[i].name), name))
			return (int)syscalls[i].nr;
	return -1;
}

struct raw *raw_new(enum raw_arch arch)
{
	struct raw *p = mem_calloc(1, sizeof(*p));

	p->arch = arch;
	return p;
}

void raw_free(struct raw *p)
{
	vec_free(&p->steps);
	buf_deinit(&p->bytes);
	free(p);
}

bool raw_place(struct raw *p, struct value *v)
{
	if (v->kind != VALUE_BYTES && v->kind != VALUE_ZERO)
		return true;
	/* An empty string has an address too. */
	if (v->len >= RAW_PLACED_BYTES - p->top)
		return false;
	v->off = (uint32_t)p->top;
	p->top += v->len ? v->len : 1;
	p->top = (p->top + RAW_ALIGN - 1) & ~(uint64_t)(RAW_ALIGN - 1);
	return true;
}

bool raw_add(struct raw *p, const struct step *s)
{
	if (p->steps.len == MAX_STEPS ||
	    (s->kind == STEP_CALL && p->ncalls == WIRE_MAX_CALLS))
		return false;
	p->ncalls += s->kind == STEP_CALL;
	vec_push(&p->steps, *s);
	return true;
}
