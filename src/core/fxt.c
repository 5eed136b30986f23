/* SPDX-License-Identifier: Apache-2.0 */
#include "core/fxt.h"

#include <string.h>

static uint64_t header(enum fxt_record type, size_t words)
{
	return (uint64_t)type | (uint64_t)words << 4;
}

size_t fxt_put_begin(uint64_t *words, uint64_t ticks_per_second)
{
	words[0] = FXT_MAGIC;
	words[1] = header(FXT_INITIALIZATION, 2);
	words[2] = ticks_per_second;
	return 3;
}

size_t fxt_put_string(uint64_t *words, uint16_t index, const char *text)
{
	size_t length = strnlen(text, FXT_STRING_BYTES);
	size_t count = 1 + (length + 7) / 8;

	words[count - 1] = 0; /* what is behind its last byte */
	words[0] = header(FXT_STRING, count) | (uint64_t)index << 16 | (uint64_t)length << 32;
	memcpy(words + 1, text, length);
	return count;
}

size_t fxt_put_thread(uint64_t *words, uint8_t index, uint64_t process, uint64_t thread)
{
	words[0] = header(FXT_THREAD, 3) | (uint64_t)index << 16;
	words[1] = process;
	words[2] = thread;
	return 3;
}

size_t fxt_put_name(uint64_t *words, const struct fxt_name *name)
{
	size_t count = name->kind == FXT_THREAD_OBJECT ? 4 : 2;

	words[0] = header(FXT_KERNEL_OBJECT, count) | (uint64_t)name->kind << 16 |
		   (uint64_t)name->name << 24 | (uint64_t)(count == 4) << 40;
	words[1] = name->koid;
	if (count == 4) {
		words[2] = FXT_KOID | 2U << 4 | (uint64_t)name->process_word << 16;
		words[3] = name->process;
	}
	return count;
}
