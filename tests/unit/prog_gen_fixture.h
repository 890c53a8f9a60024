/* SPDX-License-Identifier: GPL-2.0-or-later */
/* prog_gen_fixture.h - descriptions with a bit of everything. */
#ifndef PROG_GEN_FIXTURE_H
#define PROG_GEN_FIXTURE_H

#include "prog_fixture.h"

#define TEST(f) cmocka_unit_test_setup_teardown(f, gen_setup, gen_teardown)

static const char fixture_text[] =
	"resource fd[int32]: -1, -100\n"
	"resource sock[fd]\n"
	"resource timer_id[int32]: 0\n"
	"resource lonely[int64]\n"
	"open(file ptr[in, filename], flags flags[modes], n int32[-3:40]) fd\n"
	"dup(f fd) fd\n"
	"maybe(f fd[opt], r ptr[in, rest, opt])\n"
	"read(fd fd, buf ptr[out, array[int8]], n len[buf])\n"
	"write(fd fd, buf ptr[in, array[int8]], n len[buf])\n"
	"socket(domain const[2], flags flags[numbers]) sock\n"
	"socketpair(out ptr[out, pair])\n"
	"connect(s sock, addr ptr[in, address], n len[addr])\n"
	"sendmsg(s sock, m ptr[in, message], f flags[modes])\n"
	"map(v vma[1:8], n len[v], p proc[10, 4])\n"
	"timer(id ptr[out, timer_id])\n"
	"timer_set(id timer_id, s ptr[in, spec])\n"
	"timer_del(id timer_id)\n"
	"clock_get(t ptr[out, clock])\n"
	"clock_set(t ptr[in, clock])\n"
	"text(c ptr[in, code], g ptr[in, glob[\"/dev/*\"]])\n"
	"cond(c ptr[in, conditional])\n"
	"inout(p ptr[inout, both])\n"
	"image(i ptr[in, compressed_image], s ptr[in, string[names]]) (no_generate, no_minimize)\n"
	"orphan(l lonely) lonely\n"
	"orphan_user(l lonely)\n"
	"hidden() (no_generate)\n"
	"off() (disabled)\n"
	"huge(p ptr[in, array[array[int32, 1000], 1000]])\n"
	"pair {\n\ta\tsock\n\tb\tfd\n}\n"
	"address [\n\tin\taddress_in\n\tun\tfilename\n\tany\tarray[int8, 4:30]\n"
	"] [varlen]\n"
	"address_in {\n\tfamily\tconst[2, int16]\n\tport\tproc[100, 4, int16be]\n"
	"\taddr\tint32be\n\tsum\tcsum[parent, inet, int16]\n}\n"
	"message {\n\tsize\tbytesize[parent, int16]\n\tkind\tflags[numbers, int8]\n"
	"\tbits\tint8:3\n\tmore\tint8:5\n\tattrs\tarray[attr, 0:9]\n"
	"\tfd\tfd\n\ttail\tfmt[hex, int32]\n\tend\tarray[int8]\n} [packed]\n"
	"attr {\n\tlen\tlen[parent, int16]\n\ttype\tint16\n\tv\tattr_value\n} "
	"[packed, align[4]]\n"
	"attr_value [\n\ta\tint32\n\tb\tstringnoz\n\tc\tfd\n\td\tarray[attr]\n"
	"\te\tarray[int16be, 2]\n\tf\tvoid\n\tg\tarray[const[7, int16], 3]\n] [varlen]\n"
	"spec {\n\ta\tint64[0:1000, 10]\n\tb\tint64\n}\n"
	"clock {\n\tsec\tint64\n\tnsec\tint32\n}\n"
	"rest {\n\tnext\tptr[in, rest, opt]\n\tv\tvma64\n\tw\tint8\n}\n"
	"code {\n\tx\ttext[x86_64]\n}\n"
	"conditional {\n\tf\tflags[modes, int32]\n"
	"\tx\tint64\t(if[value[f] & 1])\n"
	"\tu\tchosen\n\ty\tarray[int8, 3]\t(if[value[f] == 2])\n} [packed]\n"
	"chosen [\n\ta\tint64\t(if[value[parent:parent:f] == 4])\n\tb\tint8\n]\n"
	"both {\n\ta\tfd\n\tb\tfd\t(in)\n\tc\tarray[int8, 8]\n}\n"
	"modes = 1, 2, 4, 8\n"
	"numbers = 1, 2, 3, 7, 200\n"
	"names = \"one\", \"two\"\n";

static const char *const gen_calls[] = {
	"open",	       "dup",	     "maybe",	  "read",      "write",
	"socket",      "socketpair", "connect",	  "sendmsg",   "map",
	"timer",       "timer_set",  "timer_del", "clock_get", "clock_set",
	"text",	       "cond",	     "inout",	  "image",     "orphan",
	"orphan_user", "hidden",     "off",	  "huge",
};

static int gen_setup(void **state)
{
	_cleanup_(buf_deinit) struct buf consts = {};

	buf_str(&consts, "arches = amd64\n");
	for (size_t i = 0; i < ARRAY_LEN(gen_calls); i++)
		buf_printf(&consts, "__NR_%s = %zu\n", gen_calls[i], i);
	*state = fixture_new(fixture_text, consts.data);
	return 0;
}

static int gen_teardown(void **state)
{
	fixture_free(*state);
	return 0;
}

static inline void assert_valid(const struct prog *p)
{
	struct error *err = prog_validate(p);

	if (err) {
		_cleanup_(buf_deinit) struct buf text = {};

		prog_to_text(p, &text);
		print_error("%s\n%s", error_message(err), buf_cstr(&text));
	}
	assert_null(err);
}

#endif /* PROG_GEN_FIXTURE_H */
