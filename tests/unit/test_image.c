/* SPDX-License-Identifier: Apache-2.0 */
/* Kernels that are accepted: what is known of them, and what lands in memory. */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "boot/image.h"
#include "kernel_bytes.h"
#include "unit.h"

#define RAM_BASE UINT64_C(0x40000000)
#define RAM_SIZE (64 * KIB)
#define LOAD_AT  (RAM_BASE + 4096)
#define DIRT     0xa5
#define ARM64_PE 0xaa64

static uint8_t ram[RAM_SIZE];
static const struct guest_mem mem = {.base = RAM_BASE, .size = RAM_SIZE, .host = ram};

static struct image *open_bytes(const struct bytes *bytes)
{
	struct error err = {0};
	struct image *image = NULL;
	int r = image_open_fd(bytes_fd(bytes, bytes->size), "test/kernel", &image, &err);

	ck_assert_msg(r == 0, "%d: %s", r, err.text);
	return image;
}

/* Load into dirty RAM; only the image's own range may change. */
static void load(struct image *image)
{
	size_t size = image_info(image)->memory_size;
	struct error err = {0};
	int r;

	memset(ram, DIRT, sizeof(ram));
	r = image_load(image, &mem, LOAD_AT, &err);
	ck_assert_msg(r == 0, "%d: %s", r, err.text);
	ck_assert(bytes_are(ram, 4096, DIRT));
	ck_assert(bytes_are(ram + 4096 + size, sizeof(ram) - 4096 - size, DIRT));
}

/* Behind the first @size bytes of the image: @byte up to its end. */
static void check_loaded(const struct image *image, const uint8_t *data, size_t size, uint8_t byte)
{
	ck_assert_mem_eq(ram + 4096, data, size);
	ck_assert(bytes_are(ram + 4096 + size, image_info(image)->memory_size - size, byte));
}

/* First load: BSS is left alone. Second load: BSS is zeroed. */
static void check_loads(struct image *image, const uint8_t *data, size_t size)
{
	load(image);
	check_loaded(image, data, size, DIRT);
	load(image);
	check_loaded(image, data, size, 0);
	load(image);
	check_loaded(image, data, size, 0);
}

static const struct {
	uint64_t flags;
	bool big_endian, anywhere;
	uint32_t granule;
} flag_rows[] = {
	{0x0, false, false, 0},
	{0x1, true, false, 0},
	{0x2, false, false, 4 * KIB},
	{0x4, false, false, 16 * KIB},
	{0x6, false, false, 64 * KIB},
	{0x8, false, true, 0},
	{0xa, false, true, 4 * KIB},
	{0xf, true, true, 64 * KIB},
	{~UINT64_C(0xf), false, false, 0},
};

START_TEST(test_arm64_header)
{
	_cleanup_bytes_ struct bytes bytes =
		bytes_arm64(1000, 0x80000, 0x3000, flag_rows[_i].flags);
	_cleanup_(cleanup_image_close_) struct image *image = open_bytes(&bytes);
	const struct image_info *info = image_info(image);

	ck_assert_int_eq(info->format, IMAGE_ARM64);
	ck_assert_ptr_null(info->container);
	ck_assert_uint_eq(info->text_offset, 0x80000);
	ck_assert_uint_eq(info->memory_size, 0x3000);
	ck_assert_uint_eq(info->align, 2 * MIB);
	ck_assert_uint_eq(info->entry_offset, 0);
	ck_assert_uint_eq(info->link_address, 0);
	ck_assert(info->relocatable);
	ck_assert_int_eq(info->big_endian, flag_rows[_i].big_endian);
	ck_assert_int_eq(info->anywhere, flag_rows[_i].anywhere);
	ck_assert_uint_eq(info->granule, flag_rows[_i].granule);
	check_loads(image, bytes.data, bytes.size);
}
END_TEST

/* Before Linux 3.17: no image_size, and text_offset in either byte order. */
START_TEST(test_arm64_old)
{
	_cleanup_bytes_ struct bytes bytes = bytes_arm64(1000, 0x0000080000000000, 0, 0);
	_cleanup_bytes_ struct bytes packed = bytes_gzip(&bytes);
	_cleanup_(cleanup_image_close_) struct image *plain = open_bytes(&bytes);
	_cleanup_(cleanup_image_close_) struct image *gzip = open_bytes(&packed);

	ck_assert_uint_eq(image_info(plain)->text_offset, 0x80000);
	ck_assert_uint_eq(image_info(plain)->memory_size, 1000);
	check_loads(plain, bytes.data, bytes.size);
	ck_assert_int_eq(image_info(gzip)->format, IMAGE_ARM64);
	ck_assert_uint_eq(image_info(gzip)->memory_size, 1000);
	check_loads(gzip, bytes.data, bytes.size);
}
END_TEST

/* With an EFI stub, whose sections tell how long the file is. */
START_TEST(test_arm64_efi)
{
	_cleanup_bytes_ struct bytes bytes = bytes_arm64(2048, 0, 0x4000, 0xa);
	_cleanup_(cleanup_image_close_) struct image *image = NULL;

	bytes_put_pe(&bytes, ARM64_PE, 2048);
	image = open_bytes(&bytes);
	ck_assert_int_eq(image_info(image)->format, IMAGE_ARM64);
	check_loads(image, bytes.data, bytes.size);
}
END_TEST

/* What is appended to an Image (a signature) is not loaded beyond its image_size. */
START_TEST(test_arm64_appended)
{
	_cleanup_bytes_ struct bytes bytes = bytes_arm64(5000, 0, 4096, 0xa);
	_cleanup_(cleanup_image_close_) struct image *image = open_bytes(&bytes);

	ck_assert_uint_eq(image_info(image)->memory_size, 4096);
	check_loads(image, bytes.data, 4096);
}
END_TEST

START_TEST(test_raw)
{
	static const size_t sizes[] = {1, 63, 64, 5000};

	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		_cleanup_bytes_ struct bytes bytes = bytes_pattern(sizes[i]);
		_cleanup_(cleanup_image_close_) struct image *image = open_bytes(&bytes);
		const struct image_info *info = image_info(image);

		ck_assert_int_eq(info->format, IMAGE_RAW);
		ck_assert_uint_eq(info->text_offset, 0x80000);
		ck_assert_uint_eq(info->memory_size, sizes[i]);
		ck_assert_uint_eq(info->entry_offset, 0);
		check_loads(image, bytes.data, bytes.size);
	}
}
END_TEST

static struct bytes zboot_gzip(const struct bytes *plain)
{
	_cleanup_bytes_ struct bytes packed = bytes_gzip(plain);

	return bytes_zboot(&packed, "gzip", ARM64_PE);
}

static struct bytes zboot_zstd(const struct bytes *plain)
{
	_cleanup_bytes_ struct bytes packed = bytes_zstd(plain);

	return bytes_zboot(&packed, "zstd22", ARM64_PE);
}

static const struct {
	struct bytes (*pack)(const struct bytes *plain);
	const char *name;
} containers[] = {
	{bytes_gzip, "gzip"},
	{bytes_zstd, "zstd"},
	{zboot_gzip, "EFI zboot, gzip"},
	{zboot_zstd, "EFI zboot, zstd"},
};

START_TEST(test_packed_arm64)
{
	_cleanup_bytes_ struct bytes plain = bytes_arm64(20000, 0, 0x6000, 0xa);
	_cleanup_bytes_ struct bytes packed = containers[_i].pack(&plain);
	_cleanup_(cleanup_image_close_) struct image *image = open_bytes(&packed);

	ck_assert_int_eq(image_info(image)->format, IMAGE_ARM64);
	ck_assert_str_eq(image_info(image)->container, containers[_i].name);
	ck_assert_uint_eq(image_info(image)->memory_size, 0x6000);
	check_loads(image, plain.data, plain.size);
}
END_TEST

/* As zboot packs it: padded to its size in memory. */
START_TEST(test_packed_padded)
{
	_cleanup_bytes_ struct bytes plain = bytes_arm64(0x6000, 0, 0x6000, 0xa);
	_cleanup_bytes_ struct bytes packed = containers[_i].pack(&plain);
	_cleanup_(cleanup_image_close_) struct image *image = open_bytes(&packed);

	check_loads(image, plain.data, plain.size);
}
END_TEST

START_TEST(test_packed_raw)
{
	_cleanup_bytes_ struct bytes plain = bytes_pattern(20000);
	_cleanup_bytes_ struct bytes packed = containers[_i].pack(&plain);
	_cleanup_(cleanup_image_close_) struct image *image = open_bytes(&packed);

	ck_assert_int_eq(image_info(image)->format, IMAGE_RAW);
	ck_assert_str_eq(image_info(image)->container, containers[_i].name);
	ck_assert_uint_eq(image_info(image)->memory_size, plain.size);
	check_loads(image, plain.data, plain.size);
}
END_TEST

/* Members one after the other are one stream; what follows them is ignored. */
START_TEST(test_packed_members)
{
	_cleanup_bytes_ struct bytes plain = bytes_pattern(20000);
	struct bytes first = {.data = plain.data, .size = 7000};
	struct bytes second = {.data = plain.data + 7000, .size = 13000};
	_cleanup_bytes_ struct bytes a = containers[_i].pack(&first);
	_cleanup_bytes_ struct bytes b = containers[_i].pack(&second);
	_cleanup_bytes_ struct bytes both = bytes_concat(&a, &b);
	_cleanup_bytes_ struct bytes tail = bytes_pattern(5000);
	_cleanup_bytes_ struct bytes all = bytes_concat(&both, &tail);
	_cleanup_(cleanup_image_close_) struct image *image = open_bytes(&all);

	ck_assert_uint_eq(image_info(image)->memory_size, plain.size);
	check_loads(image, plain.data, plain.size);
}
END_TEST

/* A kernel out of a pipe, as a shell's <(command) gives it. */
START_TEST(test_pipe)
{
	_cleanup_bytes_ struct bytes bytes = bytes_arm64(20000, 0, 0x6000, 0xa);
	_cleanup_(cleanup_image_close_) struct image *image = NULL;
	int ends[2];

	ck_assert_int_eq(pipe(ends), 0);
	ck_assert_int_eq(write(ends[1], bytes.data, bytes.size), (ssize_t)bytes.size);
	close(ends[1]);
	ck_assert_int_eq(image_open_fd(ends[0], "/dev/fd/63", &image, NULL), 0);
	check_loads(image, bytes.data, bytes.size);
}
END_TEST

/* Rewritten between two loads: the plan that was made for it may not hold. */
START_TEST(test_changed_file)
{
	_cleanup_bytes_ struct bytes bytes = bytes_arm64(1000, 0, 4096, 0xa);
	int fd = bytes_fd(&bytes, bytes.size);
	struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}, {.tv_sec = 1}};
	_cleanup_(cleanup_image_close_) struct image *image = NULL;
	struct error err = {0};

	ck_assert_int_eq(image_open_fd(fd, "test/kernel", &image, NULL), 0);
	ck_assert_int_eq(image_load(image, &mem, LOAD_AT, &err), 0);
	ck_assert_int_eq(futimens(fd, times), 0);
	ck_assert_int_eq(image_load(image, &mem, LOAD_AT, &err), -ESTALE);
	ck_assert_ptr_nonnull(strstr(err.text, "'test/kernel' was changed"));
}
END_TEST

START_TEST(test_load_outside)
{
	_cleanup_bytes_ struct bytes bytes = bytes_arm64(1000, 0, 4096, 0xa);
	_cleanup_(cleanup_image_close_) struct image *image = open_bytes(&bytes);
	static const gpa_t bases[] = {0, RAM_BASE - 1, RAM_BASE + RAM_SIZE - 4095, ~UINT64_C(0)};
	struct error err = {0};

	for (size_t i = 0; i < ARRAY_SIZE(bases); i++)
		ck_assert_int_eq(image_load(image, &mem, bases[i], &err), -EFAULT);
	ck_assert_ptr_nonnull(strstr(err.text, "'test/kernel' does not fit"));
	ck_assert_int_eq(image_load(image, &mem, RAM_BASE + RAM_SIZE - 4096, &err), 0);
}
END_TEST

START_TEST(test_names)
{
	ck_assert_str_eq(image_format_name(IMAGE_ARM64), "arm64 Image");
	ck_assert_str_eq(image_format_name(IMAGE_ELF), "ELF");
	ck_assert_str_eq(image_format_name(IMAGE_RAW), "raw binary");
	image_close(NULL);
}
END_TEST

const char unit_name[] = "image";
const struct unit_case unit_cases[] = {
	UNIT_LOOP(test_arm64_header, ARRAY_SIZE(flag_rows)),
	UNIT_CASE(test_arm64_old),
	UNIT_CASE(test_arm64_efi),
	UNIT_CASE(test_arm64_appended),
	UNIT_CASE(test_raw),
	UNIT_LOOP(test_packed_arm64, ARRAY_SIZE(containers)),
	UNIT_LOOP(test_packed_padded, ARRAY_SIZE(containers)),
	UNIT_LOOP(test_packed_raw, ARRAY_SIZE(containers)),
	UNIT_LOOP(test_packed_members, 2),
	UNIT_CASE(test_pipe),
	UNIT_CASE(test_changed_file),
	UNIT_CASE(test_load_outside),
	UNIT_CASE(test_names),
	{0},
};
