/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * syscall.h - any system call with six arguments, returning what the kernel
 * returned (-errno on failure).
 *
 * A call that returns 0 in a new process or thread (fork, clone, vfork) must
 * not run on there: it may share our memory and even our stack.  So whoever
 * finds itself to be a child ends at once, without touching the stack.
 *
 * Those with a `mark` (plugin_mark()) are covered by QEMU's plugin: wire/format.h
 * says how.  Without the plugin a mark is a load that nobody uses.
 */
#ifndef EXECUTOR_SYSCALL_H
#define EXECUTOR_SYSCALL_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <time.h>

#include "wire/format.h"

#define CHILD_NAP_NS 50000000

static inline bool syscall_forks(uint32_t nr)
{
	return nr == SYS_clone || nr == SYS_clone3
#ifdef SYS_fork
	       || nr == SYS_fork || nr == SYS_vfork
#endif
		;
}

#if defined(__x86_64__)

static inline int64_t syscall_raw(uint64_t nr, const uint64_t a[6])
{
	register uint64_t r10 __asm__("r10") = a[3];
	register uint64_t r8 __asm__("r8") = a[4];
	register uint64_t r9 __asm__("r9") = a[5];
	int64_t ret;

	__asm__ volatile("syscall"
			 : "=a"(ret), "+r"(r10), "+r"(r8), "+r"(r9)
			 : "a"(nr), "D"(a[0]), "S"(a[1]), "d"(a[2])
			 : "rcx", "r11", "memory");
	return ret;
}

#define MARK "mov %c[mark] + %c["
#define MARK_END "](%%rbx), %%ecx\n\t"
#define MARK_OPERANDS(mark)                                  \
	[mark] "i"(WIRE_MARK), [start] "i"(WIRE_MARK_START), \
		[stop] "i"(WIRE_MARK_STOP),                  \
		"b"((const char *)(mark)-WIRE_MARK)

static inline int64_t syscall_marked(uint64_t nr, const uint64_t a[6],
				     const void *mark)
{
	register uint64_t r10 __asm__("r10") = a[3];
	register uint64_t r8 __asm__("r8") = a[4];
	register uint64_t r9 __asm__("r9") = a[5];
	int64_t ret;

	__asm__ volatile(
		MARK "start" MARK_END "syscall\n\t" MARK "stop" MARK_END
		: "=a"(ret), "+r"(r10), "+r"(r8), "+r"(r9)
		: "a"(nr), "D"(a[0]), "S"(a[1]), "d"(a[2]), MARK_OPERANDS(mark)
		: "rcx", "r11", "memory");
	return ret;
}

static inline int64_t syscall_fork(uint64_t nr, const uint64_t a[6],
				   const void *mark)
{
	register uint64_t r10 __asm__("r10") = a[3];
	register uint64_t r8 __asm__("r8") = a[4];
	register uint64_t r9 __asm__("r9") = a[5];
	int64_t ret;

	__asm__ volatile(MARK "start" MARK_END "syscall\n\t"
			      "test %%rax, %%rax\n\t"
			      "jnz 1f\n\t"
			      "xor %%edi, %%edi\n\t"
			      "mov $60, %%eax\n\t" /* exit */
			      "syscall\n\t"
			      "hlt\n"
			      "1:\n\t" MARK "stop" MARK_END
			 : "=a"(ret), "+r"(r10), "+r"(r8), "+r"(r9)
			 : "a"(nr), "D"(a[0]), "S"(a[1]), "d"(a[2]),
			   MARK_OPERANDS(mark)
			 : "rcx", "r11", "memory", "cc");
	return ret;
}

/* The same, but the child sleeps for 50 ms first: there is time to look at it. */
static inline int64_t syscall_fork_sleep(uint64_t nr, const uint64_t a[6],
					 const void *mark)
{
	static const struct timespec nap = { .tv_nsec = CHILD_NAP_NS };
	register uint64_t r10 __asm__("r10") = a[3];
	register uint64_t r8 __asm__("r8") = a[4];
	register uint64_t r9 __asm__("r9") = a[5];
	register const struct timespec *r12 __asm__("r12") = &nap;
	int64_t ret;

	__asm__ volatile(MARK "start" MARK_END "syscall\n\t"
			      "test %%rax, %%rax\n\t"
			      "jnz 1f\n\t"
			      "mov %%r12, %%rdi\n\t"
			      "xor %%esi, %%esi\n\t"
			      "mov $35, %%eax\n\t" /* nanosleep */
			      "syscall\n\t"
			      "xor %%edi, %%edi\n\t"
			      "mov $60, %%eax\n\t" /* exit */
			      "syscall\n\t"
			      "hlt\n"
			      "1:\n\t" MARK "stop" MARK_END
			 : "=a"(ret), "+r"(r10), "+r"(r8), "+r"(r9)
			 : "a"(nr), "D"(a[0]), "S"(a[1]), "d"(a[2]), "r"(r12),
			   MARK_OPERANDS(mark)
			 : "rcx", "r11", "memory", "cc");
	return ret;
}

/* A mark by itself: WIRE_MARK_REWIND, WIRE_MARK_ROOM. */
#define MARK_ALONE(op, mark)                                   \
	__asm__ volatile("mov %c0 + %c1(%%rbx), %%ecx"         \
			 :                                     \
			 : "i"(WIRE_MARK), "i"(op),            \
			   "b"((const char *)(mark)-WIRE_MARK) \
			 : "rcx", "memory")

#elif defined(__aarch64__)

#define SYSCALL_ARM64(code)                                            \
	register uint64_t x8 __asm__("x8") = nr;                       \
	register uint64_t x0 __asm__("x0") = a[0];                     \
	register uint64_t x1 __asm__("x1") = a[1];                     \
	register uint64_t x2 __asm__("x2") = a[2];                     \
	register uint64_t x3 __asm__("x3") = a[3];                     \
	register uint64_t x4 __asm__("x4") = a[4];                     \
	register uint64_t x5 __asm__("x5") = a[5];                     \
	__asm__ volatile(code                                          \
			 : "+r"(x0), "+r"(x8)                          \
			 : "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5) \
			 : "memory", "cc");                            \
	return (int64_t)x0

static inline int64_t syscall_raw(uint64_t nr, const uint64_t a[6])
{
	SYSCALL_ARM64("svc #0");
}

/* The plugin does not know this processor yet. */
#define MARK_ALONE(op, mark) ((void)(mark))

static inline int64_t syscall_marked(uint64_t nr, const uint64_t a[6],
				     const void *mark)
{
	return syscall_raw(nr, a);
}

static inline int64_t syscall_fork(uint64_t nr, const uint64_t a[6],
				   const void *mark)
{
	SYSCALL_ARM64("svc #0\n\t"
		      "cbnz x0, 1f\n\t"
		      "mov x8, #93\n\t" /* exit */
		      "svc #0\n\t"
		      "brk #1\n"
		      "1:");
}

static inline int64_t syscall_fork_sleep(uint64_t nr, const uint64_t a[6],
					 const void *mark)
{
	static const struct timespec nap = { .tv_nsec = CHILD_NAP_NS };
	register const struct timespec *x9 __asm__("x9") = &nap;

	__asm__ volatile("" : "+r"(x9));
	SYSCALL_ARM64("svc #0\n\t"
		      "cbnz x0, 1f\n\t"
		      "mov x0, x9\n\t"
		      "mov x1, #0\n\t"
		      "mov x8, #101\n\t" /* nanosleep */
		      "svc #0\n\t"
		      "mov x0, #0\n\t"
		      "mov x8, #93\n\t" /* exit */
		      "svc #0\n\t"
		      "brk #1\n"
		      "1:");
}

#else
#error "no system call instruction for this processor"
#endif

#endif /* EXECUTOR_SYSCALL_H */
