/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * executor - runs the host's programs inside the kernel under test.
 *
 *	as /init of an initramfs	prepares the machine, then serves
 *	executor --shm FILE		serves as an ordinary process (tests)
 *
 * See executor.h for how it works, wire/format.h for what it understands.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/rseq.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "executor.h"

/* In the arena, which workers share; what main() sets before is here. */
static struct executor x;

static struct executor *arena_x;

#define ARENA_ALIGN (64u << 10) /* of the kernel's fault-around */

static void *shared_memory(size_t size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	return p == MAP_FAILED ? NULL : p;
}

/*
 * One mapping for all that workers write: a stack, struct executor, the
 * interpreter's state, the log of calls and the request, in this order, so that
 * the first 64 KiB hold all that a small program needs (spawn.h).
 */
static void *make_arena(void)
{
	size_t run_at = FIRST_STACK_BYTES + 1024;
	size_t log_at = run_at + run_memory();
	size_t payload_at = log_at + sizeof(struct shared);
	char *p = shared_memory(payload_at + x.payload_cap + ARENA_ALIGN +
				WIRE_PAGE);

	_Static_assert(sizeof(x) <= 1024, "struct executor");
	if (!p)
		return NULL;
	p += WIRE_PAGE;
	p += -(uintptr_t)p & (ARENA_ALIGN - 1);
	/* A signal frame too many must not run into the region. */
	if (mprotect(p - WIRE_PAGE, WIRE_PAGE, PROT_NONE))
		return NULL;
	arena_x = (void *)(p + FIRST_STACK_BYTES);
	x.stack_top = p + FIRST_STACK_BYTES;
	x.shared = (void *)(p + log_at);
	x.job.payload = (unsigned char *)p + payload_at;
	return p + run_at;
}

static _Noreturn void fail(const char *why)
{
	say("%s", why);
	if (x.region.guest) {
		snprintf(x.region.guest->message,
			 sizeof(x.region.guest->message), "%s", why);
		region_state(&x.region, WIRE_STATE_FAILED);
		sleep(1); /* for the host to read it */
	}
	if (x.is_init)
		machine_off();
	exit(1);
}

static void introduce(struct region *r)
{
	*r->guest = (struct wire_guest){
		.serial_read = r->guest->serial_read,
		.magic = WIRE_MAGIC,
		.version = WIRE_VERSION,
#ifdef __x86_64__
		.arch = WIRE_ARCH_X86_64,
#else
		.arch = WIRE_ARCH_ARM64,
#endif
	};
	region_state(r, WIRE_STATE_BOOTING);
}

static const char *make_work_dir(void)
{
	static char dir[] = "/tmp/bugon-exec-XXXXXX";

	if (!mkdtemp(dir) || chmod(dir, 0777) || chdir(dir))
		return NULL;
	return dir;
}

static uint32_t features(void)
{
	return (x.cover == WIRE_COVER_KCOV ? WIRE_HAS_KCOV | WIRE_HAS_KCOV_CMP :
					     0) |
	       (x.cover == WIRE_COVER_PLUGIN ? WIRE_HAS_PLUGIN : 0) |
	       (kcov_has_remote() ? WIRE_HAS_KCOV_REMOTE : 0) |
	       (x.is_init ? WIRE_HAS_INIT : 0) |
	       (sandbox_has_userns() ? WIRE_HAS_USERNS : 0) |
	       (!access("/sys/fs/cgroup/cgroup.procs", W_OK) ? WIRE_HAS_CGROUP :
							       0) |
	       (!access("/proc/self/fail-nth", W_OK) ? WIRE_HAS_FAULT : 0);
}

/*
 * The kernel writes to the rseq area of a thread on every preemption: after
 * each fork a page to copy, for something that we do not use (rseq(2)).
 */
static void drop_rseq(void)
{
	char *area = (char *)__builtin_thread_pointer() + __rseq_offset;

	if (__rseq_size)
		syscall(SYS_rseq, area, 32u, 1 /* unregister */, RSEQ_SIG);
}

static void prepare(const char *shm)
{
	const char *wrong;
	void *run_mem;

	drop_rseq();
	if (x.is_init)
		setup_machine();
	setup_stdio(x.is_init);
	wrong = region_open(&x.region, shm);
	if (wrong)
		fail(wrong);
	introduce(&x.region);
	setup_limits(x.is_init);
	prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
	x.work_dir = make_work_dir();
	if (!x.work_dir)
		fail("no directory to work in");
	x.payload_cap = x.region.host.req_size - sizeof(struct wire_request);
	run_mem = make_arena();
	if (!run_mem || !collect_setup())
		fail("no memory");
	x.cover = cover_open(&x.region);
	if (!run_setup(run_mem))
		fail("the programs' data area is taken");
	x.region.guest->features = features();
	x.region.guest->pseudo = pseudo_probe(x.is_init);
}

/*
 * Linux puts the heap of a static program up to 1 GiB behind it: about once in
 * 60 starts into the programs' data area.  Begin again at fixed addresses,
 * which also makes programs behave the same each time.
 */
static void fix_addresses(char **argv)
{
	int now = personality(0xffffffff);

	if (now == -1 || now & ADDR_NO_RANDOMIZE ||
	    personality((unsigned long)now | ADDR_NO_RANDOMIZE) == -1)
		return;
	execv(argv[0], argv); /* if it fails we go on as we are */
}

int main(int argc, char **argv)
{
	const char *shm = NULL;

	fix_addresses(argv);
	if (argc == 3 && !strcmp(argv[1], "--shm"))
		/* We leave this directory, and workers lack our stack. */
		shm = *argv[2] == '/' ? strdup(argv[2]) :
					realpath(argv[2], NULL);
	x.is_init = getpid() == 1;
	if (!x.is_init && !shm) {
		fputs("usage: executor --shm FILE\n"
		      "(or start it as /init of a guest)\n",
		      stderr);
		return 2;
	}
	prepare(shm);
	*arena_x = x;
	serve(arena_x);
}
