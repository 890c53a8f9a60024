/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * driver_code.c - the commands that a handler of ioctls knows.
 *
 * What compilers make of `switch (cmd)`:
 *	cmp $C,%r; je X			the case C
 *	sub $C,%r; cmp $N,%r; jbe X	the cases C to C+N; so do lea and add
 *	... ja X; jmp *TABLE(,%r,8)	a table, X its default
 *	mov $TABLE,%rsi; call __sanitizer_cov_trace_switch
 *					KCOV: count, bits, the cases
 * A `cmp` that only ja, jbe, jg or jle follow parts a tree of comparisons and
 * is no case.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "elf/driver_internal.h"

enum {
	DEPTH_MAX = 3,
	FUNCTIONS_MAX = 64,
	CODE_MAX_BYTES = 1 << 20,
	WINDOW = 4, /* instructions between the parts of a pattern */
	CASES_MAX = 256,
	RANGE_MAX = 7, /* cases of one label: C to C+7 */
};

/* A part of a pattern, and how many instructions it is good for. */
struct part {
	uint64_t value;
	int left;
};

struct scan {
	struct image *img;
	command_vec *out;
	VEC(uint64_t) queue; /* functions */
	struct unit *unit;
	struct part base, compared, limit, range, otherwise, table;
};

/*
 * asm-generic/ioctl.h: direction, size, type, number.  Older commands are plain
 * numbers of a type and a number.
 */
static bool is_command(uint64_t value)
{
	unsigned type = value >> 8 & 0xff, size = value >> 16 & 0x3fff;

	/* -4095: the lowest error code (MAX_ERRNO of linux/err.h) */
	if (value > UINT32_MAX || value >= (uint32_t)-4095 || !type ||
	    type == 0xff)
		return false;
	return value >> 30 ? true : !size && value > 0x1000;
}

static void add(struct scan *s, uint64_t value)
{
	if (!is_command(value))
		return;
	vec_for_each(s->out, have)
		if (*have == value)
			return;
	vec_push(s->out, (uint32_t)value);
}

static void set(struct part *p, uint64_t value)
{
	*p = (struct part){ value, WINDOW };
}

static bool number(const char *text, uint64_t *out)
{
	char *end;

	*out = strtoull(text, &end, 0);
	return end != text;
}

/* cmp $C,%r with a register of 32 bits, or one that was spilled. */
static void on_cmp(struct scan *s, const char *args)
{
	const char *to = strchr(args, ',');
	uint64_t value;

	s->compared.left = s->limit.left = 0;
	if (*args != '$' || !to || !number(args + 1, &value))
		return;
	to++;
	bool wide = to[0] == '%' && to[1] == 'r' && !strchr(to, 'd');

	if (to[0] == '%' && (wide || (to[1] != 'e' && to[1] != 'r')))
		return;
	if (to[0] != '%' && !strstr(to, "(%rbp)") && !strstr(to, "(%rsp)"))
		return;
	if (s->base.left && value < CASES_MAX)
		set(&s->limit, value);
	else
		set(&s->compared, value);
}

/* What is subtracted to make a range begin at 0. */
static void on_base(struct scan *s, const char *args, bool negative)
{
	uint64_t value;

	if (!number(args + (*args == '$'), &value))
		return;
	value = (uint32_t)(negative ? -value : value);
	if (is_command(value))
		set(&s->base, value);
}

static bool is_equal(const char *op)
{
	return !strcmp(op, "je") || !strcmp(op, "jne") || !strcmp(op, "sete") ||
	       !strcmp(op, "setne") || !strcmp(op, "cmove") ||
	       !strcmp(op, "cmovne");
}

static void on_range(struct scan *s, const char *op, const char *args)
{
	uint64_t target = 0;

	if (!s->limit.left || !s->base.left)
		return;
	s->range = (struct part){ s->limit.value, WINDOW };
	if (!strcmp(op, "ja") && number(args, &target))
		set(&s->otherwise, target);
	s->base.left = WINDOW + 1; /* as long as the range */
	s->limit.left = 0;
}

static void end_range(struct scan *s)
{
	if (s->range.value <= RANGE_MAX)
		for (uint64_t i = 0; i <= s->range.value; i++)
			add(s, s->base.value + i);
	s->range.left = s->base.left = 0;
}

/* jmp *TABLE(,%r,8) */
static void on_table(struct scan *s, const char *args)
{
	uint64_t table, target;

	if (!s->range.left || !number(args, &table))
		return;
	for (uint64_t i = 0; i <= s->range.value; i++)
		if (driver_memory(s->img, table + i * 8, &target, 8) &&
		    !(s->otherwise.left && target == s->otherwise.value))
			add(s, s->base.value + i);
	s->range.left = s->base.left = 0;
}

static void on_switch(struct scan *s)
{
	uint64_t head[2], value;

	if (!s->table.left ||
	    !driver_memory(s->img, s->table.value, head, sizeof(head)) ||
	    head[0] > CASES_MAX || head[1] != 32)
		return;
	for (uint64_t i = 0; i < head[0]; i++)
		if (driver_memory(s->img, s->table.value + 16 + i * 8, &value,
				  8))
			add(s, (uint32_t)value);
}

static void visit(struct scan *s, uint64_t address)
{
	if (s->queue.len >= FUNCTIONS_MAX ||
	    units_at(&s->img->units, address) != s->unit)
		return;
	vec_for_each(&s->queue, f)
		if (*f == address)
			return;
	vec_push(&s->queue, address);
}

/* To another function, or to the cold part of this one. */
static void on_call(struct scan *s, const char *args)
{
	const struct sym *sym;
	uint64_t target;

	if (!number(args, &target))
		return;
	sym = symtab_at(&s->img->symtab, target);
	if (!sym)
		return;
	if (!strcmp(sym->name, "__sanitizer_cov_trace_switch"))
		on_switch(s);
	else
		visit(s, sym->addr);
}

static void age(struct scan *s)
{
	struct part *const parts[] = { &s->base, &s->compared, &s->limit,
				       &s->otherwise, &s->table };

	for (size_t i = 0; i < ARRAY_LEN(parts); i++)
		if (parts[i]->left)
			parts[i]->left--;
	if (s->range.left && !--s->range.left)
		end_range(s);
}

static void on_insn(void *data, const char *text)
{
	struct scan *s = data;
	size_t len = strcspn(text, " ");
	const char *args = text + len + strspn(text + len, " ");
	char op[16];
	uint64_t value;

	snprintf(op, sizeof(op), "%.*s", (int)len, text);
	if (!strcmp(op, "notrack")) {
		on_insn(data, args);
		return;
	}
	if (!strcmp(op, "cmp") || !strcmp(op, "cmpl")) {
		on_cmp(s, args);
	} else if (!strcmp(op, "sub")) {
		on_base(s, args, false);
	} else if (!strcmp(op, "add") || !strcmp(op, "lea")) {
		on_base(s, args, true);
	} else if (is_equal(op)) {
		if (s->compared.left)
			add(s, s->compared.value);
	} else if (!strcmp(op, "ja") || !strcmp(op, "jbe")) {
		on_range(s, op, args);
	} else if (!strcmp(op, "mov") && strstr(args, ",%rsi") &&
		   *args == '$' && number(args + 1, &value)) {
		set(&s->table, value);
	} else if (!strcmp(op, "jmp") && *args == '*') {
		on_table(s, args + 1);
	} else if (!strcmp(op, "call") || !strcmp(op, "jmp")) {
		on_call(s, args);
		s->compared.left = s->limit.left = 0;
	}
	if (!strcmp(op, "test") || !strcmp(op, "call"))
		s->compared.left = 0;
	age(s);
}

static fallible scan_function(struct scan *s, uint64_t address)
{
	const struct sym *sym = symtab_at(&s->img->symtab, address);
	uint64_t len = sym ? sym->end - sym->addr : 0;

	if (!len || len > CODE_MAX_BYTES)
		return NULL;
	_cleanup_(freep) uint8_t *code = mem_calloc(1, len);

	if (!driver_memory(s->img, sym->addr, code, len))
		return NULL;
	s->base = s->compared = s->limit = s->range = s->otherwise = s->table =
		(struct part){};
	if (!disasm_function(code, len, sym->addr, on_insn, s))
		return error_new(ERR_NOT_FOUND,
				 "no libopcodes to disassemble with; install "
				 "binutils");
	if (s->range.left)
		end_range(s);
	return NULL;
}

fallible driver_commands(struct image *img, uint64_t handler, command_vec *out)
{
	struct scan s = { .img = img, .out = out };
	struct error *err = NULL;
	size_t at = 0;

	s.unit = units_at(&img->units, handler);
	if (!s.unit)
		return NULL;
	vec_push(&s.queue, handler);
	for (int depth = 0; depth <= DEPTH_MAX && !err; depth++) {
		size_t end = s.queue.len;

		while (at < end && !err)
			err = scan_function(&s, s.queue.data[at++]);
	}
	vec_free(&s.queue);
	return err;
}
