/* SPDX-License-Identifier: GPL-2.0-or-later */
/* coverage.h - where programs' coverage comes from: KCOV, QEMU's plugin, none. */
#ifndef CMD_COVERAGE_H
#define CMD_COVERAGE_H

#include "cmd/kernel_pick.h"
#include "guest/guest.h"

/**
 * What --coverage (NULL: auto) means for this kernel.  auto: KCOV; and when
 * coverage is `wanted`, also the plugin, unless the kernel's configuration says
 * that it has KCOV, or the machine cannot have one (UML, KVM asked for).
 * Errors: ERR_USAGE (no such kind; a plugin where there can be none).
 */
fallible coverage_choose(const char *kind, bool wanted,
			 const struct kernel_pick *kernel, enum vm_accel accel,
			 struct guest_cover *out);

/** "kcov", "plugin", "none" */
const char *coverage_name(enum wire_cover_source source);

/**
 * The guest is up: say on stderr what coverage it has, and if there is none,
 * why (with `talk`, when it is `wanted`).  Errors: ERR_INPUT if it is not what
 * --coverage named.
 */
fallible coverage_check(const struct guest_cover *c, enum wire_cover_source got,
			bool wanted, bool talk);

#endif /* CMD_COVERAGE_H */
