/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * apt.c - kernels from the archives this machine is configured for.
 *
 * As any user: `apt-get download` and `dpkg-deb -x` need no root, and apt
 * checks the archive's signature.  Output formats: apt-cache(8), deb822(5).
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "kbuild/internal.h"

#define IMAGE "linux-image-"

void package_deinit(struct package *p)
{
	free(p->name);
	free(p->version);
	free(p->depends);
	*p = (struct package){ 0 };
}

/* The last line with an error of apt's in it, without its "E: ". */
static struct slice apt_error(struct slice text)
{
	struct slice line, found = SLICE("it failed without a word");

	while (slice_line(&text, &line))
		if (slice_starts(line, SLICE("E: ")) ||
		    slice_starts(line, SLICE("dpkg-deb: error: ")))
			found = slice_trim(
				slice_from(line, *line.p == 'E' ? 3 : 0));
	return found;
}

static fallible run_apt_cache(const char *const *argv, struct buf *out,
			      bool *ok)
{
	_cleanup_(child_result_deinit) struct child_result r = {};
	struct error *err = child_read(argv, NULL, out, &r);

	if (err && error_kind(err) == ERR_NOT_FOUND) {
		error_free(err);
		return error_new(
			ERR_NOT_FOUND,
			"apt is not installed here: it works on Debian "
			"and its kin only; name a kernel file instead");
	}
	*ok = !err && child_ok(&r);
	return err;
}

/* "linux-image-6.1.0-56-amd64 (= 6.1.192-2), x | y": the image's name. */
static struct slice image_in(struct slice depends)
{
	const char *at = slice_find(depends, SLICE(IMAGE));
	struct slice name = at ? slice_range(at, depends.p + depends.len) :
				 SLICE("");
	size_t n = 0;

	while (n < name.len && !memchr(" ,|(:", name.p[n], 5))
		n++;
	name.len = n;
	return name;
}

/* The value of a field of the stanza, or NULL slice; name is "Size: ". */
static bool field(struct slice line, struct slice name, struct slice *value)
{
	if (!slice_starts(line, name))
		return false;
	*value = slice_trim(slice_from(line, name.len));
	return true;
}

static void take_field(struct package *p, struct slice line)
{
	struct slice v;

	if (field(line, SLICE("Version: "), &v) && !p->version) {
		p->version = mem_dup0(v.p, v.len);
	} else if (field(line, SLICE("Size: "), &v)) {
		p->size_bytes = strtoull(v.p, NULL, 10);
	} else if (field(line, SLICE("Installed-Size: "), &v)) {
		p->installed_bytes = strtoull(v.p, NULL, 10) << 10;
	} else if (field(line, SLICE("Depends: "), &v) && !p->depends) {
		v = image_in(v);
		p->depends = mem_dup0(v.p, v.len);
	}
}

/*
 * Only the stanza of just that package: apt takes a name that it does not
 * know for a regular expression.
 */
static void take_stanza(struct package *p, struct slice text)
{
	struct slice line, v;
	bool ours = false;

	while (slice_line(&text, &line)) {
		if (field(line, SLICE("Package: "), &v))
			ours = slice_eq(v, slice_cstr(p->name));
		else if (ours)
			take_field(p, line);
	}
}

fallible apt_show(const char *name, struct package *out, bool *found)
{
	const char *argv[] = { "apt-cache", "show", "--no-all-versions",
			       "--",	    name,   NULL };
	_cleanup_(package_deinit) struct package p = {};
	_cleanup_(buf_deinit) struct buf text = {};
	bool ok;

	p.name = mem_dup0(name, strcspn(name, "="));
	TRY(run_apt_cache(argv, &text, &ok));
	if (ok)
		take_stanza(&p, buf_as_slice(&text));
	*found = p.version != NULL;
	if (!*found)
		return NULL;
	if (!p.depends)
		p.depends = mem_strdup("");
	*out = p;
	p = (struct package){ 0 };
	return NULL;
}

/* ---- which package? ---- */

static const char *debian_arch(void)
{
#if defined(__aarch64__)
	return "arm64";
#else
	return "amd64";
#endif
}

/* Better: cloud (small, boots fastest) before generic, then the newest. */
static int quality(struct slice name)
{
	if (slice_ends(name, SLICE("-dbg")) ||
	    slice_ends(name, SLICE("-template")) ||
	    !slice_has(name, slice_cstr(debian_arch())))
		return 0;
	if (slice_ends(name, SLICE("-unsigned")))
		return 1;
	if (slice_has(name, SLICE("-rt-")))
		return 2;
	return slice_has(name, SLICE("-cloud-")) ? 4 : 3;
}

static bool is_better(struct slice a, const char *b)
{
	int qa = quality(a), qb = *b ? quality(slice_cstr(b)) : 0;
	_cleanup_(freep) char *copy = mem_dup0(a.p, a.len);

	if (qa != qb)
		return qa > qb;
	return qa && strverscmp(copy, b) > 0;
}

/* "6.1" begins 6.1.0-56-amd64, not 6.12. */
static bool begins_version(struct slice name, struct slice version)
{
	static const struct slice image = SLICE(IMAGE);

	if (!slice_starts(name, image))
		return false;
	name = slice_from(name, image.len);
	return slice_starts(name, version) &&
	       (name.len == version.len ||
		!(name.p[version.len] >= '0' && name.p[version.len] <= '9'));
}

/* The best package for the beginning of a version; "" if there is none. */
static fallible best_of(const char *version, char **out)
{
	const char *argv[] = { "apt-cache", "pkgnames", IMAGE, NULL };
	_cleanup_(freep) char *best = mem_strdup("");
	_cleanup_(buf_deinit) struct buf text = {};
	struct slice rest, line;
	bool ok;

	TRY(run_apt_cache(argv, &text, &ok));
	rest = buf_as_slice(&text);
	while (ok && slice_line(&rest, &line))
		if (begins_version(line, slice_cstr(version)) &&
		    is_better(line, best))
			info_set(&best, line);
	*out = take_ptr(best);
	return NULL;
}

static fallible find_named(const char *what, struct package *out, bool *found)
{
	static const struct {
		const char *word, *flavour;
	} words[] = { { "cloud", "cloud-" },
		      { "generic", "" },
		      { "rt", "rt-" } };
	_cleanup_(freep) char *name = NULL;

	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (!strcmp(what, words[i].word))
			name = text_printf(IMAGE "%s%s", words[i].flavour,
					   debian_arch());
	if (!name && !strncmp(what, IMAGE, strlen(IMAGE)))
		name = mem_strdup(what);
	if (!name)
		name = text_printf(IMAGE "%s", what);
	return apt_show(name, out, found);
}

static fallible find_version(const char *what, struct package *out, bool *found)
{
	_cleanup_(freep) char *name = NULL;

	TRY(best_of(what, &name));
	if (!*name) {
		*found = false;
		return NULL;
	}
	return apt_show(name, out, found);
}

fallible apt_resolve(const char *what, struct package *out)
{
	_cleanup_(package_deinit) struct package p = {};
	bool found;

	TRY(find_named(what ? what : "cloud", &p, &found));
	if (!found && !what)
		TRY(find_named("generic", &p, &found));
	if (!found && what)
		TRY(find_version(what, &p, &found));
	if (!found)
		return error_new(ERR_NOT_FOUND,
				 "%s: the configured archives have no such "
				 "kernel (apt-get update fetches their lists; "
				 "apt-cache search linux-image shows them)",
				 what ? what : "linux-image");
	/* A meta-package only points to the newest. */
	if (*p.depends) {
		_cleanup_(freep) char *real = mem_strdup(p.depends);

		package_deinit(&p);
		TRY(apt_show(real, &p, &found));
		if (!found)
			return error_new(ERR_NOT_FOUND,
					 "%s: the configured archives lack it, "
					 "though %s depends on it",
					 real, what ? what : "their kernel");
	}
	*out = p;
	p = (struct package){ 0 };
	return NULL;
}

/* ---- download ---- */

/* The package file in `dir`, or NULL. */
static char *find_deb(const char *dir)
{
	DIR *d = opendir(dir);
	char *found = NULL;

	for (struct dirent *e; d && !found && (e = readdir(d));)
		if (slice_ends(slice_cstr(e->d_name), SLICE(".deb")))
			found = text_printf("%s/%s", dir, e->d_name);
	if (d)
		closedir(d);
	return found;
}

struct download {
	const struct package *p;
	const char *dir;
	const struct kernel_talk *talk;
};

static void show_download(void *ctx)
{
	const struct download *d = ctx;
	_cleanup_(freep) char *deb = find_deb(d->dir);
	struct stat st;

	if (deb && stat(deb, &st) == 0)
		talk_progress(d->talk, "%s: %ju of %ju MB", d->p->name,
			      (uintmax_t)st.st_size / 1000000,
			      (uintmax_t)d->p->size_bytes / 1000000);
}

static fallible download(const struct package *p, const char *dir,
			 const struct kernel_talk *talk)
{
	_cleanup_(freep) char *which =
		text_printf("%s=%s", p->name, p->version);
	/* The sandbox user of a root apt may not write to our directory. */
	const char *argv[] = { "apt-get",  "-q",
			       "-o",	   "APT::Sandbox::User=root",
			       "download", "--",
			       which,	   NULL };
	struct download d = { p, dir, talk };
	struct child_opts o = {
		.argv = argv, .dir = dir, .on_tick = show_download, .ctx = &d
	};
	_cleanup_(child_result_deinit) struct child_result r = {};

	TRY(child_run(&o, &r));
	if (!child_ok(&r)) {
		struct slice why = apt_error(buf_as_slice(&r.tail));

		return error_new(ERR_INFRA, "downloading %s: " SLICE_FMT,
				 p->name, SLICE_ARG(why));
	}
	return NULL;
}

fallible apt_unpack(const struct package *p, const char *dir, const char *to,
		    const struct kernel_talk *talk)
{
	TRY(download(p, dir, talk));
	_cleanup_(freep) char *deb = find_deb(dir);
	if (!deb)
		return error_new(ERR_INFRA, "apt-get left no package of %s",
				 p->name);
	talk_progress(talk, "%s: unpacking", p->name);
	const char *argv[] = { "dpkg-deb", "-x", deb, to, NULL };
	struct child_opts o = { .argv = argv };
	_cleanup_(child_result_deinit) struct child_result r = {};
	TRY(child_run(&o, &r));
	if (!child_ok(&r)) {
		struct slice why = apt_error(buf_as_slice(&r.tail));

		return error_new(ERR_INFRA, "unpacking %s: " SLICE_FMT, p->name,
				 SLICE_ARG(why));
	}
	remove(deb);
	return NULL;
}
