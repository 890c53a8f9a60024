/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * prog.h - a program for the guest: text <-> memory <-> wire.
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
 *	_cleanup_(prog_freep) struct prog *p = NULL;
 *	TRY(prog_parse("a.prog", text, PROG_X86_64, &p));
 *	prog_encode(p, &wire);
 *
 * The language of descriptions will replace the text; the rest stays.
 */
#ifndef PROG_PROG_H
#define PROG_PROG_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/slice.h"

enum prog_arch { PROG_X86_64, PROG_ARM64 };

struct prog;

/**
 * Read a program; `name` stands in messages: "name:line:column: what".
 * Errors: ERR_INPUT (also for more calls, results or bytes than fit).
 */
fallible prog_parse(const char *name, struct slice text, enum prog_arch arch,
		    struct prog **out);
void prog_free(struct prog *p);
DEFINE_CLEANUP(struct prog *, prog_free)

/** Append the text; parsing it gives the same program. */
void prog_to_text(const struct prog *p, struct buf *out);

/** Append the payload of a WIRE_PROGRAM request. */
void prog_encode(const struct prog *p, struct buf *out);

/**
 * The reverse of prog_encode, for programs that it wrote; anything else is
 * an ERR_INPUT, never a crash.
 */
fallible prog_decode(struct slice wire, enum prog_arch arch, struct prog **out);

/** Calls, in the order of the records of a response. */
size_t prog_ncalls(const struct prog *p);

/** The text of call `i`, without a line's end. */
void prog_call_to_text(const struct prog *p, size_t i, struct buf *out);

/** The name of system call `nr`, or NULL; and the reverse, or -1. */
const char *prog_syscall_name(enum prog_arch arch, uint32_t nr);
int prog_syscall_nr(enum prog_arch arch, struct slice name);

#endif /* PROG_PROG_H */
