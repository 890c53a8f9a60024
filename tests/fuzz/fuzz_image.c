/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Input: a compressed image, and base 64.  What inflates deflates again. */
#include "prog/text.h"
#include "target.h"

enum { IMAGE_MAX = 1 << 20 };

static void check_image(struct slice in)
{
	_cleanup_(buf_deinit) struct buf raw = {}, small = {}, again = {};
	size_t size = 0;
	struct error *err = prog_image_inflate(in, IMAGE_MAX, &raw);
	struct error *said = prog_image_check(in, IMAGE_MAX, &size);
	bool bad = err != NULL;

	ensure(bad == (said != NULL));
	error_free(err);
	error_free(said);
	if (bad)
		return;
	ensure(size == raw.len && size <= IMAGE_MAX);
	prog_image_deflate(buf_as_slice(&raw), &small);
	ensure(!prog_image_inflate(buf_as_slice(&small), IMAGE_MAX, &again));
	ensure(slice_eq(buf_as_slice(&raw), buf_as_slice(&again)));
}

static void check_base64(struct slice in)
{
	_cleanup_(buf_deinit) struct buf raw = {}, text = {}, again = {};

	base64_encode(in, &text);
	ensure(base64_decode(buf_as_slice(&text), &again));
	ensure(slice_eq(in, buf_as_slice(&again)));
	if (!base64_decode(in, &raw))
		return;
	text.len = 0;
	base64_encode(buf_as_slice(&raw), &text);
	ensure(slice_eq(in, buf_as_slice(&text)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(freep) char *copy = fuzz_copy(data, size);

	check_image((struct slice){ copy, size });
	check_base64((struct slice){ copy, size });
	return 0;
}
