/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * reader.h - bounded reading of DWARF's numbers and strings.
 *
 * What lies behind the end reads as 0 and sets `is_bad`, which stays: look at
 * it once, after a group of reads.
 */
#ifndef ELF_READER_H
#define ELF_READER_H

#include <endian.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

struct reader {
	const unsigned char *p, *end;
	bool is_big; /* the byte order of the file */
	bool is_bad;
};

static inline size_t reader_left(const struct reader *r)
{
	return (size_t)(r->end - r->p);
}

static inline void read_fail(struct reader *r)
{
	r->p = r->end;
	r->is_bad = true;
}

static inline uint8_t read_u8(struct reader *r)
{
	if (r->p < r->end)
		return *r->p++;
	r->is_bad = true;
	return 0;
}

static inline void read_skip(struct reader *r, uint64_t bytes)
{
	if (bytes <= reader_left(r))
		r->p += bytes;
	else
		read_fail(r);
}

/* A number of `bytes` (at most 8) in the file's byte order. */
static inline uint64_t read_uint(struct reader *r, unsigned bytes)
{
	const unsigned char *p = r->p;
	uint64_t v = 0;

	if (bytes > reader_left(r)) {
		read_fail(r);
		return 0;
	}
	r->p += bytes;
	if (!r->is_big)
		memcpy(&v, p, bytes);
	else
		memcpy((char *)&v + sizeof(v) - bytes, p, bytes);
	return r->is_big ? be64toh(v) : le64toh(v);
}

/* LEB128 of any length; bits above the 64th are lost. */
static inline uint64_t read_leb(struct reader *r, bool is_signed)
{
	uint64_t v = 0;

	for (unsigned shift = 0;; shift += 7) {
		uint8_t b = read_u8(r);

		if (shift < 64)
			v |= (uint64_t)(b & 0x7f) << shift;
		if (b & 0x80)
			continue;
		if (is_signed && b & 0x40 && shift + 7 < 64)
			v |= ~(uint64_t)0 << (shift + 7);
		return v;
	}
}

/* Nearly all are of one byte. */
static inline uint64_t read_uleb(struct reader *r)
{
	if (r->p < r->end && *r->p < 0x80)
		return *r->p++;
	return read_leb(r, false);
}

static inline int64_t read_sleb(struct reader *r)
{
	return (int64_t)read_leb(r, true);
}

/* Up to its NUL; "" at the end. */
static inline const char *read_str(struct reader *r)
{
	const unsigned char *s = r->p;
	const unsigned char *nul =
		reader_left(r) ? memchr(s, 0, reader_left(r)) : NULL;

	if (!nul) {
		read_fail(r);
		return "";
	}
	r->p = nul + 1;
	return (const char *)s;
}

/* The length that begins a unit; `*offset_bytes` becomes 4 or 8. */
static inline uint64_t read_unit_length(struct reader *r,
					unsigned *offset_bytes)
{
	uint64_t len = read_uint(r, 4);

	*offset_bytes = 4;
	if (len < 0xfffffff0)
		return len;
	*offset_bytes = 8;
	if (len != 0xffffffff)
		read_fail(r);
	return read_uint(r, 8);
}

#endif /* ELF_READER_H */
