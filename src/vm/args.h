/* SPDX-License-Identifier: GPL-2.0-or-later */
/* args.h - build an argument vector: words in a buf, each with its NUL. */
#ifndef VM_ARGS_H
#define VM_ARGS_H

#include "base/buf.h"
#include "base/error.h"

/** One argument. */
void args_put(struct buf *args, const char *fmt, ...) PRINTF(2, 3);

/** The words of a text that are set apart by blanks; NULL has none. */
void args_words(struct buf *args, const char *words);

/**
 * Point argv at the words; they borrow from `args`.  Errors: ERR_USAGE when
 * there are `max` or more.
 */
fallible args_split(struct buf *args, char **argv, size_t max);

#endif /* VM_ARGS_H */
