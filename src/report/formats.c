/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "report/formats.h"

#include <assert.h>
#include <ctype.h>
#include <stdlib.h>

/* What printk() prints in one line is no longer than this. */
enum { MAX_MESSAGE = 1024, MAX_PLACES = 16 };

const struct format formats[] = {
#define FORMAT(id_, type_, from_, flags_, line_, detail_, title_, alts_, doc_) \
	{ .id = #id_,                                                          \
	  .type = REPORT_##type_,                                              \
	  .from = FROM_##from_,                                                \
	  .flags = flags_,                                                     \
	  .line = line_,                                                       \
	  .detail = detail_,                                                   \
	  .title = title_,                                                     \
	  .alts = alts_,                                                       \
	  .doc = doc_ },
#include "report/formats.def"
#undef FORMAT
};
const unsigned nr_formats = ARRAY_LEN(formats);

#define FORMAT(id_, type_, from_, flags_, line_, detail_, title_, alts_, doc_) \
	static_assert(sizeof(doc_) > 10 &&                                     \
			      sizeof(doc_) <= FORMAT_DOC_BYTES + 1,            \
		      "the doc of " #id_ " is too short or too long");
#include "report/formats.def"
#undef FORMAT

bool report_format_get(unsigned i, struct report_format *out)
{
	if (i >= nr_formats)
		return false;
	const struct format *f = &formats[i];

	*out = (struct report_format){ f->id, f->type, f->title, f->doc };
	return true;
}

static const char *const noise[] = {
#define NOISE(pattern, why) pattern,
#define HARMLESS(pattern, why)
#include "report/noise.def"
#undef NOISE
#undef HARMLESS
};

static const char *const harmless[] = {
#define NOISE(pattern, why)
#define HARMLESS(pattern, why) pattern,
#include "report/noise.def"
#undef NOISE
#undef HARMLESS
};

/* What stands in front of a lockdep headline. */
static const struct slice leads[] = { SLICE("WARNING: "), SLICE("BUG: "),
				      SLICE("INFO: ") };

static struct slice literal(const char *pattern)
{
	return (struct slice){ pattern, strcspn(pattern, "{") };
}

static void add_literal(struct slice *list, unsigned *nr, struct slice lit)
{
	for (unsigned i = 0; i < *nr; i++) {
		if (slice_starts(lit, list[i]))
			return; /* the shorter one finds it */
		if (slice_starts(list[i], lit)) {
			list[i] = lit;
			return;
		}
	}
	if (*nr == SCAN_MAX_LITERALS)
		abort(); /* or some row would never be found */
	list[(*nr)++] = lit;
}

/* What is looked for, and for each literal what else may match there. */
struct index {
	struct scanner scanner;
	uint16_t rows[SCAN_MAX_LITERALS][ARRAY_LEN(formats)];
	uint16_t noise[SCAN_MAX_LITERALS][ARRAY_LEN(noise)];
	uint16_t nr_rows[SCAN_MAX_LITERALS], nr_noise[SCAN_MAX_LITERALS];
};

/* Can both stand at one place? A blank of a pattern stands for several. */
static bool agree(struct slice a, struct slice b)
{
	for (size_t i = 0; i < a.len && i < b.len; i++) {
		if (a.p[i] != b.p[i])
			return false;
		if (a.p[i] == ' ')
			break;
	}
	return true;
}

static bool may_match(const struct format *f, struct slice lit)
{
	if (!(f->flags & F_LOCKDEP))
		return agree(literal(f->line), lit);
	for (unsigned i = 0; i < ARRAY_LEN(leads); i++)
		if (agree(leads[i], lit))
			return true;
	return false;
}

static void list_matches(struct index *index, unsigned k, struct slice lit)
{
	for (unsigned i = 0; i < nr_formats; i++)
		if (may_match(&formats[i], lit))
			index->rows[k][index->nr_rows[k]++] = (uint16_t)i;
	for (unsigned i = 0; i < ARRAY_LEN(noise); i++)
		if (agree(literal(noise[i]), lit))
			index->noise[k][index->nr_noise[k]++] = (uint16_t)i;
}

static const struct index *formats_index(void)
{
	static struct index index;
	struct slice list[SCAN_MAX_LITERALS];
	unsigned nr = 0;

	if (index.scanner.nr)
		return &index;
	for (unsigned i = 0; i < ARRAY_LEN(leads); i++)
		add_literal(list, &nr, leads[i]);
	for (unsigned i = 0; i < nr_formats; i++)
		if (!(formats[i].flags & F_LOCKDEP))
			add_literal(list, &nr, literal(formats[i].line));
	for (unsigned k = 0; k < nr; k++)
		list_matches(&index, k, list[k]);
	scanner_init(&index.scanner, list, nr);
	return &index;
}

const struct scanner *formats_scanner(void)
{
	return &formats_index()->scanner;
}

bool formats_scan(struct slice message)
{
	unsigned which;

	return scanner_find(formats_scanner(), message, 0, &which);
}

bool format_matches(const struct format *f, const struct hit *hit,
		    struct match *m)
{
	struct slice at = hit->at;

	if (f->flags & F_LOCKDEP) {
		unsigned i = 0;

		while (i < ARRAY_LEN(leads) && !slice_starts(at, leads[i]))
			i++;
		if (i == ARRAY_LEN(leads) ||
		    (f->flags & F_IS_WARNING && !hit->is_warning))
			return false;
		at = slice_trim(slice_from(at, leads[i].len));
	}
	return match_line(f->line, at, m);
}

/* May a report begin at `at`?  `lead`, trimmed, is what stands before it. */
static bool position_fits(const struct format *f, struct slice lead,
			  const char *at)
{
	if (f->flags & F_ANYWHERE)
		return true;
	if (f->flags & F_LOCKDEP)
		return !lead.len || slice_eq(lead, SLICE("["));
	if (f->flags & F_START)
		return !lead.len;
	if (f->flags & F_CATCH_ALL && memchr(lead.p, ' ', lead.len))
		return false; /* a sentence about a bug, not the bug */
	char before = lead.len ? at[-1] : ' ';
	return !isalnum((unsigned char)before) && before != '_';
}

static bool is_noise(unsigned which, struct slice at)
{
	const struct index *index = formats_index();

	for (unsigned k = 0; k < index->nr_noise[which]; k++) {
		struct match m = { .nr = 0 };

		if (match_line(noise[index->noise[which][k]], at, &m))
			return true;
	}
	return false;
}

bool formats_harmless_trace(struct slice message)
{
	for (unsigned i = 0; i < ARRAY_LEN(harmless); i++) {
		struct match m = { .nr = 0 };

		if (match_line(harmless[i], slice_trim(message), &m))
			return true;
	}
	return false;
}

/* The first row that matches where `which` stands, `lead` in front of it. */
static bool find_row(unsigned which, struct slice lead, struct hit *hit)
{
	const struct index *index = formats_index();

	for (unsigned k = 0; k < index->nr_rows[which]; k++) {
		const struct format *f = &formats[index->rows[which][k]];
		struct match m = { .nr = 0 };

		if (position_fits(f, lead, hit->at.p) &&
		    format_matches(f, hit, &m)) {
			hit->format = f;
			return true;
		}
	}
	return false;
}

bool formats_find(struct slice message, struct hit *hit)
{
	const struct scanner *s = formats_scanner();
	struct hit weak = { .format = NULL };
	size_t from = 0;
	unsigned which;

	for (unsigned n = 0; n < MAX_PLACES; n++) {
		const char *p = scanner_find(s, message, from, &which);

		if (!p)
			break;
		from = (size_t)(p - message.p) + 1;
		struct slice lead = slice_trim(slice_range(message.p, p));
		hit->at = slice_from(message, from - 1);
		hit->at.len = MIN(hit->at.len, (size_t)MAX_MESSAGE);
		/* "\r\n" of a serial line, NULs of a lost one */
		while (hit->at.len && (hit->at.p[hit->at.len - 1] == '\r' ||
				       !hit->at.p[hit->at.len - 1]))
			hit->at.len--;
		hit->is_warning = slice_starts(hit->at, leads[0]);
		if (!find_row(which, lead, hit) || is_noise(which, hit->at))
			continue;
		if (!(hit->format->flags & F_WEAK))
			return true;
		if (!weak.format)
			weak = *hit;
	}
	*hit = weak;
	return weak.format;
}
