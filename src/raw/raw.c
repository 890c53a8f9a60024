/* SPDX-License-Identifier: GPL-2.0-or-later */
/* prog.c - the program in memory, its printer, and the names of calls. */
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

const char *raw_syscall_name(enum raw_arch arch, uint32_t nr)
{
	for (size_t i = 0; i < ARRAY_LEN(syscalls); i++)
		if (syscalls[i].arch == arch && syscalls[i].nr == nr)
			return syscalls[i].name;
	return NULL;
}

int raw_syscall_nr(enum raw_arch arch, struct slice name)
{
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

size_t raw_ncalls(const struct raw *p)
{
	return p->ncalls;
}

/* ---- Text -------------------------------------------------------------------- */

static void print_bytes(struct slice s, struct buf *out)
{
	buf_char(out, '"');
	for (size_t i = 0; i < s.len; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if (c == '"' || c == '\\')
			buf_printf(out, "\\%c", c);
		else if (c >= ' ' && c <= '~')
			buf_char(out, (char)c);
		else
			buf_printf(out, "\\x%02x", c);
	}
	buf_char(out, '"');
}

static void print_value(const struct raw *p, const struct value *v,
			struct buf *out)
{
	switch (v->kind) {
	case VALUE_CONST:
		buf_printf(out, "0x%llx", (unsigned long long)v->number);
		break;
	case VALUE_RESULT:
		buf_printf(out, "r%u", v->result);
		break;
	case VALUE_BYTES:
		print_bytes((struct slice){ v->len ? p->bytes.data + v->from :
						     NULL,
					    v->len },
			    out);
		break;
	case VALUE_ZERO:
		buf_printf(out, "&[%u]", v->len);
		break;
	}
}

static void print_props(const struct step *s, struct buf *out)
{
	const char *sep = " (";

	if (s->props & WIRE_CALL_ASYNC) {
		buf_printf(out, "%sasync", sep);
		sep = ", ";
	}
	if (s->rerun) {
		buf_printf(out, "%srerun: %u", sep, s->rerun);
		sep = ", ";
	}
	if (s->fail_nth) {
		buf_printf(out, "%sfail_nth: %u", sep, s->fail_nth);
		sep = ", ";
	}
	if (sep[0] == ',')
		buf_char(out, ')');
}

static void print_call(const struct raw *p, const struct step *s,
		       struct buf *out)
{
	const char *name = raw_syscall_name(p->arch, s->nr);
	const char *sep = "";

	if (name) {
		buf_printf(out, "%s(", name);
	} else {
		buf_printf(out, "syscall(%u", s->nr);
		sep = ", ";
	}
	for (uint32_t i = 0; i < s->nargs; i++, sep = ", ") {
		buf_str(out, sep);
		print_value(p, &s->args[i], out);
	}
	buf_char(out, ')');
	print_props(s, out);
}

static void print_step(const struct raw *p, const struct step *s,
		       struct buf *out)
{
	if (s->result != WIRE_NO_RESULT)
		buf_printf(out, "r%u = ", s->result);
	if (s->kind == STEP_CALL) {
		print_call(p, s, out);
		return;
	}
	buf_printf(out, "*0x%llx",
		   (unsigned long long)(WIRE_DATA_BASE + s->off));
	if (s->kind != STEP_LOAD) {
		buf_str(out, " = ");
		print_value(p, &s->args[0], out);
	}
	if (s->kind != STEP_BYTES)
		buf_printf(out, ":%u", s->size);
}

void raw_to_text(const struct raw *p, struct buf *out)
{
	for (size_t i = 0; i < p->steps.len; i++) {
		print_step(p, &p->steps.data[i], out);
		buf_char(out, '\n');
	}
}

void raw_call_to_text(const struct raw *p, size_t i, struct buf *out)
{
	for (size_t k = 0; k < p->steps.len; k++) {
		const struct step *s = &p->steps.data[k];

		if (s->kind != STEP_CALL || i--)
			continue;
		print_step(p, s, out);
		return;
	}
}
