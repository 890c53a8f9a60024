/* SPDX-License-Identifier: GPL-2.0-or-later */
/* demangle.h - Rust and C++ symbols as their authors wrote them. */
#ifndef REPORT_DEMANGLE_H
#define REPORT_DEMANGLE_H

#include "base/arena.h"

/** The plain name, without hashes and arguments, or NULL if not mangled. */
const char *demangle(struct arena *arena, struct slice symbol);

#endif /* REPORT_DEMANGLE_H */
