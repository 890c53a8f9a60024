/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * unpack.c - kernels that QEMU cannot unpack.
 *
 * An EFI zboot image (CONFIG_EFI_ZBOOT, Fedora's on arm64) is a PE program
 * that unpacks the kernel inside it; without firmware we do that.  Header, all
 * little endian (drivers/firmware/efi/libstub/zboot-header.S of Linux 6.1 and
 * 6.12): "MZ" 0 0, "zimg", the payload's offset and size, 8 bytes reserved, the
 * name of the compression.  The kernel's size, at different places in different
 * versions, is not needed.
 */
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include "base/io.h"
#include "base/mem.h"
#include "vm/internal.h"

enum {
	MAX_KERNEL_BYTES = 512 << 20, /* unpacked */
	MAX_PACKED_BYTES = 256 << 20,
	FIRST_BYTES = 32 << 20, /* of a buffer that doubles */
	HEADER_BYTES = 0x40,
	NAME_BYTES = 8,
};

size_t vm_gunzip_head(struct slice packed, char *out, size_t size)
{
	z_stream z = { .next_in = (Bytef *)(uintptr_t)packed.p,
		       .avail_in = (uInt)packed.len,
		       .next_out = (Bytef *)out,
		       .avail_out = (uInt)size };

	if (inflateInit2(&z, 16 + MAX_WBITS) != Z_OK)
		return 0;
	inflate(&z, Z_SYNC_FLUSH);
	inflateEnd(&z);
	return z.total_out;
}

/* Room for more, twice as much each time; NULL when it is enough. */
static char *more_room(struct buf *out, size_t *room)
{
	size_t want = out->len ? out->len : FIRST_BYTES;

	if (out->len + want > MAX_KERNEL_BYTES)
		return NULL;
	*room = want;
	return buf_reserve(out, want);
}

static bool gunzip(struct slice packed, struct buf *out)
{
	z_stream z = { .next_in = (Bytef *)(uintptr_t)packed.p,
		       .avail_in = (uInt)packed.len };
	int r = Z_OK;

	if (inflateInit2(&z, 16 + MAX_WBITS) != Z_OK)
		return false;
	while (r == Z_OK) {
		size_t room;
		char *to = more_room(out, &room);

		if (!to)
			break;
		z.next_out = (Bytef *)to;
		z.avail_out = (uInt)room;
		r = inflate(&z, Z_NO_FLUSH);
		out->len += room - z.avail_out;
	}
	inflateEnd(&z);
	return r == Z_STREAM_END;
}

static bool unzstd(struct slice packed, struct buf *out)
{
	ZSTD_DStream *d = ZSTD_createDStream();
	ZSTD_inBuffer in = { packed.p, packed.len, 0 };
	size_t left = 1;

	while (d && left && !ZSTD_isError(left)) {
		ZSTD_outBuffer to = {};
		size_t before = in.pos;

		to.dst = more_room(out, &to.size);
		if (!to.dst)
			break;
		left = ZSTD_decompressStream(d, &to, &in);
		out->len += to.pos;
		if (in.pos == before && !to.pos)
			break; /* truncated */
	}
	ZSTD_freeDStream(d);
	return !left;
}

static fallible unpack(struct slice payload, const char *how, struct buf *out)
{
	bool ok;

	if (!strcmp(how, "gzip"))
		ok = gunzip(payload, out);
	else if (!strcmp(how, "zstd") || !strcmp(how, "zstd22"))
		ok = unzstd(payload, out);
	else
		return error_new(ERR_BOOT,
				 "an EFI zboot image packed with %s; only gzip "
				 "and zstd are known: unpack it first",
				 how);
	return ok ? NULL :
		    error_new(ERR_BOOT, "a damaged EFI zboot image (%s)", how);
}

static fallible unpack_zboot(struct slice file, struct buf *out)
{
	char how[NAME_BYTES + 1];
	uint32_t off, size;

	memcpy(&off, file.p + 8, sizeof(off));
	memcpy(&size, file.p + 12, sizeof(size));
	memcpy(how, file.p + 24, NAME_BYTES);
	how[NAME_BYTES] = '\0';
	for (char *p = how; *p; p++)
		if (*p < '0' || *p > 'z')
			*p = '?';
	if (off > file.len || size > file.len - off)
		return error_new(ERR_BOOT, "a truncated EFI zboot image");
	return unpack((struct slice){ file.p + off, size }, how, out);
}

fallible vm_kernel_unpack(const char *path, int *out)
{
	_cleanup_(close_fdp) int fd = -1;
	_cleanup_(close_fdp) int mem = -1;
	_cleanup_(buf_deinit) struct buf file = {};
	_cleanup_(buf_deinit) struct buf image = {};
	char head[HEADER_BYTES];

	TRY(io_open_read(path, &fd));
	if (read(fd, head, sizeof(head)) != (ssize_t)sizeof(head) ||
	    memcmp(head, "MZ", 2) != 0 || memcmp(head + 4, "zimg", 4) != 0)
		return NULL;
	TRY(io_read_file(path, MAX_PACKED_BYTES, &file));
	if (file.len < HEADER_BYTES) /* it shrank */
		return error_new(ERR_BOOT, "%s: truncated", path);
	TRY(unpack_zboot(buf_as_slice(&file), &image), "%s", path);
	mem = memfd_create("kernel", MFD_CLOEXEC);
	if (mem < 0)
		return error_os("memory for the kernel");
	TRY(io_write_all(mem, image.data, image.len));
	*out = mem;
	mem = -1;
	return NULL;
}
