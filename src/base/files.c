/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/files.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "base/mem.h"

enum { WALK_FDS = 32 };

bool file_exists(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0;
}

bool file_is_dir(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

char *text_printf(const char *fmt, ...)
{
	va_list ap;
	char *s;

	va_start(ap, fmt);
	if (vasprintf(&s, fmt, ap) < 0)
		abort();
	va_end(ap);
	return s;
}

fallible file_make_dirs(const char *path)
{
	_cleanup_(freep) char *p = mem_strdup(path);

	for (char *slash = p + 1; *slash; slash++) {
		if (*slash != '/')
			continue;
		*slash = '\0';
		if (mkdir(p, 0777) < 0 && errno != EEXIST)
			return error_os("%s", p);
		*slash = '/';
	}
	if (mkdir(p, 0777) < 0 && (errno != EEXIST || !file_is_dir(p)))
		return error_os("%s", p);
	return NULL;
}

static int remove_one(const char *path, const struct stat *st, int type,
		      struct FTW *ftw)
{
	if (remove(path) < 0 && errno == EACCES)
		errno = 0; /* best effort; see the second round */
	return 0;
}

/* Directories without write permission (of packages) keep their files. */
static int open_up(const char *path, const struct stat *st, int type,
		   struct FTW *ftw)
{
	if (type == FTW_D || type == FTW_DNR)
		chmod(path, 0700);
	return 0;
}

void file_remove_tree(const char *path)
{
	nftw(path, remove_one, WALK_FDS, FTW_DEPTH | FTW_PHYS);
	if (!file_exists(path))
		return;
	nftw(path, open_up, WALK_FDS, FTW_PHYS);
	nftw(path, remove_one, WALK_FDS, FTW_DEPTH | FTW_PHYS);
}

fallible file_write(const char *path, struct slice text)
{
	_cleanup_(close_fdp) int fd =
		open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);

	if (fd < 0)
		return error_os("%s", path);
	TRY(io_write_all(fd, text.p, text.len), "%s", path);
	return NULL;
}

static mode_t without_umask(mode_t mode)
{
	mode_t mask = umask(022);

	umask(mask);
	return mode & ~mask;
}

fallible file_replace(const char *path, unsigned mode_of_new, struct slice text)
{
	_cleanup_(freep) char *real = realpath(path, NULL);
	_cleanup_(freep) char *temp =
		text_printf("%s.XXXXXX", real ? real : path);
	struct stat st = {};

	if (!real && errno != ENOENT)
		return error_os("%s", path);
	if (real && stat(real, &st))
		return error_os("%s", path);
	_cleanup_(close_fdp) int fd = mkstemp(temp);

	if (fd < 0)
		return error_os("%s", temp);
	struct error *err = io_write_all(fd, text.p, text.len);
	mode_t mode = real ? st.st_mode & 07777 : without_umask(mode_of_new);

	if (!err && (fchmod(fd, mode) || rename(temp, real ? real : path)))
		err = error_os("%s", path);
	if (err)
		unlink(temp);
	return err;
}
