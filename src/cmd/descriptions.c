/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/descriptions.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/data.h"
#include "base/files.h"
#include "base/io.h"
#include "base/mem.h"

fallible cmd_desc_arch(const char *name, const struct desc_arch **out)
{
	_cleanup_(buf_deinit) struct buf names = {};

	*out = desc_arch_find(slice_cstr(name ? name : "amd64"));
	if (*out)
		return NULL;
	for (size_t i = 0; desc_arch_at(i); i++)
		buf_printf(&names, "%s%s", i ? ", " : "",
			   desc_arch_at(i)->name);
	return error_new(ERR_USAGE, "unknown architecture %s: there are %s",
			 name, buf_cstr(&names));
}

/* Where compiled descriptions are kept; NULL: nowhere. */
static char *cache_dir(void)
{
	const char *xdg = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");

	if (xdg && *xdg == '/')
		return text_printf("%s/bugon/desc", xdg);
	return home && *home == '/' ?
		       text_printf("%s/.cache/bugon/desc", home) :
		       NULL;
}

fallible cmd_descriptions(const char *dir, const struct desc_arch *arch,
			  struct desc **out)
{
	_cleanup_(desc_input_freep) struct desc_input *in = desc_input_new();
	_cleanup_(buf_deinit) struct buf messages = {};
	_cleanup_(desc_freep) struct desc *d = NULL;
	_cleanup_(freep) char *ours = NULL, *cache = NULL;

	if (!dir) {
		TRY(data_path("sys/linux", &ours));
		dir = ours;
	}
	cache = cache_dir();
	TRY(desc_load(dir, arch, cache, in, &d));
	if (desc_errors(in)) {
		desc_messages_to_text(in, &messages);
		TRY(io_write_all(STDERR_FILENO, messages.data, messages.len));
		return error_new(ERR_INPUT, "%s: %zu errors", dir,
				 desc_errors(in));
	}
	*out = take_ptr(d);
	return NULL;
}
