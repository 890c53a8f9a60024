#include <errno.h>
#include <sched.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Memory is not shared, so the child can use its copy of our stack. */
static long syz_clone3(const void *clone_args, unsigned long size)
{
	enum { FLAGS = 0, STACK = 5, STACK_SIZE = 6 }; /* clone(2) */
	uint64_t args[32] = { 0 };

	errno = EINVAL;
	if (size < 8 || size > sizeof(args))
		return -1;
	memcpy(args, clone_args, size);
	args[FLAGS] &= ~(uint64_t)CLONE_VM;
	if (args[STACK] && args[STACK_SIZE])
		args[STACK] = args[STACK_SIZE] = 0;
	return child_sleeps(syscall(SYS_clone3, args, size));
}
