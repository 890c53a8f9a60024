/* SPDX-License-Identifier: GPL-2.0-or-later */
/* prog_fixture.h - a target from descriptions in a test. */
#ifndef PROG_FIXTURE_H
#define PROG_FIXTURE_H

#include "prog/tree.h"
#include "unit.h"

struct fixture {
	struct desc *d;
	struct prog_target *t;
	struct prog *p;
};

/* Calls get numbers from "arches = amd64" and __NR_x lines in `consts`. */
static inline struct fixture *fixture_new(const char *text, const char *consts)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct desc_input *in = desc_input_new();
	_cleanup_(buf_deinit) struct buf said = {};

	desc_input_text(in, "t.txt", slice_cstr(text));
	desc_input_text(in, "t.const", slice_cstr(consts));
	f->d = desc_compile(in, desc_arch_find(SLICE("amd64")));
	desc_messages_to_text(in, &said);
	if (desc_errors(in))
		print_error("%s", buf_cstr(&said));
	assert_int_equal(desc_errors(in), 0);
	f->t = prog_target_new(f->d);
	f->p = prog_new(f->t);
	desc_input_free(in);
	return f;
}

static inline void fixture_free(struct fixture *f)
{
	prog_free(f->p);
	prog_target_free(f->t);
	desc_free(f->d);
	free(f);
}

static inline uint32_t fixture_call(const struct fixture *f, const char *name)
{
	const struct desc_call *c = desc_call_find(f->d, slice_cstr(name));

	assert_non_null(c);
	return (uint32_t)(c - f->d->calls);
}

#endif /* PROG_FIXTURE_H */
