/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The arm64 Image: Linux, Documentation/arch/arm64/booting.rst, "Call the
 * kernel image". Its header:
 *
 *	u32 code0, code1;		executable code
 *	u64 text_offset, image_size, flags;
 *	u64 res2, res3, res4;
 *	u32 magic;			"ARM\x64"
 *	u32 res5;			offset of the PE header, if there is an EFI stub
 *
 * all little-endian. The header does not tell how long the file should be;
 * kernels with an EFI stub tell it by their PE sections, which is how a
 * truncated download is found out before it crashes in the guest.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/cursor.h"
#include "image_private.h"

#define ARM64_HEADER_SIZE 64
#define ARM64_MAGIC       "ARM\x64"
#define ARM64_MAGIC_AT    56
#define ARM64_CODE_SIZE   8 /* code0 and code1 */

/* flags */
#define FLAG_BIG_ENDIAN       BIT(0)
#define FLAG_PAGE_SIZE(flags) ((flags) >> 1 & 3)
#define FLAG_ANYWHERE         BIT(3)

/* booting.rst: where image_size is 0 (before Linux 3.17), text_offset is this, whatever it says. */
#define OLD_TEXT_OFFSET 0x80000

static const uint32_t granules[] = {0, 4 * KIB, 16 * KIB, 64 * KIB};

bool image_arm64_recognise(const struct image_head *head)
{
	return head->size >= ARM64_HEADER_SIZE &&
	       memcmp(head->bytes + ARM64_MAGIC_AT, ARM64_MAGIC, strlen(ARM64_MAGIC)) == 0;
}

static int check_header(const struct image *image, uint64_t text_offset, uint64_t image_size,
			struct error *err)
{
	if (image_size == 0)
		return 0;
	if (text_offset < IMAGE_SPAN_MAX && image_size < IMAGE_SPAN_MAX &&
	    image_size >= image->present)
		return 0;
	return error_set(err, EINVAL,
			 "kernel '%s' is damaged: its arm64 Image header has text_offset 0x%" PRIx64
			 " and image_size 0x%" PRIx64 "; build or download it again",
			 image->file.path, text_offset, image_size);
}

int image_arm64_parse(struct image *image, const struct image_head *head, struct error *err)
{
	struct cursor c = cursor_init(head->bytes, head->size);
	struct image_info *info = &image->info;
	uint64_t text_offset, image_size, flags;
	struct image_pe pe;
	int r;

	cursor_take(&c, ARM64_CODE_SIZE);
	text_offset = cursor_u64(&c);
	image_size = cursor_u64(&c);
	flags = cursor_u64(&c);
	image->present = ARM64_HEADER_SIZE;
	if (image_pe_parse(head, &pe))
		image->present = max_u64(image->present, pe.raw_end);
	r = check_header(image, text_offset, image_size, err);
	if (r < 0)
		return r;
	info->format = IMAGE_ARM64;
	info->text_offset = image_size ? text_offset : OLD_TEXT_OFFSET;
	info->align = IMAGE_ALIGN;
	info->relocatable = true;
	info->memory_size = image_size;
	info->anywhere = flags & FLAG_ANYWHERE;
	info->big_endian = flags & FLAG_BIG_ENDIAN;
	info->granule = granules[FLAG_PAGE_SIZE(flags)];
	return 0;
}
