/* SPDX-License-Identifier: Apache-2.0 */
#include "trial/utf8.h"

#include <string.h>

/* By how many bytes a character has: what marks the first of them, and the least such character. */
static const struct {
	uint8_t mask, mark;
	uint32_t least;
} sizes[] = {
	{0x80, 0x00, 0},
	{0xe0, 0xc0, 0x80},
	{0xf0, 0xe0, 0x800},
	{0xf8, 0xf0, 0x10000},
};

static size_t take(const uint8_t *bytes, size_t size, uint32_t *ret)
{
	uint32_t character = bytes[0] & (uint8_t)~sizes[size - 1].mask;

	/* The 0 at the end is no continuation. */
	for (size_t i = 1; i < size; i++) {
		if ((bytes[i] & 0xc0) != 0x80)
			return 0;
		character = character << 6 | (bytes[i] & 0x3f);
	}
	if (character < sizes[size - 1].least || character > 0x10ffff ||
	    (character >= 0xd800 && character <= 0xdfff))
		return 0;
	*ret = character;
	return size;
}

size_t utf8_take(const char *text, uint32_t *ret)
{
	const uint8_t *bytes = (const uint8_t *)text;

	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		if ((bytes[0] & sizes[i].mask) == sizes[i].mark)
			return take(bytes, i + 1, ret);
	}
	return 0;
}

void utf8_copy(char *copy, const char *text, size_t size)
{
	size_t used = 0;
	uint32_t c;

	while (*text) {
		size_t length = utf8_take(text, &c);
		size_t taken = length ? length : 1;

		if (used + taken + 1 > size)
			break;
		memcpy(copy + used, length ? text : "?", taken);
		used += taken;
		text += taken;
	}
	copy[used] = '\0';
}
