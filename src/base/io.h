/* SPDX-License-Identifier: GPL-2.0-or-later */
/* io.h - whole files in, whole buffers out. */
#ifndef BASE_IO_H
#define BASE_IO_H

#include "base/buf.h"
#include "base/error.h"

/**
 * Read a whole file, at most `limit_bytes` of it.
 * Errors: ERR_NOT_FOUND, ERR_INPUT (a directory, or over the limit), ERR_OS.
 */
fallible io_read_file(const char *path, size_t limit_bytes, struct buf *out);

/** write() until all is written; retries EINTR. Errors: ERR_OS. */
fallible io_write_all(int fd, const void *data, size_t len);

/**
 * Open for reading, with the error a user can act on: ERR_NOT_FOUND for a
 * missing file, ERR_INPUT for a directory, else ERR_OS.
 */
fallible io_open_read(const char *path, int *out);

/** The same for regular files only: a FIFO would wait for its writer. */
fallible io_open_regular(const char *path, int *out);

void close_fdp(int *fd);

#endif /* BASE_IO_H */
