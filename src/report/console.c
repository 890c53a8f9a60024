/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "report/console.h"

#include "base/compiler.h"

/* A time stamp is looked for this far into a line, behind foreign text. */
#define MAX_PREFIX 256

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/*
 * Does `s` begin as `shape` says?  'A' is a capital, 'a' a small letter, '9' a
 * digit, '_' a digit or a blank; all else stands for itself.
 */
static bool has_shape(struct slice s, const char *shape)
{
	size_t i = 0;

	for (; shape[i] && i < s.len; i++) {
		char c = s.p[i];
		bool fits = shape[i] == '9' ? is_digit(c) :
			    shape[i] == '_' ? is_digit(c) || c == ' ' :
			    shape[i] == 'A' ? c >= 'A' && c <= 'Z' :
			    shape[i] == 'a' ? c >= 'a' && c <= 'z' :
					      c == shape[i];

		if (!fits)
			return false;
	}
	return !shape[i];
}

/*
 * "[   12.345678]", also "[12.345678,0]", and what dmesg makes of it: with -T
 * "[Sat Nov 21 02:24:36 2026]", with -H "[Nov21 02:24]" and "[  +0.000012]".
 * Returns its end or NULL.
 */
static const char *time_stamp(const char *p, const char *end)
{
	static const char *const dates[] = {
		"[Aaa Aaa _9 99:99:99 9999]",
		"[Aaa_9 99:99]",
	};

	for (size_t i = 0; i < ARRAY_LEN(dates); i++)
		if (has_shape(slice_range(p, end), dates[i]))
			return p + strlen(dates[i]);
	if (p == end || *p++ != '[')
		return NULL;
	while (p < end && *p == ' ')
		p++;
	if (p < end && *p == '+')
		p++;
	const char *digits = p;
	while (p < end && is_digit(*p))
		p++;
	if (p == digits || p == end || *p++ != '.')
		return NULL;
	digits = p;
	while (p < end && (is_digit(*p) || *p == ','))
		p++;
	return p > digits && p < end && *p == ']' ? p + 1 : NULL;
}

/* "[  T123]" or "[    C1]"; returns its end or NULL. */
static const char *caller_tag(const char *p, const char *end, caller_id *out)
{
	caller_id kind, n = 0;

	if (p == end || *p++ != '[')
		return NULL;
	while (p < end && *p == ' ')
		p++;
	if (p == end || (*p != 'T' && *p != 'C'))
		return NULL;
	kind = (caller_id)*p++ << 40;
	const char *digits = p;
	while (p < end && is_digit(*p) && p - digits < 10)
		n = n * 10 + (caller_id)(*p++ - '0');
	if (p == digits || p == end || *p != ']')
		return NULL;
	*out = kind | n;
	return p + 1;
}

/* /dev/kmsg and extended netconsole: "6,1234,56789,-,caller=T12;message". */
static bool kmsg_record(struct slice raw, struct console_line *line)
{
	size_t i = 0, commas = 0;

	if (!raw.len || !is_digit(raw.p[0]))
		return false;
	for (; i < raw.len && i < MAX_PREFIX && raw.p[i] != ';'; i++) {
		if (raw.p[i] == ',')
			commas++;
		else if (commas < 3 && !is_digit(raw.p[i]))
			return false;
	}
	if (commas < 3 || i == raw.len || raw.p[i] != ';')
		return false;
	const char *tag =
		slice_find((struct slice){ raw.p, i }, SLICE("caller="));
	const char *p = tag ? tag + strlen("caller=") : raw.p + i;
	if (p < raw.p + i) {
		caller_id n = 0, kind = (caller_id)(unsigned char)*p++ << 40;

		while (p < raw.p + i && is_digit(*p))
			n = n * 10 + (caller_id)(*p++ - '0');
		line->caller = kind | (n & 0xffffffffff);
	}
	line->text = slice_from(raw, i + 1);
	line->has_time = true;
	return true;
}

/* Does "02:24:36" or the like stand in it, or a number begin it? */
static bool has_clock(struct slice s)
{
	if (s.len && is_digit(s.p[0]))
		return true;
	for (size_t i = 0; i + 8 <= s.len; i++)
		if (is_digit(s.p[i]) && s.p[i + 2] == ':' &&
		    is_digit(s.p[i + 3]) && s.p[i + 5] == ':' &&
		    is_digit(s.p[i + 6]))
			return true;
	return false;
}

/*
 * "<6>", "2018/01/09 14:28:48 ", dmesg's "2018-01-09T14:28:48,123456+00:00 "
 * and syslog's "... kernel: " in front.
 */
static struct slice skip_carrier(struct slice s)
{
	if (s.len > 2 && s.p[0] == '<' && is_digit(s.p[1])) {
		size_t n = 1;

		while (n < s.len && n < 5 && is_digit(s.p[n]))
			n++;
		if (n < s.len && s.p[n] == '>')
			return slice_from(s, n + 1);
	}
	if (has_shape(s, "9999/99/99 99:99:99 "))
		return slice_from(s, strlen("9999/99/99 99:99:99 "));
	if (has_shape(s, "9999-99-99T99:99:99,999999")) {
		const char *blank = memchr(s.p, ' ', s.len);

		return blank ? slice_range(blank + 1, s.p + s.len) : s;
	}
	struct slice head = { s.p, s.len < 96 ? s.len : 96 };
	const char *tag = slice_find(head, SLICE(" kernel: "));
	if (tag && has_clock(slice_range(s.p, tag)))
		return slice_from(s, (size_t)(tag - s.p) + strlen(" kernel: "));
	return s;
}

/*
 * "Jan  1 02:24:36 host systemd[1]: Started": a system log holds what programs
 * said, too.  It stands between the kernel's lines, and is never a crash.
 */
static bool from_program(struct slice s)
{
	static const char stamp[] = "Aaa _9 99:99:99 ";

	if (!has_shape(s, stamp))
		return false;
	/* "host tag[pid]: " */
	struct slice rest = slice_from(s, sizeof(stamp) - 1);
	const char *host = memchr(rest.p, ' ', rest.len);
	if (!host)
		return false;
	rest = slice_range(host + 1, s.p + s.len);
	const char *tag = slice_find(rest, SLICE(": "));
	return tag && tag[-1] == ']' &&
	       !memchr(rest.p, ' ', (size_t)(tag - rest.p));
}

/* The journal by monotonic time: "[   12.345678] host kernel: text". */
static struct slice skip_host(struct slice s)
{
	const char *blank = memchr(s.p, ' ', MIN(s.len, (size_t)64));

	if (!blank || blank == s.p)
		return s;
	struct slice rest = slice_range(blank, s.p + s.len);
	return slice_starts(rest, SLICE(" kernel: ")) ?
		       slice_from(rest, strlen(" kernel: ")) :
		       s;
}

struct console_line console_parse(struct slice raw)
{
	struct console_line line = { .text = raw };
	const char *end = raw.p + raw.len;

	if (kmsg_record(raw, &line))
		return line;
	const char *limit = raw.len > MAX_PREFIX ? raw.p + MAX_PREFIX : end;
	const char *p = raw.p;
	while (p < limit && (p = memchr(p, '[', (size_t)(limit - p)))) {
		const char *after = time_stamp(p, end);

		if (!after) {
			p++;
			continue;
		}
		const char *tag = caller_tag(after, end, &line.caller);
		if (tag)
			after = tag;
		if (after < end && *after == ' ')
			after++;
		line.text = skip_host(slice_range(after, end));
		line.has_time = true;
		return line;
	}
	line.text = skip_carrier(raw);
	if (line.text.p == raw.p && from_program(raw)) {
		line.caller = CALLER_PROGRAM;
		line.text.len = 0;
	}
	return line;
}
