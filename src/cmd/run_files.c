/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/run_files.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"

/* What --file names, and `program` as /bin/program unless it is empty. */
static size_t list_files(struct arena *arena, const struct opt_list *names,
			 struct slice program, struct vm_file *out)
{
	size_t n = 0;

	for (unsigned i = 0; i < names->nr; i++) {
		const char *name = names->v[i];
		const char *colon = strrchr(name, ':');
		const char *slash = strrchr(name, '/');
		struct vm_file f = { .host = name,
				     .path = slash ? slash + 1 : name,
				     .mode = 0644 };

		if (colon && colon[1] == '/') {
			f.host = arena_strndup(arena, name,
					       (size_t)(colon - name));
			f.path = colon + 1;
		}
		if (access(f.host, X_OK) == 0)
			f.mode = 0755;
		out[n++] = f;
	}
	if (program.len)
		out[n++] = (struct vm_file){ .path = "/bin/program",
					     .data = program,
					     .mode = 0755 };
	return n;
}

/* Is `path`, of a guest's file, the same as `other` ("/init")? */
static bool same_path(const char *path, const char *other)
{
	_cleanup_(buf_deinit) struct buf plain = {};

	for (const char *p = path; *p;) {
		size_t n = strcspn(p, "/");

		if (n && !(n == 1 && *p == '.'))
			buf_printf(&plain, "/%.*s", (int)n, p);
		p += n + (p[n] == '/');
	}
	return slice_eq(buf_as_slice(&plain), slice_cstr(other));
}

/* Those of the user's, which must be there and not be bugon's own. */
static fallible check_files(const struct vm_file *files, size_t n)
{
	bool shell = n && !files[n - 1].host;

	for (size_t i = 0; i < n; i++) {
		if (!files[i].host)
			continue;
		if (access(files[i].host, R_OK) < 0)
			return error_new(ERR_INPUT, "--file %s: %s",
					 files[i].host, strerror(errno));
		if (same_path(files[i].path, "/init") ||
		    (shell && same_path(files[i].path, "/bin/program")))
			return error_new(ERR_USAGE,
					 "--file: %s of the guest is bugon's: "
					 "choose another path",
					 files[i].path);
	}
	return NULL;
}

fallible run_files(struct arena *arena, const struct opt_list *names,
		   struct slice program, struct vm_file out[RUN_MAX_FILES],
		   size_t *nr)
{
	*nr = list_files(arena, names, program, out);
	return check_files(out, *nr);
}
