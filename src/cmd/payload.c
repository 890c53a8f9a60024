/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/payload.h"

#include <dirent.h>
#include <elf.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/child.h"
#include "base/io.h"

enum { MAX_BYTES = 256 * 1024 * 1024, DIR_BYTES = 512 };

static const struct target {
	const char *name;
	unsigned machine; /* of its ELF files */
	const char *cc_env, *cc, *packages;
} targets[] = {
	[WIRE_ARCH_X86_64] = { "x86-64", EM_X86_64, "CC", "cc",
			       "gcc libc6-dev" },
	[WIRE_ARCH_ARM64] = { "arm64", EM_AARCH64, "CC_ARM64",
			      "aarch64-linux-gnu-gcc",
			      "gcc-aarch64-linux-gnu libc6-dev-arm64-cross" },
};

const char *payload_compiler(enum wire_arch arch, const char **packages)
{
	const char *cc = getenv(targets[arch].cc_env);

	*packages = targets[arch].packages;
	return cc && *cc ? cc : targets[arch].cc;
}

/* To `dir`/a.out; what the compiler keeps meanwhile goes there, too. */
static fallible compile(const char *path, enum wire_arch arch, const char *dir)
{
	_cleanup_(child_result_deinit) struct child_result r = {};
	const struct target *t = &targets[arch];
	const char *packages, *cc = payload_compiler(arch, &packages);
	char file[DIR_BYTES + 16], tmp[DIR_BYTES + 16];
	const char *argv[] = { cc,   "-static", "-O1", "-g", "-pthread",
			       "-w", "-o",	file,  path, NULL };
	const char *env[] = { tmp };
	struct child_opts o = {
		.argv = argv, .env = env, .nr_env = 1, .log_fd = STDERR_FILENO
	};

	snprintf(file, sizeof(file), "%s/a.out", dir);
	snprintf(tmp, sizeof(tmp), "TMPDIR=%s", dir);
	struct error *err = child_run(&o, &r);
	if (err && error_kind(err) == ERR_NOT_FOUND) {
		error_free(err);
		return error_new(ERR_NOT_FOUND,
				 "no C compiler for %s (%s): apt install %s, "
				 "or set %s",
				 t->name, cc, packages, t->cc_env);
	}
	if (err)
		return err;
	if (!child_ok(&r))
		return error_new(ERR_BUILD, "%s does not compile", path);
	if (access(file, R_OK) < 0)
		return error_new(ERR_BUILD, "%s wrote no program for %s", cc,
				 path);
	return NULL;
}

/* A compiler that was killed leaves files behind, but no directories. */
static void remove_dir(const char *path)
{
	DIR *d = opendir(path);

	for (struct dirent *e; d && (e = readdir(d));)
		unlinkat(dirfd(d), e->d_name, 0);
	if (d)
		closedir(d);
	rmdir(path);
}

static fallible load_c(const char *path, enum wire_arch arch, struct buf *out)
{
	const char *tmp = getenv("TMPDIR");
	char dir[DIR_BYTES], file[DIR_BYTES + 16];

	snprintf(dir, sizeof(dir), "%s/bugon-cc-XXXXXX",
		 tmp && *tmp ? tmp : "/tmp");
	if (!mkdtemp(dir))
		return error_os("%s", dir);
	snprintf(file, sizeof(file), "%s/a.out", dir);
	struct error *err = compile(path, arch, dir);
	if (!err)
		err = io_read_file(file, MAX_BYTES, out);
	remove_dir(dir);
	return err;
}

/* An interpreter means shared libraries, which the guest does not have. */
static fallible check_elf(const char *path, const struct target *t,
			  struct slice s)
{
	Elf64_Ehdr eh;
	Elf64_Phdr ph;

	memcpy(&eh, s.p, sizeof(eh));
	if (eh.e_ident[EI_CLASS] != ELFCLASS64 || eh.e_machine != t->machine)
		return error_new(ERR_INPUT, "%s: not for %s", path, t->name);
	for (unsigned i = 0; i < eh.e_phnum; i++) {
		uint64_t at = eh.e_phoff + (uint64_t)i * sizeof(ph);

		if (at > s.len || s.len - at < sizeof(ph))
			return error_new(ERR_INPUT, "%s: damaged ELF file",
					 path);
		memcpy(&ph, s.p + at, sizeof(ph));
		if (ph.p_type == PT_INTERP)
			return error_new(ERR_INPUT,
					 "%s: uses shared libraries, which the "
					 "guest does not have: link it with "
					 "-static, or give its C file",
					 path);
	}
	return NULL;
}

fallible payload_load(const char *path, enum wire_arch arch, struct buf *out)
{
	const struct target *t = &targets[arch];
	_cleanup_(buf_deinit) struct buf b = {};

	if (access(path, R_OK) < 0)
		return error_new(ERR_INPUT, "%s: %s", path, strerror(errno));
	if (slice_ends(slice_cstr(path), SLICE(".c")))
		TRY(load_c(path, arch, &b));
	else
		TRY(io_read_file(path, MAX_BYTES, &b));
	struct slice s = buf_as_slice(&b);
	if (s.len > sizeof(Elf64_Ehdr) && !memcmp(s.p, ELFMAG, SELFMAG))
		TRY(check_elf(path, t, s));
	else if (!slice_starts(s, SLICE("#!")))
		return error_new(ERR_INPUT,
				 "%s: neither a program nor a C file (*.c)",
				 path);
	*out = b;
	b = (struct buf){ 0 };
	return NULL;
}
