/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How long descriptions take: bench_desc DIR, syzkaller's sys/linux. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/files.h"
#include "desc/desc.h"

enum { SKIP = 77, LOADS = 20, TARGET_MS = 20 };

static double load_ms(const char *dir, const char *cache, size_t *ncalls)
{
	_cleanup_(desc_input_freep) struct desc_input *in = desc_input_new();
	_cleanup_(desc_freep) struct desc *d = NULL;
	struct timespec from, to;

	clock_gettime(CLOCK_MONOTONIC, &from);
	struct error *err = desc_load(dir, desc_arch_at(0), cache, in, &d);

	clock_gettime(CLOCK_MONOTONIC, &to);
	if (err || desc_errors(in)) {
		fprintf(stderr, "bench_desc: %s\n",
			err ? error_message(err) : "errors in it");
		exit(1);
	}
	*ncalls = d->ncalls;
	return (double)(to.tv_sec - from.tv_sec) * 1e3 +
	       (double)(to.tv_nsec - from.tv_nsec) / 1e6;
}

int main(int argc, char **argv)
{
	const char *env = getenv("BUGON_SYZKALLER");
	char cache[] = "/tmp/bench_desc.XXXXXX", dir[4096];
	double worst = 0, first;
	size_t ncalls;

	snprintf(dir, sizeof(dir), "%s/sys/linux",
		 env	  ? env :
		 argc > 1 ? argv[1] :
			    ".");
	if (!file_is_dir(dir)) {
		fprintf(stderr, "no descriptions: %s\n", dir);
		return SKIP;
	}
	if (!mkdtemp(cache))
		return 1;
	first = load_ms(dir, cache, &ncalls);
	for (int i = 0; i < LOADS; i++) {
		double ms = load_ms(dir, cache, &ncalls);

		worst = ms > worst ? ms : worst;
	}
	file_remove_tree(cache);
	printf("%zu calls: compiled in %.0f ms; from the cache in at most "
	       "%.1f ms (target: under %d ms)\n",
	       ncalls, first, worst, TARGET_MS);
	return worst >= TARGET_MS;
}
