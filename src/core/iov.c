/* SPDX-License-Identifier: Apache-2.0 */
#include "core/iov.h"

#include <string.h>

/* What is left to be done of a range of bytes, and where. */
struct range {
	const struct iovec *iov;
	size_t count;
	size_t skip; /* bytes in front of the range */
	size_t left; /* bytes of it */
};

/* The next piece of the range, never an empty one; false at its end, or the bytes'. */
static bool next_piece(struct range *range, struct iovec *ret)
{
	while (range->left && range->count) {
		const struct iovec *piece = range->iov;

		range->iov++;
		range->count--;
		if (range->skip >= piece->iov_len) {
			range->skip -= piece->iov_len;
			continue;
		}
		ret->iov_base = (uint8_t *)piece->iov_base + range->skip;
		ret->iov_len = min_u64(piece->iov_len - range->skip, range->left);
		range->skip = 0;
		range->left -= ret->iov_len;
		return true;
	}
	return false;
}

size_t iov_size(const struct iovec *iov, size_t count)
{
	size_t size = 0;

	for (size_t i = 0; i < count; i++) {
		if (__builtin_add_overflow(size, iov[i].iov_len, &size))
			return SIZE_MAX;
	}
	return size;
}

size_t iov_read(const struct iovec *iov, size_t count, size_t offset, void *data, size_t size)
{
	struct range range = {iov, count, offset, size};
	uint8_t *to = data;
	struct iovec piece;

	while (next_piece(&range, &piece)) {
		memcpy(to, piece.iov_base, piece.iov_len);
		to += piece.iov_len;
	}
	return size - range.left;
}

size_t iov_write(const struct iovec *iov, size_t count, size_t offset, const void *data,
		 size_t size)
{
	struct range range = {iov, count, offset, size};
	const uint8_t *from = data;
	struct iovec piece;

	while (next_piece(&range, &piece)) {
		memcpy(piece.iov_base, from, piece.iov_len);
		from += piece.iov_len;
	}
	return size - range.left;
}

size_t iov_clear(const struct iovec *iov, size_t count, size_t offset, size_t size)
{
	struct range range = {iov, count, offset, size};
	struct iovec piece;

	while (next_piece(&range, &piece))
		memset(piece.iov_base, 0, piece.iov_len);
	return size - range.left;
}

int iov_slice(const struct iovec *iov, size_t count, size_t offset, size_t size, struct iovec *ret,
	      size_t max)
{
	struct range range = {iov, count, offset, size};
	struct iovec piece;
	size_t done = 0;

	/* To the end in any case: bytes that are missing are worse than pieces too many. */
	while (next_piece(&range, &piece)) {
		if (done < max)
			ret[done] = piece;
		done++;
	}
	if (range.left)
		return -EINVAL;
	return done > max ? -E2BIG : (int)done;
}
