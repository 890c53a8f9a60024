/* SPDX-License-Identifier: GPL-2.0-or-later */
/* driver.c - find the devices of a kernel. */
#include "elf/driver.h"

#include <dwarf.h>
#include <gelf.h>
#include <stdlib.h>
#include <string.h>

#include "base/glob.h"
#include "base/mem.h"
#include "elf/driver_internal.h"

enum { NAME_MAX_BYTES = 64 };

/* Structs that lead to a handler of ioctls. */
enum shape { SHAPE_MISC, SHAPE_FILE, SHAPE_BLOCK, SHAPE_NR };

static const struct {
	const char *record, *handler;
} shapes[] = {
	[SHAPE_MISC] = { "miscdevice", "fops" },
	[SHAPE_FILE] = { "file_operations", "unlocked_ioctl" },
	[SHAPE_BLOCK] = { "block_device_operations", "ioctl" },
};

struct object {
	enum shape shape;
	uint64_t address;
	const char *name;
	Dwarf_Die type, unit;
};

struct search {
	struct image *img;
	struct drivers *out;
	const char *const *patterns;
	size_t npatterns;
	VEC(struct object) objects;
	VEC(uint64_t) taken; /* file_operations of a miscdevice */
	VEC(struct driver) found;
};

static void search_deinit(struct search *s)
{
	vec_free(&s->objects);
	vec_free(&s->taken);
	vec_free(&s->found);
}

bool driver_memory(struct image *img, uint64_t address, void *to, size_t len)
{
	Elf *elf = dwarf_getelf(img->units.dw);
	Elf_Scn *scn = NULL;
	GElf_Shdr sh;

	while ((scn = elf_nextscn(elf, scn))) {
		if (!gelf_getshdr(scn, &sh) || !(sh.sh_flags & SHF_ALLOC) ||
		    sh.sh_type == SHT_NOBITS || !sh.sh_addr ||
		    address < sh.sh_addr || address - sh.sh_addr >= sh.sh_size)
			continue;

		Elf_Data *data = elf_getdata(scn, NULL);
		uint64_t at = address - sh.sh_addr;

		if (!data || !data->d_buf || at > data->d_size ||
		    len > data->d_size - at)
			return false;
		memcpy(to, (const char *)data->d_buf + at, len);
		return true;
	}
	return false;
}

static bool read_pointer(const struct search *s, const struct object *o,
			 const char *member, uint64_t *out)
{
	Dwarf_Die type = o->type;
	uint64_t offset;

	return driver_member(&type, member, &offset) &&
	       driver_memory(s->img, o->address + offset, out, sizeof(*out)) &&
	       *out;
}

/* A printable name; NULL when it is none. */
static const char *read_name(const struct search *s, const struct object *o,
			     const char *member)
{
	char name[NAME_MAX_BYTES];
	uint64_t at;
	size_t n = 0;

	if (!read_pointer(s, o, member, &at))
		return NULL;
	for (; n < sizeof(name); n++) {
		if (!driver_memory(s->img, at + n, &name[n], 1))
			return NULL;
		if (!name[n])
			break;
		if (name[n] <= ' ' || name[n] > '~' || name[n] == '"' ||
		    name[n] == '\\')
			return NULL;
	}
	return n && n < sizeof(name) ? arena_strndup(s->out->arena, name, n) :
				       NULL;
}

static bool variable_address(Dwarf_Die *die, uint64_t *out)
{
	Dwarf_Attribute attr;
	Dwarf_Op *ops;
	size_t n;

	if (!dwarf_attr(die, DW_AT_location, &attr) ||
	    dwarf_getlocation(&attr, &ops, &n) != 0 || n != 1 ||
	    ops[0].atom != DW_OP_addr)
		return false;
	*out = ops[0].number;
	return true;
}

static void look_at_variable(struct search *s, Dwarf_Die *unit, Dwarf_Die *die)
{
	struct object o = { .unit = *unit };
	const char *type, *name = NULL;
	Dwarf_Attribute attr;

	if (!dwarf_hasattr(die, DW_AT_location) ||
	    !driver_type_of(die, &o.type) ||
	    dwarf_tag(&o.type) != DW_TAG_structure_type)
		return;
	type = dwarf_diename(&o.type);
	for (; type && o.shape < SHAPE_NR; o.shape++)
		if (!strcmp(type, shapes[o.shape].record))
			break;
	if (dwarf_attr_integrate(die, DW_AT_name, &attr))
		name = dwarf_formstring(&attr);
	if (!type || o.shape == SHAPE_NR || !name ||
	    !variable_address(die, &o.address))
		return;
	o.name = name;
	vec_push(&s->objects, o);
}

static void find_objects(struct search *s)
{
	Dwarf *dw = s->img->units.dw;
	Dwarf_Off at = 0, next;
	Dwarf_Die unit, die;
	size_t header;

	for (; dwarf_nextcu(dw, at, &next, &header, NULL, NULL, NULL) == 0;
	     at = next) {
		if (!dwarf_offdie(dw, at + header, &unit) ||
		    dwarf_child(&unit, &die) != 0)
			continue;
		do
			if (dwarf_tag(&die) == DW_TAG_variable)
				look_at_variable(s, &unit, &die);
		while (driver_next(&die));
	}
}

static const struct object *object_at(const struct search *s, uint64_t address)
{
	vec_for_each(&s->objects, o)
		if (o->shape != SHAPE_MISC && o->address == address)
			return o;
	return NULL;
}

static bool is_wanted(const struct search *s, const struct driver *d)
{
	bool wanted = !s->npatterns;

	for (size_t i = 0; i < s->npatterns; i++) {
		struct slice pattern = slice_cstr(s->patterns[i]);

		wanted |= glob_match(pattern, slice_cstr(d->name)) ||
			  (d->node && glob_match(pattern, slice_cstr(d->node)));
	}
	return wanted;
}

static int by_value(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

static void set_commands(struct search *s, struct driver *d, Dwarf_Die *unit,
			 const command_vec *commands)
{
	die_vec records = {};

	if (!commands->len)
		return;
	qsort(commands->data, commands->len, sizeof(*commands->data), by_value);
	driver_records(unit, &records);
	d->commands = arena_alloc(s->out->arena,
				  commands->len * sizeof(*d->commands));
	vec_for_each(commands, c) {
		struct driver_command *new = &d->commands[d->ncommands++];

		new->value = *c;
		/* _IOC_SIZE: asm-generic/ioctl.h */
		if (*c >> 30)
			new->arg = driver_arg(&records, *c >> 16 & 0x3fff,
					      s->out->arena);
	}
	vec_free(&records);
}

/* The unit's file, below the root of the sources where that is known. */
static const char *source_of(struct search *s, Dwarf_Die *unit)
{
	const char *path = dwarf_diename(unit), *root = image_root(s->img);

	if (!path)
		path = "?";
	return arena_printf(s->out->arena, "%s",
			    root ? path_strip(path, &root, 1) : path);
}

/* `d` has a name; the rest comes from `ops`, if it has a handler. */
static fallible add_driver(struct search *s, struct driver d,
			   const struct object *ops)
{
	command_vec commands = {};
	const struct sym *sym;
	Dwarf_Die unit = ops->unit;
	uint64_t handler;

	if (!is_wanted(s, &d) ||
	    !read_pointer(s, ops, shapes[ops->shape].handler, &handler))
		return NULL;
	sym = symtab_at(&s->img->symtab, handler);
	if (!sym || sym->addr != handler)
		return NULL;
	d.source = source_of(s, &unit);
	d.handler = arena_printf(s->out->arena, "%s", sym->name);
	d.is_block = ops->shape == SHAPE_BLOCK;

	struct error *err = driver_commands(s->img, handler, &commands);

	/* Its own unit may be another than that of the operations. */
	struct unit *own = units_at(&s->img->units, handler);

	set_commands(s, &d, own ? &own->cu : &unit, &commands);
	vec_free(&commands);
	vec_push(&s->found, d);
	return err;
}

static fallible find_misc(struct search *s)
{
	vec_for_each(&s->objects, o) {
		struct driver d = { .name = read_name(s, o, "name"),
				    .node = read_name(s, o, "nodename") };
		const struct object *ops;
		uint64_t fops;

		if (o->shape != SHAPE_MISC || !d.name ||
		    !read_pointer(s, o, "fops", &fops))
			continue;
		ops = object_at(s, fops);
		if (!ops)
			continue;
		d.node = d.node ? d.node : d.name;
		d.object = arena_printf(s->out->arena, "%s", o->name);
		vec_push(&s->taken, fops);
		TRY(add_driver(s, d, ops));
	}
	return NULL;
}

/* "rtc_dev_fops": rtc_dev. */
static const char *short_name(struct arena *arena, const char *name)
{
	static const char *const suffixes[] = { "_file_operations", "_file_ops",
						"_fops", "_ops" };
	struct slice s = slice_cstr(name);

	for (size_t i = 0; i < ARRAY_LEN(suffixes); i++) {
		struct slice suffix = slice_cstr(suffixes[i]);

		if (s.len > suffix.len && slice_ends(s, suffix)) {
			s.len -= suffix.len;
			break;
		}
	}
	return arena_strndup(arena, s.p, s.len);
}

static bool is_taken(const struct search *s, uint64_t address)
{
	vec_for_each(&s->taken, t)
		if (*t == address)
			return true;
	return false;
}

static fallible find_others(struct search *s)
{
	vec_for_each(&s->objects, o) {
		struct driver d = { .name = short_name(s->out->arena,
						       o->name) };

		if (o->shape == SHAPE_MISC || is_taken(s, o->address))
			continue;
		d.object = arena_printf(s->out->arena, "%s", o->name);
		vec_push(&s->taken, o->address);
		TRY(add_driver(s, d, o));
	}
	return NULL;
}

static fallible check_kernel(struct image *img)
{
	GElf_Ehdr eh;

	if (!gelf_getehdr(dwarf_getelf(img->units.dw), &eh) ||
	    eh.e_machine != EM_X86_64 || eh.e_ident[EI_CLASS] != ELFCLASS64 ||
	    eh.e_type != ET_EXEC)
		return error_new(ERR_INPUT,
				 "%s: is not an x86-64 kernel linked at its "
				 "address (vmlinux, or UML's linux)",
				 img->path);
	return NULL;
}

fallible drivers_read(const char *vmlinux, const char *const *patterns,
		      size_t npatterns, struct drivers **out)
{
	_cleanup_(image_closep) struct image *img = NULL;
	_cleanup_(drivers_freep) struct drivers *d = mem_calloc(1, sizeof(*d));

	d->arena = arena_new();
	TRY(image_open(vmlinux, &img));
	TRY(check_kernel(img));

	_cleanup_(search_deinit) struct search s = {
		.img = img,
		.out = d,
		.patterns = patterns,
		.npatterns = npatterns,
	};

	find_objects(&s);
	TRY(find_misc(&s));
	TRY(find_others(&s));
	d->n = s.found.len;
	d->v = arena_alloc(d->arena, (d->n + 1) * sizeof(*d->v));
	if (d->n)
		memcpy(d->v, s.found.data, d->n * sizeof(*d->v));
	*out = take_ptr(d);
	return NULL;
}

void drivers_free(struct drivers *d)
{
	if (!d)
		return;
	if (d->arena)
		arena_free(d->arena);
	free(d);
}
