/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * mailmap.h - the tree's .mailmap: which address of a person is current.
 *
 * Private to module kernel.  MAINTAINERS is often behind (axboe@fb.com), and
 * mail to an employer of the past bounces.  Format: gitmailmap(5).
 */
#ifndef KERNEL_MAILMAP_H
#define KERNEL_MAILMAP_H

#include "base/compiler.h"
#include "base/slice.h"

struct mailmap;

/** Parse the text of a .mailmap, which must outlive the result. */
struct mailmap *mailmap_parse(struct slice text);
void mailmap_free(struct mailmap *m);
DEFINE_CLEANUP(struct mailmap *, mailmap_free)

/** The current form of `address`, given as that of `name`; or itself. */
struct slice mailmap_address(const struct mailmap *m, struct slice name,
			     struct slice address);

#endif /* KERNEL_MAILMAP_H */
