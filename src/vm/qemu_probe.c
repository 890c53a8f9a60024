/* SPDX-License-Identifier: GPL-2.0-or-later */
/* qemu_probe.c - is there a QEMU, and which? */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/io.h"
#include "vm/internal.h"

/*
 * Version 4.0 brought x-ignore-shared and thread=multi, 7.2 is what the tests
 * run with.
 */
enum { MIN_MAJOR = 4, ANSWER_MS = 10000, ANSWER_BYTES = 4096 };

static fallible run_version(const char *program, struct buf *out)
{
	_cleanup_(close_fdp) int ours = -1;
	_cleanup_(close_fdp) int theirs = -1;
	char version[] = "--version";
	_cleanup_(freep) char *name = strdup(program);
	char *argv[] = { name, version, NULL };
	struct process p = PROCESS_NONE;

	TRY(vm_channel(&ours, &theirs));
	struct process_opts o = {
		.argv = argv, .out = theirs, .err = theirs, .cpu = -1
	};
	TRY(process_start(&o, &p));
	close_fdp(&theirs);
	theirs = -1;
	for (;;) {
		struct pollfd f = { .fd = ours, .events = POLLIN };
		char chunk[512];

		if (poll(&f, 1, ANSWER_MS) <= 0 || out->len > ANSWER_BYTES)
			break;
		ssize_t n = read(ours, chunk, sizeof(chunk));
		if (n <= 0)
			break;
		buf_add(out, chunk, (size_t)n);
	}
	process_kill(&p);
	return NULL;
}

void vm_qemu_probe(const char *program, struct vm_qemu *out)
{
	_cleanup_(buf_deinit) struct buf text = {};
	static const struct slice word = SLICE("version ");

	if (!program)
		program = getenv("BUGON_QEMU");
	if (!program || !*program)
		program = "qemu-system-x86_64";
	*out = (struct vm_qemu){ .program = program };
	struct error *err = run_version(program, &text);
	if (err) {
		snprintf(out->problem, sizeof(out->problem), "%.100s",
			 error_message(err));
		error_free(err);
		return;
	}
	struct slice s = buf_as_slice(&text);
	const char *at = slice_find(s, word);
	if (!at ||
	    sscanf(at + word.len, "%u.%u", &out->major, &out->minor) != 2)
		snprintf(out->problem, sizeof(out->problem),
			 "%.100s is no QEMU: its --version says \"%.*s\"",
			 program, (int)MIN(strcspn(buf_cstr(&text), "\n"), 60u),
			 buf_cstr(&text));
	else if (out->major < MIN_MAJOR)
		snprintf(out->problem, sizeof(out->problem),
			 "%.100s is version %u.%u, too old: need %d.0", program,
			 out->major, out->minor, MIN_MAJOR);
	else
		out->usable = true;
}
