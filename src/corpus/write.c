/* SPDX-License-Identifier: GPL-2.0-or-later */
/* write.c - corpus.db into a file beside its place, then into its place. */
#include <endian.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "base/buf.h"
#include "base/mem.h"
#include "corpus/internal.h"

struct corpus_writer {
	char *path;
	char *temp; /* NULL: committed */
	FILE *f;
	z_stream z;
	struct buf rec;
};

static void put32(struct buf *b, uint32_t v)
{
	v = htole32(v);
	buf_add(b, &v, sizeof(v));
}

static void put64(struct buf *b, uint64_t v)
{
	v = htole64(v);
	buf_add(b, &v, sizeof(v));
}

static fallible flush(struct corpus_writer *w)
{
	if (fwrite(w->rec.data, 1, w->rec.len, w->f) != w->rec.len)
		return error_os("%s", w->temp);
	w->rec.len = 0;
	return NULL;
}

/* New files get what the umask leaves of 0666, as by open(). */
static int open_temp(char *temp)
{
	mode_t mask = umask(0);
	int fd = mkostemp(temp, O_CLOEXEC);

	umask(mask);
	if (fd >= 0)
		fchmod(fd, 0666 & ~mask);
	return fd;
}

fallible corpus_create(const char *path, uint64_t version,
		       struct corpus_writer **out)
{
	_cleanup_(corpus_writer_freep) struct corpus_writer *w =
		mem_calloc(1, sizeof(*w));
	_cleanup_(buf_deinit) struct buf temp = {};
	char *real = realpath(path, NULL); /* a link stays a link */

	w->path = real ? real : mem_strdup(path);
	if (deflateInit2(&w->z, Z_BEST_COMPRESSION, Z_DEFLATED, -MAX_WBITS, 8,
			 Z_DEFAULT_STRATEGY) != Z_OK)
		abort(); /* no memory */
	buf_printf(&temp, "%s.XXXXXX", w->path);
	int fd = open_temp(temp.data);

	if (fd < 0)
		return error_os("%s", temp.data);
	w->temp = mem_strdup(temp.data);
	w->f = fdopen(fd, "w");
	if (!w->f) {
		close(fd);
		return error_os("%s", w->temp);
	}
	put32(&w->rec, CORPUS_DB_MAGIC);
	put32(&w->rec, CORPUS_FORMAT);
	put64(&w->rec, version);
	TRY(flush(w));
	*out = take_ptr(w);
	return NULL;
}

static void pack(struct corpus_writer *w, struct slice value)
{
	uLong bound = deflateBound(&w->z, value.len);

	w->z.next_in = (Bytef *)(uintptr_t)value.p;
	w->z.avail_in = (uInt)value.len;
	put32(&w->rec, 0);
	w->z.next_out = (Bytef *)buf_reserve(&w->rec, bound);
	w->z.avail_out = (uInt)bound;
	if (deflate(&w->z, Z_FINISH) != Z_STREAM_END)
		abort(); /* there is room for all */
	uint32_t len = (uint32_t)(bound - w->z.avail_out), le = htole32(len);

	memcpy(w->rec.data + w->rec.len - sizeof(le), &le, sizeof(le));
	w->rec.len += len;
	deflateReset(&w->z);
}

fallible corpus_add(struct corpus_writer *w, const struct corpus_record *rec)
{
	if (rec->key.len > CORPUS_MAX_KEY_BYTES ||
	    rec->value.len > CORPUS_MAX_VALUE_BYTES ||
	    rec->seq == CORPUS_DELETED)
		return error_new(ERR_INPUT, "%s: too large for a corpus.db",
				 w->path);
	put32(&w->rec, CORPUS_RECORD_MAGIC);
	put32(&w->rec, (uint32_t)rec->key.len);
	buf_slice(&w->rec, rec->key);
	put64(&w->rec, rec->seq);
	if (rec->value.len)
		pack(w, rec->value);
	else
		put32(&w->rec, 0);
	return flush(w);
}

fallible corpus_commit(struct corpus_writer *w)
{
	if (fflush(w->f) || fsync(fileno(w->f)) || rename(w->temp, w->path))
		return error_os("%s", w->path);
	free(take_ptr(w->temp));
	return NULL;
}

void corpus_writer_free(struct corpus_writer *w)
{
	if (w->f)
		fclose(w->f);
	if (w->temp)
		unlink(w->temp);
	deflateEnd(&w->z);
	buf_deinit(&w->rec);
	free(w->temp);
	free(w->path);
	free(w);
}
