/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * console.h - one line of kernel console output: prefix and message.
 *
 * printk() prefixes a message with its level ("<6>"), the time ("[   12.3456]")
 * and, with CONFIG_PRINTK_CALLER, who printed it ("[  T123]" a task, "[    C1]"
 * an interrupt on a CPU); see print_prefix() in kernel/printk/printk.c.  What
 * carries the text (serial console, syslog, journal, /dev/kmsg, netconsole)
 * adds its own in front, and user space may leave half a line there.
 */
#ifndef REPORT_CONSOLE_H
#define REPORT_CONSOLE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"

/* Who printed a line; lines with equal callers belong together. */
typedef uint64_t caller_id;
#define CALLER_NONE ((caller_id)0)
#define CALLER_PROGRAM \
	((caller_id)1) /* a user-space program; its text is dropped */

struct console_line {
	struct slice text; /* the message; may end in '\r', may hold any byte */
	caller_id caller;
	bool has_time; /* a kernel time stamp stood in front */
};

/** Take one line (without its '\n') apart. Never fails; O(length). */
struct console_line console_parse(struct slice raw);

#endif /* REPORT_CONSOLE_H */
