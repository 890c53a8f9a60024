/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Devices of a "kernel" compiled here. */
#include "elf_fixture.h"

#include "elf/driver.h"

/* 0x40106201: _IOW('b', 1, 16); 0x80046202: _IOR('b', 2, 4) and so on. */
static const char driver_c[] =
	"#include \"uapi/box.h\"\n"
	"struct file_operations {\n"
	"	void *owner;\n"
	"	long (*unlocked_ioctl)(void *, unsigned, unsigned long);\n"
	"};\n"
	"struct miscdevice {\n"
	"	int minor;\n"
	"	const char *name;\n"
	"	const struct file_operations *fops;\n"
	"	const char *nodename;\n"
	"};\n"
	"volatile int sink;\n"
	"__attribute__((noinline)) static long more(unsigned cmd)\n"
	"{\n"
	"	sink++;\n"
	"	return cmd == 0x80046202 ? sink : -25;\n"
	"}\n"
	"__attribute__((noinline)) static long box_ioctl(void *f, unsigned cmd,\n"
	"						unsigned long arg)\n"
	"{\n"
	"	if (cmd == 0x40106201) {\n"
	"		struct box_attr *user = (void *)arg;\n"
	"		sink = user->mode;\n"
	"		return 1;\n"
	"	}\n"
	"	if (sink == -515) return 2; /* ENOIOCTLCMD */\n"
	"	if (sink < 0x40106299) return more(cmd) + 1;\n"
	"	return 0;\n"
	"}\n"
	"static long table(void *f, unsigned cmd, unsigned long arg)\n"
	"{\n"
	"	switch (cmd) {\n"
	"	case 0x4c80: sink = 3; return 1;\n"
	"	case 0x4c81: sink *= 7; return arg;\n"
	"	case 0x4c82: sink -= 4; return arg * 3;\n"
	"	case 0x4c84: sink /= 3; return arg * 5;\n"
	"	case 0x4c85: sink ^= 3; return arg + 7;\n"
	"	case 0x4c86: sink |= 3; return arg - 7;\n"
	"	}\n"
	"	return -25;\n"
	"}\n"
	"static const struct file_operations box_fops = { 0, box_ioctl };\n"
	"struct miscdevice box = { 255, \"box\", &box_fops, \"my/box\" };\n"
	"const struct file_operations table_fops = { 0, table };\n"
	"int main(void) { return box.minor + (int)(long)table_fops.owner; }\n";
static const char box_h[] = "struct box_attr {\n"
			    "	char tag[3];\n"
			    "	unsigned short mode;\n"
			    "	unsigned low : 3, high : 5;\n"
			    "	void *data;\n"
			    "};\n"
			    "_Static_assert(sizeof(struct box_attr) == 16, "
			    "\"\");\n";

static int setup_driver(void **state)
{
	if (!mkdtemp(dir))
		return -1;
	write_file("driver.c", driver_c, sizeof(driver_c) - 1);
	run("mkdir uapi");
	write_file("uapi/box.h", box_h, sizeof(box_h) - 1);
	return run("cc -g -O2 -fno-pie -no-pie -I. -o vmlinux driver.c && "
		   "cc -g -O2 -fPIE -pie -I. -o pie driver.c");
}

static struct drivers *read_ok(const char *pattern)
{
	struct drivers *d = NULL;
	struct error *err =
		drivers_read(in_dir("vmlinux"), &pattern, pattern ? 1 : 0, &d);

	if (err)
		fail_msg("%s", error_message(err));
	return d;
}

static void test_misc(void **state)
{
	_cleanup_(drivers_freep) struct drivers *d = read_ok("box");

	assert_int_equal(d->n, 1);
	assert_string_equal(d->v[0].name, "box");
	assert_string_equal(d->v[0].node, "my/box");
	assert_string_equal(d->v[0].object, "box");
	assert_string_equal(d->v[0].handler, "box_ioctl");
	assert_int_equal(d->v[0].ncommands, 2);
	assert_int_equal(d->v[0].commands[0].value, 0x40106201);
	assert_int_equal(d->v[0].commands[1].value, 0x80046202);
	assert_int_equal(d->v[0].commands[1].arg->kind, DRIVER_INT);

	const struct driver_type *t = d->v[0].commands[0].arg;

	assert_non_null(t);
	assert_string_equal(t->name, "box_attr");
	assert_int_equal(t->nfields, 3); /* bit-fields are a hole */
	assert_int_equal(t->fields[0].type->kind, DRIVER_ARRAY);
	assert_int_equal(t->fields[0].type->nr, 3);
	assert_int_equal(t->fields[1].offset_bytes, 4);
	assert_int_equal(t->fields[2].type->kind, DRIVER_PTR);
	assert_int_equal(t->fields[2].offset_bytes, 8);
}

static void test_switch(void **state)
{
	static const uint32_t want[] = { 0x4c80, 0x4c81, 0x4c82,
					 0x4c84, 0x4c85, 0x4c86 };
	_cleanup_(drivers_freep) struct drivers *d = read_ok("tab*");

	assert_int_equal(d->n, 1);
	assert_null(d->v[0].node);
	assert_string_equal(d->v[0].name, "table");
	assert_int_equal(d->v[0].ncommands, ARRAY_LEN(want));
	for (size_t i = 0; i < ARRAY_LEN(want); i++)
		assert_int_equal(d->v[0].commands[i].value, want[i]);
}

static void test_all_or_none(void **state)
{
	_cleanup_(drivers_freep) struct drivers *all = read_ok(NULL);
	_cleanup_(drivers_freep) struct drivers *none = read_ok("cups");

	assert_int_equal(all->n, 2);
	assert_int_equal(none->n, 0);
}

static void test_refused(void **state)
{
	struct drivers *d = NULL;
	struct error *err = drivers_read(in_dir("pie"), NULL, 0, &d);

	assert_non_null(err);
	assert_int_equal(error_kind(err), ERR_INPUT);
	error_free(err);
	assert_null(d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_misc),
		cmocka_unit_test(test_switch),
		cmocka_unit_test(test_all_or_none),
		cmocka_unit_test(test_refused),
	};

	return cmocka_run_group_tests(tests, setup_driver, teardown);
}
