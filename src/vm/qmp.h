/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * qmp.h - QEMU's machine protocol over a connected socket: one command at a
 * time, a JSON object per line (docs/interop/qmp-spec of QEMU 7.2).
 *
 * QEMU is ours but its guest is hostile, so answers are bounded; only their
 * outer shape is looked at, text is unescaped.
 */
#ifndef VM_QMP_H
#define VM_QMP_H

#include "base/buf.h"
#include "base/error.h"

enum { QMP_MAX_BYTES = 1024 * 1024, QMP_TIMEOUT_MS = 5000 };

struct qmp {
	int fd; /* non-blocking; -1: none */
	struct buf in; /* read but not used */
	bool ready; /* capabilities negotiated */
};

void qmp_deinit(struct qmp *q);

/**
 * Send a command, a JSON object without newline, with a descriptor unless
 * `pass_fd` is -1, and wait for its answer.  `out` (may be NULL) gets a
 * returned text, or other answers as JSON.  Errors: ERR_INFRA (gone, silent,
 * or it refused: the message says what it said).
 */
fallible qmp_command(struct qmp *q, const char *json, int pass_fd,
		     unsigned timeout_ms, struct buf *out);

/** A command of the human monitor. */
fallible qmp_human(struct qmp *q, const char *command, struct buf *out);

/** Undo JSON's escapes of a string's inside; other bytes are kept. */
void qmp_unescape(struct slice s, struct buf *out);

#endif /* VM_QMP_H */
