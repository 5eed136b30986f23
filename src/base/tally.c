/* SPDX-License-Identifier: Apache-2.0 */
#include "base/tally.h"

#include <errno.h>
#include <stdlib.h>

#define PROBES 8 /* how far from its place a row may be */

int tally_init(struct tally *tally, size_t size)
{
	*tally = (struct tally){.rows = calloc(size, sizeof(*tally->rows)), .size = size};
	return tally->rows ? 0 : -ENOMEM;
}

void tally_finish(struct tally *tally)
{
	free(tally->rows);
	*tally = (struct tally){0};
}

/* Fibonacci hashing: the upper bits of a product with 2^64 by the golden ratio. */
static size_t place_of(uint64_t key)
{
	return (size_t)(key * UINT64_C(0x9e3779b97f4a7c15) >> 40);
}

struct tally_row *tally_row(struct tally *tally, uint64_t key)
{
	size_t at = place_of(key);

	for (size_t i = 0; i < PROBES; i++) {
		struct tally_row *row = &tally->rows[(at + i) & (tally->size - 1)];

		if (!row->used) {
			row->used = true;
			row->key = key;
		}
		if (row->key == key)
			return row;
	}
	tally->lost++;
	return NULL;
}

uint64_t tally_floor(unsigned index)
{
	if (index < 2)
		return index;
	return (uint64_t)(2 + (index & 1)) << (index / 2 - 1);
}

void tally_merge_row(struct tally_row *sum, const struct tally_row *row)
{
	sum->count += row->count;
	sum->total += row->total;
	if (row->max > sum->max)
		sum->max = row->max;
	for (unsigned i = 0; i < TALLY_BUCKETS; i++)
		sum->buckets[i] += row->buckets[i];
}

void tally_merge(struct tally *sum, const struct tally *tally)
{
	for (size_t i = 0; i < tally->size; i++) {
		const struct tally_row *row = &tally->rows[i];
		struct tally_row *into = row->count ? tally_row(sum, row->key) : NULL;

		if (into)
			tally_merge_row(into, row);
		else if (row->count)
			sum->lost += row->count - 1; /* one is counted already */
	}
	sum->lost += tally->lost;
}

uint64_t tally_percentile(const struct tally_row *row, unsigned percent)
{
	uint64_t wanted = (row->count * percent + 99) / 100, seen = 0;

	for (unsigned i = 0; i < TALLY_BUCKETS - 1; i++) {
		seen += row->buckets[i];
		if (seen >= wanted && tally_floor(i + 1) - 1 < row->max)
			return tally_floor(i + 1) - 1;
		if (seen >= wanted)
			break;
	}
	return row->max;
}

static int by_count(const void *a, const void *b)
{
	const struct tally_row *one = a, *other = b;

	if (one->count != other->count)
		return one->count > other->count ? -1 : 1;
	return one->key < other->key ? -1 : one->key > other->key;
}

void tally_sort(struct tally *tally)
{
	size_t count = 0;

	for (size_t i = 0; i < tally->size; i++) {
		if (tally->rows[i].count)
			tally->rows[count++] = tally->rows[i];
	}
	tally->size = count;
	if (count)
		qsort(tally->rows, count, sizeof(*tally->rows), by_count);
}
