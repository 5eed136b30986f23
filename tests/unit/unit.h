/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What every unit test program shares: it names its cases in one table, and
 * unit.c runs them under libcheck.
 *
 *	START_TEST(test_adds) { ck_assert_int_eq(1 + 1, 2); } END_TEST
 *
 *	const struct unit_case unit_cases[] = {
 *		UNIT_CASE(test_adds),
 *		UNIT_LOOP(test_rows, ARRAY_SIZE(rows)),	 // _i is the row
 *		{0},
 *	};
 *	const char unit_name[] = "sums";
 */
#ifndef ARMLET_TESTS_UNIT_H
#define ARMLET_TESTS_UNIT_H

#include <check.h>

struct unit_case {
	const TTest *const *test; /* what START_TEST() defines is a variable */
	int rows;                 /* 0: once; else a loop test over this many rows */
};

#define UNIT_CASE(function)         \
	{                           \
		.test = &(function) \
	}
#define UNIT_LOOP(function, count)                        \
	{                                                 \
		.test = &(function), .rows = (int)(count) \
	}

extern const struct unit_case unit_cases[]; /* ends with a zeroed row */
extern const char unit_name[];

#endif
