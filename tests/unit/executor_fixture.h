/* SPDX-License-Identifier: GPL-2.0-or-later */
/* executor_fixture.h - programs as text, run by an executor that is served. */
#ifndef EXECUTOR_FIXTURE_H
#define EXECUTOR_FIXTURE_H

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/error.h"
#include "raw/raw.h"
#include "wire/wire.h"

static inline void ok_or_fail(struct error *err, const char *what)
{
	if (err)
		fail_msg("%s: %s", what, error_message(err));
}
#define MUST(expr) ok_or_fail(expr, #expr)

static inline void submit_text(struct wire *w, const char *text,
			       const struct wire_request *req)
{
	_cleanup_(raw_freep) struct raw *p = NULL;
	_cleanup_(buf_deinit) struct buf wire = {};
	struct wire_request r = *req;

	r.kind = WIRE_PROGRAM;
	MUST(raw_parse("test", slice_cstr(text), RAW_X86_64, &p));
	raw_encode(p, &wire);
	MUST(wire_submit(w, &r, buf_as_slice(&wire), NULL));
}

static inline struct wire_result run_text(struct wire *w, const char *text,
					  const struct wire_request *req)
{
	struct wire_result res;

	submit_text(w, text, req);
	MUST(wire_wait(w, 20000, &res));
	return res;
}

static char dir[] = "/tmp/bugon-exec-test-XXXXXX";

/*
 * An initramfs with nothing but the executor (it does without /dev/console),
 * and BOOT, a shell's command that uses $INITRD and $SHM.
 */
static inline void boot_guest(const char *boot, const char *exe,
			      const char *shm)
{
	char cmd[512], initrd[64];
	int null = open("/dev/null", O_RDWR);

	snprintf(cmd, sizeof(cmd),
		 "cp %s %s/init && cd %s && echo init | "
		 "cpio -o -H newc -R 0:0 --quiet >initrd",
		 exe, dir, dir);
	if (system(cmd))
		_exit(126);
	snprintf(initrd, sizeof(initrd), "%s/initrd", dir);
	setenv("INITRD", initrd, 1);
	setenv("SHM", shm, 1);
	if (!getenv("CONSOLE")) {
		dup2(null, 1);
		dup2(null, 2);
	}
	dup2(null, 0);
	execl("/bin/sh", "sh", "-c", boot, NULL);
}

static inline void start_child(const char *exe, const char *boot, int fd)
{
	char path[64];

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	snprintf(path, sizeof(path), "/proc/%d/fd/%d", getppid(), fd);
	if (boot)
		boot_guest(boot, exe, path);
	execl(exe, exe, "--shm", path, NULL);
	_exit(127);
}

#endif /* EXECUTOR_FIXTURE_H */
