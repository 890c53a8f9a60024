#include <fcntl.h>
#include <stdio.h>
#include <sys/ioctl.h>

/* The other end of a /dev/ptmx. */
static long syz_open_pts(int fd, int flags)
{
	char path[32];
	int number;

	if (ioctl(fd, TIOCGPTN, &number))
		return -1;
	snprintf(path, sizeof(path), "/dev/pts/%d", number);
	return open(path, flags, 0);
}
