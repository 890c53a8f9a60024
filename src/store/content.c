/* SPDX-License-Identifier: GPL-2.0-or-later */
/* content.c - what is stored: its name, and packed where that pays. */
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>

#include "store/internal.h"

enum { LEVEL = 6 };

struct store_name store_name(struct slice content)
{
	struct store_name n;

	if (!EVP_Digest(content.p, content.len, n.bytes, NULL, EVP_sha1(),
			NULL))
		abort(); /* no memory */
	return n;
}

void store_name_to_text(struct store_name n, char out[STORE_NAME_CHARS + 1])
{
	for (unsigned i = 0; i < STORE_NAME_BYTES; i++)
		snprintf(out + (size_t)2 * i, 3, "%02x", n.bytes[i]);
}

struct slice store_pack(struct store *s, struct slice in)
{
	size_t bound = ZSTD_compressBound(in.len);

	s->packed.len = 0;
	size_t n = ZSTD_compressCCtx(s->pack, buf_reserve(&s->packed, bound),
				     bound, in.p, in.len, LEVEL);

	if (ZSTD_isError(n) || n >= in.len)
		return in;
	s->packed.len = n;
	return buf_as_slice(&s->packed);
}

fallible store_unpack(struct store *s, struct slice in, size_t size_bytes,
		      struct buf *out)
{
	out->len = 0;
	if (in.len == size_bytes) {
		buf_slice(out, in);
		return NULL;
	}
	if (in.len > size_bytes || size_bytes > STORE_MAX_TEXT_BYTES ||
	    ZSTD_decompressDCtx(s->unpack, buf_reserve(out, size_bytes),
				size_bytes, in.p, in.len) != size_bytes)
		return error_new(ERR_INPUT,
				 "%s: damaged: a text does not "
				 "unpack",
				 s->path);
	out->len = size_bytes;
	return NULL;
}
