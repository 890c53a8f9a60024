/* SPDX-License-Identifier: GPL-2.0-or-later */
/* internal.h - what reader and writer of corpus.db share. */
#ifndef CORPUS_INTERNAL_H
#define CORPUS_INTERNAL_H

#include <stdio.h>

#include "corpus/corpus.h"

#define CORPUS_DB_MAGIC 0xbaddbu
#define CORPUS_RECORD_MAGIC 0xfee1badu
#define CORPUS_DELETED UINT64_MAX
enum { CORPUS_FORMAT = 2, CORPUS_CHUNK_BYTES = 16 << 10 };

/** corpus_open() of a seekable stream, which it takes over; for fuzzing. */
fallible corpus_open_stream(const char *name, FILE *f,
			    struct corpus_reader **out);

#endif /* CORPUS_INTERNAL_H */
