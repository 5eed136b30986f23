/* SPDX-License-Identifier: Apache-2.0 */
#include "base/parse.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

static int digit_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return 16;
}

/* Read a number at *@text and leave *@text behind it. */
static int take_u64(const char **text, uint64_t *ret)
{
	const char *at = *text;
	unsigned base = 10;
	uint64_t value = 0;

	if (at[0] == '0' && (at[1] == 'x' || at[1] == 'X')) {
		base = 16;
		at += 2;
	}
	if ((unsigned)digit_value(*at) >= base)
		return -EINVAL;
	for (; (unsigned)digit_value(*at) < base; at++) {
		if (__builtin_mul_overflow(value, base, &value) ||
		    __builtin_add_overflow(value, (uint64_t)digit_value(*at), &value))
			return -ERANGE;
	}
	*text = at;
	*ret = value;
	return 0;
}

int parse_u64(const char *text, uint64_t *ret)
{
	uint64_t value = 0;
	int r = take_u64(&text, &value);

	if (r < 0)
		return r;
	if (*text)
		return -EINVAL;
	*ret = value;
	return 0;
}

/* The bytes that a suffix stands for; 0 if it is none. */
static uint64_t suffix_unit(const char *suffix)
{
	static const struct {
		const char *names[3];
		uint64_t unit;
	} units[] = {
		{{"B", "", ""}, 1},        {{"K", "KB", "KiB"}, KIB}, {{"M", "MB", "MiB"}, MIB},
		{{"G", "GB", "GiB"}, GIB}, {{"T", "TB", "TiB"}, TIB},
	};

	for (size_t i = 0; i < ARRAY_SIZE(units); i++) {
		for (size_t j = 0; j < ARRAY_SIZE(units[i].names); j++) {
			if (units[i].names[j][0] && !strcasecmp(suffix, units[i].names[j]))
				return units[i].unit;
		}
	}
	return 0;
}

int parse_size(const char *text, uint64_t unit, uint64_t *ret)
{
	uint64_t value = 0;
	int r = take_u64(&text, &value);

	if (r < 0)
		return r;
	if (*text) {
		unit = suffix_unit(text);
		if (!unit)
			return -EINVAL;
	}
	if (__builtin_mul_overflow(value, unit, &value))
		return -ERANGE;
	*ret = value;
	return 0;
}

int parse_list(const char *text, uint32_t *list, size_t max, size_t *ret_count)
{
	size_t count = 0;

	for (;;) {
		uint64_t first = 0;
		uint64_t last;
		int r = take_u64(&text, &first);

		if (r < 0)
			return r;
		last = first;
		if (*text == '-') {
			text++;
			r = take_u64(&text, &last);
			if (r < 0)
				return r;
		}
		if (last < first)
			return -EINVAL;
		if (last > UINT32_MAX || last - first >= max - count)
			return -ERANGE;
		for (uint64_t n = first; n <= last; n++)
			list[count++] = (uint32_t)n;
		if (!*text)
			break;
		if (*text++ != ',')
			return -EINVAL;
	}
	*ret_count = count;
	return 0;
}

void parse_release(const char *release, unsigned *ret_major, unsigned *ret_minor)
{
	char *rest;

	*ret_major = (unsigned)strtoul(release, &rest, 10);
	*ret_minor = *rest == '.' ? (unsigned)strtoul(rest + 1, NULL, 10) : 0;
}

const char *format_size(uint64_t bytes, char text[static FORMAT_SIZE_MAX])
{
	static const char *const units[] = {"bytes", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
	size_t unit = 0;
	uint64_t whole = bytes;
	uint64_t rest = 0;

	while (unit + 1 < ARRAY_SIZE(units) && whole >= 1024) {
		/* Stay with the smaller unit where the larger needs more than a digit. */
		if (whole % 1024 && (whole * 10) % 1024 && whole < 10 * KIB)
			break;
		rest = whole % 1024;
		whole /= 1024;
		unit++;
	}
	if (rest)
		snprintf(text, FORMAT_SIZE_MAX, "%" PRIu64 ".%" PRIu64 " %s", whole,
			 rest * 10 / 1024, units[unit]);
	else
		snprintf(text, FORMAT_SIZE_MAX, "%" PRIu64 " %s", whole, units[unit]);
	return text;
}

#define NAME_MAX_LENGTH 48

/* Levenshtein distance with one row of memory; long names are never near. */
static size_t edit_distance(const char *a, const char *b)
{
	size_t row[NAME_MAX_LENGTH + 1];
	size_t length_a = strlen(a);
	size_t length_b = strlen(b);

	if (length_a > NAME_MAX_LENGTH || length_b > NAME_MAX_LENGTH)
		return SIZE_MAX;
	for (size_t j = 0; j <= length_b; j++)
		row[j] = j;
	for (size_t i = 1; i <= length_a; i++) {
		size_t diagonal = row[0];

		row[0] = i;
		for (size_t j = 1; j <= length_b; j++) {
			size_t replaced = diagonal + (a[i - 1] != b[j - 1]);
			size_t edited = 1 + (row[j] < row[j - 1] ? row[j] : row[j - 1]);

			diagonal = row[j];
			row[j] = replaced < edited ? replaced : edited;
		}
	}
	return row[length_b];
}

const char *nearest_name(const char *word, const char *const *names, size_t count)
{
	size_t best = strlen(word) / 3 + 1;
	const char *found = NULL;

	for (size_t i = 0; i < count; i++) {
		size_t distance = edit_distance(word, names[i]);

		/* "--kern" is a beginning of "--kernel", however many letters are missing. */
		if (strlen(word) > 2 && !strncmp(word, names[i], strlen(word)))
			distance = 0;
		if (distance < best || (!found && distance == best)) {
			best = distance;
			found = names[i];
		}
	}
	return found;
}
