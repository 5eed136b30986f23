/* SPDX-License-Identifier: Apache-2.0 */
#include "sys.h"

/* These four the compiler calls by itself. */

void *memcpy(void *to, const void *from, size_t size)
{
	unsigned char *t = to;

	for (const unsigned char *f = from; size; size--)
		*t++ = *f++;
	return to;
}

void *memmove(void *to, const void *from, size_t size)
{
	unsigned char *t = to;
	const unsigned char *f = from;

	if (t <= f)
		return memcpy(to, from, size);
	while (size--)
		t[size] = f[size];
	return to;
}

void *memset(void *to, int byte, size_t size)
{
	for (unsigned char *t = to; size; size--)
		*t++ = (unsigned char)byte;
	return to;
}

int memcmp(const void *a, const void *b, size_t size)
{
	const unsigned char *x = a, *y = b;

	for (; size; size--, x++, y++) {
		if (*x != *y)
			return *x - *y;
	}
	return 0;
}

size_t strlen(const char *text)
{
	size_t length = 0;

	while (text[length])
		length++;
	return length;
}

bool text_equal(const char *a, const char *b)
{
	size_t length = strlen(a);

	return length == strlen(b) && !memcmp(a, b, length);
}

const char *text_behind(const char *text, const char *prefix)
{
	for (; *prefix; text++, prefix++) {
		if (*text != *prefix)
			return NULL;
	}
	return text;
}

char *text_join_all(char *to, size_t size, const char *const *parts)
{
	size_t used = 0;

	for (; *parts; parts++) {
		for (const char *from = *parts; *from && used + 1 < size; from++)
			to[used++] = *from;
	}
	to[used] = '\0';
	return to;
}

bool text_number(const char *text, unsigned long *ret)
{
	unsigned long number = 0;

	if (!*text)
		return false;
	for (; *text; text++) {
		if (*text < '0' || *text > '9' || number > 0xffffffff)
			return false;
		number = number * 10 + (unsigned long)(*text - '0');
	}
	*ret = number;
	return true;
}

char *text_of(char to[TEXT_NUMBER_MAX], unsigned long number)
{
	char *at = &to[TEXT_NUMBER_MAX - 1];

	*at = '\0';
	do {
		*--at = (char)('0' + number % 10);
		number /= 10;
	} while (number);
	return at;
}
