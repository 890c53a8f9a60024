/* SPDX-License-Identifier: GPL-2.0-or-later */
/* desc.h - what the files of `bugon desc` share. */
#ifndef CMD_DESC_H
#define CMD_DESC_H

#include <stdbool.h>

#include "base/error.h"
#include "cli/cli.h"

struct desc_opts {
	const char *arch;
	const char *dir;
	const char *kernel_src, *headers;
	bool write;
	const char *vmlinux, *out;
	struct opt_list devs;
};

/** desc const: write the .const files of description files. */
fallible desc_const(const struct desc_opts *o, int argc, char **argv,
		    int *status);

/** desc generate: draft descriptions of a kernel's devices. */
fallible desc_generate(const struct desc_opts *o, int argc, char **argv,
		       int *status);

#endif /* CMD_DESC_H */
