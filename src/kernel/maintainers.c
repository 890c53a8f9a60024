/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * maintainers.c - the MAINTAINERS file of a kernel tree.
 *
 * Source of the format: "Descriptions of section entries" at the beginning of
 * that file, as of Linux 6.12.
 */
#include <ctype.h>
#include <limits.h>
#include <stdint.h>

#include "base/glob.h"
#include "base/io.h"
#include "base/mem.h"
#include "kernel/kernel.h"
#include "kernel/mailmap.h"
#include "kernel/regex.h"

enum {
	FILE_LIMIT = 16 << 20,
	CONTENT_LIMIT = 1 << 20,
	REGEX_LIMIT = 512, /* in 6.12 there are 162 */
	MAILMAP_LIMIT = 4 << 20,
};

#define LKML SLICE("linux-kernel@vger.kernel.org")

/* One line of a section. */
struct entry {
	char tag; /* 'M', 'R', 'L': an address; 'F', 'X', 'N', 'K' */
	struct slice value;
	struct slice name; /* of 'M' and 'R'; may be empty */
	struct regex *regex; /* of 'N' and 'K' */
};

/* Entries from `first` up to those of the next section. */
struct section {
	size_t first;
	bool rest; /* covers every file */
};

struct maintainers {
	struct buf text, mailmap_text; /* what the slices point into */
	struct mailmap *mailmap; /* NULL without a tree */
	char *kernel_src;
	unsigned int flags;
	size_t regexes; /* how many */
	VEC(struct entry) entries;
	VEC(struct section) sections;
};

/* A section that covers the file, and how well. */
struct hit {
	size_t section;
	int rank; /* 3 for F:, 2 for N:, 1 for K: */
	size_t components, literal;
};

typedef VEC(struct hit) hit_vec;

/* --- parsing -------------------------------------------------------------- */

/* An address that can stand in a mail header and between quotes. */
static bool is_address(struct slice s)
{
	const char *at = s.len ? memchr(s.p, '@', s.len) : NULL;

	if (!at || at == s.p || at == s.p + s.len - 1 || s.len > 254)
		return false;
	for (size_t i = 0; i < s.len; i++)
		if (!isgraph((unsigned char)s.p[i]) ||
		    memchr("<>()[]\"\\,;:", s.p[i], 11))
			return false;
	return !memchr(at + 1, '@', (size_t)(s.p + s.len - at - 1));
}

/* `Name <address>`, or an address and then perhaps a remark. */
static bool parse_address(struct slice value, struct slice *out)
{
	const char *open = memrchr(value.p, '<', value.len);
	size_t n = 0;

	if (open) {
		value = slice_range(open + 1, value.p + value.len);
		const char *close = memchr(value.p, '>', value.len);

		if (!close)
			return false;
		value.len = (size_t)(close - value.p);
	} else {
		while (n < value.len && !isspace((unsigned char)value.p[n]))
			n++;
		value.len = n;
	}
	*out = slice_trim(value);
	return is_address(*out);
}

/* What stands before the '<', without quotes; lists have none. */
static struct slice person_name(char tag, struct slice value)
{
	const char *open = memrchr(value.p, '<', value.len);
	struct slice name = {};

	if (tag == 'L' || !open)
		return name;
	name = slice_trim(slice_range(value.p, open));
	if (name.len > 1 && name.p[0] == '"' && name.p[name.len - 1] == '"')
		name = slice_trim((struct slice){ name.p + 1, name.len - 2 });
	return name;
}

/* Lists do not move; what .mailmap says must be an address as well. */
static struct slice current_address(const struct maintainers *m, char tag,
				    struct slice name, struct slice address)
{
	struct slice now;

	if (tag == 'L' || !m->mailmap)
		return address;
	now = mailmap_address(m->mailmap, name, address);
	return is_address(now) ? now : address;
}

/* "L: list@host (subscribers-only)" */
static bool is_closed_list(struct slice value)
{
	const char *remark = memchr(value.p, '(', value.len);

	return remark && slice_has(slice_range(remark, value.p + value.len),
				   SLICE("subscribers-only"));
}

/* Turn "T:	value" into an entry; false when it is of no use. */
static bool parse_entry(struct maintainers *m, char tag, struct slice value,
			struct entry *out)
{
	struct slice address;

	*out = (struct entry){ .tag = tag, .value = value };
	switch (tag) {
	case 'L':
		if (is_closed_list(value))
			return false;
		__attribute__((fallthrough));
	case 'M':
	case 'R':
		if (!parse_address(value, &address))
			return false;
		out->name = person_name(tag, value);
		out->value = current_address(m, tag, out->name, address);
		return true;
	case 'F':
	case 'X':
		return true;
	case 'K':
		if (!(m->flags & MAINTAINERS_KEYWORDS))
			return false;
		__attribute__((fallthrough));
	case 'N':
		if (m->regexes == REGEX_LIMIT)
			return false;
		out->regex = regex_new(value);
		m->regexes += out->regex != NULL;
		return out->regex != NULL;
	}
	return false;
}

/*
 * A section starts with its title, the first line that is no entry.  A section
 * ends at an empty line.  `*open` says whether one has begun.
 */
static void parse_line(struct maintainers *m, struct slice line, bool *open)
{
	bool tagged = line.len > 1 && isupper((unsigned char)line.p[0]) &&
		      line.p[1] == ':';
	struct slice value = slice_trim(slice_from(line, tagged ? 2 : 0));
	struct entry entry;

	if (!value.len) {
		*open = *open && tagged;
		return;
	}
	if (!tagged) {
		*open = false;
		return;
	}
	if (!parse_entry(m, line.p[0], value, &entry))
		return;
	if (!*open)
		vec_push(&m->sections,
			 (struct section){ .first = m->entries.len });
	*open = true;
	if (entry.tag == 'F' && slice_eq(value, SLICE("*/")))
		m->sections.data[m->sections.len - 1].rest = true;
	vec_push(&m->entries, entry);
}

/* A tree need not have a .mailmap. */
static fallible read_mailmap(struct maintainers *m)
{
	_cleanup_(buf_deinit) struct buf path = {};
	struct error *err;

	buf_printf(&path, "%s/.mailmap", m->kernel_src);
	err = io_read_file(buf_cstr(&path), MAILMAP_LIMIT, &m->mailmap_text);
	if (err && error_kind(err) == ERR_NOT_FOUND) {
		error_free(err);
		return NULL;
	}
	TRY(err);
	m->mailmap = mailmap_parse(buf_as_slice(&m->mailmap_text));
	return NULL;
}

/* Takes over `*text`. */
static fallible parse(struct buf *text, const char *kernel_src,
		      unsigned int flags, struct maintainers **out)
{
	_cleanup_(maintainers_closep) struct maintainers *m =
		mem_calloc(1, sizeof(*m));
	struct slice rest = buf_as_slice(text), line;
	bool open = false;

	m->text = *text;
	*text = (struct buf){ 0 };
	m->kernel_src = kernel_src ? mem_strdup(kernel_src) : NULL;
	m->flags = flags;
	if (kernel_src)
		TRY(read_mailmap(m));
	while (slice_line(&rest, &line))
		parse_line(m, line, &open);
	if (!m->sections.len)
		return error_new(ERR_INPUT, "no section in MAINTAINERS");
	*out = take_ptr(m);
	return NULL;
}

fallible maintainers_parse(struct slice text, const char *kernel_src,
			   unsigned int flags, struct maintainers **out)
{
	_cleanup_(buf_deinit) struct buf b = {};

	if (text.len > FILE_LIMIT)
		return error_new(ERR_INPUT, "MAINTAINERS: larger than %d bytes",
				 FILE_LIMIT);
	buf_slice(&b, text);
	TRY(parse(&b, kernel_src, flags, out));
	return NULL;
}

fallible maintainers_open(const char *kernel_src, unsigned int flags,
			  struct maintainers **out)
{
	_cleanup_(buf_deinit) struct buf path = {}, text = {};
	struct error *err;

	buf_printf(&path, "%s/MAINTAINERS", kernel_src);
	err = io_read_file(buf_cstr(&path), FILE_LIMIT, &text);
	if (err && error_kind(err) == ERR_NOT_FOUND) {
		error_free(err);
		return error_new(ERR_NOT_FOUND,
				 "%s: no such file; give the directory of a "
				 "kernel source tree (git clone, or Debian's "
				 "linux-source package unpacked)",
				 buf_cstr(&path));
	}
	TRY(err);
	TRY(parse(&text, kernel_src, flags, out), "%s", buf_cstr(&path));
	return NULL;
}

void maintainers_close(struct maintainers *m)
{
	if (!m)
		return;
	vec_for_each(&m->entries, e)
		regex_free(e->regex);
	vec_free(&m->entries);
	vec_free(&m->sections);
	mailmap_free(m->mailmap);
	buf_deinit(&m->mailmap_text);
	buf_deinit(&m->text);
	free(m->kernel_src);
	free(m);
}

/* --- looking up ----------------------------------------------------------- */

static const struct entry *section_end(const struct maintainers *m, size_t i)
{
	return m->entries.data + (i + 1 < m->sections.len ?
					  m->sections.data[i + 1].first :
					  m->entries.len);
}

/*
 * F: and X: name files, patterns, directories with or without a slash, and
 * the beginnings of file names ("include/drm/drm"), which is not described.
 */
static bool file_match(struct slice pattern, struct slice path)
{
	if (glob_match_begin(pattern, path))
		return true;
	return path.len > pattern.len && path.p[pattern.len] == '/' &&
	       slice_starts(path, pattern) &&
	       glob_literal_prefix(pattern) == pattern.len;
}

static size_t count_components(struct slice pattern)
{
	size_t n = 0;

	for (size_t i = 0; i < pattern.len; i++)
		n += pattern.p[i] != '/' && (!i || pattern.p[i - 1] == '/');
	return n;
}

static size_t count_literal(struct slice pattern)
{
	size_t n = 0;

	for (size_t i = 0; i < pattern.len; i++)
		n += !memchr("*?[]\\", pattern.p[i], 5);
	return n;
}

/* More specific comes first. */
static int hit_cmp(const void *a, const void *b)
{
	const struct hit *x = a, *y = b;

	if (x->rank != y->rank)
		return y->rank - x->rank;
	if (x->components != y->components)
		return x->components > y->components ? -1 : 1;
	if (x->literal != y->literal)
		return x->literal > y->literal ? -1 : 1;
	return x->section < y->section ? -1 : x->section > y->section;
}

/* Does one line cover the file?  `content` may be empty. */
static bool entry_hit(const struct entry *e, struct slice path,
		      struct slice content, struct hit *out)
{
	struct hit h = { .section = out->section };

	if (e->tag == 'F' && file_match(e->value, path)) {
		h.rank = 3;
		h.components = count_components(e->value);
		h.literal = count_literal(e->value);
	} else if (e->tag == 'N' && regex_search(e->regex, path)) {
		h.rank = 2;
	} else if (e->tag == 'K' && content.len &&
		   regex_search(e->regex, content)) {
		h.rank = 1;
	} else {
		return false;
	}
	*out = h;
	return true;
}

static bool section_hit(const struct maintainers *m, size_t i,
			struct slice path, struct slice content,
			struct hit *out)
{
	const struct entry *first = m->entries.data + m->sections.data[i].first;
	const struct entry *end = section_end(m, i);
	struct hit h;

	*out = (struct hit){ .section = i };
	for (const struct entry *e = first; e < end; e++) {
		h = (struct hit){ .section = i };
		/* The content is the slow question, and the weakest answer. */
		if (e->tag == 'K' && out->rank)
			continue;
		if (entry_hit(e, path, content, &h) && hit_cmp(&h, out) < 0)
			*out = h;
	}
	if (!out->rank)
		return false;
	for (const struct entry *e = first; e < end; e++)
		if (e->tag == 'X' && file_match(e->value, path))
			return false;
	return true;
}

/* The report says what the path is: do not let it lead out of the tree. */
static bool is_inside(struct slice path)
{
	if (!path.len || path.len >= PATH_MAX || path.p[0] == '/' ||
	    memchr(path.p, '\0', path.len))
		return false;
	return !slice_starts(path, SLICE("../")) &&
	       !slice_ends(path, SLICE("/..")) &&
	       !slice_has(path, SLICE("/../"));
}

static void read_content(const struct maintainers *m, struct slice path,
			 struct buf *out)
{
	_cleanup_(buf_deinit) struct buf name = {};

	if (!(m->flags & MAINTAINERS_KEYWORDS) || !m->kernel_src ||
	    !is_inside(path))
		return;
	buf_printf(&name, "%s/", m->kernel_src);
	buf_slice(&name, path);
	/* A file that cannot be read contains no keyword. */
	error_free(io_read_file(buf_cstr(&name), CONTENT_LIMIT, out));
}

/* Case does not count in host names, nor in practice before the '@'. */
static bool same_text(struct slice a, struct slice b)
{
	return a.len == b.len && !strncasecmp(a.p, b.p, a.len);
}

typedef VEC(const struct entry *) entry_vec;

/* A person may have given several addresses: once is enough. */
static bool is_listed(entry_vec *listed, const struct entry *e)
{
	vec_for_each(listed, l)
		if (same_text((*l)->value, e->value) ||
		    (e->name.len && same_text((*l)->name, e->name)))
			return true;
	return false;
}

/* Add those of a section that are not in `listed` yet. */
static void add_section(const struct maintainers *m, size_t i, bool reviewers,
			entry_vec *listed, struct recipients *out)
{
	const struct entry *first = m->entries.data + m->sections.data[i].first;

	for (const struct entry *e = first; e < section_end(m, i); e++) {
		bool wanted = reviewers ? e->tag == 'R' :
					  e->tag == 'M' || e->tag == 'L';

		if (!wanted || same_text(e->value, LKML) ||
		    is_listed(listed, e))
			continue;
		vec_push(listed, e);
		if (reviewers)
			vec_push(&out->cc, e->value);
		else
			vec_push(&out->to, e->value);
	}
}

void maintainers_find(const struct maintainers *m, struct slice path,
		      struct recipients *out)
{
	_cleanup_(buf_deinit) struct buf content = {};
	struct recipients found = {};
	entry_vec listed = {};
	hit_vec hits = {};
	struct hit h;

	while (slice_starts(path, SLICE("./")))
		path = slice_from(path, 2);
	path.len = MIN(path.len, (size_t)PATH_MAX);
	read_content(m, path, &content);

	for (size_t i = 0; i < m->sections.len; i++)
		if (!m->sections.data[i].rest &&
		    section_hit(m, i, path, buf_as_slice(&content), &h))
			vec_push(&hits, h);
	if (hits.len)
		qsort(hits.data, hits.len, sizeof(*hits.data), hit_cmp);
	vec_for_each(&hits, hit)
		add_section(m, hit->section, false, &listed, &found);
	vec_for_each(&hits, hit)
		add_section(m, hit->section, true, &listed, &found);
	if (found.to.len)
		vec_push(&found.cc, LKML);
	else
		vec_push(&found.to, LKML);
	vec_free(&hits);
	vec_free(&listed);
	recipients_deinit(out);
	*out = found;
}

void recipients_deinit(struct recipients *r)
{
	vec_free(&r->to);
	vec_free(&r->cc);
}

static void list_to_text(const char *what, const struct slice *list, size_t len,
			 struct buf *out)
{
	buf_printf(out, "recipients (%s): [", what);
	for (size_t i = 0; i < len; i++)
		buf_printf(out, "%s\"" SLICE_FMT "\"", i ? " " : "",
			   SLICE_ARG(list[i]));
	buf_str(out, "]\n");
}

void recipients_to_text(const struct recipients *r, struct buf *out)
{
	list_to_text("to", r->to.data, r->to.len, out);
	list_to_text("cc", r->cc.data, r->cc.len, out);
}
