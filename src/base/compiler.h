/* SPDX-License-Identifier: GPL-2.0-or-later */
/* compiler.h - the GNU C dialect we allow ourselves, in one place. */
#ifndef BASE_COMPILER_H
#define BASE_COMPILER_H

#include <stdlib.h>

#define PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#define _cleanup_(fn) __attribute__((cleanup(fn)))
#define unlikely(x) __builtin_expect(!!(x), 0)
#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))
#define MIN(a, b)                                  \
	({                                         \
		__typeof__(a) min_a_ = (a);        \
		__typeof__(b) min_b_ = (b);        \
		min_a_ < min_b_ ? min_a_ : min_b_; \
	})
#define MAX(a, b)                                  \
	({                                         \
		__typeof__(a) max_a_ = (a);        \
		__typeof__(b) max_b_ = (b);        \
		max_a_ > max_b_ ? max_a_ : max_b_; \
	})

/* Hand a scope-guarded pointer to a new owner. */
#define take_ptr(p)                            \
	({                                     \
		__typeof__(p) take_ptr_ = (p); \
		(p) = NULL;                    \
		take_ptr_;                     \
	})

/* DEFINE_CLEANUP(struct vm *, vm_free) makes vm_freep for _cleanup_(). */
#define DEFINE_CLEANUP(type, fn)          \
	static inline void fn##p(type *p) \
	{                                 \
		if (*p)                   \
			fn(*p);           \
	}

/* _cleanup_(freep) char *s = NULL; */
static inline void freep(void *p)
{
	free(*(void **)p);
}

#endif /* BASE_COMPILER_H */
