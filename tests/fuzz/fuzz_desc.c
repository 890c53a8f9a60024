/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Input: a description; after a NUL, values of constants.  What parses is
 * formatted, what is formatted stays as it is, what compiles can be shown.
 */
#include "desc/desc.h"
#include "target.h"

static void check_format(struct desc_input *in)
{
	_cleanup_(desc_input_freep) struct desc_input *back = desc_input_new();
	_cleanup_(buf_deinit) struct buf one = {}, two = {};
	struct error *err = desc_format(in, 0, &one);

	if (err) {
		ensure(desc_errors(in));
		error_free(err);
		return;
	}
	desc_input_text(back, "two.txt", buf_as_slice(&one));
	err = desc_format(back, 0, &two);
	ensure(!err);
	ensure(slice_eq(buf_as_slice(&one), buf_as_slice(&two)));
}

static void check_compiled(struct desc_input *in, const struct desc_arch *arch)
{
	_cleanup_(desc_freep) struct desc *d = desc_compile(in, arch);
	_cleanup_(buf_deinit) struct buf out = {}, messages = {};

	for (size_t i = 0; i < d->ncalls && !desc_errors(in); i++)
		if (out.len < 1 << 20)
			desc_call_to_text(d, &d->calls[i], &out);
	desc_messages_to_text(in, &messages);
	ensure(!messages.len == !(desc_errors(in) + desc_warnings(in)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const arches[] = { "amd64", "386", "s390x" };
	_cleanup_(desc_input_freep) struct desc_input *in = desc_input_new();
	char *copy = fuzz_copy(data, size);
	const char *nul = size ? memchr(copy, 0, size) : NULL;
	size_t len = nul ? (size_t)(nul - copy) : size;

	desc_input_text(in, "one.txt", (struct slice){ copy, len });
	if (nul)
		desc_input_text(in, "one.txt.const",
				slice_range(nul + 1, copy + size));
	free(copy);
	check_format(in);
	for (size_t i = 0; i < ARRAY_LEN(arches); i++)
		check_compiled(in, desc_arch_find(slice_cstr(arches[i])));
	return 0;
}
