/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/kernel_pick.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "vm/vm.h"

enum { MAX_KERNELS = 64, NAME_BYTES = 4096 };

static bool is_dir(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* The first of the names that is readable in `dir`; "" if none is. */
static bool first_of(const char *dir, const char *const *names, char *out)
{
	for (; *names; names++) {
		snprintf(out, NAME_BYTES, "%s/%s", dir, *names);
		if (access(out, R_OK) == 0 && !is_dir(out))
			return true;
	}
	*out = '\0';
	return false;
}

static bool pick_dir(const char *dir, struct kernel_pick *k)
{
	static const char *const kernels[] = {
		"linux", "bzImage", "arch/x86/boot/bzImage", "vmlinuz", NULL,
	};
	static const char *const symbols[] = { "vmlinux", NULL };
	static const char *const configs[] = { "config", ".config", NULL };

	*k = (struct kernel_pick){ 0 };
	if (!first_of(dir, kernels, k->kernel))
		return false;
	first_of(dir, symbols, k->vmlinux);
	first_of(dir, configs, k->config);
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

static void visit_dir(const struct visit *v, const char *dir)
{
	struct kernel_pick k;

	if (pick_dir(dir, &k)) {
		complete(&k);
		v->fn(v->ctx, &k);
	}
}

static int newest_first(const struct dirent **a, const struct dirent **b)
{
	return strverscmp((*b)->d_name, (*a)->d_name);
}

static int not_hidden(const struct dirent *d)
{
	return d->d_name[0] != '.';
}

static int is_vmlinuz(const struct dirent *d)
{
	return !strncmp(d->d_name, "vmlinuz-", 8);
}

static void visit_dirs_in(const struct visit *v, const char *parent)
{
	struct dirent **list;
	int n = scandir(parent, &list, not_hidden, newest_first);
	char dir[NAME_BYTES];

	for (int i = 0; i < n; i++) {
		snprintf(dir, sizeof(dir), "%s/%s", parent, list[i]->d_name);
		if (i < MAX_KERNELS)
			visit_dir(v, dir);
		free(list[i]);
	}
	if (n >= 0)
		free(list);
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
	const char *xdg = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
	struct visit v = { fn, ctx };
	char dir[NAME_BYTES];

	if (env && *env)
		visit_dirs_in(&v, env);
	if (xdg && *xdg == '/')
		snprintf(dir, sizeof(dir), "%s/bugon/kernel", xdg);
	else
		snprintf(dir, sizeof(dir), "%s/.cache/bugon/kernel",
			 home ? home : "");
	visit_dirs_in(&v, dir);
	visit_boot(&v);
}

static void keep_first(void *ctx, const struct kernel_pick *k)
{
	struct kernel_pick *first = ctx;

	if (!*first->kernel)
		*first = *k;
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
				"binary boots fastest), or apt install "
				"linux-image-cloud-amd64");
	} else if (is_dir(what)) {
		if (!pick_dir(what, &k))
			return error_new(ERR_INPUT,
					 "%s: neither linux, bzImage, "
					 "arch/x86/boot/bzImage nor vmlinuz "
					 "in it (packed ones must be unpacked)",
					 what);
		complete(&k);
	} else {
		if (access(what, R_OK) != 0)
			return error_new(ERR_INPUT, "%s: %s", what,
					 strerror(errno));
		snprintf(k.kernel, sizeof(k.kernel), "%s", what);
		complete(&k);
	}
	*out = k;
	return NULL;
}
