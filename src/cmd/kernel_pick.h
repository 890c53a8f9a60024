/* SPDX-License-Identifier: GPL-2.0-or-later */
/* kernel_pick.h - which kernel to boot, and where its symbols are. */
#ifndef CMD_KERNEL_PICK_H
#define CMD_KERNEL_PICK_H

#include "base/error.h"

struct kernel_pick {
	char kernel[4096];
	char vmlinux[4096]; /* "" if there is none */
	char config[4096]; /* "" if there is none */
};

/**
 * `what` is a kernel file, a directory with one (linux, bzImage, vmlinuz, or
 * a built source tree), the name of a kernel of the cache or its beginning,
 * or "auto"/NULL: the best kernel of $BUGON_KERNELS, else of the cache (see
 * kernel_list()), then the newest readable /boot/vmlinuz-*.
 * Errors: ERR_NOT_FOUND (auto found none; the message says what to do),
 * ERR_INPUT (no kernel where the user said).
 */
fallible kernel_pick(const char *what, struct kernel_pick *out);

/** Call `fn` for each kernel that "auto" would look at, best first. */
void kernel_pick_all(void (*fn)(void *ctx, const struct kernel_pick *k),
		     void *ctx);

#endif /* CMD_KERNEL_PICK_H */
