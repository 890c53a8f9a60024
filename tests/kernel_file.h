/* SPDX-License-Identifier: GPL-2.0-or-later */
/* kernel_file.h - where a file of ../shared/kernel is, through the script. */
#ifndef KERNEL_FILE_H
#define KERNEL_FILE_H

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/** Ask `script` (tests/kernel-file.sh) for e.g. "uml-6.17/linux". */
static inline bool kernel_file(const char *script, const char *name, char *path,
			       int size)
{
	char cmd[1024];

	snprintf(cmd, sizeof(cmd), "%s %s", script, name);
	FILE *f = popen(cmd, "re");
	if (!f)
		return false;
	bool got = fgets(path, size, f) != NULL;
	if (pclose(f) != 0 || !got)
		return false;
	path[strcspn(path, "\n")] = '\0';
	return true;
}

#endif /* KERNEL_FILE_H */
