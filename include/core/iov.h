/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bytes that lie in pieces. An offset or size beyond the end is no error: what
 * is there is done, and the bytes are counted.
 *
 * Where the pieces are the guest's memory, read a value once, into a copy.
 */
#ifndef ARMLET_CORE_IOV_H
#define ARMLET_CORE_IOV_H

#include <sys/uio.h>

#include "base/util.h"

/* Bytes in all; saturates at SIZE_MAX. */
size_t iov_size(const struct iovec *iov, size_t count);

/* Copy out of, or into, the bytes from @offset on; returns how many were there. */
size_t iov_read(const struct iovec *iov, size_t count, size_t offset, void *data, size_t size);
size_t iov_write(const struct iovec *iov, size_t count, size_t offset, const void *data,
		 size_t size);

/* Zeroes, likewise. */
size_t iov_clear(const struct iovec *iov, size_t count, size_t offset, size_t size);

/*
 * The pieces that make up [@offset, @offset + @size), into @ret (of @max);
 * returns their number, or -EINVAL if the bytes are not all there, -E2BIG if
 * @max is too few.
 */
int iov_slice(const struct iovec *iov, size_t count, size_t offset, size_t size, struct iovec *ret,
	      size_t max);

#endif
