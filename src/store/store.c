/* SPDX-License-Identifier: GPL-2.0-or-later */
/* store.c - the file: opened, brought up to date, locked. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "store/internal.h"

/* "bugO": tells our files from others (PRAGMA application_id). */
#define APPLICATION_ID 0x6275674f
enum { BUSY_MS = 10000, NAP_MS = 5 };

static const char *const migrations[] = {
#define MIGRATION(sql) sql,
#include "store/schema.def"
#undef MIGRATION
};
enum { NEWEST = ARRAY_LEN(migrations) };

/* ---- Statements ------------------------------------------------------------ */

fallible store_failed(struct store *s)
{
	int code = sqlite3_extended_errcode(s->db);
	int why = sqlite3_system_errno(s->db);
	const char *text = sqlite3_errmsg(s->db);

	switch (code & 0xff) {
	case SQLITE_BUSY:
		return error_new(ERR_TIMEOUT,
				 "%s: another process kept it locked for %d s",
				 s->path, BUSY_MS / 1000);
	case SQLITE_NOTADB:
		return error_new(ERR_INPUT, "%s: not a database", s->path);
	case SQLITE_CORRUPT:
		return error_new(ERR_INPUT, "%s: damaged: %s", s->path, text);
	case SQLITE_NOMEM:
		abort();
	default:
		return why ? error_new(ERR_OS, "%s: %s: %s", s->path, text,
				       strerror(why)) :
			     error_new(ERR_OS, "%s: %s", s->path, text);
	}
}

fallible store_prepare(struct store *s, const char *sql, sqlite3_stmt **out)
{
	unsigned i = 0;

	while (i < s->nr_statements && s->statements[i].sql != sql)
		i++;
	if (i == STORE_STATEMENTS)
		return error_new(ERR_BUG, "more than %d statements", i);
	if (i == s->nr_statements) {
		if (sqlite3_prepare_v3(s->db, sql, -1,
				       SQLITE_PREPARE_PERSISTENT,
				       &s->statements[i].stmt, NULL))
			return store_failed(s);
		s->statements[i].sql = sql;
		s->nr_statements++;
	}
	*out = s->statements[i].stmt;
	return NULL;
}

void store_endp(sqlite3_stmt **q)
{
	sqlite3_reset(*q); /* NULL does no harm */
	if (*q)
		sqlite3_clear_bindings(*q);
}

fallible store_step(struct store *s, sqlite3_stmt *q, bool *row)
{
	int got = sqlite3_step(q);

	if (got != SQLITE_ROW && got != SQLITE_DONE)
		return store_failed(s);
	*row = got == SQLITE_ROW;
	return NULL;
}

fallible store_run(struct store *s, sqlite3_stmt *q)
{
	bool row;

	return store_step(s, q, &row);
}

fallible store_script(struct store *s, const char *sql)
{
	return sqlite3_exec(s->db, sql, NULL, NULL, NULL) ? store_failed(s) :
							    NULL;
}

/* ---- Versions -------------------------------------------------------------- */

static fallible get_number(struct store *s, const char *sql, int64_t *out)
{
	_cleanup_(store_endp) sqlite3_stmt *q = NULL;
	bool row;

	TRY(store_prepare(s, sql, &q));
	TRY(store_step(s, q, &row));
	*out = row ? sqlite3_column_int64(q, 0) : 0;
	return NULL;
}

/* The schema's version; an error if we must not touch the file. */
static fallible get_version(struct store *s, int64_t *out)
{
	int64_t id, tables, version;

	/* What is ours gets all three at once, perhaps meanwhile: `id` last. */
	TRY(get_number(s, "SELECT count(*) FROM sqlite_schema", &tables));
	TRY(get_number(s, "PRAGMA user_version", &version));
	TRY(get_number(s, "PRAGMA application_id", &id));
	if (id != APPLICATION_ID && (id || version || tables))
		return error_new(ERR_INPUT, "%s: a database, but not of bugon",
				 s->path);
	if (version > NEWEST)
		return error_new(ERR_INPUT,
				 "%s: made by a newer bugon: its schema has "
				 "version %" PRId64
				 ", the newest known here is "
				 "%d",
				 s->path, version, NEWEST);
	*out = version;
	return NULL;
}

static fallible migrate_locked(struct store *s)
{
	_cleanup_(buf_deinit) struct buf pragmas = {};
	int64_t version;

	/* Someone else may have done it while we waited for the lock. */
	TRY(get_version(s, &version));
	for (; version < NEWEST; version++)
		TRY(store_script(s, migrations[version]),
		    "to version %" PRId64 " of the schema", version + 1);
	buf_printf(&pragmas,
		   "PRAGMA application_id = %d; PRAGMA user_version = %d",
		   APPLICATION_ID, NEWEST);
	return store_script(s, pragmas.data);
}

/* All or nothing, whatever kills us meanwhile. */
static fallible migrate(struct store *s)
{
	TRY(store_begin(s));
	struct error *err = migrate_locked(s);

	if (!err)
		return store_commit(s);
	store_rollback(s);
	return err;
}

void store_rollback(struct store *s)
{
	sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL);
}

/* ---- Opening --------------------------------------------------------------- */

/* SQLite does not wait for who changes the mode as well. */
static fallible use_wal(struct store *s)
{
	for (int ms = 0;; ms += NAP_MS) {
		int got = sqlite3_exec(s->db, "PRAGMA journal_mode = WAL", NULL,
				       NULL, NULL);

		if (!got)
			return NULL;
		if ((got & 0xff) != SQLITE_BUSY || ms >= BUSY_MS)
			return store_failed(s);
		usleep(NAP_MS * 1000);
	}
}

static fallible prepare_to_write(struct store *s)
{
	int64_t version;

	TRY(get_version(s, &version));
	TRY(use_wal(s));
	TRY(store_script(s, "PRAGMA synchronous = NORMAL;"
			    "PRAGMA foreign_keys = ON"));
	return version < NEWEST ? migrate(s) : NULL;
}

static fallible prepare_to_read(struct store *s)
{
	int64_t version;

	TRY(get_version(s, &version));
	if (version == NEWEST)
		return NULL;
	return error_new(ERR_INPUT,
			 "%s: its schema has version %" PRId64 ", this bugon "
			 "needs %d: the first command that writes to it, such "
			 "as 'bugon corpus import', brings it up to date",
			 s->path, version, NEWEST);
}

static fallible open_file(struct store *s, enum store_mode mode)
{
	int flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE |
		    (mode == STORE_WRITE ?
			     SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE :
			     SQLITE_OPEN_READONLY);

	if (sqlite3_open_v2(s->path, &s->db, flags, NULL))
		return store_failed(s);
	sqlite3_busy_timeout(s->db, BUSY_MS);
	return mode == STORE_WRITE ? prepare_to_write(s) : prepare_to_read(s);
}

static char *path_in(const char *workdir)
{
	struct buf path = {};

	buf_printf(&path, "%s/bugon.db", workdir);
	return path.data;
}

bool store_exists(const char *workdir)
{
	_cleanup_(freep) char *path = path_in(workdir);

	return !access(path, F_OK);
}

fallible store_open(const char *workdir, enum store_mode mode,
		    struct store **out)
{
	_cleanup_(store_closep) struct store *s = mem_calloc(1, sizeof(*s));

	s->path = path_in(workdir);
	if (mode == STORE_WRITE && mkdir(workdir, 0777) && errno != EEXIST)
		return error_os("%s", workdir);
	if (mode == STORE_READ && !store_exists(workdir))
		return error_new(ERR_NOT_FOUND,
				 "%s: no store there (no bugon.db)", workdir);
	TRY(open_file(s, mode));
	s->pack = ZSTD_createCCtx();
	s->unpack = ZSTD_createDCtx();
	if (!s->pack || !s->unpack)
		abort(); /* no memory */
	*out = take_ptr(s);
	return NULL;
}

void store_close(struct store *s)
{
	for (unsigned i = 0; i < s->nr_statements; i++)
		sqlite3_finalize(s->statements[i].stmt);
	sqlite3_close(s->db);
	ZSTD_freeCCtx(s->pack);
	ZSTD_freeDCtx(s->unpack);
	buf_deinit(&s->packed);
	buf_deinit(&s->text);
	buf_deinit(&s->signal);
	for (size_t k = 0; k < ARRAY_LEN(s->bug); k++)
		buf_deinit(&s->bug[k]);
	for (size_t k = 0; k < ARRAY_LEN(s->crash); k++)
		buf_deinit(&s->crash[k]);
	free(s->path);
	free(s);
}

fallible store_begin(struct store *s)
{
	return store_script(s, "BEGIN IMMEDIATE");
}

fallible store_commit(struct store *s)
{
	return store_script(s, "COMMIT");
}
