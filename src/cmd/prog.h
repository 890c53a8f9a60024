/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * prog.h - the subcommands of `bugon prog`, and what they share.
 *
 * To add one: a `const struct command` in a file of its own, a declaration
 * here, a row in the table of prog.c.
 */
#ifndef CMD_PROG_H
#define CMD_PROG_H

#include "cmd/cmd.h"
#include "cmd/descriptions.h"
#include "prog/prog.h"

extern const struct command cmd_prog_c, cmd_prog_encode, cmd_prog_fmt,
	cmd_prog_gen, cmd_prog_minimize, cmd_prog_mutate, cmd_prog_stat;

/** Read a whole file, "-": the standard input. Errors: io_read_file()'s. */
fallible prog_read_text(const char *path, struct buf *out);

#endif /* CMD_PROG_H */
