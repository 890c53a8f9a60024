/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tree.c - a kernel's source tree, and make in it. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/io.h"
#include "base/mem.h"
#include "kbuild/internal.h"

enum { MAKEFILE_BYTES = 1 << 20, ERROR_LINES = 4, ERROR_CHARS = 300 };

static const struct arch archs[] = {
	{ "x86_64", "bzImage", "arch/x86/boot/bzImage", "bzImage", "", true },
	{ "um", "linux", "linux", "linux", "", false },
	{ "arm64", "Image", "arch/arm64/boot/Image", "Image",
#if defined(__aarch64__)
	  "",
#else
	  "aarch64-linux-gnu-",
#endif
	  true },
};

fallible arch_find(const char *name, const struct arch **out)
{
	name = name ? name : "x86_64";
	for (size_t i = 0; i < ARRAY_LEN(archs); i++)
		if (!strcmp(name, archs[i].name)) {
			*out = &archs[i];
			return NULL;
		}
	return error_new(ERR_USAGE, "--arch is x86_64, um or arm64, not %s",
			 name);
}

static bool in_path(const char *program)
{
	const char *path = getenv("PATH");

	for (const char *p = path; p && *p;) {
		size_t n = strcspn(p, ":");
		_cleanup_(freep) char *full =
			text_printf("%.*s/%s", (int)n, p, program);

		if (access(full, X_OK) == 0)
			return true;
		p += n + (p[n] == ':');
	}
	return false;
}

/* Before make says it in its own words, and late. */
static fallible check_tools(const struct arch *a, const char *cc)
{
	const struct {
		const char *program, *package;
	} tools[] = {
		{ "make", "make" },
		{ "flex", "flex" },
		{ "bison", "bison" },
		{ "bc", "bc" },
		{ cc, *a->cross		  ? "gcc-aarch64-linux-gnu" :
		      strstr(cc, "clang") ? "clang" :
					    "gcc" },
	};
	_cleanup_(buf_deinit) struct buf programs = {}, packages = {};

	for (size_t i = 0; i < ARRAY_LEN(tools); i++) {
		if (strchr(tools[i].program, '/') || in_path(tools[i].program))
			continue;
		buf_printf(&programs, "%s%s", programs.len ? ", " : "",
			   tools[i].program);
		buf_printf(&packages, " %s", tools[i].package);
	}
	if (!programs.len)
		return NULL;
	return error_new(ERR_NOT_FOUND, "missing here: %s (apt install%s)",
			 buf_cstr(&programs), buf_cstr(&packages));
}

/* ---- the tree ---- */

static fallible check_tree(const char *path)
{
	_cleanup_(freep) char *makefile = text_printf("%s/Makefile", path);
	_cleanup_(freep) char *kconfig = text_printf("%s/Kconfig", path);
	_cleanup_(buf_deinit) struct buf text = {};

	if (!file_is_dir(path))
		return error_new(ERR_INPUT, "%s: %s", path,
				 file_exists(path) ? "is not a directory" :
						     "no such directory");
	struct error *err = io_read_file(makefile, MAKEFILE_BYTES, &text);
	if (err && error_kind(err) == ERR_OS)
		return err;
	if (!err && slice_has(buf_as_slice(&text), SLICE("\nPATCHLEVEL =")) &&
	    file_exists(kconfig))
		return NULL;
	error_free(err);
	return error_new(ERR_INPUT, "%s: is no source tree of Linux (%s)", path,
			 file_exists(makefile) ? "its Makefile is another" :
						 "no Makefile in it");
}

fallible make_open(const struct kernel_tree *t, const struct stage *s,
		   struct make *out)
{
	_cleanup_(make_close) struct make m = { .talk = &t->talk,
						.log_fd = -1 };
	_cleanup_(freep) char *cc = NULL;

	TRY(arch_find(t->arch, &m.arch));
	TRY(check_tree(t->path));
	cc = t->cc ? mem_strdup(t->cc) : text_printf("%sgcc", m.arch->cross);
	TRY(check_tools(m.arch, cc));
	m.source = realpath(t->path, NULL);
	if (!m.source)
		return error_os("%s", t->path);
	m.cc = in_path("ccache") ? text_printf("CC=ccache %s", cc) :
				   text_printf("CC=%s", cc);
	m.objects = text_printf("%s/objects", s->dir);
	m.log = text_printf("%s/build.log", s->out);
	m.log_fd = open(m.log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
	if (m.log_fd < 0)
		return error_os("%s", m.log);
	TRY(file_make_dirs(m.objects));
	m.start_s = (int64_t)time(NULL);
	*out = m;
	m = (struct make){ .log_fd = -1 };
	return NULL;
}

void make_close(struct make *m)
{
	free(m->source);
	free(m->objects);
	free(m->cc);
	free(m->log);
	close_fdp(&m->log_fd);
	*m = (struct make){ .log_fd = -1 };
}

/* ---- make ---- */

/* "  CC      fs/namei.o": what kbuild prints, scripts/Kbuild.include. */
static void on_line(void *ctx, struct slice line)
{
	struct make *m = ctx;
	int64_t s = (int64_t)time(NULL) - m->start_s;
	struct slice word = slice_trim(line);

	if (!slice_starts(line, SLICE("  ")))
		return;
	m->nr_objects += slice_starts(word, SLICE("CC ")) ||
			 slice_starts(word, SLICE("AS "));
	talk_progress(m->talk, "%u objects, %d:%02d, " SLICE_FMT, m->nr_objects,
		      (int)(s / 60), (int)(s % 60), SLICE_ARG(word));
}

static const struct {
	struct slice text;
	const char *package, *what;
} causes[] = {
#define BUILD_WHY(text_, package_, what_) { SLICE(text_), package_, what_ },
#include "kbuild/build_why.def"
#undef BUILD_WHY
};

static bool is_error(struct slice line)
{
	return slice_has(line, SLICE("error:")) ||
	       slice_has(line, SLICE("Error: ")) ||
	       slice_has(line, SLICE("undefined reference")) ||
	       slice_has(line, SLICE("*** "));
}

/* The first errors of the log, which are the cause of the others. */
static struct slice tell_errors(const struct make *m, struct slice log)
{
	struct slice line, first = SLICE("make failed without a word");
	unsigned nr = 0;

	while (nr < ERROR_LINES && slice_line(&log, &line)) {
		line = slice_trim(line);
		if (!is_error(line))
			continue;
		line.len = MIN(line.len, (size_t)ERROR_CHARS);
		if (nr++)
			talk_note(m->talk, SLICE_FMT, SLICE_ARG(line));
		else
			first = line;
	}
	return first;
}

static fallible explain(const struct make *m, const struct child_result *r)
{
	struct slice tail = buf_as_slice(&r->tail);

	for (size_t i = 0; i < ARRAY_LEN(causes); i++) {
		if (!slice_has(tail, causes[i].text))
			continue;
		if (causes[i].package)
			return error_new(ERR_NOT_FOUND, "%s (apt install %s)",
					 causes[i].what, causes[i].package);
		return error_new(ERR_BUILD, "%s", causes[i].what);
	}
	if (r->signal)
		return error_new(ERR_BUILD, "make was killed by signal %d",
				 r->signal);
	struct slice first = tell_errors(m, tail);
	return error_new(ERR_BUILD, SLICE_FMT, SLICE_ARG(first));
}

static fallible run(struct make *m, const char *const *argv, bool progress)
{
	/*
	 * Equal code shall be equal bytes: no dates, names or counters.  No
	 * MAKEFLAGS: we may have been started by another make.
	 */
	static const char *const env[] = {
		"KBUILD_BUILD_TIMESTAMP=Thu Jan  1 00:00:00 UTC 1970",
		"KBUILD_BUILD_USER=bugon",
		"KBUILD_BUILD_HOST=bugon",
		"KBUILD_BUILD_VERSION=1",
		"LOCALVERSION=",
		"CCACHE_NOHASHDIR=1",
		"MAKEFLAGS=",
		"KCONFIG_CONFIG=.config",
		"KBUILD_OUTPUT=",
	};
	_cleanup_(child_result_deinit) struct child_result r = {};
	struct child_opts o = {
		.argv = argv,
		.dir = m->objects,
		.env = env,
		.nr_env = ARRAY_LEN(env),
		.log_fd = m->log_fd,
		.on_line = progress ? on_line : NULL,
		.ctx = m,
	};

	TRY(child_run(&o, &r));
	return child_ok(&r) ? NULL : explain(m, &r);
}

fallible make_run(struct make *m, const char *target, unsigned jobs)
{
	_cleanup_(freep) char *o = text_printf("O=%s", m->objects);
	_cleanup_(freep) char *arch = text_printf("ARCH=%s", m->arch->name);
	_cleanup_(freep) char *cross =
		text_printf("CROSS_COMPILE=%s", m->arch->cross);
	_cleanup_(freep) char *j = text_printf("-j%u", jobs ? jobs : 1);
	/* The tree's own tools take a tenth of a small build. */
	const char *host = strstr(m->cc, "ccache") ? "HOSTCC=ccache gcc" :
						     "HOSTCC=gcc";
	const char *argv[] = { "make", "-C", m->source, o,	arch, cross,
			       m->cc,  host, j,		target, NULL };

	return run(m, argv, true);
}

fallible make_script(struct make *m, const char *const *argv)
{
	return run(m, argv, false);
}
