/* SPDX-License-Identifier: GPL-2.0-or-later */
/* unit.h - cmocka with the headers it wants in front of it. */
#ifndef UNIT_H
#define UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/slice.h"

/*
 * Leave a test that cannot run here.  Not cmocka's skip(): that prints
 * "not ok # SKIP", which Meson 1.0 counts as a failure.
 */
#define SKIP_TEST(why)                             \
	do {                                       \
		print_message("# SKIP %s\n", why); \
		return;                            \
	} while (0)

static inline void assert_slice(struct slice got, const char *want)
{
	char *copy = strndup(got.p ? got.p : "", got.len);

	assert_string_equal(copy, want);
	free(copy);
}

#endif /* UNIT_H */
