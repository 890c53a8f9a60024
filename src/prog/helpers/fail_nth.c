#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

/* The n-th chance to fail in the calls of this thread does: see
 * Documentation/fault-injection/fault-injection.rst. */
static void fail_nth(unsigned n)
{
	int fd = open("/proc/thread-self/fail-nth", O_RDWR);

	if (fd < 0 || dprintf(fd, "%u", n) < 0)
		perror("fail-nth: is CONFIG_FAULT_INJECTION on?");
	close(fd);
}
