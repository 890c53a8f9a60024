/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cache.c - compiled descriptions in a file.
 *
 * The file is a header and the arrays of struct desc as they are in memory.
 * It is known by a hash of what it was made from: the program itself, the
 * architecture, and name, size, inode and times of each file.  Times of files
 * changed just now could stay the same at the next change: then nothing is
 * written.
 */
#include <dirent.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <xxhash.h>

#include "base/files.h"
#include "base/io.h"
#include "base/mem.h"
#include "desc/internal.h"

#define CACHE_MAGIC 0x31435345444e4742ull /* "BGNDESC1" */
#define SETTLED_NS 100000000ll /* more than file systems' time stamps tick */

enum { ARRAYS = 9, CACHE_BYTES_MAX = 1 << 30 };

struct cache_header {
	uint64_t checksum; /* XXH3 of all that is behind it */
	uint64_t magic, key;
	uint64_t bytes; /* of the file */
	uint64_t unsupported;
	uint64_t counts[ARRAYS];
};

/* The arrays of a struct desc, in the order they have in the file. */
struct array {
	const void **data;
	size_t *count, size;
};

#define ARRAY_OF(d, of, n)                                         \
	{                                                          \
		(const void **)&(d)->of, &(d)->n, sizeof(*(d)->of) \
	}

static void list_arrays(struct desc *d, struct array a[ARRAYS])
{
	const struct array all[ARRAYS] = {
		ARRAY_OF(d, calls, ncalls),
		ARRAY_OF(d, types, ntypes),
		ARRAY_OF(d, records, nrecords),
		ARRAY_OF(d, fields, nfields),
		ARRAY_OF(d, exprs, nexprs),
		ARRAY_OF(d, resources, nresources),
		ARRAY_OF(d, values, nvalues),
		ARRAY_OF(d, value_names, nvalues),
		ARRAY_OF(d, pool, pool_bytes),
	};

	memcpy(a, all, sizeof(all));
}

static size_t padded(size_t n)
{
	return (n + 7) & ~(size_t)7;
}

struct key {
	XXH3_state_t *state;
	int64_t newest_ns;
};

static void key_stat(struct key *k, const char *name, const struct stat *st)
{
	const int64_t parts[] = {
		st->st_size,
		(int64_t)st->st_ino,
		(int64_t)st->st_dev,
		st->st_mtim.tv_sec * 1000000000ll + st->st_mtim.tv_nsec,
		st->st_ctim.tv_sec * 1000000000ll + st->st_ctim.tv_nsec,
	};

	XXH3_64bits_update(k->state, name, strlen(name) + 1);
	XXH3_64bits_update(k->state, parts, sizeof(parts));
	if (parts[4] > k->newest_ns)
		k->newest_ns = parts[4];
}

/* What the result depends on, in one number; false: it cannot be told. */
static bool make_key(const char *dir, const struct desc_arch *arch,
		     uint64_t *out, int64_t *newest_ns)
{
	struct key k = { .state = XXH3_createState() };
	struct dirent **found = NULL;
	struct stat st;
	bool ok = stat("/proc/self/exe", &st) == 0;
	int n = scandir(dir, &found, desc_is_input, desc_by_bytes);

	XXH3_64bits_reset(k.state);
	if (ok)
		key_stat(&k, arch->name, &st);
	k.newest_ns = 0;
	ok &= n > 0;
	for (int i = 0; i < n; i++) {
		_cleanup_(freep) char *path =
			text_printf("%s/%s", dir, found[i]->d_name);

		ok &= stat(path, &st) == 0;
		if (ok)
			key_stat(&k, found[i]->d_name, &st);
		free(found[i]);
	}
	free(found);
	*out = XXH3_64bits_digest(k.state);
	*newest_ns = k.newest_ns;
	XXH3_freeState(k.state);
	return ok;
}

/* Point the arrays into the file; false when it is not what it should be. */
static bool adopt(struct desc *d, const char *map, size_t bytes, uint64_t key)
{
	const struct cache_header *h = (const void *)map;
	size_t at = sizeof(*h);
	struct array a[ARRAYS];

	if (bytes < sizeof(*h) || h->magic != CACHE_MAGIC || h->key != key ||
	    h->bytes != bytes)
		return false;
	list_arrays(d, a);
	for (size_t i = 0; i < ARRAYS; i++) {
		if (h->counts[i] > (bytes - at) / a[i].size)
			return false;
		*a[i].data = map + at;
		*a[i].count = h->counts[i];
		at += padded(h->counts[i] * a[i].size);
		if (at > bytes)
			return false;
	}
	d->unsupported = h->unsupported;
	return at == bytes && h->counts[ARRAYS - 2] == h->counts[ARRAYS - 3] &&
	       XXH3_64bits(&h->magic, bytes - 8) == h->checksum;
}

static struct desc *open_cached(const char *path, uint64_t key,
				const struct desc_arch *arch)
{
	_cleanup_(close_fdp) int fd =
		open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	struct stat st;

	/* Only what nobody else can write. */
	if (fd < 0 || fstat(fd, &st) || !S_ISREG(st.st_mode) ||
	    st.st_uid != geteuid() || (st.st_mode & 022) || !st.st_size ||
	    st.st_size > CACHE_BYTES_MAX)
		return NULL;
	size_t bytes = (size_t)st.st_size;
	void *map =
		mmap(NULL, bytes, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd, 0);
	struct desc *d = mem_calloc(1, sizeof(*d));

	if (map != MAP_FAILED && adopt(d, map, bytes, key)) {
		d->arch = arch;
		d->map = map;
		d->map_bytes = bytes;
		return d;
	}
	if (map != MAP_FAILED)
		munmap(map, bytes);
	free(d);
	return NULL;
}

static void to_file(struct desc *d, uint64_t key, struct buf *out)
{
	struct cache_header h = { .magic = CACHE_MAGIC,
				  .key = key,
				  .unsupported = d->unsupported };
	static const char zero[8];
	struct array a[ARRAYS];

	list_arrays(d, a);
	buf_add(out, &h, sizeof(h));
	for (size_t i = 0; i < ARRAYS; i++) {
		size_t n = *a[i].count * a[i].size;

		h.counts[i] = *a[i].count;
		if (n)
			buf_add(out, *a[i].data, n);
		buf_add(out, zero, padded(n) - n);
	}
	h.bytes = out->len;
	memcpy(out->data, &h, sizeof(h));
	h.checksum = XXH3_64bits(out->data + 8, out->len - 8);
	memcpy(out->data, &h, sizeof(h));
}

/* Nobody misses a cache that cannot be written. */
static void save(struct desc *d, uint64_t key, const char *cache_dir,
		 const char *path)
{
	_cleanup_(buf_deinit) struct buf out = {};
	struct error *err = file_make_dirs(cache_dir);

	if (!err) {
		to_file(d, key, &out);
		err = file_replace(path, 0600, buf_as_slice(&out));
	}
	error_free(err);
}

static int64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return t.tv_sec * 1000000000ll + t.tv_nsec;
}

fallible desc_load(const char *dir, const struct desc_arch *arch,
		   const char *cache_dir, struct desc_input *in,
		   struct desc **out)
{
	_cleanup_(freep) char *real = realpath(dir, NULL);
	_cleanup_(freep) char *path = NULL;
	uint64_t key = 0, again = 0;
	int64_t newest_ns, since_ns = now_ns();
	bool keyed = cache_dir && real &&
		     make_key(real, arch, &key, &newest_ns);

	if (keyed) {
		path = text_printf(
			"%s/%016llx-%s", cache_dir,
			(unsigned long long)XXH3_64bits(real, strlen(real)),
			arch->name);
		*out = open_cached(path, key, arch);
		if (*out)
			return NULL;
	}
	TRY(desc_input_dir(in, dir));
	struct desc *d = desc_compile(in, arch);

	if (keyed && !desc_errors(in) && since_ns - newest_ns > SETTLED_NS &&
	    make_key(real, arch, &again, &newest_ns) && again == key)
		save(d, key, cache_dir, path);
	*out = d;
	return NULL;
}
