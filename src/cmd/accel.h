/* SPDX-License-Identifier: GPL-2.0-or-later */
/* accel.h - what --accel means. */
#ifndef CMD_ACCEL_H
#define CMD_ACCEL_H

#include <string.h>

#include "vm/vm.h"

/** "kvm", "tcg", "auto" or NULL (auto).  Errors: ERR_USAGE. */
static inline fallible cmd_accel(const char *name, enum vm_accel *out)
{
	if (!name || !strcmp(name, "auto"))
		*out = VM_ACCEL_AUTO;
	else if (!strcmp(name, "kvm"))
		*out = VM_ACCEL_KVM;
	else if (!strcmp(name, "tcg"))
		*out = VM_ACCEL_TCG;
	else
		return error_new(ERR_USAGE, "--accel is kvm, tcg or auto");
	return NULL;
}

#endif /* CMD_ACCEL_H */
