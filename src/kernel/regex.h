/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * regex.h - the Perl regexes of MAINTAINERS (N: and K: lines), by libpcre2.
 *
 * Private to module kernel.  Patterns may be hostile: their length and the
 * steps that a search may take are limited; what exceeds them does not match.
 */
#ifndef KERNEL_REGEX_H
#define KERNEL_REGEX_H

#include <stdbool.h>

#include "base/slice.h"

struct regex;

/** NULL when the pattern is malformed or over 256 bytes. */
struct regex *regex_new(struct slice perl);
void regex_free(struct regex *r);

/** Whether `text` has a match; "^" and "$" match at each of its lines. */
bool regex_search(const struct regex *r, struct slice text);

#endif /* KERNEL_REGEX_H */
