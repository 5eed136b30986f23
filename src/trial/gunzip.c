/* SPDX-License-Identifier: Apache-2.0 */
#include "trial/gunzip.h"

#include <zlib.h>

#include "base/util.h"

#define TRAILER     4 /* RFC 1952, 2.3.1: ISIZE */
#define GZIP_WINDOW (16 + MAX_WBITS)

int gunzip(const void *packed, size_t size, size_t most, char **ret, size_t *ret_size)
{
	z_stream stream = {.next_in = (Bytef *)packed, .avail_in = (uInt)size};
	const uint8_t *end = (const uint8_t *)packed + size;
	_cleanup_free_ char *bytes = NULL;
	size_t wanted;
	int r;

	if (size < TRAILER)
		return -EINVAL;
	/* Of no more than 4 GiB, the end tells the size. */
	wanted = (size_t)end[-1] << 24 | (size_t)end[-2] << 16 | (size_t)end[-3] << 8 | end[-4];
	if (wanted > most)
		return -EINVAL;
	bytes = malloc(wanted + 1);
	if (!bytes || inflateInit2(&stream, GZIP_WINDOW) != Z_OK)
		return -ENOMEM;
	stream.next_out = (Bytef *)bytes;
	stream.avail_out = (uInt)wanted + 1;
	r = inflate(&stream, Z_FINISH);
	inflateEnd(&stream);
	if (r != Z_STREAM_END || stream.avail_in || stream.avail_out != 1)
		return -EINVAL;
	bytes[wanted] = '\0';
	*ret_size = wanted;
	*ret = steal_ptr(&bytes);
	return 0;
}
