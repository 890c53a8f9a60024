/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * buf.h - growable text, always NUL-terminated once something was added.
 *
 *	_cleanup_(buf_deinit) struct buf out = {};
 *	buf_printf(&out, "%zu crashes\n", n);
 *
 * An all-zero buf is a valid empty buf.
 */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <stddef.h>

#include "base/compiler.h"
#include "base/slice.h"

struct buf {
	char *data;
	size_t len, cap;
};

void buf_add(struct buf *b, const void *data, size_t len);
void buf_str(struct buf *b, const char *s);
void buf_slice(struct buf *b, struct slice s);
void buf_char(struct buf *b, char c);
void buf_printf(struct buf *b, const char *fmt, ...) PRINTF(2, 3);

/** Room for `more` bytes after the end; the caller adds to `len` itself. */
char *buf_reserve(struct buf *b, size_t more);

/** Drop the first `n` bytes, keeping the rest and the allocation. */
void buf_consume(struct buf *b, size_t n);

/** The text so far; "" when empty. */
const char *buf_cstr(const struct buf *b);

static inline struct slice buf_as_slice(const struct buf *b)
{
	return (struct slice){ b->data, b->len };
}

/** Free what it holds and make it empty again. */
void buf_deinit(struct buf *b);

#endif /* BASE_BUF_H */
