/* SPDX-License-Identifier: GPL-2.0-or-later */
/* parse_arg.c - arguments in the text of programs, by their types. */
#include "prog/text.h"

const char *const any_names[ANY_KINDS] = {
	"ANYBLOB",  "ANYRES8",	 "ANYRES16",  "ANYRES32",
	"ANYRES64", "ANYRESDEC", "ANYRESHEX", "ANYRESOCT",
};

static const char *type_name(const struct parser *s, uint32_t type)
{
	return desc_name(s->d, s->d->types[type].name);
}

uint32_t default_field(struct parser *s, const struct desc_field *f,
		       uint8_t dir)
{
	uint32_t a = arg_new_default(s->p, f->type, field_dir(f, dir));

	if (f->cond != DESC_NONE)
		arg_at(s->p, a)->flags |= ARG_AUTO;
	return a;
}

/* What is written is of another kind: the default is taken. */
static fallible wrong_kind(struct parser *s, const char *start,
			   const char *what, uint32_t type)
{
	TRY(misfit(s, start, "%s cannot be %s", type_name(s, type), what));
	skip_excess(s, true);
	return NULL;
}

/* ---- Numbers and results ------------------------------------------------------- */

static fallible parse_special(struct parser *s, const char *start,
			      uint64_t value, uint32_t arg)
{
	uint64_t lowest = special_lowest(s->t);

	if (-value > -lowest)
		TRY(misfit(s, start,
			   "this is no address: write &(0x7f...), or "
			   "0x0 for null, or %#llx and above for "
			   "bad ones",
			   (unsigned long long)lowest));
	arg_at(s->p, arg)->flags = ARG_SPECIAL;
	arg_at(s->p, arg)->value = -(-value % (1 - lowest));
	return NULL;
}

/* What the kernel writes, and what is computed, has no value of its own. */
static fallible check_number(struct parser *s, const char *start, uint32_t arg)
{
	struct arg *a = arg_at(s->p, arg);
	const struct desc_type *t = arg_type(s->p, a);
	const char *name = desc_name(s->d, t->name);

	if (arg_is_default(s->p, arg) || t->kind == DESC_LEN)
		return NULL;
	if (t->kind == DESC_PROC && a->value >= t->hi) {
		TRY(misfit(s, start, "%s has only the values below %#llx", name,
			   (unsigned long long)t->hi));
		a->value = UINT64_MAX;
	}
	if (t->kind == DESC_CSUM && a->value) {
		TRY(misfit(s, start, "%s is computed, write 0x0", name));
		a->value = 0;
	}
	if (a->dir != DESC_OUT || arg_is_default(s->p, arg) ||
	    (a->kind == ARG_RESULT && !a->value))
		return NULL;
	TRY(misfit(s, start,
		   "%s is written by the kernel, leave it at its "
		   "default value",
		   name));

	uint32_t fresh = arg_new_default(s->p, a->type, DESC_OUT);

	arg_at(s->p, arg)->value = arg_at(s->p, fresh)->value;
	return NULL;
}

static fallible parse_int(struct parser *s, uint32_t type, uint8_t dir,
			  uint32_t *out)
{
	enum arg_kind kind = type_arg_kind(s->d, type);
	const char *start = s->at;
	uint64_t value;

	TRY(parse_number(s, &value));
	if (kind != ARG_CONST && kind != ARG_RESULT && kind != ARG_POINTER &&
	    kind != ARG_VMA)
		return wrong_kind(s, start, "a number", type);

	uint32_t a = arg_new(s->p, kind, type, dir);

	*out = a;
	if (kind == ARG_POINTER || kind == ARG_VMA)
		return parse_special(s, start, value, a);
	arg_at(s->p, a)->value = value;
	return check_number(s, start, a);
}

static fallible parse_operand(struct parser *s, char op, uint64_t *out)
{
	if (take(s, op))
		TRY(parse_number(s, out));
	return NULL;
}

/* r0/2+4; the type is DESC_NONE within ANY. */
static fallible parse_result(struct parser *s, uint32_t type, uint8_t dir,
			     uint32_t *out)
{
	const char *start = s->at;
	struct slice name;
	uint64_t div = 0, add = 0;

	TRY(parse_ident(s, &name));
	TRY(parse_operand(s, '/', &div));
	TRY(parse_operand(s, '+', &add));
	if (type != DESC_NONE && type_arg_kind(s->d, type) != ARG_RESULT)
		return wrong_kind(s, start, "a result", type);

	uint32_t made = find_var(s, name);

	if (made == ARG_NONE)
		return misfit(s, start,
			      SLICE_FMT " is not made by an earlier "
					"call: name a result of one, or give "
					"a number",
			      SLICE_ARG(name));

	uint32_t a = arg_new(s->p, ARG_RESULT, type, dir);

	arg_at(s->p, a)->child = made;
	arg_at(s->p, a)->div = div;
	arg_at(s->p, a)->extra = add;
	*out = a;
	return NULL;
}

/* ---- Squashed pointees ---------------------------------------------------------- */

static uint32_t new_any(struct parser *s, enum any_kind kind)
{
	bool blob = kind == ANY_BLOB;
	uint32_t a =
		arg_new(s->p, blob ? ARG_DATA : ARG_RESULT, DESC_NONE,
			blob || kind >= ANY_RES_DEC ? DESC_IN : DESC_INOUT);

	arg_at(s->p, a)->flags = ARG_ANY;
	arg_at(s->p, a)->any = (uint8_t)kind;
	if (!blob)
		arg_at(s->p, a)->value = ANY_DEFAULT;
	return a;
}

static fallible parse_any_result(struct parser *s, uint32_t *arg)
{
	const char *start = s->at;
	struct slice name = {};
	uint32_t a = ARG_NONE;
	uint64_t value;

	if (take(s, '<')) {
		TRY(parse_ident(s, &name));
		TRY(expect(s, '='));
		TRY(expect(s, '>'));
	}
	if (peek(s) == 'r')
		TRY(parse_result(s, DESC_NONE, DESC_INOUT, &a));
	else if (peek(s) >= '0' && peek(s) <= '9') {
		TRY(parse_number(s, &value));
		arg_at(s->p, *arg)->value = value;
	} else if (!take_word(s, SLICE("nil"))) {
		TRY(misfit(s, start,
			   "this is no result: write a number or "
			   "name one"));
		skip_excess(s, true);
	}
	if (a != ARG_NONE) {
		arg_at(s->p, *arg)->child = arg_at(s->p, a)->child;
		arg_at(s->p, *arg)->div = arg_at(s->p, a)->div;
		arg_at(s->p, *arg)->extra = arg_at(s->p, a)->extra;
	}
	if (name.p && arg_at(s->p, *arg)->dir != DESC_IN)
		vec_push(&s->made, (struct parse_var){ name, *arg });
	return NULL;
}

static fallible parse_any_option(struct parser *s, struct slice name,
				 uint32_t *out)
{
	const char *start = s->at;
	enum any_kind kind = 0;

	while (kind < ANY_KINDS && !slice_eq(name, slice_cstr(any_names[kind])))
		kind++;
	if (kind == ANY_KINDS) {
		TRY(misfit(s, start,
			   "there is no '" SLICE_FMT
			   "' in ANY: it has ANYBLOB and ANYRES8, "
			   "16, 32, 64, DEC, HEX, OCT",
			   SLICE_ARG(name)));
		skip_excess(s, true);
		*out = new_any(s, ANY_BLOB);
		return NULL;
	}
	if (kind == ANY_BLOB && take(s, '=') &&
	    (peek(s) == '"' || peek(s) == '\'')) {
		TRY(parse_data(s, DESC_NONE, DESC_IN, out));
		arg_at(s->p, *out)->flags = ARG_ANY;
		return NULL;
	}
	*out = new_any(s, kind);
	if (kind != ANY_BLOB)
		return take(s, '=') ? parse_any_result(s, out) : NULL;
	if (s->at > start && s->at[-1] == '=') {
		TRY(misfit(s, start, "ANYBLOB is a string"));
		skip_excess(s, true);
	}
	return NULL;
}

/* Behind &(...)=ANY=: [@ANYBLOB="...", @ANYRES32=r0, ...]. */
static fallible parse_any(struct parser *s, const struct desc_type *pointer,
			  uint32_t *out)
{
	uint32_t group = arg_new(s->p, ARG_GROUP, pointer->elem, pointer->dir);
	struct chain list = CHAIN_EMPTY;

	arg_at(s->p, group)->flags = ARG_ANY;
	TRY(expect(s, '['));
	while (peek(s) != ']') {
		struct slice name = {};
		uint32_t a = ARG_NONE;

		if (s->p->args.len >= PROG_MAX_ARGS)
			return parse_error(s, s->at, "too many arguments");
		if (take(s, '@')) {
			TRY(parse_ident(s, &name));
			TRY(parse_any_option(s, name, &a));
		} else if (take_word(s, SLICE("nil"))) {
			a = new_any(s, ANY_BLOB);
		} else {
			TRY(misfit(s, s->at,
				   "ANY consists of @ANYBLOB and "
				   "@ANYRES"));
			skip_excess(s, true);
			a = new_any(s, ANY_BLOB);
		}
		chain_add(s->p, &list, a);
		if (peek(s) != ']')
			TRY(expect(s, ','));
	}
	TRY(expect(s, ']'));
	arg_at(s->p, group)->child = list.first;
	*out = group;
	return NULL;
}

/* ---- Pointers ------------------------------------------------------------------- */

struct address {
	const char *start;
	uint64_t at, size; /* bytes of a vma, when there is a '/' */
	bool is_auto, has_size;
};

static fallible parse_address(struct parser *s, struct address *a)
{
	a->start = s->at;
	TRY(expect(s, '&'));
	if (take_word(s, SLICE("AUTO"))) {
		a->is_auto = true;
		return NULL;
	}
	TRY(expect(s, '('));
	TRY(parse_number(s, &a->at));
	a->at -= TEXT_DATA_START;
	if (take(s, '/')) {
		a->has_size = true;
		TRY(parse_number(s, &a->size));
	}
	return expect(s, ')');
}

static fallible out_of_range(struct parser *s, const struct address *a)
{
	return misfit(s, a->start,
		      "this is not all within the memory of "
		      "programs, %#llx to %#llx",
		      (unsigned long long)TEXT_DATA_START,
		      (unsigned long long)TEXT_DATA_START + DATA_BYTES);
}

/* Whole pages within the memory. */
static fallible fit_vma(struct parser *s, struct address *a)
{
	const uint64_t mask = DATA_PAGE - 1;

	if (a->at & mask || (a->has_size && (!a->size || a->size & mask)))
		TRY(misfit(s, a->start,
			   "address and size are multiples of "
			   "%#x, the size of a page",
			   DATA_PAGE));
	if (a->has_size &&
	    (a->size > DATA_BYTES || a->at > DATA_BYTES - a->size))
		TRY(out_of_range(s, a));
	if (a->has_size) {
		a->size = MIN(a->size, (uint64_t)DATA_BYTES);
		a->size = (a->size + mask) & ~mask;
		a->size = a->size ? a->size : DATA_PAGE;
	}
	a->at = MIN(a->at, DATA_BYTES - a->size) & ~mask;
	return NULL;
}

static fallible parse_vma(struct parser *s, uint32_t type, uint8_t dir,
			  struct address *a, uint32_t *out)
{
	if (a->is_auto)
		return parse_error(s, a->start,
				   "memory has to have an "
				   "address: &(0x7f.../0x1000)");
	if (take(s, '=') && !take_word(s, SLICE("nil"))) {
		TRY(misfit(s, s->at,
			   "there is nothing in memory that is only "
			   "a range, write nil"));
		skip_excess(s, true);
	}
	TRY(fit_vma(s, a));
	*out = arg_new(s->p, ARG_VMA, type, dir);
	if (!a->at && !a->size) {
		arg_at(s->p, *out)->flags = ARG_SPECIAL;
		return NULL;
	}
	arg_at(s->p, *out)->value = a->at;
	arg_at(s->p, *out)->extra = a->size;
	return NULL;
}

static bool may_squash(const struct parser *s, uint32_t pointer)
{
	return type_is_squashable(s->t, pointer) &&
	       !(s->d->calls[s->call].attrs & 1u << DESC_CALL_NO_SQUASH);
}

static fallible parse_pointee(struct parser *s, uint32_t type, uint32_t *out)
{
	const struct desc_type *t = &s->d->types[type];
	const char *start = s->at;

	if (!take(s, '=')) {
		*out = arg_new_default(s->p, t->elem, t->dir);
		return NULL;
	}
	if (!take_word(s, SLICE("ANY=")))
		return parse_arg(s, t->elem, t->dir, out);
	if (may_squash(s, type))
		return parse_any(s, t, out);
	TRY(misfit(s, start, "%s cannot be squashed to ANY",
		   type_name(s, t->elem)));
	skip_excess(s, true);
	*out = arg_new_default(s->p, t->elem, t->dir);
	return NULL;
}

static fallible parse_pointer(struct parser *s, uint32_t type, uint8_t dir,
			      uint32_t *out)
{
	enum arg_kind kind = type_arg_kind(s->d, type);
	struct address addr = {};
	uint32_t a, child;

	if (kind != ARG_POINTER && kind != ARG_VMA)
		return wrong_kind(s, s->at, "an address", type);
	TRY(parse_address(s, &addr));
	if (kind == ARG_VMA)
		return parse_vma(s, type, dir, &addr, out);
	if (addr.has_size) /* the type was a vma once */
		addr.at &= ~(uint64_t)(DATA_PAGE - 1);
	a = arg_new(s->p, ARG_POINTER, type, dir);
	TRY(parse_pointee(s, type, &child));

	uint64_t size = arg_size(s->p, child);

	if (size > DATA_BYTES)
		return parse_error(s, addr.start,
				   "what this points to is "
				   "larger than the memory of "
				   "programs, %#x bytes",
				   DATA_BYTES);
	if (addr.at >= DATA_BYTES || addr.at > DATA_BYTES - size) {
		TRY(out_of_range(s, &addr));
		addr.at = 0;
	}
	arg_at(s->p, a)->child = child;
	arg_at(s->p, a)->value = addr.at;
	if (addr.is_auto) {
		arg_at(s->p, a)->flags = ARG_AUTO;
		s->autos = true;
	}
	*out = a;
	return NULL;
}

/* ---- Structs, arrays, unions ----------------------------------------------------- */

/* @value=..., @void, or left to the condition. */
static fallible parse_conditional(struct parser *s, const struct desc_field *f,
				  uint8_t dir, uint32_t *out)
{
	const char *start = s->at;
	struct slice name = {};

	dir = field_dir(f, dir);
	if (take(s, '@')) {
		TRY(parse_ident(s, &name));
		if (slice_eq(name, SLICE(TEXT_PRESENT))) {
			if (take(s, '='))
				return parse_arg(s, f->type, dir, out);
			*out = arg_new_default(s->p, f->type, dir);
			return NULL;
		}
		if (slice_eq(name, SLICE(TEXT_ABSENT))) {
			*out = arg_new(s->p, ARG_ABSENT, f->type, dir);
			return NULL;
		}
		s->at = start;
	}
	if (peek(s) != 'n')
		TRY(misfit(s, start,
			   "'%s' has a condition, write @value=... "
			   "or @void",
			   desc_name(s->d, f->name)));
	/* Descriptions may have had none then. */
	TRY(parse_arg(s, f->type, dir, out));
	arg_at(s->p, *out)->flags |= ARG_AUTO;
	return NULL;
}

static fallible parse_fields(struct parser *s, const struct desc_record *r,
			     uint8_t dir, struct chain *list)
{
	uint32_t i = 0, a;

	for (; peek(s) != '}' && i < r->nfields; i++) {
		const struct desc_field *f = &s->d->fields[r->field + i];

		if (f->cond != DESC_NONE)
			TRY(parse_conditional(s, f, dir, &a));
		else
			TRY(parse_arg(s, f->type, field_dir(f, dir), &a));
		chain_add(s->p, list, a);
		if (peek(s) != '}')
			TRY(expect(s, ','));
	}
	if (peek(s) != '}') {
		TRY(misfit(s, s->at, "%s has only %u fields",
			   desc_name(s->d, r->name), r->nfields));
		skip_excess(s, false);
	}
	for (; i < r->nfields; i++)
		chain_add(s->p, list,
			  default_field(s, &s->d->fields[r->field + i], dir));
	return NULL;
}

static fallible parse_struct(struct parser *s, uint32_t type, uint8_t dir,
			     uint32_t *out)
{
	const struct desc_type *t = &s->d->types[type];
	struct chain list = CHAIN_EMPTY;
	const char *start = s->at;

	TRY(expect(s, '{'));
	if (t->kind != DESC_STRUCT) {
		TRY(misfit(s, start, "%s cannot be a struct",
			   type_name(s, type)));
		skip_excess(s, false);
		return expect(s, '}');
	}

	uint32_t a = arg_new(s->p, ARG_GROUP, type, dir);

	TRY(parse_fields(s, &s->d->records[t->elem], dir, &list));
	TRY(expect(s, '}'));
	arg_at(s->p, a)->child = list.first;
	*out = a;
	return NULL;
}

static fallible parse_elements(struct parser *s, const struct desc_type *t,
			       uint8_t dir, struct chain *list)
{
	bool fixed = t->flags & DESC_RANGE && t->lo == t->hi;
	uint64_t n = 0;
	uint32_t a;

	for (; peek(s) != ']'; n++) {
		if (fixed && n == t->lo) {
			TRY(misfit(s, s->at, "%s has only %llu elements",
				   desc_name(s->d, t->name),
				   (unsigned long long)t->lo));
			skip_excess(s, false);
			break;
		}
		TRY(parse_arg(s, t->elem, dir, &a));
		chain_add(s->p, list, a);
		if (peek(s) != ']')
			TRY(expect(s, ','));
	}
	for (; fixed && n < t->lo && s->p->args.len < PROG_MAX_ARGS; n++) {
		a = arg_new_default(s->p, t->elem, dir);
		chain_add(s->p, list, a);
	}
	return NULL;
}

static fallible parse_array(struct parser *s, uint32_t type, uint8_t dir,
			    uint32_t *out)
{
	const struct desc_type *t = &s->d->types[type];
	struct chain list = CHAIN_EMPTY;
	const char *start = s->at;

	TRY(expect(s, '['));
	if (t->kind != DESC_ARRAY || type_is_data(s->d, type)) {
		TRY(misfit(s, start, "%s cannot be an array",
			   type_name(s, type)));
		skip_excess(s, false);
		return expect(s, ']');
	}

	uint32_t a = arg_new(s->p, ARG_GROUP, type, dir);

	TRY(parse_elements(s, t, dir, &list));
	TRY(expect(s, ']'));
	arg_at(s->p, a)->child = list.first;
	*out = a;
	return NULL;
}

static fallible no_option(struct parser *s, const char *start,
			  struct slice name, const struct desc_record *r)
{
	_cleanup_(buf_deinit) struct buf all = {};

	if (s->mode == PROG_REPAIR)
		return NULL;
	for (uint32_t i = 0; i < r->nfields && i < 10; i++)
		buf_printf(&all, "%s%s", i ? ", " : "",
			   desc_name(s->d, s->d->fields[r->field + i].name));
	return parse_error(s, start,
			   "%s has no option '" SLICE_FMT "'; it has %s%s",
			   desc_name(s->d, r->name), SLICE_ARG(name),
			   buf_cstr(&all), r->nfields > 10 ? ", ..." : "");
}

static fallible parse_union(struct parser *s, uint32_t type, uint8_t dir,
			    uint32_t *out)
{
	const struct desc_type *t = &s->d->types[type];
	const char *start = s->at;
	struct slice name;
	uint32_t i = 0;

	if (t->kind != DESC_UNION)
		return wrong_kind(s, start, "a union", type);
	TRY(expect(s, '@'));
	TRY(parse_ident(s, &name));

	const struct desc_record *r = &s->d->records[t->elem];
	const struct desc_field *f = &s->d->fields[r->field];

	while (i < r->nfields &&
	       !slice_eq(name, slice_cstr(desc_name(s->d, f[i].name))))
		i++;
	if (i == r->nfields) {
		TRY(no_option(s, start, name, r));
		skip_excess(s, true);
		return NULL;
	}

	uint32_t a = arg_new(s->p, ARG_UNION, type, dir), option;

	if (take(s, '='))
		TRY(parse_arg(s, f[i].type, field_dir(&f[i], dir), &option));
	else
		option =
			arg_new_default(s->p, f[i].type, field_dir(&f[i], dir));
	arg_at(s->p, a)->child = option;
	arg_at(s->p, a)->extra = i;
	*out = a;
	return NULL;
}

/* ---- AUTO ------------------------------------------------------------------------ */

static fallible make_auto(struct parser *s, const char *start, uint32_t type,
			  uint8_t dir, uint32_t *out)
{
	const struct desc_type *t = &s->d->types[type];
	struct chain list = CHAIN_EMPTY;
	uint32_t a;

	if (t->kind == DESC_LEN || t->kind == DESC_CONST ||
	    t->kind == DESC_CSUM) {
		*out = arg_new_default(s->p, type, dir);
		if (t->kind == DESC_LEN) {
			arg_at(s->p, *out)->flags = ARG_AUTO;
			s->lengths = true;
		}
		return NULL;
	}
	if (t->kind != DESC_STRUCT)
		return parse_error(s, start,
				   "AUTO is for lengths, constants, "
				   "checksums, structs of these and "
				   "addresses; %s needs a value",
				   type_name(s, type));

	const struct desc_record *r = &s->d->records[t->elem];

	*out = arg_new(s->p, ARG_GROUP, type, dir);
	for (uint32_t i = 0; i < r->nfields; i++) {
		const struct desc_field *f = &s->d->fields[r->field + i];

		if (f->cond != DESC_NONE)
			a = default_field(s, f, dir);
		else
			TRY(make_auto(s, start, f->type, field_dir(f, dir),
				      &a));
		chain_add(s->p, &list, a);
	}
	arg_at(s->p, *out)->child = list.first;
	return NULL;
}

static fallible parse_auto(struct parser *s, uint32_t type, uint8_t dir,
			   uint32_t *out)
{
	const char *start = s->at;

	if (!take_word(s, SLICE("AUTO")))
		return parse_error(s, start, "unknown word, is AUTO meant?");
	return make_auto(s, start, type, dir, out);
}

/* ---- Arguments -------------------------------------------------------------------- */

/* Leaves *out alone when the default is to be taken. */
static fallible parse_value(struct parser *s, uint32_t type, uint8_t dir,
			    uint32_t *out)
{
	switch (peek(s)) {
	case '0' ... '9':
		return parse_int(s, type, dir, out);
	case 'r':
		return parse_result(s, type, dir, out);
	case '&':
		return parse_pointer(s, type, dir, out);
	case '"':
	case '\'':
		if (!type_is_data(s->d, type))
			return wrong_kind(s, s->at, "a string", type);
		return parse_data(s, type, dir, out);
	case '{':
		return parse_struct(s, type, dir, out);
	case '[':
		return parse_array(s, type, dir, out);
	case '@':
		return parse_union(s, type, dir, out);
	case 'A':
		return parse_auto(s, type, dir, out);
	case 'n':
		if (take_word(s, SLICE("nil")))
			return NULL;
		break;
	case '\0':
		if (s->at == s->end)
			return parse_error(s, s->at,
					   "the line ends here, an "
					   "argument is missing");
	}
	return parse_error(s, s->at,
			   "this is no argument: write a number, "
			   "&(...), '...', \"...\", {...}, [...], "
			   "@..., a result, nil or AUTO");
}

static fallible name_result(struct parser *s, const char *start,
			    struct slice name, uint32_t arg)
{
	const struct arg *a = arg_at(s->p, arg);

	if (a->kind != ARG_RESULT || a->dir == DESC_IN)
		return misfit(s, start,
			      "the kernel makes no result here, so "
			      "it cannot be named " SLICE_FMT,
			      SLICE_ARG(name));
	vec_push(&s->made, (struct parse_var){ name, arg });
	return NULL;
}

fallible parse_arg(struct parser *s, uint32_t type, uint8_t dir, uint32_t *out)
{
	const char *start = s->at;
	struct slice name = {};
	uint32_t a = ARG_NONE;

	if (s->depth == TREE_DEPTH_MAX)
		return parse_error(s, start,
				   "arguments are more than %d deep "
				   "within each other",
				   TREE_DEPTH_MAX);
	if (s->p->args.len >= PROG_MAX_ARGS)
		return parse_error(s, start,
				   "the program has more than %d "
				   "arguments, split it",
				   PROG_MAX_ARGS);
	if (take(s, '<')) {
		TRY(parse_ident(s, &name));
		TRY(expect(s, '='));
		TRY(expect(s, '>'));
	}
	s->depth++;
	TRY(parse_value(s, type, dir, &a));
	s->depth--;
	if (a == ARG_NONE)
		a = arg_new_default(s->p, type, dir);
	*out = a;
	return name.p ? name_result(s, start, name, a) : NULL;
}
