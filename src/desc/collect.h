/* SPDX-License-Identifier: GPL-2.0-or-later */
/* collect.h - declarations by name. */
#ifndef DESC_COLLECT_H
#define DESC_COLLECT_H

#include "desc/compile.h"

/** Enter all declarations into the tables; `broken` is set on bad ones. */
void collect(struct compiler *c);

/** Check what the calls did not lead to, and warn of it. */
void check_unused(struct compiler *c, bool warn);
void check_decl(struct compiler *c, struct decl *d);

/** Whether the name was here since c->stamp was raised; it is now. */
bool stamp_name(struct compiler *c, uint32_t name);
bool stamp_include(struct compiler *c, uint32_t name, uint32_t file);

#endif /* DESC_COLLECT_H */
