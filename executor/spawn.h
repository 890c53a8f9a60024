/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * spawn.h - fork() at the price of few page faults.
 *
 * After a plain fork() parent and child each copy every private page that they
 * write: on UML a page fault costs as much as several system calls, and a cheap
 * program took 20 of them.  So what both write lies in one shared mapping (the
 * arena), which the child has after one fault, as the kernel maps 16 pages
 * around it; the child's stack is in there, and the parent's own is not
 * inherited at all (MADV_DONTFORK).
 */
#ifndef EXECUTOR_SPAWN_H
#define EXECUTOR_SPAWN_H

#include <signal.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <sys/types.h>

/* A child that runs `fn(arg)` from `top` (aligned to 16) down; -errno. */
#if defined(__x86_64__)

static inline long spawn_on(void *top, void (*fn)(void *), void *arg)
{
	void **stack = (void **)top - 2;
	register long r10 __asm__("r10") = 0;
	register long r8 __asm__("r8") = 0;
	long ret;

	stack[0] = (void *)(uintptr_t)fn;
	stack[1] = arg;
	__asm__ volatile("syscall\n\t"
			 "test %%rax, %%rax\n\t"
			 "jnz 1f\n\t"
			 "xor %%ebp, %%ebp\n\t"
			 "pop %%rax\n\t"
			 "pop %%rdi\n\t"
			 "call *%%rax\n\t"
			 "hlt\n"
			 "1:"
			 : "=a"(ret), "+r"(r10), "+r"(r8)
			 : "a"((long)SYS_clone), "D"((long)SIGCHLD), "S"(stack),
			   "d"(0L)
			 : "rcx", "r11", "memory", "cc");
	return ret;
}

#elif defined(__aarch64__)

static inline long spawn_on(void *top, void (*fn)(void *), void *arg)
{
	void **stack = (void **)top - 2;
	register long x8 __asm__("x8") = SYS_clone;
	register long x0 __asm__("x0") = SIGCHLD;
	register void **x1 __asm__("x1") = stack;
	register long x2 __asm__("x2") = 0;
	register long x3 __asm__("x3") = 0;
	register long x4 __asm__("x4") = 0;

	stack[0] = (void *)(uintptr_t)fn;
	stack[1] = arg;
	__asm__ volatile("svc #0\n\t"
			 "cbnz x0, 1f\n\t"
			 "mov x29, #0\n\t"
			 "ldp x9, x0, [sp], #16\n\t"
			 "blr x9\n\t"
			 "brk #1\n"
			 "1:"
			 : "+r"(x0), "+r"(x8)
			 : "r"(x1), "r"(x2), "r"(x3), "r"(x4)
			 : "memory", "cc", "x9");
	return x0;
}

#else
#error "no way to clone on this processor"
#endif

#endif /* EXECUTOR_SPAWN_H */
