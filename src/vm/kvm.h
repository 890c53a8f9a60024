/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * kvm.h - find out if KVM runs guests, in the background.
 *
 * That /dev/kvm opens says little: on some virtual machines guests then hang or
 * QEMU aborts.  So a child boots the kernel under KVM without any init; when it
 * gets as far as to panic about that, KVM works.  The verdict is kept in
 * $XDG_CACHE_HOME/bugon/kvm for this boot of the host and this QEMU (version,
 * path, time and size of the file).  It is not kept when neither QEMU nor the
 * kernel said a word: the kernel may lack the console (CONFIG_SERIAL_8250_CONSOLE),
 * and the next one shall have its try.
 */
#ifndef VM_KVM_H
#define VM_KVM_H

#include "vm/vm.h"

struct kvm_try;

/** Start trying; never fails, NULL if there is nothing to try. */
struct kvm_try *kvm_try_start(const char *qemu, const char *kernel);

/** Wait for the verdict (at most some seconds in all), keep it, free. */
void kvm_try_finish(struct kvm_try *t);

#endif /* VM_KVM_H */
