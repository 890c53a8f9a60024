/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * uml.c - the kernel as a process (ARCH=um, User Mode Linux).
 *
 * Boots in 0.2 to 0.3 s, so a reset is a fresh boot.  What is special:
 *  - con0 is descriptor 1 (the kernel's console), con1 (/dev/tty1) the message
 *    channel (ssl0 would need CONFIG_SSL), iomem=mmapper,FILE the shared memory (/dev/mmapper:
 *    arch/um/drivers/mmapper_kern.c looks for that name only).
 *  - uml_dir=/dev/null/ keeps it from making ~/.uml/XXXXXX, which a killed
 *    process would leave behind; it complains a little about it.
 *  - A panic calls abort(): SIGABRT, which a shell shows as status 134.
 *  - Its physical memory is an unlinked file in $TMPDIR or /dev/shm.
 *  - One CPU; it is pinned, because its processes hand over to each other.
 */
#include <elf.h>
#include <errno.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/io.h"
#include "vm/args.h"
#include "vm/internal.h"

enum { MAX_ARGS = 64, MAX_STACK_FRAMES = 64 };

static fallible uml_open(struct vm *vm)
{
	if (vm->kernel.kind != VM_KERNEL_UML)
		return error_new(ERR_BOOT,
				 "%s: not a User Mode Linux kernel but %s",
				 vm->cfg.kernel, vm->kernel.what);
	if (access(vm->cfg.kernel, X_OK) < 0)
		return error_new(ERR_BOOT, "%s: not executable (chmod +x)",
				 vm->cfg.kernel);
	return NULL;
}

/* The CPUs we may use, in turn over all VMs of this process. */
static int choose_cpu(int wanted)
{
	static atomic_uint turn;
	cpu_set_t set;

	if (wanted >= 0)
		return wanted;
	if (sched_getaffinity(0, sizeof(set), &set) < 0)
		return -1;
	unsigned n = (unsigned)CPU_COUNT(&set);
	unsigned k = (atomic_fetch_add(&turn, 1) + (unsigned)getpid()) % n;
	for (int cpu = 0; cpu < CPU_SETSIZE; cpu++)
		if (CPU_ISSET((size_t)cpu, &set) && !k--)
			return cpu;
	return -1;
}

static void make_args(const struct vm *vm, int msg_fd, struct buf *args)
{
	args_put(args, "%s", vm->cfg.kernel);
	args_put(args, "mem=%uM", vm->cfg.memory_mib);
	args_put(args, "initrd=/proc/self/fd/%d", vm->initrd_fd);
	args_words(args, "rdinit=/init con=null con0=null,fd:1 seccomp=on "
			 "noreboot loglevel=5 panic=-1 kasan_multi_shot "
			 "uml_dir=/dev/null/ bugon_serial=tty1");
	args_put(args, "con1=fd:%d,fd:%d", msg_fd, msg_fd);
	if (vm->shm_fd >= 0)
		args_put(args, "iomem=mmapper,/proc/self/fd/%d", vm->shm_fd);
	args_words(args, vm->cfg.cmdline);
}

static fallible uml_start(struct vm *vm)
{
	_cleanup_(buf_deinit) struct buf args = {};
	_cleanup_(close_fdp) int console = -1;
	_cleanup_(close_fdp) int message = -1;
	char *argv[MAX_ARGS];

	TRY(vm_channel(&vm->con_fd, &console));
	TRY(vm_channel(&vm->msg_fd, &message));
	make_args(vm, message, &args);
	TRY(args_split(&args, argv, MAX_ARGS));
	int keep[] = { message, vm->initrd_fd, vm->shm_fd };
	struct process_opts o = {
		.argv = argv,
		.out = console,
		.err = console,
		.keep = keep,
		.nr_keep = ARRAY_LEN(keep),
		.cpu = choose_cpu(vm->cfg.pin_cpu),
	};
	return process_start(&o, &vm->proc);
}

/* ---- a silent guest: stop it, look at its registers and stack ---- */

/*
 * The kernel runs with frame pointers in our address space layout: return
 * addresses can be read from outside.
 */
static bool peek(pid_t pid, uint64_t at, void *p, size_t len)
{
	struct iovec ours = { p, len };
	struct iovec theirs = { (void *)(uintptr_t)at, len };

	return process_vm_readv(pid, &ours, 1, &theirs, 1, 0) == (ssize_t)len;
}

/* "call rel32" or "call *%reg" in front of it? */
static bool follows_call(pid_t pid, uint64_t at)
{
	unsigned char code[5];

	return peek(pid, at - sizeof(code), code, sizeof(code)) &&
	       (code[0] == 0xe8 ||
		(code[3] == 0xff && (code[4] & 0xf8) == 0xd0));
}

static void walk_frames(pid_t pid, uint64_t fp, struct buf *out)
{
	for (int i = 0; i < MAX_STACK_FRAMES && fp && !(fp & 7); i++) {
		uint64_t frame[2];

		if (!peek(pid, fp, frame, sizeof(frame)))
			return;
		buf_printf(out, " [<%016llx>]\n", (unsigned long long)frame[1]);
		if (frame[0] <= fp)
			return;
		fp = frame[0];
	}
}

/*
 * With KCOV it is often stopped at the start of __sanitizer_cov_trace_pc(),
 * before that has a frame: then its caller, of all, is in no frame either.
 */
static void walk_stack(pid_t pid, uint64_t sp, uint64_t fp, struct buf *out)
{
	uint64_t top = 0;

	if (peek(pid, sp, &top, sizeof(top)) && top == fp)
		fp = sp; /* after "push %rbp", before "mov %rsp,%rbp" */
	else if (follows_call(pid, top))
		buf_printf(out, " ? [<%016llx>]\n", (unsigned long long)top);
	walk_frames(pid, fp, out);
}

static fallible uml_diagnose(struct vm *vm, struct buf *out)
{
	struct user_regs_struct r;
	pid_t pid = vm->proc.pid;

	if (!pid || vm->proc.ended)
		return error_new(ERR_INFRA, "the machine is gone");
	if (ptrace(PTRACE_SEIZE, pid, 0, 0) < 0 ||
	    ptrace(PTRACE_INTERRUPT, pid, 0, 0) < 0)
		return error_new(ERR_INFRA, "ptrace: %s", strerror(errno));
	waitpid(pid, NULL, __WALL);
	if (ptrace(PTRACE_GETREGS, pid, 0, &r) == 0) {
		buf_printf(out,
			   "UML process %d\nRIP: 0033:[<%016llx>]\n"
			   "RSP: %016llx RBP: %016llx ORIG_RAX: %016llx\n"
			   "Call Trace:\n [<%016llx>]\n",
			   (int)pid, r.rip, r.rsp, r.rbp, r.orig_rax, r.rip);
		walk_stack(pid, r.rsp, r.rbp, out);
	}
	ptrace(PTRACE_DETACH, pid, 0, 0);
	return NULL;
}

const struct vm_ops vm_uml_ops = {
	.name = "uml",
	.boot_timeout_ms = 10000,
	.usual_boot_ms = 300,
	.open = uml_open,
	.start = uml_start,
	.diagnose = uml_diagnose,
};
