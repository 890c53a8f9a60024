/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cover.c - one source of coverage: KCOV or QEMU's plugin.
 *
 * Both leave a trace of program counters per thread, of which a call's part is
 * what lies between two positions.  KCOV alone knows comparisons.
 */
#include "executor.h"

static uint32_t source = WIRE_COVER_NONE;

uint32_t cover_open(const struct region *r)
{
	uint32_t want = r->host.cover_source;

	if ((want == WIRE_COVER_AUTO || want == WIRE_COVER_KCOV) &&
	    kcov_open() && kcov_map_all())
		source = WIRE_COVER_KCOV;
	else if ((want == WIRE_COVER_AUTO || want == WIRE_COVER_PLUGIN) &&
		 plugin_open(r))
		source = WIRE_COVER_PLUGIN;
	return source;
}

bool cover_map_all(const struct region *r)
{
	if (source == WIRE_COVER_PLUGIN)
		plugin_map(r);
	return source != WIRE_COVER_KCOV || kcov_map_all();
}

void cover_start(uint32_t thread, bool comparisons)
{
	if (source == WIRE_COVER_KCOV)
		kcov_start(thread, comparisons);
	else if (source == WIRE_COVER_PLUGIN)
		plugin_start(thread);
}

uint32_t cover_position(uint32_t thread)
{
	return source == WIRE_COVER_PLUGIN ? plugin_position(thread) :
					     kcov_position(thread);
}

uint32_t cover_make_room(uint32_t thread, bool comparisons)
{
	return source == WIRE_COVER_PLUGIN ?
		       plugin_make_room(thread) :
		       kcov_make_room(thread, comparisons);
}

void cover_rewind(void)
{
	if (source == WIRE_COVER_PLUGIN)
		plugin_rewind();
	else
		kcov_rewind();
}

void cover_forget(uint32_t thread, uint32_t position)
{
	if (source == WIRE_COVER_KCOV)
		kcov_forget(thread, position);
}

bool cover_is_full(uint32_t thread, uint32_t position, bool comparisons)
{
	return source == WIRE_COVER_PLUGIN ?
		       plugin_is_full(thread, position) :
		       kcov_is_full(thread, position, comparisons);
}

const uint64_t *cover_entries(uint32_t thread, bool comparisons)
{
	if (source == WIRE_COVER_PLUGIN)
		return comparisons ? NULL : plugin_entries(thread);
	return kcov_entries(thread);
}
