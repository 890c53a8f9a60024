/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pseudo.h - calls made of system calls, for the files that do them.
 *
 * They run as system calls do: on a program's thread, with its coverage, and
 * with arguments that may be anything.  So memory of the program is read and
 * written by copy_guarded() only, nothing is allocated, and what they return is
 * a result or -errno.  What prepares the call proper (an image put into a loop
 * device) is no part of its coverage: see pseudo_ready().
 */
#ifndef EXECUTOR_PSEUDO_H
#define EXECUTOR_PSEUDO_H

#include "executor.h"
#include "syscall.h"

struct pseudo {
	const uint64_t *args; /* WIRE_MAX_ARGS of them */
	const struct wire_insn *image; /* WIRE_IMAGE before the call, or NULL */
	uint32_t thread;
	uint32_t position; /* of the coverage, when it began */
	const void *mark;
};

#define P(pointer) ((uint64_t)(uintptr_t)(pointer))

/* A system call that counts, -errno on failure. */
#define SYS(c, name, ...)                                              \
	syscall_marked(SYS_##name, (const uint64_t[6]){ __VA_ARGS__ }, \
		       (c)->mark)

/* One that only prepares. */
#define PREPARE(name, ...) \
	syscall_raw(SYS_##name, (const uint64_t[6]){ __VA_ARGS__ })

/** From here on it counts: forget the coverage so far. */
void pseudo_ready(const struct pseudo *c);

/** A program's string; false when it is not there, or longer. */
bool read_text(char *to, size_t size, uint64_t from);

/* pseudo_image.c */
int64_t pseudo_mount_image(struct pseudo *c);
int64_t pseudo_read_part_table(struct pseudo *c);

/* pseudo_net.c */
int64_t pseudo_emit_ethernet(struct pseudo *c);
int64_t pseudo_extract_tcp_res(struct pseudo *c);
int64_t pseudo_genetlink_get_family_id(struct pseudo *c);

/* pseudo_uring.c */
int64_t pseudo_io_uring_setup(struct pseudo *c);
int64_t pseudo_io_uring_submit(struct pseudo *c);
int64_t pseudo_io_uring_complete(struct pseudo *c);

#endif /* EXECUTOR_PSEUDO_H */
