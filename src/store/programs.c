/* SPDX-License-Identifier: GPL-2.0-or-later */
/* programs.c - the corpus. */
#include <time.h>

#include "store/internal.h"

int64_t store_now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Parameters are numbered from 1.  Nothing is bound for a NULL. */
static void bind_blob(sqlite3_stmt *q, int at, struct slice s)
{
	if (s.p)
		sqlite3_bind_blob64(q, at, s.p, s.len, SQLITE_STATIC);
}

static struct slice column_blob(sqlite3_stmt *q, int at)
{
	const void *p = sqlite3_column_blob(q, at);

	return (struct slice){ p, (size_t)sqlite3_column_bytes(q, at) };
}

static void bind_name(sqlite3_stmt *q, int at, const struct store_name *n)
{
	sqlite3_bind_blob(q, at, n->bytes, STORE_NAME_BYTES, SQLITE_STATIC);
}

fallible store_program_add(struct store *s, const struct store_program *p,
			   bool *added)
{
	_cleanup_(store_endp) sqlite3_stmt *q = NULL;
	struct slice text = p->text.p ? p->text : SLICE("");
	struct store_name name = store_name(text);

	if (text.len > STORE_MAX_TEXT_BYTES)
		return error_new(ERR_INPUT,
				 "a program of %zu bytes; the limit is %d",
				 text.len, STORE_MAX_TEXT_BYTES);
	TRY(store_prepare(s,
			  "INSERT INTO programs (name, text_bytes, text, signal,"
			  " descriptions, added_ms)"
			  " VALUES (?, ?, ?, ?, nullif(?, 0), ?)"
			  " ON CONFLICT DO NOTHING",
			  &q));
	bind_name(q, 1, &name);
	sqlite3_bind_int64(q, 2, (int64_t)text.len);
	bind_blob(q, 3, store_pack(s, text));
	bind_blob(q, 4, p->signal);
	sqlite3_bind_int64(q, 5, (int64_t)p->descriptions);
	sqlite3_bind_int64(q, 6, p->added_ms ? p->added_ms : store_now_ms());
	TRY(store_run(s, q));
	if (added)
		*added = sqlite3_changes(s->db) != 0;
	return NULL;
}

fallible store_program_next(struct store *s, int64_t *id,
			    struct store_program *out, bool *more)
{
	_cleanup_(store_endp) sqlite3_stmt *q = NULL;
	bool row, known;

	TRY(store_prepare(s,
			  "SELECT id, text_bytes, text, signal, descriptions,"
			  " added_ms FROM programs WHERE id > ?"
			  " ORDER BY id LIMIT 1",
			  &q));
	sqlite3_bind_int64(q, 1, *id);
	TRY(store_step(s, q, &row));
	*more = row;
	if (!row)
		return NULL;
	TRY(store_unpack(s, column_blob(q, 2),
			 (size_t)sqlite3_column_int64(q, 1), &s->text));
	known = sqlite3_column_type(q, 3) != SQLITE_NULL;
	s->signal.len = 0;
	buf_slice(&s->signal, column_blob(q, 3));
	*id = sqlite3_column_int64(q, 0);
	*out = (struct store_program){
		.text = { buf_cstr(&s->text), s->text.len },
		.signal = { known ? buf_cstr(&s->signal) : NULL,
			    s->signal.len },
		.descriptions = (uint64_t)sqlite3_column_int64(q, 4),
		.added_ms = sqlite3_column_int64(q, 5),
	};
	return NULL;
}

fallible store_program_find(struct store *s, struct store_name name,
			    int64_t *id)
{
	_cleanup_(store_endp) sqlite3_stmt *q = NULL;
	bool row;

	TRY(store_prepare(s, "SELECT id FROM programs WHERE name = ?", &q));
	bind_name(q, 1, &name);
	TRY(store_step(s, q, &row));
	*id = row ? sqlite3_column_int64(q, 0) : 0;
	return NULL;
}

fallible store_program_delete(struct store *s, int64_t id)
{
	_cleanup_(store_endp) sqlite3_stmt *q = NULL;

	TRY(store_prepare(s, "DELETE FROM programs WHERE id = ?", &q));
	sqlite3_bind_int64(q, 1, id);
	return store_run(s, q);
}

fallible store_program_count(struct store *s, struct store_program_counts *out)
{
	_cleanup_(store_endp) sqlite3_stmt *q = NULL;
	bool row;

	TRY(store_prepare(s,
			  "SELECT count(*), count(signal), total(text_bytes),"
			  " total(length(text)) FROM programs",
			  &q));
	TRY(store_step(s, q, &row));
	*out = (struct store_program_counts){
		.programs = (uint64_t)sqlite3_column_int64(q, 0),
		.with_signal = (uint64_t)sqlite3_column_int64(q, 1),
		.text_bytes = (uint64_t)sqlite3_column_double(q, 2),
		.packed_bytes = (uint64_t)sqlite3_column_double(q, 3),
	};
	return NULL;
}
