/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "json/json.h"

#include <jansson.h>
#include <stdlib.h>

#include "base/buf.h"

static json_t *in(struct json *v)
{
	return (json_t *)v;
}

static struct json *out(json_t *v)
{
	if (!v)
		abort(); /* no memory */
	return (struct json *)v;
}

struct json *json_object_new(void)
{
	return out(json_object());
}

struct json *json_array_new(void)
{
	return out(json_array());
}

struct json *json_int(int64_t v)
{
	return out(json_integer(v));
}

struct json *json_flag(bool v)
{
	return out(json_boolean(v));
}

struct json *json_none(void)
{
	return out(json_null());
}

/* Length of the valid UTF-8 sequence at `p`, or 0. */
static size_t utf8_len(const unsigned char *p, size_t left)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t n = *p < 0x80	 ? 1 :
		   *p >> 5 == 6	 ? 2 :
		   *p >> 4 == 14 ? 3 :
		   *p >> 3 == 30 ? 4 :
				   0;
	uint32_t c = n > 1 ? *p & (0x7fu >> n) : *p;

	if (!n || n > left)
		return 0;
	for (size_t i = 1; i < n; i++) {
		if (p[i] >> 6 != 2)
			return 0;
		c = c << 6 | (p[i] & 0x3f);
	}
	if (n > 1 && (c < least[n] || c > 0x10ffff || (c >> 11) == 0x1b))
		return 0;
	return n;
}

struct json *json_text(struct slice s)
{
	json_t *v = json_stringn(s.p ? s.p : "", s.len);
	_cleanup_(buf_deinit) struct buf clean = {};

	if (v)
		return out(v);
	for (size_t i = 0; i < s.len;) {
		size_t n = utf8_len((const unsigned char *)s.p + i, s.len - i);

		if (n)
			buf_add(&clean, s.p + i, n);
		else
			buf_str(&clean, "\xef\xbf\xbd");
		i += n ? n : 1;
	}
	return out(json_stringn(clean.data, clean.len));
}

void json_set(struct json *object, const char *key, struct json *value)
{
	if (json_object_set_new(in(object), key, in(value)) != 0)
		abort();
}

void json_push(struct json *array, struct json *value)
{
	if (json_array_append_new(in(array), in(value)) != 0)
		abort();
}

fallible json_parse(struct slice text, struct json **out_)
{
	json_error_t e;
	json_t *v = json_loadb(text.p ? text.p : "", text.len,
			       JSON_REJECT_DUPLICATES, &e);

	if (!v)
		return error_new(ERR_INPUT, "line %d: %s", e.line, e.text);
	*out_ = (struct json *)v;
	return NULL;
}

const struct json *json_get(const struct json *object, const char *key)
{
	return (const struct json *)json_object_get((const json_t *)object,
						    key);
}

const char *json_get_text(const struct json *object, const char *key)
{
	const char *s =
		json_string_value((const json_t *)json_get(object, key));

	return s ? s : "";
}

const struct json *json_at(const struct json *array, size_t i)
{
	return (const struct json *)json_array_get((const json_t *)array, i);
}

int64_t json_get_int(const struct json *object, const char *key)
{
	return json_integer_value((const json_t *)json_get(object, key));
}

bool json_get_flag(const struct json *object, const char *key)
{
	return json_is_true((const json_t *)json_get(object, key));
}

fallible json_write(const struct json *v, FILE *f)
{
	if (json_dumpf((const json_t *)v, f, JSON_INDENT(2)) != 0 ||
	    fputc('\n', f) == EOF)
		return error_os("writing JSON");
	return NULL;
}

void json_free(struct json *v)
{
	json_decref(in(v));
}
