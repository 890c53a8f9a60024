/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The text of programs: every syntax, every complaint, what is repaired. */
#include <stdio.h>

#include "../prog_descriptions.h"
#include "prog/text.h"
#include "prog_fixture.h"

static int setup(void **state)
{
	*state = fixture_new(prog_desc, prog_consts);
	return 0;
}

static int teardown(void **state)
{
	fixture_free(*state);
	return 0;
}

static struct error *parse(const struct fixture *f, const char *text,
			   enum prog_mode mode, struct prog **out)
{
	return prog_parse(f->t, "p", slice_cstr(text), mode, out);
}

/* What comes out is `want`, and that again gives the same. */
static void check_mode(const struct fixture *f, const char *text,
		       const char *want, enum prog_mode mode)
{
	_cleanup_(prog_freep) struct prog *p = NULL, *q = NULL;
	_cleanup_(buf_deinit) struct buf one = {}, two = {};
	struct error *err = parse(f, text, mode, &p);

	if (err)
		print_error("%s\n%s\n", text, error_message(err));
	assert_null(err);
	prog_to_text(p, &one);
	assert_string_equal(buf_cstr(&one), want);
	err = parse(f, want, PROG_STRICT, &q);
	if (err)
		print_error("%s\n%s\n", want, error_message(err));
	assert_null(err);
	prog_to_text(q, &two);
	assert_string_equal(buf_cstr(&two), want);
}

static void becomes(const struct fixture *f, const char *text, const char *want)
{
	check_mode(f, text, want, PROG_STRICT);
	check_mode(f, text, want, PROG_REPAIR);
}

/* Canonical as it stands. */
static void stays(const struct fixture *f, const char *text)
{
	becomes(f, text, text);
}

/* Wrong in strict mode, and what it becomes otherwise. */
static void wrong(const struct fixture *f, const char *text, const char *error,
		  const char *repaired)
{
	_cleanup_(prog_freep) struct prog *p = NULL;
	struct error *err = parse(f, text, PROG_STRICT, &p);

	if (!err)
		print_error("no error: %s\n", text);
	assert_non_null(err);
	if (!strstr(error_message(err), error))
		print_error("%s: %s\n", text, error_message(err));
	assert_non_null(strstr(error_message(err), error));
	error_free(err);
	assert_null(p);
	check_mode(f, text, repaired, PROG_REPAIR);
}

static void lines(void **state)
{
	becomes(*state,
		"# {\"Threaded\":true}\n"
		"\n"
		"  close ( 0x3 )  # why\r\n"
		"\t\n"
		"close(5)",
		"close(0x3)\nclose(0x5)\n");
	becomes(*state, "", "");
}

static void numbers(void **state)
{
	becomes(*state, "close(010)\nclose(0b101)\nclose(12)\nclose(0o17)\n",
		"close(0x8)\nclose(0x5)\nclose(0xc)\nclose(0xf)\n");
	becomes(*state, "close(0XFFffffffffffffff)\nclose(nil)\n",
		"close(0xffffffffffffffff)\nclose(0xffffffffffffffff)\n");
	wrong(*state, "close(0x10000000000000000)\nclose(0x1)\n",
	      "p:1:7: the number does not fit 64 bits", "close(0x1)\n");
	wrong(*state, "close(09)\n", "p:1:7: this is no number", "");
	wrong(*state, "close(0x)\n", "p:1:7: this is no number", "");
}

static void results(void **state)
{
	stays(*state, "r0 = dup(0x1)\nr1 = dup(r0)\nclose(r1)\n");
	becomes(*state, "r7 = dup(0x1)\nr3 = dup(0x2)\nclose(r3)\n",
		"dup(0x1)\nr0 = dup(0x2)\nclose(r0)\n");
	stays(*state, "getid(&(0x7f0000000000)={0x0, <r0=>0x0})\n"
		      "useid(r0, &(0x7f0000000000)={<r1=>r0})\n"
		      "useid(r1, &(0x7f0000000000))\n");
	stays(*state, "getid(&(0x7f0000000000)={<r0=>0x0})\n"
		      "useid(r0/2+4, &(0x7f0000000000))\n"
		      "useid(r0+18446744073709551615, &(0x7f0000000000))\n"
		      "useid(r0/16, &(0x7f0000000000))\n");
	wrong(*state, "close(r0)\n",
	      "p:1:7: r0 is not made by an earlier call: name",
	      "close(0xffffffffffffffff)\n");
	wrong(*state, "useid(<r0=>0x1, 0x0)\nuseid(r0, 0x0)\n",
	      "p:1:7: the kernel makes no result here",
	      "useid(0x1, 0x0)\nuseid(0x0, 0x0)\n");
	wrong(*state, "getid(r0)\n", "p:1:7: ptr[out, ids] cannot be a result",
	      "getid(&(0x7f0000000000))\n");
}

/* Without a value it is what the resource it is a kind of says. */
static void defaults_of_results(void **state)
{
	becomes(*state, "subs(&(0x7f0000000000)={0xffffffffffffffff, 0x0})\n",
		"subs(&(0x7f0000000000))\n");
	stays(*state, "subs(&(0x7f0000000000)={0xfffffffffffffff9})\n");
	becomes(*state, "subs(&(0x7f0000000000)={nil, 0x1})\n",
		"subs(&(0x7f0000000000)={0xffffffffffffffff, 0x1})\n");
}

static void pointers(void **state)
{
	becomes(*state, "open(&(0x7f0000000000)='./a\\x00', 0x1, 0x0)\n",
		"open(&(0x7f0000000000)='./a\\x00', 0x1, 0x0)\n");
	stays(*state, "open(0x0, 0x0, 0x0)\n");
	stays(*state, "open(0xffffffffffffffff, 0x0, 0x0)\n");
	becomes(*state, "open(&(0x7f0000000040)=nil, 0x0, 0x0)\n",
		"open(&(0x7f0000000040), 0x0, 0x0)\n");
	wrong(*state, "open(0x7, 0x0, 0x0)\n", "p:1:6: this is no address",
	      "open(0xfffffffffffffffc, 0x0, 0x0)\n");
	wrong(*state, "open(&(0x7f0001000000)='a', 0x0, 0x0)\n",
	      "p:1:6: this is not all within",
	      "open(&(0x7f0000000000)='a', 0x0, 0x0)\n");
	wrong(*state, "open(&(0x7f0000ffffff)='ab', 0x0, 0x0)\n",
	      "p:1:6: this is not all within",
	      "open(&(0x7f0000000000)='ab', 0x0, 0x0)\n");
	wrong(*state, "close(&(0x7f0000000000)={0x1, 'a,)'})\n",
	      "p:1:7: fd cannot be an address", "close(0xffffffffffffffff)\n");
}

static void memory(void **state)
{
	stays(*state, "map(&(0x7f0000001000/0x2000)=nil, 0x2000)\n");
	stays(*state, "map(0x0, 0x0)\n");
	stays(*state, "map(&(0x7f0000001000)=nil, 0x0)\n");
	becomes(*state, "map(&(0x7f0000000000), 0x0)\n", "map(0x0, 0x0)\n");
	becomes(*state, "map(&(0x7f0000001000/0x1000), AUTO)\n",
		"map(&(0x7f0000001000/0x1000)=nil, 0x1000)\n");
	wrong(*state, "map(&(0x7f0000001001/0x1000)=nil, 0x0)\n",
	      "p:1:5: address and size are multiples",
	      "map(&(0x7f0000001000/0x1000)=nil, 0x0)\n");
	wrong(*state, "map(&(0x7f0000fff000/0x2000)=nil, 0x0)\n",
	      "p:1:5: this is not all within",
	      "map(&(0x7f0000ffe000/0x2000)=nil, 0x0)\n");
	wrong(*state, "map(&(0x7f0000001000/0x1000)=\"00\", 0x0)\n",
	      "p:1:30: there is nothing in memory",
	      "map(&(0x7f0000001000/0x1000)=nil, 0x0)\n");
	wrong(*state, "map(&AUTO, 0x0)\nclose(0x1)\n", "has to have an address",
	      "close(0x1)\n");
}

static void data(void **state)
{
	stays(*state, "write(0x1, &(0x7f0000000000)=\"0102ff\", 0x3)\n");
	stays(*state, "strings(0x0, 0x0, 0x0, &(0x7f0000000000))\n");
	stays(*state, "vary(&(0x7f0000000000)={0x1})\n");
	becomes(*state, "write(0x1, &(0x7f0000000000)=\" 4142\", 0x2)\n",
		"write(0x1, &(0x7f0000000000)='AB', 0x2)\n");
	stays(*state, "write(0x1, &(0x7f0000000000)='\\a\\b\\t\\n\\v\\f\\r\\'"
		      "\\\"\\\\\\x00', 0xb)\n");
	becomes(*state, "write(0x1, &(0x7f0000000000)='\\x41', 0x1)\n",
		"write(0x1, &(0x7f0000000000)='A', 0x1)\n");
	stays(*state, "write(0x1, &(0x7f0000000000)=\"0100\"/4096, 0x1000)\n");
	becomes(*state, "write(0x1, &(0x7f0000000000)=\"01000000\", 0x4)\n",
		"write(0x1, &(0x7f0000000000)=\"01000000\", 0x4)\n");
	becomes(*state, "write(0x1, &(0x7f0000000000)=\"\"/10, 0xa)\n",
		"write(0x1, &(0x7f0000000000)='\\x00'/10, 0xa)\n");
	stays(*state, "read(0x1, &(0x7f0000000000)=\"\"/12, 0xc)\n");
	becomes(*state, "read(0x1, &(0x7f0000000000)='abc', 0x3)\n",
		"read(0x1, &(0x7f0000000000)=\"\"/3, 0x3)\n");
	stays(*state, "read(0x1, &(0x7f0000000000), 0x0)\n");
	wrong(*state,
	      "write(0x1, &(0x7f0000000000)=\"012\", 0x2)\nclose(0x1)\n",
	      "p:1:33: this is no pair", "close(0x1)\n");
	wrong(*state, "write(0x1, &(0x7f0000000000)='\\q', 0x1)\n",
	      "p:1:32: unknown escape", "");
	wrong(*state, "write(0x1, &(0x7f0000000000)='q, 0x1)\n",
	      "the string has no end", "");
	wrong(*state, "write(0x1, &(0x7f0000000000)=\"01, 0x1)\n",
	      "the data has no end", "");
	wrong(*state, "write(0x1, &(0x7f0000000000)=\"0102\"/1, 0x1)\n",
	      "p:1:37: the buffer has 2 bytes, more",
	      "write(0x1, &(0x7f0000000000)=\"01\", 0x1)\n");
	wrong(*state, "read(0x1, &(0x7f0000000000)=\"\"/16777217, 0x1)\n",
	      "p:1:32: a buffer of 0x1000001 bytes",
	      "read(0x1, &(0x7f0000000000)=\"\"/16777216, 0x1)\n");
	wrong(*state, "close('a')\n", "fd cannot be a string",
	      "close(0xffffffffffffffff)\n");
}

static void strings(void **state)
{
	becomes(*state,
		"strings(&(0x7f0000000000)='one\\x00', "
		"&(0x7f0000000000)='alpha\\x00', &(0x7f0000000000)='x', "
		"&(0x7f0000000000)='\\x01')\n",
		"strings(&(0x7f0000000000), &(0x7f0000000000)='alpha\\x00', "
		"&(0x7f0000000000)='x', &(0x7f0000000000)='\\x01')\n");
	wrong(*state,
	      "strings(&(0x7f0000000000)='two\\x00', "
	      "&(0x7f0000000000)='gamma\\x00', &(0x7f0000000000), "
	      "&(0x7f0000000000))\n",
	      "p:1:27: string[\"one\"] has no such value; one is 'one\\x00'",
	      "strings(&(0x7f0000000000), &(0x7f0000000000)='alpha\\x00', "
	      "&(0x7f0000000000), &(0x7f0000000000))\n");
}

static void structs(void **state)
{
	stays(*state, "fixed(&(0x7f0000000000)={0x1, \"010200\"})\n");
	becomes(*state,
		"fixed(&(0x7f0000000000)={0x0, \"0000\", \"07000700\"})\n",
		"fixed(&(0x7f0000000000))\n");
	becomes(*state, "fixed(&(0x7f0000000000)={0x5, \"01\"/16})\n",
		"fixed(&(0x7f0000000000)={0x5, \"0100\"})\n");
	wrong(*state, "fixed(&(0x7f0000000000)={0x1, \"0102\", \"0800\"})\n",
	      "has another value",
	      "fixed(&(0x7f0000000000)={0x1, \"010200\"})\n");
	wrong(*state, "fixed(&(0x7f0000000000)={0x1, '', nil, 0x2, [0x1]})\n",
	      "p:1:40: fixed has only 3 fields",
	      "fixed(&(0x7f0000000000)={0x1})\n");
	wrong(*state, "fixed(&(0x7f0000000000)={0x1, '01234567890123456'})\n",
	      "has 16 bytes, this has 17",
	      "fixed(&(0x7f0000000000)={0x1, '0123456789012345'})\n");
	wrong(*state, "fixed(&(0x7f0000000000)=0x7)\n",
	      "p:1:25: fixed cannot be a number", "fixed(&(0x7f0000000000))\n");
	wrong(*state, "close({0x1, {[0x2]}})\n", "fd cannot be a struct",
	      "close(0xffffffffffffffff)\n");
	wrong(*state, "fixed(&(0x7f0000000000)={0x1, '')\nclose(0x1)\n",
	      "p:1:33: expected ','", "close(0x1)\n");
}

static void arrays(void **state)
{
	stays(*state, "arrays(&(0x7f0000000000)={[0x1, 0x2], [0x3]})\n");
	stays(*state, "arrays(&(0x7f0000000000)={[], [0x0]})\n");
	stays(*state, "arrays(&(0x7f0000000000)={[0x1]})\n");
	wrong(*state, "arrays(&(0x7f0000000000)={[0x1, 0x2, 0x3, 0x4]})\n",
	      "p:1:43: array[int16, 3] has only 3 elements",
	      "arrays(&(0x7f0000000000)={[0x1, 0x2, 0x3]})\n");
	wrong(*state, "close([0x1, 0x2])\n", "fd cannot be an array",
	      "close(0xffffffffffffffff)\n");
}

static void unions(void **state)
{
	stays(*state, "pick(&(0x7f0000000000)=@a=0x1)\n");
	stays(*state, "pick(&(0x7f0000000000)=@b)\n");
	stays(*state, "pick(&(0x7f0000000000)=@b={0x1})\n");
	stays(*state, "pick(&(0x7f0000000000)=@c=&(0x7f0000000040)={0x1})\n");
	becomes(*state, "pick(&(0x7f0000000000)=@a=0x0)\n",
		"pick(&(0x7f0000000000))\n");
	wrong(*state, "pick(&(0x7f0000000000)=@x={0x1, 0x2})\n",
	      "p:1:24: choice has no option 'x'; it has a, b, c",
	      "pick(&(0x7f0000000000))\n");
	wrong(*state, "close(@a=0x1)\n", "fd cannot be a union",
	      "close(0xffffffffffffffff)\n");
}

static void conditional(void **state)
{
	stays(*state, "maybe(&(0x7f0000000000)={0x1, @value=0x5}, 0x0)\n");
	stays(*state,
	      "maybe(&(0x7f0000000000)={0x2, @void, @value=@b}, 0x0)\n");
	stays(*state, "maybe(&(0x7f0000000000)={0x3, @value, @value=@a=0x2}, "
		      "&(0x7f0000000000)=0x1)\n");
	stays(*state, "maybe(&(0x7f0000000000)={0x4, @void, @void, @small}, "
		      "0x0)\n");
	becomes(*state, "maybe(&(0x7f0000000000)={0x0, nil, @void}, nil)\n",
		"maybe(&(0x7f0000000000), 0x0)\n");
	wrong(*state, "maybe(&(0x7f0000000000)={0x0, @value=0x1}, 0x0)\n",
	      "absent: write @void", "maybe(&(0x7f0000000000), 0x0)\n");
	wrong(*state, "maybe(&(0x7f0000000000)={0x1, @void}, 0x0)\n",
	      "there: write @value", "maybe(&(0x7f0000000000)={0x1}, 0x0)\n");
	wrong(*state,
	      "maybe(&(0x7f0000000000)={0x1, @void, @void, @small}, 0x0)\n",
	      "write @value", "maybe(&(0x7f0000000000)={0x1}, 0x0)\n");
	wrong(*state,
	      "maybe(&(0x7f0000000000)={0x0, @void, @void, @small}, 0x0)\n",
	      "another option", "maybe(&(0x7f0000000000), 0x0)\n");
	wrong(*state, "maybe(&(0x7f0000000000)={0x1, 0x7}, 0x0)\n",
	      "p:1:31: 'a' has a condition",
	      "maybe(&(0x7f0000000000)={0x1, @value=0x7}, 0x0)\n");
}

static void any(void **state)
{
	stays(*state, "r0 = dup(0x1)\n"
		      "vary(&(0x7f0000000000)=ANY=[@ANYBLOB=\"0102\", "
		      "@ANYRES32=r0, @ANYRES16=0x5, @ANYRES64, @ANYBLOB])\n");
	stays(*state, "vary(&(0x7f0000000000)=ANY=[@ANYRES64=<r0=>0x0, "
		      "@ANYRESDEC=0x1, @ANYRESHEX=0x1, @ANYRESOCT=0x2, "
		      "@ANYRES8=0x3])\nuseid(r0, 0x0)\n");
	stays(*state, "vary(&(0x7f0000000000)=ANY=[])\n");
	stays(*state, "vary(&(0x7f0000000000)=ANY=[@ANYBLOB=\"0100\"/4096])\n");
	becomes(*state, "vary(&(0x7f0000000000)=ANY=[nil])\n",
		"vary(&(0x7f0000000000)=ANY=[@ANYBLOB])\n");
	wrong(*state, "vary(&(0x7f0000000000)=ANY=[@ANY=0x1, 0x2])\n",
	      "there is no 'ANY' in ANY",
	      "vary(&(0x7f0000000000)=ANY=[@ANYBLOB, @ANYBLOB])\n");
	wrong(*state, "vary(&(0x7f0000000000)=ANY=[@ANYBLOB=0x1])\n",
	      "ANYBLOB is a string",
	      "vary(&(0x7f0000000000)=ANY=[@ANYBLOB])\n");
	wrong(*state, "fixed(&(0x7f0000000000)=ANY=[@ANYBLOB=\"01\"])\n",
	      "p:1:24: fixed cannot be squashed", "fixed(&(0x7f0000000000))\n");
}

static void autos(void **state)
{
	becomes(*state, "write(0x1, &AUTO='hello', AUTO)\n",
		"write(0x1, &(0x7f0000000000)='hello', 0x5)\n");
	becomes(*state, "numbers(&AUTO={AUTO, AUTO, 0x1, AUTO, 0x2})\n",
		"numbers(&(0x7f0000000000)={0xbe, 0x18, 0x1, 0x0, 0x2})\n");
	becomes(*state,
		"map(&(0x7f0000000000/0x1000)=nil, AUTO)\n"
		"fixed(&(0x7f0000001000)={0x1})\n"
		"write(0x1, &AUTO=\"00\"/100, AUTO)\nwrite(0x1, &AUTO='b', 0x1)\n",
		"map(&(0x7f0000000000/0x1000)=nil, 0x1000)\n"
		"fixed(&(0x7f0000001000)={0x1})\n"
		"write(0x1, &(0x7f0000001040)='\\x00'/100, 0x64)\n"
		"write(0x1, &(0x7f00000010c0)='b', 0x1)\n");
	wrong(*state, "close(AUTO)\nclose(0x1)\n", "p:1:7: AUTO is for lengths",
	      "close(0x1)\n");
	wrong(*state, "close(AUT)\n", "is AUTO meant?", "");
}

static void kernel_writes(void **state)
{
	stays(*state, "outs(&(0x7f0000000000)={0x0, \"\"/8, 0x8})\n");
	wrong(*state, "outs(&(0x7f0000000000)={0x5, \"\"/8, 0x8})\n",
	      "p:1:25: int32 is written by the kernel",
	      "outs(&(0x7f0000000000)={0x0, \"\"/8, 0x8})\n");
	wrong(*state, "getid(&(0x7f0000000000)={0x1})\n",
	      "id is written by the kernel", "getid(&(0x7f0000000000))\n");
	wrong(*state, "numbers(&(0x7f0000000000)={0xbe, 0x0, 0x4, 0x1, 0x0})\n",
	      "proc[20, 4, int16] has only the values below 0x4",
	      "numbers(&(0x7f0000000000))\n");
}

static void calls(void **state)
{
	stays(*state, "close(0x1) (fail_nth: 3)\nclose(0x1) (async)\n"
		      "close(0x1) (rerun: 12)\n"
		      "close(0x1) (fail_nth: 1, async)\n"
		      "close(0x1) (async, rerun: 2)\n");
	wrong(*state, "close(0x1) (fail_nth: 3, rerun: 2)\n", "cannot be rerun",
	      "close(0x1) (fail_nth: 3)\n");
	wrong(*state, "close(0x1) (later: {a, b}, async)\n",
	      "p:1:13: unknown property 'later'", "close(0x1) (async)\n");
	wrong(*state, "close(0x1) (rerun: 99999999)\n",
	      "expected a number up to 65535", "close(0x1)\n");
	wrong(*state, "r0 = unlink(0x1)\nclose(r0)\n",
	      "p:1:6: unknown call unlink", "close(0xffffffffffffffff)\n");
	wrong(*state, "r0 = dup(0x1)\nr0 = gone(<r1=>0x1)\nclose(r0)\n",
	      "p:2:6: unknown call gone",
	      "dup(0x1)\nclose(0xffffffffffffffff)\n");
	wrong(*state, "dup()\n", "p:1:5: dup has 1 arguments, here are 0",
	      "dup(0xffffffffffffffff)\n");
	wrong(*state, "dup(0x1, 0x2, {0x3})\n",
	      "p:1:10: dup has only 1 arguments", "dup(0x1)\n");
	wrong(*state, "dup(0x1) 7\nclose(0x1)\n", "p:1:10: the call ends here",
	      "close(0x1)\n");
	wrong(*state, "dup(0x1\nclose(0x1)\n",
	      "p:1:8: the line ends here, ',' is missing", "close(0x1)\n");
	wrong(*state, "dup(\nclose(0x1)\n", "p:1:5: the line ends here",
	      "close(0x1)\n");
	wrong(*state, "dup(?)\n", "p:1:5: this is no argument", "");
	wrong(*state, "!\n", "p:1:1: expected a name", "");
}

static void images(void **state)
{
	_cleanup_(buf_deinit) struct buf raw = {}, small = {}, back = {};
	struct error *err;
	size_t size = 0;

	for (int i = 0; i < 300; i++)
		buf_printf(&raw, "block %d", i % 7);
	prog_image_deflate(buf_as_slice(&raw), &small);
	assert_true(small.len < raw.len / 4);
	assert_null(prog_image_inflate(buf_as_slice(&small), 1 << 20, &back));
	assert_true(slice_eq(buf_as_slice(&raw), buf_as_slice(&back)));
	assert_null(
		prog_image_check(buf_as_slice(&small), PROG_IMAGE_MAX, &size));
	assert_int_equal(size, raw.len);
	err = prog_image_check(buf_as_slice(&small), raw.len - 1, &size);
	assert_non_null(strstr(error_message(err), "more than"));
	error_free(err);
	err = prog_image_check((struct slice){ small.data, small.len - 5 },
			       raw.len, &size);
	assert_non_null(strstr(error_message(err), "cut off"));
	error_free(err);
	err = prog_image_check(SLICE("nothing of a zlib stream"), 100, &size);
	assert_non_null(strstr(error_message(err), "does not begin"));
	error_free(err);

	/* Of nothing: 8 bytes, which are 78 9c 03 00 00 00 00 01. */
	stays(*state, "mount(&(0x7f0000000000)=\"$eJwDAAAAAAE=\", 0x8)\n");
	stays(*state, "mount(&(0x7f0000000000), 0x0)\n");
	becomes(*state, "mount(&(0x7f0000000000)=\"$\", AUTO)\n",
		"mount(&(0x7f0000000000), 0x0)\n");
	wrong(*state, "mount(&(0x7f0000000000)=\"$eJwDAAAAAAE\", 0x8)\n",
	      "p:1:27: the image is not base 64", "");
	wrong(*state, "mount(&(0x7f0000000000)=\"$eJwDAAAAAAF=\", 0x8)\n",
	      "the image is not base 64", "");
	wrong(*state, "mount(&(0x7f0000000000)=\"\"/10, 0x8)\n",
	      "p:1:25: the image is no zlib stream",
	      "mount(&(0x7f0000000000), 0x8)\n");
	wrong(*state, "mount(&(0x7f0000000000)=\"$AAAAAAAAAAA=\", 0x8)\n",
	      "p:1:25: the image is no zlib stream",
	      "mount(&(0x7f0000000000), 0x8)\n");
}

/* Nine images of 128 MiB, all zeroes: in 1.6 MB of text, more than 1 GiB. */
static void bombs(void **state)
{
	_cleanup_(buf_deinit) struct buf raw = {}, small = {}, text = {};
	_cleanup_(prog_freep) struct prog *p = NULL;
	const struct fixture *f = *state;
	struct error *err;

	memset(buf_reserve(&raw, 128 << 20), 0, 128 << 20);
	raw.len = 128 << 20;
	prog_image_deflate(buf_as_slice(&raw), &small);
	for (int i = 0; i < 9; i++) {
		buf_str(&text, "mount(&(0x7f0000000000)=\"$");
		base64_encode(buf_as_slice(&small), &text);
		buf_str(&text, "\", 0x0)\n");
	}
	err = parse(f, text.data, PROG_REPAIR, &p);
	assert_non_null(err);
	assert_non_null(strstr(error_message(err), "more than 1 GiB"));
	error_free(err);
}

static void deep_texts(void **state)
{
	_cleanup_(buf_deinit) struct buf text = {};
	const struct fixture *f = *state;

	buf_str(&text, "deep(");
	for (int i = 0; i < 100000; i++)
		buf_str(&text, "&(0x7f0000000000)={");
	for (int i = 0; i < 100000; i++)
		buf_str(&text, "}");
	buf_str(&text, ")\nclose(0x1)\n");
	wrong(f, text.data, "more than 128 deep", "close(0x1)\n");
	text.len = 0;
	buf_str(&text, "deep(");
	for (int i = 0; i < 63; i++)
		buf_str(&text, "&(0x7f0000000000)={");
	buf_str(&text, "0x0, 0x1");
	for (int i = 0; i < 63; i++)
		buf_str(&text, "}");
	buf_str(&text, ")\n");
	stays(f, text.data);
}

static void limits(void **state)
{
	_cleanup_(buf_deinit) struct buf text = {};
	_cleanup_(prog_freep) struct prog *p = NULL;
	const struct fixture *f = *state;
	struct error *err;

	for (int i = 0; i <= PROG_MAX_CALLS; i++)
		buf_str(&text, "close(0x1)\n");
	err = parse(f, text.data, PROG_REPAIR, &p);
	assert_string_equal(error_message(err),
			    "p:513:1: the program has more than 512 calls, "
			    "split it");
	error_free(err);

	text.len = 0;
	buf_str(&text, "arrays(&(0x7f0000000000)={[], [");
	for (int i = 0; i <= PROG_MAX_ARGS; i++)
		buf_str(&text, "0x0, ");
	buf_str(&text, "]})\n");
	for (int mode = PROG_STRICT; mode <= PROG_REPAIR; mode++) {
		err = parse(f, text.data, mode, &p);
		assert_non_null(strstr(error_message(err),
				       "more than 1048576 arguments"));
		error_free(err);
	}

	text.len = 0;
	for (int i = 0; i < 5; i++)
		buf_str(&text, "write(0x1, &(0x7f0000000000)='a'/16777216, "
			       "0x1)\n");
	for (int mode = PROG_STRICT; mode <= PROG_REPAIR; mode++) {
		err = parse(f, text.data, mode, &p);
		assert_non_null(
			strstr(error_message(err), "more than 64 MiB of data"));
		error_free(err);
	}
}

static void one_call(void **state)
{
	const struct fixture *f = *state;
	_cleanup_(buf_deinit) struct buf out = {};
	_cleanup_(prog_freep) struct prog *p = NULL;

	assert_null(parse(f, "dup(0x1)\nr5 = dup(0x2)\nclose(r5)\n",
			  PROG_STRICT, &p));
	prog_call_to_text(p, 2, &out);
	assert_string_equal(out.data, "close(r0)");
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(lines),
		TEST(numbers),
		TEST(results),
		TEST(defaults_of_results),
		TEST(pointers),
		TEST(memory),
		TEST(data),
		TEST(strings),
		TEST(structs),
		TEST(arrays),
		TEST(unions),
		TEST(any),
		TEST(conditional),
		TEST(autos),
		TEST(calls),
		TEST(kernel_writes),
		TEST(images),
		TEST(bombs),
		TEST(deep_texts),
		TEST(limits),
		TEST(one_call),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
