/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * raw.h - a raw program for the executor, whatever descriptions say: text to wire.
 *
 * The text is a line per step; '#' starts a comment:
 *
 *	r0 = openat(0xffffff9c, "/dev/loop0\0", 0x2, 0x0)
 *	r1 = memfd_create("image\0", 0)
 *	write(r1, "\x53\xef", 2)            the address of a copy of the bytes
 *	read(r1, &[64], 64)                 the address of 64 zero bytes
 *	ioctl(r0, 0x4c00, r1)
 *	syscall(333, -1, 0x10) (async)      by number; do not wait for it
 *	write(r1, "x", 1) (rerun: 9, fail_nth: 3)
 *	*0x20800000 = "fixed bytes"         memory at an address of our choice
 *	*0x20800010 = r1:4                  a value of 1, 2, 4 or 8 bytes
 *	*0x20800018 = "pointed to":8
 *	r2 = *0x20800010:4                  and back into a result
 *
 * Numbers are decimal, 0x hexadecimal or 0 octal, and may be negative.  Strings
 * know \xNN \0 \n \r \t \\ \"; no NUL is added.  A result that no call set is
 * -1.  Bytes and buffers are laid out by us from WIRE_DATA_BASE on; addresses
 * of your choice are from 0x20800000 to 0x20ffffff.
 *
 *	_cleanup_(raw_freep) struct raw *p = NULL;
 *	TRY(raw_parse("a.prog", text, RAW_X86_64, &p));
 *	raw_encode(p, &wire);
 *
 * For tests of the executor, which takes anything.
 */
#ifndef RAW_RAW_H
#define RAW_RAW_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/slice.h"

enum raw_arch { RAW_X86_64, RAW_ARM64 };

struct raw;

/**
 * Read a program; `name` stands in messages: "name:line:column: what".
 * Errors: ERR_INPUT (also for more calls, results or bytes than fit).
 */
fallible raw_parse(const char *name, struct slice text, enum raw_arch arch,
		   struct raw **out);
void raw_free(struct raw *p);
DEFINE_CLEANUP(struct raw *, raw_free)

/** Append the payload of a WIRE_PROGRAM request. */
void raw_encode(const struct raw *p, struct buf *out);

/** The number of a system call of that name, or -1. */
int64_t raw_syscall_nr(enum raw_arch arch, struct slice name);

#endif /* RAW_RAW_H */
