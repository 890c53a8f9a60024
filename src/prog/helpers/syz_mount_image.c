#include <errno.h>
#include <fcntl.h>
#include <linux/loop.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

static long mount_and_open(const char *device, const char *fs, const char *dir,
			   uint64_t flags, const char *options, long change)
{
	char opts[OPTIONS_BYTES];
	int fd;

	snprintf(opts, sizeof(opts), "%s", options ? options : "");
	fit_options(fs, opts, &flags);
	mkdir(dir, 0777);
	if (mount(device, dir, fs, flags, opts))
		return -1;
	fd = open(dir, O_RDONLY | O_DIRECTORY);
	if (fd >= 0 && (uint8_t)change && chdir(dir))
		perror(dir);
	return fd;
}

/* Mount an image, or a file system without a device: the directory's
 * descriptor. */
static long syz_mount_image(const char *fs, const char *dir, uint64_t flags,
			    const char *options, long change, uint64_t size,
			    const struct run *image)
{
	char device[32];
	int loop, err;
	long fd;

	if (!image) {
		errno = EINVAL;
		return size ? -1 :
			      mount_and_open(NULL, fs, dir, flags, options,
					     change);
	}
	loop = attach_image(image, device);
	if (loop < 0)
		return -1;
	fd = mount_and_open(device, fs, dir, flags, options, change);
	err = errno;
	ioctl(loop, LOOP_CLR_FD, 0); /* when nobody uses it any more */
	close(loop);
	errno = err;
	return fd;
}
