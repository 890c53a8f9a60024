/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cli.h - commands and options as constant data.
 *
 * A command is one `const struct command`.  Its option table names fields of
 * its own options struct by offset, so the table can be walked without
 * running the command: -h, the man page's OPTIONS section and the shell
 * completion are all printed from it.
 *
 * To add a command: a file in src/cmd/, a row in commands.def, a page in
 * docs/man/.
 */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include <stdbool.h>
#include <stdio.h>

#include "base/error.h"

enum opt_type { OPT_FLAG, OPT_UINT, OPT_STR, OPT_LIST };

/* The field of an OPT_LIST: the option may be given several times. */
enum { OPT_LIST_MAX = 14 };
struct opt_list {
	const char *v[OPT_LIST_MAX];
	unsigned nr;
};

struct opt {
	enum opt_type type;
	char key; /* short name, or 0 */
	const char *name; /* long name, without dashes */
	const char *arg; /* placeholder; NULL for a flag */
	const char *help; /* one phrase: no capital, no full stop */
	size_t offset; /* of the field in the options struct */
};

/* The field is a bool, unsigned, const char * or struct opt_list, by type. */
#define OPT(type_, key_, name_, strct, field, arg_, help_)              \
	{                                                               \
		.type = type_, .key = key_, .name = name_, .arg = arg_, \
		.help = help_, .offset = offsetof(struct strct, field)  \
	}
#define OPT_END   \
	{         \
		0 \
	}

struct command {
	const char *name;
	const char *args; /* operands, as the usage line shows them */
	const char *summary; /* one phrase: no capital, no full stop */
	const struct opt *opts;
	size_t opts_size;
	/*
	 * What stands behind the name: fetch, list, ...; their names are whole
	 * ("kernel fetch").  Ends with NULL; a command with them has no options
	 * and no run of its own.  NULL: none.
	 */
	const struct command *const *subs;
	/* 0 or 1 goes to *status; errors are printed by the caller. */
	fallible (*run)(const void *opts, int argc, char **argv, int *status);
};

/**
 * Parse argv[1..] into `opts`, wherever the options stand ("--" ends them).
 * Operands are moved to argv[0..*nr_operands-1].  Errors: ERR_USAGE.
 */
fallible cli_parse(const struct command *cmd, int argc, char **argv, void *opts,
		   int *nr_operands);

/** The subcommand called `word` ("fetch"), or NULL. */
const struct command *cli_find_sub(const struct command *cmd, const char *word);

/** Print the usage line, the summary and the option list. */
void cli_help(const struct command *cmd, FILE *f);

/** Print the OPTIONS section in scdoc(5). */
void cli_man_options(const struct command *cmd, FILE *f);

/** Print a bash completion script for all commands; the list ends with NULL. */
void cli_completion(const struct command *const *cmds, FILE *f);

#endif /* CLI_CLI_H */
