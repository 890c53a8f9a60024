/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * diagnosis.h - what a hanging guest does, for people.
 *
 * vm_diagnose() brings registers and bare addresses; here they get names and
 * lines.
 */
#ifndef CMD_DIAGNOSIS_H
#define CMD_DIAGNOSIS_H

#include "elf/elf.h"
#include "vm/vm.h"

/**
 * Ask the guest and append what it says; `symbols` may be NULL.  The guest may
 * be unusable afterwards.  Errors: those of vm_diagnose(), `out` has what came
 * before.
 */
fallible diagnosis_take(struct vm *vm, struct symbols *symbols,
			struct buf *out);

#endif /* CMD_DIAGNOSIS_H */
