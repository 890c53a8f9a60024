/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * store.h - what a fuzzing directory keeps: WORKDIR/bugon.db, an SQLite file.
 *
 * One process writes and others read meanwhile (write-ahead log); two writers
 * wait for each other.  What was acknowledged (a call returned NULL, within
 * store_begin() and store_commit() the latter) survives kill -9 of the process;
 * when the machine loses power the last transactions may be missing, but the
 * file is whole.
 *
 *	_cleanup_(store_closep) struct store *s = NULL;
 *	TRY(store_open("work", STORE_WRITE, &s));
 *	TRY(store_program_add(s, &(struct store_program){ .text = text }, NULL));
 *
 * The schema is schema.def: a table of migrations, to which versions are added
 * and of which none is changed.  A store.h with a new kind of record gets a new
 * file beside programs.c.  SQLite keeps at most 2 MB of the file in memory.
 */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/slice.h"

struct store;

enum store_mode {
	STORE_READ, /* the store must be there */
	STORE_WRITE, /* directory and store are made if they are not */
};

/** Whether a directory has a store. */
bool store_exists(const char *workdir);

/**
 * Open the store of a directory; an older one is brought up to date if it is
 * opened for writing.
 * Errors: ERR_NOT_FOUND, ERR_INPUT (of a newer bugon, not ours, damaged),
 * ERR_TIMEOUT (another process kept it for ten seconds), ERR_OS; so for all that
 * follows.
 */
fallible store_open(const char *workdir, enum store_mode mode,
		    struct store **out);

/** What was begun and not committed is undone. */
void store_close(struct store *s);
DEFINE_CLEANUP(struct store *, store_close)

/** Many changes as one: faster, and all of them or none. */
fallible store_begin(struct store *s);
fallible store_commit(struct store *s);
/** Undo what was begun. */
void store_rollback(struct store *s);

/* ---- Names ----------------------------------------------------------------- */

/* What is stored is named by its content: SHA-1, as in corpus.db. */
enum { STORE_NAME_BYTES = 20, STORE_NAME_CHARS = 2 * STORE_NAME_BYTES };

struct store_name {
	uint8_t bytes[STORE_NAME_BYTES];
};

struct store_name store_name(struct slice content);

/** In hexadecimal, with the NUL. */
void store_name_to_text(struct store_name n, char out[STORE_NAME_CHARS + 1]);

/* ---- programs.c: the corpus ------------------------------------------------ */

enum { STORE_MAX_TEXT_BYTES = 16 << 20 };

struct store_program {
	struct slice text;
	struct slice signal; /* what it covers, opaque here; p NULL: unknown */
	uint64_t descriptions; /* a hash of those it was made with; 0: unknown */
	int64_t added_ms; /* since 1970; 0 when adding: now */
};

/**
 * Add a program unless one of the same text is there; `*added` (may be NULL)
 * says which.  Errors: ERR_INPUT for a text over the limit.
 */
fallible store_program_add(struct store *s, const struct store_program *p,
			   bool *added);

/**
 * The first program with a number above `*id`, in the order in which they were
 * added; 0 begins.  `*id` becomes its number; `*more` is false and nothing else
 * written when there is none.  Between calls nothing is locked, and programs may
 * be added and deleted.  Slices are valid until the next call.
 */
fallible store_program_next(struct store *s, int64_t *id,
			    struct store_program *out, bool *more);

/** The number of the program of that name; 0: none. */
fallible store_program_find(struct store *s, struct store_name name,
			    int64_t *id);

/** Delete a program; no such program is no error. */
fallible store_program_delete(struct store *s, int64_t id);

struct store_program_counts {
	uint64_t programs;
	uint64_t with_signal;
	uint64_t text_bytes; /* of all texts */
	uint64_t packed_bytes; /* which they take */
};
fallible store_program_count(struct store *s, struct store_program_counts *out);

/* ---- crashes.c: bugs, and the crashes of them -------------------------------- */

enum { STORE_CRASHES_OF_BUG = 10 }; /* are kept in full; more are counted */

/* Texts may be NULL when adding; slices over the limit of a text are cut. */
struct store_crash {
	const char *title, *key, *alts; /* alternative titles, lines */
	const char *machine, *kernel;
	struct slice report; /* for people */
	struct slice log; /* the console */
	struct slice program; /* that ran, and those before it */
	struct slice before;
	int64_t seen_ms; /* since 1970; 0 when adding: now */
};

/**
 * Count a crash of the bug of that title, and keep it unless there are enough.
 * `*is_new` (may be NULL): the bug was not known.
 */
fallible store_crash_add(struct store *s, const struct store_crash *c,
			 bool *is_new);

struct store_bug {
	const char *title, *key, *alts;
	int64_t crashes; /* so many */
	int64_t first_ms, last_ms; /* since 1970 */
};

/** As store_program_next(), for bugs. */
fallible store_bug_next(struct store *s, int64_t *id, struct store_bug *out,
			bool *more);

/** As store_program_next(), for crashes: of one bug, or of all (0). */
fallible store_crash_next(struct store *s, int64_t bug, int64_t *id,
			  struct store_crash *out, int64_t *of_bug, bool *more);

#endif /* STORE_STORE_H */
