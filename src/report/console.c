/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "report/console.h"

/* A time stamp is looked for this far into a line, behind foreign text. */
#define MAX_PREFIX 256

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* "[   12.345678]", also "[12.345678,0]"; returns its end or NULL. */
static const char *time_stamp(const char *p, const char *end)
{
	if (p == end || *p++ != '[')
		return NULL;
	while (p < end && *p == ' ')
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

/* "<6>", "2018/01/09 14:28:48 " and syslog's "... kernel: " in front. */
static struct slice skip_carrier(struct slice s)
{
	if (s.len > 2 && s.p[0] == '<' && is_digit(s.p[1])) {
		size_t n = 1;

		while (n < s.len && n < 5 && is_digit(s.p[n]))
			n++;
		if (n < s.len && s.p[n] == '>')
			return slice_from(s, n + 1);
	}
	if (s.len > 20 && is_digit(s.p[0]) && s.p[4] == '/' && s.p[7] == '/' &&
	    s.p[10] == ' ' && s.p[13] == ':' && s.p[19] == ' ')
		return slice_from(s, 20);
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
	static const char stamp[] = "Aaa 99 99:99:99 ";

	if (s.len < sizeof(stamp))
		return false;
	for (size_t i = 0; stamp[i]; i++) {
		char c = s.p[i];
		bool fits = stamp[i] == '9' ?
				    is_digit(c) || (i == 4 && c == ' ') :
			    stamp[i] == 'A' ? c >= 'A' && c <= 'Z' :
			    stamp[i] == 'a' ? c >= 'a' && c <= 'z' :
					      c == stamp[i];

		if (!fits)
			return false;
	}
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
		line.text = slice_range(after, end);
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
