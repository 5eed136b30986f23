/* SPDX-License-Identifier: Apache-2.0 */
#include "core/iov.h"

#include <string.h>

#include "unit.h"

#define TEXT   "abcdefghij"
#define PIECES 6

/* TEXT in pieces, two of which are empty; '-' stands between and around them. */
struct pieces {
	char memory[24];
	struct iovec iov[PIECES];
};

static const struct {
	uint8_t at;
	uint8_t size;
} layout[PIECES] = {{1, 3}, {5, 0}, {6, 1}, {8, 4}, {13, 0}, {14, 2}};

static void fill(struct pieces *pieces)
{
	const char *text = TEXT;

	memset(pieces->memory, '-', sizeof(pieces->memory));
	for (unsigned i = 0; i < PIECES; i++) {
		pieces->iov[i].iov_base = pieces->memory + layout[i].at;
		pieces->iov[i].iov_len = layout[i].size;
		memcpy(pieces->memory + layout[i].at, text, layout[i].size);
		text += layout[i].size;
	}
}

/* A range, how much of it is there, and the pieces that it consists of (-EINVAL: not all is). */
static const struct {
	size_t offset;
	size_t size;
	size_t there;
	int slices;
} rows[] = {
	{0, 0, 0, 0},
	{0, 1, 1, 1},
	{0, 3, 3, 1},
	{0, 4, 4, 2},
	{0, 5, 5, 3},
	{0, 10, 10, 4},
	{0, 11, 10, -EINVAL},
	{0, SIZE_MAX, 10, -EINVAL},
	{1, 1, 1, 1},
	{2, 3, 3, 3},
	{3, 1, 1, 1},
	{3, 2, 2, 2},
	{4, 4, 4, 1},
	{7, 2, 2, 2},
	{8, 2, 2, 1},
	{9, 1, 1, 1},
	{9, 2, 1, -EINVAL},
	{9, SIZE_MAX, 1, -EINVAL},
	{10, 0, 0, 0},
	{10, 1, 0, -EINVAL},
	{11, 1, 0, -EINVAL},
	{SIZE_MAX, 1, 0, -EINVAL},
	{SIZE_MAX, SIZE_MAX, 0, -EINVAL},
};

START_TEST(test_read)
{
	struct pieces pieces;
	char got[11] = "..........";
	char expected[11] = "..........";

	fill(&pieces);
	if (rows[_i].there)
		memcpy(expected, TEXT + rows[_i].offset, rows[_i].there);
	ck_assert_uint_eq(iov_read(pieces.iov, PIECES, rows[_i].offset, got, rows[_i].size),
			  rows[_i].there);
	ck_assert_str_eq(got, expected);
}
END_TEST

/* Byte @index of the text, where it lies in @pieces. */
static char *byte_at(struct pieces *pieces, size_t index)
{
	for (unsigned i = 0; i < PIECES; i++) {
		if (index < layout[i].size)
			return pieces->memory + layout[i].at + index;
		index -= layout[i].size;
	}
	ck_abort_msg("no byte %zu", index);
	return NULL;
}

START_TEST(test_write)
{
	static const char data[] = "0123456789";
	struct pieces pieces, expected;

	fill(&pieces);
	fill(&expected);
	for (size_t i = 0; i < rows[_i].there; i++)
		*byte_at(&expected, rows[_i].offset + i) = data[i];
	ck_assert_uint_eq(iov_write(pieces.iov, PIECES, rows[_i].offset, data, rows[_i].size),
			  rows[_i].there);
	ck_assert_mem_eq(pieces.memory, expected.memory, sizeof(expected.memory));
}
END_TEST

START_TEST(test_clear)
{
	struct pieces pieces, expected;

	fill(&pieces);
	fill(&expected);
	for (size_t i = 0; i < rows[_i].there; i++)
		*byte_at(&expected, rows[_i].offset + i) = 0;
	ck_assert_uint_eq(iov_clear(pieces.iov, PIECES, rows[_i].offset, rows[_i].size),
			  rows[_i].there);
	ck_assert_mem_eq(pieces.memory, expected.memory, sizeof(expected.memory));
}
END_TEST

/* With room for any number of pieces; if there are some, also with room for one less. */
START_TEST(test_slice)
{
	struct pieces pieces;
	struct iovec slice[PIECES];
	char got[11] = "";
	int r;

	fill(&pieces);
	r = iov_slice(pieces.iov, PIECES, rows[_i].offset, rows[_i].size, slice, PIECES);
	ck_assert_int_eq(r, rows[_i].slices);
	if (r < 0) {
		ck_assert_int_eq(
			iov_slice(pieces.iov, PIECES, rows[_i].offset, rows[_i].size, slice, 0), r);
		return;
	}
	ck_assert_uint_eq(iov_size(slice, (size_t)r), rows[_i].size);
	ck_assert_uint_eq(iov_read(slice, (size_t)r, 0, got, sizeof(got)), rows[_i].size);
	if (r > 0) {
		ck_assert(!memcmp(got, TEXT + rows[_i].offset, rows[_i].size));
		ck_assert_int_eq(iov_slice(pieces.iov, PIECES, rows[_i].offset, rows[_i].size,
					   slice, (size_t)r - 1),
				 -E2BIG);
	}
}
END_TEST

START_TEST(test_size)
{
	static const struct iovec huge[] = {{NULL, SIZE_MAX}, {NULL, 0}, {NULL, 1}, {NULL, 2}};
	struct pieces pieces;

	fill(&pieces);
	ck_assert_uint_eq(iov_size(pieces.iov, PIECES), strlen(TEXT));
	ck_assert_uint_eq(iov_size(pieces.iov, 0), 0);
	ck_assert_uint_eq(iov_size(huge, 2), SIZE_MAX);
	ck_assert_uint_eq(iov_size(huge, 3), SIZE_MAX);
	ck_assert_uint_eq(iov_size(huge, 4), SIZE_MAX);
}
END_TEST

const char unit_name[] = "iov";
const struct unit_case unit_cases[] = {
	UNIT_LOOP(test_read, ARRAY_SIZE(rows)),
	UNIT_LOOP(test_write, ARRAY_SIZE(rows)),
	UNIT_LOOP(test_clear, ARRAY_SIZE(rows)),
	UNIT_LOOP(test_slice, ARRAY_SIZE(rows)),
	UNIT_CASE(test_size),
	{0},
};
