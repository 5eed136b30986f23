/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What people give as a kernel and is none, or none that an arm64 machine can
 * run. A headerless raw binary has nothing to know it by, so everything else
 * that can be known is named here rather than run.
 */
#include <string.h>

#include "image_private.h"

#define MARKS_MAX 2

/* Bytes at a place of the file. */
struct mark {
	size_t offset;
	const char *bytes;
	size_t size;
};

/* A string literal's bytes, without its NUL. */
#define MARK(at, literal)                                                       \
	{                                                                       \
		.offset = (at), .bytes = (literal), .size = sizeof(literal) - 1 \
	}

struct foreign_format {
	struct mark marks[MARKS_MAX]; /* all must be there; the second may be empty */
	const char *what;
	const char *mend;
};

#define GIVE_ARM64 "give one for arm64 (arch/arm64/boot/Image)"

static const struct foreign_format formats[] = {
	/* Linux, Documentation/arch/x86/boot.rst, "The Real-Mode Kernel Header" */
	{{MARK(0x1fe, "\x55\xaa"), MARK(0x202, "HdrS")}, "an x86 kernel (bzImage)", GIVE_ARM64},
	/* arch/arm/boot/compressed/head.S: the zImage magic */
	{{MARK(0x24, "\x18\x28\x6f\x01")}, "a 32-bit Arm kernel (zImage)", GIVE_ARM64},
	{{MARK(0x24, "\x01\x6f\x28\x18")}, "a 32-bit Arm kernel (zImage)", GIVE_ARM64},
	/* Documentation/arch/riscv/boot-image-header.rst */
	{{MARK(0x38, "RSC\x05")}, "a RISC-V kernel (Image)", GIVE_ARM64},
	/* U-Boot, include/image.h */
	{{MARK(0, "\x27\x05\x19\x56")},
	 "a U-Boot uImage",
	 "take the kernel out of it with dumpimage -T kernel -p 0 -o Image"},
	{{MARK(0, "\xd0\x0d\xfe\xed")},
	 "a device tree or a FIT image",
	 "give a device tree with --dtb, or take the kernel out of the FIT with dumpimage"},
	/* Android, "Boot image header" */
	{{MARK(0, "ANDROID!")},
	 "an Android boot image",
	 "take the kernel out of it with unpack_bootimg"},
	/* Compressed in ways that are not unpacked here */
	{{MARK(0, "\xfd"
		  "7zXZ")},
	 "a file packed with xz",
	 "unpack it first with xz -d"},
	{{MARK(0, "\x04\x22\x4d\x18")}, "a file packed with lz4", "unpack it first with lz4 -d"},
	{{MARK(0, "\x02\x21\x4c\x18")}, "a file packed with lz4", "unpack it first with lz4 -d"},
	{{MARK(0, "BZh"), MARK(4, "\x31\x41\x59\x26\x53\x59")},
	 "a file packed with bzip2",
	 "unpack it first with bzip2 -d"},
	{{MARK(0, "\x5d\x00\x00"), MARK(5, "\xff\xff\xff\xff\xff\xff\xff\xff")},
	 "a file packed with lzma",
	 "unpack it first with xz -d --format=lzma"},
	{{MARK(0, "\x89LZO\x00\x0d\x0a\x1a\x0a")},
	 "a file packed with lzo",
	 "unpack it first with lzop -d"},
	/* Given to the wrong option */
	{{MARK(0, "07070")}, "a cpio archive", "give an initrd with --initrd"},
	{{MARK(0, "QFI\xfb")}, "a qcow2 disk image", "give the kernel that is in it"},
	{{MARK(0x200, "EFI PART")}, "a disk image with a GPT", "give the kernel that is in it"},
	{{MARK(0, "!<arch>\n")}, "an archive (.deb or .a)", "unpack it first with dpkg-deb -x"},
	{{MARK(0, "#!/")}, "a script", "give the kernel itself"},
};

static bool has_mark(const struct image_head *head, const struct mark *mark)
{
	return mark->offset + mark->size <= head->size &&
	       memcmp(head->bytes + mark->offset, mark->bytes, mark->size) == 0;
}

static bool has_marks(const struct image_head *head, const struct foreign_format *format)
{
	for (size_t i = 0; i < MARKS_MAX && format->marks[i].bytes; i++) {
		if (!has_mark(head, &format->marks[i]))
			return false;
	}
	return true;
}

/* A PE file without an Image header. */
static int refuse_pe(const struct image *image, const struct image_pe *pe, struct error *err)
{
	if (pe->machine == IMAGE_PE_ARM64)
		return image_refuse(image, "an EFI program, not a kernel",
				    "give a kernel that an arm64 boot loader would start", err);
	return error_set(err, ENOEXEC,
			 "kernel '%s' is an EFI program for %s, not for arm64; " GIVE_ARM64,
			 image->file.path, image_pe_machine_name(pe->machine));
}

int image_foreign_refuse(const struct image *image, const struct image_head *head,
			 struct error *err)
{
	struct image_pe pe;

	for (size_t i = 0; i < ARRAY_SIZE(formats); i++) {
		if (has_marks(head, &formats[i]))
			return image_refuse(image, formats[i].what, formats[i].mend, err);
	}
	if (image_pe_parse(head, &pe))
		return refuse_pe(image, &pe, err);
	return 0;
}
