/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Programs as C: what they look like, and that the compiler has no complaint. */
#include <stdio.h>

#include "prog_fixture.h"

static const char text[] =
	"resource fd[int32]: -1\n"
	"openat(dir fd, file ptr[in, string[\"./x\"]], flags flags[open_flags], mode const[0])"
	" fd\n"
	"write(f fd, p ptr[in, array[int8]], n len[p])\n"
	"pipe2(p ptr[out, ends], flags const[0])\n"
	"bind(f fd, addr ptr[in, address], n len[addr])\n"
	"odd(p ptr[in, packed], q ptr[in, array[int16, 3]], r ptr[in, bits])\n"
	"ends {\n\ta\tfd\n\tb\tfd\n}\n"
	"address {\n\tfamily\tconst[AF_INET, int16]\n\tport\tint16be\n"
	"\tunix\tint32\n\twhich\tchoice\n}\n"
	"choice [\n\tone\tint64\n\ttwo\tint8\n]\n"
	"packed {\n\ta\tint8\n\tf\tfmt[dec, fd]\n\tb\tint64\n} [packed]\n"
	"syz_open_dev(dev ptr[in, string[\"/dev/x#\"]], id intptr, flags flags[open_flags]) fd\n"
	"syz_mount_image(fs ptr[in, string[\"ext4\"]], dir ptr[in, string[\"./m\"]],"
	" flags const[0], opts const[0], chdir int8, size len[img],"
	" img ptr[in, compressed_image]) fd (no_generate, no_minimize)\n"
	"syz_nothing(a int8)\n"
	"make(p ptr[out, fd])\n"
	"send(p ptr[in, summed])\n"
	"summed {\n\tsum\tcsum[parent, inet, int16]\n\ta\tint16\n\tf\tfd\n}\n"
	"bits {\n\ta\tint32:3\n\tb\tint32:7\n\tc\tint32\n}\n"
	"wide(p ptr[in, wide])\n"
	"wide {\n\ta\tint64:64\n\tb\tint8:3\n} [size[64]]\n"
	"open_flags = O_RDWR, O_CREAT, O_BUGON\n";

static const char consts[] =
	"arches = amd64\n__NR_openat = 257\n__NR_write = 1\n__NR_pipe2 = 293\n"
	"__NR_bind = 49\n__NR_send = 998\n__NR_make = 997\n__NR_odd = 999\n__NR_wide = 996\nAF_INET = 2\nO_RDWR = 2\nO_CREAT = 64\n"
	"O_BUGON = 1073741824\n";

static int setup(void **state)
{
	*state = fixture_new(text, consts);
	return 0;
}

static int teardown(void **state)
{
	fixture_free(*state);
	return 0;
}

static struct call *add(struct fixture *s, const char *name)
{
	return tree_add_call(s->p, fixture_call(s, name), true);
}

static struct arg *argument(struct fixture *s, size_t call, uint32_t i)
{
	return arg_at(s->p, list_at(s->p, s->p->calls.data[call].arg, i));
}

static struct arg *field(struct fixture *s, const struct arg *pointer,
			 uint32_t i)
{
	return arg_at(s->p,
		      list_at(s->p, arg_at(s->p, pointer->child)->child, i));
}

static void refer(struct arg *a, uint32_t made)
{
	a->child = made;
	a->div = a->extra = 0;
}

static void place_at(struct arg *pointer, uint64_t at)
{
	pointer->value = at;
}

/* The C, which gcc -Wall accepts. */
static void to_c(struct fixture *s, const struct prog_c_opts *opts,
		 struct buf *out)
{
	struct error *err = prog_to_c(s->p, opts, out);
	FILE *cc;

	assert_null(err);
	cc = popen("cc -Wall -Wextra -Werror -O2 -fsyntax-only -xc -", "w");
	assert_non_null(cc);
	fwrite(out->data, 1, out->len, cc);
	if (pclose(cc)) {
		print_error("%s", buf_cstr(out));
		fail();
	}
}

static void has(const struct buf *out, const char *want)
{
	if (!strstr(buf_cstr(out), want)) {
		print_error("no '%s' in\n%s", want, buf_cstr(out));
		fail();
	}
}

static void hasnt(const struct buf *out, const char *what)
{
	if (strstr(buf_cstr(out), what)) {
		print_error("'%s' in\n%s", what, buf_cstr(out));
		fail();
	}
}

static void libc_calls(void **state)
{
	struct fixture *s = *state;
	_cleanup_(buf_deinit) struct buf out = {};

	add(s, "openat");
	add(s, "write");
	argument(s, 0, 2)->value = 2 | 1 << 30 | 0x10;
	refer(argument(s, 1, 0), s->p->calls.data[0].ret);
	place_at(argument(s, 1, 1), 0x100);
	argument(s, 1, 2)->value = 5;
	to_c(s, &(struct prog_c_opts){}, &out);
	has(&out, "long fd_0 = openat(-1, \"./x\", "
		  "O_RDWR | O_BUGON | 0x10, 0);\n");
	has(&out, "\twrite(fd_0, data + 0x100, 5);\n");
	has(&out, "#ifndef O_BUGON\n#define O_BUGON 0x40000000\n#endif\n");
	has(&out, "#include <fcntl.h>\n");
	hasnt(&out, "fail_nth");
	hasnt(&out, "in_thread");
}

/* A path that another pointer may change is no literal. */
static void overlap(void **state)
{
	struct fixture *s = *state;
	_cleanup_(buf_deinit) struct buf out = {};

	add(s, "openat");
	add(s, "pipe2");
	place_at(argument(s, 0, 1), 4);
	to_c(s, &(struct prog_c_opts){}, &out);
	has(&out, "\tmemcpy(data + 0x4, \"./x\\0\", 4);\n"
		  "\topenat(-1, data + 0x4, ");
}

static void structs(void **state)
{
	struct fixture *s = *state;
	_cleanup_(buf_deinit) struct buf out = {};
	struct arg *addr;

	add(s, "pipe2");
	add(s, "bind");
	refer(argument(s, 1, 0),
	      list_at(s->p, arg_at(s->p, argument(s, 0, 0)->child)->child, 1));
	addr = argument(s, 1, 1);
	place_at(addr, 0x40);
	field(s, addr, 1)->value = 0x1234;
	field(s, addr, 2)->value = UINT32_MAX;
	arg_at(s->p, field(s, addr, 3)->child)->value = 77;
	to_c(s, &(struct prog_c_opts){}, &out);
	has(&out, "\tpipe2((void *)p0, 0);\n\tlong fd_0 = p0->b;\n");
	has(&out, "\t*addr1 = (__typeof__(*addr1)){\n"
		  "\t\t.family = AF_INET,\n"
		  "\t\t.port = htobe16(0x1234),\n"
		  "\t\t.unix_ = -1,\n"
		  "\t\t.which = { .one = 0x4d, },\n\t};\n");
	has(&out, "\tbind(fd_0, (void *)addr1, 0);\n");
	hasnt(&out, "packed");
	hasnt(&out, "AF_INET 0x2\n#endif\n#ifndef AF_INET");
}

static void layouts(void **state)
{
	struct fixture *s = *state;
	_cleanup_(buf_deinit) struct buf out = {};
	struct arg *bits;

	add(s, "openat");
	add(s, "odd");
	place_at(argument(s, 0, 1), 0x200);
	place_at(argument(s, 1, 0), 0x300);
	place_at(argument(s, 1, 1), 0x400);
	place_at(argument(s, 1, 2), 0x500);
	refer(field(s, argument(s, 1, 0), 1), s->p->calls.data[0].ret);
	field(s, argument(s, 1, 0), 2)->value = 9;
	field(s, argument(s, 1, 1), 2)->value = 0xffff;
	bits = argument(s, 1, 2);
	field(s, bits, 0)->value = 0x7d;
	field(s, bits, 1)->value = 3;
	field(s, bits, 2)->value = 8;
	to_c(s, &(struct prog_c_opts){}, &out);
	has(&out, "\t} __attribute__((packed)) *p1 = data + 0x300;\n");
	has(&out, "\tput_text(&p1->f, \"%020llu\", fd_0);\n");
	has(&out, "\tuint16_t *q1 = data + 0x400;\n");
	has(&out, "{ 0, 0, 0xffff }, 6);\n");
	has(&out, "\t\tuint32_t a : 3;\n\t\tuint32_t b : 7;\n"
		  "\t\tuint64_t : 22;\n\t\tuint32_t c;\n");
	has(&out, "\t\t.a = 0x5,\n\t\t.b = 3,\n\t\t.c = 8,\n");
	has(&out, "syscall(__NR_odd, (void *)p1, ");
	has(&out, "#define __NR_odd 0x3e7\n");
}

/* A bit-field of a whole word; a gap of more than a word behind one. */
static void wide_bits(void **state)
{
	struct fixture *s = *state;
	_cleanup_(buf_deinit) struct buf out = {};

	add(s, "wide");
	field(s, argument(s, 0, 0), 0)->value = 0x123456789abcdef0;
	field(s, argument(s, 0, 0), 1)->value = 5;
	to_c(s, &(struct prog_c_opts){}, &out);
	has(&out, ".a = 0x123456789abcdef0,");
	has(&out, ".b = 5,");
}

static void properties(void **state)
{
	struct fixture *s = *state;
	_cleanup_(buf_deinit) struct buf out = {};
	struct prog_c_result results[] = {
		{ true, 2, 0 },
		{ true, 0, 7 },
		{ false, 0, 0 },
	};

	for (int i = 0; i < 3; i++)
		add(s, "openat");
	s->p->calls.data[0].props.fail_nth = 3;
	s->p->calls.data[1].props.rerun = 4;
	s->p->calls.data[2].props.async = true;
	for (uint32_t i = 0; i < 3; i++)
		place_at(argument(s, i, 1), 0x100 * i);
	to_c(s,
	     &(struct prog_c_opts){ .title = "three",
				    .repeat = 10,
				    .results = results,
				    .nresults = 3 },
	     &out);
	has(&out, "three. */\n");
	has(&out, "\tfail_nth(3);\n\topenat(");
	has(&out, "/* ENOENT */\n");
	has(&out, "\tfor (int i = 0; i <= 4; i++)\n\t\topenat(");
	has(&out, "/* 7 */\n");
	has(&out, "\tin_thread(NULL, 0, __NR_openat, ");
	has(&out, "/* did not return */\n");
	has(&out, "\trepeat(10, 5);\n");
}

static void pseudo_calls(void **state)
{
	struct fixture *s = *state;
	_cleanup_(buf_deinit) struct buf out = {}, packed = {};
	static const char raw[8192] = { [4096] = 'm', 'a', 'g', 'i', 'c' };
	struct arg *image;

	add(s, "syz_open_dev");
	add(s, "syz_mount_image");
	for (uint32_t i = 0; i < 2; i++)
		place_at(argument(s, 1, i), 0x100 + 0x100 * i);
	prog_image_deflate((struct slice){ raw, sizeof(raw) }, &packed);
	place_at(argument(s, 1, 6), 0x1000);
	image = arg_at(s->p, argument(s, 1, 6)->child);
	image->from = (uint32_t)s->p->bytes.len;
	image->len = (uint32_t)packed.len;
	buf_add(&s->p->bytes, packed.data, packed.len);
	argument(s, 0, 1)->value = 3;
	to_c(s, &(struct prog_c_opts){ .print = true }, &out);
	has(&out, "\tprint_result(0, (long)syz_open_dev(\"/dev/x#\", 3, ");
	has(&out, "static const struct run image_1[] = {\n\t{ 0x1000, ");
	has(&out, "\"magic");
	has(&out, "\t{ 0x2000, 0, NULL }\n};\n");
	has(&out, "syz_mount_image(\"ext4\", \"./m\", 0, NULL, 0, ");
	has(&out, "image_1));\n");
	hasnt(&out, "open_tun");
}

static void no_c(void **state)
{
	struct fixture *s = *state;
	_cleanup_(buf_deinit) struct buf out = {};
	struct error *err;

	add(s, "syz_nothing");
	err = prog_to_c(s->p, &(struct prog_c_opts){}, &out);
	assert_non_null(err);
	assert_non_null(strstr(error_message(err), "syz_nothing"));
	error_free(err);
	assert_int_equal(out.len, 0);
}

/* Of constants it is a number, of results of earlier calls code. */
static void checksums(void **state)
{
	struct fixture *s = *state;
	_cleanup_(buf_deinit) struct buf out = {}, late = {};

	add(s, "openat");
	add(s, "send");
	place_at(argument(s, 0, 1), 0x200);
	place_at(argument(s, 1, 0), 0x100);
	field(s, argument(s, 1, 0), 1)->value = 0x1234;
	field(s, argument(s, 1, 0), 2)->value = 1;
	to_c(s, &(struct prog_c_opts){}, &out);
	has(&out, "\t\t.sum = 0xedca,\n"); /* ~0x1235 */
	hasnt(&out, "checksum(");
	refer(field(s, argument(s, 1, 0), 2), s->p->calls.data[0].ret);
	to_c(s, &(struct prog_c_opts){}, &late);
	hasnt(&late, ".sum =");
	has(&late, "\tchecksum(data + 0x100, (struct covered[]){\n"
		   "\t\t{ data + 0x100, 8 },\n\t\t{ 0 } });\n\tsyscall(");
}

/* A later call takes what the kernel wrote, not where it did. */
static void pointee_that_is_a_result(void **state)
{
	struct fixture *s = *state;
	_cleanup_(buf_deinit) struct buf out = {};

	add(s, "make");
	add(s, "write");
	place_at(argument(s, 1, 1), 0x100);
	refer(argument(s, 1, 0), argument(s, 0, 0)->child);
	to_c(s, &(struct prog_c_opts){}, &out);
	has(&out, "\tlong fd_0 = *p0;\n");
	has(&out, "\twrite(fd_0, ");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(libc_calls, setup, teardown),
		cmocka_unit_test_setup_teardown(overlap, setup, teardown),
		cmocka_unit_test_setup_teardown(structs, setup, teardown),
		cmocka_unit_test_setup_teardown(layouts, setup, teardown),
		cmocka_unit_test_setup_teardown(wide_bits, setup, teardown),
		cmocka_unit_test_setup_teardown(properties, setup, teardown),
		cmocka_unit_test_setup_teardown(pseudo_calls, setup, teardown),
		cmocka_unit_test_setup_teardown(no_c, setup, teardown),
		cmocka_unit_test_setup_teardown(checksums, setup, teardown),
		cmocka_unit_test_setup_teardown(pointee_that_is_a_result, setup,
						teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
