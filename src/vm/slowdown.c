/* SPDX-License-Identifier: GPL-2.0-or-later */
/* slowdown.c - how slow is this machine, now? */
#include <pthread.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "vm/vm.h"

enum {
	SAMPLES = 7,
	PAUSE_US = 1000,
	ROUNDS = 1000 * 1000,
	/* A million rounds of a 64-bit multiply and shift; measured on the
	 * idle virtual EPYC on which the default timeouts were chosen. */
	USUAL_US = 1500,
	MAX_PERCENT = 2000,
};

static unsigned percent = 100;

static uint64_t now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

/* Wall time, so that both a slow CPU and sharing it count. */
static unsigned sample_us(void)
{
	uint64_t from = now_us();
	volatile uint64_t sink;
	uint64_t x = from | 1;

	for (int i = 0; i < ROUNDS; i++)
		x = (x ^ (x >> 29)) * 0x9e3779b97f4a7c15ull;
	sink = x;
	(void)sink;
	return (unsigned)(now_us() - from);
}

static int by_value(const void *a, const void *b)
{
	unsigned x = *(const unsigned *)a, y = *(const unsigned *)b;

	return (x > y) - (x < y);
}

/* The median: a single preemption says nothing, many do. */
static void measure(void)
{
	unsigned us[SAMPLES];

	for (int i = 0; i < SAMPLES; i++) {
		us[i] = sample_us();
		usleep(PAUSE_US); /* or all share one unlucky time slice */
	}
	qsort(us, SAMPLES, sizeof(us[0]), by_value);
	unsigned p = us[SAMPLES / 2] * 100 / USUAL_US;
	percent = p < 100 ? 100 : MIN(p, (unsigned)MAX_PERCENT);
}

unsigned vm_slowdown(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, measure);
	return percent;
}
