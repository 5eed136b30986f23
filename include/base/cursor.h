/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Cursors over bytes that nobody has checked yet. A read past the end gives
 * zero and makes the cursor fail for good, so a parser reads all its fields
 * and asks cursor_ok() once. Values are little-endian.
 */
#ifndef ARMLET_BASE_CURSOR_H
#define ARMLET_BASE_CURSOR_H

#include "base/util.h"

struct cursor {
	const uint8_t *at;
	size_t left;
	bool failed;
};

static inline struct cursor cursor_init(const void *data, size_t size)
{
	return (struct cursor){.at = data, .left = size};
}

static inline bool cursor_ok(const struct cursor *c)
{
	return !c->failed;
}

/* The next @size bytes, or NULL (and the cursor fails) if there are fewer. */
static inline const uint8_t *cursor_take(struct cursor *c, size_t size)
{
	const uint8_t *at = c->at;

	if (c->failed || size > c->left) {
		c->failed = true;
		return NULL;
	}
	c->at += size;
	c->left -= size;
	return at;
}

static inline uint64_t cursor_le(struct cursor *c, size_t size)
{
	const uint8_t *at = cursor_take(c, size);
	uint64_t value = 0;

	for (size_t i = 0; at && i < size; i++)
		value |= (uint64_t)at[i] << (8 * i);
	return value;
}

static inline uint8_t cursor_u8(struct cursor *c)
{
	return (uint8_t)cursor_le(c, 1);
}

static inline uint16_t cursor_u16(struct cursor *c)
{
	return (uint16_t)cursor_le(c, 2);
}

static inline uint32_t cursor_u32(struct cursor *c)
{
	return (uint32_t)cursor_le(c, 4);
}

static inline uint64_t cursor_u64(struct cursor *c)
{
	return cursor_le(c, 8);
}

#endif
