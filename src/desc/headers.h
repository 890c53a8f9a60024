/* SPDX-License-Identifier: GPL-2.0-or-later */
/* headers.h - kernel headers for clang: desc_headers_open() of desc.h. */
#ifndef DESC_HEADERS_H
#define DESC_HEADERS_H

#include "base/vec.h"
#include "desc/desc.h"

struct desc_headers {
	const struct desc_arch *arch;
	char *source; /* the tree, or the directory */
	bool user; /* installed headers, as programs see them */
	char *dir; /* a temporary one, with what make would generate; or NULL */
	VEC(char *) args; /* options of clang */
};

#endif /* DESC_HEADERS_H */
