/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kernel/regex.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "base/mem.h"

enum {
	PATTERN_MAX = 256, /* the kernel's longest has 97 characters */
	/*
	 * Backtracking steps in one text: a plain search takes a few for each
	 * byte, a pattern built to explode gives up after some milliseconds.
	 */
	STEPS_MAX = 200 * 1000,
	DEPTH_MAX = 1000,
};

struct regex {
	pcre2_code *code;
	pcre2_match_data *data;
	pcre2_match_context *limits;
};

struct regex *regex_new(struct slice perl)
{
	int error;
	PCRE2_SIZE where;
	pcre2_code *code;

	if (!perl.len || perl.len > PATTERN_MAX)
		return NULL;
	code = pcre2_compile((PCRE2_SPTR)perl.p, perl.len,
			     PCRE2_MULTILINE | PCRE2_NEVER_UTF |
				     PCRE2_NEVER_BACKSLASH_C,
			     &error, &where, NULL);
	if (!code)
		return NULL;
	struct regex *r = mem_calloc(1, sizeof(*r));
	r->code = code;
	r->data = pcre2_match_data_create(1, NULL);
	r->limits = pcre2_match_context_create(NULL);
	if (!r->data || !r->limits)
		abort();
	pcre2_set_match_limit(r->limits, STEPS_MAX);
	pcre2_set_depth_limit(r->limits, DEPTH_MAX);
	return r;
}

void regex_free(struct regex *r)
{
	if (!r)
		return;
	pcre2_match_context_free(r->limits);
	pcre2_match_data_free(r->data);
	pcre2_code_free(r->code);
	free(r);
}

bool regex_search(const struct regex *r, struct slice text)
{
	return pcre2_match(r->code, (PCRE2_SPTR)(text.p ? text.p : ""),
			   text.len, 0, 0, r->data, r->limits) >= 0;
}
