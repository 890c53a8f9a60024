/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/kernel_pick.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "kbuild/kbuild.h"
#include "vm/vm.h"

enum { MAX_KERNELS = 64, NAME_BYTES = 4096 };

static bool is_dir(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

static void from_entry(const struct kernel_entry *e, struct kernel_pick *k)
{
	*k = (struct kernel_pick){ 0 };
	snprintf(k->kernel, NAME_BYTES, "%s", e->image);
	if (e->vmlinux)
		snprintf(k->vmlinux, NAME_BYTES, "%s", e->vmlinux);
	if (e->config)
		snprintf(k->config, NAME_BYTES, "%s", e->config);
}

static bool pick_dir(const char *dir, struct kernel_pick *k)
{
	_cleanup_(kernel_entry_deinit) struct kernel_entry e = {};

	if (!kernel_entry_read(dir, &e))
		return false;
	from_entry(&e, k);
	return true;
}

/* Symbols and config by the places Debian puts them. */
static void complete(struct kernel_pick *k)
{
	struct vm_kernel kind;
	const char *name = strstr(k->kernel, "vmlinuz-");
	struct error *err = vm_kernel_identify(k->kernel, &kind);

	if (!err && !*k->vmlinux &&
	    (kind.kind == VM_KERNEL_UML || kind.kind == VM_KERNEL_VMLINUX))
		snprintf(k->vmlinux, NAME_BYTES, "%s", k->kernel);
	error_free(err);
	if (!name)
		return;
	snprintf(k->vmlinux, NAME_BYTES, "/usr/lib/debug/boot/vmlinux-%s",
		 name + 8);
	if (access(k->vmlinux, R_OK) != 0)
		*k->vmlinux = '\0';
	snprintf(k->config, NAME_BYTES, "%.*sconfig-%s",
		 (int)(name - k->kernel), k->kernel, name + 8);
	if (access(k->config, R_OK) != 0)
		*k->config = '\0';
}

struct visit {
	void (*fn)(void *ctx, const struct kernel_pick *k);
	void *ctx;
};

static int newest_first(const struct dirent **a, const struct dirent **b)
{
	return strverscmp((*b)->d_name, (*a)->d_name);
}

static int is_vmlinuz(const struct dirent *d)
{
	return !strncmp(d->d_name, "vmlinuz-", 8);
}

static void visit_dirs_in(const struct visit *v, const char *parent)
{
	_cleanup_(kernel_entries_deinit) kernel_entries all = {};
	struct kernel_pick k;

	kernel_list(parent, false, &all);
	vec_for_each(&all, e) {
		from_entry(e, &k);
		complete(&k);
		v->fn(v->ctx, &k);
	}
}

static void visit_boot(const struct visit *v)
{
	struct dirent **list;
	int n = scandir("/boot", &list, is_vmlinuz, newest_first);

	for (int i = 0; i < n; i++) {
		struct kernel_pick k = { 0 };

		snprintf(k.kernel, sizeof(k.kernel), "/boot/%s",
			 list[i]->d_name);
		free(list[i]);
		if (access(k.kernel, R_OK) != 0 || i >= MAX_KERNELS)
			continue;
		complete(&k);
		v->fn(v->ctx, &k);
	}
	if (n >= 0)
		free(list);
}

void kernel_pick_all(void (*fn)(void *ctx, const struct kernel_pick *k),
		     void *ctx)
{
	const char *env = getenv("BUGON_KERNELS");
	struct visit v = { fn, ctx };

	if (env && *env)
		visit_dirs_in(&v, env);
	visit_dirs_in(&v, NULL);
	visit_boot(&v);
}

static void keep_first(void *ctx, const struct kernel_pick *k)
{
	struct kernel_pick *first = ctx;

	if (!*first->kernel)
		*first = *k;
}

/* Whether `name` begins with `start`; not in the middle of a number. */
static bool begins(const char *name, const char *start)
{
	size_t n = strlen(start);

	return !strncmp(name, start, n) &&
	       !(n && isdigit((unsigned char)start[n - 1]) &&
		 isdigit((unsigned char)name[n]));
}

/* A kernel of the cache by its name, or the beginning of it. */
static bool pick_named(const char *name, struct kernel_pick *k)
{
	_cleanup_(kernel_entries_deinit) kernel_entries all = {};

	kernel_list(NULL, false, &all);
	vec_for_each(&all, e) {
		if (!begins(e->name, name))
			continue;
		from_entry(e, k);
		complete(k);
		return true;
	}
	return false;
}

fallible kernel_pick(const char *what, struct kernel_pick *out)
{
	struct kernel_pick k = { 0 };

	if (!what || !strcmp(what, "auto")) {
		kernel_pick_all(keep_first, &k);
		if (!*k.kernel)
			return error_new(
				ERR_NOT_FOUND,
				"no kernel found in $BUGON_KERNELS, the cache "
				"or /boot: name one with --kernel (a UML "
				"binary boots fastest), or take Debian's: "
				"bugon kernel fetch");
	} else if (is_dir(what)) {
		if (!pick_dir(what, &k))
			return error_new(ERR_INPUT,
					 "%s: neither linux, bzImage, Image, "
					 "arch/*/boot/*Image nor vmlinuz in it "
					 "(packed ones must be unpacked)",
					 what);
		complete(&k);
	} else if (access(what, R_OK) == 0 || strchr(what, '/') ||
		   !pick_named(what, &k)) {
		if (access(what, R_OK) != 0)
			return error_new(ERR_INPUT, "%s: %s%s", what,
					 strerror(errno),
					 strchr(what, '/') ?
						 "" :
						 ", nor is a kernel of that "
						 "name in the cache (bugon "
						 "kernel list)");
		snprintf(k.kernel, sizeof(k.kernel), "%s", what);
		complete(&k);
	}
	*out = k;
	return NULL;
}
