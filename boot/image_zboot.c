/* SPDX-License-Identifier: Apache-2.0 */
/*
 * EFI zboot: a compressed Image in an EFI program that unpacks it. Its header
 * tells other loaders where the payload lies, so that they can unpack it
 * themselves (Linux, drivers/firmware/efi/libstub/zboot-header.S):
 *
 *	"MZ\0\0" "zimg"			0
 *	u32 payload offset, size	8
 *	u32 reserved[2]			16
 *	char compression[32]		24, NUL-terminated
 */
#include <string.h>

#include "base/cursor.h"
#include "image_private.h"

#define ZBOOT_MAGIC            "MZ\0\0zimg"
#define ZBOOT_MAGIC_SIZE       8
#define ZBOOT_RESERVED_SIZE    8
#define ZBOOT_COMPRESSION_SIZE 32
#define ZBOOT_HEADER_SIZE      56

/* What the kernel's Makefile calls them; the last of equal beginnings is the general one. */
static const struct {
	const char *prefix;
	enum unpack_method method;
	const char *container;
} compressions[] = {
	{"gzip", UNPACK_GZIP, "EFI zboot, gzip"},
	{"zstd", UNPACK_ZSTD, "EFI zboot, zstd"},
	{"lzma", UNPACK_NONE, "lzma"},
	{"lzo", UNPACK_NONE, "lzo"},
	{"lz4", UNPACK_NONE, "lz4"},
	{"xz", UNPACK_NONE, "xz"},
	{"bzip2", UNPACK_NONE, "bzip2"},
	{"", UNPACK_NONE, "an unknown method"},
};

bool image_zboot_recognise(const struct image_head *head)
{
	return head->size >= ZBOOT_HEADER_SIZE &&
	       memcmp(head->bytes, ZBOOT_MAGIC, ZBOOT_MAGIC_SIZE) == 0;
}

static int check_machine(const struct image *image, const struct image_head *head,
			 struct error *err)
{
	struct image_pe pe;

	if (!image_pe_parse(head, &pe) || pe.machine == IMAGE_PE_ARM64)
		return 0;
	return error_set(err, ENOEXEC,
			 "kernel '%s' is for %s (EFI zboot), not for arm64; build or download it "
			 "for arm64",
			 image->file.path, image_pe_machine_name(pe.machine));
}

int image_zboot_parse(struct image *image, const struct image_head *head, struct error *err)
{
	struct cursor c = cursor_init(head->bytes, head->size);
	const char *compression;
	uint64_t offset, size;
	size_t i = 0;
	int r;

	r = check_machine(image, head, err);
	if (r < 0)
		return r;
	cursor_take(&c, ZBOOT_MAGIC_SIZE);
	offset = cursor_u32(&c);
	size = cursor_u32(&c);
	cursor_take(&c, ZBOOT_RESERVED_SIZE);
	compression = (const char *)cursor_take(&c, ZBOOT_COMPRESSION_SIZE);
	while (strncmp(compression, compressions[i].prefix, strlen(compressions[i].prefix)) != 0)
		i++;
	if (compressions[i].method == UNPACK_NONE)
		return error_set(
			err, ENOEXEC,
			"kernel '%s' is an EFI zboot image packed with %s; build it with "
			"CONFIG_KERNEL_GZIP or CONFIG_KERNEL_ZSTD, or give the plain Image",
			image->file.path, compressions[i].container);
	if (offset > image->file.size || size > image->file.size - offset)
		return image_cut_off(image, "its EFI zboot header names more bytes than it has",
				     err);
	image->packed = (struct packed){
		.method = compressions[i].method,
		.offset = offset,
		.size = size,
	};
	image->info.container = compressions[i].container;
	return 0;
}
