/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/kernel_config.h"

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "base/io.h"

enum { MAX_CONFIG_BYTES = 4 * 1024 * 1024 };

/* kernel/configs.c of Linux 6.12: gzip data between these two marks. */
static const struct slice mark = SLICE("IKCFG_ST");

static fallible inflate_config(struct slice packed, struct buf *out)
{
	_cleanup_(buf_deinit) struct buf b = {};
	z_stream z = { .next_in = (Bytef *)(uintptr_t)packed.p,
		       .avail_in = (uInt)MIN(packed.len,
					     (size_t)MAX_CONFIG_BYTES) };

	if (inflateInit2(&z, 16 + MAX_WBITS) != Z_OK)
		return error_new(ERR_INPUT, "zlib does not start");
	z.next_out = (Bytef *)buf_reserve(&b, MAX_CONFIG_BYTES + 1);
	z.avail_out = MAX_CONFIG_BYTES;
	int r = inflate(&z, Z_FINISH);
	b.len = z.total_out;
	inflateEnd(&z);
	if (r != Z_STREAM_END)
		return error_new(ERR_INPUT, "damaged configuration in it");
	b.data[b.len] = '\0';
	*out = b;
	b = (struct buf){ 0 };
	return NULL;
}

static fallible find_embedded(const char *path, struct slice file,
			      struct buf *out)
{
	const char *at = slice_find(file, mark);

	/* The first hit may be this very string in a program. */
	for (; at; at = slice_find(file, mark)) {
		file = slice_range(at + mark.len, file.p + file.len);
		if (slice_starts(file, SLICE("\x1f\x8b")))
			return inflate_config(file, out);
	}
	return error_new(ERR_NOT_FOUND, "%s: no configuration in it", path);
}

fallible kernel_config_read(const char *path, struct buf *out)
{
	_cleanup_(close_fdp) int fd = -1;
	struct stat st;

	TRY(io_open_regular(path, &fd));
	if (fstat(fd, &st) < 0)
		return error_os("%s", path);
	if (st.st_size == 0)
		return error_new(ERR_NOT_FOUND, "%s: is empty", path);
	size_t len = (size_t)st.st_size;
	void *p = mmap(NULL, len, PROT_READ, MAP_PRIVATE, fd, 0);
	if (p == MAP_FAILED)
		return error_os("%s", path);
	struct slice file = { p, len };
	struct error *err = NULL;
	if (len <= MAX_CONFIG_BYTES && slice_has(file, SLICE("CONFIG_")) &&
	    !slice_has(file, mark))
		buf_slice(out, file);
	else
		err = find_embedded(path, file, out);
	munmap(p, len);
	return err;
}

bool kernel_config_has(const struct buf *config, const char *name)
{
	char line[96];

	for (const char *v = "ym"; *v; v++) {
		snprintf(line, sizeof(line), "\nCONFIG_%s=%c\n", name, *v);
		if (slice_has(buf_as_slice(config), slice_cstr(line)))
			return true;
	}
	return false;
}
