/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Input: what a hostile guest runs under QEMU's plugin: blocks of any bytes, in
 * any order, on any processor, while it scribbles over the shared memory.  No
 * trace may grow beyond its part of it.
 */
#include "../fake_qemu.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { SIZE = WIRE_COVER_MIN, BLOCKS = 32 };

static const struct {
	const char *bytes;
	size_t size;
} known[] = {
	{ "\x8b\x8b\x01\x55\x47\x42", 6 }, /* marks */
	{ "\x8b\x8b\x02\x55\x47\x42", 6 },
	{ "\x8b\x8b\x03\x55\x47\x42", 6 },
	{ "\x8b\x8b\x04\x55\x47\x42", 6 },
	{ "\x48\x89\xa7\x98\x09\0\0", 7 }, /* a switch of tasks */
	{ "\x48\x8b\xa6\x98\x09\0\0", 7 },
	{ "\x49\x89\x23", 3 }, /* to the interrupts' stack */
	{ "\x4c\x89\xdc", 3 },
	{ "\x5c", 1 }, /* and back */
	{ "\x48\xcf", 2 }, /* iretq */
	{ "\x48\x0f\x07", 3 }, /* sysretq */
	{ "\xfc", 1 }, /* cld */
	{ "\x6a\x22", 2 }, /* push, jmp */
	{ "\xe9\0\0\0\0", 5 },
};

static struct qemu_plugin_tb blocks[BLOCKS];

struct input {
	const uint8_t *p;
	size_t len;
};

static uint8_t next(struct input *in)
{
	if (!in->len)
		return 0;
	in->len--;
	return *in->p++;
}

static void translate(struct input *in, struct qemu_plugin_tb *tb)
{
	uint8_t n = next(in) % FAKE_INSNS + 1, where = next(in);

	*tb = (struct qemu_plugin_tb){ .vaddr = where * 5 };
	if (where & 1)
		tb->vaddr |= 0xffffffff81000000u;
	for (uint8_t i = 0; i < n; i++) {
		uint8_t what = next(in), bytes[FAKE_BYTES];

		if (what < 200) {
			what %= sizeof(known) / sizeof(known[0]);
			fake_insn(tb, known[what].bytes, known[what].size);
			continue;
		}
		for (size_t k = 0; k < sizeof(bytes); k++)
			bytes[k] = next(in);
		fake_insn(tb, bytes, what % FAKE_BYTES + 1);
	}
	fake_translated(1, tb);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct wire_cover *head;
	struct input in = { data, size };
	bool scribbled = false;

	if (!head)
		head = fake_install(SIZE);
	if (!head)
		__builtin_trap();
	while (in.len) {
		uint8_t op = next(&in), arg = next(&in);

		if (op < 64) {
			translate(&in, &blocks[arg % BLOCKS]);
		} else if (op == 64) {
			memset(head, arg, WIRE_PAGE);
			scribbled = true;
		} else {
			fake_run(op % 4 == 3 ? op * 7u : op % 4,
				 &blocks[arg % BLOCKS], next(&in));
		}
	}
	for (uint32_t i = 0; i < WIRE_COVER_THREADS && !scribbled; i++)
		if (head->count[i] > wire_cover_entries(SIZE, i))
			__builtin_trap();
	/* Another run must find the counts as the plugin has them. */
	static const uint8_t rewind[] = { 0x8b, 0x8b, 3, 0x55, 0x47, 0x42 };
	struct qemu_plugin_tb tb = {};

	fake_insn(&tb, rewind, sizeof(rewind));
	fake_translated(1, &tb);
	for (uint32_t i = 0; i < WIRE_COVER_THREADS; i++) {
		fake_run(0, &tb, i * 8);
		if (head->count[i])
			__builtin_trap();
	}
	return 0;
}
