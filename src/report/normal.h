/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * normal.h - titles without what differs from run to run.
 *
 * Numbers become NUM, addresses ADDR, IPv4 addresses IP, "file.c:12"
 * "file.c:LINE", "CPU#1" CPU, "func+0x1/0x2" func; control bytes go.
 */
#ifndef REPORT_NORMAL_H
#define REPORT_NORMAL_H

#include "base/arena.h"
#include "base/buf.h"

/** Append `s`, normalised. */
void normal_append(struct buf *out, struct slice s);

/** A finished title: trimmed, printable, at most REPORT_TITLE_BYTES. */
const char *normal_title(struct arena *arena, struct slice s);

#endif /* REPORT_NORMAL_H */
