#include <fcntl.h>
#include <stdio.h>

/* A file of /proc: of us (pid 0), of this thread (-1), or of a thread. */
static long syz_open_procfs(int pid, const char *file)
{
	char path[256];
	int fd;

	if (!pid)
		snprintf(path, sizeof(path), "/proc/self/%s", file);
	else if (pid == -1)
		snprintf(path, sizeof(path), "/proc/thread-self/%s", file);
	else
		snprintf(path, sizeof(path), "/proc/self/task/%d/%s", pid,
			 file);
	fd = open(path, O_RDWR);
	return fd < 0 ? open(path, O_RDONLY) : fd;
}
