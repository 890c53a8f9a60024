/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <linux/fs.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/io.h"
#include "base/mem.h"
#include "kbuild/internal.h"

enum { WALK_FDS = 32, COPY_BYTES = 1 << 20 };

static fallible copy_bytes(int from, int to)
{
	_cleanup_(buf_deinit) struct buf b = {};
	char *p = buf_reserve(&b, COPY_BYTES);

	for (;;) {
		ssize_t n = read(from, p, COPY_BYTES);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return error_os("read");
		if (!n)
			return NULL;
		TRY(io_write_all(to, p, (size_t)n));
	}
}

fallible file_copy(const char *from, const char *to)
{
	_cleanup_(close_fdp) int in = -1;
	_cleanup_(close_fdp) int out = -1;
	struct stat st;

	TRY(io_open_regular(from, &in));
	if (fstat(in, &st) < 0)
		return error_os("%s", from);
	out = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC,
		   0600 | (st.st_mode & 0777));
	if (out < 0)
		return error_os("%s", to);
	if (ioctl(out, FICLONE, in) == 0)
		return NULL;
	TRY(copy_bytes(in, out), "copying %s to %s", from, to);
	return NULL;
}

fallible file_move(const char *from, const char *to)
{
	if (rename(from, to) == 0)
		return NULL;
	if (errno != EXDEV)
		return error_os("moving %s to %s", from, to);
	TRY(file_copy(from, to));
	if (unlink(from) < 0)
		return error_os("%s", from);
	return NULL;
}

static uint64_t walk_bytes; /* nftw() passes no context */

static int add_size(const char *path, const struct stat *st, int type,
		    struct FTW *ftw)
{
	if (type == FTW_F)
		walk_bytes += (uint64_t)st->st_blocks * 512;
	return 0;
}

uint64_t file_tree_bytes(const char *path)
{
	walk_bytes = 0;
	nftw(path, add_size, WALK_FDS, FTW_PHYS);
	return walk_bytes;
}

fallible file_need_space(const char *path, uint64_t need)
{
	struct statvfs s;

	if (statvfs(path, &s) < 0)
		return error_os("%s", path);
	uint64_t have = (uint64_t)s.f_bavail * s.f_frsize;
	if (have < need)
		return error_new(ERR_OS,
				 "%s: %ju MiB of disk are needed, %ju are free",
				 path, (uintmax_t)(need >> 20),
				 (uintmax_t)(have >> 20));
	return NULL;
}

struct slice config_value(struct slice config, struct slice name)
{
	struct slice line;

	while (slice_line(&config, &line)) {
		if (!slice_starts(line, name) || line.len == name.len ||
		    line.p[name.len] != '=')
			continue;
		line = slice_trim(slice_from(line, name.len + 1));
		if (line.len > 1 && *line.p == '"' &&
		    line.p[line.len - 1] == '"')
			line = (struct slice){ line.p + 1, line.len - 2 };
		return line;
	}
	return SLICE("");
}

void talk_progress(const struct kernel_talk *t, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	if (!t->progress)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	t->progress(t->ctx, text);
}

void talk_note(const struct kernel_talk *t, const char *fmt, ...)
{
	char text[2048];
	va_list ap;

	if (!t->note)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	t->note(t->ctx, text);
}
