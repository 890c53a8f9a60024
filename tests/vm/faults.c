/* SPDX-License-Identifier: GPL-2.0-or-later */
/* faults.c - what hostile programs do to the guest and to us (faults.py). */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* A line of the console, `mib` MiB of them. */
static int flood(long mib)
{
	static char block[1 << 20];

	for (size_t i = 0; i < sizeof(block); i++)
		block[i] = i % 64 == 63 ? '\n' : 'a' + i % 26;
	for (long i = 0; i < mib; i++)
		for (size_t at = 0; at < sizeof(block);) {
			ssize_t n = write(1, block + at, sizeof(block) - at);

			if (n < 0)
				return 1;
			at += (size_t)n;
		}
	return 0;
}

/* Random words all over the shared memory, again and again. */
static int garbage(void)
{
	size_t size = 16 << 20;
	unsigned *m = MAP_FAILED, x = 1;
	char path[64];

	for (int slot = -1; m == MAP_FAILED && slot < 32; slot++) {
		snprintf(path, sizeof(path),
			 slot < 0 ? "/dev/mmapper" :
				    "/sys/bus/pci/devices/0000:00:%02x.0/"
				    "resource2",
			 slot);
		int fd = open(path, O_RDWR);
		for (size = 64 << 20;
		     fd >= 0 && m == MAP_FAILED && size >= 4096; size /= 2)
			m = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED,
				 fd, 0);
	}
	if (m == MAP_FAILED)
		return 1;
	size *= 2;
	for (int turn = 0; turn < 20; turn++)
		for (size_t i = 0; i < size / 4; i++) {
			x ^= x << 13, x ^= x >> 17, x ^= x << 5;
			m[i] = x;
		}
	return 0;
}

int main(int argc, char **argv)
{
	if (!strcmp(argv[1], "flood"))
		return flood(atol(argv[2]));
	if (!strcmp(argv[1], "garbage"))
		return garbage();
	if (!strcmp(argv[1], "lockup")) {
		int fd = open("/sys/kernel/debug/provoke-crash/DIRECT", 1);

		return write(fd, "HARDLOCKUP", 10) < 0;
	}
	for (;;)
		pause();
}
