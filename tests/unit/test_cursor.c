/* SPDX-License-Identifier: Apache-2.0 */
#include "base/cursor.h"

#include "unit.h"

static const uint8_t bytes[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};

START_TEST(test_reads)
{
	struct cursor c = cursor_init(bytes, sizeof(bytes));

	ck_assert_uint_eq(cursor_u8(&c), 1);
	ck_assert_uint_eq(cursor_u16(&c), 0x0302);
	ck_assert_uint_eq(cursor_u32(&c), 0x07060504);
	ck_assert_uint_eq(cursor_u64(&c), UINT64_C(0x0f0e0d0c0b0a0908));
	ck_assert(cursor_ok(&c));
	ck_assert_uint_eq(c.left, 0);
}
END_TEST

/* A read past the end is zero, and the cursor stays failed though bytes are left. */
START_TEST(test_fails_for_good)
{
	struct cursor c = cursor_init(bytes, 7);

	ck_assert_uint_eq(cursor_u64(&c), 0);
	ck_assert(!cursor_ok(&c));
	ck_assert_uint_eq(cursor_u8(&c), 0);
	ck_assert(!cursor_ok(&c));
	ck_assert_ptr_null(cursor_take(&c, 0));
}
END_TEST

START_TEST(test_take)
{
	struct cursor c = cursor_init(bytes, sizeof(bytes));

	ck_assert_ptr_eq(cursor_take(&c, 0), bytes);
	ck_assert_ptr_eq(cursor_take(&c, 4), bytes);
	ck_assert_uint_eq(cursor_le(&c, 3), 0x070605);
	ck_assert_ptr_eq(cursor_take(&c, 8), bytes + 7);
	ck_assert_ptr_eq(cursor_take(&c, 0), bytes + 15);
	ck_assert(cursor_ok(&c));
	ck_assert_ptr_null(cursor_take(&c, 1));
	ck_assert_ptr_null(cursor_take(&c, SIZE_MAX));
	ck_assert(!cursor_ok(&c));
}
END_TEST

START_TEST(test_empty)
{
	struct cursor c = cursor_init(NULL, 0);

	ck_assert_uint_eq(cursor_u8(&c), 0);
	ck_assert(!cursor_ok(&c));
}
END_TEST

const struct unit_case unit_cases[] = {
	UNIT_CASE(test_reads),
	UNIT_CASE(test_fails_for_good),
	UNIT_CASE(test_take),
	UNIT_CASE(test_empty),
	{0},
};
const char unit_name[] = "cursor";
