/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sandbox.c - with how many rights a worker runs programs. */
#include <grp.h>
#include <sched.h>
#include <stddef.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "executor.h"

#define NOBODY 65534

static bool drop_to_nobody(void)
{
	/* Changing ids makes /proc/self root's; we still write there. */
	return !setgroups(0, NULL) && !setresgid(NOBODY, NOBODY, NOBODY) &&
	       !setresuid(NOBODY, NOBODY, NOBODY) &&
	       !prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
}

/* Mounts of the worker are not seen outside, and vanish with it. */
static bool own_mount_ns(void)
{
	return !unshare(CLONE_NEWNS) &&
	       !mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL);
}

/* user_namespaces(7): one id may be mapped, to itself, without privileges. */
static bool enter_userns(void)
{
	return drop_to_nobody() &&
	       !unshare(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWNET |
			CLONE_NEWIPC | CLONE_NEWUTS) &&
	       write_file("/proc/self/setgroups", "deny") &&
	       write_file("/proc/self/uid_map", "0 65534 1") &&
	       write_file("/proc/self/gid_map", "0 65534 1");
}

bool sandbox_enter(uint32_t sandbox, bool own_mounts)
{
	if (own_mounts && sandbox != WIRE_SANDBOX_NAMESPACE && !own_mount_ns())
		return false;
	switch (sandbox) {
	case WIRE_SANDBOX_SETUID:
		return drop_to_nobody();
	case WIRE_SANDBOX_NAMESPACE:
		return enter_userns();
	default:
		return true;
	}
}

bool sandbox_has_userns(void)
{
	int status = 1;
	pid_t pid = fork();

	if (!pid)
		_exit(enter_userns() ? 0 : 1);
	return pid > 0 && waitpid(pid, &status, 0) == pid && !status;
}
