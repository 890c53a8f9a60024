/* SPDX-License-Identifier: GPL-2.0-or-later */
/* frame_pick.h - which function of a report is to blame. */
#ifndef REPORT_FRAME_PICK_H
#define REPORT_FRAME_PICK_H

#include "base/buf.h"
#include "report/title.h"

/**
 * The function that the title names, without compiler suffixes; empty if none
 * qualifies.  Why, and what was passed over, is added to *why.
 */
struct slice frame_pick(const struct body *body, const struct format *f,
			const struct match *m, struct buf *why);

#endif /* REPORT_FRAME_PICK_H */
