/* SPDX-License-Identifier: GPL-2.0-or-later */
/* prog_descriptions.h - descriptions with every kind of type, for tests. */
#ifndef PROG_DESCRIPTIONS_H
#define PROG_DESCRIPTIONS_H

static const char prog_desc[] =
	"resource fd[int32]: -1, -100\n"
	"resource id[int64]\n"
	"resource sub[fd]: -7\n"
	"subs(p ptr[in, subs]) sub\n"
	"open(file ptr[in, filename], flags flags[modes], mode int16) fd\n"
	"dup(f fd) fd\n"
	"close(f fd)\n"
	"getid(out ptr[out, ids])\n"
	"useid(i id, both ptr[inout, ids])\n"
	"write(f fd, data ptr[in, array[int8]], n len[data])\n"
	"read(f fd, data ptr[out, array[int8]], n len[data])\n"
	"map(v vma, n len[v])\n"
	"fixed(p ptr[in, fixed])\n"
	"strings(a ptr[in, string[\"one\"]], b ptr[in, string[words]],"
	" c ptr[in, stringnoz], d ptr[in, string])\n"
	"pick(p ptr[in, choice])\n"
	"arrays(p ptr[in, lists])\n"
	"maybe(p ptr[in, some], q ptr[in, int32, opt])\n"
	"vary(p ptr[in, vary])\n"
	"numbers(p ptr[in, numbers])\n"
	"outs(p ptr[out, outs])\n"
	"mount(img ptr[in, compressed_image], n len[img])"
	" (no_generate, no_minimize)\n"
	"deep(p ptr[in, deep, opt])\n"
	"ids {\n\ta\tid\n\tb\tid\n}\n"
	"fixed {\n\tn\tint32\n\tdata\tarray[int8, 16]\n\tz\tarray[const[7, int16], 2]\n}\n"
	"choice [\n\ta\tint32\n\tb\tfixed\n\tc\tptr[in, fixed]\n]\n"
	"lists {\n\tone\tarray[int16, 3]\n\tmany\tarray[int32]\n} [packed]\n"
	"some {\n\tflags\tint32\n"
	"\ta\tint32\t(if[value[flags] & 1 != 0])\n"
	"\tb\tchoice\t(if[value[flags] & 2 != 0])\n"
	"\tu\tdepends\n} [packed]\n"
	"depends [\n\tsmall\tint8\t(if[value[some:flags] == 4])\n"
	"\tany\tint64\n] [varlen]\n"
	"vary {\n\tn\tlen[data, int16]\n\tf\tfd\n\tdata\tarray[int8]\n} [packed]\n"
	"numbers {\n\tc\tconst[-66, int8]\n\tl\tbytesize[parent, int8]\n"
	"\tp\tproc[20, 4, int16]\n\ts\tcsum[parent, inet, int16]\n"
	"\th\tfmt[hex, int32]\n}\n"
	"outs {\n\tc\tint32\n\td\tarray[int8, 8]\n\tl\tlen[d, int32]\n}\n"
	"deep {\n\tnext\tptr[in, deep, opt]\n\tv\tint64\n}\n"
	"subs {\n\ts\tsub\n\tn\tint32\n}\n"
	"modes = 1, 2\n"
	"words = \"alpha\", \"be\"\n";

static const char prog_consts[] =
	"arches = amd64\n"
	"__NR_open = 1\n__NR_dup = 2\n__NR_close = 3\n__NR_getid = 4\n"
	"__NR_useid = 5\n__NR_write = 6\n__NR_read = 7\n__NR_map = 8\n"
	"__NR_fixed = 9\n__NR_strings = 10\n__NR_pick = 11\n__NR_arrays = 12\n"
	"__NR_maybe = 13\n__NR_vary = 14\n__NR_numbers = 15\n__NR_outs = 16\n"
	"__NR_mount = 17\n__NR_deep = 18\n__NR_subs = 19\n";

#endif /* PROG_DESCRIPTIONS_H */
