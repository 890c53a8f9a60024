/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * corpus.h - where programs come from: corpus.db, the file in which syzkaller
 * keeps them, which is written as well, and the logs of its executions.
 *
 * In corpus.db all numbers are little endian (facts: docs/db.md and the format that pkg/db of
 * google/syzkaller reads, August 2026):
 *
 *	file	u32 0xbaddb, u32 format (1 or 2), from format 2 on u64 version;
 *		records.  No bytes at all are an empty database.
 *	record	u32 0xfee1bad, u32 size of the key, key, u64 sequence number,
 *		u32 size of the packed value, packed value.
 *
 * A sequence number of all ones deletes the key: nothing follows it.  Records
 * are appended, so the last one of a key counts.  A value is packed as raw
 * deflate (RFC 1951), an empty one not at all.  The key of a program is the
 * SHA-1 of its text in hexadecimal; nothing here relies on that.
 *
 *	_cleanup_(corpus_closep) struct corpus_reader *r = NULL;
 *	TRY(corpus_open("corpus.db", &r));
 *	TRY(corpus_next(r, &rec, &more));
 *
 * Keys are up to 64 KiB and values up to 16 MiB, the limits of the original;
 * 16 M records.  What is in memory is one value, and 32 bytes per record.
 */
#ifndef CORPUS_CORPUS_H
#define CORPUS_CORPUS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/slice.h"

enum {
	CORPUS_MAX_KEY_BYTES = 64 << 10,
	CORPUS_MAX_VALUE_BYTES = 16 << 20,
	CORPUS_MAX_RECORDS = 16 << 20,
};

/* ---- corpus.db ------------------------------------------------------------ */

struct corpus_record {
	struct slice key, value;
	uint64_t seq; /* any number but UINT64_MAX */
};

struct corpus_reader;
struct corpus_writer;

/** Whether a regular file begins as a corpus.db does. */
bool corpus_is_db(const char *path);

/**
 * Open a file and find its records; damage is no error (corpus_damage()).
 * Errors: ERR_NOT_FOUND, ERR_INPUT (no such database, or a newer format),
 * ERR_OS.
 */
fallible corpus_open(const char *path, struct corpus_reader **out);
void corpus_close(struct corpus_reader *r);
DEFINE_CLEANUP(struct corpus_reader *, corpus_close)

/** The number that the file's owner gave it; 0 in format 1. */
uint64_t corpus_version(const struct corpus_reader *r);

/** How many records there are to read. */
size_t corpus_count(const struct corpus_reader *r);

/**
 * The next record, in the order of the file: of each key the last, and none
 * that was deleted.  Slices are valid until the next call.  `*more` is false
 * and `*out` is not written when there is none.  A value that does not unpack
 * is passed over.  Errors: ERR_OS.
 */
fallible corpus_next(struct corpus_reader *r, struct corpus_record *out,
		     bool *more);

/**
 * What is damaged as far as the file was read, and what was lost by that; NULL:
 * nothing.  Complete when corpus_next() has said that there is no more.
 */
const char *corpus_damage(const struct corpus_reader *r);

/**
 * Begin a file that takes the place of `path` in one step, when it is
 * committed.  Errors: ERR_OS.
 */
fallible corpus_create(const char *path, uint64_t version,
		       struct corpus_writer **out);

/** Keys must differ.  Errors: ERR_INPUT (over a limit), ERR_OS. */
fallible corpus_add(struct corpus_writer *w, const struct corpus_record *rec);

/** On disk when it returns.  Errors: ERR_OS; then `path` is as it was. */
fallible corpus_commit(struct corpus_writer *w);

/** Without a commit nothing is left. */
void corpus_writer_free(struct corpus_writer *w);
DEFINE_CLEANUP(struct corpus_writer *, corpus_writer_free)

/* ---- text.c: programs in logs ---------------------------------------------- */

/**
 * The name of the call in a line of a program ("open" of "r0 = open(...)");
 * empty: the line does not look like a call.
 */
struct slice corpus_call_name(struct slice line);

/**
 * Whether a text is a log of executions: it has lines that announce a program
 * ("executing program 3:"), after which the program stands, perhaps between
 * lines of others.  (Facts: docs/reproducing_crashes.md, prog/parse.go.)
 */
bool corpus_is_log(struct slice text);

/**
 * The next program of a log, as text of lines that look like calls; `log` is
 * cut.  A fault that was announced the old way ("(fault-call:1 fault-nth:2)",
 * both counted from 0) becomes the call's property.  False: there is no more.
 */
bool corpus_log_next(struct slice *log, struct buf *out);

#endif /* CORPUS_CORPUS_H */
