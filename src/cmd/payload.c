/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/payload.h"

#include <elf.h>
#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/io.h"

enum { MAX_BYTES = 256 * 1024 * 1024 };

static const struct target {
	const char *name;
	unsigned machine; /* of its ELF files */
	const char *cc_env, *cc, *packages;
} targets[] = {
	[PROG_X86_64] = { "x86-64", EM_X86_64, "CC", "cc", "gcc libc6-dev" },
	[PROG_ARM64] = { "arm64", EM_AARCH64, "CC_ARM64",
			 "aarch64-linux-gnu-gcc",
			 "gcc-aarch64-linux-gnu libc6-dev-arm64-cross" },
};

static fallible wait_compiler(pid_t pid, const struct target *t,
			      const char *path)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return error_os("waiting for the compiler");
	if (WIFEXITED(status) && WEXITSTATUS(status) == 127)
		return error_new(ERR_NOT_FOUND,
				 "no C compiler for %s: apt install %s, or set "
				 "%s",
				 t->name, t->packages, t->cc_env);
	if (!WIFEXITED(status) || WEXITSTATUS(status))
		return error_new(ERR_BUILD, "%s does not compile", path);
	return NULL;
}

static fallible compile(const char *path, const struct target *t,
			const char *output)
{
	const char *cc = getenv(t->cc_env);

	if (!cc || !*cc)
		cc = t->cc;
	pid_t pid = fork();
	if (pid < 0)
		return error_os("fork");
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		dup2(STDERR_FILENO, STDOUT_FILENO);
		execlp(cc, cc, "-static", "-O1", "-g", "-pthread", "-w", "-o",
		       output, path, (char *)NULL);
		_exit(127);
	}
	return wait_compiler(pid, t, path);
}

static fallible load_c(const char *path, const struct target *t,
		       struct buf *out)
{
	const char *tmp = getenv("TMPDIR");
	char dir[512], file[544];

	snprintf(dir, sizeof(dir), "%s/bugon-cc-XXXXXX",
		 tmp && *tmp ? tmp : "/tmp");
	if (!mkdtemp(dir))
		return error_os("%s", dir);
	snprintf(file, sizeof(file), "%s/a.out", dir);
	struct error *err = compile(path, t, file);
	if (!err)
		err = io_read_file(file, MAX_BYTES, out);
	unlink(file);
	rmdir(dir);
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

fallible payload_load(const char *path, enum prog_arch arch, struct buf *out)
{
	const struct target *t = &targets[arch];
	_cleanup_(buf_deinit) struct buf b = {};

	if (access(path, R_OK) < 0)
		return error_new(ERR_INPUT, "%s: %s", path, strerror(errno));
	if (slice_ends(slice_cstr(path), SLICE(".c")))
		TRY(load_c(path, t, &b));
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
