/* SPDX-License-Identifier: Apache-2.0 */
/* Kernels that are refused: each by the name of what it is, with a way to mend it. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "boot/image.h"
#include "kernel_bytes.h"
#include "unit.h"

#define RAM_BASE UINT64_C(0x40000000)
#define RAM_SIZE (256 * KIB)
#define ARM64_PE 0xaa64

static uint8_t ram[RAM_SIZE];
static const struct guest_mem mem = {.base = RAM_BASE, .size = RAM_SIZE, .host = ram};

/* Every sentence names the file, and says how to mend. */
static void check_sentence(const struct error *err, const char *word)
{
	ck_assert_msg(strncmp(err->text, "kernel 'test/file' ", 19) == 0, "%s", err->text);
	ck_assert_msg(strstr(err->text, word), "'%s' is not in: %s", word, err->text);
	ck_assert_msg(strstr(err->text, "; "), "no way to mend: %s", err->text);
}

static void check_refused(const struct bytes *bytes, int code, const char *word)
{
	struct image *image = NULL;
	struct error err = {0};
	int r = image_open_fd(bytes_fd(bytes, bytes->size), "test/file", &image, &err);

	ck_assert_ptr_null(image);
	ck_assert_int_eq(r, code);
	ck_assert_int_eq(err.code, -code);
	check_sentence(&err, word);
}

struct foreign {
	size_t offset;
	const char *magic;
	size_t size;
	const char *word;
};

static const struct foreign foreigns[] = {
	{0x24, "\x18\x28\x6f\x01", 4, "32-bit Arm kernel (zImage)"},
	{0x24, "\x01\x6f\x28\x18", 4, "32-bit Arm kernel (zImage)"},
	{0x38, "RSC\x05", 4, "RISC-V"},
	{0, "\x27\x05\x19\x56", 4, "uImage"},
	{0, "\xd0\x0d\xfe\xed", 4, "--dtb"},
	{0, "ANDROID!", 8, "Android"},
	{0, "\xfd\x37zXZ\0", 6, "xz -d"},
	{0, "\x04\x22\x4d\x18", 4, "lz4 -d"},
	{0, "\x02\x21\x4c\x18", 4, "lz4 -d"},
	{0, "BZh9\x31\x41\x59\x26\x53\x59", 10, "bzip2 -d"},
	{0, "\x5d\0\0\x80\0\xff\xff\xff\xff\xff\xff\xff\xff", 13, "lzma"},
	{0, "\x89LZO\0\r\n\x1a\n", 9, "lzop -d"},
	{0, "070701", 6, "--initrd"},
	{0, "QFI\xfb", 4, "qcow2"},
	{0x200, "EFI PART", 8, "disk image with a GPT; give the kernel that is in it"},
	{0, "!<arch>\n", 8, "dpkg-deb -x"},
	{0, "#!/bin/sh", 9, "script"},
};

static struct bytes make_foreign(const struct foreign *foreign)
{
	struct bytes bytes = bytes_pattern(2048);

	bytes_put_text(&bytes, foreign->offset, foreign->magic, foreign->size);
	return bytes;
}

START_TEST(test_foreign)
{
	_cleanup_bytes_ struct bytes bytes = make_foreign(&foreigns[_i]);

	check_refused(&bytes, -ENOEXEC, foreigns[_i].word);
}
END_TEST

START_TEST(test_foreign_packed)
{
	_cleanup_bytes_ struct bytes bytes = make_foreign(&foreigns[_i]);
	_cleanup_bytes_ struct bytes packed = bytes_gzip(&bytes);

	check_refused(&packed, -ENOEXEC, "unpacks to");
	check_refused(&packed, -ENOEXEC, foreigns[_i].word);
}
END_TEST

START_TEST(test_bzimage)
{
	_cleanup_bytes_ struct bytes bytes = bytes_pattern(2048);

	bytes_put_pe(&bytes, 0x8664, 2048);
	bytes_put_text(&bytes, 0x1fe, "\x55\xaa", 2);
	bytes_put_text(&bytes, 0x202, "HdrS", 4);
	check_refused(&bytes, -ENOEXEC, "x86 kernel (bzImage)");
}
END_TEST

static const struct {
	uint16_t machine;
	const char *word;
} machines[] = {
	{0x8664, "x86-64"},          {0x014c, "32-bit x86"}, {0x01c2, "32-bit Arm"},
	{0x5064, "RISC-V"},          {0x6264, "LoongArch"},  {0xaa64, "EFI program"},
	{0x1234, "another machine"},
};

START_TEST(test_efi_program)
{
	_cleanup_bytes_ struct bytes bytes = bytes_pattern(2048);

	bytes_put_pe(&bytes, machines[_i].machine, 2048);
	check_refused(&bytes, -ENOEXEC, machines[_i].word);
}
END_TEST

static const char *const zboot_methods[] = {"lzma", "lzo", "lz4", "xzkern", "bzip2", "unknown"};

START_TEST(test_zboot_method)
{
	_cleanup_bytes_ struct bytes payload = bytes_pattern(1000);
	_cleanup_bytes_ struct bytes bytes = bytes_zboot(&payload, zboot_methods[_i], ARM64_PE);

	check_refused(&bytes, -ENOEXEC, "CONFIG_KERNEL_ZSTD");
}
END_TEST

START_TEST(test_zboot_damaged)
{
	_cleanup_bytes_ struct bytes plain = bytes_arm64(1000, 0, 4096, 0xa);
	_cleanup_bytes_ struct bytes packed = bytes_gzip(&plain);
	_cleanup_bytes_ struct bytes other = bytes_zboot(&packed, "gzip", 0x5064);
	_cleanup_bytes_ struct bytes bytes = bytes_zboot(&packed, "gzip", ARM64_PE);

	check_refused(&other, -ENOEXEC, "RISC-V");
	bytes_put(&bytes, 8, 4, bytes.size + 1);
	check_refused(&bytes, -EINVAL, "cut off");
	bytes_put(&bytes, 8, 4, 512);
	bytes_put(&bytes, 12, 4, 0xffffffff);
	check_refused(&bytes, -EINVAL, "cut off");
	bytes_put(&bytes, 12, 4, 0);
	check_refused(&bytes, -EINVAL, "cut off");
	bytes_put(&bytes, 8, 4, 0);
	bytes_put(&bytes, 12, 4, bytes.size);
	check_refused(&bytes, -EINVAL, "damaged");
}
END_TEST

START_TEST(test_arm64_header)
{
	static const uint64_t wrong[][2] = {
		{TIB, 4096}, {0, TIB}, {~UINT64_C(0), 4096}, {0, ~UINT64_C(0)}, {0, 63},
	};

	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		_cleanup_bytes_ struct bytes bytes = bytes_arm64(1000, wrong[i][0], wrong[i][1], 0);

		check_refused(&bytes, -EINVAL, "damaged");
	}
}
END_TEST

START_TEST(test_nested)
{
	_cleanup_bytes_ struct bytes plain = bytes_arm64(1000, 0, 4096, 0xa);
	_cleanup_bytes_ struct bytes once = bytes_gzip(&plain);
	_cleanup_bytes_ struct bytes zboot = bytes_zboot(&once, "gzip", ARM64_PE);
	_cleanup_bytes_ struct bytes twice = bytes_gzip(&once);
	_cleanup_bytes_ struct bytes other = bytes_zstd(&once);
	_cleanup_bytes_ struct bytes in_gzip = bytes_gzip(&zboot);

	check_refused(&twice, -ENOEXEC, "unpack it once");
	check_refused(&other, -ENOEXEC, "unpack it once");
	check_refused(&in_gzip, -ENOEXEC, "unpack it once");
}
END_TEST

START_TEST(test_unpacks_to_nothing)
{
	struct bytes plain = {0};
	_cleanup_bytes_ struct bytes gzip = bytes_gzip(&plain);
	_cleanup_bytes_ struct bytes zstd = bytes_zstd(&plain);

	check_refused(&gzip, -ENODATA, "unpacks to nothing");
	check_refused(&zstd, -ENODATA, "unpacks to nothing");
}
END_TEST

static struct bytes arm64_efi(void)
{
	struct bytes bytes = bytes_arm64(3000, 0, 0x4000, 0xa);

	bytes_put_pe(&bytes, ARM64_PE, 3000);
	return bytes;
}

static struct bytes gzip_arm64(void)
{
	_cleanup_bytes_ struct bytes plain = arm64_efi();

	return bytes_gzip(&plain);
}

static struct bytes zstd_arm64(void)
{
	_cleanup_bytes_ struct bytes plain = arm64_efi();

	return bytes_zstd(&plain);
}

static struct bytes gzip_raw(void)
{
	_cleanup_bytes_ struct bytes plain = bytes_pattern(3000);

	return bytes_gzip(&plain);
}

static struct bytes zboot_gzip(void)
{
	_cleanup_bytes_ struct bytes packed = gzip_arm64();

	return bytes_zboot(&packed, "gzip", ARM64_PE);
}

static struct bytes zboot_zstd(void)
{
	_cleanup_bytes_ struct bytes packed = zstd_arm64();

	return bytes_zboot(&packed, "zstd22", ARM64_PE);
}

/* From so many bytes on the file is known for what it is. */
static const struct {
	struct bytes (*make)(void);
	size_t known_from;
	size_t tail; /* bytes at the end that nobody needs */
} truncations[] = {
	/* the header alone does not tell: the section table must be there, too */
	{arm64_efi, 64 + 4 + 20 + 16 + 40, 0},
	{gzip_arm64, 3, 0},
	{zstd_arm64, 4, 0},
	{gzip_raw, 3, 0},
	{zboot_gzip, 56, 64},
	{zboot_zstd, 56, 64},
};

/* Cut the file at each length: it is refused when it is opened or when it is loaded. */
START_TEST(test_truncated)
{
	_cleanup_bytes_ struct bytes bytes = truncations[_i].make();
	size_t end = bytes.size - truncations[_i].tail;

	for (size_t size = 1; size < end; size++) {
		_cleanup_(cleanup_image_close_) struct image *image = NULL;
		struct error err = {0};
		int r = image_open_fd(bytes_fd(&bytes, size), "test/file", &image, &err);

		if (r == 0)
			r = image_load(image, &mem, RAM_BASE, &err);
		if (size < truncations[_i].known_from)
			continue;
		ck_assert_msg(r == -EINVAL, "%zu bytes: %d %s", size, r, err.text);
		check_sentence(&err, "cut off");
	}
}
END_TEST

/* Change each byte of a packed stream: the checksum finds it, or it did not matter. */
static void check_flipped(struct bytes *packed, const struct bytes *plain)
{
	for (size_t i = 0; i < packed->size; i++) {
		_cleanup_(cleanup_image_close_) struct image *image = NULL;
		struct error err = {0};
		int r;

		packed->data[i] ^= 0x10;
		r = image_open_fd(bytes_fd(packed, packed->size), "test/file", &image, &err);
		if (r == 0 && image_info(image)->container)
			r = image_load(image, &mem, RAM_BASE, &err);
		else if (r == 0)
			r = -ENOEXEC; /* the magic is gone: a raw binary */
		packed->data[i] ^= 0x10;
		if (r == 0)
			ck_assert_mem_eq(ram, plain->data, plain->size);
	}
}

START_TEST(test_flipped)
{
	_cleanup_bytes_ struct bytes plain = arm64_efi();
	_cleanup_bytes_ struct bytes packed = bytes_gzip(&plain);

	check_flipped(&packed, &plain);
}
END_TEST

START_TEST(test_unpacks_to_more)
{
	_cleanup_bytes_ struct bytes plain = bytes_arm64(5000, 0, 4096, 0xa);
	_cleanup_bytes_ struct bytes packed = bytes_zstd(&plain);
	_cleanup_(cleanup_image_close_) struct image *image = NULL;
	struct error err = {0};
	int fd = bytes_fd(&packed, packed.size);

	memset(ram, 0, sizeof(ram));
	ck_assert_int_eq(image_open_fd(fd, "test/file", &image, &err), 0);
	ck_assert_int_eq(image_load(image, &mem, RAM_BASE, &err), -EINVAL);
	check_sentence(&err, "more than the 4096 bytes");
	ck_assert(bytes_are(ram + 4096, sizeof(ram) - 4096, 0));
}
END_TEST

static const struct {
	const char *path;
	int code;
	const char *word;
} paths[] = {
	{"/nonexistent/Image", -ENOENT, "No such file"},
	{"/tmp", -EISDIR, "is a directory"},
	{"/dev/zero", -EINVAL, "is a device"},
	{"/dev/null", -EINVAL, "is a device"},
};

START_TEST(test_paths)
{
	struct image *image = NULL;
	struct error err = {0};

	ck_assert_int_eq(image_open(paths[_i].path, &image, &err), paths[_i].code);
	ck_assert_ptr_null(image);
	ck_assert_ptr_nonnull(strstr(err.text, paths[_i].path));
	ck_assert_ptr_nonnull(strstr(err.text, paths[_i].word));
}
END_TEST

START_TEST(test_empty)
{
	struct bytes nothing = {0};
	struct image *image = NULL;
	struct error err = {0};
	int ends[2];

	check_refused(&nothing, -ENODATA, "is empty");
	ck_assert_int_eq(pipe(ends), 0);
	close(ends[1]);
	ck_assert_int_eq(image_open_fd(ends[0], "test/file", &image, &err), -ENODATA);
	check_sentence(&err, "is empty");
}
END_TEST

const char unit_name[] = "image_refuse";
const struct unit_case unit_cases[] = {
	UNIT_LOOP(test_foreign, ARRAY_SIZE(foreigns)),
	UNIT_LOOP(test_foreign_packed, ARRAY_SIZE(foreigns)),
	UNIT_CASE(test_bzimage),
	UNIT_LOOP(test_efi_program, ARRAY_SIZE(machines)),
	UNIT_LOOP(test_zboot_method, ARRAY_SIZE(zboot_methods)),
	UNIT_CASE(test_zboot_damaged),
	UNIT_CASE(test_arm64_header),
	UNIT_CASE(test_nested),
	UNIT_CASE(test_unpacks_to_nothing),
	UNIT_LOOP(test_truncated, ARRAY_SIZE(truncations)),
	UNIT_CASE(test_flipped),
	UNIT_CASE(test_unpacks_to_more),
	UNIT_LOOP(test_paths, ARRAY_SIZE(paths)),
	UNIT_CASE(test_empty),
	{0},
};
