/* SPDX-License-Identifier: GPL-2.0-or-later */
/* parse_data.c - strings, blobs and images in the text of programs. */
#include "prog/text.h"

static uint8_t hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return (uint8_t)(c - '0');
	if (c >= 'a' && c <= 'f')
		return (uint8_t)(c - 'a' + 10);
	if (c >= 'A' && c <= 'F')
		return (uint8_t)(c - 'A' + 10);
	return 255;
}

/* Bytes go to the end of p->bytes; their number to `*len`. */
static fallible read_hex(struct parser *s, size_t *len)
{
	const char *end = memchr(s->at, '"', (size_t)(s->end - s->at));
	char *to;
	size_t n = 0;

	if (!end)
		return parse_error(s, s->at, "the data has no end, add \"");
	to = buf_reserve(&s->p->bytes, (size_t)(end - s->at) / 2);
	while (s->at < end) {
		uint8_t hi = hex_digit(*s->at);
		uint8_t lo = end - s->at > 1 ? hex_digit(s->at[1]) : 255;

		if (hi > 15 || lo > 15)
			return parse_error(s, s->at,
					   "this is no pair of hexadecimal "
					   "digits; text goes between '");
		to[n++] = (char)(hi << 4 | lo);
		s->at += 2;
	}
	*len = n;
	s->at++;
	skip_blanks(s);
	return NULL;
}

static fallible read_escape(struct parser *s, char *out)
{
	static const char names[] = "abfnrtv'\"\\";
	static const char values[] = "\a\b\f\n\r\t\v'\"\\";
	char c = peek(s);
	const char *name = c ? strchr(names, c) : NULL;

	if (name) {
		*out = values[name - names];
		s->at++;
		return NULL;
	}
	if (c == 'x' && s->end - s->at > 2) {
		uint8_t hi = hex_digit(s->at[1]), lo = hex_digit(s->at[2]);

		if (hi < 16 && lo < 16) {
			*out = (char)(hi << 4 | lo);
			s->at += 3;
			return NULL;
		}
	}
	return parse_error(s, s->at,
			   "unknown escape: there are \\xHH, \\a, \\b, \\f, "
			   "\\n, \\r, \\t, \\v, \\', \\\" and \\\\");
}

static fallible read_string(struct parser *s, size_t *len)
{
	char *to = buf_reserve(&s->p->bytes, (size_t)(s->end - s->at));
	size_t n = 0;

	while (s->at < s->end && *s->at != '\'') {
		char c = *s->at++;

		if (c == '\\')
			TRY(read_escape(s, &c));
		to[n++] = c;
	}
	if (s->at == s->end)
		return parse_error(s, s->at, "the string has no end, add '");
	*len = n;
	s->at++;
	skip_blanks(s);
	return NULL;
}

static fallible read_base64(struct parser *s, size_t *len)
{
	const char *end = memchr(s->at, '"', (size_t)(s->end - s->at));
	struct buf *bytes = &s->p->bytes;
	size_t from = bytes->len;

	if (!end)
		return parse_error(s, s->at, "the image has no end, add \"");
	if (!base64_decode(slice_range(s->at, end), bytes))
		return parse_error(s, s->at, "the image is not base 64");
	*len = bytes->len - from;
	bytes->len = from;
	s->at = end + 1;
	skip_blanks(s);
	return NULL;
}

/* An image that does not inflate is no image. */
static fallible check_image(struct parser *s, const char *start, size_t *len)
{
	enum { ALL_IMAGES = 1 << 30 };
	struct slice image = { s->p->bytes.data + s->p->bytes.len, *len };
	size_t size = 0;
	struct error *err = prog_image_check(image, PROG_IMAGE_MAX, &size);

	if (err) {
		struct error *said = misfit(s, start, "%s", error_message(err));

		error_free(err);
		*len = 0;
		s->images += PROG_IMAGE_MAX / 8; /* it took its time */
		if (said)
			return said;
	}
	s->images += size;
	if (s->images > ALL_IMAGES)
		return parse_error(s, s->at,
				   "the images of the program have more "
				   "than 1 GiB, take some out");
	return NULL;
}

/* A length in text: "0102"/16. */
static fallible read_size(struct parser *s, size_t len, uint64_t *size)
{
	const char *start = s->at;

	TRY(parse_number(s, size));
	if (*size > DATA_BYTES) {
		TRY(misfit(s, start,
			   "a buffer of %#llx bytes is larger than the "
			   "memory of programs, %#x",
			   (unsigned long long)*size, DATA_BYTES));
		*size = DATA_BYTES;
	}
	if (*size < len)
		TRY(misfit(s, start,
			   "the buffer has %zu bytes, more than it says "
			   "behind '/'",
			   len));
	return NULL;
}

static bool is_value(const struct desc *d, const struct desc_type *t,
		     uint64_t value, struct slice data)
{
	struct slice v = desc_string(d, value);
	size_t want = t->size != DESC_VARLEN ? t->size :
					       v.len + !(t->flags & DESC_NOZ);

	if (data.len != want || want < v.len || memcmp(data.p, v.p, v.len))
		return false;
	for (size_t i = v.len; i < want; i++)
		if (data.p[i])
			return false;
	return true;
}

/* A string that must be one of those described: the first, when it is not. */
static fallible check_values(struct parser *s, const char *start,
			     const struct desc_type *t, size_t *len)
{
	struct buf *bytes = &s->p->bytes;
	struct slice data = { bytes->data + bytes->len, *len }, first;

	for (uint32_t i = 0; i < t->nlist; i++)
		if (is_value(s->d, t, s->d->values[t->list + i], data))
			return NULL;
	first = desc_string(s->d, s->d->values[t->list]);
	TRY(misfit(s, start, "%s has no such value; one is '" SLICE_FMT "%s'",
		   desc_name(s->d, t->name), SLICE_ARG(first),
		   t->flags & DESC_NOZ ? "" : "\\x00"));

	size_t want = t->size != DESC_VARLEN ?
			      t->size :
			      first.len + !(t->flags & DESC_NOZ);
	char *to = buf_reserve(bytes, want);

	memset(to, 0, want);
	memcpy(to, first.p, MIN(first.len, want));
	*len = want;
	return NULL;
}

static fallible check_constant(struct parser *s, const char *start,
			       uint32_t type, size_t len)
{
	char *bytes = s->p->bytes.data + s->p->bytes.len;

	for (uint32_t i = 0; i < len; i++)
		if (bytes[i] != data_default_byte(s->d, type, i)) {
			TRY(misfit(s, start, "%s has another value",
				   desc_name(s->d, s->d->types[type].name)));
			bytes[i] = data_default_byte(s->d, type, i);
		}
	return NULL;
}

/* To the size that the type or the text says. */
static void resize(struct parser *s, size_t *len, uint64_t size)
{
	if (size > *len) {
		char *to = buf_reserve(&s->p->bytes, size);

		memset(to + *len, 0, size - *len);
	}
	*len = size;
}

static fallible read_any(struct parser *s, bool *image, size_t *len)
{
	char quote = *s->at++;

	*image = false;
	if (quote == '\'')
		return read_string(s, len);
	if (peek(s) == '$') {
		*image = true;
		s->at++;
		return read_base64(s, len);
	}
	skip_blanks(s);
	return read_hex(s, len);
}

static fallible to_type(struct parser *s, const char *start, uint32_t type,
			uint8_t dir, bool image, size_t *len)
{
	const struct desc_type *t = type == DESC_NONE ? NULL :
							&s->d->types[type];
	uint64_t size = *len;

	if (!image && take(s, '/'))
		TRY(read_size(s, *len, &size));
	if (t && t->size != DESC_VARLEN) {
		if (size > t->size)
			TRY(misfit(s, start, "%s has %u bytes, this has %llu",
				   desc_name(s->d, t->name), t->size,
				   (unsigned long long)size));
		size = t->size;
	}
	if (dir == DESC_OUT) {
		*len = size;
		return NULL;
	}
	resize(s, len, size);
	if (t && t->kind == DESC_IMAGE)
		return check_image(s, start, len);
	if (t && t->kind == DESC_STRING && t->nlist)
		TRY(check_values(s, start, t, len));
	if (t && type_is_constant(s->d, type))
		TRY(check_constant(s, start, type, *len));
	return NULL;
}

fallible parse_data(struct parser *s, uint32_t type, uint8_t dir, uint32_t *out)
{
	struct prog *p = s->p;
	const char *start = s->at;
	size_t len = 0;
	bool image;

	TRY(read_any(s, &image, &len));
	TRY(to_type(s, start, type, dir, image, &len));

	uint32_t a = arg_new(p, ARG_DATA, type, dir);

	arg_at(p, a)->len = (uint32_t)len;
	arg_at(p, a)->from = NO_BYTES;
	if (dir != DESC_OUT) {
		arg_at(p, a)->from = (uint32_t)p->bytes.len;
		p->bytes.len += len;
	}
	*out = a;
	if (p->bytes.len > PROG_MAX_BYTES)
		return parse_error(s, s->at,
				   "the program has more than %d MiB of "
				   "data, take calls out",
				   PROG_MAX_BYTES >> 20);
	return NULL;
}
