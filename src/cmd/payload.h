/* SPDX-License-Identifier: GPL-2.0-or-later */
/* payload.h - the program that "bugon run --shell" brings into the guest. */
#ifndef CMD_PAYLOAD_H
#define CMD_PAYLOAD_H

#include "base/buf.h"
#include "base/error.h"
#include "wire/wire.h"

/**
 * Read a static binary for `arch` or a script; a C file (*.c) is compiled with
 * "cc -static" ($CC is heeded), for arm64 with aarch64-linux-gnu-gcc
 * ($CC_ARM64).  Errors: ERR_NOT_FOUND (no compiler), ERR_INPUT (no such file, a
 * dynamic binary, for another machine, too large), ERR_BUILD (it does not
 * compile; the compiler's words went to stderr), ERR_CANCELLED.
 */
fallible payload_load(const char *path, enum wire_arch arch, struct buf *out);

/** The compiler for C files, and the packages that have it. */
const char *payload_compiler(enum wire_arch arch, const char **packages);

#endif /* CMD_PAYLOAD_H */
