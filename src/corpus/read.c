/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * read.c - corpus.db in two passes: the first finds out, by frames alone, which
 * record of each key is the last; the second unpacks those, one at a time.
 */
#include <endian.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>
#include <xxhash.h>
#include <zlib.h>

#include "base/buf.h"
#include "base/io.h"
#include "base/mem.h"
#include "base/vec.h"
#include "corpus/internal.h"

/* A record, by a hash of its key; two keys of one hash are not expected. */
struct place {
	XXH128_hash_t key;
	off_t at; /* of its key's size */
	bool deleted;
};

struct corpus_reader {
	char *name;
	FILE *f;
	off_t size_bytes;
	uint64_t version;
	VEC(struct place) places; /* the live ones, by position */
	size_t next;
	z_stream z;
	struct buf key, value, damage;
	size_t unreadable; /* values */
};

/* ---- Reading numbers ------------------------------------------------------ */

enum got { GOT, GOT_END, GOT_FAILED };

/* All of `n` bytes; the file ends in the middle of them or before: GOT_END. */
static enum got get(struct corpus_reader *r, void *to, size_t n)
{
	if (fread(to, 1, n, r->f) == n)
		return GOT;
	return ferror(r->f) ? GOT_FAILED : GOT_END;
}

static enum got get32(struct corpus_reader *r, uint32_t *out)
{
	enum got g = get(r, out, sizeof(*out));

	*out = le32toh(*out);
	return g;
}

static enum got get64(struct corpus_reader *r, uint64_t *out)
{
	enum got g = get(r, out, sizeof(*out));

	*out = le64toh(*out);
	return g;
}

static enum got skip(struct corpus_reader *r, uint32_t n)
{
	off_t at = ftello(r->f);

	if (at < 0 || n > r->size_bytes - at)
		return GOT_END;
	return fseeko(r->f, n, SEEK_CUR) ? GOT_FAILED : GOT;
}

/* ---- The first pass ------------------------------------------------------- */

static fallible read_header(struct corpus_reader *r)
{
	uint32_t magic = 0, format = 0;

	if (!r->size_bytes)
		return NULL;
	if (get32(r, &magic) != GOT || magic != CORPUS_DB_MAGIC)
		return error_new(ERR_INPUT, "%s: not a corpus.db", r->name);
	if (get32(r, &format) != GOT)
		return error_new(ERR_INPUT, "%s: ends within its header",
				 r->name);
	if (!format || format > CORPUS_FORMAT)
		return error_new(ERR_INPUT,
				 "%s: a corpus.db of format %" PRIu32
				 "; known are 1 to %d",
				 r->name, format, CORPUS_FORMAT);
	if (format > 1 && get64(r, &r->version) != GOT)
		return error_new(ERR_INPUT, "%s: ends within its header",
				 r->name);
	return NULL;
}

/* What is wrong at `at`, behind which nothing can be made out. */
static void note_damage(struct corpus_reader *r, off_t at, const char *what)
{
	buf_printf(&r->damage,
		   "damaged at byte %jd (%s): %jd bytes from there are lost",
		   (intmax_t)at, what, (intmax_t)(r->size_bytes - at));
}

/* A record's frame.  NULL, or what is wrong with it; `*g` is GOT_FAILED then
 * if it is reading that went wrong. */
static const char *scan_record(struct corpus_reader *r, struct place *p,
			       enum got *g)
{
	static const char cut[] = "the file ends within a record";
	uint32_t magic, len;
	uint64_t seq;

	*g = get32(r, &magic);
	if (*g != GOT)
		return cut;
	if (magic != CORPUS_RECORD_MAGIC)
		return "no record begins there";
	p->at = ftello(r->f);
	*g = get32(r, &len);
	if (*g != GOT)
		return cut;
	if (len > CORPUS_MAX_KEY_BYTES)
		return "a key of over 64 KiB";
	r->key.len = 0;
	*g = get(r, buf_reserve(&r->key, len), len);
	if (*g != GOT || (*g = get64(r, &seq)) != GOT)
		return cut;
	p->key = XXH3_128bits(r->key.data, len);
	p->deleted = seq == CORPUS_DELETED;
	if (p->deleted)
		return NULL;
	if ((*g = get32(r, &len)) != GOT || (*g = skip(r, len)) != GOT)
		return cut;
	return NULL;
}

static int by_key(const void *a, const void *b)
{
	const struct place *x = a, *y = b;
	int order = XXH128_cmp(&x->key, &y->key);

	return order ? order : (x->at > y->at) - (x->at < y->at);
}

static int by_place(const void *a, const void *b)
{
	const struct place *x = a, *y = b;

	return (x->at > y->at) - (x->at < y->at);
}

/* Of each key the last record, unless that deletes it. */
static void keep_live(struct corpus_reader *r)
{
	struct place *p = r->places.data;
	size_t n = r->places.len, live = 0;

	if (!n)
		return;
	qsort(p, n, sizeof(*p), by_key);
	for (size_t i = 0; i < n; i++) {
		bool last = i + 1 == n ||
			    !XXH128_isEqual(p[i].key, p[i + 1].key);

		if (last && !p[i].deleted)
			p[live++] = p[i];
	}
	qsort(p, live, sizeof(*p), by_place);
	r->places.len = live;
}

static fallible scan(struct corpus_reader *r)
{
	enum got g = GOT;

	for (;;) {
		struct place p = {};
		off_t at = ftello(r->f);

		if (at < 0)
			return error_os("%s", r->name);
		if (at >= r->size_bytes)
			break;
		const char *wrong = r->places.len < CORPUS_MAX_RECORDS ?
					    scan_record(r, &p, &g) :
					    "more than 16 M records";
		if (g == GOT_FAILED)
			return error_os("%s", r->name);
		if (wrong) {
			note_damage(r, at, wrong);
			break;
		}
		vec_push(&r->places, p);
	}
	keep_live(r);
	return NULL;
}

/* ---- The second ----------------------------------------------------------- */

/* The value that follows.  *ok is false if it does not unpack. */
static fallible unpack(struct corpus_reader *r, uint32_t packed, bool *ok)
{
	unsigned char in[CORPUS_CHUNK_BYTES];
	int status = Z_OK;

	*ok = false;
	inflateReset(&r->z);
	r->z.avail_in = 0;
	while (status == Z_OK) {
		if (!r->z.avail_in) {
			size_t n = MIN(packed, (uint32_t)sizeof(in));

			if (!n || get(r, in, n) != GOT)
				break;
			packed -= (uint32_t)n;
			r->z.next_in = in;
			r->z.avail_in = (uInt)n;
		}
		r->z.next_out =
			(Bytef *)buf_reserve(&r->value, CORPUS_CHUNK_BYTES);
		r->z.avail_out = CORPUS_CHUNK_BYTES;
		status = inflate(&r->z, Z_NO_FLUSH);
		r->value.len += CORPUS_CHUNK_BYTES - r->z.avail_out;
		if (r->value.len > CORPUS_MAX_VALUE_BYTES)
			return NULL;
	}
	*ok = status == Z_STREAM_END;
	return ferror(r->f) ? error_os("%s", r->name) : NULL;
}

static fallible read_record(struct corpus_reader *r, const struct place *p,
			    struct corpus_record *rec, bool *ok)
{
	uint32_t len = 0, packed = 0;

	*ok = false;
	r->key.len = r->value.len = 0;
	if (fseeko(r->f, p->at, SEEK_SET))
		return error_os("%s", r->name);
	/* The file may have been cut since it was scanned. */
	if (get32(r, &len) != GOT || len > CORPUS_MAX_KEY_BYTES ||
	    get(r, buf_reserve(&r->key, len), len) != GOT ||
	    get64(r, &rec->seq) != GOT || get32(r, &packed) != GOT)
		return ferror(r->f) ? error_os("%s", r->name) : NULL;
	r->key.len = len;
	*ok = true;
	if (packed)
		TRY(unpack(r, packed, ok));
	rec->key = buf_as_slice(&r->key);
	rec->value = buf_as_slice(&r->value);
	return NULL;
}

static void note_unreadable(struct corpus_reader *r)
{
	if (!r->unreadable)
		return;
	buf_printf(&r->damage, "%s%zu value%s not unpack and %s left out",
		   r->damage.len ? "; " : "", r->unreadable,
		   r->unreadable == 1 ? " does" : "s do",
		   r->unreadable == 1 ? "is" : "are");
	r->unreadable = 0;
}

fallible corpus_next(struct corpus_reader *r, struct corpus_record *out,
		     bool *more)
{
	struct corpus_record rec = {};
	bool ok = false;

	while (!ok && r->next < r->places.len) {
		TRY(read_record(r, &r->places.data[r->next++], &rec, &ok));
		r->unreadable += !ok;
	}
	if (ok)
		*out = rec;
	else
		note_unreadable(r);
	*more = ok;
	return NULL;
}

/* ---- Opening -------------------------------------------------------------- */

fallible corpus_open_stream(const char *name, FILE *f,
			    struct corpus_reader **out)
{
	_cleanup_(corpus_closep) struct corpus_reader *r =
		mem_calloc(1, sizeof(*r));

	r->name = mem_strdup(name);
	r->f = f;
	if (inflateInit2(&r->z, -MAX_WBITS) != Z_OK)
		abort(); /* no memory */
	if (fseeko(f, 0, SEEK_END) || (r->size_bytes = ftello(f)) < 0 ||
	    fseeko(f, 0, SEEK_SET))
		return error_os("%s", name);
	TRY(read_header(r));
	TRY(scan(r));
	*out = take_ptr(r);
	return NULL;
}

fallible corpus_open(const char *path, struct corpus_reader **out)
{
	_cleanup_(close_fdp) int fd = -1;

	TRY(io_open_regular(path, &fd));
	FILE *f = fdopen(fd, "r");

	if (!f)
		return error_os("%s", path);
	fd = -1;
	return corpus_open_stream(path, f, out);
}

void corpus_close(struct corpus_reader *r)
{
	inflateEnd(&r->z);
	fclose(r->f);
	vec_free(&r->places);
	buf_deinit(&r->key);
	buf_deinit(&r->value);
	buf_deinit(&r->damage);
	free(r->name);
	free(r);
}

bool corpus_is_db(const char *path)
{
	_cleanup_(close_fdp) int fd = -1;
	struct error *err = io_open_regular(path, &fd);
	uint32_t magic;

	error_free(err);
	return !err && read(fd, &magic, sizeof(magic)) == sizeof(magic) &&
	       le32toh(magic) == CORPUS_DB_MAGIC;
}

uint64_t corpus_version(const struct corpus_reader *r)
{
	return r->version;
}

size_t corpus_count(const struct corpus_reader *r)
{
	return r->places.len;
}

const char *corpus_damage(const struct corpus_reader *r)
{
	return r->damage.len ? r->damage.data : NULL;
}
