/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * console.h - what a guest printed since its boot, in bounded memory, and the
 * crashes in it.
 *
 * Kept are the first VM_HEAD_BYTES and at least the last VM_TAIL_BYTES.  Text
 * goes through a report_stream as it comes; when one crash is complete, the
 * console around it is copied, so that a later flood cannot wash it away.
 */
#ifndef VM_CONSOLE_H
#define VM_CONSOLE_H

#include "report/report.h"
#include "vm/vm.h"

enum { CRASH_BEFORE_BYTES = 64 * 1024, CRASH_LOG_BYTES = 1024 * 1024 };

struct console {
	struct buf head, tail;
	uint64_t tail_from, total; /* stream offsets */
	struct report_stream *reports;
	bool unsettled; /* text came since the last console_settle() */
	struct vm_crash crashes[VM_MAX_CRASHES];
	struct buf logs[VM_MAX_CRASHES];
	size_t nr_crashes;
	bool booting; /* leave room for later crashes */
	uint64_t now_ms; /* time stamp for the next crash */
};

/** Make it empty, for a new boot; all-zero is fine the first time. */
void console_reset(struct console *c);
void console_deinit(struct console *c);

void console_add(struct console *c, struct slice text);

/** Nothing came for a while, or the guest is gone: complete the reports. */
void console_settle(struct console *c);

uint64_t console_read(const struct console *c, uint64_t from, struct buf *out);

/** Is `text` in what is kept?  `*at` is then its stream offset. */
bool console_find(const struct console *c, struct slice text, uint64_t *at);

#endif /* VM_CONSOLE_H */
