/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Programs as payloads, run by a simulator: memory, values, results. */
#include <glob.h>
#include <stdio.h>

#include "base/io.h"
#include "prog/tree.h"
#include "simulate.h"
#include "unit.h"

static const char text[] =
	"resource fd[int32]: -1\n"
	"resource port[int16]: 0x3412\n"
	"make() fd\n"
	"outs(p ptr[out, out_struct], q ptr[inout, mixed], r ptr[in, over])\n"
	"use(f fd, n intptr, p ptr[in, ints], v vma, o ptr[in, ints, opt])\n"
	"refs(p ptr[in, with_refs])\n"
	"text(s ptr[in, string], u ptr[in, sized_union], l ptr[in, list])\n"
	"sum4(p ptr[in, packet4])\n"
	"sum6(p ptr[in, packet6])\n"
	"syz_open_pts(fd fd, flags const[0])\n"
	"syz_no_such_call()\n"
	"out_struct {\n\ta\tint32\n\tf\tfd\n\tb\tport\n}\n"
	"mixed {\n\ta\tint32\n\tb\tint32\t(out)\n\tc\tint16\n\td\tint8\n}\n"
	"over {\n\ta\tint32\n\tb\tint32\n\tc\tfd\t(out_overlay)\n"
	"\td\tint64\n}\n"
	"ints {\n\ta\tint16be\n\tb\tint8\n\tc\tint32:4\n\td\tint32:20\n"
	"\te\tint16be:4\n\tf\tint16be:12\n\tg\tproc[100, 4, int16]\n"
	"\th\tfmt[hex, int32]\n\tk\tfmt[oct, int8]\n\tm\tconst[0x1234, int64be]\n}\n"
	"with_refs {\n\ta\tfd\n\tb\tport\n\tc\tint16\n\td\tfmt[dec, port]\n}\n"
	"sized_union [\n\ta\tint8\n\tb\tarray[int8, 5]\n]\n"
	"list {\n\tn\tlen[tail, int8]\n\tp\tptr[in, string]\n\ttail\tarray[ints]\n}"
	" [packed]\n"
	"packet4 {\n\thead\tip4\n\tu\tudp\n} [packed]\n"
	"ip4 {\n\tv\tconst[0x45, int8]\n\tid\tint8\n\tcsum\tcsum[parent, inet, int16be]\n"
	"\tsrc_ip\tint32be\n\tdst_ip\tint32be\n} [packed]\n"
	"packet6 {\n\tsrc_ip\tarray[int8, 16]\n\tdst_ip\tarray[int8, 16]\n\tu\tudp6\n}"
	" [packed]\n"
	"udp {\n\tsp\tport\n\tdp\tint16be\n\tlength\tbytesize[parent, int16be]\n"
	"\tcsum\tcsum[parent, pseudo, 17, int16be]\n\tdata\tarray[int8]\n} [packed]\n"
	"udp6 {\n\tsp\tint16be\n\tcsum\tcsum[parent, pseudo, 58, int16be]\n"
	"\tdata\tarray[int8, 3]\n} [packed]\n";

static const char consts[] = "arches = amd64\n"
			     "__NR_make = 1\n__NR_outs = 2\n__NR_use = 3\n"
			     "__NR_refs = 4\n__NR_text = 5\n__NR_sum4 = 6\n"
			     "__NR_sum6 = 7\n";

static struct desc *d;
static struct prog_target *t;
static struct prog *p;
static struct sim *sim;

static int group_setup(void **state)
{
	struct desc_input *in = desc_input_new();
	_cleanup_(buf_deinit) struct buf said = {};

	desc_input_text(in, "t.txt", slice_cstr(text));
	desc_input_text(in, "t.const", slice_cstr(consts));
	d = desc_compile(in, desc_arch_find(SLICE("amd64")));
	desc_messages_to_text(in, &said);
	if (desc_errors(in))
		print_error("%s", buf_cstr(&said));
	assert_int_equal(desc_errors(in), 0);
	desc_input_free(in);
	t = prog_target_new(d);
	sim = sim_new();
	return 0;
}

static int group_teardown(void **state)
{
	sim_free(sim);
	prog_target_free(t);
	desc_free(d);
	return 0;
}

static int setup(void **state)
{
	p = prog_new(t);
	return 0;
}

static int teardown(void **state)
{
	prog_free(p);
	return 0;
}

static void add(const char *name)
{
	const struct desc_call *c = desc_call_find(d, slice_cstr(name));

	assert_non_null(c);
	tree_add_call(p, (uint32_t)(c - d->calls), true);
}

/* Argument `path[0]` of the last call, field path[1] of what it points to... */
static uint32_t at(const int *path)
{
	const struct call *c = &p->calls.data[p->calls.len - 1];
	uint32_t a = list_at(p, c->arg, (uint32_t)path[0]);

	for (path++; *path >= 0; path++) {
		if (arg_at(p, a)->kind == ARG_POINTER)
			a = arg_at(p, a)->child;
		a = list_at(p, arg_at(p, a)->child, (uint32_t)*path);
	}
	return a;
}
#define AT(...) arg_at(p, at((const int[]){ __VA_ARGS__, -1 }))
#define ID(...) at((const int[]){ __VA_ARGS__, -1 })

/* What the last call's pointer `n` points to, at that place; data `off`. */
static void place(int n, uint64_t off)
{
	AT(n)->value = off;
}

static void refer(struct arg *a, uint32_t to, uint64_t div)
{
	a->child = to;
	a->div = div;
}

static void run(unsigned proc)
{
	_cleanup_(buf_deinit) struct buf wire = {};
	struct error *err = prog_encode(p, proc, &wire);
	const char *wrong;

	if (err)
		fail_msg("%s", error_message(err));
	wrong = sim_run(sim, buf_as_slice(&wire));
	if (wrong)
		fail_msg("%s", wrong);
	assert_int_equal(sim->ncalls, prog_ncalls(p));
}

static void assert_data(uint64_t off, const char *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (sim->data[off + i] != (unsigned char)bytes[i])
			fail_msg("data[%#zx] is %#x, not %#x", off + i,
				 sim->data[off + i], (unsigned char)bytes[i]);
}
#define ASSERT_DATA(off, bytes) assert_data(off, bytes, sizeof(bytes) - 1)

static void integers(void **state)
{
	add("use");
	place(2, 0x40);
	AT(0)->value = UINT64_MAX;
	AT(1)->value = 0x1122334455667788;
	AT(2, 0)->value = 0x0102;
	AT(2, 1)->value = 0x03;
	AT(2, 2)->value = 0x1f; /* four bits of it */
	AT(2, 3)->value = 0xabcde;
	AT(2, 4)->value = 0x5;
	AT(2, 5)->value = 0x678;
	AT(2, 6)->value = 2;
	AT(2, 7)->value = 0xbeef;
	AT(2, 8)->value = 8;
	AT(3)->value = 0x3000;
	AT(3)->flags = 0;
	AT(4)->flags = ARG_SPECIAL;
	AT(4)->value = 0x9999999999999999;
	run(3);
	assert_int_equal(sim->calls[0].nr, 3);
	assert_int_equal(sim->calls[0].nargs, 5);
	assert_int_equal(sim->calls[0].args[0], UINT64_MAX);
	assert_int_equal(sim->calls[0].args[1], 0x1122334455667788);
	assert_int_equal(sim->calls[0].args[2], WIRE_DATA_BASE + 0x40);
	assert_int_equal(sim->calls[0].args[3], WIRE_DATA_BASE + 0x3000);
	assert_int_equal(sim->calls[0].args[4], 0x9999999999999999);
	/*
	 * a, b; bits 24 to 27 of the int32 at 0, then 20 of the next one; e
	 * of the int16be at 6; f of the one at 8; g = 100 + 3 * 4 + 2.
	 */
	ASSERT_DATA(0x40, "\x01\x02\x03\x0f"
			  "\xde\xbc\x0a\x50");
	ASSERT_DATA(0x48, "\x06\x78"
			  "\x72\x00"
			  "0x000000000000beef"
			  "00000000000000000000010");
	assert_int_equal(sim->ncopyins, 1);
	/* Nobody said which executor: the type's first value. */
	AT(2, 6)->value = UINT64_MAX;
	run(3);
	ASSERT_DATA(0x4a, "\x00\x00");
}

/* What the kernel writes is left alone; what somebody takes is read. */
static void directions(void **state)
{
	add("outs");
	place(0, 0x100);
	place(1, 0x200);
	place(2, 0x300);
	AT(1, 0)->value = 0x11;
	AT(1, 1)->value = 0x22;
	AT(1, 2)->value = 0x33;
	AT(2, 0)->value = 0x44;
	AT(2, 1)->value = 0x55;
	AT(2, 3)->value = 0x66;

	uint32_t f = ID(0, 1), b = ID(0, 2), over = ID(2, 2);

	run(0);
	assert_int_equal(sim->ncopyouts, 0);
	assert_int_equal(sim->ncopyins, 3); /* two pieces of mixed */
	ASSERT_DATA(0x200, "\x11\0\0\0\0\0\0\0\x33\0\0");
	ASSERT_DATA(0x300, "\x44\0\0\0\x55\0\0\0");
	add("refs");
	place(0, 0x400);
	refer(AT(0, 0), f, 0);
	refer(AT(0, 1), b, 0);
	refer(AT(0, 3), over, 0);
	run(0);
	assert_int_equal(sim->ncopyouts, 3);
	assert_int_equal(sim->nstores, 3);
	/* SIM_OUT of 0x104, 0x108 and 0x300. */
	ASSERT_DATA(0x400, "\x04\x01\x00\x5a"
			   "\x08\x01"
			   "\x00\x00"
			   "00000000001509950208");
}

static void references(void **state)
{
	add("make");
	add("make");

	uint32_t one = p->calls.data[0].ret;

	add("use");
	refer(AT(0), one, 2);
	AT(0)->extra = 5;
	AT(4)->flags = ARG_SPECIAL;
	add("refs");
	place(0, 0x80);
	refer(AT(0, 0), one, 0);
	AT(0, 1)->value = 0x1234;
	AT(0, 2)->value = 0x5678;
	refer(AT(0, 3), one, 0);
	AT(0, 3)->extra = 1;
	p->calls.data[3].props =
		(struct prog_props){ .fail_nth = 3, .rerun = 7, .async = true };
	run(0);
	assert_int_equal(sim->calls[2].args[0], SIM_RET(0) / 2 + 5);
	assert_int_equal(sim->nderived, 2);
	ASSERT_DATA(0x80, "\x00\x10\x00\x00\x34\x12\x78\x56"
			  "00000000000000004097");
	assert_int_equal(sim->calls[3].fail_nth, 3);
	assert_int_equal(sim->calls[3].rerun, 7);
	assert_int_equal(sim->calls[3].props, WIRE_CALL_ASYNC);
	/* One that is not made: the resource's own value. */
	prog_remove_call(p, 0);
	run(0);
	assert_int_equal(sim->calls[1].args[0], UINT64_MAX);
	ASSERT_DATA(0x80, "\xff\xff\xff\xff\x34\x12\x78\x56"
			  "00000000000000013330");
	assert_int_equal(sim->nstores, 0);
}

static void set_data(struct arg *a, const char *bytes, uint32_t len)
{
	uint32_t from = tree_bytes(p, bytes, len);

	a->from = from;
	a->len = len;
}

static void buffers(void **state)
{
	uint32_t to;

	add("text");
	place(0, 0x10);
	place(1, 0x20);
	place(2, 0x30);
	set_data(arg_at(p, AT(0)->child), "hi", 3);
	sim->data[0x24] = 1;
	AT(2, 1)->value = 0x800; /* level by level */
	to = AT(2, 1)->child;
	set_data(arg_at(p, to), "deep", 5);
	run(0);
	ASSERT_DATA(0x10, "hi\0");
	ASSERT_DATA(0x30, "\0\0\x08\0\x20\0\0\0\0");
	ASSERT_DATA(0x800, "deep");
	assert_int_equal(sim->copied, 3 + 5 + 9 + 5);
	/* Too far. */
	_cleanup_(buf_deinit) struct buf wire = {};
	AT(0)->value = WIRE_DATA_SIZE - 2;
	struct error *err = prog_encode(p, 0, &wire);
	assert_non_null(err);
	assert_int_equal(error_kind(err), ERR_INPUT);
	assert_int_equal(wire.len, 0);
	error_free(err);
}

static void squashed(void **state)
{
	uint32_t group, blob, res, dec;

	add("make");
	add("refs");
	place(0, 0x40);
	group = arg_new(p, ARG_GROUP, arg_at(p, AT(0)->child)->type, DESC_IN);
	blob = arg_new_data(p, DESC_NONE, DESC_IN, "\1\2\3", 3);
	res = arg_new(p, ARG_RESULT, DESC_NONE, DESC_IN);
	dec = arg_new(p, ARG_RESULT, DESC_NONE, DESC_IN);
	for (uint32_t a = group; a <= dec; a++)
		arg_at(p, a)->flags = ARG_ANY;
	arg_at(p, res)->any = ANY_RES32;
	refer(arg_at(p, res), p->calls.data[0].ret, 0);
	arg_at(p, res)->extra = 0x10;
	arg_at(p, dec)->any = ANY_RES_DEC;
	arg_at(p, dec)->value = 12;
	arg_at(p, group)->child = blob;
	arg_at(p, blob)->next = res;
	arg_at(p, res)->next = dec;
	AT(0)->child = group;
	run(0);
	ASSERT_DATA(0x40, "\1\2\3\x10\x10\0\0"
			  "00000000000000000012");
}

/* RFC 1071, once more and in another way. */
static uint16_t expect_sum(const unsigned char *bytes, size_t len)
{
	uint32_t sum = 0;

	for (size_t i = 0; i < len; i++)
		sum += i % 2 ? bytes[i] : (uint32_t)bytes[i] << 8;
	while (sum > 0xffff)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)(0xffff - sum);
}

static void make_packet4(void)
{
	add("sum4");
	place(0, 0x40);
	AT(0, 0, 1)->value = 0x77;
	AT(0, 0, 3)->value = 0x0a000001;
	AT(0, 0, 4)->value = 0x0a000002;
	AT(0, 1, 1)->value = 0x35;
	AT(0, 1, 2)->value = 11;
	set_data(AT(0, 1, 4), "odd", 3);
}

static void check_packet4(void)
{
	const unsigned char *b = sim->data + 0x40;
	unsigned char pseudo[12 + 11], head[12];
	uint16_t want;

	memcpy(head, b, 12);
	head[2] = head[3] = 0;
	want = expect_sum(head, 12);
	assert_int_equal(b[2] << 8 | b[3], want);
	memcpy(pseudo, b + 4, 8);
	memcpy(pseudo + 8, "\0\x11\0\x0b", 4);
	memcpy(pseudo + 12, b + 12, 11);
	pseudo[12 + 6] = pseudo[12 + 7] = 0;
	want = expect_sum(pseudo, sizeof(pseudo));
	assert_int_equal(b[18] << 8 | b[19], want);
}

static void checksums(void **state)
{
	unsigned char pseudo[40 + 7];
	uint32_t port;

	make_packet4();
	AT(0, 1, 0)->value = 0x1234;
	run(0);
	assert_int_equal(sim->nsums, 0);
	check_packet4();
	prog_remove_call(p, 0);
	/* The port is known only when it runs. */
	add("outs");
	place(0, 0x1100);
	port = ID(0, 2);
	make_packet4();
	refer(AT(0, 1, 0), port, 0);
	run(0);
	assert_int_equal(sim->nsums, 2);
	ASSERT_DATA(0x40 + 12, "\x08\x11");
	check_packet4();

	add("sum6");
	place(0, 0x1000);
	for (int i = 0; i < 2; i++)
		memset(p->bytes.data + AT(0, i)->from, 'a' + i, 16);
	memcpy(p->bytes.data + AT(0, 2, 2)->from, "xyz", 3);
	run(0);
	assert_int_equal(sim->nsums, 2);
	memcpy(pseudo, sim->data + 0x1000, 32);
	memcpy(pseudo + 32, "\0\0\0\x07\0\0\0\x3a", 8);
	memcpy(pseudo + 40, sim->data + 0x1020, 7);
	pseudo[42] = pseudo[43] = 0;
	assert_int_equal(sim->data[0x1022] << 8 | sim->data[0x1023],
			 expect_sum(pseudo, sizeof(pseudo)));
}

static void pseudo_calls(void **state)
{
	add("syz_open_pts");
	add("syz_no_such_call");
	run(0);
	assert_int_equal(sim->calls[0].nr, WIRE_PSEUDO + WIRE_SYZ_OPEN_PTS);
	assert_int_equal(sim->calls[1].nr, WIRE_NR_NONE);
	assert_true(prog_call_is_known(t, prog_call_id(p, 0)));
	assert_false(prog_call_is_known(t, prog_call_id(p, 1)));
}

/* ---- A tree of syzkaller's: all programs there, and back from their text ------------ */

static struct prog_target *tree_target(const char *root, struct desc **out)
{
	struct desc_input *in = desc_input_new();
	struct error *err;
	char dir[512];

	snprintf(dir, sizeof(dir), "%s/sys/linux", root);
	err = desc_input_dir(in, dir);
	if (err) {
		error_free(err);
		desc_input_free(in);
		return NULL;
	}
	*out = desc_compile(in, desc_arch_find(SLICE("amd64")));
	assert_int_equal(desc_errors(in), 0);
	desc_input_free(in);
	return prog_target_new(*out);
}

static size_t largest; /* payload, in bytes */

static void encode_and_run(const struct prog *q, struct sim *s,
			   const char *path)
{
	_cleanup_(buf_deinit) struct buf wire = {};
	struct error *err = prog_encode(q, 0, &wire);
	const char *wrong;

	if (err)
		fail_msg("%s: %s", path, error_message(err));
	largest = wire.len > largest ? wire.len : largest;
	wrong = sim_run(s, buf_as_slice(&wire));
	if (wrong)
		fail_msg("%s: %s", path, wrong);
	assert_int_equal(s->ncalls, prog_ncalls(q));
}

static bool same_meaning(const char *path, const struct prog_target *tree,
			 struct slice text_in, enum prog_mode mode,
			 struct sim *a, struct sim *b)
{
	_cleanup_(prog_freep) struct prog *one = NULL, *two = NULL;
	_cleanup_(buf_deinit) struct buf again = {};
	struct error *err = prog_parse(tree, path, text_in, mode, &one);

	if (err) {
		error_free(err);
		return false;
	}
	encode_and_run(one, a, path);
	prog_to_text(one, &again);
	err = prog_parse(tree, path, buf_as_slice(&again), PROG_STRICT, &two);
	if (err)
		fail_msg("%s: %s", path, error_message(err));
	encode_and_run(two, b, path);
	assert_int_equal(a->ncalls, b->ncalls);
	for (uint32_t i = 0; i < a->ncalls; i++)
		if (memcmp(&a->calls[i], &b->calls[i], sizeof(a->calls[i])))
			fail_msg("%s: call %u is another one", path, i);
	return true;
}

static void syzkaller_tests(void **state)
{
	const char *root = getenv("BUGON_SYZKALLER");
	_cleanup_(desc_freep) struct desc *tree_desc = NULL;
	_cleanup_(prog_target_freep) struct prog_target *tree = NULL;
	struct sim *a, *b;
	unsigned done = 0, calls = 0, bad = 0;
	char pattern[512];
	glob_t found;

	if (root)
		tree = tree_target(root, &tree_desc);
	if (!tree)
		SKIP_TEST("no BUGON_SYZKALLER");
	a = sim_new();
	b = sim_new();
	snprintf(pattern, sizeof(pattern), "%s/sys/linux/test/[a-z]*", root);
	assert_int_equal(glob(pattern, 0, NULL, &found), 0);
	for (size_t i = 0; i < found.gl_pathc; i++) {
		_cleanup_(buf_deinit) struct buf bytes = {};
		struct error *err =
			io_read_file(found.gl_pathv[i], 64 << 20, &bytes);

		if (!err &&
		    same_meaning(found.gl_pathv[i], tree, buf_as_slice(&bytes),
				 PROG_STRICT, a, b)) {
			done++;
			calls += a->ncalls;
		} else {
			bad++;
		}
		error_free(err);
	}
	print_message("# %u programs of %u calls encoded, %u not parsed; "
		      "the largest has %zu bytes\n",
		      done, calls, bad, largest);
	assert_in_range(done, found.gl_pathc * 9 / 10, found.gl_pathc);
	globfree(&found);
	sim_free(a);
	sim_free(b);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(integers),
		TEST(directions),
		TEST(references),
		TEST(buffers),
		TEST(squashed),
		TEST(checksums),
		TEST(pseudo_calls),
		TEST(syzkaller_tests),
	};

	return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
