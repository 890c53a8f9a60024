/* SPDX-License-Identifier: GPL-2.0-or-later */
/* frames.h - stack frames and program counters as the architectures print. */
#ifndef REPORT_FRAMES_H
#define REPORT_FRAMES_H

#include "report/report.h"

/* What a line of a report is to the search for a frame. */
enum line_kind {
	LINE_OTHER,
	LINE_FRAME, /* of a call trace */
	LINE_PC, /* RIP:, pc :, PC is at, NIP, epc : */
	LINE_LINK, /* lr :, ra :, LR is at: often stale, never blamed */
	LINE_TRACE, /* "Call Trace:", "Backtrace:": a trace begins */
	LINE_IRQ_END, /* "</IRQ>", "<EOI>": below is what was interrupted */
	LINE_STORY, /* "Allocated by task 1:": how it came to this */
	LINE_STATE, /* registers, code bytes, module lists and such */
};

/**
 * Classify a line (without prefix).  For LINE_FRAME, LINE_PC and LINE_LINK
 * *f is filled; its strings point into `text`.  An ARM line "(f) from [<a>]
 * (g+0x1/0x2)" gives g, the caller.
 */
enum line_kind frame_parse(struct slice text, struct report_frame *f);

/** The lock holder in "...}, at: [<addr>] func+0x1/0x2"; false: none. */
bool frame_parse_at(struct slice text, struct report_frame *f);

/** The name without what compilers append: .isra.0, .cold, .constprop.1. */
struct slice function_base(struct slice function);

#endif /* REPORT_FRAMES_H */
