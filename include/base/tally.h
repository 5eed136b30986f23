/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A table of how often things happened and how long they took, by a number that names
 * them. Its size is fixed: whoever chooses the numbers can neither make it grow nor make
 * it slow. One thread at a time uses one.
 *
 * Times are in whatever unit its user counts, up to 2^32 told apart.
 */
#ifndef ARMLET_BASE_TALLY_H
#define ARMLET_BASE_TALLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Two for each power of two: a time is told by them within a half. */
#define TALLY_BUCKETS 64

struct tally_row {
	uint64_t key;
	uint64_t count;
	uint64_t total; /* of all times */
	uint64_t max;
	uint64_t mark; /* the owner's, 0 in a new row */
	bool used;
	uint32_t buckets[TALLY_BUCKETS]; /* how many times were from tally_floor(i) on */
};

struct tally {
	struct tally_row *rows; /* in no order */
	size_t size;
	uint64_t lost; /* how often there was no room */
};

/* @size is a power of two, 8 or more. -ENOMEM. */
int tally_init(struct tally *tally, size_t size);
void tally_finish(struct tally *tally); /* takes a zeroed one */

/* The row of @key, which is there from then on. NULL: there is no room, and one more is lost. */
struct tally_row *tally_row(struct tally *tally, uint64_t key);

/* The first time that is counted in bucket @index. */
uint64_t tally_floor(unsigned index);

static inline unsigned tally_bucket(uint64_t time)
{
	unsigned log;

	if (time < 2)
		return (unsigned)time;
	log = 63U - (unsigned)__builtin_clzll(time);
	if (log >= TALLY_BUCKETS / 2)
		return TALLY_BUCKETS - 1;
	return 2 * log + (unsigned)(time >> (log - 1) & 1);
}

/* @weight events that took @time each. */
static inline void tally_add(struct tally_row *row, uint64_t time, uint32_t weight)
{
	row->count += weight;
	row->total += time * weight;
	if (time > row->max)
		row->max = time;
	row->buckets[tally_bucket(time)] += weight;
}

/* What is in @row in addition to what is in @sum. */
void tally_merge_row(struct tally_row *sum, const struct tally_row *row);

/* Likewise, of all rows, and what was lost. */
void tally_merge(struct tally *sum, const struct tally *tally);

/* The time that @percent of 100 of the events did not pass, at most the longest. */
uint64_t tally_percentile(const struct tally_row *row, unsigned percent);

/* The rows with a count, the most frequent first, are all that is left; no more is added. */
void tally_sort(struct tally *tally);

#endif
