/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "report/scan.h"

#include <stdlib.h>

static unsigned pair(const char *p)
{
	return (unsigned)(unsigned char)p[0] << 8 | (unsigned char)p[1];
}

void scanner_init(struct scanner *s, const struct slice *literals, unsigned nr)
{
	enum { WINDOW = SCAN_MIN_LEN, MAX_SHIFT = WINDOW - 1 };

	if (nr > SCAN_MAX_LITERALS)
		abort();
	memset(s, 0, sizeof(*s));
	memset(s->shift, MAX_SHIFT, sizeof(s->shift));
	s->nr = nr;
	/* Backwards, so that the lists come out in ascending order. */
	for (unsigned i = nr; i-- > 0;) {
		const char *p = literals[i].p;

		if (literals[i].len < WINDOW)
			abort();
		s->literal[i] = literals[i];
		if (s->max_len < literals[i].len)
			s->max_len = literals[i].len;
		for (unsigned k = 0; k + 1 < WINDOW; k++) {
			uint8_t d = (uint8_t)(WINDOW - 2 - k);

			if (s->shift[pair(p + k)] > d)
				s->shift[pair(p + k)] = d;
		}
		unsigned last = pair(p + WINDOW - 2);
		s->next[i] = s->first[last];
		s->first[last] = (uint16_t)(i + 1);
	}
}

bool scanner_at(const struct scanner *s, unsigned which, const char *p,
		const char *end)
{
	struct slice lit = s->literal[which];

	return (size_t)(end - p) >= lit.len && !memcmp(p, lit.p, lit.len);
}

const char *scanner_find(const struct scanner *s, struct slice text,
			 size_t from, unsigned *which)
{
	if (text.len < SCAN_MIN_LEN || from > text.len - SCAN_MIN_LEN)
		return NULL;
	/* p is where the window's last two bytes begin. */
	const char *end = text.p + text.len;
	const char *p = text.p + from + SCAN_MIN_LEN - 2;
	while (end - p >= 2) {
		unsigned d = s->shift[pair(p)];

		if (d) {
			p += d;
			continue;
		}
		const char *start = p - (SCAN_MIN_LEN - 2);
		for (unsigned i = s->first[pair(p)]; i; i = s->next[i - 1]) {
			if (scanner_at(s, i - 1, start, end)) {
				*which = i - 1;
				return start;
			}
		}
		p++;
	}
	return NULL;
}
