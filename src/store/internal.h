/* SPDX-License-Identifier: GPL-2.0-or-later */
/* internal.h - what the files of store/ share: statements and packed blobs. */
#ifndef STORE_INTERNAL_H
#define STORE_INTERNAL_H

#include <sqlite3.h>
#include <zstd.h>

#include "base/buf.h"
#include "store/store.h"

enum { STORE_STATEMENTS = 32 };

struct store {
	sqlite3 *db;
	char *path;
	/* Prepared when first used. */
	struct {
		const char *sql; /* compared by address */
		sqlite3_stmt *stmt;
	} statements[STORE_STATEMENTS];
	unsigned nr_statements;
	ZSTD_CCtx *pack;
	ZSTD_DCtx *unpack;
	struct buf packed;
	struct buf text, signal; /* of the program read last */
	struct buf bug[5], crash[4]; /* of the bug or crash read last */
};

/** Milliseconds since 1970. */
int64_t store_now_ms(void);

/** What SQLite says of the last call. */
fallible store_failed(struct store *s);

/**
 * The statement of a literal.  Ends at the end of the scope, which lets go of
 * its locks:
 *
 *	_cleanup_(store_endp) sqlite3_stmt *q = NULL;
 *	TRY(store_prepare(s, "...", &q));
 */
fallible store_prepare(struct store *s, const char *sql, sqlite3_stmt **out);
void store_endp(sqlite3_stmt **q);

/** The next row; false: there is none. */
fallible store_step(struct store *s, sqlite3_stmt *q, bool *row);

/** Run one that has no rows. */
fallible store_run(struct store *s, sqlite3_stmt *q);

/** Run text without parameters and rows: any number of statements. */
fallible store_script(struct store *s, const char *sql);

/**
 * The shorter of `in` and what zstd makes of it; until the next call.  It is
 * packed if it is shorter.
 */
struct slice store_pack(struct store *s, struct slice in);

/** Back into `out`, `size_bytes` long.  Errors: ERR_INPUT (damaged). */
fallible store_unpack(struct store *s, struct slice in, size_t size_bytes,
		      struct buf *out);

#endif /* STORE_INTERNAL_H */
