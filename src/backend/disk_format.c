/* SPDX-License-Identifier: Apache-2.0 */
#include "disk_format.h"

#include <string.h>

/* The footer of a VHD of fixed size: one block of 512 bytes at the end. */
#define VHD_FOOTER 512

struct magic {
	const char *format;
	size_t offset;
	const char *bytes;
	size_t size;
};

#define MAGIC(format_, offset_, text_)                                      \
	{                                                                   \
		.format = (format_), .offset = (offset_), .bytes = (text_), \
		.size = sizeof(text_) - 1                                   \
	}

static const struct magic magics[] = {
	MAGIC("qcow", 0, "QFI\xfb\0\0\0\1"),
	MAGIC("qcow2", 0, "QFI\xfb"), /* versions 2 and 3 */
	MAGIC("vmdk", 0, "KDMV"),
	MAGIC("vmdk", 0, "COWD"),
	MAGIC("vmdk", 0, "# Disk DescriptorFile"),
	MAGIC("vhdx", 0, "vhdxfile"),
	MAGIC("vpc", 0, "conectix"),
	MAGIC("qed", 0, "QED\0"),
	MAGIC("vdi", 64, "\x7f\x10\xda\xbe"),
	MAGIC("parallels", 0, "WithoutFreeSpace"),
	MAGIC("parallels", 0, "WithouFreSpacExt"),
};

const char *disk_format_of_head(const void *head, size_t size)
{
	for (size_t i = 0; i < ARRAY_SIZE(magics); i++) {
		const struct magic *magic = &magics[i];

		if (magic->offset + magic->size <= size &&
		    memcmp((const char *)head + magic->offset, magic->bytes, magic->size) == 0)
			return magic->format;
	}
	return NULL;
}

int disk_format_of_file(int fd, uint64_t size, const char **ret)
{
	static const char footer[] = "conectix";
	char head[DISK_FORMAT_HEAD], tail[sizeof(footer) - 1];
	ssize_t got = pread(fd, head, sizeof(head), 0);

	if (got < 0)
		return -errno;
	*ret = disk_format_of_head(head, (size_t)got);
	if (*ret || size < VHD_FOOTER)
		return 0;
	got = pread(fd, tail, sizeof(tail), (off_t)(size - VHD_FOOTER));
	if (got < 0)
		return -errno;
	if (got == sizeof(tail) && memcmp(tail, footer, sizeof(tail)) == 0)
		*ret = "vpc";
	return 0;
}
