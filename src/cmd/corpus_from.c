/* SPDX-License-Identifier: GPL-2.0-or-later */
/* corpus_from.c - programs from wherever they are. */
#include <fts.h>
#include <string.h>
#include <sys/stat.h>

#include "base/io.h"
#include "cmd/corpus.h"

enum { TEXT_MAX = 256 << 20 };

/* In a directory, and in a corpus.db, may be anything. */
static bool has_call(struct slice text)
{
	struct slice line;

	while (slice_line(&text, &line))
		if (corpus_call_name(line).len)
			return true;
	return false;
}

static void give(struct corpus_from *f, const char *name, struct slice text)
{
	if (f->stopped)
		return;
	if (has_call(text))
		f->stopped = !f->take(f->to, name, text);
	else
		f->others++;
}

static fallible from_store(struct corpus_from *f, const char *dir)
{
	_cleanup_(store_closep) struct store *s = NULL;
	struct store_program p;
	int64_t id = 0;
	bool more;

	TRY(store_open(dir, STORE_READ, &s));
	while (!f->stopped) {
		TRY(store_program_next(s, &id, &p, &more));
		if (!more)
			break;
		give(f, dir, p.text);
	}
	return NULL;
}

static fallible from_db(struct corpus_from *f, const char *path)
{
	_cleanup_(corpus_closep) struct corpus_reader *r = NULL;
	struct corpus_record rec;
	bool more;

	TRY(corpus_open(path, &r));
	while (!f->stopped) {
		TRY(corpus_next(r, &rec, &more));
		if (!more)
			break;
		give(f, path, rec.value);
	}
	return corpus_damage(r) ?
		       error_new(ERR_INPUT, "%s: %s", path, corpus_damage(r)) :
		       NULL;
}

static fallible from_text(struct corpus_from *f, const char *path)
{
	_cleanup_(buf_deinit) struct buf file = {}, program = {};

	TRY(io_read_file(path, TEXT_MAX, &file));
	struct slice text = buf_as_slice(&file);

	if (!corpus_is_log(text)) {
		give(f, path, text);
		return NULL;
	}
	while (!f->stopped && corpus_log_next(&text, &program))
		give(f, path, buf_as_slice(&program));
	return NULL;
}

static void from_file(struct corpus_from *f, const char *path)
{
	struct error *err = corpus_is_db(path) ? from_db(f, path) :
						 from_text(f, path);

	f->damaged += err != NULL;
	if (err)
		cmd_complain(f->cmd, err);
}

static int by_name(const FTSENT **a, const FTSENT **b)
{
	return strcmp((*a)->fts_name, (*b)->fts_name);
}

static fallible from_dir(struct corpus_from *f, const char *path)
{
	char *const paths[] = { (char *)(uintptr_t)path, NULL };
	FTS *fts = fts_open(paths, FTS_PHYSICAL | FTS_NOCHDIR, by_name);
	struct error *err = NULL;
	FTSENT *e;

	if (!fts)
		return error_os("%s", path);
	while (!err && !f->stopped && (e = fts_read(fts))) {
		if (e->fts_level && *e->fts_name == '.')
			fts_set(fts, e, FTS_SKIP);
		else if (e->fts_info == FTS_F)
			from_file(f, e->fts_path);
		else if (e->fts_info == FTS_DNR || e->fts_info == FTS_ERR ||
			 e->fts_info == FTS_NS)
			err = error_new(ERR_OS, "%s: %s", e->fts_path,
					strerror(e->fts_errno));
	}
	fts_close(fts);
	return err;
}

void corpus_from(struct corpus_from *f, const char *path)
{
	struct error *err;
	struct stat st;

	if (stat(path, &st) || !S_ISDIR(st.st_mode)) {
		from_file(f, path);
		return;
	}
	err = store_exists(path) ? from_store(f, path) : from_dir(f, path);
	f->damaged += err != NULL;
	if (err)
		cmd_complain(f->cmd, err);
}
