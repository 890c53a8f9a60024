/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit.h"

#include <stdio.h>
#include <time.h>

#include "desc/desc.h"

/* Values that no test is about. */
#define CONSTS "__NR_foo = 1\n__NR_bar = 2\nONE = 1\nBIG = 300, arm64:400\n"

struct set {
	struct desc_input *in;
	struct desc *d;
	struct buf messages;
};

static void set_deinit(struct set *s)
{
	desc_free(s->d);
	desc_input_free(s->in);
	buf_deinit(&s->messages);
}

static struct set compile(const char *text, const char *arch)
{
	struct set s = { .in = desc_input_new() };

	desc_input_text(s.in, "t.txt", slice_cstr(text));
	desc_input_text(s.in, "t.const", slice_cstr(CONSTS));
	s.d = desc_compile(s.in, desc_arch_find(slice_cstr(arch)));
	desc_messages_to_text(s.in, &s.messages);
	return s;
}

static struct set compile_well(const char *text, const char *arch)
{
	struct set s = compile(text, arch);

	assert_string_equal(buf_cstr(&s.messages), "");
	return s;
}

static void expect_messages(const char *text, const char *want)
{
	_cleanup_(set_deinit) struct set s = compile(text, "amd64");

	assert_string_equal(buf_cstr(&s.messages), want);
}

static const struct desc_record *record(const struct set *s, const char *name)
{
	for (size_t i = 0; i < s->d->nrecords; i++)
		if (!strcmp(desc_name(s->d, s->d->records[i].name), name))
			return &s->d->records[i];
	fail_msg("no record %s", name);
	return NULL;
}

static const struct desc_field *field(const struct set *s,
				      const struct desc_record *r, uint32_t i)
{
	assert_in_range(i, 0, r->nfields - 1);
	return &s->d->fields[r->field + i];
}

static void expect_formatted(const char *text, const char *want)
{
	struct desc_input *in = desc_input_new();
	_cleanup_(buf_deinit) struct buf out = {}, again = {};

	desc_input_text(in, "t.txt", slice_cstr(text));
	assert_null(desc_format(in, 0, &out));
	assert_string_equal(buf_cstr(&out), want);
	desc_input_text(in, "u.txt", buf_as_slice(&out));
	assert_null(desc_format(in, 1, &again));
	assert_string_equal(buf_cstr(&again), want);
	desc_input_free(in);
}

static void formats(void **state)
{
	expect_formatted(
		"foo ( a   int8,b  ptr [ in ,array[int8]] ) fd (x, y[1])\n"
		"\n\n\n#c\n",
		"foo(a int8, b ptr[in, array[int8]]) fd (x, y[1])\n"
		"\n#c\n");
	expect_formatted("\ns {\n\n  a int8\n # c\n\n\n\n"
			 "  longer_name int8 (in) # d\n\n} [ packed ]\n\n",
			 "s {\n\ta\t\tint8\n# c\n\n"
			 "\tlonger_name\tint8\t(in)\t# d\n} [packed]\n");
	expect_formatted("u [ # of two\n\ta\tint8:3\n]\n",
			 "u [\n# of two\n\ta\tint8:3\n]\n");
	expect_formatted("f =  1,0x2 , 'c', -4 ,N\ng = \"a\",`0AfF`\n",
			 "f = 1, 0x2, 'c', -4, N\ng = \"a\", `0aff`\n");
	expect_formatted(
		"define  A   1 <<  2\ninclude  <a/b.h>\nincdir <x>\n"
		"meta  arches [ \"386\" ]\nresource r [ int32 ] :1 ,2\n"
		"type t[ A,B ] const [ A ,B]\ntype t2[A]{\n\tf A\n}\n",
		"define A\t1 <<  2\ninclude <a/b.h>\nincdir <x>\n"
		"meta arches[\"386\"]\nresource r[int32]: 1, 2\n"
		"type t[A, B] const[A, B]\ntype t2[A] {\n\tf\tA\n}\n");
}

/* Brackets stay where they mean something, and only there. */
static void formats_conditions(void **state)
{
	expect_formatted("s {\n\ta int8 (if[((a&b))==(c)||(d==1)])\n"
			 "\tb int8 (if[a & (b == c)])\n"
			 "\tc int8 (if[a == (b != c)])\n}\n",
			 "s {\n\ta\tint8\t(if[a & b == c || d == 1])\n"
			 "\tb\tint8\t(if[a & (b == c)])\n"
			 "\tc\tint8\t(if[a == (b != c)])\n}\n");
}

static void broken_is_not_formatted(void **state)
{
	struct desc_input *in = desc_input_new();
	_cleanup_(buf_deinit) struct buf out = {};

	desc_input_text(in, "t.txt", SLICE("foo(\n"));
	struct error *err = desc_format(in, 0, &out);

	assert_non_null(err);
	assert_int_equal(error_kind(err), ERR_INPUT);
	assert_int_equal(out.len, 0);
	error_free(err);
	desc_input_free(in);
}

/* One of each in the language and in C: the compiler is the judge. */
struct plain {
	uint8_t a;
	uint16_t b;
	uint8_t c;
	uint64_t d;
	uint8_t e[3];
	void *f;
	uint32_t g;
};

struct __attribute__((packed)) tight {
	uint8_t a;
	uint64_t b;
	uint16_t c;
};

struct bits {
	uint32_t a:3;
	uint32_t b:30;
	uint8_t c:4;
	uint8_t d:5;
	uint16_t e:1;
	uint64_t f:40;
	uint8_t g;
	uint32_t h:8;
};

struct bits_after {
	uint8_t a;
	uint32_t b:24;
	uint8_t c:1;
};

struct __attribute__((packed)) bits_tight {
	uint32_t a:3;
	uint32_t b:30;
	uint16_t c;
};

union both {
	uint8_t a[5];
	uint32_t b;
};

struct outer {
	uint8_t a;
	struct tight b;
	union both c;
	struct plain d[2];
} __attribute__((aligned(32)));

#define LAYOUT                                                             \
	"foo(a ptr[in, outer], b ptr[in, bits], c ptr[in, bits_after], "   \
	"d ptr[in, bits_tight])\n"                                         \
	"plain {\n\ta int8\n\tb int16\n\tc int8\n\td int64\n"              \
	"\te array[int8, 3]\n\tf ptr[in, int8]\n\tg int32\n}\n"            \
	"tight {\n\ta int8\n\tb int64\n\tc int16be\n} [packed]\n"          \
	"bits {\n\ta int32:3\n\tb int32:30\n\tc int8:4\n\td int8:5\n"      \
	"\te int16:1\n\tf int64:40\n\tg int8\n\th const[1, int32:8]\n}\n"  \
	"bits_after {\n\ta int8\n\tb int32:24\n\tc int8:1\n}\n"            \
	"bits_tight {\n\ta int32:3\n\tb int32:30\n\tc int16\n} [packed]\n" \
	"both [\n\ta array[int8, 5]\n\tb int32\n]\n"                       \
	"outer {\n\ta int8\n\tb tight\n\tc both\n\td array[plain, 2]\n} "  \
	"[align[32]]\n"

#define EXPECT_AT(s, r, i, type, member) \
	assert_int_equal(field(s, r, i)->offset, offsetof(type, member))
#define EXPECT_SIZE(s, type, name)                                        \
	do {                                                              \
		assert_int_equal(record(s, name)->size, sizeof(type));    \
		assert_int_equal(record(s, name)->align, _Alignof(type)); \
	} while (0)

static void layout_as_in_c(void **state)
{
	_cleanup_(set_deinit) struct set s = compile_well(LAYOUT, "amd64");
	const struct desc_record *r = record(&s, "plain");

#if !defined(__x86_64__)
	SKIP_TEST("not x86-64");
#endif
	EXPECT_AT(&s, r, 1, struct plain, b);
	EXPECT_AT(&s, r, 3, struct plain, d);
	EXPECT_AT(&s, r, 5, struct plain, f);
	EXPECT_AT(&s, r, 6, struct plain, g);
	r = record(&s, "outer");
	EXPECT_AT(&s, r, 1, struct outer, b);
	EXPECT_AT(&s, r, 2, struct outer, c);
	EXPECT_AT(&s, r, 3, struct outer, d);
	EXPECT_AT(&s, record(&s, "tight"), 2, struct tight, c);
	EXPECT_AT(&s, record(&s, "bits"), 6, struct bits, g);
	EXPECT_AT(&s, record(&s, "bits_tight"), 2, struct bits_tight, c);
	EXPECT_SIZE(&s, struct plain, "plain");
	EXPECT_SIZE(&s, struct tight, "tight");
	EXPECT_SIZE(&s, struct bits, "bits");
	EXPECT_SIZE(&s, struct bits_after, "bits_after");
	EXPECT_SIZE(&s, struct bits_tight, "bits_tight");
	EXPECT_SIZE(&s, union both, "both");
	EXPECT_SIZE(&s, struct outer, "outer");
}

/* Where the compiler puts the bits of a field: set them and look. */
static void expect_bits(const struct desc_field *f, const struct desc_type *t,
			const void *ones, size_t size)
{
	const uint8_t *p = ones;
	unsigned at = f->offset * 8 + f->bit_offset, n = 0;

	for (unsigned i = 0; i < size * 8; i++) {
		bool set = p[i / 8] & 1u << i % 8;

		assert_int_equal(set, i >= at && i < at + t->bits);
		n += set;
	}
	assert_int_equal(n, t->bits);
}

#define EXPECT_BITS(s, strct, name, i, member)                              \
	do {                                                                \
		const struct desc_field *f_ = field(s, record(s, name), i); \
		strct v_;                                                   \
                                                                            \
		memset(&v_, 0, sizeof(v_));                                 \
		v_.member = ~v_.member;                                     \
		expect_bits(f_, &(s)->d->types[f_->type], &v_, sizeof(v_)); \
	} while (0)

static void bits_as_in_c(void **state)
{
	_cleanup_(set_deinit) struct set s = compile_well(LAYOUT, "amd64");

#if !defined(__x86_64__)
	SKIP_TEST("not x86-64");
#endif
	EXPECT_BITS(&s, struct bits, "bits", 0, a);
	EXPECT_BITS(&s, struct bits, "bits", 1, b);
	EXPECT_BITS(&s, struct bits, "bits", 2, c);
	EXPECT_BITS(&s, struct bits, "bits", 3, d);
	EXPECT_BITS(&s, struct bits, "bits", 4, e);
	EXPECT_BITS(&s, struct bits, "bits", 5, f);
	EXPECT_BITS(&s, struct bits, "bits", 7, h);
	EXPECT_BITS(&s, struct bits_after, "bits_after", 1, b);
	EXPECT_BITS(&s, struct bits_after, "bits_after", 2, c);
	EXPECT_BITS(&s, struct bits_tight, "bits_tight", 0, a);
	EXPECT_BITS(&s, struct bits_tight, "bits_tight", 1, b);
}

/* i386 aligns 64-bit integers in structs to 4, ARM to 8 (their psABIs). */
static void layout_by_arch(void **state)
{
	static const struct {
		const char *arch;
		unsigned size, at_d, at_f;
	} want[] = {
		{ "amd64", 40, 8, 24 },	   { "386", 28, 8, 20 },
		{ "arm64", 40, 8, 24 },	   { "arm", 32, 8, 20 },
		{ "riscv64", 40, 8, 24 },  { "ppc64le", 40, 8, 24 },
		{ "mips64le", 40, 8, 24 }, { "s390x", 40, 8, 24 },
	};

	for (size_t i = 0; i < ARRAY_LEN(want); i++) {
		_cleanup_(set_deinit) struct set s =
			compile_well(LAYOUT, want[i].arch);
		const struct desc_record *r = record(&s, "plain");

		assert_int_equal(r->size, want[i].size);
		assert_int_equal(field(&s, r, 3)->offset, want[i].at_d);
		assert_int_equal(field(&s, r, 5)->offset, want[i].at_f);
	}
}

static void sizes_of_types(void **state)
{
	static const struct {
		const char *type;
		uint32_t size;
	} want[] = {
		{ "string[\"abc\"]", 4 },
		{ "string[\"abc\", 10]", 10 },
		{ "stringnoz[\"abc\"]", 3 },
		{ "stringnoz[`0102`]", 2 },
		{ "string[same]", 3 },
		{ "string[other]", DESC_VARLEN },
		{ "string", DESC_VARLEN },
		{ "filename", DESC_VARLEN },
		{ "fmt[dec, int8]", 20 },
		{ "fmt[hex, flags[fl]]", 18 },
		{ "fmt[oct, proc[1, 2]]", 23 },
		{ "array[int16]", DESC_VARLEN },
		{ "array[int16, 3]", 6 },
		{ "array[int16, 1:3]", DESC_VARLEN },
		{ "array[void]", 0 },
		{ "array[string[same], 2]", 6 },
		{ "ptr64[in, int8]", 8 },
		{ "vma", 4 },
		{ "vma64", 8 },
		{ "intptr", 4 },
		{ "bool16", 2 },
		{ "optional[int8]", DESC_VARLEN },
		{ "text[x86_64]", DESC_VARLEN },
		{ "compressed_image", DESC_VARLEN },
		{ "void", 0 },
	};

	for (size_t i = 0; i < ARRAY_LEN(want); i++) {
		_cleanup_(buf_deinit) struct buf text = {};

		buf_printf(&text,
			   "foo(a ptr[in, s], b ptr[in, string[same]], "
			   "c ptr[in, string[other]], d flags[fl]) "
			   "(no_generate, no_minimize)\n"
			   "s {\n\tf %s\n}\nsame = \"aa\", \"bb\"\n"
			   "other = \"a\", \"bb\"\nfl = 0, 1\n",
			   want[i].type);
		_cleanup_(set_deinit) struct set s =
			compile_well(buf_cstr(&text), "arm");

		assert_int_equal(record(&s, "s")->size, want[i].size);
	}
}

static void values_by_arch(void **state)
{
	static const char text[] = "foo(a const[BIG], b int32[BIG:BIG])\n";
	_cleanup_(set_deinit) struct set one = compile_well(text, "amd64");
	_cleanup_(set_deinit) struct set two = compile_well(text, "arm64");
	uint32_t a = one.d->fields[one.d->calls[0].arg].type;
	uint32_t b = two.d->fields[two.d->calls[0].arg].type;

	assert_int_equal(one.d->types[a].lo, 300);
	assert_int_equal(two.d->types[b].lo, 400);
}

static void templates(void **state)
{
	_cleanup_(set_deinit) struct set s = compile_well(
		"foo(a ptr[in, use])\n"
		"type pair[A, N] {\n\ta A\n\tb const[N, int8]\n}\n"
		"type twice[T] {\n\tone T[int8, 1]\n\ttwo T[int64, 2]\n}\n"
		"use {\n\tf twice[pair]\n\tg pair[int8, 0x1]\n"
		"\th pair[int8, 1]\n}\n",
		"amd64");

	assert_int_equal(record(&s, "twice[pair]")->size, 24);
	assert_int_equal(record(&s, "pair[int8, 1]")->size, 2);
	assert_int_equal(record(&s, "pair[int64, 2]")->size, 16);
}

static void unsupported_calls(void **state)
{
	_cleanup_(set_deinit) struct set s =
		compile("foo(a ptr[in, s])\nfoo$ok()\nbaz()\nbaz$1()\n"
			"s {\n\tf const[NOWHERE, int8]\n}\nsyz_mine()\n"
			"bar(f flags[fl])\nfl = ONE, NOWHERE\n",
			"amd64");

	assert_string_equal(
		buf_cstr(&s.messages),
		"t.txt:1:1: warning: left out: NOWHERE has no value in any "
		".const file\n"
		"t.txt:3:1: warning: left out: __NR_baz has no value in any "
		".const file\n");
	assert_int_equal(s.d->unsupported, 3);
	assert_int_equal(s.d->ncalls, 3);
	assert_null(desc_call_find(s.d, SLICE("foo")));
	assert_null(desc_call_find(s.d, SLICE("foo$o")));
	assert_non_null(desc_call_find(s.d, SLICE("foo$ok")));
	assert_int_equal(desc_call_find(s.d, SLICE("syz_mine"))->nr, DESC_NONE);
	assert_int_equal(desc_call_find(s.d, SLICE("bar"))->nr, 2);
}

/* A file goes by the values extracted for it. */
static void own_constants(void **state)
{
	struct desc_input *in = desc_input_new();

	desc_input_text(in, "a.txt", SLICE("foo(a const[V])\n"));
	desc_input_text(in, "a.txt.const", SLICE("__NR_foo = 1\nV = 1\n"));
	desc_input_text(in, "b.txt", SLICE("foo$b(a const[V])\n"));
	desc_input_text(in, "b.txt.const", SLICE("V = 2, arm:amd64:3\n"));
	struct desc *d = desc_compile(in, desc_arch_find(SLICE("amd64")));

	assert_int_equal(d->ncalls, 2);
	assert_int_equal(d->types[d->fields[d->calls[0].arg].type].lo, 1);
	assert_int_equal(d->types[d->fields[d->calls[1].arg].type].lo, 3);
	desc_free(d);
	desc_input_free(in);
}

static void resources_flow(void **state)
{
	expect_messages(
		"resource r[int32]\nfoo(a r)\n",
		"t.txt:1:10: error: no call makes a 'r': let one return "
		"it, or write it through an out pointer or field\n");
	expect_messages("resource r[int32]\nfoo() r\n",
			"t.txt:1:10: error: no call takes a 'r': then it is of "
			"no use\n");
	/* By a child, through a field that is out, in an overlay. */
	expect_messages("resource r[int32]\nresource q[r]\n"
			"foo(a r) q\n",
			"");
	expect_messages("resource r[int32]\nfoo(a ptr[in, s])\n"
			"s {\n\ta r\n\tb r (out)\n}\n",
			"");
	expect_messages("resource r[int32]\nfoo(a ptr[in, s])\n"
			"s {\n\ta r\n\tb r (out_overlay)\n}\n",
			"");
	/* Perhaps is not enough. */
	expect_messages(
		"resource r[int32]\nfoo(a r, b ptr[out, r, opt])\n",
		"t.txt:1:10: error: no call makes a 'r': let one return "
		"it, or write it through an out pointer or field\n");
}

/* What is wrong with a type is not said again of what it would use. */
static void no_cascades(void **state)
{
	expect_messages("foo(a ptr[in, nope[s, r]])\ns {\n\tf int8\n}\n"
			"resource r[int32]\n",
			"t.txt:1:15: error: unknown type 'nope'\n");
	expect_messages(
		"foo(a nope\nbar(a ptr[in, s])\ns {\n\tf int8\n}\n"
		"t {\n\tf int8\n}\n",
		"t.txt:1:11: error: expected ',' or ')', not the end of "
		"the line\n");
	expect_messages("foo(a ptr[in, strct])\nstruc {\n\tf int8\n}\n",
			"t.txt:1:15: error: unknown type 'strct'; did you mean "
			"'struc'?\n"
			"t.txt:2:1: warning: struct 'struc' is used by no "
			"call\n");
}

static void recovers(void **state)
{
	expect_messages(
		"s {\n\ta int8 (\n\tb\n\tc int8 %\n}\nfoo(\n",
		"t.txt:2:10: error: expected a type, name or value, not "
		"the end of the line\n"
		"t.txt:3:3: error: expected a type, name or value, not "
		"the end of the line\n"
		"t.txt:4:9: error: '%' has no meaning here\n"
		"t.txt:5:1: error: 's' cannot be used: see what is "
		"wrong with its fields\n"
		"t.txt:6:5: error: expected the name of an argument, "
		"not the end of the line\n");
	expect_messages("s {\n\ta int8\nfoo(a int8)\n",
			"t.txt:1:1: error: no closing '}' follows\n");
}

static double cpu_s(void)
{
	return (double)clock() / CLOCKS_PER_SEC;
}

/* Repeat a piece; %d is its number, %D the next. */
static void repeat(struct buf *out, unsigned n, const char *piece)
{
	for (unsigned i = 0; i < n; i++)
		for (const char *p = piece; *p; p++)
			if (p[0] == '%' && (p[1] == 'd' || p[1] == 'D'))
				buf_printf(out, "%u", i + (*++p == 'D'));
			else
				buf_char(out, *p);
}

static void expect_bounded(const char *head, unsigned n, const char *piece,
			   const char *tail, const char *want)
{
	_cleanup_(buf_deinit) struct buf text = {};
	double from = cpu_s();

	buf_str(&text, head);
	repeat(&text, n, piece);
	buf_str(&text, tail);
	_cleanup_(set_deinit) struct set s = compile(buf_cstr(&text), "amd64");

	if (want ? !strstr(buf_cstr(&s.messages), want) : desc_errors(s.in) > 0)
		fail_msg("%s...: %.200s", head, buf_cstr(&s.messages));
	if (want)
		assert_int_equal(desc_errors(s.in), 1);
	/* Sanitizers are ten times slower, and machines differ. */
	assert_true(cpu_s() - from < 30);
}

static void hostile(void **state)
{
	expect_bounded("foo(a ptr[in, s0])\n", 10000, "s%d {\n\tf s%D\n}\n",
		       "s10000 {\n\tf int8\n}\n", "more than 512 deep");
	expect_bounded("foo(a ptr[in, s0])\n", 10000,
		       "s%d {\n\tf array[s%D]\n}\n", "s10000 {\n\tf int8\n}\n",
		       "more than 512 deep");
	expect_bounded("foo(a ptr[in, s0])\n", 10000,
		       "s%d {\n\tf ptr[in, s%D, opt]\n}\n",
		       "s10000 {\n\tf int8\n}\n", NULL);
	expect_bounded("foo(a u0)\n", 200,
		       "u%d [\n\ta u%D\n\tb u%D\n\tc u%D\n]\n",
		       "u200 [\n\tf int8\n]\n", NULL);
	expect_bounded("foo(a ptr[in, t[int8]])\n", 1,
		       "type t[A] {\n\tf t[ptr[in, A]]\n\tg t[array[A]]\n}\n",
		       "", "more than 200000 types");
	expect_bounded("foo(a a0[int8])\n", 60, "type a%d[A] a%D[a%D[A]]\n",
		       "type a60[A] ptr[in, A]\n", "too deep");
	expect_bounded("foo(a ptr[in, string[\"", 1000000, "x", "\"]])\n",
		       NULL);
	expect_bounded("foo(a ", 1000000, "ptr[in, ", "\n", "fewer brackets");
	expect_bounded("s {\n\ta int8 (if[", 1, "",
		       "1])\n}\nfoo(a ptr[in, s])\n", NULL);
	expect_bounded("foo(a ptr[in, array[int8, 0x7fffffffffffffff]])\n", 0,
		       "", "", "more than 268435456 bytes");
	expect_bounded("foo(a flags[f0])\n", 10000, "f%d = 1, f%D\n",
		       "f10000 = 1, 2\n", "more than 64 deep");
}

/* Those that are written as constants, not as numbers. */
static void names_of_values(void **state)
{
	struct set s =
		compile_well("foo(a flags[f])\nf = ONE, 5, BIG\n", "amd64");
	const struct desc_type *t =
		&s.d->types[s.d->fields[s.d->calls[0].arg].type];
	const uint32_t *name = s.d->value_names + t->list;

	assert_int_equal(t->nlist, 3);
	assert_string_equal(desc_name(s.d, name[0]), "ONE");
	assert_int_equal(name[1], 0);
	assert_string_equal(desc_name(s.d, name[2]), "BIG");
	set_deinit(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_of_values),
		cmocka_unit_test(formats),
		cmocka_unit_test(formats_conditions),
		cmocka_unit_test(broken_is_not_formatted),
		cmocka_unit_test(layout_as_in_c),
		cmocka_unit_test(bits_as_in_c),
		cmocka_unit_test(layout_by_arch),
		cmocka_unit_test(sizes_of_types),
		cmocka_unit_test(values_by_arch),
		cmocka_unit_test(templates),
		cmocka_unit_test(unsupported_calls),
		cmocka_unit_test(own_constants),
		cmocka_unit_test(resources_flow),
		cmocka_unit_test(no_cascades),
		cmocka_unit_test(recovers),
		cmocka_unit_test(hostile),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
