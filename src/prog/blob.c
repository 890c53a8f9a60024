/* SPDX-License-Identifier: GPL-2.0-or-later */
/* blob.c - changes of bytes that no description says more about. */
#include "prog/gen.h"

enum {
	PIECE_MAX = 64, /* bytes put in or taken out at once */
	IMAGE_BLOCK = 256, /* an image is mostly zeroes: blocks with more */
};

/* A number of 1, 2, 4 or 8 bytes in either byte order becomes another one. */
static void change_number(struct rng *r, char *at, size_t room)
{
	uint32_t bytes = 1u << rng_below(r, 4);
	bool swap = rng_one_of(r, 2);
	uint64_t v = 0;

	while (bytes > room)
		bytes /= 2;
	memcpy(&v, at, bytes);
	if (swap)
		v = swapped(v, bytes);
	if (rng_one_of(r, 2))
		v = gen_int(r, 8 * bytes);
	else if (rng_one_of(r, 2))
		v += rng_range(r, 1, 32);
	else
		v -= rng_range(r, 1, 32);
	if (swap)
		v = swapped(v, bytes);
	memcpy(at, &v, bytes);
}

/* Change some of n > 0 bytes, all of which stay. */
static void change(struct rng *r, char *data, size_t n)
{
	size_t at = rng_below(r, n), from, len;

	switch (rng_below(r, 8)) {
	case 0 ... 1:
		data[at] = (char)(data[at] ^ 1 << rng_below(r, 8));
		break;
	case 2:
		data[at] = (char)rng_u64(r);
		break;
	case 3:
		from = rng_below(r, n);
		len = rng_range(r, 1, PIECE_MAX);
		len = MIN(len, n - MAX(at, from));
		memmove(data + at, data + from, len);
		break;
	case 4:
		len = rng_range(r, 1, PIECE_MAX);
		len = MIN(len, n - at);
		memset(data + at, rng_one_of(r, 2) ? 0 : (int)rng_u64(r), len);
		break;
	default:
		change_number(r, data + at, n - at);
	}
}

static size_t piece_length(struct rng *r, uint64_t most)
{
	uint64_t n = rng_one_of(r, 2) ? 1ull << rng_below(r, 7) :
					rng_range(r, 1, PIECE_MAX);

	return MIN(n, most);
}

static void insert(struct rng *r, struct buf *b, uint64_t room)
{
	size_t n = piece_length(r, room), at = rng_below(r, b->len + 1);
	bool copy = b->len && rng_one_of(r, 3);
	size_t from = rng_below(r, b->len);
	int fill = rng_one_of(r, 2) ? 0 : -1;

	if (copy)
		n = MIN(n, b->len - from);
	buf_reserve(b, n);
	memmove(b->data + at + n, b->data + at, b->len - at);
	b->len += n;
	for (size_t i = 0; i < n; i++)
		b->data[at + i] = copy ? b->data[from + i] :
				  fill ? (char)rng_u64(r) :
					 '\0';
}

static void cut(struct rng *r, struct buf *b, uint64_t most)
{
	size_t n = piece_length(r, most), at = rng_below(r, b->len - n + 1);

	memmove(b->data + at, b->data + at + n, b->len - at - n);
	b->len -= n;
}

void blob_mutate(struct rng *r, struct buf *b, uint64_t lo, uint64_t hi)
{
	do {
		uint32_t roll = (uint32_t)rng_below(r, 8);

		if (b->len < hi && (!b->len || b->len < lo || roll == 0))
			insert(r, b, hi - b->len);
		else if (b->len > lo && roll == 1)
			cut(r, b, b->len - lo);
		else if (b->len)
			change(r, b->data, b->len);
	} while (!rng_one_of(r, 3));
	while (b->len < lo)
		insert(r, b, lo - b->len);
}

void image_mutate(struct rng *r, struct buf *raw)
{
	static const char zeroes[IMAGE_BLOCK];
	VEC(size_t) blocks = {};

	for (size_t at = 0; at + IMAGE_BLOCK <= raw->len; at += IMAGE_BLOCK)
		if (memcmp(raw->data + at, zeroes, IMAGE_BLOCK))
			vec_push(&blocks, at);
	for (uint64_t n = rng_range(r, 1, 8); n && raw->len; n--) {
		size_t at = blocks.len && !rng_one_of(r, 16) ?
				    blocks.data[rng_below(r, blocks.len)] :
				    rng_below(r, raw->len);

		change(r, raw->data + at,
		       MIN(raw->len - at, (size_t)IMAGE_BLOCK));
	}
	vec_free(&blocks);
}
