/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/io.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <sys/stat.h>
#include <unistd.h>

void close_fdp(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

static fallible open_read(const char *path, bool regular, int *out)
{
	/* Of regular files O_NONBLOCK means nothing. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | (regular ? O_NONBLOCK : 0));
	struct stat st;

	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
		return error_new(ERR_NOT_FOUND, "%s: no such file", path);
	if (fd < 0)
		return error_os("%s", path);
	if (fstat(fd, &st) == 0 &&
	    (S_ISDIR(st.st_mode) || (regular && !S_ISREG(st.st_mode)))) {
		close(fd);
		return error_new(ERR_INPUT, "%s: is %s", path,
				 S_ISDIR(st.st_mode) ? "a directory" :
						       "not a regular file");
	}
	*out = fd;
	return NULL;
}

fallible io_open_read(const char *path, int *out)
{
	return open_read(path, false, out);
}

fallible io_open_regular(const char *path, int *out)
{
	return open_read(path, true, out);
}

fallible io_read_file(const char *path, size_t limit_bytes, struct buf *out)
{
	_cleanup_(close_fdp) int fd = -1;
	_cleanup_(buf_deinit) struct buf b = {};
	struct stat st;

	TRY(io_open_read(path, &fd));
	if (fstat(fd, &st) == 0 && st.st_size > 0 &&
	    (size_t)st.st_size <= limit_bytes)
		buf_reserve(&b, (size_t)st.st_size + 1);
	for (;;) {
		char *p = buf_reserve(&b, 65536);
		ssize_t n = read(fd, p, b.cap - b.len - 1);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return error_os("%s", path);
		if (n == 0)
			break;
		b.len += (size_t)n;
		if (b.len > limit_bytes)
			return error_new(ERR_INPUT, "%s: larger than %zu bytes",
					 path, limit_bytes);
	}
	b.data[b.len] = '\0';
	*out = b;
	b = (struct buf){ 0 };
	return NULL;
}

fallible io_write_all(int fd, const void *data, size_t len)
{
	const char *p = data;

	while (len) {
		ssize_t n = write(fd, p, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return error_os("write");
		p += n;
		len -= (size_t)n;
	}
	return NULL;
}
