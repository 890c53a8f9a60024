/* SPDX-License-Identifier: GPL-2.0-or-later */
/* descriptions.h - the descriptions that a command works with. */
#ifndef CMD_DESCRIPTIONS_H
#define CMD_DESCRIPTIONS_H

#include "desc/desc.h"

/**
 * Compile the descriptions in `dir`, or ours (sys/linux) when it is NULL, for
 * `arch`.  The caller owns the result: desc_free().
 * Errors: ERR_NOT_FOUND (no such directory, none in it), ERR_INPUT (they have
 * errors, which are printed to stderr), ERR_OS.
 */
fallible cmd_descriptions(const char *dir, const struct desc_arch *arch,
			  struct desc **out);

/**
 * The architecture of that name; amd64 for NULL.
 * Errors: ERR_USAGE, with the names there are.
 */
fallible cmd_desc_arch(const char *name, const struct desc_arch **out);

#endif /* CMD_DESCRIPTIONS_H */
