/* SPDX-License-Identifier: GPL-2.0-or-later */
/* missed.c - the options that did not become what they should be. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "kbuild/internal.h"

void kernel_misses_deinit(kernel_misses *m)
{
	vec_for_each(m, i) {
		free(i->option);
		free(i->wanted);
		free(i->got);
		free(i->why);
	}
	vec_free(m);
}

/* "CONFIG_X=v" or "# CONFIG_X is not set"; false for anything else. */
static bool parse_line(struct slice line, struct slice *option,
		       struct slice *value)
{
	static const struct slice not_set = SLICE(" is not set");
	const char *eq;

	line = slice_trim(line);
	if (slice_starts(line, SLICE("# CONFIG_")) &&
	    slice_ends(line, not_set)) {
		line = slice_from(line, 2);
		*option = (struct slice){ line.p, line.len - not_set.len };
		*value = SLICE("n");
		return true;
	}
	if (!slice_starts(line, SLICE("CONFIG_")))
		return false;
	eq = memchr(line.p, '=', line.len);
	if (!eq)
		return false;
	*option = slice_range(line.p, eq);
	*value = slice_range(eq + 1, line.p + line.len);
	return true;
}

/* As it stands in a configuration: quotes and all, "n" if it does not. */
static struct slice value_of(struct slice config, struct slice option)
{
	struct slice line, o, v;

	while (slice_line(&config, &line))
		if (parse_line(line, &o, &v) && slice_eq(o, option))
			return v;
	return SLICE("n");
}

/* Is the option set again further down? Then that counts. */
static bool comes_again(struct slice rest, struct slice option)
{
	struct slice line, o, v;

	while (slice_line(&rest, &line))
		if (parse_line(line, &o, &v) && slice_eq(o, option))
			return true;
	return false;
}

void missed_find(struct slice wanted, struct slice config,
		 kernel_misses *missed)
{
	struct slice line, option, value;

	while (slice_line(&wanted, &line)) {
		if (!parse_line(line, &option, &value) ||
		    comes_again(wanted, option))
			continue;
		struct slice got = value_of(config, option);
		if (slice_eq(got, value))
			continue;
		vec_push(missed,
			 (struct kernel_missed){
				 .option = mem_dup0(option.p, option.len),
				 .wanted = mem_dup0(value.p, value.len),
				 .got = mem_dup0(got.p, got.len),
				 .why = mem_strdup(""),
			 });
	}
}
