/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Input: a program's text.  What parses is printed, and what is printed is a
 * program that prints the same, whether it had to be repaired or not.  Both are
 * the same for the executor, too.
 */
#include "../prog_descriptions.h"
#include "../unit/simulate.h"
#include "prog/tree.h"
#include "target.h"

static const struct prog_target *target(void)
{
	static const struct prog_target *t;

	if (!t) {
		struct desc_input *in = desc_input_new();

		desc_input_text(in, "t.txt", slice_cstr(prog_desc));
		desc_input_text(in, "t.const", slice_cstr(prog_consts));
		t = prog_target_new(
			desc_compile(in, desc_arch_find(SLICE("amd64"))));
		ensure(!desc_errors(in));
		desc_input_free(in);
	}
	return t;
}

static bool encoded(const struct prog *p, struct sim *s)
{
	_cleanup_(buf_deinit) struct buf wire = {};
	struct error *err = prog_encode(p, 1, &wire);
	const char *wrong;

	if (err) {
		error_free(err);
		return false;
	}
	wrong = sim_run(s, buf_as_slice(&wire));
	if (wrong)
		fprintf(stderr, "%s\n", wrong);
	ensure(!wrong && s->ncalls == prog_ncalls(p));
	return true;
}

static void check_encoded(const struct prog *p, const struct prog *q)
{
	static struct sim *a, *b;
	bool ok;

	if (!a) {
		a = sim_new();
		b = sim_new();
	}
	ok = encoded(p, a);
	ensure(ok == encoded(q, b));
	ensure(!ok ||
	       !memcmp(a->calls, b->calls, a->ncalls * sizeof(a->calls[0])));
}

static void check(struct slice text, enum prog_mode mode)
{
	_cleanup_(buf_deinit) struct buf one = {}, two = {};
	_cleanup_(prog_freep) struct prog *p = NULL, *q = NULL;
	struct error *err = prog_parse(target(), "fuzz", text, mode, &p);

	if (err) {
		ensure(!strncmp(error_message(err), "fuzz:", 5));
		error_free(err);
		return;
	}
	prog_to_text(p, &one);
	err = prog_parse(target(), "again", buf_as_slice(&one), PROG_STRICT,
			 &q);
	if (err)
		fprintf(stderr, "%s\n%s\n", error_message(err), buf_cstr(&one));
	ensure(!err);
	prog_to_text(q, &two);
	if (!slice_eq(buf_as_slice(&one), buf_as_slice(&two)))
		fprintf(stderr, "%s\n%s\n", buf_cstr(&one), buf_cstr(&two));
	ensure(slice_eq(buf_as_slice(&one), buf_as_slice(&two)));
	check_encoded(p, q);

	/* Lengths can be set, and garbage dropped. */
	tree_compact(q);
	two.len = 0;
	prog_to_text(q, &two);
	ensure(slice_eq(buf_as_slice(&one), buf_as_slice(&two)));
	vec_for_each(&p->calls, c)
		prog_assign_sizes(p, c);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(freep) char *copy = fuzz_copy(data, size);
	struct slice text = { copy, size };

	check(text, PROG_STRICT);
	check(text, PROG_REPAIR);
	return 0;
}
