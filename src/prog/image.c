/* SPDX-License-Identifier: GPL-2.0-or-later */
/* image.c - compressed images: zlib, and base64 around it in texts. */
#include <zlib.h>

#include "prog/text.h"

/* ---- zlib ----------------------------------------------------------------------- */

enum { CHUNK = 64 << 10 };

/* Hand each piece to `out`, or drop it when that is NULL. */
static fallible inflate_all(z_stream *z, size_t max, struct buf *out,
			    size_t *size)
{
	_cleanup_(freep) unsigned char *chunk = malloc(CHUNK);
	size_t total = 0;
	int ret = Z_OK;

	if (!chunk)
		abort();
	while (ret == Z_OK) {
		z->next_out = chunk;
		z->avail_out = CHUNK;
		ret = inflate(z, Z_NO_FLUSH);
		if (ret != Z_OK && ret != Z_STREAM_END)
			return error_new(ERR_INPUT,
					 "the image is no zlib stream: %s",
					 z->msg ? z->msg : "it is cut off");
		total += CHUNK - z->avail_out;
		if (total > max)
			return error_new(ERR_INPUT,
					 "the image has more than %zu bytes",
					 max);
		if (out)
			buf_add(out, chunk, CHUNK - z->avail_out);
	}
	*size = total;
	return NULL;
}

/*
 * The checksum at the end is not computed: the executor does not, either, and
 * for an image that is mostly zeroes it is half of the work.
 */
static fallible inflate_image(struct slice in, size_t max, struct buf *out,
			      size_t *size)
{
	enum { HEAD = 2, TAIL = 4, DEFLATE = 8, DICTIONARY = 0x20 };
	const unsigned char *head = (const unsigned char *)in.p;
	z_stream z = {};

	*size = 0;
	if (!in.len)
		return NULL;
	if (in.len > PROG_MAX_BYTES)
		return error_new(ERR_INPUT,
				 "the image has more than %d MiB even in its "
				 "compressed form",
				 PROG_MAX_BYTES >> 20);
	if (in.len < HEAD + TAIL || (head[0] & 15) != DEFLATE ||
	    head[0] >> 4 > MAX_WBITS - 8 || head[1] & DICTIONARY ||
	    (head[0] << 8 | head[1]) % 31)
		return error_new(ERR_INPUT, "the image is no zlib stream: it "
					    "does not begin as one");
	z.next_in = (Bytef *)(uintptr_t)(in.p + HEAD);
	z.avail_in = (uInt)(in.len - HEAD - TAIL);
	if (inflateInit2(&z, -MAX_WBITS) != Z_OK)
		abort();
	struct error *err = inflate_all(&z, max, out, size);

	inflateEnd(&z);
	return err;
}

fallible prog_image_inflate(struct slice compressed, size_t max,
			    struct buf *out)
{
	_cleanup_(buf_deinit) struct buf raw = {};
	size_t size;

	TRY(inflate_image(compressed, max, &raw, &size));
	if (out->len) {
		buf_add(out, raw.data, raw.len);
		return NULL;
	}
	buf_deinit(out);
	*out = raw;
	raw = (struct buf){};
	return NULL;
}

fallible prog_image_check(struct slice compressed, size_t max, size_t *size)
{
	size_t n;

	TRY(inflate_image(compressed, max, NULL, &n));
	*size = n;
	return NULL;
}

void prog_image_deflate(struct slice raw, struct buf *out)
{
	static const unsigned char nothing;
	uLong bound = compressBound(raw.len), len = bound;
	char *to = buf_reserve(out, bound);

	if (compress((Bytef *)to, &len,
		     raw.len ? (const Bytef *)raw.p : &nothing,
		     raw.len) != Z_OK)
		abort();
	out->len += len;
	out->data[out->len] = '\0';
}

/* ---- Base 64 -------------------------------------------------------------------- */

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
			     "abcdefghijklmnopqrstuvwxyz0123456789+/";

void base64_encode(struct slice in, struct buf *out)
{
	char *to = buf_reserve(out, (in.len + 2) / 3 * 4);
	const unsigned char *p = (const unsigned char *)in.p;
	size_t i = 0, n = 0;

	for (; i + 2 < in.len; i += 3) {
		uint32_t v = (uint32_t)p[i] << 16 | (uint32_t)p[i + 1] << 8 |
			     p[i + 2];

		to[n++] = digits[v >> 18];
		to[n++] = digits[v >> 12 & 63];
		to[n++] = digits[v >> 6 & 63];
		to[n++] = digits[v & 63];
	}
	if (i < in.len) {
		uint32_t v = (uint32_t)p[i] << 16 |
			     (i + 1 < in.len ? (uint32_t)p[i + 1] << 8 : 0);

		to[n++] = digits[v >> 18];
		to[n++] = digits[v >> 12 & 63];
		to[n++] = i + 1 < in.len ? digits[v >> 6 & 63] : '=';
		to[n++] = '=';
	}
	out->len += n;
	out->data[out->len] = '\0';
}

bool base64_decode(struct slice in, struct buf *out)
{
	uint8_t value[256]; /* of each digit; others are above 63 */
	const unsigned char *p = (const unsigned char *)in.p;
	size_t pad = 0, n = 0;

	memset(value, 255, sizeof(value));
	for (uint8_t i = 0; i < 64; i++)
		value[(unsigned char)digits[i]] = i;
	while (pad < 2 && pad < in.len && p[in.len - 1 - pad] == '=')
		pad++;
	if (in.len % 4)
		return false;

	char *to = buf_reserve(out, in.len / 4 * 3);

	for (size_t i = 0; i < in.len; i += 4) {
		size_t absent = i + 4 == in.len ? pad : 0;
		uint8_t a = value[p[i]], b = value[p[i + 1]];
		uint8_t c = absent > 1 ? 0 : value[p[i + 2]];
		uint8_t d = absent ? 0 : value[p[i + 3]];
		uint32_t v = (uint32_t)a << 18 | (uint32_t)b << 12 |
			     (uint32_t)c << 6 | d;

		/* Bits beyond the last byte are zero: one text for one image. */
		if ((a | b | c | d) > 63 ||
		    (absent && v & ((1u << 8 * absent) - 1)))
			return false;
		to[n++] = (char)(v >> 16);
		if (absent < 2)
			to[n++] = (char)(v >> 8);
		if (!absent)
			to[n++] = (char)v;
	}
	out->len += n;
	return true;
}
