/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vm.c - what all machines have in common. */
#include "vm/vm.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/io.h"
#include "base/mem.h"
#include "vm/initramfs.h"
#include "vm/internal.h"

enum { READY_POLL_MS = 2, COMPLAINT_MS = 200 };

static const struct vm_ops *const machines[] = {
	[VM_UML] = &vm_uml_ops,
	[VM_QEMU] = &vm_qemu_ops,
	[VM_FAKE] = &vm_fake_ops,
};

uint64_t vm_now_ms(const struct vm *vm)
{
	struct timespec t;

	if (vm->ops->now_ms)
		return vm->ops->now_ms(vm);
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

unsigned vm_scaled(const struct vm *vm, unsigned ms)
{
	if (vm->ops->now_ms) /* a clock of its own knows no slow host */
		return ms;
	unsigned percent = vm->boot_slowdown > vm_slowdown() ?
				   vm->boot_slowdown :
				   vm_slowdown();

	return (unsigned)MIN((uint64_t)ms * percent / 100, (uint64_t)INT32_MAX);
}

void vm_set_death(struct vm *vm, enum vm_death_kind kind, const char *fmt, ...)
{
	va_list ap;

	if (vm->death.kind)
		return;
	vm->death.kind = kind;
	va_start(ap, fmt);
	vsnprintf(vm->death.why, sizeof(vm->death.why), fmt, ap);
	va_end(ap);
}

void vm_got_console(struct vm *vm, struct slice text)
{
	if (vm->cfg.on_console)
		vm->cfg.on_console(vm->cfg.console_ctx, text);
	console_add(&vm->console, text);
}

void vm_got_message(struct vm *vm, struct slice data)
{
	size_t room = VM_INBOX_BYTES - vm->inbox.len;

	buf_add(&vm->inbox, data.p, MIN(data.len, room));
}

/* ---- opening ---- */

static const struct vm_ops *machine_for(const struct vm_config *cfg,
					const struct vm_kernel *k)
{
	if (cfg->type != VM_AUTO)
		return machines[cfg->type];
	return k->kind == VM_KERNEL_UML ? &vm_uml_ops : &vm_qemu_ops;
}

static fallible anonymous_file(const char *name, struct slice content, int *out)
{
	_cleanup_(close_fdp) int fd = memfd_create(name, MFD_CLOEXEC);

	if (fd < 0)
		return error_os("memfd_create");
	TRY(io_write_all(fd, content.p, content.len), "%s", name);
	*out = fd;
	fd = -1;
	return NULL;
}

static fallible make_initramfs(struct vm *vm)
{
	_cleanup_(buf_deinit) struct buf b = {};

	initramfs_begin(&b);
	for (size_t i = 0; i < vm->cfg.nr_files; i++)
		TRY(initramfs_add(&b, &vm->cfg.files[i]));
	initramfs_end(&b);
	return anonymous_file("initramfs", buf_as_slice(&b), &vm->initrd_fd);
}

static fallible make_shm(struct vm *vm)
{
	struct stat st;
	int fd = vm->cfg.shm_fd;

	if (fd >= 0) {
		/* Our own number for it: children get it by that. */
		vm->shm_fd = dup(fd);
		if (vm->shm_fd < 0 || fstat(vm->shm_fd, &st) < 0)
			return error_os("shared memory");
		vm->shm_bytes = (size_t)st.st_size;
	} else if (vm->cfg.shm_bytes) {
		vm->shm_bytes = vm->cfg.shm_bytes;
		TRY(anonymous_file("shared", (struct slice){}, &vm->shm_fd));
		if (ftruncate(vm->shm_fd, (off_t)vm->shm_bytes) < 0)
			return error_os("shared memory");
	} else {
		return NULL;
	}
	if (!vm->shm_bytes || vm->shm_bytes & (vm->shm_bytes - 1))
		return error_new(ERR_BUG,
				 "shared memory is no power of two: %zu",
				 vm->shm_bytes);
	void *p = mmap(NULL, vm->shm_bytes, PROT_READ | PROT_WRITE, MAP_SHARED,
		       vm->shm_fd, 0);
	if (p == MAP_FAILED)
		return error_os("mapping the shared memory");
	vm->shm = p;
	return NULL;
}

static struct vm *vm_new(const struct vm_config *cfg)
{
	struct vm *vm = mem_calloc(1, sizeof(*vm));

	vm->cfg = *cfg;
	vm->proc = PROCESS_NONE;
	vm->con_fd = vm->msg_fd = vm->err_fd = -1;
	vm->initrd_fd = vm->shm_fd = vm->kernel_fd = -1;
	return vm;
}

/* More than the host has would fail late, and each machine in its own way. */
static fallible check_memory(unsigned mib)
{
	uint64_t host = (uint64_t)sysconf(_SC_PHYS_PAGES) *
				(uint64_t)sysconf(_SC_PAGESIZE) >>
			20;

	if (mib > host)
		return error_new(ERR_BOOT,
				 "a guest with %u MiB of memory: this host has "
				 "%llu MiB",
				 mib, (unsigned long long)host);
	return NULL;
}

fallible vm_open(const struct vm_config *cfg, struct vm **out)
{
	_cleanup_(vm_closep) struct vm *vm = vm_new(cfg);

	vm->ops = &vm_fake_ops;
	if (cfg->type != VM_FAKE) {
		TRY(vm_kernel_identify(cfg->kernel, &vm->kernel));
		TRY(check_memory(cfg->memory_mib));
		TRY(vm_kernel_unpack(cfg->kernel, &vm->kernel_fd));
		vm->ops = machine_for(cfg, &vm->kernel);
	}
	snprintf(vm->machine, sizeof(vm->machine), "%s", vm->ops->name);
	TRY(vm->ops->open(vm));
	TRY(make_shm(vm));
	if (cfg->type != VM_FAKE)
		TRY(make_initramfs(vm));
	*out = take_ptr(vm);
	return NULL;
}

/* ---- running ---- */

void vm_stop(struct vm *vm)
{
	if (vm->ops->stop)
		vm->ops->stop(vm);
	process_kill(&vm->proc);
	close_fdp(&vm->con_fd);
	close_fdp(&vm->msg_fd);
	close_fdp(&vm->err_fd);
	vm->con_fd = vm->msg_fd = vm->err_fd = -1;
}

void vm_close(struct vm *vm)
{
	if (!vm)
		return;
	vm_stop(vm);
	if (vm->ops->close)
		vm->ops->close(vm);
	console_deinit(&vm->console);
	buf_deinit(&vm->inbox);
	buf_deinit(&vm->errors);
	if (vm->shm)
		munmap(vm->shm, vm->shm_bytes);
	close_fdp(&vm->shm_fd);
	close_fdp(&vm->initrd_fd);
	close_fdp(&vm->kernel_fd);
	free(vm);
}

static bool is_ready(struct vm *vm)
{
	const struct vm_config *c = &vm->cfg;

	vm->ready_at = vm->console.total;

	if (c->is_ready && !c->is_ready(c->ready_ctx))
		return false;
	/* A restored guest has said that it is ready before. */
	if (!c->ready || vm->restored)
		return true;
	struct slice text = slice_cstr(c->ready);

	return console_find(&vm->console, text, &vm->ready_at) ||
	       slice_has(buf_as_slice(&vm->inbox), text);
}

static struct error *boot_error(struct vm *vm, bool timed_out)
{
	_cleanup_(buf_deinit) struct buf why = {};

	vm_explain_boot(vm, timed_out, &why);
	return error_new(ERR_BOOT, "%s: %s", vm->machine, buf_cstr(&why));
}

static fallible wait_ready(struct vm *vm)
{
	unsigned limit = vm->cfg.boot_timeout_ms ? vm->cfg.boot_timeout_ms :
						   vm->ops->boot_timeout_ms;
	uint64_t end = vm->started_ms + vm_scaled(vm, limit);
	unsigned events;

	while (!is_ready(vm)) {
		if (vm->death.kind)
			return boot_error(vm, false);
		if (vm_now_ms(vm) >= end)
			return boot_error(vm, true);
		unsigned left = (unsigned)(end - vm_now_ms(vm));
		unsigned wait = vm->cfg.is_ready ? READY_POLL_MS : left;
		TRY(vm_poll(vm, MIN(wait, left), &events));
	}
	/* A splat of its start would else end with what comes next. */
	if (vm->ready_at == vm->console.total)
		console_settle(&vm->console);
	vm->ready = true;
	vm->console.booting = false;
	return NULL;
}

static void measure_boot(struct vm *vm)
{
	vm->boot_ms = (unsigned)(vm_now_ms(vm) - vm->started_ms);
	unsigned usual = vm->ops->usual_boot_ms;

	/* A kernel may be slower to boot than ours: believe half of it. */
	if (usual && !vm->restored && (vm->cfg.ready || vm->cfg.is_ready))
		vm->boot_slowdown = MIN(vm->boot_ms / 2 * 100 / usual, 2000u);
}

/* Start it; when that fails, with what the machine itself says about it. */
static fallible start(struct vm *vm)
{
	struct error *err = vm->ops->start(vm);
	unsigned events;

	if (!err || !vm->proc.pid)
		return err;
	process_wait(&vm->proc, COMPLAINT_MS);
	error_free(vm_wait_process(vm, 0, &events));
	struct slice s = slice_trim(buf_as_slice(&vm->errors)), line = {};
	slice_line(&s, &line);
	if (!line.len)
		return err;
	struct error *more = error_new(error_kind(err), "%s: " SLICE_FMT,
				       error_message(err), SLICE_ARG(line));
	error_free(err);
	return more;
}

fallible vm_boot(struct vm *vm)
{
	vm_stop(vm);
	console_reset(&vm->console);
	buf_deinit(&vm->inbox);
	buf_deinit(&vm->errors);
	vm->death = (struct vm_death){ .status = -1 };
	vm->restored = vm->ready = false;
	vm->console.booting = true;
	vm->started_ms = vm->output_ms = vm_now_ms(vm);
	TRY(start(vm));
	TRY(wait_ready(vm));
	measure_boot(vm);
	return NULL;
}

fallible vm_poll(struct vm *vm, unsigned timeout_ms, unsigned *events)
{
	if (vm->death.kind)
		timeout_ms = 0;
	if (vm->ops->wait)
		return vm->ops->wait(vm, timeout_ms, events);
	if (!vm->proc.pid)
		return error_new(ERR_BUG, "the machine was not started");
	return vm_wait_process(vm, timeout_ms, events);
}

fallible vm_drain(struct vm *vm, unsigned timeout_ms)
{
	uint64_t end = vm_now_ms(vm) + timeout_ms;

	for (;;) {
		uint64_t now = vm_now_ms(vm);
		unsigned left = now < end ? (unsigned)(end - now) : 0;
		unsigned events;

		if (vm->ops->wait)
			TRY(vm->ops->wait(vm, left, &events));
		else if (vm->proc.pid)
			TRY(vm_wait_process(vm, left, &events));
		else
			return NULL;
		bool over = vm->proc.ended;
		if (!left || (over && !(events & VM_EV_CONSOLE)))
			break;
	}
	console_settle(&vm->console);
	return NULL;
}

fallible vm_send(struct vm *vm, const void *data, size_t len)
{
	struct slice s = { data, len };

	return vm->ops->send ? vm->ops->send(vm, s) : vm_send_fd(vm, s);
}

void vm_condemn(struct vm *vm, const char *why)
{
	vm_set_death(vm, VM_LOST, "%s", why);
}

fallible vm_diagnose(struct vm *vm, struct buf *out)
{
	if (!vm->ops->diagnose)
		return error_new(ERR_NOT_FOUND, "%s cannot be asked",
				 vm->ops->name);
	return vm->ops->diagnose(vm, out);
}

fallible vm_snapshot(struct vm *vm)
{
	if (!vm->ops->snapshot)
		return error_new(ERR_NOT_FOUND, "%s has no snapshots",
				 vm->ops->name);
	return vm->ops->snapshot(vm);
}

/* ---- looking ---- */

const struct vm_death *vm_death(const struct vm *vm)
{
	return &vm->death;
}

/* How many of the crashes began before the guest was ready. */
static size_t nr_boot_crashes(const struct vm *vm)
{
	const struct console *c = &vm->console;
	size_t n = 0;

	while (n < c->nr_crashes &&
	       (!vm->ready || c->crashes[n].start < vm->ready_at))
		n++;
	return n;
}

const struct vm_crash *vm_fatal_crash(const struct vm *vm)
{
	const struct console *c = &vm->console;
	size_t n = nr_boot_crashes(vm);

	for (size_t i = 0; i < n && !vm->ready; i++)
		if (c->crashes[i].panicked)
			return &c->crashes[i];
	return n < c->nr_crashes ? &c->crashes[n] : NULL;
}

const struct vm_crash *vm_crashes(const struct vm *vm, size_t *nr)
{
	size_t n = nr_boot_crashes(vm);

	*nr = vm->console.nr_crashes - n;
	return vm->console.crashes + n;
}

const struct vm_crash *vm_boot_crashes(const struct vm *vm, size_t *nr)
{
	*nr = nr_boot_crashes(vm);
	return vm->console.crashes;
}

uint64_t vm_boot_end(const struct vm *vm)
{
	size_t n = nr_boot_crashes(vm);
	uint64_t end = vm->ready ? vm->ready_at : vm->console.total;

	/* What began before, its end included. */
	if (n && vm->console.crashes[n - 1].end > end)
		end = vm->console.crashes[n - 1].end;
	return end;
}

void *vm_shm(struct vm *vm, size_t *bytes)
{
	*bytes = vm->shm_bytes;
	return vm->shm;
}

struct slice vm_inbox(const struct vm *vm)
{
	return buf_as_slice(&vm->inbox);
}

void vm_inbox_consume(struct vm *vm, size_t n)
{
	buf_consume(&vm->inbox, MIN(n, vm->inbox.len));
}

uint64_t vm_console(const struct vm *vm, uint64_t from, struct buf *out)
{
	return console_read(&vm->console, from, out);
}

struct slice vm_crash_log(const struct vm *vm, size_t i)
{
	i += nr_boot_crashes(vm);
	return i < vm->console.nr_crashes ? buf_as_slice(&vm->console.logs[i]) :
					    (struct slice){};
}

unsigned vm_boot_ms(const struct vm *vm)
{
	return vm->boot_ms;
}

const char *vm_machine(const struct vm *vm)
{
	return vm->machine;
}

int vm_pid(const struct vm *vm)
{
	return vm->proc.pid;
}
