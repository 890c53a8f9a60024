/* SPDX-License-Identifier: GPL-2.0-or-later */
/* prog.c - the command on programs: which subcommands there are. */
#include "cmd/prog.h"

#include <string.h>

#include "base/io.h"

enum { TEXT_MAX = 64 << 20 };

fallible prog_read_text(const char *path, struct buf *out)
{
	bool in = !strcmp(path, "-");

	return io_read_file(in ? "/dev/stdin" : path, TEXT_MAX, out);
}

static const struct command *const subs[] = {
	&cmd_prog_c,	    &cmd_prog_encode, &cmd_prog_fmt,  &cmd_prog_gen,
	&cmd_prog_minimize, &cmd_prog_mutate, &cmd_prog_stat, NULL
};

const struct command cmd_prog = {
	.name = "prog",
	.args = "c|encode|fmt|gen|minimize|mutate|stat",
	.summary = "make, change, format and count programs of system calls",
	.subs = subs,
};
