/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cover.c - a TCG plugin for QEMU: the kernel's coverage without KCOV.
 *
 *	-plugin file=...,shm=FILE,off=N,size=N
 *
 * Whenever a block of kernel code is about to run for a system call between
 * the executor's marks, its address goes to the cover area of the shared memory
 * (struct wire_cover), as KCOV would have put it: in order, of the calling task
 * only, without interrupts.  The executor does the rest as it does with KCOV; but
 * it is emulated, and we are not, so an edge that a call had before is left out.
 *
 * A mark is a load in user mode from a word of the executor's; its address says
 * for which of WIRE_COVER_THREADS slots.  Blocks are looked at once, when QEMU
 * translates them: user code for marks, kernel code for the instructions of
 * insn.h.  At run time a kernel block costs a call and a test.
 *
 * The guest is hostile: the plugin writes to the shared memory and never reads
 * it; counts and bounds are its own.  What a guest can do is to garble its own
 * coverage.  All vCPUs call us at once; the fields that matter for bounds are
 * read once.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "api.h"
#include "insn.h"
#include "wire/format.h"

enum {
	MAX_VCPUS = 256, /* what those above run is not covered */
	MAX_DEPTH = 4, /* of exceptions and interrupts in each other */
	/* From an interrupt's entry until it leaves the stack, at most. */
	MAX_PROLOGUE = 256,
	ENTRY_BYTES = 8, /* of an entry's block that clac cuts off: x86.c */
	SEEN = 1 << 16, /* edges of a call that are told apart */
	PROBES = 4,
};

/* How far a recording is. */
struct point {
	uint32_t count; /* entries */
	uint32_t blocks; /* that ran in this call */
	uint64_t last; /* of these */
	uint64_t written; /* the latest entry */
};

/* What one thread of the executor has recorded, and where it is now. */
struct slot {
	struct {
		uint32_t generation, edge;
	} seen[SEEN]; /* in this call: valid with the slot's generation */
	uint32_t generation;
	uint64_t *entries; /* in the shared memory */
	uint32_t *shared_count; /* likewise */
	uint32_t cap;
	struct point now, older; /* the latter: before the latest block */
	uint64_t task; /* who is recorded; 0 while the vCPU's is unknown */
	bool active;
	bool irq_stack; /* on the interrupts' stack */
	unsigned int depth; /* exceptions entered and not yet left */
	unsigned int quiet_depth; /* nothing until that one is left; 0: none */
	struct point before[MAX_DEPTH]; /* each of these exceptions */
};

struct vcpu {
	struct slot *slot; /* of the task that runs; NULL: not recorded */
	uint64_t task; /* that runs; 0: not known yet */
} __attribute__((aligned(64)));

static struct slot slots[WIRE_COVER_THREADS];
static struct vcpu vcpus[MAX_VCPUS];
static const struct arch *arch;

PLUGIN_EXPORT int qemu_plugin_version = PLUGIN_API_VERSION;

/* The slot that records what this vCPU runs, or NULL. */
static struct slot *recording(unsigned int vcpu)
{
	struct vcpu *v = &vcpus[vcpu % MAX_VCPUS];
	struct slot *s = v->slot;

	/* It may have been given to another task meanwhile. */
	return s && vcpu < MAX_VCPUS && s->active && s->task == v->task ? s :
									  NULL;
}

static void set_count(struct slot *s, uint32_t count)
{
	__atomic_store_n(&s->now.count, count, __ATOMIC_RELAXED);
	__atomic_store_n(s->shared_count, count, __ATOMIC_RELEASE);
}

/* Whether this call had no such edge yet; when in doubt, it had not. */
static bool first_time(struct slot *s, uint32_t edge)
{
	uint32_t at = wire_hash32(edge);

	for (unsigned int i = 0; i < PROBES; i++, at++) {
		if (s->seen[at % SEEN].generation != s->generation) {
			s->seen[at % SEEN].generation = s->generation;
			s->seen[at % SEEN].edge = edge;
			return true;
		}
		if (s->seen[at % SEEN].edge == edge)
			return false;
	}
	return true;
}

/* The edge to `pc`, behind a gap when it does not go on from the last entry. */
static void write_edge(struct slot *s, uint64_t from, uint64_t pc)
{
	uint32_t n = __atomic_load_n(&s->now.count, __ATOMIC_RELAXED);
	bool gap = s->now.written != from;

	/* All or nothing; a trace without room is full. */
	if (n >= s->cap || s->cap - n < 3) {
		while (n < s->cap)
			s->entries[n++] = WIRE_COVER_GAP;
		set_count(s, s->cap);
		return;
	}
	if (gap) {
		s->entries[n++] = WIRE_COVER_GAP;
		s->entries[n++] = from;
	}
	s->entries[n++] = pc;
	s->now.written = pc;
	set_count(s, n);
}

static void record(struct slot *s, uint64_t pc)
{
	/* String instructions are blocks that run once per element. */
	if (s->irq_stack || s->quiet_depth || pc == s->now.last)
		return;
	s->older = s->now;
	s->now.last = pc;
	s->now.blocks++;
	if (first_time(s, wire_edge(s->older.last, pc)))
		write_edge(s, s->older.last, pc);
}

/* ---- What the guest does -------------------------------------------------- */

static void on_block(unsigned int vcpu, void *data)
{
	struct slot *s = recording(vcpu);

	if (s)
		record(s, (uint64_t)(uintptr_t)data);
}

/* An exception or interrupt: which of the two we shall see. */
static void on_entry(unsigned int vcpu, void *data)
{
	struct slot *s = recording(vcpu);
	uint64_t pc = (uint64_t)(uintptr_t)data;

	if (!s)
		return;
	if (s->depth < MAX_DEPTH)
		s->before[s->depth] =
			pc - s->now.last <= ENTRY_BYTES ? s->older : s->now;
	s->depth++;
	record(s, pc);
}

/*
 * Soon after an entry: it is an interrupt.  Forget its first steps, and hear
 * nothing until it has returned.  Else it is a softirq at the end of
 * local_bh_enable(): nothing until the stack is left.
 */
static void on_irq_enter(unsigned int vcpu, void *data)
{
	struct slot *s = recording(vcpu);
	unsigned int depth;

	if (!s || s->irq_stack)
		return;
	s->irq_stack = true;
	depth = s->depth;
	if (s->quiet_depth || !depth || depth > MAX_DEPTH)
		return;
	if (s->now.blocks - s->before[depth - 1].blocks > MAX_PROLOGUE)
		return;
	s->quiet_depth = depth;
	s->now = s->before[depth - 1];
	set_count(s, s->now.count);
}

static void on_irq_leave(unsigned int vcpu, void *data)
{
	struct slot *s = recording(vcpu);

	if (s)
		s->irq_stack = false;
}

/*
 * The mark behind the call comes too late: an interrupt that waited is taken
 * before user mode runs anything.
 */
static void on_user_return(unsigned int vcpu, void *data)
{
	struct slot *s = recording(vcpu);

	if (s)
		s->active = false;
}

static void on_trap_return(unsigned int vcpu, void *data)
{
	struct slot *s = recording(vcpu);

	if (!s)
		return;
	if (!s->depth) {
		s->active = false;
		return;
	}
	if (s->quiet_depth == s->depth)
		s->quiet_depth = 0;
	s->depth--;
}

static void on_switch(unsigned int vcpu, qemu_plugin_meminfo_t info,
		      uint64_t vaddr, void *data)
{
	struct vcpu *v = &vcpus[vcpu % MAX_VCPUS];

	if (vcpu >= MAX_VCPUS)
		return;
	v->task = vaddr;
	v->slot = NULL;
	for (size_t i = 0; i < WIRE_COVER_THREADS; i++)
		if (slots[i].active && slots[i].task == vaddr)
			v->slot = &slots[i];
}

/* ---- Marks ------------------------------------------------------------------ */

static void start(struct vcpu *v, struct slot *s)
{
	/* Who had the same task_struct is dead. */
	for (size_t i = 0; i < WIRE_COVER_THREADS; i++)
		if (slots[i].task == v->task)
			slots[i].active = false;
	s->task = v->task;
	s->now = (struct point){ .count = s->now.count };
	s->older = s->now;
	if (!++s->generation) {
		memset(s->seen, 0, sizeof(s->seen));
		s->generation = 1;
	}
	s->depth = s->quiet_depth = 0;
	s->irq_stack = false;
	s->active = true;
	v->slot = s;
}

static void on_mark(unsigned int vcpu, qemu_plugin_meminfo_t info,
		    uint64_t vaddr, void *data)
{
	struct vcpu *v = &vcpus[vcpu % MAX_VCPUS];
	struct slot *s = &slots[wire_mark_slot(vaddr)];

	if (vcpu >= MAX_VCPUS)
		return;
	if ((uintptr_t)data == WIRE_MARK_START) {
		start(v, s);
		return;
	}
	s->active = false;
	v->slot = NULL;
	if ((uintptr_t)data == WIRE_MARK_REWIND)
		set_count(s, 0);
	else if ((uintptr_t)data == WIRE_MARK_ROOM &&
		 s->now.count > wire_cover_room(s->cap))
		set_count(s, wire_cover_room(s->cap));
}

/* ---- Translation -------------------------------------------------------------- */

static struct code code_at(const struct qemu_plugin_tb *tb, size_t i)
{
	const struct qemu_plugin_insn *insn;

	if (i >= qemu_plugin_tb_n_insns(tb))
		return (struct code){};
	insn = qemu_plugin_tb_get_insn(tb, i);
	return (struct code){ qemu_plugin_insn_data(insn),
			      qemu_plugin_insn_size(insn) };
}

static void look_for_marks(struct qemu_plugin_tb *tb)
{
	for (size_t i = 0; i < qemu_plugin_tb_n_insns(tb); i++) {
		unsigned int op = arch->mark(code_at(tb, i));

		if (op)
			qemu_plugin_register_vcpu_mem_cb(
				qemu_plugin_tb_get_insn(tb, i), on_mark,
				QEMU_PLUGIN_CB_NO_REGS, QEMU_PLUGIN_MEM_RW,
				(void *)(uintptr_t)op);
	}
}

static void watch_insn(struct qemu_plugin_insn *insn, enum insn_kind kind)
{
	static const qemu_plugin_exec_cb cb[] = {
		[INSN_IRQ_ENTER] = on_irq_enter,
		[INSN_IRQ_LEAVE] = on_irq_leave,
		[INSN_TRAP_RETURN] = on_trap_return,
		[INSN_USER_RETURN] = on_user_return,
		[INSN_STUB] = NULL,
	};

	if (kind == INSN_SWITCH)
		qemu_plugin_register_vcpu_mem_cb(insn, on_switch,
						 QEMU_PLUGIN_CB_NO_REGS,
						 QEMU_PLUGIN_MEM_RW, NULL);
	else if (cb[kind])
		qemu_plugin_register_vcpu_insn_exec_cb(
			insn, cb[kind], QEMU_PLUGIN_CB_NO_REGS, NULL);
}

static void on_translation(qemu_plugin_id_t id, struct qemu_plugin_tb *tb)
{
	uint64_t pc = qemu_plugin_tb_vaddr(tb);
	size_t n = qemu_plugin_tb_n_insns(tb);
	qemu_plugin_exec_cb cb = on_block;
	struct code before = {};

	if (!(pc >> 63)) {
		look_for_marks(tb);
		return;
	}
	for (size_t i = 0; i < n; i++) {
		struct code c = code_at(tb, i);
		enum insn_kind kind =
			arch->classify(before, c, code_at(tb, i + 1), i);

		if (kind == INSN_STUB)
			return;
		if (kind == INSN_ENTRY)
			cb = on_entry;
		watch_insn(qemu_plugin_tb_get_insn(tb, i), kind);
		before = c;
	}
	qemu_plugin_register_vcpu_tb_exec_cb(tb, cb, QEMU_PLUGIN_CB_NO_REGS,
					     (void *)(uintptr_t)pc);
}

/* ---- Start ----------------------------------------------------------------------- */

static void set_up(unsigned char *base, uint32_t size)
{
	struct wire_cover *head = (void *)base;

	for (uint32_t i = 0; i < WIRE_COVER_THREADS; i++) {
		slots[i].entries = (void *)(base + wire_cover_off(size, i));
		slots[i].cap = wire_cover_entries(size, i);
		slots[i].shared_count = &head->count[i];
	}
	*head = (struct wire_cover){ .version = WIRE_VERSION };
	__atomic_store_n(&head->magic, WIRE_COVER_MAGIC, __ATOMIC_RELEASE);
}

struct options {
	const char *shm;
	uint64_t off, size;
};

static bool parse(int argc, char **argv, struct options *o)
{
	for (int i = 0; i < argc; i++) {
		if (!strncmp(argv[i], "shm=", 4))
			o->shm = argv[i] + 4;
		else if (!strncmp(argv[i], "off=", 4))
			o->off = strtoull(argv[i] + 4, NULL, 10);
		else if (!strncmp(argv[i], "size=", 5))
			o->size = strtoull(argv[i] + 5, NULL, 10);
		else
			return false;
	}
	return o->shm && o->size >= WIRE_COVER_MIN &&
	       o->size <= WIRE_MAX_REGION && o->off <= WIRE_MAX_REGION &&
	       !(o->off % WIRE_PAGE) && !(o->size % WIRE_PAGE);
}

static const char *map(const struct options *o, unsigned char **out)
{
	int fd = open(o->shm, O_RDWR | O_CLOEXEC);
	struct stat st;
	void *p;

	if (fd < 0)
		return "cannot open the shared memory";
	if (fstat(fd, &st) || (uint64_t)st.st_size < o->off + o->size) {
		close(fd);
		return "the shared memory is smaller than off + size";
	}
	p = mmap(NULL, o->size, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
		 (off_t)o->off);
	close(fd);
	*out = p;
	return p == MAP_FAILED ? "cannot map the shared memory" : NULL;
}

int qemu_plugin_install(qemu_plugin_id_t id, const qemu_info_t *info, int argc,
			char **argv)
{
	static const struct arch *const archs[] = { &arch_x86_64 };
	struct options o = {};
	unsigned char *base = NULL;
	const char *wrong = NULL;

	for (size_t i = 0; i < sizeof(archs) / sizeof(archs[0]); i++)
		if (!strcmp(archs[i]->target, info->target_name))
			arch = archs[i];
	if (!arch || !info->system_emulation)
		wrong = "does not know this target";
	else if (!parse(argc, argv, &o))
		wrong = "needs shm=FILE,off=BYTES,size=BYTES";
	else
		wrong = map(&o, &base);
	if (wrong) {
		fprintf(stderr, "bugon's cover plugin: %s\n", wrong);
		return -1;
	}
	set_up(base, (uint32_t)o.size);
	qemu_plugin_register_vcpu_tb_trans_cb(id, on_translation);
	return 0;
}
