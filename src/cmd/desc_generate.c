/* SPDX-License-Identifier: GPL-2.0-or-later */
/* desc_generate.c - bugon desc generate: draft descriptions of a kernel. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/files.h"
#include "base/io.h"
#include "base/mem.h"
#include "base/vec.h"
#include "cmd/desc.h"
#include "elf/elf.h"

/* One driver's file in the making. */
struct draft {
	char *name; /* as part of names */
	VEC(const char *) records; /* those written */
	struct buf text, types, consts;
};

static void draft_deinit(struct draft *d)
{
	free(d->name);
	vec_free(&d->records);
	buf_deinit(&d->text);
	buf_deinit(&d->types);
	buf_deinit(&d->consts);
}

static char *identifier(const char *name)
{
	char *id = mem_strdup(name);

	for (char *p = id; *p; p++)
		*p = isalnum((unsigned char)*p) ?
			     (char)tolower((unsigned char)*p) :
			     '_';
	return id;
}

static void put_type(struct draft *d, const struct driver_type *t,
		     const char *dir, struct buf *out);

static void put_hole(uint64_t from, uint64_t to, struct buf *out)
{
	if (from < to)
		buf_printf(out, "\thole%llu\tarray[int8, %llu]\n",
			   (unsigned long long)from,
			   (unsigned long long)(to - from));
}

static void put_record(struct draft *d, const struct driver_type *t,
		       const char *dir)
{
	_cleanup_(buf_deinit) struct buf body = {};
	uint64_t at = 0;

	vec_for_each(&d->records, have)
		if (!strcmp(*have, t->name))
			return;
	vec_push(&d->records, t->name);
	buf_printf(&body, "\ndraft_%s_%s %c\n", d->name, t->name,
		   t->is_union ? '[' : '{');
	for (size_t i = 0; i < t->nfields; i++) {
		const struct driver_field *f = &t->fields[i];

		if (!t->is_union)
			put_hole(at, f->offset_bytes, &body);
		buf_printf(&body, "\t%s\t", f->name);
		put_type(d, f->type, dir, &body);
		buf_char(&body, '\n');
		at = f->offset_bytes + f->type->size_bytes;
	}
	if (!t->is_union)
		put_hole(at, t->size_bytes, &body);
	buf_str(&body, t->is_union ? "]" : "} [packed]");
	buf_char(&body, '\n');
	buf_slice(&d->types, buf_as_slice(&body));
}

static void put_type(struct draft *d, const struct driver_type *t,
		     const char *dir, struct buf *out)
{
	switch (t->kind) {
	case DRIVER_INT:
		buf_printf(out, "int%llu",
			   (unsigned long long)t->size_bytes * 8);
		break;
	case DRIVER_PTR:
		buf_printf(out, "buffer[%s]", dir);
		break;
	case DRIVER_ARRAY:
		buf_str(out, "array[");
		put_type(d, t->elem, dir, out);
		buf_printf(out, ", %llu]", (unsigned long long)t->nr);
		break;
	case DRIVER_RECORD:
		put_record(d, t, dir);
		buf_printf(out, "draft_%s_%s", d->name, t->name);
		break;
	case DRIVER_BYTES:
		buf_printf(out, "array[int8, %llu]",
			   (unsigned long long)t->size_bytes);
		break;
	}
}

/* Fields have no direction of their own: a record that is read and written. */
static void put_command(struct draft *d, const struct driver_command *c)
{
	/* _IOC_DIR: asm-generic/ioctl.h */
	static const char *const dirs[] = { NULL, "in", "out", "inout" };
	const char *dir = dirs[c->value >> 30];
	unsigned size = c->value >> 16 & 0x3fff;
	char name[16];

	snprintf(name, sizeof(name), "%02X%02X", c->value >> 8 & 0xff,
		 c->value & 0xff);
	/* Of one type and number, commands may differ in size. */
	buf_printf(&d->text,
		   "ioctl$draft_%s_%s_%x(fd fd_draft_%s, cmd "
		   "const[DRAFT_%s_%s_%X], ",
		   d->name, name, c->value >> 16, d->name, d->name, name,
		   c->value >> 16);
	buf_printf(&d->consts, "DRAFT_%s_%s_%X = %u\n", d->name, name,
		   c->value >> 16, c->value);
	if (!dir) {
		buf_str(&d->text, "arg intptr)\n");
		return;
	}
	if (!size) {
		buf_printf(&d->text, "arg buffer[%s])\n", dir);
		return;
	}
	buf_printf(&d->text, "arg ptr[%s, ", dir);
	if (c->arg)
		put_type(d, c->arg, "inout", &d->text);
	else
		buf_printf(&d->text, "array[int8, %u]", size);
	buf_str(&d->text, "])\n");
}

static void put_header(struct draft *d, const struct driver *drv,
		       const char *vmlinux)
{
	buf_printf(&d->text,
		   "# DRAFT, made by `bugon desc generate` from %s:\n"
		   "# %s of %s, commands of %s().\n"
		   "# To be checked: names, what the argument of each command "
		   "is, which integers are\n"
		   "# flags, lengths or file descriptors, and whether commands "
		   "are missing.\n",
		   vmlinux, drv->object, drv->source, drv->handler);
	if (!drv->node)
		buf_printf(&d->text,
			   "# The %sdevice node is unknown: the path below is "
			   "a guess.\n",
			   drv->is_block ? "block " : "");
	buf_printf(&d->text,
		   "\nresource fd_draft_%s[fd]\n\n"
		   "openat$draft_%s(fd const[AT_FDCWD], file ptr[in, "
		   "string[\"/dev/%s\"]], flags const[O_RDWR], mode const[0]) "
		   "fd_draft_%s\n",
		   d->name, d->name, drv->node ? drv->node : drv->name,
		   d->name);
}

/* Of amd64, as drivers_read() takes no other kernels. */
static void put_consts(struct draft *d)
{
	buf_str(&d->consts, "# Made by bugon desc generate.\narches = amd64\n"
			    "AT_FDCWD = 18446744073709551516\n"
			    "O_RDWR = 2\n"
			    "__NR_ioctl = 16\n"
			    "__NR_openat = 257\n");
}

static fallible emit(const char *dir, const char *name, const char *suffix,
		     const struct buf *text)
{
	if (!dir)
		return io_write_all(STDOUT_FILENO, text->data, text->len);
	_cleanup_(freep) char *path = text_printf("%s/%s%s", dir, name, suffix);

	return file_replace(path, 0666, buf_as_slice(text));
}

/* `nr`: to tell it from those of the same name before it, or 0. */
static fallible write_draft(const struct desc_opts *o, const struct driver *drv,
			    unsigned nr)
{
	_cleanup_(draft_deinit) struct draft d = {};
	_cleanup_(freep) char *id = identifier(drv->name);

	d.name = nr ? text_printf("%s_%u", id, nr) : mem_strdup(id);
	put_header(&d, drv, o->vmlinux);
	put_consts(&d);
	for (size_t i = 0; i < drv->ncommands; i++)
		put_command(&d, &drv->commands[i]);
	buf_slice(&d.text, buf_as_slice(&d.types));
	TRY(emit(o->out, d.name, ".txt", &d.text));
	return emit(o->out, d.name, ".txt.const", &d.consts);
}

/* How many drivers before number `i` have its name, as part of names. */
static unsigned namesakes(const struct drivers *all, size_t i)
{
	_cleanup_(freep) char *id = identifier(all->v[i].name);
	unsigned nr = 0;

	for (size_t k = 0; k < i; k++) {
		_cleanup_(freep) char *other = identifier(all->v[k].name);

		nr += all->v[k].ncommands && !strcmp(id, other);
	}
	return nr;
}

fallible desc_generate(const struct desc_opts *o, int argc, char **argv,
		       int *status)
{
	_cleanup_(drivers_freep) struct drivers *all = NULL;
	size_t nr = 0, commands = 0;

	if (!o->vmlinux || argc)
		return error_new(ERR_USAGE,
				 "generate: of which kernel? --vmlinux, and "
				 "--dev for some devices only");
	TRY(drivers_read(o->vmlinux, o->devs.v, o->devs.nr, &all));
	if (o->out)
		TRY(file_make_dirs(o->out));
	for (size_t i = 0; i < all->n; i++) {
		if (!all->v[i].ncommands)
			continue;
		TRY(write_draft(o, &all->v[i], namesakes(all, i)));
		nr++;
		commands += all->v[i].ncommands;
	}
	fprintf(stderr,
		"%zu drafts with %zu commands; %zu handlers without any\n", nr,
		commands, all->n - nr);
	*status = !nr;
	return NULL;
}
