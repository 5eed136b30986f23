/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Kernel images: what a file holds is found out from its content, never from
 * its name, and what cannot be booted is refused by the name of what it is.
 *
 * Accepted: the arm64 Image (Linux, Documentation/arch/arm64/booting.rst),
 * plain, in gzip or zstd, or as EFI zboot with one of these; ELF64 for AArch64
 * of either endianness (ELF-64 Object File Format 1.5), plain or in gzip or
 * zstd; and anything unknown as a headerless raw binary.
 *
 * Threads: one at a time.
 */
#ifndef ARMLET_BOOT_IMAGE_H
#define ARMLET_BOOT_IMAGE_H

#include "base/error.h"
#include "core/guest_mem.h"

enum image_format { IMAGE_ARM64, IMAGE_ELF, IMAGE_RAW };

/* "arm64 Image", "ELF" or "raw binary". */
const char *image_format_name(enum image_format format);

struct image_info {
	enum image_format format;
	const char *container; /* "gzip", "zstd", "EFI zboot, gzip" ...; NULL: none */

	/*
	 * Where it goes. Its first byte is at a multiple of @align plus
	 * @text_offset; or, where an ELF file is linked for @link_address (not
	 * 0) and that is RAM, there. If that is not RAM, an image that is not
	 * @relocatable cannot be placed.
	 */
	uint64_t text_offset;
	uint64_t align;
	gpa_t link_address;
	bool relocatable;

	uint64_t memory_size;  /* bytes in memory from the first one, BSS included */
	uint64_t entry_offset; /* of the first instruction, from the first byte */

	/* What the arm64 Image header says; a vmlinux has one, too. */
	bool anywhere;    /* any 2 MiB-aligned base in RAM will do, not only the lowest */
	bool big_endian;  /* the kernel's data, as it runs */
	uint32_t granule; /* bytes of a page: 4, 16 or 64 KiB; 0: not told */
};

struct image;

/*
 * Open the kernel at @path (or that @fd reads, which is taken over; @path is
 * for sentences then). On failure one sentence says what the file is, and what
 * to do: a foreign format (-ENOEXEC), truncated or damaged (-EINVAL), not
 * readable.
 */
int image_open(const char *path, struct image **ret, struct error *err);
int image_open_fd(int fd, const char *path, struct image **ret, struct error *err);
void image_close(struct image *image); /* takes NULL */

DEFINE_CLEANUP(struct image *, image_close)

const struct image_info *image_info(const struct image *image);

/*
 * Write the image to @base, where a placement has put it. Nothing but
 * [@base, @base + memory_size) is written. The first time, memory behind what
 * the file holds (BSS) is left alone, as RAM starts zeroed; each further time
 * it is zeroed. -ESTALE if the file was changed between two loads.
 */
int image_load(struct image *image, const struct guest_mem *mem, gpa_t base, struct error *err);

/* The next @size bytes. 0: go on; positive: that is enough; negative: failed, with a sentence. */
typedef int image_visit(void *data, const uint8_t *bytes, size_t size, struct error *err);

/* Show @visit the file, unpacked, from its first byte to its end. Its last answer, or damage. */
int image_scan(const struct image *image, image_visit *visit, void *data, struct error *err);

#endif
