/* SPDX-License-Identifier: GPL-2.0-or-later */
/* unit.h - cmocka with the headers it wants in front of it. */
#ifndef UNIT_H
#define UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#endif /* UNIT_H */
