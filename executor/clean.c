/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * clean.c - what programs leave behind outside their process.  On a machine
 * that is not ours (tests) only our own children and directory are touched.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <linux/loop.h>

#include "executor.h"

#define MAX_DEPTH 32 /* of directories */
#define REAP_MS 1000 /* patience with processes that do not die */

/* Kill whom PID 1 or the subreaper inherited: /proc/.../children (proc(5)). */
static void kill_children(void)
{
	char path[64], line[64];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/self/task/%d/children", getpid());
	f = fopen(path, "re");
	while (f && fscanf(f, "%15s", line) == 1) {
		pid_t pid = (pid_t)strtol(line, NULL, 10);

		if (pid > 1)
			kill(pid, SIGKILL);
	}
	if (f)
		fclose(f);
}

void clean_processes(const struct executor *x, pid_t worker)
{
	uint64_t until = now_ns() + REAP_MS * 1000000ull;

	do {
		pid_t pid;

		/* From PID 1 this reaches all but itself: kill(2). */
		if (x->is_init) {
			kill(-1, SIGKILL);
		} else {
			kill(-worker, SIGKILL);
			kill_children();
		}
		do {
			pid = waitpid(-1, NULL, WNOHANG);
		} while (pid > 0);
		if (pid < 0)
			return; /* no children at all */
		nanosleep(&(struct timespec){ .tv_nsec = 200000 }, NULL);
	} while (now_ns() < until);
}

/* Remove what is in the open directory `fd`, which is closed. */
static void wipe(int fd, int depth)
{
	DIR *d = fdopendir(fd);

	if (!d) {
		close(fd);
		return;
	}
	for (struct dirent *e; (e = readdir(d));) {
		if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, ".."))
			continue;
		if (!unlinkat(dirfd(d), e->d_name, 0))
			continue;
		int sub = openat(dirfd(d), e->d_name,
				 O_RDONLY | O_DIRECTORY | O_NOFOLLOW |
					 O_NONBLOCK | O_CLOEXEC);
		if (sub < 0)
			continue;
		if (depth < MAX_DEPTH)
			wipe(sub, depth + 1);
		else
			close(sub);
		unlinkat(dirfd(d), e->d_name, AT_REMOVEDIR);
	}
	closedir(d);
}

void clean_work_dir(const char *dir)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd >= 0)
		wipe(fd, 0);
}

void clean_loops(void)
{
	char path[32];

	for (int i = 0; i < LOOP_NODES; i++) {
		snprintf(path, sizeof(path), "/dev/loop%d", i);
		int fd = open(path, O_RDWR | O_CLOEXEC);

		if (fd < 0)
			continue;
		ioctl(fd, LOOP_CLR_FD, 0);
		close(fd);
	}
}
