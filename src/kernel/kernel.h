/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * kernel.h - what a kernel source tree tells: whom to write to.
 *
 *	_cleanup_(maintainers_closep) struct maintainers *m = NULL;
 *	_cleanup_(recipients_deinit) struct recipients r = {};
 *
 *	TRY(maintainers_open("/usr/src/linux", 0, &m));
 *	maintainers_find(m, SLICE("fs/ext4/mballoc.c"), &r);
 *	recipients_to_text(&r, &out);
 *
 * Who is asked (Documentation/process/submitting-patches.rst, "Select the
 * recipients", and reporting-issues.rst):
 *
 *	to	the maintainers (M:) and lists (L:) of every section that covers
 *		the file, the most specific section first: they must act or
 *		discuss, and a bug in a driver concerns its subsystem as well
 *	cc	the reviewers (R:), who are to be copied, and
 *		linux-kernel@vger.kernel.org, which archives everything
 *
 * Each person and list is given once, by the address that .mailmap calls the
 * current one; who is both maintainer and reviewer is in `to`.
 * Lists that only take mail of subscribers are left out: ours would bounce.
 * THE REST covers every file with Linus as its maintainer; he takes no bug
 * reports for others, so of this section only its list counts.  A file that
 * nobody else covers goes to that list alone.  Orphan and Obsolete sections
 * count: their lists are where a new maintainer would read.
 *
 * Sections are found by F: and X: (patterns of base/glob.h; a directory may
 * lack its slash), by N: (a regex on the path), and on demand by K: (a regex
 * on the file's content).  More specific is: F: before N: before K:, then more
 * path components in the pattern, then more literal characters, then the
 * order of the file.
 *
 * Limits: neither git history nor .get_maintainer.ignore is consulted.
 * MAINTAINERS may have up to 16 MiB and 512 regexes of 256 bytes; a search that
 * takes too many steps finds nothing; a file that is searched for K: may have
 * up to 1 MiB.  Malformed lines are skipped.
 *
 * To extend: a new tag is one case in parse_entry() and one in entry_hit().
 */
#ifndef KERNEL_KERNEL_H
#define KERNEL_KERNEL_H

#include "base/buf.h"
#include "base/error.h"
#include "base/slice.h"
#include "base/vec.h"

/* A parsed MAINTAINERS file. */
struct maintainers;

enum maintainers_flags {
	/*
	 * Heed K: lines too.  Off by default, as the kernel community has it
	 * for whole files since 6.6 (get_maintainer.pl --keywords-in-file): in
	 * contrast to a patch, a file mentions much that it is not about.
	 * A lookup then reads the file and takes up to 10 ms rather than 0.4.
	 */
	MAINTAINERS_KEYWORDS = 1 << 0,
};

/* Addresses without names; they live as long as the struct maintainers. */
struct recipients {
	VEC(struct slice) to, cc;
};

/**
 * Read MAINTAINERS in the directory `kernel_src`.
 * @flags: of enum maintainers_flags
 * @out:   close it with maintainers_close()
 *
 * Errors: ERR_NOT_FOUND (no such file, says what to do), ERR_INPUT (a
 * directory, larger than 16 MiB, or without any section), ERR_OS.
 */
fallible maintainers_open(const char *kernel_src, unsigned int flags,
			  struct maintainers **out);

/**
 * The same for text at hand, which is copied.
 * @kernel_src: where .mailmap is and K: finds the files; may be NULL: neither
 *		is consulted then
 *
 * Errors: ERR_INPUT (larger than 16 MiB, or without any section); those of
 * reading an existing .mailmap.
 */
fallible maintainers_parse(struct slice text, const char *kernel_src,
			   unsigned int flags, struct maintainers **out);

void maintainers_close(struct maintainers *m);
DEFINE_CLEANUP(struct maintainers *, maintainers_close)

/**
 * Whom to write to about `path`, relative to the tree, with or without "./".
 * The file need not exist.  Replaces what `out` held, which must have been
 * initialized; free it with recipients_deinit().  The addresses point into
 * `m`: do not use them after maintainers_close().
 */
void maintainers_find(const struct maintainers *m, struct slice path,
		      struct recipients *out);

void recipients_deinit(struct recipients *r);

/**
 * Append the two lines that bisection logs carry:
 *
 *	recipients (to): ["axboe@kernel.dk" "io-uring@vger.kernel.org"]
 *	recipients (cc): ["linux-kernel@vger.kernel.org"]
 */
void recipients_to_text(const struct recipients *r, struct buf *out);

#endif /* KERNEL_KERNEL_H */
