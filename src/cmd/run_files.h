/* SPDX-License-Identifier: GPL-2.0-or-later */
/* run_files.h - the files that "bugon run" brings into the guest. */
#ifndef CMD_RUN_FILES_H
#define CMD_RUN_FILES_H

#include "base/arena.h"
#include "cli/cli.h"
#include "vm/vm.h"

enum { RUN_MAX_FILES = OPT_LIST_MAX + 1 };

/**
 * What --file names (FILE or FILE:PATH), and `program` as /bin/program unless it
 * is empty; the names live as long as `arena` and `names`.
 * Errors: ERR_INPUT (a file is not there), ERR_USAGE (bugon's own path).
 */
fallible run_files(struct arena *arena, const struct opt_list *names,
		   struct slice program, struct vm_file out[RUN_MAX_FILES],
		   size_t *nr);

#endif /* CMD_RUN_FILES_H */
