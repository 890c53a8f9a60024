/* SPDX-License-Identifier: GPL-2.0-or-later */
/* kernel_config.h - what a kernel was configured with. */
#ifndef CMD_KERNEL_CONFIG_H
#define CMD_KERNEL_CONFIG_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/error.h"

/**
 * The text of a .config, or the one that CONFIG_IKCONFIG embeds in an
 * uncompressed kernel (UML, vmlinux; not a bzImage).
 * Errors: ERR_NOT_FOUND (none in it), ERR_INPUT, ERR_OS.
 */
fallible kernel_config_read(const char *path, struct buf *out);

/** Is CONFIG_<name> y or m? */
bool kernel_config_has(const struct buf *config, const char *name);

#endif /* CMD_KERNEL_CONFIG_H */
