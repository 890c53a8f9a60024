/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "vm/initramfs.h"

#include <string.h>
#include <sys/stat.h>

#include "base/io.h"

struct entry {
	const char *path; /* without a leading slash */
	unsigned mode;
	unsigned major, minor;
	struct slice data;
};

static void pad(struct buf *b, size_t align)
{
	static const char zero[512];

	buf_add(b, zero, (align - b->len % align) % align);
}

/* The header: magic and 13 fields of 8 hex digits, then name and data. */
static void put(struct buf *b, const struct entry *e)
{
	/* Inode numbers tell hard links apart; the offset is unique. */
	unsigned ino = (unsigned)(b->len / 4 + 1);
	unsigned nlink = S_ISDIR(e->mode) ? 2 : 1;

	buf_printf(b,
		   "070701%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X",
		   ino, e->mode, 0, 0, nlink, 0, (unsigned)e->data.len, 0, 0,
		   e->major, e->minor, (unsigned)strlen(e->path) + 1, 0);
	buf_add(b, e->path, strlen(e->path) + 1);
	pad(b, 4);
	buf_slice(b, e->data);
	pad(b, 4);
}

static void put_dir(struct buf *b, const char *path)
{
	put(b, &(struct entry){ .path = path, .mode = S_IFDIR | 0755 });
}

void initramfs_begin(struct buf *b)
{
	put_dir(b, "dev");
	put_dir(b, "proc");
	put_dir(b, "sys");
	put(b, &(struct entry){ .path = "tmp", .mode = S_IFDIR | 01777 });
	initramfs_node(b, "dev/console", S_IFCHR | 0600, 5, 1);
	initramfs_node(b, "dev/null", S_IFCHR | 0666, 1, 3);
}

void initramfs_node(struct buf *b, const char *path, unsigned mode,
		    unsigned major, unsigned minor)
{
	while (*path == '/')
		path++;
	put(b, &(struct entry){
		       .path = path,
		       .mode = mode,
		       .major = major,
		       .minor = minor,
	       });
}

static fallible check_path(const char *path)
{
	size_t len = strlen(path);

	if (!len || len >= INITRAMFS_MAX_PATH)
		return error_new(
			ERR_INPUT,
			"a path in the initramfs is empty or too long");
	for (const char *p = path; p; p = strchr(p, '/')) {
		p += *p == '/';
		if (!strncmp(p, "..", 2) && (p[2] == '/' || !p[2]))
			return error_new(ERR_INPUT,
					 "%s: \"..\" in the initramfs", path);
	}
	return NULL;
}

/* The kernel makes no missing directories; it minds none that are there. */
static void put_parents(struct buf *b, const char *path)
{
	char dir[INITRAMFS_MAX_PATH];

	for (const char *p = strchr(path, '/'); p; p = strchr(p + 1, '/')) {
		memcpy(dir, path, (size_t)(p - path));
		dir[p - path] = '\0';
		if (strcmp(dir, "tmp") != 0)
			put_dir(b, dir);
	}
}

fallible initramfs_add(struct buf *b, const struct vm_file *f)
{
	_cleanup_(buf_deinit) struct buf content = {};
	const char *path = f->path;
	struct slice data = f->data;

	while (*path == '/')
		path++;
	TRY(check_path(path));
	if (f->host) {
		TRY(io_read_file(f->host, INITRAMFS_MAX_BYTES, &content));
		data = buf_as_slice(&content);
	}
	if (data.len > INITRAMFS_MAX_BYTES ||
	    b->len > INITRAMFS_MAX_BYTES - data.len)
		return error_new(ERR_INPUT, "initramfs larger than %d MiB",
				 INITRAMFS_MAX_BYTES >> 20);
	put_parents(b, path);
	unsigned type = f->mode & S_IFMT;
	put(b, &(struct entry){
		       .path = path,
		       .mode = (type ? 0 : S_IFREG) | f->mode,
		       .data = type == S_IFDIR ? (struct slice){} : data,
	       });
	return NULL;
}

void initramfs_end(struct buf *b)
{
	put(b, &(struct entry){ .path = "TRAILER!!!" });
	pad(b, 512);
}
