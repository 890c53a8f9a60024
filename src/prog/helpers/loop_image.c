#include <errno.h>
#include <fcntl.h>
#include <linux/loop.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

/* A piece of an image, which is zero elsewhere; the last one has no bytes, its
 * offset is the size of the image. */
struct run {
	uint64_t offset, length;
	const char *bytes;
};

/* Put the image behind the first loop device that is free: its descriptor. */
static int attach_image(const struct run *r, char path[32])
{
	int file = memfd_create("image", MFD_CLOEXEC), loop = -1, err;

	for (; r->bytes; r++)
		if (pwrite(file, r->bytes, r->length, r->offset) < 0)
			break;
	if (ftruncate(file, r->offset))
		return -1;
	for (int i = 0; i < 16; i++) {
		snprintf(path, 32, "/dev/loop%d", i);
		loop = open(path, O_RDWR | O_CLOEXEC);
		if (loop < 0 || !ioctl(loop, LOOP_SET_FD, file))
			break;
		err = errno;
		close(loop);
		loop = -1;
		errno = err;
		if (err != EBUSY)
			break;
	}
	err = errno;
	close(file);
	errno = err;
	return loop;
}
