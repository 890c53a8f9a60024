/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * json.h - the only user of jansson.
 *
 * Values are built bottom up; adding a value to an object or array gives its
 * ownership away.  Text may hold any bytes: what is not UTF-8 becomes U+FFFD.
 *
 *	struct json *o = json_object_new();
 *	json_set(o, "title", json_text(slice_cstr("...")));
 *	TRY(json_write(o, stdout));
 *	json_free(o);
 */
#ifndef JSON_JSON_H
#define JSON_JSON_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/error.h"
#include "base/slice.h"

struct json;

struct json *json_object_new(void);
struct json *json_array_new(void);
struct json *json_text(struct slice s);
struct json *json_int(int64_t v);
struct json *json_flag(bool v);
struct json *json_none(void);

/** Set `key` of an object; takes `value` over. */
void json_set(struct json *object, const char *key, struct json *value);

/** Append to an array; takes `value` over. */
void json_push(struct json *array, struct json *value);

/**
 * Read a value back.  Errors: ERR_INPUT, saying where.  Nesting and size are
 * bounded by jansson (2,048 levels) and the caller.
 */
fallible json_parse(struct slice text, struct json **out);

/** The member of an object, borrowed; NULL: none, or no object. */
const struct json *json_get(const struct json *object, const char *key);

/** Element `i` of an array, borrowed; NULL: none, or no array. */
const struct json *json_at(const struct json *array, size_t i);

/** A text's bytes, borrowed; "" if it is none or NULL. */
const char *json_get_text(const struct json *object, const char *key);

/** An integer member; 0 if there is none. */
int64_t json_get_int(const struct json *object, const char *key);

/** A flag member; false if there is none. */
bool json_get_flag(const struct json *object, const char *key);

/** Print indented, in the order the keys were set. Errors: ERR_OS. */
fallible json_write(const struct json *v, FILE *f);

void json_free(struct json *v);
DEFINE_CLEANUP(struct json *, json_free)

#endif /* JSON_JSON_H */
