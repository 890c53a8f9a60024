#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* What clone() returned; the child sleeps for a moment and ends. */
static long child_sleeps(long pid)
{
	struct timespec nap = { .tv_nsec = 50000000 };

	if (!pid) {
		syscall(SYS_nanosleep, &nap, NULL);
		syscall(SYS_exit, 0);
	}
	return pid;
}
