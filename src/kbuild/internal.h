/* SPDX-License-Identifier: GPL-2.0-or-later */
/* internal.h - what the files of src/kbuild/ share. */
#ifndef KBUILD_INTERNAL_H
#define KBUILD_INTERNAL_H

#include "base/child.h"
#include "base/files.h"
#include "kbuild/kbuild.h"

/* --- files.c --- */

/** Copy a regular file, sharing blocks where the file system can. */
fallible file_copy(const char *from, const char *to);

/** rename(), or a copy when that is on another file system. */
fallible file_move(const char *from, const char *to);

/** Bytes of disk below `path`. */
uint64_t file_tree_bytes(const char *path);

/** Error unless about `need` bytes are free where `path` is. */
fallible file_need_space(const char *path, uint64_t need);

/** The value of NAME=value or "" in a .config's text; quotes removed. */
struct slice config_value(struct slice config, struct slice name);

void talk_progress(const struct kernel_talk *t, const char *fmt, ...)
	PRINTF(2, 3);
void talk_note(const struct kernel_talk *t, const char *fmt, ...) PRINTF(2, 3);

/* --- cache.c --- */

/* A lock of the cache on `key`; released by closing the descriptor. */
fallible cache_lock(struct kernel_cache *c, const char *key, int *out);

const char *cache_path(const struct kernel_cache *c);

/* A directory of ours in the cache to prepare something in. */
struct stage {
	char *dir;
	char *out; /* dir/out: what becomes the kernel's directory */
	int lock;
};

fallible stage_open(struct kernel_cache *c, struct stage *out);
void stage_close(struct stage *s);

/**
 * Fill `info` in from the files in s->out, write it there, and give that
 * directory its place and name in the cache.  If the same kernel is there
 * already, it stays and *known is true.  `dir` gets its path.
 */
fallible stage_publish(struct kernel_cache *c, struct stage *s,
		       struct kernel_info *info, struct buf *dir, bool *known);

void info_deinit(struct kernel_info *i);
void info_set(char **field, struct slice text);
fallible info_write(const struct kernel_info *i, const char *path);
/** What the configuration beside a kernel says of it. */
fallible info_from_config(const struct kernel_entry *e, struct kernel_info *i);

/* --- apt.c: what Debian's archive offers --- */

struct package {
	char *name, *version;
	char *depends; /* the first linux-image-* it depends on; "" if none */
	uint64_t size_bytes, installed_bytes;
};

void package_deinit(struct package *p);

/**
 * A package, NAME or NAME=VERSION; *found is false if there is none.
 * Errors: ERR_NOT_FOUND (no apt here), ERR_CANCELLED.
 */
fallible apt_show(const char *name, struct package *out, bool *found);

/** The kernel image that `what` (see struct kernel_fetch) means. */
fallible apt_resolve(const char *what, struct package *out);

/**
 * Download into `dir` and unpack to `to`; deletes the package file.
 * Errors: ERR_INFRA, ERR_OS, ERR_CANCELLED.
 */
fallible apt_unpack(const struct package *p, const char *dir, const char *to,
		    const struct kernel_talk *talk);

/* --- tree.c --- */

struct arch {
	const char *name, *target;
	const char *image, *image_name; /* below the objects; in the cache */
	const char *cross; /* prefix of the compiler; "" if it is the host's */
	bool has_vmlinux; /* beside the image */
};

/** Errors: ERR_USAGE. */
fallible arch_find(const char *name, const struct arch **out);

/* make, with a tree and a directory for the objects. */
struct make {
	const struct arch *arch;
	const struct kernel_talk *talk;
	char *source; /* the tree, absolute, or a stand-in with patches */
	char *objects; /* in the stage */
	char *cc;
	char *log; /* path; all that make said */
	int log_fd;
	unsigned nr_objects; /* compiled so far */
	int64_t start_s;
};

/** Check the tree, and prepare. Errors: ERR_INPUT, ERR_NOT_FOUND, ERR_OS. */
fallible make_open(const struct kernel_tree *t, const struct stage *s,
		   struct make *out);
void make_close(struct make *m);

/**
 * Make a target; progress is shown.  Errors: ERR_NOT_FOUND (with what to
 * install), ERR_BUILD (with the first error in it), ERR_OS, ERR_CANCELLED.
 */
fallible make_run(struct make *m, const char *target, unsigned jobs);

/** A program of the tree's in the same surroundings (merge_config.sh). */
fallible make_script(struct make *m, const char *const *argv);

/* --- patch.c --- */

/** Apply ours that this tree needs, in a stand-in; append their names. */
fallible make_patch(struct kernel_cache *c, struct make *m,
		    const struct stage *stage, struct slice config,
		    struct buf *names);

/* --- missed.c --- */

/** Options of `wanted` (a fragment's text) that `config` does not have. */
void missed_find(struct slice wanted, struct slice config,
		 kernel_misses *missed);

/* --- kconfig.c --- */

/** Say why, from the tree's Kconfig files; best effort. */
void kconfig_explain(const char *tree, const char *arch, struct slice config,
		     kernel_misses *missed);

#endif /* KBUILD_INTERNAL_H */
