/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Input: a corpus.db, without the first eight bytes.  What can be read is
 * within its limits, in an order, and read the same after writing it.
 */
#include <unistd.h>

#include "base/buf.h"
#include "corpus/internal.h"
#include "target.h"

/* All records, as text of their own; the number that was promised. */
static struct corpus_reader *read_all(FILE *f, struct buf *out)
{
	struct corpus_reader *r = NULL;
	struct corpus_record rec;
	size_t n = 0, lost = 0;
	bool more = true;

	struct error *err = corpus_open_stream("db", f, &r);

	if (err) {
		error_free(err);
		return NULL;
	}
	while (!corpus_next(r, &rec, &more) && more) {
		ensure(rec.key.len <= CORPUS_MAX_KEY_BYTES);
		ensure(rec.value.len <= CORPUS_MAX_VALUE_BYTES);
		ensure(rec.seq != UINT64_MAX);
		buf_printf(out, "%zu %zu ", rec.key.len, rec.value.len);
		buf_add(out, &rec.seq, sizeof(rec.seq));
		buf_slice(out, rec.key);
		buf_slice(out, rec.value);
		n++;
	}
	lost = corpus_count(r) - n;
	ensure(!more && (!lost || corpus_damage(r)));
	return r;
}

static void write_again(struct corpus_reader *from, FILE *f, const char *path)
{
	_cleanup_(corpus_closep) struct corpus_reader *r = NULL;
	_cleanup_(corpus_writer_freep) struct corpus_writer *w = NULL;
	struct corpus_record rec;
	bool more;

	ensure(!corpus_open_stream("db", f, &r));
	ensure(!corpus_create(path, corpus_version(from), &w));
	while (!corpus_next(r, &rec, &more) && more)
		ensure(!corpus_add(w, &rec));
	ensure(!corpus_commit(w));
}

static FILE *stream(const char *db, size_t size)
{
	FILE *f = fmemopen((void *)(uintptr_t)db, size, "r");

	ensure(f);
	return f;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(corpus_closep) struct corpus_reader *r = NULL;
	_cleanup_(corpus_closep) struct corpus_reader *again = NULL;
	_cleanup_(buf_deinit) struct buf db = {}, one = {}, two = {};
	const uint32_t head[] = { CORPUS_DB_MAGIC, 1 + size % 2 };
	char path[64];

	buf_add(&db, head, sizeof(head));
	buf_add(&db, data, size);
	r = read_all(stream(db.data, db.len), &one);
	if (!r)
		return 0;
	snprintf(path, sizeof(path), "/tmp/fuzz-corpus-db.%d", getpid());
	write_again(r, stream(db.data, db.len), path);
	again = read_all(fopen(path, "r"), &two);
	unlink(path);
	ensure(again && !corpus_damage(again));
	ensure(slice_eq(buf_as_slice(&one), buf_as_slice(&two)));
	return 0;
}
