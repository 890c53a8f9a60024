/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * region.c - find, map and check the memory shared with the host.
 *
 * UML: drivers of arch/um, mmapper_kern.c: /dev/mmapper maps the file named by
 * iomem= from its start; a longer mapping than the file fails.
 * QEMU: docs/specs/ivshmem-spec.txt: BAR 2 is the memory; sysfs offers it as
 * resource2 of the device (Documentation/PCI/sysfs-pci.rst).
 * Without either, the region is memory of our own and serial.c fills it.
 */
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "executor.h"

#define PCI_DIR "/sys/bus/pci/devices"

/*
 * How the memory is mapped (Documentation/PCI/sysfs-pci.rst).  x86: as the host
 * has it; write-combining would delay what the host polls for.  arm64: plain
 * resource2 is Device memory, where unaligned accesses and DC ZVA, which memcpy()
 * and memset() use, fault; resource2_wc is Normal, non-cacheable memory.
 */
#ifdef __aarch64__
#define BAR "resource2_wc"
#else
#define BAR "resource2"
#endif

static bool file_is(const char *dir, const char *name, const char *want)
{
	char path[PATH_MAX], text[32] = "";
	int fd;

	snprintf(path, sizeof(path), PCI_DIR "/%s/%s", dir, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	ssize_t n = read(fd, text, sizeof(text) - 1);

	close(fd);
	return n > 0 && !strncmp(text, want, strlen(want));
}

/* The shared memory's BAR, after memory access of the device was enabled. */
static int open_pci(void)
{
	DIR *d = opendir(PCI_DIR);
	char path[PATH_MAX];
	int fd = -1;

	if (!d)
		return -1;
	for (struct dirent *e; fd < 0 && (e = readdir(d));) {
		if (!file_is(e->d_name, "vendor", "0x1af4") ||
		    !file_is(e->d_name, "device", "0x1110"))
			continue;
		snprintf(path, sizeof(path), PCI_DIR "/%s/enable", e->d_name);
		write_file(path, "1");
		snprintf(path, sizeof(path), PCI_DIR "/%s/" BAR, e->d_name);
		fd = open(path, O_RDWR | O_CLOEXEC);
	}
	closedir(d);
	return fd;
}

static int open_device(const char *path)
{
	int fd;

	if (path)
		return open(path, O_RDWR | O_CLOEXEC);
	fd = open("/dev/mmapper", O_RDWR | O_CLOEXEC);
	return fd >= 0 ? fd : open_pci();
}

static bool part_ok(const struct wire_host *h, uint64_t off, uint64_t size)
{
	return off % WIRE_PAGE == 0 && off >= 2 * WIRE_PAGE &&
	       size <= h->total_size && off <= h->total_size - size;
}

const char *region_check(const struct wire_host *h)
{
	if (h->magic != WIRE_MAGIC)
		return "the shared memory has no header";
	if (h->version != WIRE_VERSION ||
	    h->host_size != sizeof(struct wire_host) ||
	    h->guest_size != sizeof(struct wire_guest))
		return "the host speaks another version";
	if (h->total_size > WIRE_MAX_REGION || !h->slots || h->slots > 64 ||
	    (h->slots & (h->slots - 1)) ||
	    (h->max_slots & (h->max_slots - 1)) || h->req_size < WIRE_PAGE ||
	    h->resp_size < WIRE_PAGE ||
	    !part_ok(h, h->req_off, (uint64_t)h->slots * h->req_size) ||
	    !part_ok(h, h->resp_off, (uint64_t)h->slots * h->resp_size) ||
	    !part_ok(h, h->max_off, (uint64_t)h->max_slots * 4) ||
	    !part_ok(h, h->bulk_off, h->bulk_size) ||
	    (h->cover_size && (h->cover_size < WIRE_COVER_MIN ||
			       !part_ok(h, h->cover_off, h->cover_size))))
		return "the shared memory's header makes no sense";
	return NULL;
}

static bool map_all(struct region *r, int fd)
{
	void *p = mmap(NULL, r->host.total_size, PROT_READ | PROT_WRITE,
		       MAP_SHARED, fd, 0);

	if (p == MAP_FAILED)
		return false;
	r->base = p;
	r->guest = (struct wire_guest *)(r->base + WIRE_GUEST_OFF);
	return true;
}

static const char *dev_path; /* of region_open, for region_reopen */

/* Memory of our own, for what the line brings. */
static const char *open_line(struct region *r)
{
	void *p;

	r->line = serial_open();
	if (r->line < 0)
		return "no shared memory (neither /dev/mmapper nor ivshmem), "
		       "nor a serial line";
	if (!serial_meet(r->line, &r->host))
		return "the host does not answer over the serial line";
	if (region_check(&r->host))
		return region_check(&r->host);
	p = mmap(NULL, r->host.total_size, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (p == MAP_FAILED)
		return "no memory";
	madvise(p, r->host.total_size, MADV_DONTFORK);
	r->base = p;
	r->guest = (struct wire_guest *)(r->base + WIRE_GUEST_OFF);
	memcpy(r->base, &r->host, sizeof(r->host));
	return NULL;
}

const char *region_open(struct region *r, const char *path)
{
	int fd = open_device(path);
	const char *wrong;
	void *page;

	r->line = -1;
	dev_path = path;
	if (fd < 0)
		return open_line(r);
	page = mmap(NULL, WIRE_PAGE, PROT_READ, MAP_SHARED, fd, 0);
	if (page == MAP_FAILED) {
		close(fd);
		return "cannot map the shared memory";
	}
	memcpy(&r->host, page, sizeof(r->host));
	munmap(page, WIRE_PAGE);
	wrong = region_check(&r->host);
	if (!wrong && !map_all(r, fd))
		wrong = "cannot map all of the shared memory";
	close(fd);
	/* A program's worker has no use for it: see executor.h. */
	if (!wrong)
		madvise(r->base, r->host.total_size, MADV_DONTFORK);
	return wrong;
}

bool region_reopen(struct region *r)
{
	int fd = open_device(dev_path);
	bool ok = fd >= 0 && map_all(r, fd);

	if (fd >= 0)
		close(fd);
	return ok;
}

void *region_map_page(uint64_t off)
{
	int fd = open_device(dev_path);
	void *p = MAP_FAILED;

	if (fd >= 0) {
		p = mmap(NULL, WIRE_PAGE, PROT_READ, MAP_SHARED, fd,
			 (off_t)off);
		close(fd);
	}
	return p == MAP_FAILED ? NULL : p;
}

uint32_t region_submitted(const struct region *r)
{
	const struct wire_host *h = (const void *)r->base;

	if (r->line >= 0)
		serial_take(r);
	return __atomic_load_n(&h->submitted, __ATOMIC_ACQUIRE);
}

bool region_stopped(const struct region *r)
{
	const struct wire_host *h = (const void *)r->base;

	return __atomic_load_n(&h->stop, __ATOMIC_ACQUIRE) != 0;
}

void region_complete(struct region *r, uint32_t completed)
{
	__atomic_store_n(&r->guest->completed, completed, __ATOMIC_RELEASE);
	if (r->line < 0)
		return;
	/* What was answered, then that it was. */
	const struct wire_response *resp = region_response(r, completed - 1);

	serial_send(r, (const unsigned char *)resp, resp->size);
	serial_send(r, (const unsigned char *)&r->guest->completed,
		    sizeof(r->guest->completed));
}

void region_state(struct region *r, uint32_t state)
{
	__atomic_store_n(&r->guest->state, state, __ATOMIC_RELEASE);
	if (r->line >= 0)
		serial_send(r, (const unsigned char *)r->guest,
			    sizeof(*r->guest));
}

struct wire_request *region_request(const struct region *r, uint32_t number)
{
	uint32_t slot = number & (r->host.slots - 1);

	return (void *)(r->base + r->host.req_off +
			(size_t)slot * r->host.req_size);
}

struct wire_response *region_response(const struct region *r, uint32_t number)
{
	uint32_t slot = number & (r->host.slots - 1);

	return (void *)(r->base + r->host.resp_off +
			(size_t)slot * r->host.resp_size);
}
