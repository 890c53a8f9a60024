/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pseudo_image.c - file system images, which the host sent as the runs of bytes
 * that are not zero: into a memfd, behind a loop device (loop(4)), mounted.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/loop.h>
#include <stdio.h>
#include <sys/mman.h>

#include "pseudo.h"

#include "prog/helpers/mount_options.c"

#define PARTITIONS 7 /* ./file0 and so on */

struct loop {
	int64_t fd;
	char path[32];
};

/* A memfd with the image. */
static int64_t make_image(const struct wire_insn *in)
{
	const unsigned char *p = (const void *)(in + 1), *end = p + in->len;
	int64_t fd = PREPARE(memfd_create, P("image"), MFD_CLOEXEC), ret;

	if (fd < 0)
		return fd;
	ret = PREPARE(ftruncate, (uint64_t)fd, in->off);
	while (ret >= 0 && p < end) {
		const struct wire_run *run = (const void *)p;

		ret = PREPARE(pwrite64, (uint64_t)fd, P(run + 1), run->len,
			      run->off);
		p += sizeof(*run) + ((run->len + 7u) & ~7u);
	}
	if (ret >= 0)
		return fd;
	PREPARE(close, (uint64_t)fd);
	return ret;
}

/* Put file `fd` behind the first loop device that is free. */
static int64_t attach(struct loop *l, int64_t fd)
{
	int64_t ret = -EBUSY;

	for (unsigned i = 0; i < LOOP_NODES && ret == -EBUSY; i++) {
		snprintf(l->path, sizeof(l->path), "/dev/loop%u", i);
		l->fd = PREPARE(openat, (uint64_t)AT_FDCWD, P(l->path),
				O_RDWR | O_CLOEXEC);
		if (l->fd < 0)
			return l->fd;
		ret = PREPARE(ioctl, (uint64_t)l->fd, LOOP_SET_FD,
			      (uint64_t)fd);
		if (ret < 0)
			PREPARE(close, (uint64_t)l->fd);
	}
	return ret;
}

static int64_t attach_image(struct loop *l, const struct wire_insn *image)
{
	int64_t fd = make_image(image), ret;

	if (fd < 0)
		return fd;
	ret = attach(l, fd);
	PREPARE(close, (uint64_t)fd);
	return ret;
}

/* The device goes when nobody uses it any more. */
static void let_go(struct loop *l)
{
	PREPARE(ioctl, (uint64_t)l->fd, LOOP_CLR_FD, 0);
	PREPARE(close, (uint64_t)l->fd);
}

static int64_t mount_and_open(struct pseudo *c, const char *source)
{
	static const uint64_t here = (uint64_t)AT_FDCWD;
	char fs[64], dir[4096], opts[OPTIONS_BYTES] = "";
	uint64_t flags = c->args[2];
	int64_t ret, fd;

	if (!read_text(fs, sizeof(fs), c->args[0]) ||
	    !read_text(dir, sizeof(dir), c->args[1]) ||
	    (c->args[3] && !read_text(opts, sizeof(opts), c->args[3])))
		return -EFAULT;
	fit_options(fs, opts, &flags);
	PREPARE(mkdirat, here, P(dir), 0777);
	pseudo_ready(c);
	ret = SYS(c, mount, P(source), P(dir), P(fs), flags, P(opts));
	if (ret < 0)
		return ret;
	fd = SYS(c, openat, here, P(dir), O_RDONLY | O_DIRECTORY);
	if (fd >= 0 && (uint8_t)c->args[4])
		SYS(c, chdir, P(dir));
	return fd;
}

/* syz_mount_image(type, directory, flags, options, chdir, size, image) */
int64_t pseudo_mount_image(struct pseudo *c)
{
	struct loop l;
	int64_t ret;

	/* Some file systems have no device. */
	if (!c->image)
		return c->args[5] ? -EINVAL : mount_and_open(c, NULL);
	ret = attach_image(&l, c->image);
	if (ret < 0)
		return ret;
	ret = mount_and_open(c, l.path);
	let_go(&l);
	return ret;
}

/* syz_read_part_table(size, image) */
int64_t pseudo_read_part_table(struct pseudo *c)
{
	struct loop_info64 info = { .lo_flags = LO_FLAGS_PARTSCAN };
	char name[64], target[64];
	struct loop l;
	int64_t ret;

	if (!c->image)
		return -EINVAL;
	ret = attach_image(&l, c->image);
	if (ret < 0)
		return ret;
	pseudo_ready(c);
	ret = SYS(c, ioctl, (uint64_t)l.fd, LOOP_SET_STATUS64, P(&info));
	for (unsigned i = 0; !ret && i < PARTITIONS; i++) {
		snprintf(target, sizeof(target), "%sp%u", l.path, i + 1);
		snprintf(name, sizeof(name), "./file%u", i);
		PREPARE(symlinkat, P(target), (uint64_t)AT_FDCWD, P(name));
	}
	/* Partitions go with the image: clean_loops() takes it away. */
	if (ret)
		let_go(&l);
	else
		PREPARE(close, (uint64_t)l.fd);
	return ret;
}
