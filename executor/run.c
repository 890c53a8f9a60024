/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * run->c - the interpreter of a checked program (job.c).
 *
 * Calls run one after the other on one thread, the owner.  With
 * WIRE_REQ_THREADS a second one sleeps and looks now and then: if the owner has
 * been in the same call for too long, the watcher takes the program over and
 * goes on with the next call, and a new watcher is made.  So a program without
 * blocking calls pays nothing for it but the thread, and the blocked call stays
 * as it is.  Who owns the program is decided by compare-and-swap of `token`:
 * a sequence number, the owner, and whether it is in a call.
 */
#include <fcntl.h>
#include <linux/futex.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

#include "executor.h"
#include "syscall.h"

#define FAULT_FD 239 /* below KCOV's (kcov.c) */
#define IN_CALL 1u
#define TOKEN(seq, thread, in_call) ((seq) << 8 | (thread) << 1 | (in_call))

struct run {
	struct executor *x;
	uint32_t at; /* the next instruction */
	uint32_t call; /* index of the next call */
	uint32_t seq;
	uint32_t token; /* atomic */
	uint32_t hurry; /* atomic, futex: take over this token at once */
	uint32_t left_behind; /* atomic, futex: calls on other threads */
	uint32_t threads; /* started, the first included */
	uint64_t results[WIRE_MAX_RESULTS];
	/* The program that set it: cheaper than to empty it for each. */
	uint32_t result_of[WIRE_MAX_RESULTS];
	uint32_t program;
	const struct wire_insn *image; /* of the next call, or NULL */
};

static struct run *run;

static char stacks[MAX_THREADS][STACK_BYTES] __attribute__((aligned(4096)));

/* ---- Memory of the program, which it may have unmapped -------------------- */

/*
 * guarded_copy(): on_fault() moves the program counter from the copying
 * instructions to their end.
 */
extern const char guarded_begin[], guarded_end[];

#if defined(__x86_64__)
__asm__(".text\n"
	".globl guarded_copy, guarded_begin, guarded_end\n"
	"guarded_copy:\n\t"
	"mov %rdx, %rcx\n"
	"guarded_begin:\n\t"
	"rep movsb\n"
	"guarded_end:\n\t"
	"mov %rcx, %rax\n\t"
	"ret\n");
#else
__asm__(".text\n"
	".globl guarded_copy, guarded_begin, guarded_end\n"
	"guarded_copy:\n"
	"guarded_begin:\n\t"
	"cbz x2, guarded_end\n\t"
	"ldrb w9, [x1], #1\n\t"
	"strb w9, [x0], #1\n\t"
	"sub x2, x2, #1\n\t"
	"b guarded_begin\n"
	"guarded_end:\n\t"
	"mov x0, x2\n\t"
	"ret\n");
#endif

static void on_fault(int sig, siginfo_t *info, void *context)
{
	ucontext_t *uc = context;
#if defined(__x86_64__)
	greg_t *pc = &uc->uc_mcontext.gregs[REG_RIP];
#else
	unsigned long long *pc = &uc->uc_mcontext.pc;
#endif

	if ((uintptr_t)*pc >= (uintptr_t)guarded_begin &&
	    (uintptr_t)*pc < (uintptr_t)guarded_end)
		*pc = (__typeof__(*pc))(uintptr_t)guarded_end;
	else /* not ours: let it happen again and kill us */
		signal(sig, SIG_DFL);
}

static void on_signal(int sig)
{
}

static void on_late(int sig);

static bool copy_guarded(void *to, const void *from, size_t len)
{
	return !guarded_copy(to, from, len);
}

static void *data_at(uint64_t off)
{
	return (void *)(uintptr_t)(WIRE_DATA_BASE + off);
}

size_t run_memory(void)
{
	return (sizeof(struct run) + 63) & ~(size_t)63;
}

bool run_setup(void *memory)
{
	struct sigaction fault = { .sa_sigaction = on_fault,
				   .sa_flags = SA_SIGINFO };
	struct sigaction other = { .sa_handler = on_signal };
	struct sigaction late = { .sa_handler = on_late,
				  .sa_flags = SA_RESTART };
	void *want = data_at(0);

	run = memory;
	/* Signals interrupt calls, as they do in life, but do not kill. */
	for (int sig = 1; sig < NSIG; sig++)
		if (sig != SIGCHLD && sig != SIGKILL && sig != SIGSTOP)
			sigaction(sig, &other, NULL);
	sigaction(SIGSEGV, &fault, NULL);
	sigaction(SIGBUS, &fault, NULL);
	for (int sig = SIGILL; sig <= SIGTRAP; sig++)
		signal(sig, SIG_DFL);
	sigaction(SIGNAL_LATE, &late, NULL);
	signal(SIGFPE, SIG_DFL);
	signal(SIGABRT, SIG_DFL);
	return mmap(want, WIRE_DATA_SIZE, PROT_READ | PROT_WRITE | PROT_EXEC,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE |
			    MAP_FIXED_NOREPLACE,
		    -1, 0) == want;
}

/* ---- Values ---------------------------------------------------------------- */

static uint64_t value_of(const struct wire_arg *a)
{
	switch (a->kind) {
	case WIRE_DATA:
		return WIRE_DATA_BASE + a->value;
	case WIRE_RESULT:
		return run->result_of[a->result] == run->program ?
			       run->results[a->result] :
			       a->value;
	default:
		return a->value;
	}
}

static void set_result(uint32_t result, uint64_t value)
{
	if (result >= WIRE_MAX_RESULTS)
		return;
	run->results[result] = value;
	run->result_of[result] = run->program;
}

static uint64_t swap(uint64_t v, uint32_t size)
{
	return __builtin_bswap64(v) >> (64 - 8 * size);
}

static void store_text(const struct wire_insn *in, const struct wire_arg *a)
{
	char text[32];

	wire_text_put(a->text, value_of(a), text);
	copy_guarded(data_at(in->off), text, a->size);
}

static void store(const struct wire_insn *in, const struct wire_arg *a)
{
	uint64_t value = value_of(a), old = 0;

	if (a->text) {
		store_text(in, a);
		return;
	}
	if (a->bit_len) {
		uint64_t ones = a->bit_len < 64 ? (1ull << a->bit_len) - 1 :
						  ~0ull;

		copy_guarded(&old, data_at(in->off), a->size);
		if (a->flags & WIRE_BIG_ENDIAN)
			old = swap(old, a->size);
		value = (old & ~(ones << a->bit_off)) | (value & ones)
								<< a->bit_off;
	}
	if (a->flags & WIRE_BIG_ENDIAN)
		value = swap(value, a->size);
	copy_guarded(data_at(in->off), &value, a->size);
}

static void derive(const struct wire_insn *in)
{
	const struct wire_arg *div = (const void *)(in + 1);
	bool is_set = run->result_of[in->from] == run->program;
	uint64_t value = run->results[in->from];

	if (div->value > 1)
		value /= div->value;
	run->results[in->result] = value + in->off;
	run->result_of[in->result] = is_set ? run->program : 0;
}

static uint64_t add_data(uint64_t sum, uint64_t off, uint32_t len)
{
	char bytes[256];

	while (len) {
		uint32_t n = len < sizeof(bytes) ? len : sizeof(bytes);

		if (!copy_guarded(bytes, data_at(off), n))
			break;
		sum = wire_csum_add(sum, bytes, n);
		off += n;
		len -= n;
	}
	return sum;
}

static void checksum(const struct wire_insn *in)
{
	const struct wire_chunk *c = (const void *)(in + 1);
	uint64_t sum = 0;
	uint16_t value;

	for (uint32_t i = 0; i < in->nargs; i++, c++)
		sum = c->kind ? add_data(sum, c->value, c->len) :
				wire_csum_add(sum, &c->value, c->len);
	value = wire_csum_fold(sum);
	copy_guarded(data_at(in->off), &value, sizeof(value));
}

static void copy_out(const struct wire_insn *in)
{
	uint64_t value = 0;

	if (!copy_guarded(&value, data_at(in->off), in->len))
		return;
	if (in->nargs & WIRE_BIG_ENDIAN)
		value = swap(value, in->len);
	set_result(in->result, value);
}

/* ---- Calls ------------------------------------------------------------------- */

static void futex_wait(uint32_t *word, uint32_t value, uint32_t ms)
{
	struct timespec ts = { .tv_sec = ms / 1000,
			       .tv_nsec = ms % 1000 * 1000000L };

	syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, value, &ts, NULL, 0);
}

static void futex_wake(uint32_t *word)
{
	syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

/* Fault injection: Documentation/fault-injection/fault-injection.rst. */
static int arm_fault(uint32_t n)
{
	int fd = open("/proc/thread-self/fail-nth", O_RDWR | O_CLOEXEC);
	char text[16];

	/* Out of the way: what the program opens has the number it expects. */
	if (fd >= 0 && dup3(fd, FAULT_FD, O_CLOEXEC) == FAULT_FD) {
		close(fd);
		fd = FAULT_FD;
	}
	snprintf(text, sizeof(text), "%u", n);
	if (fd >= 0 && write(fd, text, strlen(text)) < 0) {
		close(fd);
		fd = -1;
	}
	return fd;
}

/*
 * Whether the fault came: then there is 0 left to be counted.  Nothing is
 * opened: that could be what fails.
 */
static bool disarm_fault(int fd)
{
	char text[16];
	ssize_t n = fd < 0 ? -1 : pread(fd, text, sizeof(text), 0);

	if (fd >= 0 && (pwrite(fd, "0", 1, 0) < 0 || close(fd)))
		return false;
	return n > 0 && text[0] == '0';
}

static int64_t call_kernel(const struct wire_insn *in, const uint64_t *args,
			   const struct wire_insn *image, uint32_t me)
{
	const void *mark = plugin_mark(me);
	int64_t ret;

	for (uint32_t i = 0;; i++) {
		ret = in->nr >= WIRE_PSEUDO ?
			      pseudo_call(in->nr, args, image, me) :
		      syscall_forks(in->nr) ?
			      syscall_fork(in->nr, args, mark) :
			      syscall_marked(in->nr, args, mark);
		if (i >= in->rerun)
			break;
	}
	return ret;
}

static void log_return(struct call_log *log, const struct wire_insn *in,
		       int64_t ret)
{
	bool failed = ret < 0 && ret >= -4095;

	log->ret = (uint64_t)ret;
	log->err = failed ? (int32_t)-ret : 0;
	if (!failed)
		set_result(in->result, (uint64_t)ret);
	__atomic_fetch_or(&log->flags, WIRE_RETURNED, __ATOMIC_RELEASE);
}

/* Where the trace of the call of `log` begins, and the ones before end. */
static uint32_t make_room(struct call_log *log, uint32_t me)
{
	struct call_log *first = run->x->shared->calls;
	uint32_t at = cover_make_room(me, run->x->job.req.flags & WIRE_REQ_CMP);

	while (log-- > first) {
		if (log->thread != me)
			continue;
		if (log->to <= at)
			break;
		log->to = at;
		log->from = log->from < at ? log->from : at;
		log->flags |= WIRE_COVER_FULL;
	}
	return at;
}

/* Run the call at `in`; false when the program was taken away from us. */
static bool do_call(const struct wire_insn *in, uint32_t me)
{
	const struct wire_arg *arg = (const void *)(in + 1);
	struct call_log *log = &run->x->shared->calls[run->call++];
	uint32_t token = TOKEN(++run->seq, me, IN_CALL);
	uint64_t args[WIRE_MAX_ARGS] = {};
	const struct wire_insn *image = run->image;
	int fault = -1;
	int64_t ret;

	run->image = NULL;
	for (uint32_t i = 0; i < in->nargs; i++)
		args[i] = value_of(&arg[i]);
	log->thread = me;
	log->flags = WIRE_CALLED;
	if (in->fail_nth)
		fault = arm_fault(in->fail_nth);
	log->from = make_room(log, me);
	log->to = log->from;
	__atomic_store_n(&run->token, token, __ATOMIC_RELEASE);
	if ((run->x->job.req.flags & WIRE_REQ_THREADS) &&
	    ((in->props & WIRE_CALL_ASYNC) || in->nr == SYS_exit)) {
		__atomic_store_n(&run->hurry, token, __ATOMIC_RELEASE);
		futex_wake(&run->hurry);
	}
	ret = call_kernel(in, args, image, me);
	log->to = cover_position(me);
	if (in->fail_nth && disarm_fault(fault))
		__atomic_fetch_or(&log->flags, WIRE_FAULTED, __ATOMIC_RELAXED);
	log_return(log, in, ret);
	if (run->x->job.req.flags & WIRE_REQ_KEEP)
		undo_note(in->nr, args, (uint64_t)ret);
	if (__atomic_compare_exchange_n(&run->token, &token, token & ~IN_CALL,
					false, __ATOMIC_ACQ_REL,
					__ATOMIC_ACQUIRE))
		return true;
	__atomic_fetch_sub(&run->left_behind, 1, __ATOMIC_RELEASE);
	futex_wake(&run->left_behind);
	return false;
}

/* Own the program until its end (true), or until it is taken over. */
static bool interpret(uint32_t me)
{
	for (;;) {
		const struct wire_insn *in =
			(const void *)(run->x->job.payload + run->at);

		run->at += sizeof(*in);
		switch (in->op) {
		case WIRE_COPYIN:
			run->at += (in->len + 7) & ~7u;
			copy_guarded(data_at(in->off), in + 1, in->len);
			break;
		case WIRE_STORE:
			run->at += sizeof(struct wire_arg);
			store(in, (const void *)(in + 1));
			break;
		case WIRE_DERIVE:
			run->at += sizeof(struct wire_arg);
			derive(in);
			break;
		case WIRE_CSUM:
			run->at +=
				in->nargs * (uint32_t)sizeof(struct wire_chunk);
			checksum(in);
			break;
		case WIRE_IMAGE:
			run->at += in->len;
			run->image = in;
			break;
		case WIRE_COPYOUT:
			copy_out(in);
			break;
		case WIRE_CALL:
			/* From its start on somebody else may go on. */
			run->at +=
				in->nargs * (uint32_t)sizeof(struct wire_arg);
			if (!do_call(in, me))
				return false;
			break;
		case WIRE_SPACE:
			break;
		default:
			return true;
		}
	}
}

/* ---- Threads ------------------------------------------------------------------ */

static void *watch(void *arg);

static void start_watcher(void)
{
	uint32_t thread = run->threads;
	pthread_attr_t attr;
	pthread_t id;

	if (thread >= MAX_THREADS)
		return;
	pthread_attr_init(&attr);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	pthread_attr_setstack(&attr, stacks[thread], STACK_BYTES);
	run->threads++;
	if (pthread_create(&id, &attr, watch, (void *)(uintptr_t)thread))
		run->threads--;
	pthread_attr_destroy(&attr);
}

/* A short grace for calls left behind: the last one may have woken them. */
static void wait_left_behind(void)
{
	uint32_t ms = run->x->job.req.call_timeout_ms;
	uint64_t until = now_ns() + ms * 1000000ull;
	uint32_t n;

	while ((n = __atomic_load_n(&run->left_behind, __ATOMIC_ACQUIRE)) &&
	       now_ns() < until)
		futex_wait(&run->left_behind, n, ms);
}

/* The owner, who is not the first thread, ends the whole process. */
static void own(uint32_t me)
{
	start_watcher();
	cover_start(me, run->x->job.req.flags & WIRE_REQ_CMP);
	if (!interpret(me))
		return;
	wait_left_behind();
	run->x->shared->done = 1;
	end_process(0);
}

static bool take_over(uint32_t token, uint32_t me)
{
	struct call_log *log = &run->x->shared->calls[run->call - 1];

	__atomic_fetch_add(&run->left_behind, 1, __ATOMIC_ACQ_REL);
	if (!__atomic_compare_exchange_n(&run->token, &token,
					 TOKEN((token >> 8) + 1, me, 0), false,
					 __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) {
		__atomic_fetch_sub(&run->left_behind, 1, __ATOMIC_ACQ_REL);
		return false;
	}
	/* As far as it came; when it returns meanwhile, it knows better. */
	if (!(__atomic_fetch_or(&log->flags, WIRE_BLOCKED, __ATOMIC_RELEASE) &
	      WIRE_RETURNED))
		log->to = kcov_position(log->thread);
	return true;
}

static void *watch(void *arg)
{
	uint32_t me = (uint32_t)(uintptr_t)arg, last = 0;
	uint64_t since = 0;

	for (;;) {
		uint32_t token = __atomic_load_n(&run->token, __ATOMIC_ACQUIRE);
		uint32_t hurry = __atomic_load_n(&run->hurry, __ATOMIC_ACQUIRE);
		uint32_t ms = run->x->job.req.call_timeout_ms;
		bool late = false;

		if (token != last) {
			last = token;
			since = now_ns();
		} else if (token & IN_CALL) {
			late = now_ns() - since >= ms * 1000000ull;
		}
		if ((run->x->job.req.flags & WIRE_REQ_THREADS) &&
		    (token & IN_CALL) && (late || token == hurry) &&
		    take_over(token, me)) {
			own(me);
			return NULL; /* a call that blocked came back: idle */
		}
		futex_wait(&run->hurry, hurry, ms / 2 + 1);
	}
}

static void start_first_watcher(void)
{
	run->threads = 1;
	start_watcher();
}

/*
 * A thread costs a third of a process: a program that has a process of its own
 * gets its watcher only when it is late, from the supervisor's signal.  System
 * calls that cannot be restarted (signal(7)) then end with EINTR, unless the
 * request says WATCH.
 */
static bool needs_watcher(const struct job *j)
{
	return (j->req.flags & WIRE_REQ_THREADS) &&
	       ((j->req.flags & (WIRE_REQ_KEEP | WIRE_REQ_WATCH)) ||
		j->has_async);
}

static void on_late(int sig)
{
	uint32_t token = __atomic_load_n(&run->token, __ATOMIC_ACQUIRE);

	if (!run->x || !(run->x->job.req.flags & WIRE_REQ_THREADS) ||
	    run->threads)
		return;
	if (token & IN_CALL)
		__atomic_store_n(&run->hurry, token, __ATOMIC_RELEASE);
	start_first_watcher();
}

bool run_program(struct executor *x)
{
	run->x = x;
	run->at = run->call = 0;
	run->image = NULL;
	if (x->shared->fresh) /* what a killed worker left */
		run->threads = run->token = run->hurry = run->left_behind = 0;
	run->program++;
	if (needs_watcher(&x->job) && !run->threads)
		start_first_watcher();
	if (!interpret(0))
		for (;;)
			pause(); /* the new owner ends the process */
	x->shared->done = 1;
	return true;
}
