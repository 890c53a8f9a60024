/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * qemu.c - a computer under QEMU, by TCG or KVM.
 *
 * board.c says which: an x86-64 PC or an arm64 board.  A serial port is the
 * console, another the message channel, ivshmem-plain the shared memory; the
 * monitor is QMP.  All three are inherited sockets, the files are memfds behind
 * /proc/self/fd: nothing has a name.
 *
 * QEMU exits with status 0 on a panic; that it was one, only the console says.
 *
 * A snapshot is the guest's memory in a memfd, written while QEMU maps it
 * shared, plus the devices' state (a migration stream with x-ignore-shared) in
 * another.  A restored machine maps the memory privately: copy-on-write, so
 * that many can start from one template.  A board without port I/O has all in
 * the stream: see map_bar().
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/io.h"
#include "base/mem.h"
#include "vm/args.h"
#include "vm/internal.h"
#include "vm/kvm.h"
#include "vm/qemu.h"

enum { MAX_ARGS = 96, MIGRATE_TIMEOUT_MS = 60000 };

/* Configuration space of the shared memory's device, 00:10.0, bar 2. */
enum {
	SHM_PCI = 0x80000000u | 0x10 << 11,
	PCI_COMMAND = 0x04,
	PCI_COMMAND_MEMORY = 2,
	PCI_BAR2 = 0x18,
};

static void set_machine(struct vm *vm)
{
	const struct qemu *q = vm->impl;

	snprintf(vm->machine, sizeof(vm->machine), "qemu%s%s, %s",
		 vm->kernel.kind == VM_KERNEL_ARM64 ? " " : "",
		 vm->kernel.kind == VM_KERNEL_ARM64 ? q->board->arch : "",
		 q->kvm ? "kvm" : "tcg");
}

static fallible choose_accel(struct vm *vm)
{
	struct qemu *q = vm->impl;
	struct vm_kvm kvm;

	if (vm->cfg.plugin && vm->cfg.accel == VM_ACCEL_KVM)
		return error_new(ERR_USAGE, "KVM has no plugins: coverage by "
					    "one needs TCG");
	if (vm->cfg.accel == VM_ACCEL_TCG || vm->cfg.plugin)
		return NULL;
	if (!q->board->kvm) {
		if (vm->cfg.accel == VM_ACCEL_KVM)
			return error_new(ERR_NOT_FOUND,
					 "KVM does not run %s guests here: use "
					 "--accel tcg",
					 q->board->arch);
		return NULL;
	}
	if (vm->cfg.accel == VM_ACCEL_KVM) {
		q->kvm = true;
		return NULL;
	}
	vm_kvm_probe(q->program.program, NULL, &kvm);
	q->kvm = kvm.known && kvm.works;
	if (!kvm.known)
		q->kvm_try = kvm_try_start(q->program.program, vm->cfg.kernel);
	return NULL;
}

static const char *qemu_program(const struct vm *vm)
{
	const struct board *b = ((const struct qemu *)vm->impl)->board;
	const char *env = getenv(b->program_env);

	return vm->cfg.qemu ? vm->cfg.qemu : env && *env ? env : b->program;
}

static fallible qemu_open(struct vm *vm)
{
	struct qemu *q = mem_calloc(1, sizeof(*q));

	vm->impl = q;
	q->qmp.fd = q->ram_fd = q->state_fd = -1;
	q->board = board_for(vm->kernel.kind);
	if (!q->board)
		return error_new(ERR_BOOT, "%s: not a kernel QEMU can boot: %s",
				 vm->cfg.kernel, vm->kernel.what);
	vm_qemu_probe(qemu_program(vm), &q->program);
	if (!q->program.usable)
		return error_new(ERR_NOT_FOUND, "%s; apt install %s",
				 q->program.problem, q->board->package);
	TRY(choose_accel(vm));
	set_machine(vm);
	return NULL;
}

/* ---- the command line ---- */

struct channels {
	int console, message, qmp, err; /* QEMU's ends */
};

static void channels_close(struct channels *c)
{
	close_fdp(&c->console);
	close_fdp(&c->message);
	close_fdp(&c->qmp);
	close_fdp(&c->err);
}

static void put_memory(const struct vm *vm, struct buf *args)
{
	const struct qemu *q = vm->impl;

	args_put(args, "-m");
	args_put(args, "%u", vm->cfg.memory_mib);
	args_put(args, "-object");
	if (q->ram_fd >= 0)
		args_put(args,
			 "memory-backend-file,id=ram,size=%uM,share=%s,"
			 "mem-path=/proc/self/fd/%d",
			 vm->cfg.memory_mib, q->state_fd >= 0 ? "off" : "on",
			 q->ram_fd);
	else
		args_put(args, "memory-backend-ram,id=ram,size=%uM",
			 vm->cfg.memory_mib);
	if (vm->shm_fd < 0)
		return;
	/* master=on, else QEMU refuses to save the machine. */
	args_put(args, "-object");
	args_put(args,
		 "memory-backend-file,id=shm,size=%zu,share=on,"
		 "mem-path=/proc/self/fd/%d",
		 vm->shm_bytes, vm->shm_fd);
	args_words(args,
		   "-device ivshmem-plain,memdev=shm,master=on,addr=0x10");
}

static void put_channel(struct buf *args, const char *id, int fd)
{
	args_put(args, "-chardev");
	args_put(args, "socket,id=%s,fd=%d", id, fd);
}

static void put_plugin(const struct vm *vm, struct buf *args)
{
	_cleanup_(buf_deinit) struct buf file = {};

	if (!vm->cfg.plugin || vm->shm_fd < 0)
		return;
	for (const char *p = vm->cfg.plugin; *p; p++)
		buf_printf(&file, *p == ',' ? ",%c" : "%c", *p);
	args_put(args, "-plugin");
	args_put(args, "file=%s,shm=/proc/self/fd/%d,off=%u,size=%u",
		 buf_cstr(&file), vm->shm_fd, vm->cfg.plugin_off,
		 vm->cfg.plugin_size);
}

static void put_kernel(const struct vm *vm, struct buf *args)
{
	const struct qemu *q = vm->impl;

	args_put(args, "-kernel");
	if (vm->kernel_fd >= 0)
		args_put(args, "/proc/self/fd/%d", vm->kernel_fd);
	else
		args_put(args, "%s", vm->cfg.kernel);
	args_put(args, "-initrd");
	args_put(args, "/proc/self/fd/%d", vm->initrd_fd);
	args_put(args, "-append");
	args_put(args, "%s %s", q->board->cmdline,
		 vm->cfg.cmdline ? vm->cfg.cmdline : "");
}

static void make_args(const struct vm *vm, const struct channels *c,
		      struct buf *args)
{
	const struct qemu *q = vm->impl;

	args_put(args, "%s", q->program.program);
	args_words(args, q->board->machine);
	args_words(args,
		   "-nodefaults -no-user-config -display none -no-reboot");
	args_words(args, q->kvm ? q->board->kvm : q->board->tcg);
	args_put(args, "-smp");
	args_put(args, "%u", vm->cfg.cpus ? vm->cfg.cpus : 1);
	put_memory(vm, args);
	put_channel(args, "con", c->console);
	put_channel(args, "msg", c->message);
	put_channel(args, "qmp", c->qmp);
	args_words(args, q->board->serial);
	args_words(args, "-mon chardev=qmp,mode=control");
	put_kernel(vm, args);
	put_plugin(vm, args);
	if (q->state_fd >= 0)
		args_words(args, "-incoming defer");
	args_words(args, vm->cfg.extra_args);
}

static fallible make_ram(struct vm *vm)
{
	struct qemu *q = vm->impl;

	if (q->state_fd >= 0 || !q->board->port_io)
		return NULL; /* the template, or memory is in the stream */
	close_fdp(&q->ram_fd); /* a boot begins with clean memory */
	q->ram_fd = memfd_create("guest memory", MFD_CLOEXEC);
	if (q->ram_fd < 0 ||
	    ftruncate(q->ram_fd, (off_t)vm->cfg.memory_mib << 20) < 0)
		return error_os("guest memory");
	return NULL;
}

static fallible launch(struct vm *vm, struct channels *c)
{
	struct qemu *q = vm->impl;
	_cleanup_(buf_deinit) struct buf args = {};
	char *argv[MAX_ARGS];

	TRY(vm_channel(&vm->con_fd, &c->console));
	TRY(vm_channel(&vm->msg_fd, &c->message));
	TRY(vm_channel(&vm->err_fd, &c->err));
	TRY(vm_channel(&q->qmp.fd, &c->qmp));
	make_args(vm, c, &args);
	TRY(args_split(&args, argv, MAX_ARGS));
	int keep[] = { c->console, c->message, c->qmp,	     vm->initrd_fd,
		       vm->shm_fd, q->ram_fd,  vm->kernel_fd };
	struct process_opts o = {
		.argv = argv,
		.out = c->err,
		.err = c->err,
		.keep = keep,
		.nr_keep = ARRAY_LEN(keep),
		.cpu = -1,
	};
	return process_start(&o, &vm->proc);
}

/* ---- snapshots ---- */

static fallible ignore_shared(struct qemu *q)
{
	if (!q->board->port_io)
		return NULL;
	return qmp_command(&q->qmp,
			   "{\"execute\":\"migrate-set-capabilities\","
			   "\"arguments\":{\"capabilities\":[{\"capability\":"
			   "\"x-ignore-shared\",\"state\":true}]}}",
			   -1, QMP_TIMEOUT_MS, NULL);
}

/* Wait until a migration, out or in, is over. */
static fallible wait_migration(struct vm *vm)
{
	struct qemu *q = vm->impl;
	uint64_t end = vm_now_ms(vm) + vm_scaled(vm, MIGRATE_TIMEOUT_MS);
	unsigned events;

	for (;;) {
		_cleanup_(buf_deinit) struct buf state = {};

		TRY(qmp_command(&q->qmp, "{\"execute\":\"query-migrate\"}", -1,
				QMP_TIMEOUT_MS, &state));
		struct slice s = buf_as_slice(&state);
		if (slice_has(s, SLICE("\"status\": \"completed\"")))
			return NULL;
		if (slice_has(s, SLICE("\"status\": \"failed\"")))
			return error_new(ERR_INFRA, "QEMU: snapshot failed");
		if (vm_now_ms(vm) >= end)
			return error_new(ERR_INFRA, "QEMU: snapshot hangs");
		TRY(vm_wait_process(vm, 2, &events));
		if (vm->proc.ended)
			return error_new(ERR_INFRA, "%s", vm->death.why);
	}
}

/*
 * x-ignore-shared wants ignored memory to be at the same guest address on both
 * sides before it loads the devices, and a PCI BAR is mapped by doing so.  So
 * write the BAR before, as the firmware would, through the monitor's port I/O.
 */
static fallible pci_write(struct qemu *q, unsigned reg, uint32_t value)
{
	char command[64];

	snprintf(command, sizeof(command), "o /w 0xcf8 0x%x", SHM_PCI + reg);
	TRY(qmp_human(&q->qmp, command, NULL));
	snprintf(command, sizeof(command), "o /w 0xcfc 0x%x", value);
	return qmp_human(&q->qmp, command, NULL);
}

static fallible pci_read(struct qemu *q, unsigned reg, uint32_t *value)
{
	_cleanup_(buf_deinit) struct buf answer = {};
	char command[64];
	const char *at;

	snprintf(command, sizeof(command), "o /w 0xcf8 0x%x", SHM_PCI + reg);
	TRY(qmp_human(&q->qmp, command, NULL));
	TRY(qmp_human(&q->qmp, "i /w 0xcfc", &answer));
	at = strstr(buf_cstr(&answer), "= 0x");
	if (!at)
		return error_new(ERR_INFRA, "QEMU: no PCI register");
	*value = (uint32_t)strtoul(at + 4, NULL, 16);
	return NULL;
}

static fallible save_bar(struct vm *vm)
{
	struct qemu *q = vm->impl;

	if (vm->shm_fd < 0 || !q->board->port_io)
		return NULL;
	TRY(pci_read(q, PCI_BAR2, &q->bar[0]));
	return pci_read(q, PCI_BAR2 + 4, &q->bar[1]);
}

static fallible map_bar(struct vm *vm)
{
	struct qemu *q = vm->impl;

	if (vm->shm_fd < 0 || !q->board->port_io)
		return NULL;
	TRY(pci_write(q, PCI_BAR2, q->bar[0]));
	TRY(pci_write(q, PCI_BAR2 + 4, q->bar[1]));
	return pci_write(q, PCI_COMMAND, PCI_COMMAND_MEMORY);
}

static fallible restore(struct vm *vm)
{
	struct qemu *q = vm->impl;

	TRY(map_bar(vm));
	if (lseek(q->state_fd, 0, SEEK_SET) < 0)
		return error_os("snapshot");
	TRY(ignore_shared(q));
	TRY(qmp_command(&q->qmp,
			"{\"execute\":\"getfd\",\"arguments\":"
			"{\"fdname\":\"state\"}}",
			q->state_fd, QMP_TIMEOUT_MS, NULL));
	TRY(qmp_command(&q->qmp,
			"{\"execute\":\"migrate-incoming\",\"arguments\":"
			"{\"uri\":\"fd:state\"}}",
			-1, QMP_TIMEOUT_MS, NULL));
	TRY(wait_migration(vm));
	return qmp_command(&q->qmp, "{\"execute\":\"cont\"}", -1,
			   QMP_TIMEOUT_MS, NULL);
}

static fallible save(struct vm *vm, int fd)
{
	struct qemu *q = vm->impl;

	TRY(qmp_command(&q->qmp, "{\"execute\":\"stop\"}", -1, QMP_TIMEOUT_MS,
			NULL));
	TRY(save_bar(vm));
	TRY(ignore_shared(q));
	TRY(qmp_command(&q->qmp,
			"{\"execute\":\"getfd\",\"arguments\":"
			"{\"fdname\":\"state\"}}",
			fd, QMP_TIMEOUT_MS, NULL));
	TRY(qmp_command(&q->qmp,
			"{\"execute\":\"migrate\",\"arguments\":"
			"{\"uri\":\"fd:state\"}}",
			-1, QMP_TIMEOUT_MS, NULL));
	return wait_migration(vm);
}

/* The machine that was saved maps the template shared: it must not go on. */
static fallible qemu_snapshot(struct vm *vm)
{
	struct qemu *q = vm->impl;
	_cleanup_(close_fdp) int fd = memfd_create("snapshot", MFD_CLOEXEC);

	if (fd < 0)
		return error_os("memfd_create");
	if (q->state_fd >= 0)
		return error_new(ERR_USAGE, "there is a snapshot already");
	if (vm->death.kind)
		return error_new(ERR_INFRA, "no snapshot of a dead guest");
	TRY(save(vm, fd), "saving the machine");
	q->state_fd = fd;
	fd = -1;
	return vm_boot(vm);
}

/* ---- running ---- */

static fallible qemu_start(struct vm *vm)
{
	struct qemu *q = vm->impl;
	_cleanup_(channels_close) struct channels c = { -1, -1, -1, -1 };

	TRY(make_ram(vm));
	TRY(launch(vm, &c));
	/* QEMU alone has its ends now: its end is the end of the streams. */
	channels_close(&c);
	c = (struct channels){ -1, -1, -1, -1 };
	vm->restored = q->state_fd >= 0;
	return vm->restored ? restore(vm) : NULL;
}

static void qemu_stop(struct vm *vm)
{
	struct qemu *q = vm->impl;

	if (q)
		qmp_deinit(&q->qmp);
}

static void qemu_close(struct vm *vm)
{
	struct qemu *q = vm->impl;

	if (!q)
		return;
	kvm_try_finish(q->kvm_try);
	close_fdp(&q->ram_fd);
	close_fdp(&q->state_fd);
	free(q);
}

const struct vm_ops vm_qemu_ops = {
	.name = "qemu",
	.boot_timeout_ms = 60000,
	.usual_boot_ms = 5000,
	.open = qemu_open,
	.start = qemu_start,
	.stop = qemu_stop,
	.close = qemu_close,
	.diagnose = qemu_diagnose,
	.snapshot = qemu_snapshot,
	.explain = qemu_explain,
};
