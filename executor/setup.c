/* SPDX-License-Identifier: GPL-2.0-or-later */
/* setup.c - what PID 1 does before programs can run, and at the end. */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

#include "executor.h"

#define LOOP_MAJOR 7
#define SAY_FD 239 /* what stderr was */

uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

bool write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	size_t len = strlen(text);
	bool ok = fd >= 0 && write(fd, text, len) == (ssize_t)len;

	if (fd >= 0)
		close(fd);
	return ok;
}

void say(const char *fmt, ...)
{
	char line[256] = "executor: ";
	size_t at = strlen(line);
	va_list ap;

	va_start(ap, fmt);
	int n = vsnprintf(line + at, sizeof(line) - at - 1, fmt, ap);
	va_end(ap);
	if (n < 0)
		return;
	at = strlen(line);
	line[at++] = '\n';
	/* Descriptor 2 is the programs', and they may have closed it. */
	int fd = SAY_FD;

	if (getpid() == 1)
		fd = open("/dev/console", O_WRONLY | O_NOCTTY | O_CLOEXEC);
	if (write(fd, line, at) < 0)
		return; /* nobody listens */
	if (fd >= 0 && fd != SAY_FD)
		close(fd);
}

/* Mounting what the kernel was built without fails, and that is fine. */
static bool mount_at(const char *type, const char *dir, const char *options)
{
	mkdir(dir, 0755);
	return !mount(type, dir, type, 0, options) || errno == EBUSY;
}

static void make_loops(void)
{
	char path[32];

	for (unsigned int i = 0; i < LOOP_NODES; i++) {
		snprintf(path, sizeof(path), "/dev/loop%u", i);
		mknod(path, S_IFBLK | 0660, makedev(LOOP_MAJOR, i));
	}
}

/*
 * Let fail-nth (Documentation/fault-injection) hit sleeping allocations too, and
 * say nothing: the stack it prints looks like a bug.
 */
static void setup_faults(void)
{
	static const char *const kinds[] = { "failslab", "fail_page_alloc",
					     "fail_futex", "fail_usercopy",
					     "fail_function" };
	char path[64];

	for (unsigned int i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		snprintf(path, sizeof(path), "/sys/kernel/debug/%s/verbose",
			 kinds[i]);
		write_file(path, "0");
	}
	write_file("/sys/kernel/debug/failslab/ignore-gfp-wait", "N");
	write_file("/sys/kernel/debug/fail_page_alloc/ignore-gfp-wait", "N");
	write_file("/sys/kernel/debug/fail_page_alloc/ignore-gfp-highmem", "N");
	write_file("/sys/kernel/debug/fail_page_alloc/min-order", "0");
	write_file("/sys/kernel/debug/fail_futex/ignore-private", "N");
}

void setup_machine(void)
{
	mount_at("proc", "/proc", NULL);
	mount_at("sysfs", "/sys", NULL);
	if (!mount_at("devtmpfs", "/dev", NULL))
		say("no devtmpfs: %s", strerror(errno));
	mkdir("/dev/pts", 0755);
	mkdir("/dev/shm", 01777);
	mount_at("devpts", "/dev/pts", "ptmxmode=0666,mode=0666");
	mount_at("tmpfs", "/dev/shm", "size=16m");
	mount_at("debugfs", "/sys/kernel/debug", NULL);
	mount_at("tracefs", "/sys/kernel/tracing", NULL);
	mount_at("securityfs", "/sys/kernel/security", NULL);
	mount_at("configfs", "/sys/kernel/config", NULL);
	mount_at("bpf", "/sys/fs/bpf", NULL);
	mount_at("cgroup2", "/sys/fs/cgroup", NULL);
	mount_at("tmpfs", "/tmp", "size=128m,mode=1777");
	make_loops();
	/* As udev has it: for everybody. */
	chmod("/dev/net/tun", 0666);
	chmod("/dev/fuse", 0666);
	setup_faults();
	/* Programs that crash must not fill the console with their registers. */
	write_file("/proc/sys/debug/exception-trace", "0");
	write_file("/proc/sys/kernel/print-fatal-signals", "0");
}

static void limit(int what, rlim_t n)
{
	setrlimit(what, &(struct rlimit){ n, n });
}

void setup_limits(bool is_init)
{
	umask(0);
	limit(RLIMIT_CORE, 0);
	limit(RLIMIT_NOFILE, 256);
	limit(RLIMIT_FSIZE, 128 << 20);
	limit(RLIMIT_STACK, 1 << 20);
	limit(RLIMIT_AS, 512 << 20);
	limit(RLIMIT_MEMLOCK, 32 << 20);
	/* Root is exempt, unless this is the setuid sandbox. */
	if (is_init)
		limit(RLIMIT_NPROC, 64);
}

/*
 * Programs find the null device.  The console stays open elsewhere: a serial
 * port hears nothing, SysRq neither, when nobody has it open.
 */
void setup_stdio(bool is_init)
{
	dup3(STDERR_FILENO, SAY_FD, O_CLOEXEC);
	int fd = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (fd < 0)
		return;
	for (int i = 0; i < 3; i++)
		dup2(fd, i);
	syscall(SYS_close_range, 3u, SAY_FD - 1u, 0u);
}

/*
 * UML ends when it powers off; QEMU with -no-reboot when it reboots, which
 * needs less of the kernel than powering off (no ACPI).
 */
_Noreturn void machine_off(void)
{
	if (!access("/proc/exitcode", F_OK)) /* arch/um/kernel/exitcode.c */
		reboot(RB_POWER_OFF);
	reboot(RB_AUTOBOOT);
	for (;;)
		pause();
}
