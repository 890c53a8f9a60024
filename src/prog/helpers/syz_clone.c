#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Memory is not shared, so the child can use its copy of our stack. */
static long syz_clone(unsigned long flags, unsigned long stack,
		      unsigned long bytes, void *ptid, void *ctid, void *tls)
{
	(void)stack;
	(void)bytes;
	flags &= ~(unsigned long)CLONE_VM;
#ifdef __x86_64__
	return child_sleeps(syscall(SYS_clone, flags, 0, ptid, ctid, tls));
#else
	return child_sleeps(syscall(SYS_clone, flags, 0, ptid, tls, ctid));
#endif
}
