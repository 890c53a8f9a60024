#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* Open a device: of the path each '#' is a digit of `id`, the last one first;
 * a "path" of 0xc or 0xb means the character or block device id:flags. */
static long syz_open_dev(const char *pattern, uint64_t id, uint64_t flags)
{
	char path[256];

	if ((uintptr_t)pattern == 0xc || (uintptr_t)pattern == 0xb) {
		snprintf(path, sizeof(path), "/dev/%s/%u:%u",
			 (uintptr_t)pattern == 0xc ? "char" : "block",
			 (uint8_t)id, (uint8_t)flags);
		return open(path, O_RDWR);
	}
	snprintf(path, sizeof(path), "%s", pattern);
	for (char *at = path; (at = strchr(at, '#')); id /= 10)
		*at = '0' + id % 10;
	return open(path, flags & ~O_CREAT, 0);
}
