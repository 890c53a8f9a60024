/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * regex.h - the Perl regexes of MAINTAINERS by means of <regex.h>.
 *
 * Private to module kernel.  The pattern may be hostile: its length, nesting,
 * repetitions and choices are limited, and back-references, which make
 * matching exponential, are refused.
 */
#ifndef KERNEL_REGEX_H
#define KERNEL_REGEX_H

#include <stdbool.h>

#include "base/slice.h"

struct regex;

/** NULL when the pattern is malformed or asks for what we do not support. */
struct regex *regex_new(struct slice perl);
void regex_free(struct regex *r);

/**
 * Whether a line of `text`, which must be followed by a NUL, has a match in
 * its first 512 bytes.
 */
bool regex_search(const struct regex *r, struct slice text);

#endif /* KERNEL_REGEX_H */
