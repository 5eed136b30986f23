/* SPDX-License-Identifier: Apache-2.0 */
#include "base/parse.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "unit.h"

#define UNTOUCHED UINT64_C(0x5a5a5a5a)

static const struct {
	const char *text;
	int r;
	uint64_t value;
} number_rows[] = {
	{"0", 0, 0},
	{"1", 0, 1},
	{"007", 0, 7},
	{"18446744073709551615", 0, UINT64_MAX},
	{"0x0", 0, 0},
	{"0xffffffffffffffff", 0, UINT64_MAX},
	{"0XaBc", 0, 0xabc},
	{"18446744073709551616", -ERANGE, 0},
	{"0x10000000000000000", -ERANGE, 0},
	{"99999999999999999999999999", -ERANGE, 0},
	{"", -EINVAL, 0},
	{"0x", -EINVAL, 0},
	{"x", -EINVAL, 0},
	{"-1", -EINVAL, 0},
	{"+1", -EINVAL, 0},
	{" 1", -EINVAL, 0},
	{"1 ", -EINVAL, 0},
	{"1a", -EINVAL, 0},
	{"0x1g", -EINVAL, 0},
	{"1.5", -EINVAL, 0},
};

START_TEST(test_u64)
{
	uint64_t value = UNTOUCHED;

	ck_assert_int_eq(parse_u64(number_rows[_i].text, &value), number_rows[_i].r);
	ck_assert_uint_eq(value, number_rows[_i].r ? UNTOUCHED : number_rows[_i].value);
}
END_TEST

static const struct {
	const char *text;
	int r;
	uint64_t value;
} size_rows[] = {
	{"512", 0, 512 * MIB},
	{"0", 0, 0},
	{"2G", 0, 2 * GIB},
	{"2g", 0, 2 * GIB},
	{"2GB", 0, 2 * GIB},
	{"2GiB", 0, 2 * GIB},
	{"2gib", 0, 2 * GIB},
	{"100K", 0, 100 * KIB},
	{"100KiB", 0, 100 * KIB},
	{"3M", 0, 3 * MIB},
	{"1T", 0, TIB},
	{"4096B", 0, 4096},
	{"0x10M", 0, 16 * MIB},
	{"0x1B", 0, 0x1b * MIB},
	{"16777215T", 0, 16777215 * TIB},
	{"", -EINVAL, 0},
	{"G", -EINVAL, 0},
	{"12Q", -EINVAL, 0},
	{"1.5G", -EINVAL, 0},
	{"-1G", -EINVAL, 0},
	{"1 G", -EINVAL, 0},
	{"1Gi", -EINVAL, 0},
	{"1GG", -EINVAL, 0},
	{"1G ", -EINVAL, 0},
	{"16777216T", -ERANGE, 0},
	{"18446744073709551615K", -ERANGE, 0},
	{"18446744073709551616", -ERANGE, 0},
};

START_TEST(test_size)
{
	uint64_t value = UNTOUCHED;

	ck_assert_int_eq(parse_size(size_rows[_i].text, MIB, &value), size_rows[_i].r);
	ck_assert_uint_eq(value, size_rows[_i].r ? UNTOUCHED : size_rows[_i].value);
}
END_TEST

#define LIST_MAX 8

static const struct {
	const char *text;
	int r;
	size_t count;
	uint32_t list[LIST_MAX];
} list_rows[] = {
	{"0", 0, 1, {0}},
	{"2,3", 0, 2, {2, 3}},
	{"3,2,3", 0, 3, {3, 2, 3}},
	{"4-7", 0, 4, {4, 5, 6, 7}},
	{"1,4-6,9", 0, 5, {1, 4, 5, 6, 9}},
	{"5-5", 0, 1, {5}},
	{"0-7", 0, 8, {0, 1, 2, 3, 4, 5, 6, 7}},
	{"4294967295", 0, 1, {UINT32_MAX}},
	{"0-8", -ERANGE, 0, {0}},
	{"0-7,1", -ERANGE, 0, {0}},
	{"0-4294967295", -ERANGE, 0, {0}},
	{"4294967296", -ERANGE, 0, {0}},
	{"0-18446744073709551615", -ERANGE, 0, {0}},
	{"", -EINVAL, 0, {0}},
	{",", -EINVAL, 0, {0}},
	{"1,", -EINVAL, 0, {0}},
	{",1", -EINVAL, 0, {0}},
	{"1-", -EINVAL, 0, {0}},
	{"-1", -EINVAL, 0, {0}},
	{"3-2", -EINVAL, 0, {0}},
	{"1-2-3", -EINVAL, 0, {0}},
	{"1;2", -EINVAL, 0, {0}},
	{"a", -EINVAL, 0, {0}},
};

START_TEST(test_list)
{
	uint32_t list[LIST_MAX] = {0};
	size_t count = 77;

	ck_assert_int_eq(parse_list(list_rows[_i].text, list, LIST_MAX, &count), list_rows[_i].r);
	ck_assert_uint_eq(count, list_rows[_i].r ? 77 : list_rows[_i].count);
	for (size_t i = 0; i < list_rows[_i].count; i++)
		ck_assert_uint_eq(list[i], list_rows[_i].list[i]);
}
END_TEST

static const struct {
	uint64_t bytes;
	const char *text;
} format_rows[] = {
	{0, "0 bytes"},
	{1, "1 bytes"},
	{1023, "1023 bytes"},
	{KIB, "1 KiB"},
	{1536, "1.5 KiB"},
	{1025, "1025 bytes"},
	{512 * MIB, "512 MiB"},
	{MIB + 512 * KIB, "1.5 MiB"},
	{16 * MIB, "16 MiB"},
	{2 * GIB, "2 GiB"},
	{4096 * TIB, "4 PiB"},
	{UINT64_C(1) << 60, "1 EiB"},
	{3 * GIB + 64 * KIB, "3 GiB"},
};

START_TEST(test_format)
{
	char text[FORMAT_SIZE_MAX];

	ck_assert_str_eq(format_size(format_rows[_i].bytes, text), format_rows[_i].text);
}
END_TEST

/* Whatever the number: a text that fits, and never more than a tenth off. */
START_TEST(test_format_of_any)
{
	uint64_t bytes = 1;

	for (unsigned i = 0; i < 20000; i++) {
		char text[FORMAT_SIZE_MAX];
		double value = 0;
		char unit = 0;
		double back;

		bytes = bytes * 6364136223846793005u + 1442695040888963407u;
		bytes >>= i % 64;
		format_size(bytes, text);
		ck_assert_int_eq(sscanf(text, "%lf %c", &value, &unit), 2);
		back = value;
		for (const char *units = "bKMGTPE"; *units != unit; units++)
			back *= 1024;
		ck_assert_msg(back <= (double)bytes * 1.0001 && back >= (double)bytes * 0.9,
			      "%" PRIu64 " as %s", bytes, text);
	}
}
END_TEST

static const char *const names[] = {"kernel", "initrd", "append", "cpus", "mem", "no-reboot"};

static const struct {
	const char *word;
	const char *nearest;
} name_rows[] = {
	{"kernel", "kernel"},
	{"kernal", "kernel"},
	{"kern", "kernel"},
	{"Kernel", "kernel"},
	{"inird", "initrd"},
	{"intird", "initrd"},
	{"memory", "mem"},
	{"men", "mem"},
	{"cpu", "cpus"},
	{"smp", NULL},
	{"noreboot", "no-reboot"},
	{"", NULL},
	{"x", NULL},
	{"completely-else", NULL},
};

START_TEST(test_nearest)
{
	const char *found = nearest_name(name_rows[_i].word, names, ARRAY_SIZE(names));

	if (name_rows[_i].nearest)
		ck_assert_pstr_eq(found, name_rows[_i].nearest);
	else
		ck_assert_msg(!found, "'%s' gives '%s'", name_rows[_i].word, found);
}
END_TEST

START_TEST(test_nearest_of_odd)
{
	char word[1000];

	memset(word, 'k', sizeof(word) - 1);
	word[sizeof(word) - 1] = '\0';
	ck_assert_ptr_null(nearest_name(word, names, ARRAY_SIZE(names)));
	ck_assert_ptr_null(nearest_name("kernel", names, 0));
}
END_TEST

static const struct {
	const char *text;
	unsigned major, minor;
} release_rows[] = {
	{"6.1.0-37-arm64", 6, 1}, {"7.10-rc3+", 7, 10}, {"7", 7, 0}, {"7.", 7, 0}, {"", 0, 0},
	{"next", 0, 0},
};

START_TEST(test_release)
{
	unsigned major = 1, minor = 1;

	parse_release(release_rows[_i].text, &major, &minor);
	ck_assert_uint_eq(major, release_rows[_i].major);
	ck_assert_uint_eq(minor, release_rows[_i].minor);
}
END_TEST

const struct unit_case unit_cases[] = {
	UNIT_LOOP(test_u64, ARRAY_SIZE(number_rows)),
	UNIT_LOOP(test_size, ARRAY_SIZE(size_rows)),
	UNIT_LOOP(test_list, ARRAY_SIZE(list_rows)),
	UNIT_LOOP(test_format, ARRAY_SIZE(format_rows)),
	UNIT_CASE(test_format_of_any),
	UNIT_LOOP(test_nearest, ARRAY_SIZE(name_rows)),
	UNIT_CASE(test_nearest_of_odd),
	UNIT_LOOP(test_release, ARRAY_SIZE(release_rows)),
	{0},
};
const char unit_name[] = "parse";
