/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bugs.h - every bug of the module. Each NAME has a bug_NAME(), which returns
 * 0 or a negative errno when it survives.
 */
#ifndef BUGS_H
#define BUGS_H

#include <linux/types.h>

#define X(name) int bug_##name(void);
#include "bugs.def"
#undef X

/* How long a stall lasts. */
extern unsigned int seconds;
/* 40 and 0, which the compiler cannot know. */
extern volatile unsigned int big, zero;

#endif /* BUGS_H */
