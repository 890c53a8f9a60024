/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * title.h - from the lines of one report to its title.
 *
 * The lines are those of the report's text: without prefixes, of one caller,
 * in order, each taken apart once.  lines[header] is where the format matched.
 */
#ifndef REPORT_TITLE_H
#define REPORT_TITLE_H

#include "base/arena.h"
#include "report/formats.h"
#include "report/frames.h"
#include "report/report.h"

struct body_line {
	struct slice text;
	enum line_kind kind; /* what frame_parse() says of the text */
	struct report_frame frame;
};

struct body {
	const struct body_line *lines;
	size_t nr_lines, header;
	struct hit hit; /* in lines[header] */
	bool has_callers; /* the prefixes tell tasks and CPUs apart */
	bool interrupted; /* another report begins before its end */
	bool foreign; /* lines of another CPU are mixed in */
};

/** Fill title, alts, type, frame, corrupted and explanation of *out. */
void title_make(struct arena *arena, const struct body *body,
		struct report *out);

#endif /* REPORT_TITLE_H */
