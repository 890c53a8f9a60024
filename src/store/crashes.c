/* SPDX-License-Identifier: GPL-2.0-or-later */
/* crashes.c - bugs and the crashes of them. */
#include "store/internal.h"

static void bind_text(sqlite3_stmt *q, int at, const char *text)
{
	sqlite3_bind_text(q, at, text ? text : "", -1, SQLITE_TRANSIENT);
}

/* A packed text and its size, at two parameters. */
static void bind_packed(struct store *s, sqlite3_stmt *q, int at,
			struct slice text)
{
	struct slice cut = { text.p ? text.p : "",
			     MIN(text.len, (size_t)STORE_MAX_TEXT_BYTES) };
	struct slice packed = store_pack(s, cut);

	sqlite3_bind_int64(q, at, (int64_t)cut.len);
	sqlite3_bind_blob64(q, at + 1, packed.p, packed.len, SQLITE_TRANSIENT);
}

static fallible note_bug(struct store *s, const struct store_crash *c,
			 int64_t seen_ms, int64_t *bug, int64_t *count)
{
	_cleanup_(store_endp) sqlite3_stmt *q = NULL;
	bool row;

	TRY(store_prepare(s,
			  "INSERT INTO bugs (title, key, alts, crashes,"
			  " first_ms, last_ms) VALUES (?1, ?2, ?3, 1, ?4, ?4)"
			  " ON CONFLICT (title) DO UPDATE SET"
			  " crashes = crashes + 1, last_ms = excluded.last_ms"
			  " RETURNING id, crashes",
			  &q));
	bind_text(q, 1, c->title);
	bind_text(q, 2, c->key);
	bind_text(q, 3, c->alts);
	sqlite3_bind_int64(q, 4, seen_ms);
	TRY(store_step(s, q, &row));
	*bug = sqlite3_column_int64(q, 0);
	*count = sqlite3_column_int64(q, 1);
	/* To the end: only then is the change made. */
	return store_step(s, q, &row);
}

static fallible keep(struct store *s, const struct store_crash *c, int64_t bug,
		     int64_t seen_ms)
{
	_cleanup_(store_endp) sqlite3_stmt *q = NULL;

	TRY(store_prepare(s,
			  "INSERT INTO crashes (bug, seen_ms, machine, kernel,"
			  " report_bytes, report, log_bytes, log,"
			  " program_bytes, program, before_bytes, before)"
			  " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
			  &q));
	sqlite3_bind_int64(q, 1, bug);
	sqlite3_bind_int64(q, 2, seen_ms);
	bind_text(q, 3, c->machine);
	bind_text(q, 4, c->kernel);
	bind_packed(s, q, 5, c->report);
	bind_packed(s, q, 7, c->log);
	bind_packed(s, q, 9, c->program);
	bind_packed(s, q, 11, c->before);
	return store_run(s, q);
}

fallible store_crash_add(struct store *s, const struct store_crash *c,
			 bool *is_new)
{
	int64_t seen = c->seen_ms ? c->seen_ms : store_now_ms(), bug, count;
	struct error *err;

	TRY(store_begin(s));
	err = note_bug(s, c, seen, &bug, &count);
	if (!err && count <= STORE_CRASHES_OF_BUG)
		err = keep(s, c, bug, seen);
	if (!err)
		err = store_commit(s);
	if (err) {
		store_rollback(s);
		return err;
	}
	if (is_new)
		*is_new = count == 1;
	return NULL;
}

fallible store_bug_next(struct store *s, int64_t *id, struct store_bug *out,
			bool *more)
{
	_cleanup_(store_endp) sqlite3_stmt *q = NULL;

	TRY(store_prepare(s,
			  "SELECT id, title, key, alts, crashes, first_ms,"
			  " last_ms FROM bugs WHERE id > ? ORDER BY id LIMIT 1",
			  &q));
	sqlite3_bind_int64(q, 1, *id);
	TRY(store_step(s, q, more));
	if (!*more)
		return NULL;
	*id = sqlite3_column_int64(q, 0);
	for (int i = 0; i < 3; i++) {
		s->bug[i].len = 0;
		buf_str(&s->bug[i],
			(const char *)sqlite3_column_text(q, 1 + i));
	}
	*out = (struct store_bug){
		.title = buf_cstr(&s->bug[0]),
		.key = buf_cstr(&s->bug[1]),
		.alts = buf_cstr(&s->bug[2]),
		.crashes = sqlite3_column_int64(q, 4),
		.first_ms = sqlite3_column_int64(q, 5),
		.last_ms = sqlite3_column_int64(q, 6),
	};
	return NULL;
}

fallible store_crash_next(struct store *s, int64_t bug, int64_t *id,
			  struct store_crash *out, int64_t *of_bug, bool *more)
{
	_cleanup_(store_endp) sqlite3_stmt *q = NULL;

	TRY(store_prepare(s,
			  "SELECT c.id, seen_ms, machine, kernel,"
			  " report_bytes, report, log_bytes, log,"
			  " program_bytes, program, before_bytes, before, bug,"
			  " title, key, alts FROM crashes c"
			  " JOIN bugs b ON b.id = bug"
			  " WHERE c.id > ?1 AND (?2 = 0 OR bug = ?2)"
			  " ORDER BY c.id LIMIT 1",
			  &q));
	sqlite3_bind_int64(q, 1, *id);
	sqlite3_bind_int64(q, 2, bug);
	TRY(store_step(s, q, more));
	if (!*more)
		return NULL;
	*id = sqlite3_column_int64(q, 0);
	*of_bug = sqlite3_column_int64(q, 12);
	for (int i = 0; i < 5; i++) {
		static const int column[] = { 13, 14, 15, 2, 3 };

		s->bug[i].len = 0;
		buf_str(&s->bug[i],
			(const char *)sqlite3_column_text(q, column[i]));
	}
	for (int i = 0; i < 4; i++) {
		struct slice packed = {
			sqlite3_column_blob(q, 5 + 2 * i),
			(size_t)sqlite3_column_bytes(q, 5 + 2 * i),
		};

		TRY(store_unpack(s, packed,
				 (size_t)sqlite3_column_int64(q, 4 + 2 * i),
				 &s->crash[i]));
	}
	*out = (struct store_crash){
		.title = buf_cstr(&s->bug[0]),
		.key = buf_cstr(&s->bug[1]),
		.alts = buf_cstr(&s->bug[2]),
		.machine = buf_cstr(&s->bug[3]),
		.kernel = buf_cstr(&s->bug[4]),
		.seen_ms = sqlite3_column_int64(q, 1),
		.report = buf_as_slice(&s->crash[0]),
		.log = buf_as_slice(&s->crash[1]),
		.program = buf_as_slice(&s->crash[2]),
		.before = buf_as_slice(&s->crash[3]),
	};
	return NULL;
}
