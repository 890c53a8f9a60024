/* SPDX-License-Identifier: GPL-2.0-or-later */
/* input.c - files and messages. */
#include <dirent.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/io.h"
#include "base/mem.h"
#include "desc/internal.h"

static const struct desc_arch arches[] = {
#define ARCH(n, ptr, align, be) { n, ptr, align, be },
#include "desc/arch.def"
};

const struct desc_arch *desc_arch_at(size_t i)
{
	return i < ARRAY_LEN(arches) ? &arches[i] : NULL;
}

const struct desc_arch *desc_arch_find(struct slice name)
{
	for (size_t i = 0; i < ARRAY_LEN(arches); i++)
		if (slice_eq(name, slice_cstr(arches[i].name)))
			return &arches[i];
	return NULL;
}

/* What every set of descriptions may use, from the language's document. */
static const char builtins[] = "type bool8 int8[0:1]\n"
			       "type bool16 int16[0:1]\n"
			       "type bool32 int32[0:1]\n"
			       "type bool64 int64[0:1]\n"
			       "type boolptr intptr[0:1]\n"
			       "type fileoff[BASE] BASE\n"
			       "type filename string[filename]\n"
			       "type buffer[DIR] ptr[DIR, array[int8]]\n"
			       "type optional[T] [\n"
			       "	val	T\n"
			       "	void	void\n"
			       "] [varlen]\n";

struct desc_input *desc_input_new(void)
{
	struct desc_input *in = mem_calloc(1, sizeof(*in));

	in->arena = arena_new();
	names_init(&in->names, in->arena);
	names_init(&in->said, in->arena);
	desc_input_text(in, "(builtin)", slice_cstr(builtins));
	in->sources.data[0].builtin = true;
	in->nfiles = in->lines = 0;
	return in;
}

void desc_input_free(struct desc_input *in)
{
	names_deinit(&in->names);
	names_deinit(&in->said);
	vec_free(&in->sources);
	vec_free(&in->messages);
	vec_free(&in->constants);
	vec_free(&in->constant_of);
	vec_free(&in->asked);
	vec_free(&in->conflicts);
	arena_free(in->arena);
	free(in);
}

static size_t count_lines(struct slice text)
{
	size_t n = 0;
	struct slice line;

	while (slice_line(&text, &line))
		n++;
	return n;
}

void desc_input_text(struct desc_input *in, const char *name, struct slice text)
{
	struct source src = {
		.name = arena_strndup(in->arena, name, strlen(name)),
		.start = (uint32_t)in->bytes,
		.is_const = slice_ends(slice_cstr(name), SLICE(".const")),
	};
	bool fits = in->bytes + text.len < TEXT_BYTES_MAX;

	if (fits)
		src.text = arena_slice(in->arena, text);
	else
		src.broken = true;
	in->bytes += src.text.len + 1; /* 1: its end has a position, too */
	vec_push(&in->sources, src);
	if (!fits) {
		say_last(in, src.start, "more than %d MiB of descriptions",
			 TEXT_BYTES_MAX >> 20);
		return;
	}
	if (src.is_const) {
		parse_consts(in, &src);
		return;
	}
	in->nfiles++;
	in->lines += count_lines(src.text);
	parse_source(in, in->sources.len - 1);
}

fallible desc_input_file(struct desc_input *in, const char *path)
{
	_cleanup_(buf_deinit) struct buf text = {};

	TRY(io_read_file(path, TEXT_BYTES_MAX, &text));
	desc_input_text(in, path, buf_as_slice(&text));
	return NULL;
}

int desc_is_input(const struct dirent *e)
{
	struct slice name = slice_cstr(e->d_name);

	return slice_ends(name, SLICE(".txt")) ||
	       slice_ends(name, SLICE(".const"));
}

int desc_by_bytes(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

fallible desc_input_dir(struct desc_input *in, const char *dir)
{
	struct dirent **found = NULL;
	int n = scandir(dir, &found, desc_is_input, desc_by_bytes);
	struct error *err = NULL;
	size_t before = in->nfiles;

	if (n < 0)
		return errno == ENOENT ? error_new(ERR_NOT_FOUND,
						   "no directory %s", dir) :
					 error_os("%s", dir);
	for (int i = 0; i < n; i++) {
		_cleanup_(freep) char *path = NULL;

		if (asprintf(&path, "%s/%s", dir, found[i]->d_name) < 0)
			abort();
		if (!err)
			err = desc_input_file(in, path);
		free(found[i]);
	}
	free(found);
	if (!err && in->nfiles == before)
		return error_new(ERR_NOT_FOUND, "no *.txt files in %s", dir);
	return err;
}

/* A template is wrong in the same way wherever it is used. */
static bool is_said(struct desc_input *in, uint32_t pos, const char *text)
{
	_cleanup_(buf_deinit) struct buf key = {};
	size_t before = in->said.all.len;

	buf_add(&key, &pos, sizeof(pos));
	buf_str(&key, text);
	return names_add(&in->said, buf_as_slice(&key)) < before;
}

static PRINTF(4, 0) void say(struct desc_input *in, uint32_t pos, bool warning,
			     const char *fmt, va_list ap)
{
	char *text;

	if (in->stopped || in->asking)
		return;
	if (in->messages.len == MESSAGES_MAX) {
		in->stopped = true;
		return;
	}
	if (vasprintf(&text, fmt, ap) < 0)
		abort();
	if (is_said(in, pos, text)) {
		free(text);
		return;
	}
	vec_push(&in->messages,
		 (struct message){
			 pos, warning,
			 arena_strndup(in->arena, text, strlen(text)) });
	free(text);
	if (warning)
		in->warnings++;
	else
		in->errors++;
}

void say_error(struct desc_input *in, uint32_t pos, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say(in, pos, false, fmt, ap);
	va_end(ap);
}

void say_warning(struct desc_input *in, uint32_t pos, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say(in, pos, true, fmt, ap);
	va_end(ap);
}

void say_last(struct desc_input *in, uint32_t pos, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say(in, pos, false, fmt, ap);
	va_end(ap);
	in->stopped = true;
}

size_t desc_errors(const struct desc_input *in)
{
	return in->errors;
}

size_t desc_warnings(const struct desc_input *in)
{
	return in->warnings;
}

size_t desc_files(const struct desc_input *in)
{
	return in->nfiles;
}

size_t desc_lines(const struct desc_input *in)
{
	return in->lines;
}

const struct source *source_at(const struct desc_input *in, uint32_t pos)
{
	size_t lo = 0, hi = in->sources.len;

	while (hi - lo > 1) {
		size_t mid = lo + (hi - lo) / 2;

		if (in->sources.data[mid].start <= pos)
			lo = mid;
		else
			hi = mid;
	}
	return &in->sources.data[lo];
}

/* The number of the line that `p` is on, and where that begins. */
static size_t line_at(const char *from, const char *p, const char **line)
{
	size_t n = 0;
	const char *nl;

	while ((nl = memchr(from, '\n', (size_t)(p - from)))) {
		n++;
		from = nl + 1;
	}
	*line = from;
	return n;
}

const char *where(struct desc_input *in, uint32_t pos)
{
	if (!in->sources.len)
		return "?";
	const struct source *src = source_at(in, pos);
	const char *line;
	size_t n =
		line_at(src->text.p, src->text.p + (pos - src->start), &line);

	return arena_printf(in->arena, "%s:%zu", src->name, n + 1);
}

static int by_position(const void *a, const void *b)
{
	const struct message *x = a, *y = b;

	return x->pos != y->pos ? (x->pos < y->pos ? -1 : 1) :
				  strcmp(x->text, y->text);
}

/* Each file is read once: messages are in the order of their positions. */
void desc_messages_to_text(struct desc_input *in, struct buf *out)
{
	const struct source *src = NULL;
	const char *line = NULL;
	size_t n = 0;

	if (!in->messages.len)
		return;
	qsort(in->messages.data, in->messages.len, sizeof(struct message),
	      by_position);
	vec_for_each(&in->messages, m) {
		const struct source *of = source_at(in, m->pos);
		const char *p = of->text.p + (m->pos - of->start);

		if (of != src) {
			src = of;
			n = 0;
			line = of->text.p;
		}
		if (of->text.len)
			n += line_at(line, p, &line);
		buf_printf(out, "%s:%zu:%zu: %s: %s\n", src->name, n + 1,
			   (size_t)(p - line) + 1,
			   m->warning ? "warning" : "error", m->text);
	}
	if (in->stopped)
		buf_printf(out, "%s: error: stopped here\n", src->name);
}

const struct source *source_nth_text(const struct desc_input *in, size_t i)
{
	for (size_t k = 0; k < in->sources.len; k++)
		if (!in->sources.data[k].is_const &&
		    !in->sources.data[k].builtin && !i--)
			return &in->sources.data[k];
	return NULL;
}

const char *desc_file_name(const struct desc_input *in, size_t i)
{
	const struct source *src = source_nth_text(in, i);

	return src ? src->name : NULL;
}
