/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/data.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"

static bool is_there(const char *dir, const char *below, const char *name,
		     char **out)
{
	_cleanup_(freep) char *path = NULL;

	if (asprintf(&path, "%s%s/%s", dir, below, name) < 0)
		abort();
	if (access(path, F_OK) < 0)
		return false;
	*out = take_ptr(path);
	return true;
}

fallible data_path(const char *name, char **out)
{
	static const char *const places[] = { "/../share/bugon", "/../share",
					      "/.." };
	const char *env = getenv("BUGON_DATA");
	char self[2048];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);

	if (env && *env && is_there(env, "", name, out))
		return NULL;
	self[n > 0 ? n : 0] = '\0';
	char *slash = strrchr(self, '/');
	if (slash)
		*slash = '\0';
	for (size_t i = 0; i < ARRAY_LEN(places); i++)
		if (is_there(self, places[i], name, out))
			return NULL;
	return error_new(ERR_NOT_FOUND,
			 "%s is neither in share/bugon nor in the source tree "
			 "beside the program: install bugon, or set BUGON_DATA",
			 name);
}
