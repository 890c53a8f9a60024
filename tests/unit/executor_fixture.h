/* SPDX-License-Identifier: GPL-2.0-or-later */
/* executor_fixture.h - programs as text, run by an executor that is served. */
#ifndef EXECUTOR_FIXTURE_H
#define EXECUTOR_FIXTURE_H

#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "prog/prog.h"
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
	_cleanup_(prog_freep) struct prog *p = NULL;
	_cleanup_(buf_deinit) struct buf wire = {};
	struct wire_request r = *req;

	r.kind = WIRE_PROGRAM;
	MUST(prog_parse("test", slice_cstr(text), PROG_X86_64, &p));
	prog_encode(p, &wire);
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

#endif /* EXECUTOR_FIXTURE_H */
