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

static fallible wait_compiler(pid_t pid, const char *path)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return error_os("waiting for the compiler");
	if (WIFEXITED(status) && WEXITSTATUS(status) == 127)
		return error_new(ERR_NOT_FOUND,
				 "no C compiler: apt install gcc libc6-dev, or "
				 "set CC");
	if (!WIFEXITED(status) || WEXITSTATUS(status))
		return error_new(ERR_BUILD, "%s does not compile", path);
	return NULL;
}

static fallible compile(const char *path, const char *output)
{
	const char *cc = getenv("CC");

	if (!cc || !*cc)
		cc = "cc";
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
	return wait_compiler(pid, path);
}

static fallible load_c(const char *path, struct buf *out)
{
	const char *tmp = getenv("TMPDIR");
	char dir[512], file[544];

	snprintf(dir, sizeof(dir), "%s/bugon-cc-XXXXXX",
		 tmp && *tmp ? tmp : "/tmp");
	if (!mkdtemp(dir))
		return error_os("%s", dir);
	snprintf(file, sizeof(file), "%s/a.out", dir);
	struct error *err = compile(path, file);
	if (!err)
		err = io_read_file(file, MAX_BYTES, out);
	unlink(file);
	rmdir(dir);
	return err;
}

/* An interpreter means shared libraries, which the guest does not have. */
static fallible check_elf(const char *path, struct slice s)
{
	Elf64_Ehdr eh;
	Elf64_Phdr ph;

	memcpy(&eh, s.p, sizeof(eh));
	if (eh.e_ident[EI_CLASS] != ELFCLASS64 || eh.e_machine != EM_X86_64)
		return error_new(ERR_INPUT, "%s: not for x86-64", path);
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

fallible payload_load(const char *path, struct buf *out)
{
	_cleanup_(buf_deinit) struct buf b = {};

	if (access(path, R_OK) < 0)
		return error_new(ERR_INPUT, "%s: %s", path, strerror(errno));
	if (slice_ends(slice_cstr(path), SLICE(".c")))
		TRY(load_c(path, &b));
	else
		TRY(io_read_file(path, MAX_BYTES, &b));
	struct slice s = buf_as_slice(&b);
	if (s.len > sizeof(Elf64_Ehdr) && !memcmp(s.p, ELFMAG, SELFMAG))
		TRY(check_elf(path, s));
	else if (!slice_starts(s, SLICE("#!")))
		return error_new(ERR_INPUT,
				 "%s: neither a program nor a C file (*.c)",
				 path);
	*out = b;
	b = (struct buf){ 0 };
	return NULL;
}
