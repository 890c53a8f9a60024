/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cache.c - the directory of kernels: locks, staging, publishing. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <xxhash.h>

#include "base/io.h"
#include "base/mem.h"
#include "elf/elf.h"
#include "kbuild/internal.h"
#include "json/json.h"

#define STAGE_PREFIX ".tmp-"

struct kernel_cache {
	char *path;
};

const char *cache_path(const struct kernel_cache *c)
{
	return c->path;
}

void kernel_cache_dir(struct buf *out)
{
	const char *xdg = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");

	if (xdg && *xdg == '/')
		buf_printf(out, "%s/bugon/kernel", xdg);
	else
		buf_printf(out, "%s/.cache/bugon/kernel", home ? home : "");
}

/* ---- locks: a byte of ".lock" per key ---- */

static fallible lock_byte(const char *dir, const char *key, bool wait, int *out)
{
	_cleanup_(freep) char *path = text_printf("%s/.lock", dir);
	_cleanup_(close_fdp) int fd =
		open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
	struct flock l = {
		.l_type = F_WRLCK,
		.l_whence = SEEK_SET,
		.l_start = (off_t)(XXH3_64bits(key, strlen(key)) >> 2),
		.l_len = 1,
	};

	if (fd < 0)
		return error_os("%s", path);
	while (fcntl(fd, wait ? F_OFD_SETLKW : F_OFD_SETLK, &l) < 0) {
		if (errno != EINTR)
			return error_os("%s", path);
		TRY(child_check_cancelled());
	}
	*out = fd;
	fd = -1;
	return NULL;
}

fallible cache_lock(struct kernel_cache *c, const char *key, int *out)
{
	return lock_byte(c->path, key, true, out);
}

/* ---- staging ---- */

/* Only its owner holds the lock on a stage's name. */
static void sweep(const struct kernel_cache *c)
{
	DIR *d = opendir(c->path);

	for (struct dirent *e; d && (e = readdir(d));) {
		_cleanup_(close_fdp) int lock = -1;
		struct error *err;

		if (strncmp(e->d_name, STAGE_PREFIX, strlen(STAGE_PREFIX)) != 0)
			continue;
		err = lock_byte(c->path, e->d_name, false, &lock);
		if (!err) {
			_cleanup_(freep) char *path =
				text_printf("%s/%s", c->path, e->d_name);

			file_remove_tree(path);
		}
		error_free(err);
	}
	if (d)
		closedir(d);
}

fallible kernel_cache_open(const char *dir, struct kernel_cache **out)
{
	_cleanup_(kernel_cache_closep) struct kernel_cache *c =
		mem_calloc(1, sizeof(*c));
	_cleanup_(buf_deinit) struct buf path = {};

	if (dir)
		buf_str(&path, dir);
	else
		kernel_cache_dir(&path);
	TRY(file_make_dirs(buf_cstr(&path)));
	/* Absolute: programs get it that run elsewhere. */
	c->path = realpath(buf_cstr(&path), NULL);
	if (!c->path)
		return error_os("%s", buf_cstr(&path));
	sweep(c);
	*out = take_ptr(c);
	return NULL;
}

void kernel_cache_close(struct kernel_cache *c)
{
	if (!c)
		return;
	free(c->path);
	free(c);
}

fallible stage_open(struct kernel_cache *c, struct stage *out)
{
	struct stage s = { .lock = -1 };
	char name[64];
	uint64_t r;

	if (getrandom(&r, sizeof(r), 0) != sizeof(r))
		return error_os("random numbers");
	snprintf(name, sizeof(name), STAGE_PREFIX "%d-%016jx", (int)getpid(),
		 (uintmax_t)r);
	/* The lock comes first: whoever sees the directory finds it locked. */
	TRY(lock_byte(c->path, name, true, &s.lock));
	s.dir = text_printf("%s/%s", c->path, name);
	s.out = text_printf("%s/out", s.dir);
	if (mkdir(s.dir, 0777) < 0 || mkdir(s.out, 0777) < 0) {
		struct error *err = error_os("%s", s.dir);

		stage_close(&s);
		return err;
	}
	*out = s;
	return NULL;
}

void stage_close(struct stage *s)
{
	if (!s->dir)
		return;
	file_remove_tree(s->dir);
	free(s->dir);
	free(s->out);
	close_fdp(&s->lock);
	*s = (struct stage){ .lock = -1 };
}

/* ---- publishing ---- */

static fallible hash_file(XXH3_state_t *h, const char *path)
{
	_cleanup_(close_fdp) int fd = -1;
	char data[65536];
	ssize_t n;

	TRY(io_open_read(path, &fd));
	while ((n = read(fd, data, sizeof(data))) != 0) {
		if (n < 0 && errno != EINTR)
			return error_os("%s", path);
		if (n > 0)
			XXH3_128bits_update(h, data, (size_t)n);
	}
	return NULL;
}

/* Equal code and configuration, however and wherever they were built. */
static fallible content_key(const struct kernel_entry *e,
			    const struct kernel_info *i, char key[13])
{
	XXH3_state_t *h = XXH3_createState();
	struct error *err = NULL;

	if (!h)
		abort();
	XXH3_128bits_reset(h);
	/* What others built is known by its bytes, symbols or not. */
	if (*i->signature && !strcmp(i->origin, "build"))
		XXH3_128bits_update(h, i->signature, strlen(i->signature));
	else
		err = hash_file(h, e->image);
	if (!err && e->config)
		err = hash_file(h, e->config);
	XXH128_hash_t d = XXH3_128bits_digest(h);
	XXH3_freeState(h);
	snprintf(key, 13, "%012jx", (uintmax_t)(d.high64 >> 16));
	return err;
}

static fallible info_from_files(const struct kernel_entry *e,
				struct kernel_info *i)
{
	i->time_s = (int64_t)time(NULL);
	TRY(info_from_config(e, i));
	if (e->vmlinux && !*i->signature) {
		char sig[ELF_SIGNATURE_BYTES];

		struct error *err = elf_signature(e->vmlinux, sig);
		if (!err)
			info_set(&i->signature, slice_cstr(sig));
		else if (error_kind(err) != ERR_NOT_FOUND)
			return err;
		error_free(err); /* symbols alone, without code */
	}
	return NULL;
}

/* Letters that are fit for a name of a directory. */
static void clean_name(char *s)
{
	for (; *s; s++)
		if (*s <= ' ' || *s == '/' || *s > '~')
			*s = '-';
}

fallible stage_publish(struct kernel_cache *c, struct stage *s,
		       struct kernel_info *info, struct buf *dir, bool *known)
{
	_cleanup_(kernel_entry_deinit) struct kernel_entry e = {};
	_cleanup_(freep) char *name = NULL;
	char key[13];

	if (!kernel_entry_read(s->out, &e))
		return error_new(ERR_BUG, "%s: no kernel in it", s->out);
	TRY(info_from_files(&e, info));
	TRY(content_key(&e, info, key));
	name = text_printf("%s_%s_%s", *info->release ? info->release : "linux",
			   info->arch, key);
	clean_name(name);
	_cleanup_(freep) char *path = text_printf("%s/info", s->out);
	_cleanup_(freep) char *to = text_printf("%s/%s", c->path, name);
	TRY(info_write(info, path));
	*known = false;
	if (renameat2(AT_FDCWD, s->out, AT_FDCWD, to, RENAME_NOREPLACE) < 0) {
		if (errno != EEXIST)
			return error_os("%s", to);
		*known = true;
	}
	buf_str(dir, to);
	return NULL;
}
