/* SPDX-License-Identifier: GPL-2.0-or-later */
/* path.c - source paths, relative to the source tree. */
#include <string.h>

#include "base/mem.h"
#include "elf/internal.h"

/* Where the last component of out[0..len) begins, without its '/'. */
static size_t parent(const char *out, size_t len)
{
	while (len && out[len - 1] != '/')
		len--;
	return len ? len - 1 : 0;
}

static bool ends_dotdot(const char *out, size_t len)
{
	return len >= 2 && out[len - 1] == '.' && out[len - 2] == '.' &&
	       (len == 2 || out[len - 3] == '/');
}

void path_collapse(char *path)
{
	bool is_absolute = path[0] == '/';
	const char *in = path;
	size_t len = 0;

	while (*in) {
		size_t n = strcspn(in, "/");

		if (n == 2 && in[0] == '.' && in[1] == '.' &&
		    (len || is_absolute) && !ends_dotdot(path, len)) {
			len = parent(path, len);
		} else if (n && !(n == 1 && in[0] == '.')) {
			/* Never ahead of `in`: each '/' here was one there. */
			if (len || is_absolute)
				path[len++] = '/';
			memmove(path + len, in, n);
			len += n;
		}
		in += n + (in[n] == '/');
	}
	if (!len && is_absolute)
		path[len++] = '/';
	path[len] = '\0';
}

char *path_join(const char *dir, const char *name)
{
	_cleanup_(buf_deinit) struct buf b = {};

	if (dir && name[0] != '/') {
		buf_str(&b, dir);
		buf_char(&b, '/');
	}
	buf_str(&b, name);
	char *path = mem_dup0(b.data, b.len);
	path_collapse(path);
	return path;
}

const char *path_strip(const char *path, const char *const *dirs, size_t nr)
{
	size_t best = 0;

	for (size_t i = 0; i < nr; i++) {
		size_t len = dirs[i] ? strlen(dirs[i]) : 0;

		while (len && dirs[i][len - 1] == '/')
			len--;
		if (len > best && !strncmp(path, dirs[i], len) &&
		    path[len] == '/' && path[len + 1])
			best = len;
	}
	return best ? path + best + 1 : path;
}
