/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A compressed stream, read from a file and unpacked piece by piece, straight
 * to where the bytes are wanted.
 */
#ifndef ARMLET_BOOT_UNPACKER_H
#define ARMLET_BOOT_UNPACKER_H

#include "boot/boot_file.h"

enum unpack_method { UNPACK_NONE, UNPACK_GZIP, UNPACK_ZSTD };

/* Where a compressed stream lies. */
struct packed {
	enum unpack_method method;
	uint64_t offset; /* in its file */
	uint64_t size;
};

/* The method whose stream starts with @data; UNPACK_NONE if there is none. */
enum unpack_method unpack_method_of(const uint8_t *data, size_t size);

/* "gzip" or "zstd". */
const char *unpack_method_name(enum unpack_method method);

struct unpacker;

/* @file outlives the unpacker; @packed (a method other than none) lies within it. */
int unpacker_open(const struct boot_file *file, const struct packed *packed, struct unpacker **ret,
		  struct error *err);
void unpacker_close(struct unpacker *unpacker); /* takes NULL */

DEFINE_CLEANUP(struct unpacker *, unpacker_close)

/*
 * Unpack the next @size bytes to @data; *@ret_size is less only at the end of
 * the stream, which is then whole and its checksum right. Refused with a
 * sentence: streams that are damaged or cut off. @data may be written up to
 * @size also on failure.
 */
int unpacker_read(struct unpacker *unpacker, void *data, size_t size, size_t *ret_size,
		  struct error *err);

#endif
