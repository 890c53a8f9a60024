/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/coverage.h"

#include <stdio.h>
#include <string.h>

#include "cmd/kernel_config.h"

static const char *const names[] = {
	[WIRE_COVER_AUTO] = "auto",
	[WIRE_COVER_KCOV] = "kcov",
	[WIRE_COVER_PLUGIN] = "plugin",
	[WIRE_COVER_NONE] = "none",
};

const char *coverage_name(enum wire_cover_source source)
{
	return names[source];
}

static fallible parse(const char *kind, enum wire_cover_source *out)
{
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		if (!kind || !strcmp(kind, names[i])) {
			*out = (enum wire_cover_source)i;
			return NULL;
		}
	}
	return error_new(ERR_USAGE, "--coverage is kcov, plugin, none or auto");
}

static bool has_kcov(const struct kernel_pick *k)
{
	_cleanup_(buf_deinit) struct buf config = {};
	struct error *err;

	if (!*k->config)
		return false;
	err = kernel_config_read(k->config, &config);
	bool has = !err && kernel_config_has(&config, "KCOV");

	error_free(err);
	return has;
}

/* The plugin knows x86-64. */
static bool can_plugin(const struct kernel_pick *k, enum vm_accel accel)
{
	struct vm_kernel kind = {};
	struct error *err = vm_kernel_identify(k->kernel, &kind);

	error_free(err); /* vm_open() says it */
	return accel != VM_ACCEL_KVM && (kind.kind == VM_KERNEL_BZIMAGE ||
					 kind.kind == VM_KERNEL_VMLINUX);
}

fallible coverage_choose(const char *kind, bool wanted,
			 const struct kernel_pick *kernel, enum vm_accel accel,
			 struct guest_cover *out)
{
	struct guest_cover c = {};

	TRY(parse(kind, &c.source));
	if (c.source == WIRE_COVER_PLUGIN && !can_plugin(kernel, accel))
		return error_new(ERR_USAGE,
				 "--coverage plugin needs QEMU with TCG (not "
				 "KVM) and an x86-64 kernel");
	c.plugin = c.source == WIRE_COVER_PLUGIN ||
		   (c.source == WIRE_COVER_AUTO && wanted &&
		    can_plugin(kernel, accel) && !has_kcov(kernel));
	*out = c;
	return NULL;
}

fallible coverage_check(const struct guest_cover *c, enum wire_cover_source got,
			bool wanted, bool talk)
{
	if (c->source != WIRE_COVER_AUTO && got != c->source)
		return error_new(ERR_INPUT, "no coverage by %s: %s",
				 names[c->source],
				 c->source == WIRE_COVER_KCOV ?
					 "the kernel lacks CONFIG_KCOV or "
					 "debugfs" :
					 "QEMU did not run the plugin");
	if (!talk)
		return NULL;
	fprintf(stderr, "bugon run: coverage: %s%s\n", names[got],
		got == WIRE_COVER_NONE && wanted &&
				c->source == WIRE_COVER_AUTO ?
			" (the kernel has no KCOV, and QEMU's plugin needs an "
			"x86-64 kernel and TCG, not KVM)" :
			"");
	return NULL;
}
