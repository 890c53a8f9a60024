/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fake_qemu.h - the part of QEMU that plugin/ talks to, for its tests: blocks
 * are translated and run as told.
 */
#ifndef FAKE_QEMU_H
#define FAKE_QEMU_H

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../plugin/api.h"
#include "wire/format.h"

enum { FAKE_INSNS = 8, FAKE_BYTES = 8 };

struct qemu_plugin_insn {
	unsigned char bytes[FAKE_BYTES];
	size_t size;
	qemu_plugin_exec_cb exec;
	qemu_plugin_mem_cb mem;
	void *exec_data, *mem_data;
};

struct qemu_plugin_tb {
	uint64_t vaddr;
	size_t n;
	struct qemu_plugin_insn insns[FAKE_INSNS];
	qemu_plugin_exec_cb exec;
	void *data;
};

static qemu_plugin_tb_trans_cb fake_translated;

void qemu_plugin_register_vcpu_tb_trans_cb(qemu_plugin_id_t id,
					   qemu_plugin_tb_trans_cb cb)
{
	fake_translated = cb;
}

uint64_t qemu_plugin_tb_vaddr(const struct qemu_plugin_tb *tb)
{
	return tb->vaddr;
}

size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb)
{
	return tb->n;
}

struct qemu_plugin_insn *
qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *tb, size_t index)
{
	return (struct qemu_plugin_insn *)(uintptr_t)&tb->insns[index];
}

const void *qemu_plugin_insn_data(const struct qemu_plugin_insn *insn)
{
	return insn->bytes;
}

size_t qemu_plugin_insn_size(const struct qemu_plugin_insn *insn)
{
	return insn->size;
}

void qemu_plugin_register_vcpu_tb_exec_cb(struct qemu_plugin_tb *tb,
					  qemu_plugin_exec_cb cb,
					  enum qemu_plugin_cb_flags flags,
					  void *data)
{
	tb->exec = cb;
	tb->data = data;
}

void qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn *insn,
					    qemu_plugin_exec_cb cb,
					    enum qemu_plugin_cb_flags flags,
					    void *data)
{
	insn->exec = cb;
	insn->exec_data = data;
}

void qemu_plugin_register_vcpu_mem_cb(struct qemu_plugin_insn *insn,
				      qemu_plugin_mem_cb cb,
				      enum qemu_plugin_cb_flags flags,
				      enum qemu_plugin_mem_rw rw, void *data)
{
	insn->mem = cb;
	insn->mem_data = data;
}

/** Add an instruction to a block. */
static inline void fake_insn(struct qemu_plugin_tb *tb, const void *bytes,
			     size_t size)
{
	struct qemu_plugin_insn *insn = &tb->insns[tb->n++];

	*insn = (struct qemu_plugin_insn){ .size = size };
	memcpy(insn->bytes, bytes, size);
}

/** Run a block; all its accesses are to `address`. */
static inline void fake_run(unsigned int vcpu, const struct qemu_plugin_tb *tb,
			    uint64_t address)
{
	if (tb->exec)
		tb->exec(vcpu, tb->data);
	for (size_t i = 0; i < tb->n; i++) {
		const struct qemu_plugin_insn *insn = &tb->insns[i];

		if (insn->exec)
			insn->exec(vcpu, insn->exec_data);
		if (insn->mem)
			insn->mem(vcpu, 0, address, insn->mem_data);
	}
}

/** Load the plugin for a cover area of `size` bytes; the guest's view of it. */
static inline void *fake_install(uint32_t size)
{
	qemu_info_t info = { .target_name = "x86_64",
			     .system_emulation = true };
	int fd = memfd_create("cover", 0);
	char shm[64], bytes[32];
	char *argv[] = { shm, bytes };

	snprintf(shm, sizeof(shm), "shm=/proc/self/fd/%d", fd);
	snprintf(bytes, sizeof(bytes), "size=%u", size);
	if (ftruncate(fd, size) || qemu_plugin_install(1, &info, 2, argv))
		return NULL;
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	return p == MAP_FAILED ? NULL : p;
}

#endif /* FAKE_QEMU_H */
