/* SPDX-License-Identifier: GPL-2.0-or-later */
/* collect.c - which names there are, and what is wrong with a declaration. */
#include "desc/collect.h"

static const char *const kind_names[] = {
	[DECL_RESOURCE] = "resource", [DECL_ALIAS] = "type",
	[DECL_STRUCT] = "struct",     [DECL_UNION] = "union",
	[DECL_CALL] = "call",	      [DECL_FLAGS] = "flags",
	[DECL_STR_FLAGS] = "flags",   [DECL_DEFINE] = "constant",
};

/* Remember a name; the second declaration of it is an error. */
static void enter(struct compiler *c, decl_vec *table, struct decl *d)
{
	while (table->len <= d->name)
		vec_push(table, NULL);
	struct decl *other = table->data[d->name];

	if (!other) {
		table->data[d->name] = d;
		return;
	}
	say_error(c->in, d->pos,
		  "%s '" SLICE_FMT "' is declared already, at %s",
		  kind_names[d->kind], SLICE_ARG(name_of(c->in, d->name)),
		  where(c->in, other->pos));
	d->broken = true;
}

static bool is_reserved(const struct compiler *c, uint32_t name)
{
	return name == c->n_opt || name == c->n_in || name == c->n_out ||
	       name == c->n_inout;
}

static void check_name(struct compiler *c, struct decl *d)
{
	if (is_reserved(c, d->name))
		say_error(c->in, d->pos,
			  "'" SLICE_FMT "' is a word of the language, no name",
			  SLICE_ARG(name_of(c->in, d->name)));
	else if (d->kind != DECL_FLAGS && d->kind != DECL_STR_FLAGS &&
		 builtin_find(c, d->name))
		say_error(c->in, d->pos,
			  "'" SLICE_FMT "' is a type of the language already",
			  SLICE_ARG(name_of(c->in, d->name)));
	else
		return;
	d->broken = true;
}

static bool is_all_caps(struct slice s)
{
	for (size_t i = 0; i < s.len; i++)
		if (s.p[i] >= 'a' && s.p[i] <= 'z')
			return false;
	return true;
}

static void check_params(struct compiler *c, struct decl *d)
{
	c->stamp++;
	for (const struct node *p = d->params; p; p = p->next) {
		struct slice name = name_of(c->in, p->name);

		if (!is_all_caps(name))
			say_error(c->in, p->pos,
				  "write parameters in capitals: '" SLICE_FMT
				  "'",
				  SLICE_ARG(name));
		else if (stamp_name(c, p->name))
			say_error(c->in, p->pos,
				  "a second parameter '" SLICE_FMT "'",
				  SLICE_ARG(name));
		else if (p->name == c->n_base && p->next)
			say_error(c->in, p->pos,
				  "BASE is the last parameter: it is the "
				  "underlying type");
		else
			continue;
		d->broken = true;
	}
}

bool stamp_name(struct compiler *c, uint32_t name)
{
	while (c->stamps.len <= name)
		vec_push(&c->stamps, 0);
	if (c->stamps.data[name] == c->stamp)
		return true;
	c->stamps.data[name] = c->stamp;
	return false;
}

static void check_fields(struct compiler *c, const struct decl *d)
{
	const char *what = d->kind == DECL_CALL	  ? "argument" :
			   d->kind == DECL_STRUCT ? "field" :
						    "option";
	unsigned n = 0;

	c->stamp++;
	for (const struct field *f = d->fields; f; f = f->next) {
		if (f->kind != FIELD)
			continue;
		n++;
		if (f->name == c->n_parent || f->name == c->n_syscall)
			say_error(c->in, f->pos,
				  "'" SLICE_FMT "' has a meaning in paths: "
				  "give the %s another name",
				  SLICE_ARG(name_of(c->in, f->name)), what);
		else if (stamp_name(c, f->name))
			say_error(c->in, f->pos, "a second %s '" SLICE_FMT "'",
				  what, SLICE_ARG(name_of(c->in, f->name)));
	}
	if (n > RECORD_FIELDS_MAX)
		say_last(c->in, d->pos, "%u %ss: the limit is %d", n, what,
			 RECORD_FIELDS_MAX);
	if (!n && d->kind != DECL_CALL)
		say_error(c->in, d->pos, "'" SLICE_FMT "' has no %ss",
			  SLICE_ARG(name_of(c->in, d->name)), what);
}

static bool meta_arches(struct compiler *c, const struct node *n)
{
	bool ours = false;

	for (const struct node *a = n->args; a; a = a->next) {
		struct slice name = name_of(c->in, a->name);

		bool known = a->kind == NODE_STRING && desc_arch_find(name);

		/* Rather too much is checked than nothing. */
		ours |= !known;
		if (!known)
			say_error(c->in, a->pos,
				  "unknown architecture '" SLICE_FMT
				  "': there are amd64, 386, arm64, arm, "
				  "riscv64, ppc64le, mips64le, s390x, loong64",
				  SLICE_ARG(name));
		ours |= slice_eq(name, slice_cstr(c->arch->name));
	}
	if (!n->args)
		say_error(c->in, n->pos,
			  "which architectures? meta arches[\"amd64\"]");
	return ours;
}

static void check_meta(struct compiler *c, struct source *src,
		       const struct decl *d)
{
	const struct node *n = d->type;
	struct slice word = name_of(c->in, n->name);

	if (n->kind == NODE_NAME && slice_eq(word, SLICE("arches"))) {
		src->no_arch |= !meta_arches(c, n);
		return;
	}
	src->automatic |= slice_eq(word, SLICE("automatic"));
	if (n->kind != NODE_NAME || (!slice_eq(word, SLICE("noextract")) &&
				     !slice_eq(word, SLICE("automatic"))))
		say_error(c->in, n->pos,
			  "meta is noextract, automatic or arches[\"...\"]");
	else if (n->args || n->colon)
		say_error(c->in, n->pos,
			  "meta " SLICE_FMT " takes no arguments",
			  SLICE_ARG(word));
}

/* A define that is a number needs no .const file. */
static void enter_define(struct compiler *c, struct decl *d)
{
	const struct decl *other = d->name < c->defines_by_name.len ?
					   c->defines_by_name.data[d->name] :
					   NULL;

	/* Other files may define it, too: the .const files have the value. */
	if (other && other->file != d->file)
		return;
	enter(c, &c->defines_by_name, d);
	if (!d->broken && !constant_find(c->in, d->name))
		define_constant(c->in, d->name, slice_trim(d->text));
}

static void check_include(struct compiler *c, struct source *src,
			  const struct decl *d)
{
	uint32_t name = names_add(&c->in->names, d->text);

	/* Directories and files do not meet: a name is one or the other. */
	if (stamp_include(c, name, (uint32_t)(src - c->in->sources.data)))
		say_error(c->in, d->pos, SLICE_FMT " is included already",
			  SLICE_ARG(d->text));
}

bool stamp_include(struct compiler *c, uint32_t name, uint32_t file)
{
	while (c->includes.len <= name)
		vec_push(&c->includes, UINT32_MAX);
	if (c->includes.data[name] == file)
		return true;
	c->includes.data[name] = file;
	return false;
}

static void enter_decl(struct compiler *c, struct source *src, struct decl *d)
{
	switch (d->kind) {
	case DECL_INCLUDE:
	case DECL_INCDIR:
		check_include(c, src, d);
		return;
	case DECL_DEFINE:
		enter_define(c, d);
		return;
	case DECL_FLAGS:
	case DECL_STR_FLAGS:
		check_name(c, d);
		/* "_" is for constants to be extracted, nothing else. */
		if (!slice_eq(name_of(c->in, d->name), SLICE("_")))
			enter(c, &c->flags_by_name, d);
		return;
	case DECL_CALL:
		check_fields(c, d);
		enter(c, &c->calls_by_name, d);
		return;
	case DECL_STRUCT:
	case DECL_UNION:
		if (d->name != c->n_opt)
			check_fields(c, d);
		__attribute__((fallthrough));
	case DECL_RESOURCE:
	case DECL_ALIAS:
		check_name(c, d);
		if (!is_reserved(c, d->name))
			enter(c, &c->types_by_name, d);
		check_params(c, d);
		return;
	default:
		return;
	}
}

static void excuse_names(struct compiler *c, const struct node *n)
{
	for (; n; n = n->next) {
		struct decl *of[] = { find_type(c, n->name),
				      find_flags(c, n->name) };

		for (size_t i = 0; i < ARRAY_LEN(of); i++)
			if (n->kind == NODE_NAME && of[i] && !of[i]->excused) {
				of[i]->excused = true;
				vec_push(&c->excused, of[i]);
			}
		excuse_names(c, n->colon);
		excuse_names(c, n->args);
	}
}

static void excuse_parts(struct compiler *c, const struct decl *d)
{
	excuse_names(c, d->type);
	excuse_names(c, d->list);
	for (const struct field *f = d->fields; f; f = f->next)
		excuse_names(c, f->type);
}

void excuse_decl(struct compiler *c, const struct decl *d)
{
	excuse_parts(c, d);
	while (c->excused.len)
		excuse_parts(c, c->excused.data[--c->excused.len]);
}

void excuse(struct compiler *c, const struct node *n)
{
	const struct decl d = { .kind = DECL_ALIAS };
	struct node one = *n;

	one.next = NULL;
	excuse_names(c, &one);
	excuse_decl(c, &d);
}

/* What broken declarations use is used. */
static void excuse_broken(struct compiler *c)
{
	vec_for_each(&c->in->sources, src) {
		for (const struct decl *d = src->decls; d; d = d->next)
			if (d->broken && d->kind >= DECL_RESOURCE)
				excuse_decl(c, d);
		c->unparsed |= src->broken;
	}
}

void collect(struct compiler *c)
{
	vec_for_each(&c->in->sources, src) {
		src->no_arch = false;
		for (struct decl *d = src->decls; d; d = d->next)
			if (d->kind == DECL_META && !d->broken)
				check_meta(c, src, d);
	}
	vec_for_each(&c->in->sources, of) {
		if (of->no_arch)
			continue;
		for (struct decl *d = of->decls; d && !c->in->stopped;
		     d = d->next)
			if (!d->broken || (d->name && d->kind != DECL_CALL))
				enter_decl(c, of, d);
	}
	excuse_broken(c);
}

/* Names that are both flags and a constant: which is meant? */
static void check_flags_names(struct compiler *c, const struct decl *d)
{
	if (constant_find(c->in, d->name))
		say_error(c->in, d->pos,
			  "'" SLICE_FMT "' is a constant as well: give the "
			  "flags another name",
			  SLICE_ARG(name_of(c->in, d->name)));
}

/* Errors in what no call uses are errors nevertheless. */
void check_unused(struct compiler *c, bool warn)
{
	c->marking = false;
	vec_for_each(&c->in->sources, src) {
		if (src->no_arch || src->builtin)
			continue;
		for (struct decl *d = src->decls; d && !c->in->stopped;
		     d = d->next) {
			if (d->broken || d->kind <= DECL_DEFINE ||
			    d->kind == DECL_CALL)
				continue;
			check_decl(c, d);
			if (!warn || d->used || d->excused ||
			    slice_eq(name_of(c->in, d->name), SLICE("_")))
				continue;
			say_warning(c->in, d->pos,
				    "%s '" SLICE_FMT "' is used by no call",
				    kind_names[d->kind],
				    SLICE_ARG(name_of(c->in, d->name)));
		}
	}
	resolve_records(c);
}

/* Resources that are what they are by being themselves. */
static void check_ancestors(struct compiler *c, const struct decl *d)
{
	const struct decl *up = d;

	for (unsigned i = 0; i <= RESOLVE_DEPTH_MAX; i++) {
		up = up->type->kind == NODE_NAME &&
				     !builtin_find(c, up->type->name) ?
			     find_type(c, up->type->name) :
			     NULL;
		if (!up || up->kind != DECL_RESOURCE || !up->type)
			return;
		if (up == d)
			break;
	}
	say_error(c->in, d->pos,
		  up == d ? "resource '" SLICE_FMT "' inherits from itself" :
			    "resource '" SLICE_FMT "' has too many ancestors",
		  SLICE_ARG(name_of(c->in, d->name)));
}

void check_decl(struct compiler *c, struct decl *d)
{
	struct node n = { .kind = NODE_NAME, .pos = d->pos, .name = d->name };
	uint32_t list, nlist;

	c->site = NULL;
	c->missing = 0;
	if (d->kind == DECL_FLAGS || d->kind == DECL_STR_FLAGS) {
		if (d->kind == DECL_FLAGS)
			check_flags_names(c, d);
		if (find_flags(c, d->name) == d)
			flags_values(c, &n, d->kind == DECL_STR_FLAGS, &list,
				     &nlist);
		return;
	}
	if (d->templ)
		return; /* known only by its instances */
	if (d->kind == DECL_RESOURCE) {
		resource_index(c, d);
		check_ancestors(c, d);
		return;
	}
	if (d->kind == DECL_ALIAS) {
		/* Messages are said where it is used, and here. */
		c->site = d->type;
		c->aliases = 1;
		resolve(c, d->type, NULL, AT_ALIAS);
		c->aliases = 0;
		c->site = NULL;
		return;
	}
	struct node *kept = arena_alloc(c->scratch, sizeof(*kept));

	*kept = n;
	resolve(c, kept, NULL, AT_ELEM);
}
