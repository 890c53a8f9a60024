#include <sys/syscall.h>
#include <unistd.h>

/* Not init's. */
static long syz_pidfd_open(int pid, unsigned flags)
{
	return syscall(SYS_pidfd_open, pid == 1 ? 0 : pid, flags);
}
