/* SPDX-License-Identifier: Apache-2.0 */
/* Tables of counts and times: bounded, whatever is counted. */
#include "base/tally.h"

#include <string.h>

#include "unit.h"

START_TEST(test_buckets)
{
	/* Each time is in the bucket whose floor is the last that it reaches. */
	for (uint64_t time = 0; time < 100000; time += 1 + time / 50) {
		unsigned bucket = tally_bucket(time);

		ck_assert_uint_le(tally_floor(bucket), time);
		ck_assert_uint_gt(tally_floor(bucket + 1), time);
	}
	ck_assert_uint_eq(tally_bucket(UINT64_MAX), TALLY_BUCKETS - 1);
	ck_assert_uint_eq(tally_bucket(UINT64_C(1) << 32), TALLY_BUCKETS - 1);
	ck_assert_uint_eq(tally_bucket((UINT64_C(1) << 32) - 1), TALLY_BUCKETS - 1);
}
END_TEST

START_TEST(test_counts)
{
	struct tally tally;
	struct tally_row *row;

	ck_assert_int_eq(tally_init(&tally, 64), 0);
	row = tally_row(&tally, 7);
	for (unsigned i = 1; i <= 100; i++)
		tally_add(row, i * 10, 1);
	tally_add(tally_row(&tally, 0), 5, 17);
	ck_assert_ptr_eq(tally_row(&tally, 7), row);
	ck_assert_uint_eq(row->count, 100);
	ck_assert_uint_eq(row->total, 50500);
	ck_assert_uint_eq(row->max, 1000);
	/* To within a half. */
	ck_assert_uint_ge(tally_percentile(row, 50), 500);
	ck_assert_uint_le(tally_percentile(row, 50), 750);
	ck_assert_uint_eq(tally_percentile(row, 100), 1000);
	ck_assert_uint_le(tally_percentile(row, 1), 15);
	ck_assert_uint_eq(tally_row(&tally, 0)->total, 85);
	tally_sort(&tally);
	ck_assert_uint_eq(tally.size, 2);
	ck_assert_uint_eq(tally.rows[0].key, 7);
	ck_assert_uint_eq(tally.rows[1].key, 0);
	ck_assert_uint_eq(tally.lost, 0);
	tally_finish(&tally);
}
END_TEST

START_TEST(test_full)
{
	struct tally tally, sum;
	uint64_t kept = 0;

	ck_assert_int_eq(tally_init(&tally, 64), 0);
	for (uint64_t key = 0; key < 10000; key++) {
		struct tally_row *row = tally_row(&tally, key << 12);

		if (row)
			tally_add(row, 1, 1);
	}
	for (size_t i = 0; i < tally.size; i++)
		kept += tally.rows[i].count;
	ck_assert_uint_eq(kept + tally.lost, 10000);
	ck_assert_uint_gt(kept, 40);
	ck_assert_uint_le(kept, 64);
	/* Twice as much of it. */
	ck_assert_int_eq(tally_init(&sum, 256), 0);
	tally_merge(&sum, &tally);
	tally_merge(&sum, &tally);
	ck_assert_uint_eq(sum.lost, 2 * tally.lost);
	tally_sort(&sum);
	ck_assert_uint_eq(sum.size, kept);
	for (size_t i = 0; i < sum.size; i++)
		ck_assert_uint_eq(sum.rows[i].count, 2);
	tally_finish(&sum);
	/* What does not fit is lost with all that it counts. */
	ck_assert_int_eq(tally_init(&sum, 8), 0);
	tally_merge(&sum, &tally);
	tally_merge(&sum, &tally);
	kept = 0;
	for (size_t i = 0; i < sum.size; i++)
		kept += sum.rows[i].count;
	ck_assert_uint_eq(kept + sum.lost, 20000);
	tally_finish(&sum);
	tally_finish(&tally);
}
END_TEST

START_TEST(test_empty)
{
	const struct tally_row none = {0};
	struct tally tally;

	ck_assert_uint_eq(tally_percentile(&none, 50), 0);
	ck_assert_int_eq(tally_init(&tally, 8), 0);
	tally_row(&tally, 3); /* seen, and not counted */
	tally_sort(&tally);
	ck_assert_uint_eq(tally.size, 0);
	tally_finish(&tally);
}
END_TEST

const struct unit_case unit_cases[] = {
	UNIT_CASE(test_buckets),
	UNIT_CASE(test_counts),
	UNIT_CASE(test_full),
	UNIT_CASE(test_empty),
	{0},
};

const char unit_name[] = "tally";
