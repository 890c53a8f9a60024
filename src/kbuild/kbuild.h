/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * kbuild.h - obtain kernels: fetch, configure, build, and keep them.
 *
 * The cache is a directory (~/.cache/bugon/kernel) with a directory per
 * kernel, RELEASE_ARCH_KEY, whose key is a hash of what is in it:
 *
 *	linux | bzImage | vmlinuz | Image	what boots
 *	vmlinux		the same with symbols, if known
 *	config		its configuration
 *	info		JSON, see info.def
 *	modules/	of the fetched ones, if asked for
 *	build.log	of the built ones
 *
 *	_cleanup_(kernel_cache_closep) struct kernel_cache *c = NULL;
 *	TRY(kernel_cache_open(NULL, &c));
 *	TRY(kernel_fetch(c, &(struct kernel_fetch){ .what = "cloud" }, &dir));
 *
 * A kernel comes into the cache by one rename(), so it is there as a whole or
 * not at all.  Work is done in directories ".tmp-*", locked by their owner;
 * those of the dead are removed by whoever opens the cache next.  Locks are
 * bytes of one file (fcntl(2), F_OFD_SETLK) and vanish with their holder.
 *
 * Limits: built kernels have no modules (what is =m is not built); fetching
 * knows Debian's packages, for the host's architecture.
 *
 * To add a fragment for configurations: a file in share/config.  To add what a
 * failed build may mean: build_why.def.  To add a patch: share/patch.
 */
#ifndef KBUILD_KBUILD_H
#define KBUILD_KBUILD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/vec.h"

/* Tells the user what goes on; all NULL: silence. */
struct kernel_talk {
	/* What happens now, often: one line that replaces the last. */
	void (*progress)(void *ctx, const char *text);
	/* Something to know. */
	void (*note)(void *ctx, const char *text);
	void *ctx;
};

/* ---- the cache ---- */

struct kernel_cache;

struct kernel_info {
#define TEXT(name) char *name; /* never NULL once read */
#define INT(name) int64_t name;
#define FLAG(name) bool name;
#include "kbuild/info.def"
#undef TEXT
#undef INT
#undef FLAG
};

void kernel_info_init(struct kernel_info *i);

struct json;
struct json *kernel_info_to_json(const struct kernel_info *i);
/** Unknown members are skipped, missing ones empty. Errors: ERR_INPUT. */
fallible kernel_info_parse(struct slice text, struct kernel_info *out);

struct kernel_entry {
	char *name; /* of its directory in the cache */
	char *dir;
	char *image; /* path of what boots */
	char *vmlinux; /* path of its symbols, or NULL */
	char *config; /* path, or NULL */
	char *modules; /* path of lib/modules/RELEASE, or NULL */
	uint64_t size_bytes; /* on disk */
	struct kernel_info info;
};

typedef VEC(struct kernel_entry) kernel_entries;

/** The default directory: $XDG_CACHE_HOME or ~/.cache, bugon/kernel. */
void kernel_cache_dir(struct buf *out);

/**
 * Open a cache (NULL: the default), making it when missing, and clear away
 * what dead processes left.  Errors: ERR_OS.
 */
fallible kernel_cache_open(const char *dir, struct kernel_cache **out);
void kernel_cache_close(struct kernel_cache *c);
DEFINE_CLEANUP(struct kernel_cache *, kernel_cache_close)

/**
 * The kernels in `dir` (NULL: the default cache), best for finding bugs first:
 * with KCOV, with KASAN, newest.  A directory without "info" counts, too, as
 * long as there is a kernel in it.  A missing cache is an empty one.
 * `sizes`: find out size_bytes, too, which takes longer.
 */
void kernel_list(const char *dir, bool sizes, kernel_entries *out);
void kernel_entries_deinit(kernel_entries *entries);

/**
 * The kernel of a directory: what boots in it, and what is beside that.
 * False if there is none.  kernel_entry_deinit() it.
 */
bool kernel_entry_read(const char *dir, struct kernel_entry *out);
void kernel_entry_deinit(struct kernel_entry *e);

/* ---- fetch ---- */

struct kernel_fetch {
	/*
	 * "cloud", "generic", "rt": Debian's newest of that kind; a version, as
	 * whole (6.1.0-56-cloud-amd64) or as far as wanted (6.12), or a package
	 * name; a path: that file, with what lies in Debian's places.
	 * NULL: the newest cloud kernel, else the generic one.
	 */
	const char *what;
	/* Of a file, told by who knows kernels (vm/); else NULL */
	const char *arch; /* as make ARCH= has it */
	const char *image; /* its name in the cache: linux, vmlinuz, Image */
	bool symbols; /* the -dbg package, too: 300 MB to 1 GB to download */
	bool modules; /* keep the modules */
	struct kernel_talk talk;
};

/**
 * Put a kernel into the cache, unless it is there already, and give its
 * directory.  Errors: ERR_NOT_FOUND (no apt, no such package or file),
 * ERR_INFRA (apt could not download: its words), ERR_INPUT, ERR_OS,
 * ERR_CANCELLED.
 */
fallible kernel_fetch(struct kernel_cache *c, const struct kernel_fetch *f,
		      struct buf *dir);

/* ---- configure and build ---- */

/* A source tree, and for what it is to be built.  Nothing is written to it. */
struct kernel_tree {
	const char *path;
	const char *arch; /* x86_64, um, arm64; NULL: x86_64 */
	const char *cc; /* the compiler; NULL: gcc, or the cross gcc for arch */
	struct kernel_talk talk;
};

struct kernel_config {
	struct kernel_tree tree;
	/* Starting point: a file, or a target of the tree; NULL: tinyconfig */
	const char *base;
	/*
	 * Comma-separated: fragments of share/config (fs/ext4, bpf), files,
	 * directories of the tree (fs/jfs), options (CONFIG_X, CONFIG_X=n)
	 */
	const char *with;
	/* Of the fragments that are always taken, these not (lockdep) */
	const char *without;
};

/* An option that is not as it was wanted. */
struct kernel_missed {
	char *option; /* "CONFIG_KASAN" */
	char *wanted, *got; /* "y", "n", "\"text\"", "64" */
	char *why; /* one phrase */
};

typedef VEC(struct kernel_missed) kernel_misses;
void kernel_misses_deinit(kernel_misses *m);

/**
 * Make a configuration for finding bugs with the tree's own scripts.
 * `config` gets its text; `missed` what the tree did not take.
 * Errors: ERR_INPUT (not a tree, no such fragment), ERR_NOT_FOUND (a tool is
 * missing, with the command to install it), ERR_BUILD, ERR_OS, ERR_CANCELLED.
 */
fallible kernel_config(struct kernel_cache *c, const struct kernel_config *k,
		       struct buf *config, kernel_misses *missed);

struct kernel_build {
	struct kernel_tree tree;
	struct slice config; /* the text of a .config */
	unsigned jobs; /* 0: one per processor */
};

/**
 * Build and put into the cache; `dir` gets its directory there.  A kernel of
 * equal code and configuration that is there already stays.
 * The log is kept: build.log beside the kernel, or, of the last ten failures,
 * in ".failed" of the cache.
 * Errors: as of kernel_config(); ERR_BUILD names the log.
 */
fallible kernel_build(struct kernel_cache *c, const struct kernel_build *b,
		      struct buf *dir);

#endif /* KBUILD_KBUILD_H */
