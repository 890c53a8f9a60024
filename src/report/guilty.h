/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * guilty.h - which source file a crash report points at.
 *
 * The answer decides whom a report goes to (see kernel/kernel.h), so it has to
 * be the file whose maintainers can act: rarely the one that detected the crash
 * (the allocator, a lock, KASAN), and rarely the way in (the system call, the
 * VFS, the network core), but the innermost frame that belongs to one driver,
 * file system or protocol.
 *
 * The first file of that kind counts, in the order of the text: the crash's
 * own stack comes before those of allocation, freeing and other tasks.  What
 * is not of that kind is listed in guilty.def, by class:
 *
 *	MACHINERY  prints or delivers the report: KASAN, panic, traps, entry
 *	LIBRARY    serves everybody: lib/, locks, scheduler, RCU
 *	SHARED     everybody passes through it, but it has bugs too: mm/, arch/
 *	INCLUDE    headers for everybody
 *	CORE       the shared layer of one subsystem: VFS, sock.c, USB core
 *	SPECIFIC   an exception to one of those; also any path not listed
 *
 * Headers are never specific: an inline function runs on behalf of its caller.
 * When nothing is specific, the best of the rest is taken (a report must go to
 * somebody): the first header of a specific directory, else the file of the
 * function in the title, else the first of CORE, SHARED and INCLUDE (but CORE
 * rather than a header inlined into it), then LIBRARY, then MACHINERY.
 *
 * Positions that are not part of a stack, namely the lists of held locks and
 * lockdep's notes on who last switched interrupts, count after all others.
 *
 * Limits: a decision by file, not by function; an absolute path (out of tree,
 * or not stripped) only counts when nothing better is there; paths of more
 * than 512 bytes are not read.
 *
 * To extend: add lines to guilty.def; the first line that matches decides.
 */
#ifndef REPORT_GUILTY_H
#define REPORT_GUILTY_H

#include "base/slice.h"

/**
 * The file to blame for a report.
 * @title:  as printed ("KASAN: use-after-free Read in f"), or empty
 * @text:   the symbolized report, console prefixes removed: source positions
 *	    stand as `path:line` between blanks, relative to the kernel tree
 *
 * Returns a part of `text`, or an empty slice when no position is in it.
 * Time is linear in the length of `text`.
 */
struct slice report_guilty_file(struct slice title, struct slice text);

#endif /* REPORT_GUILTY_H */
