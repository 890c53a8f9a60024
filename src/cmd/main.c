/* SPDX-License-Identifier: GPL-2.0-or-later */
/* main.c - find the command, parse its options, run it, print its error. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "cmd/cmd.h"

enum { EXIT_USAGE = 2 };

static const struct command *const commands[] = {
#define COMMAND(name) &cmd_##name,
#include "cmd/commands.def"
#undef COMMAND
	NULL,
};

static const struct command *find_command(const char *name)
{
	for (const struct command *const *c = commands; *c; c++)
		if (!strcmp(name, (*c)->name))
			return *c;
	return NULL;
}

static void usage(FILE *f)
{
	fputs("usage: bugon COMMAND [options] [arguments]\n"
	      "finds bugs in the Linux kernel and hands over the evidence\n\n",
	      f);
	for (const struct command *const *c = commands; *c; c++)
		fprintf(f, "  %-12s %s\n", (*c)->name, (*c)->summary);
	fputs("\nbugon COMMAND -h prints the options of a command.\n", f);
}

static int usage_error(const char *what, const char *name)
{
	fprintf(stderr, "bugon: %s: %s (bugon help lists the commands)\n", what,
		name);
	return EXIT_USAGE;
}

/* Words that work without a command of their own; -1: not one of them. */
static int builtin(int argc, char **argv)
{
	const char *word = argv[1];

	if (!strcmp(word, "--version")) {
		printf("bugon %s\n", BUGON_VERSION);
		return 0;
	}
	if (!strcmp(word, "--completion")) {
		cli_completion(commands, stdout);
		return 0;
	}
	if (strcmp(word, "help") != 0 && strcmp(word, "-h") != 0 &&
	    strcmp(word, "--help") != 0)
		return -1;
	if (argc < 3) {
		usage(stdout);
		return 0;
	}
	const struct command *cmd = find_command(argv[2]);
	if (!cmd)
		return usage_error("no such command", argv[2]);
	cli_help(cmd, stdout);
	return 0;
}

void cmd_complain(const struct command *cmd, struct error *err)
{
	fprintf(stderr, "bugon %s: %s\n", cmd->name, error_message(err));
	error_free(err);
}

bool cmd_note(const struct command *cmd, const struct symbols *symbols)
{
	_cleanup_(buf_deinit) struct buf notes = {};
	struct slice text, line;

	symbols_note(symbols, &notes);
	text = buf_as_slice(&notes);
	while (slice_line(&text, &line))
		fprintf(stderr, "bugon %s: " SLICE_FMT "\n", cmd->name,
			SLICE_ARG(line));
	return notes.len > 0;
}

static fallible dispatch(const struct command *cmd, int argc, char **argv,
			 int *status)
{
	_cleanup_(freep) void *opts = mem_calloc(1, cmd->opts_size);
	int n;

	TRY(cli_parse(cmd, argc, argv, opts, &n));
	return cmd->run(opts, n, argv, status);
}

static int run(const struct command *cmd, int argc, char **argv)
{
	int status = 0;

	if (cmd->subs && argc > 1 && *argv[1] != '-') {
		const struct command *sub = cli_find_sub(cmd, argv[1]);

		if (!sub) {
			fprintf(stderr,
				"bugon %s: no such command: %s "
				"(bugon %s -h lists them)\n",
				cmd->name, argv[1], cmd->name);
			return EXIT_USAGE;
		}
		return run(sub, argc - 1, argv + 1);
	}
	if (argc > 1 &&
	    (!strcmp(argv[1], "-h") || !strcmp(argv[1], "--help"))) {
		cli_help(cmd, stdout);
		return 0;
	}
	if (argc > 1 && !strcmp(argv[1], "--man-options")) {
		cli_man_options(cmd, stdout);
		return 0;
	}
	if (cmd->subs) {
		cli_help(cmd, stderr);
		return EXIT_USAGE;
	}
	struct error *err = dispatch(cmd, argc, argv, &status);
	if (!err)
		return status;
	status = error_kind(err) == ERR_USAGE ? EXIT_USAGE : 1;
	cmd_complain(cmd, err);
	return status;
}

/*
 * A closed standard descriptor would be the number of the next file opened, and
 * what is printed would go there.  Opened the wrong way round, so that using it
 * is the error that it would have been.
 */
static void fill_standard_fds(void)
{
	static const int wrong_way[] = { O_WRONLY, O_RDONLY, O_RDONLY };

	for (int fd = 0; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0)
			open("/dev/null", wrong_way[fd]); /* gets this number */
}

int main(int argc, char **argv)
{
	fill_standard_fds();
	if (argc < 2) {
		usage(stderr);
		return EXIT_USAGE;
	}
	int status = builtin(argc, argv);
	if (status < 0) {
		const struct command *cmd = find_command(argv[1]);

		if (!cmd)
			return usage_error("no such command", argv[1]);
		status = run(cmd, argc - 1, argv + 1);
	}
	if (fflush(stdout) != 0 || ferror(stdout)) {
		perror("bugon: standard output");
		return 1;
	}
	return status;
}
