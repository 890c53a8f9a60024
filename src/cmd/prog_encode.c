/* SPDX-License-Identifier: GPL-2.0-or-later */
/* prog_encode.c - the command that shows what the executor gets of a program. */
#include <stdio.h>
#include <unistd.h>

#include "base/io.h"
#include "base/mem.h"
#include "cmd/prog.h"
#include "wire/wire.h"
#include "json/json.h"

struct encode_opts {
	const char *arch, *dir;
	unsigned proc;
	bool repair, hex, binary, json;
};

static const struct opt encode_options[] = {
	OPT(OPT_STR, 'a', "arch", encode_opts, arch, "ARCH",
	    "the program is for ARCH instead of amd64"),
	OPT(OPT_STR, 'd', "descriptions", encode_opts, dir, "DIR",
	    "use the descriptions of DIR (*.txt, *.const), not ours"),
	OPT(OPT_FLAG, 'r', "repair", encode_opts, repair, NULL,
	    "make a program of other descriptions fit"),
	OPT(OPT_UINT, 'p', "proc", encode_opts, proc, "N",
	    "for executor number N (0), by which some values differ"),
	OPT(OPT_FLAG, 'x', "hex", encode_opts, hex, NULL,
	    "print the bytes as hexadecimal digits, 16 in a line"),
	OPT(OPT_FLAG, 'b', "binary", encode_opts, binary, NULL,
	    "write the bytes themselves"),
	OPT(OPT_FLAG, 'j', "json", encode_opts, json, NULL,
	    "print a JSON array with an object per instruction"),
	OPT_END,
};

enum { MANY_BYTES = 32 };

static const char *const op_names[] = {
	[WIRE_END] = "end",	    [WIRE_COPYIN] = "copyin",
	[WIRE_STORE] = "store",	    [WIRE_CALL] = "call",
	[WIRE_COPYOUT] = "copyout", [WIRE_SPACE] = "space",
	[WIRE_DERIVE] = "derive",   [WIRE_CSUM] = "csum",
	[WIRE_IMAGE] = "image",
};

/* ---- Instructions as text ---- */

static void hex_bytes(struct slice bytes, struct buf *out)
{
	for (size_t i = 0; i < bytes.len && i < MANY_BYTES; i++)
		buf_printf(out, "%02x", (unsigned char)bytes.p[i]);
	if (bytes.len > MANY_BYTES)
		buf_str(out, "...");
}

static void address(uint64_t off, struct buf *out)
{
	buf_printf(out, "[0x%llx]", (unsigned long long)(WIRE_DATA_BASE + off));
}

static void arg_to_text(const struct wire_arg *a, struct buf *out)
{
	unsigned long long value = a->value;

	if (a->kind == WIRE_RESULT)
		buf_printf(out, "r%u or 0x%llx", a->result, value);
	else if (a->kind == WIRE_DATA)
		buf_printf(out, "&0x%llx", WIRE_DATA_BASE + value);
	else
		buf_printf(out, "0x%llx", value);
}

static void call_to_text(const struct wire_insn *in, const struct wire_arg *a,
			 const char *name, struct buf *out)
{
	if (in->result != WIRE_NO_RESULT)
		buf_printf(out, "r%u = ", in->result);
	buf_printf(out, "%s(", name);
	for (unsigned i = 0; i < in->nargs; i++) {
		buf_str(out, i ? ", " : "");
		arg_to_text(&a[i], out);
	}
	buf_printf(out, ") number 0x%x", in->nr);
	if (in->props & WIRE_CALL_ASYNC)
		buf_str(out, ", async");
	if (in->rerun)
		buf_printf(out, ", rerun %u", in->rerun);
	if (in->fail_nth)
		buf_printf(out, ", fail_nth %u", in->fail_nth);
}

static void store_to_text(const struct wire_insn *in, const struct wire_arg *a,
			  struct buf *out)
{
	static const char *const texts[] = { "", " as decimal text",
					     " as hexadecimal text",
					     " as octal text" };

	address(in->off, out);
	buf_printf(out, " = %u bytes of ", a->size);
	arg_to_text(a, out);
	buf_str(out, texts[a->text & 3]);
	if (a->flags & WIRE_BIG_ENDIAN)
		buf_str(out, ", big-endian");
	if (a->bit_len)
		buf_printf(out, ", bits %u to %u", a->bit_off,
			   a->bit_off + a->bit_len - 1);
}

static void sum_to_text(const struct wire_insn *in, const struct wire_chunk *c,
			struct buf *out)
{
	address(in->off, out);
	buf_str(out, " = checksum of");
	for (unsigned i = 0; i < in->nargs; i++, c++) {
		if (c->kind == WIRE_CHUNK_CONST) {
			buf_printf(out, " 0x%llx:%u",
				   (unsigned long long)c->value, c->len);
			continue;
		}
		buf_char(out, ' ');
		address(c->value, out);
		buf_printf(out, ":%u", c->len);
	}
}

static void image_to_text(const struct wire_insn *in, struct slice runs,
			  struct buf *out)
{
	struct wire_run run;
	unsigned n = 0;
	uint64_t bytes = 0;

	while (runs.len >= sizeof(run)) {
		memcpy(&run, runs.p, sizeof(run));
		n++;
		bytes += run.len;
		runs = slice_from(runs,
				  MIN(runs.len,
				      sizeof(run) + ((run.len + 7u) & ~7u)));
	}
	buf_printf(out, "%llu bytes, zero but for %llu in %u runs",
		   (unsigned long long)in->off, (unsigned long long)bytes, n);
}

static void insn_to_text(const struct wire_insn *in, struct slice operands,
			 const char *name, struct buf *out)
{
	const void *ops = operands.p;

	switch (in->op) {
	case WIRE_COPYIN:
		address(in->off, out);
		buf_printf(out, " = %u bytes: ", in->len);
		hex_bytes((struct slice){ operands.p, in->len }, out);
		break;
	case WIRE_STORE:
		store_to_text(in, ops, out);
		break;
	case WIRE_CALL:
		call_to_text(in, ops, name, out);
		break;
	case WIRE_COPYOUT:
		buf_printf(out, "r%u = %u bytes at ", in->result, in->len);
		address(in->off, out);
		if (in->nargs & WIRE_BIG_ENDIAN)
			buf_str(out, ", big-endian");
		break;
	case WIRE_SPACE:
		address(in->off, out);
		buf_printf(out, " is for %u bytes", in->len);
		break;
	case WIRE_DERIVE:
		buf_printf(out, "r%u = r%u / 0x%llx + 0x%llx", in->result,
			   in->from,
			   (unsigned long long)((const struct wire_arg *)ops)
				   ->value,
			   (unsigned long long)in->off);
		break;
	case WIRE_CSUM:
		sum_to_text(in, ops, out);
		break;
	case WIRE_IMAGE:
		image_to_text(in, operands, out);
		break;
	}
}

/* ---- All of them ---- */

static void each_insn(const struct prog *p, struct slice wire,
		      struct json *array, struct buf *out)
{
	const struct wire_insn *in;
	struct slice ops;
	size_t call = 0;

	while (wire_insn_next(&wire, &in, &ops)) {
		_cleanup_(buf_deinit) struct buf text = {};
		const char *name = "";

		if (in->op == WIRE_CALL)
			name = prog_call_name(p, call++);
		insn_to_text(in, ops, name, &text);
		if (!array) {
			buf_printf(out, "%s%*s%s\n", op_names[in->op],
				   text.len ?
					   8 - (int)strlen(op_names[in->op]) :
					   0,
				   "", buf_cstr(&text));
			continue;
		}
		struct json *o = json_object_new();

		json_set(o, "op", json_text(slice_cstr(op_names[in->op])));
		json_set(o, "text", json_text(buf_as_slice(&text)));
		json_set(o, "bytes",
			 json_int((int64_t)(sizeof(*in) + ops.len)));
		if (in->op == WIRE_CALL)
			json_set(o, "call", json_text(slice_cstr(name)));
		json_push(array, o);
	}
}

static void hex_lines(struct slice bytes, struct buf *out)
{
	for (size_t i = 0; i < bytes.len; i++)
		buf_printf(out, "%02x%s", (unsigned char)bytes.p[i],
			   i % 16 == 15 || i + 1 == bytes.len ? "\n" : "");
}

static fallible print_payload(const struct encode_opts *o, const struct prog *p,
			      struct slice wire)
{
	_cleanup_(buf_deinit) struct buf out = {};

	if (o->json) {
		_cleanup_(json_freep) struct json *array = json_array_new();

		each_insn(p, wire, array, NULL);
		return json_write(array, stdout);
	}
	if (o->binary)
		return io_write_all(STDOUT_FILENO, wire.p, wire.len);
	if (o->hex)
		hex_lines(wire, &out);
	else
		each_insn(p, wire, NULL, &out);
	return io_write_all(STDOUT_FILENO, out.data, out.len);
}

static fallible encode_run(const void *opts, int argc, char **argv, int *status)
{
	const struct encode_opts *o = opts;
	_cleanup_(desc_freep) struct desc *d = NULL;
	_cleanup_(prog_target_freep) struct prog_target *t = NULL;
	_cleanup_(prog_freep) struct prog *p = NULL;
	_cleanup_(buf_deinit) struct buf text = {}, wire = {};
	const struct desc_arch *arch;

	(void)status;
	if (argc != 1)
		return error_new(ERR_USAGE, "name one program; - is the "
					    "standard input");
	if (o->hex + o->binary + o->json > 1)
		return error_new(ERR_USAGE,
				 "one of --hex, --binary and --json");
	TRY(cmd_desc_arch(o->arch, &arch));
	TRY(cmd_descriptions(o->dir, arch, &d));
	t = prog_target_new(d);
	TRY(prog_read_text(argv[0], &text));
	TRY(prog_parse(t, argv[0], buf_as_slice(&text),
		       o->repair ? PROG_REPAIR : PROG_STRICT, &p));
	TRY(prog_encode(p, o->proc, &wire), "%s", argv[0]);
	return print_payload(o, p, buf_as_slice(&wire));
}

const struct command cmd_prog_encode = {
	.name = "prog encode",
	.args = "FILE",
	.summary = "show the instructions that the executor gets of a program",
	.opts = encode_options,
	.opts_size = sizeof(struct encode_opts),
	.run = encode_run,
};
