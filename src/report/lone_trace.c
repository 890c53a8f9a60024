/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "report/lone_trace.h"

#include "report/frames.h"

enum {
	LOOK_BACK = 40, /* for who asked for the trace */
	LOOK_AHEAD = 8, /* frames of who asked for it */
};

bool trace_asked_for(const struct window *w, int32_t first)
{
	int32_t i = w->lines.data[first].prev;

	for (int n = 0; n < LOOK_BACK && i != NO_LINE;
	     n++, i = w->lines.data[i].prev) {
		struct report_frame f;

		if (w->lines.data[first].offset - w->lines.data[i].offset >
		    HISTORY_BYTES)
			return false;
		if (formats_harmless_trace(window_text(w, i)))
			return true;
		enum line_kind kind = frame_parse(window_text(w, i), &f);
		if (kind == LINE_FRAME || kind == LINE_TRACE)
			return false; /* of another trace */
	}
	return false;
}

bool trace_harmless(const struct window *w, const struct gathered *g)
{
	static const struct slice askers[] = {
		SLICE("should_fail"),	SLICE("warn_alloc"),
		SLICE("dump_header"),	SLICE("sched_show_task"),
		SLICE("sysrq_handle_"),
	};
	unsigned frames = 0;

	for (size_t k = g->header + 1; k < g->lines.len && frames < LOOK_AHEAD;
	     k++) {
		struct report_frame f;

		if (frame_parse(window_text(w, g->lines.data[k]), &f) !=
		    LINE_FRAME)
			continue;
		frames++;
		for (size_t i = 0; i < ARRAY_LEN(askers); i++)
			if (slice_starts(f.function, askers[i]))
				return true;
	}
	return !frames;
}
