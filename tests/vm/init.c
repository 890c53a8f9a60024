/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * init.c - PID 1 of the VM tests: says "ready", then does what test=WORD on
 * the kernel's command line asks for.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/io.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

static char cmdline[4096];

static int asked(const char *word)
{
	char text[64];

	snprintf(text, sizeof(text), "test=%s", word);
	return strstr(cmdline, text) != NULL;
}

static void put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		perror(path);
	close(fd);
}

/* The shared memory: /dev/mmapper or BAR 2 of the only ivshmem. */
static void shared(void)
{
	int fd = open("/dev/mmapper", O_RDWR);
	char path[64];

	for (int slot = 0; fd < 0 && slot < 32; slot++) {
		snprintf(path, sizeof(path),
			 "/sys/bus/pci/devices/0000:00:%02x.0/resource2", slot);
		fd = open(path, O_RDWR);
	}
	void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED) {
		perror("shared memory");
		return;
	}
	volatile uint32_t *m = p;
	m[1] = m[0] + 1;
	puts("shared memory written");
}

static void echo(int tty)
{
	char c;

	while (read(tty, &c, 1) == 1) {
		c ^= 0x20;
		if (write(tty, &c, 1) != 1)
			break;
	}
}

static int open_messages(void)
{
	/* UML has the channel on tty1, its virtual console; QEMU on ttyS1. */
	const char *path = access("/dev/ttyS1", F_OK) ? "/dev/tty1" :
							"/dev/ttyS1";
	int fd = open(path, O_RDWR | O_NOCTTY);
	struct termios t;

	if (tcgetattr(fd, &t) == 0) {
		cfmakeraw(&t);
		tcsetattr(fd, TCSANOW, &t);
	}
	return fd;
}

int main(void)
{
	mount("none", "/dev", "devtmpfs", 0, "");
	mount("none", "/proc", "proc", 0, "");
	mount("none", "/sys", "sysfs", 0, "");
	mount("none", "/sys/kernel/debug", "debugfs", 0, "");
	int fd = open("/proc/cmdline", O_RDONLY);
	ssize_t n = read(fd, cmdline, sizeof(cmdline) - 1);
	if (n < 0)
		return 1;
	setvbuf(stdout, NULL, _IONBF, 0);
	puts("init is ready");
	int tty = open_messages();
	if (write(tty, "hello", 5) != 5)
		perror("message channel");
	if (asked("crash"))
		put("/sys/kernel/debug/provoke-crash/DIRECT",
		    "READ_AFTER_FREE");
	if (asked("panic"))
		put("/proc/sysrq-trigger", "c");
	if (asked("shared"))
		shared();
	if (asked("echo"))
		echo(tty);
	if (asked("lockup"))
		put("/sys/kernel/debug/provoke-crash/DIRECT", "HARDLOCKUP");
	if (asked("die"))
		return 3;
	while (asked("flood"))
		puts("flood flood flood flood flood flood flood flood flood");
	if (asked("hang"))
		for (;;)
			pause();
	sync();
	reboot(RB_POWER_OFF);
	return 1;
}
