/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * corpus.h - what the subcommands of `bugon corpus` share: programs from
 * wherever they are, and counts of their calls.
 */
#ifndef CMD_CORPUS_H
#define CMD_CORPUS_H

#include "cmd/cmd.h"
#include "corpus/corpus.h"
#include "store/store.h"

extern const struct command cmd_corpus_import, cmd_corpus_stat;

/* ---- corpus_from.c: sources of programs ------------------------------------ */

/*
 * What is done with each program, a text that has calls.  `name` says where it
 * is from.  False: stop, `to` knows why.
 */
struct corpus_from {
	const struct command *cmd; /* who complains */
	bool (*take)(void *to, const char *name, struct slice text);
	void *to;
	size_t damaged; /* sources that could not be read, or not wholly */
	size_t others; /* texts without a call, which are no programs */
	bool stopped;
};

/**
 * All programs of a store's directory, of a corpus.db, of a log, of a file that
 * is one program, or of all such files in and below a directory (files whose
 * name begins with a dot are left out).  What cannot be read is complained about
 * and counted.
 */
void corpus_from(struct corpus_from *f, const char *path);

/* ---- corpus_names.c: sets of programs, counts of calls --------------------- */

/* The programs seen so far; all zero is empty. */
struct corpus_seen {
	void *tree;
	size_t n;
};
/** Note a program; false: it was there already. */
bool corpus_see(struct corpus_seen *s, struct store_name name);
void corpus_seen_deinit(struct corpus_seen *s);

struct corpus_call {
	char *name;
	size_t n;
};
/* How often each call was made; all zero is empty. */
struct corpus_calls {
	void *tree;
	size_t n, kinds;
};
void corpus_count_call(struct corpus_calls *c, struct slice name);
/** The most frequent first; an array of `kinds`, to free() but for its names. */
struct corpus_call *corpus_calls_sorted(const struct corpus_calls *c);
void corpus_calls_deinit(struct corpus_calls *c);

#endif /* CMD_CORPUS_H */
