/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Kernel files, made byte by byte for tests: each format as small as it can be
 * and as the real ones are. Memory is malloc()ed; failing to get any aborts.
 */
#ifndef ARMLET_TESTS_UNIT_KERNEL_BYTES_H
#define ARMLET_TESTS_UNIT_KERNEL_BYTES_H

#include "base/util.h"

struct bytes {
	uint8_t *data;
	size_t size;
};

void bytes_free(struct bytes *bytes);

#define _cleanup_bytes_ _cleanup_(bytes_free)

/* @size bytes that repeat nowhere near and are never zero. */
struct bytes bytes_pattern(size_t size);

/* @value at @offset, @size bytes of it, little-endian. */
void bytes_put(struct bytes *bytes, size_t offset, size_t size, uint64_t value);
void bytes_put_text(struct bytes *bytes, size_t offset, const char *text, size_t size);

/* A pattern with an arm64 Image header, without EFI stub. */
struct bytes bytes_arm64(size_t size, uint64_t text_offset, uint64_t image_size, uint64_t flags);

/* Put a PE header at 64, of one section that ends at @raw_end; "MZ" in front. */
void bytes_put_pe(struct bytes *bytes, uint16_t machine, uint32_t raw_end);

struct bytes bytes_gzip(const struct bytes *plain);
struct bytes bytes_zstd(const struct bytes *plain);
struct bytes bytes_concat(const struct bytes *first, const struct bytes *second);

/* An EFI zboot image; @packed is the payload, @compression its name in the header. */
struct bytes bytes_zboot(const struct bytes *packed, const char *compression, uint16_t machine);

struct elf_segment {
	uint64_t virtual_address;
	uint64_t address;
	uint64_t file_size;
	uint64_t memory_size;
};

struct elf_file {
	bool big_endian;
	uint16_t type;
	uint16_t machine;
	uint64_t entry;
	size_t segment_count;
	struct elf_segment segments[4];
};

/* Segments of a pattern, one behind the other from elf_segment_offset(). */
struct bytes bytes_elf(const struct elf_file *elf);
size_t elf_segment_offset(const struct elf_file *elf, size_t segment);

/* Are all @size bytes at @data @byte? */
bool bytes_are(const uint8_t *data, size_t size, uint8_t byte);

/* A memfd that holds the first @size bytes. */
int bytes_fd(const struct bytes *bytes, size_t size);

#endif
