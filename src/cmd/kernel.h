/* SPDX-License-Identifier: GPL-2.0-or-later */
/* kernel.h - what the subcommands of "bugon kernel" share. */
#ifndef CMD_KERNEL_H
#define CMD_KERNEL_H

#include <time.h>

#include "cli/cli.h"
#include "kbuild/kbuild.h"

/* Progress and notes on the standard error. */
struct kernel_say {
	const char *name; /* of the command */
	bool tty, shown;
	time_t next;
};

void kernel_say_init(struct kernel_say *s, const char *name);
struct kernel_talk kernel_say_talk(struct kernel_say *s);

/**
 * The end of a command: print what it made (NULL: nothing), or turn `err` (consumed unless
 * returned) into an exit status.
 */
fallible kernel_say_done(struct kernel_say *s, struct error *err,
			 const struct buf *made, int *status);

extern const struct command cmd_kernel_config, cmd_kernel_build;

#endif /* CMD_KERNEL_H */
