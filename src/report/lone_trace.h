/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * lone_trace.h - call traces that no headline announces.
 *
 * Such a trace is what is left of a report whose first lines were lost, so it
 * is shown; but the kernel also prints traces for those who ask for one and go
 * on (allocation failures, fault injection, sysrq, ...).
 */
#ifndef REPORT_LONE_TRACE_H
#define REPORT_LONE_TRACE_H

#include "report/gather.h"

/** Does a line above announce the trace at `first` as something harmless? */
bool trace_asked_for(const struct window *w, int32_t first);

/**
 * Does the trace tell of no crash by itself: is it empty, or of those who
 * print one and go on (the line above may be lost)?
 */
bool trace_harmless(const struct window *w, const struct gathered *g);

#endif /* REPORT_LONE_TRACE_H */
