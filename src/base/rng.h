/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * rng.h - a small generator of pseudo-random numbers: xoshiro256** of Blackman
 * and Vigna (public domain), seeded by splitmix64.  Not for secrets.  The same
 * seed gives the same numbers on every machine, so runs can be repeated.
 */
#ifndef BASE_RNG_H
#define BASE_RNG_H

#include <stdbool.h>
#include <stdint.h>

struct rng {
	uint64_t s[4];
};

static inline void rng_seed(struct rng *r, uint64_t seed)
{
	for (int i = 0; i < 4; i++) {
		uint64_t z = (seed += 0x9e3779b97f4a7c15u);

		z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
		z = (z ^ z >> 27) * 0x94d049bb133111ebu;
		r->s[i] = z ^ z >> 31;
	}
}

static inline uint64_t rng_rotl_(uint64_t x, int k)
{
	return x << k | x >> (64 - k);
}

static inline uint64_t rng_u64(struct rng *r)
{
	uint64_t out = rng_rotl_(r->s[1] * 5, 7) * 9, t = r->s[1] << 17;

	r->s[2] ^= r->s[0];
	r->s[3] ^= r->s[1];
	r->s[1] ^= r->s[2];
	r->s[0] ^= r->s[3];
	r->s[2] ^= t;
	r->s[3] = rng_rotl_(r->s[3], 45);
	return out;
}

/* 0 to n - 1; 0 when n is 0.  The bias is below n / 2^64. */
static inline uint64_t rng_below(struct rng *r, uint64_t n)
{
	return (uint64_t)((unsigned __int128)rng_u64(r) * n >> 64);
}

/* lo to hi, both included; lo <= hi. */
static inline uint64_t rng_range(struct rng *r, uint64_t lo, uint64_t hi)
{
	return hi - lo == UINT64_MAX ? rng_u64(r) :
				       lo + rng_below(r, hi - lo + 1);
}

/* True in `n` of `of` cases. */
static inline bool rng_n_of(struct rng *r, uint64_t n, uint64_t of)
{
	return rng_below(r, of) < n;
}

static inline bool rng_one_of(struct rng *r, uint64_t of)
{
	return rng_n_of(r, 1, of);
}

#endif /* BASE_RNG_H */
