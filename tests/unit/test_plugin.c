/* SPDX-License-Identifier: GPL-2.0-or-later */
/* QEMU's plugin, with blocks made up: what is recorded, and what is not. */
#include "unit.h"

#include "../fake_qemu.h"
#include "base/compiler.h"

enum { SIZE = WIRE_COVER_MIN, WORDS = 0x400000, TASK_A = 0x1000, TASK_B };

#define KERNEL 0xffffffff81000000u
#define CLAC "\x0f\x01\xca"

static struct wire_cover *head;

static struct qemu_plugin_tb translate(uint64_t pc, const char *insn,
				       size_t size)
{
	struct qemu_plugin_tb tb = { .vaddr = pc };

	fake_insn(&tb, insn, size);
	fake_translated(1, &tb);
	return tb;
}

#define BLOCK(pc, bytes) translate(pc, bytes, sizeof(bytes) - 1)

static uint64_t pc_of(unsigned int i)
{
	return KERNEL + i * 16;
}

/* Plain blocks, by letters. */
static void run(const char *letters)
{
	for (; *letters; letters++) {
		struct qemu_plugin_tb tb =
			BLOCK(pc_of((unsigned char)*letters), "\x90");

		fake_run(0, &tb, 0);
	}
}

static void mark(unsigned int vcpu, unsigned int slot, unsigned char op)
{
	const unsigned char insn[] = { 0x8b, 0x8b, op, 0x55, 0x47, 0x42 };
	struct qemu_plugin_tb tb =
		translate(0x401000, (const char *)insn, sizeof(insn));

	fake_run(vcpu, &tb, WORDS + slot * 8 + op);
}

static void switch_to(unsigned int vcpu, uint64_t task)
{
	struct qemu_plugin_tb tb = { .vaddr = pc_of('S') };

	fake_insn(&tb, "\x48\x89\xa7\x98\x09\0\0", 7);
	fake_insn(&tb, "\x48\x8b\xa6\x98\x09\0\0", 7);
	fake_translated(1, &tb);
	fake_run(vcpu, &tb, task);
}

static void irq_enter(void)
{
	struct qemu_plugin_tb tb = { .vaddr = pc_of('I') };

	fake_insn(&tb, "\x49\x89\x23", 3); /* mov %rsp, (%r11) */
	fake_insn(&tb, "\x4c\x89\xdc", 3); /* mov %r11, %rsp */
	fake_translated(1, &tb);
	fake_run(0, &tb, 0);
}

static void one(uint64_t pc, const char *insn, size_t size)
{
	struct qemu_plugin_tb tb = translate(pc, insn, size);

	fake_run(0, &tb, 0);
}

#define ONE(letter, bytes) one(pc_of(letter), bytes, sizeof(bytes) - 1)
#define ENTRY(letter) ONE(letter, "\xfc") /* cld */
#define IRET(letter) ONE(letter, "\x48\xcf")
#define IRQ_LEAVE(letter) ONE(letter, "\x5c")

/* Slot 0 has these blocks; '|' is a gap. */
static void expect(const char *letters)
{
	const unsigned char *base = (const void *)head;
	const uint64_t *e = (const void *)(base + wire_cover_off(SIZE, 0));

	assert_int_equal(head->count[0], strlen(letters));
	for (size_t i = 0; i < strlen(letters); i++)
		assert_int_equal(e[i],
				 letters[i] == '|' ?
					 WIRE_COVER_GAP :
					 pc_of((unsigned char)letters[i]));
}

static int begin(void **state)
{
	for (unsigned int i = 0; i < WIRE_COVER_THREADS; i++)
		mark(0, i, WIRE_MARK_REWIND);
	switch_to(0, TASK_A);
	mark(0, 0, WIRE_MARK_START);
	return 0;
}

static void records_between_the_marks(void **state)
{
	run("ABC");
	mark(0, 0, WIRE_MARK_STOP);
	run("D");
	expect("ABC");
	mark(0, 0, WIRE_MARK_START);
	run("AB");
	ONE('E', "\x48\x0f\x07"); /* sysretq: user mode, interrupts */
	run("D");
	expect("ABCABE");
	mark(0, 0, WIRE_MARK_REWIND);
	expect("");
}

static void has_an_edge_once(void **state)
{
	run("AABABC");
	expect("ABA|BC");
	run("ABAC");
	expect("ABA|BCAC"); /* the A is there already */
}

static void leaves_out_interrupts(void **state)
{
	run("A");
	ONE('V', "\x6a\x22"); /* push: a block by itself is no stub */
	ENTRY('X');
	run("pq");
	irq_enter();
	run("rs");
	IRQ_LEAVE('t');
	run("uv");
	IRET('w');
	run("B");
	expect("AVB");
	/* clac ends a block of its own */
	one(pc_of('X') - 3, CLAC, 3);
	ENTRY('X');
	irq_enter();
	IRQ_LEAVE('t');
	IRET('w');
	run("C");
	expect("AVBC");
}

static void leaves_out_what_interrupts_softirqs(void **state)
{
	run("A");
	irq_enter(); /* do_softirq_own_stack() */
	run("pq");
	ENTRY('X');
	irq_enter();
	IRET('w');
	run("r");
	IRQ_LEAVE('t');
	run("B");
	/* The block that leaves its stack is still on it. */
	expect("AIB");
}

static void keeps_page_faults(void **state)
{
	run("A");
	ENTRY('X');
	run("pq");
	ENTRY('Y'); /* interrupted */
	irq_enter();
	IRQ_LEAVE('t');
	IRET('w');
	run("r");
	IRET('z');
	run("B");
	expect("AXpqrzB");
	IRET('e'); /* to user mode */
	run("D");
	expect("AXpqrzBe");
}

static void leaves_out_other_tasks(void **state)
{
	run("A");
	switch_to(0, TASK_B);
	run("xyz");
	mark(0, 1, WIRE_MARK_START); /* it has a slot, too */
	run("z");
	switch_to(0, TASK_A);
	run("B");
	expect("ASB");
	assert_int_equal(head->count[1], 2);
	switch_to(1, TASK_B); /* another processor */
	run("C");
	expect("ASBC");
}

static void trusts_no_shared_byte(void **state)
{
	run("AB");
	memset(head, 0xff, SIZE);
	run("CD");
	assert_int_equal(head->count[0], 4);
	switch_to(1000, TASK_A); /* no such processor */
	mark(1000, 0, WIRE_MARK_START);
	run("E");
	assert_int_equal(head->count[0], 5);
	mark(0, 0, WIRE_MARK_REWIND);
	assert_int_equal(head->count[0], 0);
}

static void stops_when_full(void **state)
{
	uint64_t *next = (void *)((char *)head + wire_cover_off(SIZE, 2));
	uint32_t cap = wire_cover_entries(SIZE, 1);

	mark(0, 1, WIRE_MARK_START);
	*next = 42;
	for (uint32_t i = 0; i < cap + 100; i++)
		ONE(1000 + i, "\x90");
	assert_int_equal(head->count[1], cap);
	assert_int_equal(*next, 42);
	mark(0, 1, WIRE_MARK_ROOM);
	assert_int_equal(head->count[1], cap / 8 * 7);
	mark(0, 1, WIRE_MARK_START);
	run("AB");
	assert_int_equal(head->count[1], cap / 8 * 7 + 2);
}

static void refuses_wrong_arguments(void **state)
{
	static const char *const rows[][3] = {
		{ "size=4194304", "off=0", "off=0" },
		{ "shm=/dev/null", "size=4194304", "off=0" },
		{ "shm=/nowhere", "size=4194304", "off=0" },
		{ "shm=/proc/self/exe", "size=1", "off=0" },
		{ "shm=/proc/self/exe", "size=4194304", "off=1" },
		{ "shm=/proc/self/exe", "size=-4096", "off=0" },
		{ "shm=/proc/self/exe", "size=4194304", "what=0" },
	};
	qemu_info_t info = { .target_name = "x86_64",
			     .system_emulation = true };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char args[3][64], *argv[] = { args[0], args[1], args[2] };

		for (size_t k = 0; k < 3; k++)
			snprintf(args[k], sizeof(args[k]), "%s", rows[i][k]);
		assert_int_not_equal(qemu_plugin_install(1, &info, 3, argv), 0);
	}
	info.target_name = "m68k";
	assert_int_not_equal(qemu_plugin_install(1, &info, 0, NULL), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refuses_wrong_arguments),
		cmocka_unit_test_setup(records_between_the_marks, begin),
		cmocka_unit_test_setup(has_an_edge_once, begin),
		cmocka_unit_test_setup(leaves_out_interrupts, begin),
		cmocka_unit_test_setup(leaves_out_what_interrupts_softirqs,
				       begin),
		cmocka_unit_test_setup(keeps_page_faults, begin),
		cmocka_unit_test_setup(leaves_out_other_tasks, begin),
		cmocka_unit_test_setup(trusts_no_shared_byte, begin),
		cmocka_unit_test_setup(stops_when_full, begin),
	};

	head = fake_install(SIZE);
	if (!head)
		return 1;
	return cmocka_run_group_tests_name("plugin", tests, NULL, NULL);
}
