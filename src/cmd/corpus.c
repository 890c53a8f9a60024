/* SPDX-License-Identifier: GPL-2.0-or-later */
/* corpus.c - the command on many programs, and its ways out: export, merge. */
#include "cmd/corpus.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"

struct out_opts {
	unsigned version;
};

static const struct opt out_options[] = {
	OPT(OPT_UINT, 'V', "db-version", out_opts, version, "N",
	    "give a corpus.db the version N instead of 0"),
	OPT_END,
};

/* Where programs go, each once: into a corpus.db, or files of a directory. */
struct out {
	struct corpus_writer *db; /* NULL: a directory */
	const char *dir;
	struct corpus_seen seen;
	size_t twice;
	struct error *err;
};

static fallible put_file(const char *dir, const char *name, struct slice text)
{
	_cleanup_(buf_deinit) struct buf path = {};

	buf_printf(&path, "%s/%s", dir, name);
	_cleanup_(close_fdp) int fd =
		open(path.data, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);

	if (fd < 0)
		return error_os("%s", path.data);
	TRY(io_write_all(fd, text.p, text.len), "%s", path.data);
	return NULL;
}

static fallible put(struct out *o, struct slice text)
{
	char key[STORE_NAME_CHARS + 1];
	struct store_name name = store_name(text);

	if (!corpus_see(&o->seen, name)) {
		o->twice++;
		return NULL;
	}
	store_name_to_text(name, key);
	if (!o->db)
		return put_file(o->dir, key, text);
	return corpus_add(o->db,
			  &(struct corpus_record){ slice_cstr(key), text, 0 });
}

static bool take(void *to, const char *from, struct slice text)
{
	struct out *o = to;

	(void)from;
	o->err = put(o, text);
	return !o->err;
}

static void out_deinit(struct out *o)
{
	if (o->db)
		corpus_writer_free(o->db);
	corpus_seen_deinit(&o->seen);
}

/* ---- export ---- */

/* A name that ends in .db is meant to be a file. */
static fallible open_out(struct out *o, const char *path, unsigned version)
{
	if (slice_ends(slice_cstr(path), SLICE(".db")))
		return corpus_create(path, version, &o->db);
	o->dir = path;
	return mkdir(path, 0777) && errno != EEXIST ? error_os("%s", path) :
						      NULL;
}

static fallible export_run(const void *opts, int argc, char **argv, int *status)
{
	const struct out_opts *o = opts;
	_cleanup_(out_deinit) struct out out = {};
	struct corpus_from from = { .take = take, .to = &out };

	if (argc != 2)
		return error_new(ERR_USAGE, "two operands are expected: "
					    "WORKDIR, and FILE.db or DIR");
	if (!store_exists(argv[0]))
		return error_new(ERR_NOT_FOUND,
				 "%s: no store there (no bugon.db)", argv[0]);
	from.cmd = &cmd_corpus;
	TRY(open_out(&out, argv[1], o->version));
	corpus_from(&from, argv[0]);
	TRY(out.err);
	*status = from.damaged != 0;
	if (out.db)
		TRY(corpus_commit(out.db));
	fprintf(stderr, "%s: %zu programs\n", argv[1], out.seen.n);
	return NULL;
}

static const struct command export = {
	.name = "corpus export",
	.args = "WORKDIR FILE.db|DIR",
	.summary = "write the programs of a store to a corpus.db or to files",
	.opts = out_options,
	.opts_size = sizeof(struct out_opts),
	.run = export_run,
};

/* ---- merge ---- */

static fallible merge_run(const void *opts, int argc, char **argv, int *status)
{
	const struct out_opts *o = opts;
	_cleanup_(out_deinit) struct out out = {};
	struct corpus_from from = { .cmd = &cmd_corpus,
				    .take = take,
				    .to = &out };

	if (argc < 2)
		return error_new(ERR_USAGE,
				 "expected are FILE.db, and what to add to it");
	bool there = !access(argv[0], F_OK);

	if (there && !corpus_is_db(argv[0]))
		return error_new(ERR_INPUT,
				 "%s: is there and not a corpus.db; "
				 "'bugon corpus import' adds to the "
				 "store of a directory",
				 argv[0]);
	TRY(corpus_create(argv[0], o->version, &out.db));
	if (there)
		corpus_from(&from, argv[0]);
	if (from.damaged)
		return error_new(ERR_INPUT,
				 "%s: is left as it is: merge it "
				 "into another file",
				 argv[0]);
	for (int i = 1; i < argc; i++)
		corpus_from(&from, argv[i]);
	TRY(out.err);
	TRY(corpus_commit(out.db));
	fprintf(stderr, "%s: %zu programs; %zu were there twice\n", argv[0],
		out.seen.n, out.twice);
	*status = from.damaged != 0;
	return NULL;
}

static const struct command merge = {
	.name = "corpus merge",
	.args = "FILE.db SOURCE...",
	.summary = "add programs to a corpus.db, each once",
	.opts = out_options,
	.opts_size = sizeof(struct out_opts),
	.run = merge_run,
};

/* ---- all of them ---- */

static const struct command *const subs[] = { &cmd_corpus_import, &export,
					      &merge, &cmd_corpus_stat, NULL };

const struct command cmd_corpus = {
	.name = "corpus",
	.args = "import|export|merge|stat",
	.summary =
		"collect programs: from and to syzkaller's corpus.db, files, "
		"logs",
	.subs = subs,
};
