/* SPDX-License-Identifier: GPL-2.0-or-later */
/* data.h - where the files are that come with the program. */
#ifndef BASE_DATA_H
#define BASE_DATA_H

#include "base/error.h"

/**
 * The path of a file or directory of ours: "config", "sys/linux".  Looked for
 * in $BUGON_DATA, in share/bugon beside the directory of the program, and in
 * the source tree (share/ and its top) when it runs from the build directory.
 * The caller frees it.  Errors: ERR_NOT_FOUND.
 */
fallible data_path(const char *name, char **out);

#endif /* BASE_DATA_H */
