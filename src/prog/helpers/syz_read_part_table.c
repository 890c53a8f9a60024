#include <errno.h>
#include <linux/loop.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* Have the kernel read the partition table; partitions become ./file0... */
static long syz_read_part_table(uint64_t size, const struct run *image)
{
	struct loop_info64 info = { .lo_flags = LO_FLAGS_PARTSCAN };
	char device[32], name[16], target[48];
	int loop, err;
	long ret;

	errno = EINVAL;
	loop = image ? attach_image(image, device) : -1;
	if (loop < 0)
		return -1;
	ret = ioctl(loop, LOOP_SET_STATUS64, &info);
	err = errno;
	for (int i = 0; !ret && i < 7; i++) {
		snprintf(target, sizeof(target), "%sp%d", device, i + 1);
		snprintf(name, sizeof(name), "./file%d", i);
		if (symlink(target, name))
			break;
	}
	if (ret)
		ioctl(loop, LOOP_CLR_FD, 0);
	close(loop);
	errno = err;
	return ret;
}
