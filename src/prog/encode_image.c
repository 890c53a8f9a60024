/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * encode_image.c - file system images, which programs hold compressed (zlib),
 * as the runs of bytes that are not zero: the guest needs no decompressor, and
 * no more than a window of the image is in memory here.
 */
#include <string.h>
#define ZLIB_CONST
#include <zlib.h>

#include "prog/encode.h"

#define WINDOW (64u << 10)
#define GRAIN 32u /* bytes that are zero or not; a run's head costs 16 */

struct runs {
	struct encoder *e;
	size_t run; /* where the open run's head is in `out`, or NO_PIECE */
	uint64_t from, to; /* of the image */
};

static void run_end(struct runs *r)
{
	static const char zeroes[8];
	struct wire_run head = { .off = r->from,
				 .len = (uint32_t)(r->to - r->from) };

	if (r->run == NO_PIECE)
		return;
	buf_add(r->e->out, zeroes, -head.len & 7u);
	memcpy(r->e->out->data + r->run, &head, sizeof(head));
	r->run = NO_PIECE;
}

static bool is_zero(const char *p, size_t len)
{
	return !len || (!*p && !memcmp(p, p + 1, len - 1));
}

/* The image goes on with `len` bytes at `off`. */
static void add_window(struct runs *r, uint64_t off, const char *p, size_t len)
{
	for (size_t i = 0; i < len; i += GRAIN) {
		size_t n = len - i < GRAIN ? len - i : GRAIN;

		if (is_zero(p + i, n)) {
			run_end(r);
			continue;
		}
		if (r->run == NO_PIECE) {
			struct wire_run head = {};

			r->run = r->e->out->len;
			r->from = off + i;
			buf_add(r->e->out, &head, sizeof(head));
		}
		buf_add(r->e->out, p + i, n);
		r->to = off + i + n;
	}
}

/* All of it, or false: it is damaged or too large. */
static bool inflate_all(struct runs *r, struct slice in, uint64_t *size)
{
	z_stream z = { .next_in = (z_const Bytef *)in.p,
		       .avail_in = (uInt)in.len };
	char window[WINDOW];
	uint64_t off = 0;
	int ret;

	if (inflateInit(&z) != Z_OK)
		return false;
	do {
		z.next_out = (Bytef *)window;
		z.avail_out = WINDOW;
		ret = inflate(&z, Z_NO_FLUSH);
		if (ret != Z_OK && ret != Z_STREAM_END)
			break;
		add_window(r, off, window, WINDOW - z.avail_out);
		off += WINDOW - z.avail_out;
	} while (ret == Z_OK && off <= WIRE_MAX_IMAGE);
	inflateEnd(&z);
	run_end(r);
	*size = off;
	return ret == Z_STREAM_END && off <= WIRE_MAX_IMAGE;
}

void put_image(struct encoder *e, const struct arg *data)
{
	struct runs r = { .e = e, .run = NO_PIECE };
	size_t start = e->out->len;
	struct wire_insn in = { .op = WIRE_IMAGE, .result = WIRE_NO_RESULT };
	struct slice packed = {};

	if (data->from == NO_BYTES || !data->len)
		return;
	packed = (struct slice){ e->p->bytes.data + data->from, data->len };
	put_insn(e, &in);
	if (!inflate_all(&r, packed, &in.off)) {
		e->out->len = start;
		return;
	}
	/* Less than twice the largest image. */
	in.len = (uint32_t)(e->out->len - start - sizeof(in));
	memcpy(e->out->data + start, &in, sizeof(in));
}
