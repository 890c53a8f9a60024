/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pseudo.c - calls that are no system calls (wire/pseudo.def): which there are,
 * and the small ones.  What they do is what docs/pseudo_syscalls.md and the
 * descriptions of google/syzkaller say of them.
 */
#include "pseudo.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define PATH_BYTES 256
#define DEVICE_CHAR 0xcu /* syz_open_dev: by numbers, not by name */
#define DEVICE_BLOCK 0xbu

bool read_text(char *to, size_t size, uint64_t from)
{
	size_t left = guarded_copy(to, (const void *)(uintptr_t)from, size);

	return memchr(to, 0, size - left) != NULL;
}

void pseudo_ready(const struct pseudo *c)
{
	cover_forget(c->thread, c->position);
}

static int64_t open_path(struct pseudo *c, const char *path, uint64_t flags)
{
	return SYS(c, openat, (uint64_t)AT_FDCWD, P(path), flags, 0);
}

/* syz_open_dev(path with a '#' for each digit of the id, id, flags) */
static int64_t open_dev(struct pseudo *c)
{
	uint64_t id = c->args[1], flags = c->args[2] & ~(uint64_t)O_CREAT;
	char path[PATH_BYTES];

	if (c->args[0] == DEVICE_CHAR || c->args[0] == DEVICE_BLOCK) {
		snprintf(path, sizeof(path), "/dev/%s/%u:%u",
			 c->args[0] == DEVICE_CHAR ? "char" : "block",
			 (uint8_t)c->args[1], (uint8_t)c->args[2]);
		return open_path(c, path, O_RDWR);
	}
	if (!read_text(path, sizeof(path), c->args[0]))
		return -EFAULT;
	for (char *at = path; (at = strchr(at, '#')); id /= 10)
		*at = (char)('0' + id % 10);
	return open_path(c, path, flags);
}

/* syz_open_procfs(pid: 0 for us, -1 for the thread, file) */
static int64_t open_procfs(struct pseudo *c)
{
	char file[PATH_BYTES / 2], path[PATH_BYTES];
	int pid = (int)c->args[0];
	int64_t fd;

	if (!read_text(file, sizeof(file), c->args[1]))
		return -EFAULT;
	if (!pid)
		snprintf(path, sizeof(path), "/proc/self/%s", file);
	else if (pid == -1)
		snprintf(path, sizeof(path), "/proc/thread-self/%s", file);
	else
		snprintf(path, sizeof(path), "/proc/self/task/%d/%s", pid,
			 file);
	fd = open_path(c, path, O_RDWR);
	return fd < 0 ? open_path(c, path, O_RDONLY) : fd;
}

/* syz_open_pts(fd of a /dev/ptmx, flags) */
static int64_t open_pts(struct pseudo *c)
{
	char path[PATH_BYTES];
	int number = 0;
	int64_t ret = SYS(c, ioctl, c->args[0], TIOCGPTN, P(&number));

	if (ret < 0)
		return ret;
	snprintf(path, sizeof(path), "/dev/pts/%d", number);
	return open_path(c, path, c->args[1]);
}

/* syz_memcpy_off(to, offset, from, offset, bytes) */
static int64_t memcpy_off(struct pseudo *c)
{
	uint64_t to = c->args[0] + (uint32_t)c->args[1];
	uint64_t from = c->args[2] + (uint32_t)c->args[3];

	if (c->args[4] > WIRE_DATA_SIZE ||
	    guarded_copy((void *)(uintptr_t)to, (const void *)(uintptr_t)from,
			 c->args[4]))
		return -EFAULT;
	return (int64_t)to;
}

/* syz_init_net_socket(domain, type, protocol): we never leave that namespace */
static int64_t init_net_socket(struct pseudo *c)
{
	return SYS(c, socket, c->args[0], c->args[1], c->args[2]);
}

/* syz_pidfd_open(pid, flags): not the executor's */
static int64_t open_pidfd(struct pseudo *c)
{
	return SYS(c, pidfd_open, c->args[0] == 1 ? 0 : c->args[0], c->args[1]);
}

/* syz_clone(flags, stack, its bytes, ptid, ctid, tls): memory is not shared */
static int64_t do_clone(struct pseudo *c)
{
	const uint64_t *a = c->args;
	uint64_t stack = a[1] ? (a[1] + a[2]) & ~15ull : 0;
#if defined(__x86_64__)
	const uint64_t args[6] = { a[0] & ~(uint64_t)CLONE_VM, stack, a[3],
				   a[4], a[5] };
#else
	const uint64_t args[6] = { a[0] & ~(uint64_t)CLONE_VM, stack, a[3],
				   a[5], a[4] };
#endif

	return syscall_fork_sleep(SYS_clone, args, c->mark);
}

/* syz_clone3(struct clone_args, its size) */
static int64_t do_clone3(struct pseudo *c)
{
	union {
		uint64_t flags;
		char bytes[256];
	} args = {};
	uint64_t size = c->args[1];

	if (size < sizeof(args.flags) || size > sizeof(args))
		return -EINVAL;
	if (guarded_copy(args.bytes, (const void *)(uintptr_t)c->args[0], size))
		return -EFAULT;
	args.flags &= ~(uint64_t)CLONE_VM;
	return syscall_fork_sleep(
		SYS_clone3, (const uint64_t[6]){ P(&args), size }, c->mark);
}

/* syz_create_resource(value) */
static int64_t create_resource(struct pseudo *c)
{
	return (int64_t)c->args[0];
}

static int64_t (*const functions[WIRE_NR_PSEUDO])(struct pseudo *c) = {
	[WIRE_SYZ_OPEN_DEV] = open_dev,
	[WIRE_SYZ_OPEN_PROCFS] = open_procfs,
	[WIRE_SYZ_OPEN_PTS] = open_pts,
	[WIRE_SYZ_MEMCPY_OFF] = memcpy_off,
	[WIRE_SYZ_INIT_NET_SOCKET] = init_net_socket,
	[WIRE_SYZ_GENETLINK_GET_FAMILY_ID] = pseudo_genetlink_get_family_id,
	[WIRE_SYZ_PIDFD_OPEN] = open_pidfd,
	[WIRE_SYZ_CLONE] = do_clone,
	[WIRE_SYZ_CLONE3] = do_clone3,
	[WIRE_SYZ_CREATE_RESOURCE] = create_resource,
	[WIRE_SYZ_IO_URING_SETUP] = pseudo_io_uring_setup,
	[WIRE_SYZ_IO_URING_SUBMIT] = pseudo_io_uring_submit,
	[WIRE_SYZ_IO_URING_COMPLETE] = pseudo_io_uring_complete,
	[WIRE_SYZ_EMIT_ETHERNET] = pseudo_emit_ethernet,
	[WIRE_SYZ_EXTRACT_TCP_RES] = pseudo_extract_tcp_res,
	[WIRE_SYZ_MOUNT_IMAGE] = pseudo_mount_image,
	[WIRE_SYZ_READ_PART_TABLE] = pseudo_read_part_table,
};

int64_t pseudo_call(uint32_t nr, const uint64_t *args,
		    const struct wire_insn *image, uint32_t thread)
{
	struct pseudo c = { .args = args,
			    .image = image,
			    .thread = thread,
			    .position = cover_position(thread),
			    .mark = plugin_mark(thread) };

	if (nr - WIRE_PSEUDO >= WIRE_NR_PSEUDO)
		return -ENOSYS;
	return functions[nr - WIRE_PSEUDO](&c);
}

/* ---- What the kernel at hand supports ------------------------------------------ */

static bool has_call(uint64_t nr)
{
	const uint64_t args[6] = { ~0ull, ~0ull, ~0ull, ~0ull, ~0ull, ~0ull };

	return syscall_raw(nr, args) != -ENOSYS;
}

static bool can_open(const char *path)
{
	int fd = open(path, O_RDWR | O_CLOEXEC | O_NONBLOCK);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

static bool has_genetlink(void)
{
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_GENERIC);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

uint64_t pseudo_probe(bool is_init)
{
	uint64_t has = (1ull << WIRE_NR_PSEUDO) - 1;
	const struct {
		uint64_t calls;
		bool ok;
	} needs[] = {
		{ 1ull << WIRE_SYZ_OPEN_PTS, can_open("/dev/ptmx") },
		{ 1ull << WIRE_SYZ_INIT_NET_SOCKET |
			  1ull << WIRE_SYZ_GENETLINK_GET_FAMILY_ID,
		  has_genetlink() },
		{ 1ull << WIRE_SYZ_PIDFD_OPEN, has_call(SYS_pidfd_open) },
		{ 1ull << WIRE_SYZ_CLONE3, has_call(SYS_clone3) },
		{ 1ull << WIRE_SYZ_IO_URING_SETUP |
			  1ull << WIRE_SYZ_IO_URING_SUBMIT |
			  1ull << WIRE_SYZ_IO_URING_COMPLETE,
		  has_call(SYS_io_uring_setup) },
		{ 1ull << WIRE_SYZ_EMIT_ETHERNET |
			  1ull << WIRE_SYZ_EXTRACT_TCP_RES,
		  can_open("/dev/net/tun") },
		/* Loop devices of a machine that is not ours are not, either. */
		{ 1ull << WIRE_SYZ_MOUNT_IMAGE |
			  1ull << WIRE_SYZ_READ_PART_TABLE,
		  is_init && can_open("/dev/loop0") },
	};

	for (size_t i = 0; i < ARRAY_LEN(needs); i++)
		if (!needs[i].ok)
			has &= ~needs[i].calls;
	return has;
}
