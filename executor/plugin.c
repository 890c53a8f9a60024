/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * plugin.c - coverage from QEMU's plugin (plugin/cover.c), as if from KCOV.
 *
 * The plugin sees our marks and writes the traces to the region.  Workers of one
 * program inherit only the page with the counts, as with KCOV.
 */
#include "executor.h"
#include "syscall.h"

/*
 * What the marks load from.  In the text, next to what runs anyway: a page of
 * its own would be a page fault for each worker.
 */
extern const char plugin_words[];
__asm__(".text\n"
	".balign 64\n"
	".globl plugin_words\n"
	"plugin_words:\n\t"
	".skip 64\n");

static const struct wire_cover *head; /* NULL: no plugin */
static const unsigned char *area;
static uint32_t area_size;

bool plugin_open(const struct region *r)
{
	const struct wire_host *h = &r->host;

	if (!h->cover_size)
		return false;
	head = region_map_page(h->cover_off);
	if (head &&
	    __atomic_load_n(&head->magic, __ATOMIC_ACQUIRE) != WIRE_COVER_MAGIC)
		head = NULL;
	area_size = h->cover_size;
	plugin_map(r);
	return head != NULL;
}

void plugin_map(const struct region *r)
{
	area = r->base + r->host.cover_off;
}

const void *plugin_mark(uint32_t thread)
{
	return plugin_words + (size_t)(thread % WIRE_COVER_THREADS) * 8;
}

/* A mark's effect is over when its instruction is. */
void plugin_start(uint32_t thread)
{
	MARK_ALONE(WIRE_MARK_REWIND, plugin_mark(thread));
}

uint32_t plugin_position(uint32_t thread)
{
	return head && thread < WIRE_COVER_THREADS ?
		       __atomic_load_n(&head->count[thread], __ATOMIC_ACQUIRE) :
		       0;
}

uint32_t plugin_make_room(uint32_t thread)
{
	if (plugin_position(thread) >
	    wire_cover_room(wire_cover_entries(area_size, thread)))
		MARK_ALONE(WIRE_MARK_ROOM, plugin_mark(thread));
	return plugin_position(thread);
}

void plugin_rewind(void)
{
	for (uint32_t i = 0; i < WIRE_COVER_THREADS; i++)
		plugin_start(i);
}

bool plugin_is_full(uint32_t thread, uint32_t position)
{
	return position >= wire_cover_entries(area_size, thread);
}

const uint64_t *plugin_entries(uint32_t thread)
{
	return head && thread < WIRE_COVER_THREADS ?
		       (const void *)(area +
				      wire_cover_off(area_size, thread)) :
		       NULL;
}
