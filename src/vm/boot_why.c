/* SPDX-License-Identifier: GPL-2.0-or-later */
/* boot_why.c - why a guest did not get ready: one phrase that helps. */
#include <string.h>

#include "vm/internal.h"

static const struct {
	struct slice text;
	const char *meaning;
} causes[] = {
#define BOOT_WHY(text_, meaning_) { SLICE(text_), meaning_ },
#include "vm/boot_why.def"
#undef BOOT_WHY
};

/* The line of `text` that `at` is in, shortened, blanks trimmed. */
static struct slice line_at(struct slice text, const char *at)
{
	const char *from = memrchr(text.p, '\n', (size_t)(at - text.p));
	struct slice rest =
		slice_range(from ? from + 1 : text.p, text.p + text.len);
	struct slice line = rest;

	slice_line(&rest, &line);
	line = slice_trim(line);
	line.len = MIN(line.len, (size_t)200);
	return line;
}

static bool from_console(struct slice text, struct buf *why)
{
	for (size_t i = 0; i < ARRAY_LEN(causes); i++) {
		const char *at = slice_find(text, causes[i].text);

		if (!at)
			continue;
		struct slice line = line_at(text, at);
		if (causes[i].meaning)
			buf_printf(why, "%s (\"" SLICE_FMT "\")",
				   causes[i].meaning, SLICE_ARG(line));
		else
			buf_printf(why, "panic at start: " SLICE_FMT,
				   SLICE_ARG(line));
		return true;
	}
	return false;
}

/* The last line with something in it. */
static struct slice last_line(struct slice text)
{
	text = slice_trim(text);
	return text.len ? line_at(text, text.p + text.len - 1) : text;
}

static void from_death(const struct vm *vm, struct slice text, bool timed_out,
		       struct buf *why)
{
	struct slice last = last_line(text);

	if (timed_out)
		buf_printf(why,
			   "the kernel runs, but its user space did not "
			   "report within %llu s",
			   (unsigned long long)(vm_now_ms(vm) - vm->started_ms +
						500) /
				   1000);
	else
		buf_str(why, vm->death.why);
	if (last.len)
		buf_printf(why, "; last line: \"" SLICE_FMT "\"",
			   SLICE_ARG(last));
}

void vm_explain_boot(struct vm *vm, bool timed_out, struct buf *why)
{
	_cleanup_(buf_deinit) struct buf text = {};
	struct slice complaint = last_line(buf_as_slice(&vm->errors));

	console_settle(&vm->console);
	vm_console(vm, 0, &text);
	struct slice console = slice_trim(buf_as_slice(&text));
	if (from_console(console, why))
		return;
	if (vm->ops->explain)
		vm->ops->explain(vm, why);
	if (why->len)
		return;
	if (complaint.len && vm->death.kind)
		buf_printf(why, "%s: " SLICE_FMT, vm->death.why,
			   SLICE_ARG(complaint));
	else
		from_death(vm, console, timed_out, why);
	if (vm->console.nr_crashes && vm->death.kind != VM_CRASHED)
		buf_printf(why, "; it had reported: %s",
			   vm->console.crashes[0].title);
}
