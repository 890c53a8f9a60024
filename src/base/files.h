/* SPDX-License-Identifier: GPL-2.0-or-later */
/* files.h - what is there, directories made and removed. */
#ifndef BASE_FILES_H
#define BASE_FILES_H

#include <stdbool.h>

#include "base/error.h"
#include "base/slice.h"

/** Does it exist (as anything)? */
bool file_exists(const char *path);
bool file_is_dir(const char *path);

/** printf into a string to be freed. */
char *text_printf(const char *fmt, ...) PRINTF(1, 2);

/** mkdir -p. Errors: ERR_OS. */
fallible file_make_dirs(const char *path);

/** Make a file of that text. Errors: ERR_OS. */
fallible file_write(const char *path, struct slice text);

/**
 * Let a file have that text, in one step: others see the old or the new.  A
 * symbolic link stays one, the mode stays what it is; that of a new file is
 * `mode` without what umask takes away.  Errors: ERR_OS.
 */
fallible file_replace(const char *path, unsigned mode, struct slice text);

/** rm -rf, without following symbolic links; best effort. */
void file_remove_tree(const char *path);

#endif /* BASE_FILES_H */
