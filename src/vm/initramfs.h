/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * initramfs.h - write a cpio archive ("newc", uncompressed) that the kernel
 * unpacks as its first root (Documentation/driver-api/early-userspace/
 * buffer-format.rst of Linux 6.12).
 *
 *	struct buf b = {};
 *	initramfs_begin(&b);
 *	TRY(initramfs_add(&b, &(struct vm_file){ .path = "/init", ... }));
 *	initramfs_end(&b);
 *
 * Uncompressed, because gunzip under TCG costs more than the copying.
 */
#ifndef VM_INITRAMFS_H
#define VM_INITRAMFS_H

#include "vm/vm.h"

enum { INITRAMFS_MAX_BYTES = 512 * 1024 * 1024, INITRAMFS_MAX_PATH = 1024 };

/** Start with /dev, /dev/console, /dev/null, /proc, /sys, /tmp. */
void initramfs_begin(struct buf *b);

/**
 * Add a file or directory and the directories above it.  Errors: ERR_NOT_FOUND,
 * ERR_INPUT (path with "..", too long or empty; archive too large), ERR_OS.
 */
fallible initramfs_add(struct buf *b, const struct vm_file *f);

/** Add a device node; `mode` with S_IFCHR or S_IFBLK. */
void initramfs_node(struct buf *b, const char *path, unsigned mode,
		    unsigned major, unsigned minor);

/** Finish: trailer and padding. */
void initramfs_end(struct buf *b);

#endif /* VM_INITRAMFS_H */
