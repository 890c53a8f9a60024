/* SPDX-License-Identifier: GPL-2.0-or-later */
/* wait.c - the descriptors of a machine that is a process. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/io.h"
#include "vm/internal.h"

enum {
	READ_BYTES = 65536,
	READS_PER_POLL = 16, /* a flood must not keep us from the rest */
	ERRORS_BYTES = 16384,
	SEND_TIMEOUT_MS = 1000,
	SETTLE_MS = 1000, /* a splat prints on without such a pause */
};

fallible vm_channel(int *ours, int *theirs)
{
	int sv[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sv) < 0)
		return error_os("socketpair");
	fcntl(sv[0], F_SETFL, O_NONBLOCK);
	*ours = sv[0];
	*theirs = sv[1];
	return NULL;
}

static void got_errors(struct vm *vm, struct slice text)
{
	if (vm->errors.len < ERRORS_BYTES)
		buf_add(&vm->errors, text.p,
			MIN(text.len, ERRORS_BYTES - vm->errors.len));
}

static size_t inbox_room(const struct vm *vm)
{
	return VM_INBOX_BYTES - MIN(vm->inbox.len, (size_t)VM_INBOX_BYTES);
}

/* Read what is there, but not forever; close at the end of the stream. */
static unsigned read_fd(struct vm *vm, int *fd,
			void (*got)(struct vm *, struct slice), unsigned event)
{
	char chunk[READ_BYTES];
	unsigned events = 0;

	for (int i = 0; *fd >= 0 && i < READS_PER_POLL; i++) {
		size_t room = event == VM_EV_MESSAGE ? inbox_room(vm) :
						       sizeof(chunk);
		if (!room)
			break;
		ssize_t n = read(*fd, chunk, MIN(room, sizeof(chunk)));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			break;
		if (n <= 0) {
			close_fdp(fd);
			*fd = -1;
			break;
		}
		got(vm, (struct slice){ chunk, (size_t)n });
		events |= event;
	}
	return events;
}

static unsigned read_all(struct vm *vm)
{
	return read_fd(vm, &vm->con_fd, vm_got_console, VM_EV_CONSOLE) |
	       read_fd(vm, &vm->msg_fd, vm_got_message, VM_EV_MESSAGE) |
	       read_fd(vm, &vm->err_fd, got_errors, 0);
}

void vm_process_death(struct vm *vm)
{
	const struct process *p = &vm->proc;
	const struct vm_crash *crash;

	console_settle(&vm->console);
	crash = vm_fatal_crash(vm);
	vm->death.status = p->signal ? -1 : p->status;
	vm->death.signal = p->signal;
	if (crash)
		vm_set_death(vm, VM_CRASHED, "%s", crash->title);
	else if (p->signal == SIGABRT)
		vm_set_death(vm, VM_EXITED, "%s aborted", vm->ops->name);
	else if (p->signal == SIGKILL || p->signal == SIGTERM)
		vm_set_death(vm, VM_LOST, "%s was killed by somebody (%s)",
			     vm->ops->name, strsignal(p->signal));
	else if (p->signal)
		vm_set_death(vm, VM_EXITED, "%s died of signal %d (%s)",
			     vm->ops->name, p->signal, strsignal(p->signal));
	else if (p->status)
		vm_set_death(vm, VM_EXITED, "%s exited with status %d",
			     vm->ops->name, p->status);
	else
		vm_set_death(vm, VM_SHUTDOWN, "the guest powered off");
}

/* What the passing of time means. */
void vm_check_time(struct vm *vm)
{
	uint64_t now = vm_now_ms(vm), quiet = now - vm->output_ms;
	unsigned limit = vm->cfg.silent_timeout_ms;
	const struct vm_crash *crash;

	vm->console.now_ms = now - vm->started_ms;
	if (vm->console.unsettled && quiet >= vm_scaled(vm, SETTLE_MS))
		console_settle(&vm->console);
	crash = vm_fatal_crash(vm);
	if (crash)
		vm_set_death(vm, VM_CRASHED, "%s", crash->title);
	else if (limit && quiet >= vm_scaled(vm, limit))
		vm_set_death(vm, VM_SILENT, "no output for %llu ms",
			     (unsigned long long)quiet);
}

/* How long poll() may sleep before vm_check_time() has something to say. */
int vm_sleep_ms(const struct vm *vm, unsigned timeout_ms)
{
	uint64_t quiet = vm_now_ms(vm) - vm->output_ms, t = timeout_ms;
	unsigned limit = vm_scaled(vm, vm->cfg.silent_timeout_ms);
	unsigned settle = vm_scaled(vm, SETTLE_MS);

	if (vm->proc.ended)
		return 0;
	if (vm->cfg.silent_timeout_ms && !vm->death.kind)
		t = MIN(t, limit > quiet ? limit - quiet : 0);
	if (vm->console.unsettled)
		t = MIN(t, settle > quiet ? settle - quiet : 0);
	return (int)MIN(t, (uint64_t)60000);
}

fallible vm_wait_process(struct vm *vm, unsigned timeout_ms, unsigned *events)
{
	uint64_t end = vm_now_ms(vm) + timeout_ms;

	*events = 0;
	for (;;) {
		uint64_t now = vm_now_ms(vm);
		struct pollfd f[] = {
			{ .fd = vm->con_fd, .events = POLLIN },
			{ .fd = inbox_room(vm) ? vm->msg_fd : -1,
			  .events = POLLIN },
			{ .fd = vm->err_fd, .events = POLLIN },
			{ .fd = vm->proc.ended ? -1 : vm->proc.pidfd,
			  .events = POLLIN },
		};
		unsigned left = now < end ? (unsigned)(end - now) : 0;
		int n = poll(f, ARRAY_LEN(f), vm_sleep_ms(vm, left));

		if (n < 0 && errno != EINTR)
			return error_new(ERR_INFRA, "poll: %s",
					 strerror(errno));
		/* Its end first: all it ever wrote is then there to be read. */
		bool ended = process_ended(&vm->proc);
		*events |= read_all(vm);
		if (*events & (VM_EV_CONSOLE | VM_EV_MESSAGE))
			vm->output_ms = vm_now_ms(vm);
		vm_check_time(vm);
		if (ended && !(*events & VM_EV_CONSOLE))
			vm_process_death(vm);
		if (vm->death.kind)
			*events |= VM_EV_DEATH;
		if (*events || vm_now_ms(vm) >= end)
			return NULL;
	}
}

fallible vm_send_fd(struct vm *vm, struct slice data)
{
	while (data.len) {
		ssize_t n = vm->msg_fd < 0 ? 0 :
					     send(vm->msg_fd, data.p, data.len,
						  MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN) {
			struct pollfd f = { .fd = vm->msg_fd,
					    .events = POLLOUT };

			if (poll(&f, 1, SEND_TIMEOUT_MS) > 0)
				continue;
		}
		if (n <= 0)
			return error_new(ERR_INFRA,
					 "the guest takes no messages");
		data = slice_from(data, (size_t)n);
	}
	return NULL;
}
