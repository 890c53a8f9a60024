/* SPDX-License-Identifier: GPL-2.0-or-later */
/* desc_const.c - bugon desc const: write .const files. */
#include <libgen.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/child.h"
#include "base/files.h"
#include "base/io.h"
#include "base/mem.h"
#include "base/vec.h"
#include "cmd/desc.h"
#include "cmd/descriptions.h"

struct job {
	VEC(struct desc_headers *) headers; /* by architecture */
	char *dir; /* of the input at hand */
	struct desc_input *in;
	int *status;
};

static void job_deinit(struct job *j)
{
	vec_for_each(&j->headers, h)
		desc_headers_close(*h);
	vec_free(&j->headers);
	free(j->dir);
	if (j->in)
		desc_input_free(j->in);
}

static fallible open_headers(const struct desc_opts *o, struct job *j)
{
	_cleanup_(freep) char *list = mem_strdup(o->arch ? o->arch : "amd64");
	const char *dir = o->kernel_src ? o->kernel_src : o->headers;
	char *save = NULL;

	for (char *name = strtok_r(list, ",", &save); name;
	     name = strtok_r(NULL, ",", &save)) {
		const struct desc_arch *arch;
		struct desc_headers *h;

		TRY(cmd_desc_arch(name, &arch));
		TRY(desc_headers_open(dir, !o->kernel_src, arch, &h));
		vec_push(&j->headers, h);
	}
	if (!j->headers.len)
		return error_new(ERR_USAGE, "--arch names no architecture");
	return NULL;
}

static fallible open_input(const struct desc_opts *o, struct job *j,
			   const char *dir)
{
	_cleanup_(freep) char *list = mem_strdup(o->arch ? o->arch : "amd64");
	char *save = NULL;

	if (j->in)
		desc_input_free(take_ptr(j->in));
	j->in = desc_input_new();
	TRY(desc_input_dir(j->in, dir));
	for (char *name = strtok_r(list, ",", &save); name;
	     name = strtok_r(NULL, ",", &save))
		desc_ask_constants(j->in, desc_arch_find(slice_cstr(name)));
	return NULL;
}

static fallible write_const(struct job *j, size_t file)
{
	_cleanup_(buf_deinit) struct buf text = {}, said = {}, old = {};
	_cleanup_(freep) char *path =
		text_printf("%s.const", desc_file_name(j->in, file));

	TRY(desc_extract(j->in, file, j->headers.data, j->headers.len, &text,
			 &said));
	TRY(io_write_all(STDERR_FILENO, said.data, said.len));
	if (said.len)
		*j->status = 1;
	if (!text.len)
		return NULL;
	error_free(io_read_file(path, SIZE_MAX / 2, &old));
	if (slice_eq(buf_as_slice(&old), buf_as_slice(&text)))
		return NULL;
	TRY(file_replace(path, 0666, buf_as_slice(&text)));
	printf("%s\n", path);
	return NULL;
}

static fallible one_file(const struct desc_opts *o, struct job *j, char *path)
{
	_cleanup_(freep) char *for_dir = mem_strdup(path);
	_cleanup_(freep) char *for_base = mem_strdup(path);
	const char *dir = dirname(for_dir), *base = basename(for_base);
	_cleanup_(freep) char *name = text_printf("%s/%s", dir, base);
	const char *at;

	if (!file_exists(path))
		return error_new(ERR_NOT_FOUND, "no file %s", path);
	if (!j->in || !j->dir || strcmp(j->dir, dir)) {
		TRY(open_input(o, j, dir));
		free(j->dir);
		j->dir = mem_strdup(dir);
	}
	for (size_t i = 0; (at = desc_file_name(j->in, i)); i++)
		if (!strcmp(at, name))
			return write_const(j, i);
	return error_new(ERR_USAGE, "%s: descriptions end in .txt", path);
}

fallible desc_const(const struct desc_opts *o, int argc, char **argv,
		    int *status)
{
	_cleanup_(job_deinit) struct job j = { .status = status };

	if (!o->kernel_src == !o->headers)
		return error_new(ERR_USAGE,
				 "const: which headers? --kernel-src or "
				 "--headers");
	if (!argc && !o->dir)
		return error_new(ERR_USAGE, "const: which files?");
	child_catch_signals(); /* temporary files go in any case */
	TRY(open_headers(o, &j));
	for (int i = 0; i < argc; i++)
		TRY(one_file(o, &j, argv[i]));
	if (argc)
		return NULL;
	TRY(open_input(o, &j, o->dir));
	for (size_t i = 0; i < desc_files(j.in); i++)
		TRY(write_const(&j, i));
	return NULL;
}
