/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fake.c - a machine that follows a script, with a clock of its own: hours of
 * guest time pass in microseconds, the same way every time for a seed.
 */
#include "base/mem.h"
#include "vm/internal.h"

struct fake {
	uint64_t now_ms, due_ms, rng;
	size_t step;
	bool host_sent;
};

/* xorshift64*: Vigna, "An experimental exploration of ..." (2016) */
static unsigned dice(struct fake *f, unsigned sides)
{
	f->rng ^= f->rng >> 12;
	f->rng ^= f->rng << 25;
	f->rng ^= f->rng >> 27;
	return (unsigned)((f->rng * 0x2545f4914f6cdd1dull >> 33) % sides);
}

static const struct vm_fake_step *current(const struct vm *vm)
{
	static const struct vm_fake_step end = { .act = VM_FAKE_END };
	const struct fake *f = vm->impl;

	return vm->cfg.script ? &vm->cfg.script[f->step] : &end;
}

static void next_step(struct vm *vm)
{
	struct fake *f = vm->impl;

	if (current(vm)->act != VM_FAKE_END)
		f->step++;
	f->due_ms = f->now_ms + current(vm)->after_ms;
}

static fallible fake_open(struct vm *vm)
{
	struct fake *f = mem_calloc(1, sizeof(*f));

	f->rng = vm->cfg.seed * 2 + 1;
	vm->impl = f;
	return NULL;
}

static void fake_close(struct vm *vm)
{
	free(vm->impl);
}

static fallible fake_start(struct vm *vm)
{
	struct fake *f = vm->impl;

	f->step = 0;
	f->host_sent = false;
	f->due_ms = f->now_ms + current(vm)->after_ms;
	return NULL;
}

static uint64_t fake_now_ms(const struct vm *vm)
{
	return ((const struct fake *)vm->impl)->now_ms;
}

static void end(struct vm *vm, int status, int signal)
{
	vm->proc.ended = true;
	vm->proc.status = status;
	vm->proc.signal = signal;
	vm_process_death(vm);
}

static fallible act(struct vm *vm, const struct vm_fake_step *s,
		    unsigned *events)
{
	struct fake *f = vm->impl;

	switch (s->act) {
	case VM_FAKE_CONSOLE:
		vm_got_console(vm, slice_cstr(s->text));
		*events |= VM_EV_CONSOLE;
		break;
	case VM_FAKE_FLOOD:
		for (unsigned i = 0; i < s->arg; i++)
			vm_got_console(vm, slice_cstr(s->text));
		*events |= VM_EV_CONSOLE;
		break;
	case VM_FAKE_MESSAGE:
		vm_got_message(vm, slice_cstr(s->text));
		*events |= VM_EV_MESSAGE;
		break;
	case VM_FAKE_EXIT:
		end(vm, (int)s->arg, 0);
		break;
	case VM_FAKE_SIGNAL:
		end(vm, 0, (int)s->arg);
		break;
	case VM_FAKE_MAYBE:
		if (dice(f, 100) < s->arg)
			f->step++;
		break;
	case VM_FAKE_FAIL:
		return error_new(ERR_INFRA, "%s", s->text);
	case VM_FAKE_ON_MESSAGE:
	case VM_FAKE_END:
		break;
	}
	return NULL;
}

/* Can the current step be taken at its time? */
static bool blocked(const struct vm *vm)
{
	const struct fake *f = vm->impl;
	enum vm_fake_act a = current(vm)->act;

	return vm->proc.ended || a == VM_FAKE_END ||
	       (a == VM_FAKE_ON_MESSAGE && !f->host_sent);
}

static fallible fake_wait(struct vm *vm, unsigned timeout_ms, unsigned *events)
{
	struct fake *f = vm->impl;
	uint64_t until = f->now_ms + timeout_ms;

	*events = 0;
	for (;;) {
		uint64_t t =
			f->now_ms + (uint64_t)vm_sleep_ms(
					    vm, (unsigned)(until - f->now_ms));

		if (!blocked(vm) && f->due_ms <= t) {
			const struct vm_fake_step *s = current(vm);

			f->now_ms = f->due_ms > f->now_ms ? f->due_ms :
							    f->now_ms;
			TRY(act(vm, s, events));
			if (s->act == VM_FAKE_ON_MESSAGE)
				f->host_sent = false;
			next_step(vm);
		} else {
			f->now_ms = vm->proc.ended ? until : t;
		}
		if (*events)
			vm->output_ms = f->now_ms;
		vm_check_time(vm);
		if (vm->death.kind)
			*events |= VM_EV_DEATH;
		if (*events || f->now_ms >= until)
			return NULL;
	}
}

static fallible fake_send(struct vm *vm, struct slice data)
{
	struct fake *f = vm->impl;

	if (vm->proc.ended)
		return error_new(ERR_INFRA, "the guest takes no messages");
	f->host_sent = true;
	if (current(vm)->act == VM_FAKE_ON_MESSAGE)
		f->due_ms = f->now_ms + current(vm)->after_ms;
	return NULL;
}

static fallible fake_diagnose(struct vm *vm, struct buf *out)
{
	if (vm->proc.ended)
		return error_new(ERR_INFRA, "the machine is gone");
	buf_str(out, "fake registers\n");
	return NULL;
}

const struct vm_ops vm_fake_ops = {
	.name = "fake",
	.boot_timeout_ms = 10000,
	.open = fake_open,
	.start = fake_start,
	.close = fake_close,
	.wait = fake_wait,
	.send = fake_send,
	.now_ms = fake_now_ms,
	.diagnose = fake_diagnose,
};
