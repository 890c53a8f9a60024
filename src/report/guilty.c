/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "report/guilty.h"

#include "base/compiler.h"
#include "base/glob.h"

/* In the order of preference; what guilty.def may say comes first. */
enum guilt {
	GUILT_SPECIFIC,
	GUILT_OWN_HEADER, /* a header next to SPECIFIC sources */
	GUILT_CORE,
	GUILT_SHARED,
	GUILT_INCLUDE,
	GUILT_LIBRARY,
	GUILT_MACHINERY,
	GUILT_COUNT,
};

static const struct {
	enum guilt guilt;
	struct slice pattern;
} guilt_table[] = {
#define GUILTY(class, pattern) { GUILT_##class, SLICE_INIT(pattern) },
#define SLICE_INIT(lit)                    \
	{                                  \
		"" lit "", sizeof(lit) - 1 \
	}
#include "report/guilty.def"
#undef SLICE_INIT
#undef GUILTY
};

enum {
	PATH_MAX_LEN = 512,
};

/* What has been found so far; a slice without `p` is nothing. */
struct suspects {
	struct slice own_header, generic, library, machinery;
	struct slice titled; /* the file of the title's function */
	struct slice function; /* ... which is this one */
	bool inlining; /* `generic` is a header; into what is it inlined? */
};

static bool is_header(struct slice path)
{
	return slice_ends(path, SLICE(".h"));
}

static bool is_source(struct slice path)
{
	return slice_ends(path, SLICE(".c")) || slice_ends(path, SLICE(".S")) ||
	       slice_ends(path, SLICE(".rs"));
}

static enum guilt classify(struct slice path)
{
	if (path.p[0] == '/' || slice_starts(path, SLICE("../")))
		return GUILT_LIBRARY;
	for (size_t i = 0; i < ARRAY_LEN(guilt_table); i++) {
		if (!glob_match(guilt_table[i].pattern, path))
			continue;
		if (guilt_table[i].guilt == GUILT_SPECIFIC)
			break;
		return guilt_table[i].guilt;
	}
	return is_header(path) ? GUILT_OWN_HEADER : GUILT_SPECIFIC;
}

/* ":12", ":12:7", then at most punctuation: "kernel BUG at fs/a.c:12!" */
static bool is_position(struct slice s)
{
	size_t i = 0;

	while (i + 1 < s.len && s.p[i] == ':' && s.p[i + 1] >= '0' &&
	       s.p[i + 1] <= '9') {
		for (i++; i < s.len && s.p[i] >= '0' && s.p[i] <= '9';)
			i++;
	}
	if (!i)
		return false;
	while (i < s.len && memchr("!,;.:)", s.p[i], 6))
		i++;
	return i == s.len;
}

/*
 * The path in a word that is a source position.  Words in brackets are not:
 * firmware prints its own positions that way.
 */
static bool word_path(struct slice word, struct slice *out)
{
	const char *colon = word.len ? memchr(word.p, ':', word.len) : NULL;
	struct slice path;

	if (!colon)
		return false;
	path = slice_range(word.p, colon);
	if (path.len > PATH_MAX_LEN || (!is_source(path) && !is_header(path)))
		return false;
	if (!is_position(slice_from(word, path.len)))
		return false;
	while (slice_starts(path, SLICE("./")))
		path = slice_from(path, 2);
	*out = path;
	return path.len && memchr(path.p, '/', path.len) &&
	       !memchr("([<\"'", path.p[0], 5);
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

/* Cut the next word off `*line`. */
static bool next_word(struct slice *line, struct slice *word)
{
	size_t from = 0, to;

	while (from < line->len && is_blank(line->p[from]))
		from++;
	for (to = from; to < line->len && !is_blank(line->p[to]);)
		to++;
	*word = slice_from(*line, from);
	word->len = to - from;
	*line = slice_from(*line, to);
	return word->len > 0;
}

/* "func+0x12/0x34", "func", "0010:func+0x12/0x34" and the like. */
static bool names_function(struct slice word, struct slice function)
{
	const char *at = function.len ? slice_find(word, function) : NULL;

	if (!at || (at > word.p && at[-1] != ':'))
		return false;
	at += function.len;
	return at == word.p + word.len || *at == '+' || *at == '.';
}

/*
 * " #0: ffff888 (&lock){+.+.}-{3:3}, at: f+0x1/0x2 fs/f.c:1" is a lock that
 * some task holds, and "hardirqs last enabled at (12): [<ffff>] ..." is about
 * another moment; both may come before the stack.
 */
static bool is_aside(struct slice line)
{
	struct slice s = slice_trim(line);
	size_t i = 1;

	if (slice_starts(s, SLICE("hardirqs last")) ||
	    slice_starts(s, SLICE("softirqs last")))
		return true;
	if (!s.len || s.p[0] != '#')
		return false;
	while (i < s.len && s.p[i] >= '0' && s.p[i] <= '9')
		i++;
	return i > 1 && i < s.len && s.p[i] == ':';
}

static void first(struct slice *found, struct slice path)
{
	if (!found->p)
		*found = path;
}

/* Take note of one position; true when the search is over. */
static bool suspect(struct suspects *s, struct slice path, bool titled)
{
	enum guilt guilt = classify(path);
	bool inlining = s->inlining;

	s->inlining = inlining && guilt >= GUILT_INCLUDE;
	switch (guilt) {
	case GUILT_SPECIFIC:
		return true;
	case GUILT_OWN_HEADER:
		first(&s->own_header, path);
		break;
	case GUILT_INCLUDE:
		if (!s->generic.p)
			s->inlining = true;
		first(&s->generic, path);
		break;
	case GUILT_CORE:
		/* The header of everybody says less than where it is used. */
		if (inlining)
			s->generic = path;
		__attribute__((fallthrough));
	case GUILT_SHARED:
		first(&s->generic, path);
		break;
	case GUILT_LIBRARY:
		first(&s->library, path);
		break;
	default:
		first(&s->machinery, path);
		return false;
	}
	if (titled)
		first(&s->titled, path);
	return false;
}

/* Search the asides, or all but them, for a specific file. */
static bool search(struct suspects *s, struct slice text, bool asides,
		   struct slice *out)
{
	struct slice line, word, path;

	while (slice_line(&text, &line)) {
		bool titled = false;

		if (is_aside(line) != asides)
			continue;
		while (next_word(&line, &word)) {
			titled = titled || names_function(word, s->function);
			if (!word_path(word, &path))
				continue;
			*out = path;
			if (suspect(s, path, titled))
				return true;
		}
	}
	return false;
}

static struct slice best(const struct suspects *s)
{
	const struct slice *order[] = { &s->own_header, &s->titled, &s->generic,
					&s->library, &s->machinery };

	for (size_t i = 0; i < ARRAY_LEN(order); i++)
		if (order[i]->p)
			return *order[i];
	return (struct slice){ 0 };
}

/* The last word of "WARNING in f", or nothing. */
static struct slice title_function(struct slice title)
{
	struct slice word, before = {}, last = {};

	title.len = MIN(title.len, (size_t)PATH_MAX_LEN);
	while (next_word(&title, &word)) {
		before = last;
		last = word;
	}
	return slice_eq(before, SLICE("in")) ? last : (struct slice){ 0 };
}

struct slice report_guilty_file(struct slice title, struct slice text)
{
	struct suspects s = { .function = title_function(title) };
	struct slice path = {};

	if (search(&s, text, false, &path))
		return path;
	path = best(&s);
	if (path.p)
		return path;
	if (search(&s, text, true, &path))
		return path;
	return best(&s);
}
