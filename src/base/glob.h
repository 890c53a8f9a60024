/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * glob.h - file patterns over paths of a source tree.
 *
 * The language is the one of the `F:` lines in the kernel's MAINTAINERS file
 * (described at its beginning), which people who send kernel reports know:
 *
 *	*      any characters but '/'
 *	?      one character but '/'
 *	[a-z]  one of a set, [!a-z] or [^a-z] none of it; never '/'
 *	dir/   (a trailing slash) everything below dir
 *	\x     the character x
 *
 *	glob_match(SLICE("fs/ext4/"), SLICE("fs/ext4/inode.c"))       true
 *	glob_match(SLICE("drivers/net/?"), SLICE("drivers/net/a/b"))  false
 *
 * Time is at most the product of both lengths, whatever the pattern: as no
 * wildcard crosses a '/', one point of return is enough.
 */
#ifndef BASE_GLOB_H
#define BASE_GLOB_H

#include <stdbool.h>

#include "base/slice.h"

/** Whether the whole of `path` (no leading "./") matches `pattern`. */
bool glob_match(struct slice pattern, struct slice path);

/** The same, but the name of the file in `path` may go on after the match. */
bool glob_match_begin(struct slice pattern, struct slice path);

/** How many leading bytes of `pattern` stand for themselves. */
size_t glob_literal_prefix(struct slice pattern);

#endif /* BASE_GLOB_H */
