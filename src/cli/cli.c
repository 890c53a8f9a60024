/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/cli.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

static fallible append(const struct opt *o, const char *arg,
		       struct opt_list *list)
{
	if (list->nr == OPT_LIST_MAX)
		return error_new(ERR_USAGE, "--%s: at most %d times", o->name,
				 OPT_LIST_MAX);
	list->v[list->nr++] = arg;
	return NULL;
}

static fallible store(const struct opt *o, const char *arg, void *opts)
{
	void *field = (char *)opts + o->offset;

	switch (o->type) {
	case OPT_FLAG:
		*(bool *)field = true;
		return NULL;
	case OPT_STR:
		*(const char **)field = arg;
		return NULL;
	case OPT_LIST:
		return append(o, arg, field);
	case OPT_UINT:
		break;
	}
	char *end;
	errno = 0;
	unsigned long v = strtoul(arg, &end, 10);
	if (errno || *end || end == arg || *arg == '-' || v > UINT_MAX)
		return error_new(ERR_USAGE, "--%s: not a number: %s", o->name,
				 arg);
	*(unsigned *)field = (unsigned)v;
	return NULL;
}

/* The option that `word` names; *arg is the value glued to it, or NULL. */
static const struct opt *find(const struct opt *o, const char *word,
			      const char **arg)
{
	for (; o->name; o++) {
		size_t n = strlen(o->name);

		if (o->key && word[0] == '-' && word[1] == o->key) {
			*arg = word[2] ? word + 2 : NULL;
			return o;
		}
		if (!strncmp(word, "--", 2) && !strncmp(word + 2, o->name, n) &&
		    (!word[n + 2] || word[n + 2] == '=')) {
			*arg = word[n + 2] ? word + n + 3 : NULL;
			return o;
		}
	}
	return NULL;
}

/* Take the option at argv[*i] and its value, if that is the next word. */
static fallible take_option(const struct command *cmd, int argc, char **argv,
			    void *opts, int *i)
{
	const char *arg = NULL;
	const struct opt *o = find(cmd->opts, argv[*i], &arg);

	if (!o)
		return error_new(ERR_USAGE,
				 "unknown option %s (see bugon %s -h)",
				 argv[*i], cmd->name);
	if (o->type == OPT_FLAG && arg)
		return error_new(ERR_USAGE, "--%s takes no value", o->name);
	if (o->type != OPT_FLAG && !arg) {
		if (*i + 1 == argc)
			return error_new(ERR_USAGE, "--%s needs %s", o->name,
					 o->arg);
		arg = argv[++*i];
	}
	return store(o, arg, opts);
}

fallible cli_parse(const struct command *cmd, int argc, char **argv, void *opts,
		   int *nr_operands)
{
	bool options = true;
	int n = 0;

	for (int i = 1; i < argc; i++) {
		if (options && !strcmp(argv[i], "--"))
			options = false;
		else if (options && argv[i][0] == '-' && argv[i][1])
			TRY(take_option(cmd, argc, argv, opts, &i));
		else
			argv[n++] = argv[i];
	}
	*nr_operands = n;
	return NULL;
}

/* The last word of its name. */
static const char *own_name(const struct command *sub)
{
	return strrchr(sub->name, ' ') + 1;
}

const struct command *cli_find_sub(const struct command *cmd, const char *word)
{
	for (const struct command *const *s = cmd->subs; *s; s++)
		if (!strcmp(word, own_name(*s)))
			return *s;
	return NULL;
}

static void help_of_subs(const struct command *cmd, FILE *f)
{
	fprintf(f, "usage: bugon %s COMMAND [options] [arguments]\n%s\n\n",
		cmd->name, cmd->summary);
	for (const struct command *const *s = cmd->subs; *s; s++)
		fprintf(f, "  %-12s %s\n", own_name(*s), (*s)->summary);
	fprintf(f, "\nbugon %s COMMAND -h prints the options of a command.\n",
		cmd->name);
}

void cli_help(const struct command *cmd, FILE *f)
{
	if (cmd->subs) {
		help_of_subs(cmd, f);
		return;
	}
	fprintf(f, "usage: bugon %s [options] %s\n%s\n\n", cmd->name, cmd->args,
		cmd->summary);
	for (const struct opt *o = cmd->opts; o->name; o++) {
		char left[64];

		snprintf(left, sizeof(left), "--%s%s%s", o->name,
			 o->arg ? " " : "", o->arg ? o->arg : "");
		if (o->key)
			fprintf(f, "  -%c, %-22s %s\n", o->key, left, o->help);
		else
			fprintf(f, "      %-22s %s\n", left, o->help);
	}
	fprintf(f, "  -h, %-22s %s\n", "--help", "print this help");
}

static void man_opts(const struct opt *o, FILE *f)
{
	for (; o->name; o++) {
		fputc('\n', f);
		if (o->key)
			fprintf(f, "*-%c*, ", o->key);
		fprintf(f, "*--%s*", o->name);
		if (o->arg)
			fprintf(f, " _%s_", o->arg);
		fprintf(f, "\n\t%s.\n", o->help);
	}
}

void cli_man_options(const struct command *cmd, FILE *f)
{
	fputs("# OPTIONS\n", f);
	if (!cmd->subs)
		man_opts(cmd->opts, f);
	for (const struct command *const *s = cmd->subs; s && *s; s++) {
		fprintf(f, "\n## %s\n", own_name(*s));
		man_opts((*s)->opts, f);
	}
	fputs(cmd->subs ? "\n## all of them\n" : "", f);
	fputs("\n*-h*, *--help*\n\tprint a short help.\n", f);
}

static void complete_words(const struct command *cmd, FILE *f)
{
	for (const struct opt *o = cmd->opts; o && o->name; o++)
		fprintf(f, "--%s ", o->name);
	for (const struct command *const *s = cmd->subs; s && *s; s++) {
		fprintf(f, "%s ", own_name(*s));
		complete_words(*s, f);
	}
}

void cli_completion(const struct command *const *cmds, FILE *f)
{
	fputs("_bugon() {\n\tlocal words\n\tcase ${COMP_WORDS[1]} in\n", f);
	for (const struct command *const *c = cmds; *c; c++) {
		fprintf(f, "\t%s) words='", (*c)->name);
		complete_words(*c, f);
		fputs("--help' ;;\n", f);
	}
	fputs("\tesac\n\t[ \"$COMP_CWORD\" = 1 ] && words='", f);
	for (const struct command *const *c = cmds; *c; c++)
		fprintf(f, "%s ", (*c)->name);
	fputs("help'\n\tCOMPREPLY=($(compgen -W \"$words\" -- "
	      "\"${COMP_WORDS[COMP_CWORD]}\"))\n}\n"
	      "complete -o default -F _bugon bugon\n",
	      f);
}
