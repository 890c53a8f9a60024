/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * init.c - process 1 of a machine that exists to crash once.
 *
 * Reads from the kernel command line what to do:
 *
 *	bugon.crash=lkdtm:NAME	a crash of the kernel's own LKDTM
 *	bugon.crash=bugs:NAME	one of module/ (/bugs.ko)
 *	bugon.crash=insmod:ARGS	load /bugs.ko with ARGS
 *	bugon.crash=mount:FS	mount a copy of /disk.img, use it, unmount; repeat
 *	bugon.crash=sysrq:C	write C to /proc/sysrq-trigger
 *	bugon.args=ARGS		load /bugs.ko with ARGS
 *	bugon.rcu=1		keep waiting for RCU: a stall needs a waiter (SMP)
 *	bugon.wait=SECONDS	power off so long after the start (10)
 *
 * A child does it, so that the crash is not also the death of init. The
 * console is made verbose just before, so that a boot with `quiet` still logs
 * the whole crash.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/loop.h>
#include <linux/membarrier.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
	DEFAULT_WAIT_S = 10,
	SETTLE_MS = 500, /* workqueues and RCU callbacks may crash later */
	FS_ROUNDS = 200,
	NR_FILES = 16,
};

static char cmdline[4096];

static void say(const char *what, const char *detail)
{
	int fd = open("/dev/kmsg", O_WRONLY);
	char line[256];
	int len =
		snprintf(line, sizeof(line), "<4>bugon: %s %s\n", what, detail);

	/* Not dprintf(): it seeks first, which /dev/kmsg refuses. */
	if (fd < 0)
		return;
	if (write(fd, line, (size_t)len) < 0)
		perror("/dev/kmsg");
	close(fd);
}

static void say_errno(const char *what)
{
	say(what, strerror(errno));
}

/* The value of KEY= on the command line, or the default; never freed. */
static const char *option(const char *key, const char *otherwise)
{
	char *at = strstr(cmdline, key);
	char *value;

	if (!at || at[strlen(key)] != '=')
		return otherwise;
	at += strlen(key) + 1;
	value = strndup(at, strcspn(at, " \n"));
	return value ? value : otherwise;
}

static int write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY);
	ssize_t n;

	if (fd < 0)
		return -1;
	n = write(fd, text, strlen(text));
	close(fd);
	return n < 0 ? -1 : 0;
}

static void mount_all(void)
{
	static const char *const mounts[][2] = {
		{ "proc", "/proc" },
		{ "sysfs", "/sys" },
		{ "devtmpfs", "/dev" },
		{ "debugfs", "/sys/kernel/debug" },
	};

	for (size_t i = 0; i < sizeof(mounts) / sizeof(*mounts); i++) {
		mkdir(mounts[i][1], 0755);
		mount(mounts[i][0], mounts[i][1], mounts[i][0], 0, NULL);
	}
}

static int load_module(const char *args)
{
	int fd = open("/bugs.ko", O_RDONLY);
	long ret;

	if (fd < 0)
		return -1;
	ret = syscall(SYS_finit_module, fd, args, 0);
	close(fd);
	return ret < 0 ? -1 : 0;
}

static int copy_file(const char *from, const char *to)
{
	static char block[65536];
	int in = open(from, O_RDONLY);
	int out = open(to, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	ssize_t n = -1;

	if (in >= 0 && out >= 0)
		while ((n = read(in, block, sizeof(block))) > 0)
			if (write(out, block, (size_t)n) != n)
				break;
	close(in);
	close(out);
	return n == 0 ? 0 : -1;
}

static void use_files(const char *dir)
{
	char path[128], other[160];
	static char block[8192];

	for (int i = 0; i < NR_FILES; i++) {
		int fd;

		snprintf(path, sizeof(path), "%s/file%d", dir, i);
		snprintf(other, sizeof(other), "%s.renamed", path);
		fd = open(path, O_CREAT | O_RDWR, 0644);
		if (fd < 0)
			return;
		memset(block, i, sizeof(block));
		if (write(fd, block, sizeof(block)) < 0)
			say_errno("write");
		close(fd);
		if (i % 3 == 0)
			rename(path, other);
		if (i % 4 == 0)
			unlink(path);
	}
}

/* Mounts and uses a new copy of /disk.img on the first loop device. */
static int mount_once(const char *fs)
{
	struct loop_config config = { .block_size = 512 };
	int dev = open("/dev/loop0", O_RDWR);
	int ret = -1;

	if (dev < 0 || copy_file("/disk.img", "/disk.work") < 0)
		return -1;
	config.fd = (unsigned int)open("/disk.work", O_RDWR);
	if (ioctl(dev, LOOP_CONFIGURE, &config) == 0 &&
	    mount("/dev/loop0", "/mnt", fs, 0, NULL) == 0) {
		use_files("/mnt");
		ret = umount2("/mnt", 0);
	}
	ioctl(dev, LOOP_CLR_FD, 0);
	close((int)config.fd);
	close(dev);
	return ret;
}

static int mount_rounds(const char *fs)
{
	mkdir("/mnt", 0755);
	for (int i = 0; i < FS_ROUNDS; i++) {
		char round[16];

		snprintf(round, sizeof(round), "%d", i);
		say("round", round);
		if (mount_once(fs) < 0)
			return -1;
	}
	return 0;
}

static int crash(const char *kind, const char *name)
{
	if (!strcmp(kind, "lkdtm"))
		return write_file("/sys/kernel/debug/provoke-crash/DIRECT",
				  name);
	if (!strcmp(kind, "bugs"))
		return write_file("/dev/bugs", name);
	if (!strcmp(kind, "insmod"))
		return load_module(name);
	if (!strcmp(kind, "mount"))
		return mount_rounds(name);
	if (!strcmp(kind, "sysrq"))
		return write_file("/proc/sysrq-trigger", name);
	errno = EINVAL;
	return -1;
}

static int child(const char *kind, const char *name)
{
	prctl(PR_SET_NAME, "crasher");
	say("crash", name);
	if (crash(kind, name) < 0)
		say_errno("crash:");
	return 0;
}

/* In the background; ends with the machine. */
static void wait_for_rcu(void)
{
	if (fork() != 0)
		return;
	prctl(PR_SET_NAME, "rcu-waiter");
	while (syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0) == 0)
		;
	_exit(1);
}

/* Until the child ends, or at most seconds. */
static void wait_child(pid_t pid, int seconds)
{
	struct timespec tick = { .tv_nsec = 100 * 1000 * 1000 };

	for (int i = 0; i < seconds * 10; i++) {
		if (waitpid(pid, NULL, WNOHANG) != 0)
			break;
		nanosleep(&tick, NULL);
	}
	tick.tv_nsec = SETTLE_MS * 1000 * 1000;
	nanosleep(&tick, NULL);
}

int main(void)
{
	char kind[32] = "";
	const char *what, *name;
	FILE *f;
	pid_t pid;

	mount_all();
	f = fopen("/proc/cmdline", "r");
	if (f && fgets(cmdline, sizeof(cmdline), f))
		fclose(f);
	what = option("bugon.crash", "none:");
	snprintf(kind, sizeof(kind), "%.*s", (int)strcspn(what, ":"), what);
	name = strchr(what, ':') ? strchr(what, ':') + 1 : "";

	write_file("/proc/sys/kernel/printk", "8");
	if (!strcmp(kind, "bugs") && load_module(option("bugon.args", "")) < 0)
		say_errno("bugs.ko:");
	if (*option("bugon.rcu", ""))
		wait_for_rcu();
	pid = fork();
	if (pid == 0)
		_exit(child(kind, name));
	wait_child(pid, atoi(option("bugon.wait", "0")) ?: DEFAULT_WAIT_S);
	say("done", name);
	reboot(RB_POWER_OFF);
	return 0;
}
