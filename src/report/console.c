/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "report/console.h"

#include "base/compiler.h"
#include "report/formats.h"

/* A time stamp is looked for this far into a line, behind foreign text. */
#define MAX_PREFIX 256

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/*
 * Does `s` begin as `shape` says?  'A' is a capital, 'a' a small letter, '?' one
 * or a blank, '9' a digit, '_' one or a blank; all else stands for itself.
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
			    shape[i] == '?' ? (c >= 'a' && c <= 'z') ||
						      c == ' ' :
					      c == shape[i];

		if (!fits)
			return false;
	}
	return !shape[i];
}

static const char *skip_blanks(const char *p, const char *end)
{
	while (p < end && *p == ' ')
		p++;
	return p;
}

/* "12.345678", also "12.345678,0"; returns its end or NULL. */
static const char *seconds(const char *p, const char *end)
{
	const char *digits = p;

	while (p < end && is_digit(*p))
		p++;
	if (p == digits || p == end || *p++ != '.')
		return NULL;
	digits = p;
	while (p < end && (is_digit(*p) || *p == ','))
		p++;
	return p > digits ? p : NULL;
}

/* " <    0.000012>" of dmesg -d, or nothing, and "]". */
static const char *stamp_end(const char *p, const char *end)
{
	const char *delta = skip_blanks(p, end);

	if (delta < end && *delta == '<') {
		p = seconds(skip_blanks(delta + 1, end), end);
		p = p ? skip_blanks(p, end) : end;
		if (p == end || *p++ != '>')
			return NULL;
	}
	return p < end && *p == ']' ? p + 1 : NULL;
}

/*
 * "[   12.345678]", also "[12.345678,0]", and what dmesg makes of it: with -T
 * "[Sat Nov 21 02:24:36 2026]", with -H "[Nov21 02:24]" and "[  +0.000012]",
 * with -d the time since the last line behind any of them, or that alone.
 * Returns its end or NULL.
 */
static const char *time_stamp(const char *p, const char *end)
{
	static const char *const dates[] = {
		"[Aaa Aaa _9 99:99:99 9999",
		"[Aaa_9 99:99",
	};

	for (size_t i = 0; i < ARRAY_LEN(dates); i++)
		if (has_shape(slice_range(p, end), dates[i]))
			return stamp_end(p + strlen(dates[i]), end);
	if (p == end || *p++ != '[')
		return NULL;
	p = skip_blanks(p, end);
	if (p < end && *p == '<')
		return stamp_end(p, end);
	if (p < end && *p == '+')
		p++;
	p = seconds(p, end);
	if (!p)
		return NULL;
	return p < end && *p == ']' ? p + 1 : stamp_end(p, end);
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

/* What `uname -r` says, and a comma: netconsole with "release" in front. */
static struct slice skip_release(struct slice raw)
{
	size_t n = 0;
	bool dot = false;

	while (n < raw.len && n < 65 && raw.p[n] != ',')
		dot |= raw.p[n++] == '.';
	return dot && n < raw.len && raw.p[n] == ',' ? slice_from(raw, n + 1) :
						       raw;
}

/* /dev/kmsg and extended netconsole: "6,1234,56789,-,caller=T12;message". */
static bool kmsg_record(struct slice raw, struct console_line *line)
{
	size_t i = 0, commas = 0;

	if (!raw.len || !is_digit(raw.p[0]))
		return false;
	raw = skip_release(raw);
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

/* How a mail quotes: "> ", at any depth.  ">ffff8880..." is KASAN's own. */
static struct slice skip_quotes(struct slice s)
{
	while (s.len && *s.p == '>') {
		if (s.len > 1 && s.p[1] != ' ' && s.p[1] != '>')
			break;
		s = slice_from(s, s.len > 1 && s.p[1] == ' ' ? 2 : 1);
	}
	return s;
}

/*
 * "<6>", "2018/01/09 14:28:48 ", dmesg's "2018-01-09T14:28:48,123456+00:00 "
 * and "kern  :warn  : ", a mail's "> " and syslog's "... kernel: " in front.
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
	if (s.len && *s.p == '>')
		return skip_quotes(s);
	if (has_shape(s, "kern  :aa????: "))
		return slice_from(s, strlen("kern  :aa????: "));
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
 * The time of day that syslog, the journal or ts put in front of what anybody
 * said: "Jan  1 02:24:36 ", "2026-11-21T02:24:36.123456+01:00 ", seconds.
 */
static struct slice skip_day(struct slice s)
{
	static const char day[] = "Aaa _9 99:99:99 ";
	static const char *const iso[] = { "9999-99-99T99:99:99",
					   "9999-99-99 99:99:99" };
	const char *end = s.p + s.len, *p = s.p;

	if (has_shape(s, day))
		return slice_from(s, sizeof(day) - 1);
	for (size_t i = 0; i < ARRAY_LEN(iso) && p == s.p; i++)
		if (has_shape(s, iso[i]))
			p += strlen(iso[i]);
	if (p > s.p) {
		while (p < end && (is_digit(*p) || *p == '.'))
			p++;
		if (p < end && *p == 'Z')
			p++;
		else if (has_shape(slice_range(p, end), "+99:99 ") ||
			 has_shape(slice_range(p, end), "-99:99 "))
			p += strlen("+99:99");
		else if (has_shape(slice_range(p, end), "+9999 ") ||
			 has_shape(slice_range(p, end), "-9999 "))
			p += strlen("+9999");
	} else {
		while (p < end && is_digit(*p))
			p++;
		if (!has_shape(slice_range(p, end), ".999999 ") || p == s.p)
			return s;
		p += strlen(".999999");
	}
	return p < end && *p == ' ' ? slice_range(p + 1, end) : s;
}

/* The row that the very beginning of the text matches, if any. */
static const struct format *begins_format(struct slice text)
{
	struct hit hit;

	return formats_find(text, &hit) && hit.at.p == text.p ? hit.format :
								NULL;
}

/*
 * "host systemd[1]: Started", behind the time of day: a system log holds what
 * programs said, too.  It stands between the kernel's lines, and is never a
 * crash.  Without a process id the kernel's own words may look like that.
 */
static bool from_program(struct slice s)
{
	const char *host = memchr(s.p, ' ', MIN(s.len, (size_t)256));

	if (!host || host == s.p || memchr(s.p, ':', (size_t)(host - s.p)))
		return false;
	struct slice rest = slice_range(host + 1, s.p + s.len);
	const char *tag = slice_find(rest, SLICE(": "));
	if (!tag || tag == rest.p ||
	    memchr(rest.p, ' ', (size_t)(tag - rest.p)))
		return false;
	return tag[-1] == ']' ||
	       (!slice_starts(s, SLICE("Hardware name")) && !begins_format(s));
}

/* A line without a kernel time stamp. */
static void untimed(struct slice raw, struct console_line *line)
{
	line->text = skip_carrier(raw);
	if (line->text.p != raw.p)
		return;
	struct slice rest = skip_day(raw);
	if (rest.p == raw.p)
		return;
	if (from_program(rest)) {
		line->caller = CALLER_PROGRAM;
		line->text.len = 0;
		return;
	}
	/* "INFO: starting" is what programs say that have no name. */
	const struct format *f = begins_format(rest);
	if (!f || !(f->flags & F_CATCH_ALL))
		line->text = rest;
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
	untimed(raw, &line);
	return line;
}
