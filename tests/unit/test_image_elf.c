/* SPDX-License-Identifier: Apache-2.0 */
/* ELF kernels: where they go, where they start, what lands in memory. */
#include <elf.h>
#include <string.h>

#include "boot/image.h"
#include "kernel_bytes.h"
#include "unit.h"

#define RAM_BASE UINT64_C(0x40000000)
#define RAM_SIZE (64 * KIB)
#define LOAD_AT  (RAM_BASE + 4096)
#define DIRT     0xa5

#define KIMAGE  UINT64_C(0xffff800080000000) /* where Linux is linked */
#define VMLINUX (KIMAGE + 0x80000)           /* and with the text_offset of old */

static uint8_t ram[RAM_SIZE];
static const struct guest_mem mem = {.base = RAM_BASE, .size = RAM_SIZE, .host = ram};

static int open_elf(const struct elf_file *elf, struct image **ret, struct error *err)
{
	_cleanup_bytes_ struct bytes bytes = bytes_elf(elf);

	return image_open_fd(bytes_fd(&bytes, bytes.size), "test/vmlinux", ret, err);
}

static const struct {
	struct elf_file elf;
	struct image_info info;
} rows[] = {
	/* a bare-metal program in RAM */
	{{false, ET_EXEC, EM_AARCH64, 0x40080010, 1, {{0x40080000, 0x40080000, 64, 128}}},
	 {.text_offset = 0x80000,
	  .link_address = 0x40080000,
	  .memory_size = 128,
	  .entry_offset = 16}},
	/* the same, big-endian */
	{{true, ET_EXEC, EM_AARCH64, 0x40080010, 1, {{0x40080000, 0x40080000, 64, 128}}},
	 {.text_offset = 0x80000,
	  .link_address = 0x40080000,
	  .memory_size = 128,
	  .entry_offset = 16,
	  .big_endian = true}},
	/* linked high, loaded low; the lowest segment is not the first */
	{{false,
	  ET_EXEC,
	  EM_AARCH64,
	  KIMAGE + 0x1004,
	  2,
	  {{KIMAGE + 0x1000, 0x40201000, 64, 64}, {KIMAGE, 0x40200000, 32, 256}}},
	 {.link_address = 0x40200000, .memory_size = 0x1040, .entry_offset = 0x1004}},
	/* vmlinux: position-independent, p_paddr is virtual */
	{{false,
	  ET_DYN,
	  EM_AARCH64,
	  VMLINUX,
	  2,
	  {{VMLINUX, VMLINUX, 64, 64}, {VMLINUX + 0x1000, VMLINUX + 0x1000, 64, 0x800}}},
	 {.text_offset = 0x80000,
	  .link_address = VMLINUX,
	  .relocatable = true,
	  .memory_size = 0x1800}},
	/* vmlinux from before KASLR: not position-independent, but no physical address either */
	{{false, ET_EXEC, EM_AARCH64, KIMAGE, 1, {{KIMAGE, KIMAGE, 64, 64}}},
	 {.link_address = KIMAGE, .relocatable = true, .memory_size = 64}},
	/* a position-independent program, entry given as a physical address */
	{{false, ET_DYN, EM_AARCH64, 0x20, 1, {{0x10000000, 0, 64, 64}}},
	 {.relocatable = true, .memory_size = 64, .entry_offset = 0x20}},
	/* linked for another board */
	{{false, ET_EXEC, EM_AARCH64, 0x80000, 1, {{0x80000, 0x80000, 64, 64}}},
	 {.text_offset = 0x80000, .link_address = 0x80000, .memory_size = 64}},
};

START_TEST(test_info)
{
	_cleanup_(cleanup_image_close_) struct image *image = NULL;
	const struct image_info *want = &rows[_i].info;
	const struct image_info *info;
	struct error err = {0};

	ck_assert_msg(open_elf(&rows[_i].elf, &image, &err) == 0, "%s", err.text);
	info = image_info(image);
	ck_assert_int_eq(info->format, IMAGE_ELF);
	ck_assert_ptr_null(info->container);
	ck_assert_uint_eq(info->text_offset, want->text_offset);
	ck_assert_uint_eq(info->link_address, want->link_address);
	ck_assert_uint_eq(info->memory_size, want->memory_size);
	ck_assert_uint_eq(info->entry_offset, want->entry_offset);
	ck_assert_int_eq(info->relocatable, want->relocatable);
	ck_assert_int_eq(info->big_endian, want->big_endian);
	ck_assert_uint_eq(info->align, 2 * MIB);
}
END_TEST

static void check_segments(const struct elf_file *elf, const struct bytes *bytes, uint8_t bss)
{
	uint64_t base = elf->segments[0].address;

	for (size_t i = 0; i < elf->segment_count; i++)
		base = min_u64(base, elf->segments[i].address);
	for (size_t i = 0; i < elf->segment_count; i++) {
		const struct elf_segment *s = &elf->segments[i];
		const uint8_t *at = ram + 4096 + (s->address - base);

		ck_assert_mem_eq(at, bytes->data + elf_segment_offset(elf, i), s->file_size);
		ck_assert(bytes_are(at + s->file_size, s->memory_size - s->file_size, bss));
	}
}

static void check_loads(struct image *image, const struct elf_file *elf)
{
	_cleanup_bytes_ struct bytes bytes = bytes_elf(elf);
	size_t end = 4096 + image_info(image)->memory_size;
	struct error err = {0};

	for (int again = 0; again < 3; again++) {
		memset(ram, DIRT, sizeof(ram));
		ck_assert_msg(image_load(image, &mem, LOAD_AT, &err) == 0, "%s", err.text);
		check_segments(elf, &bytes, again ? 0 : DIRT);
		ck_assert(bytes_are(ram, 4096, DIRT));
		ck_assert(bytes_are(ram + end, sizeof(ram) - end, DIRT));
	}
}

START_TEST(test_load)
{
	_cleanup_(cleanup_image_close_) struct image *image = NULL;

	ck_assert_int_eq(open_elf(&rows[_i].elf, &image, NULL), 0);
	check_loads(image, &rows[_i].elf);
}
END_TEST

START_TEST(test_packed)
{
	_cleanup_bytes_ struct bytes plain = bytes_elf(&rows[_i].elf);
	_cleanup_bytes_ struct bytes packed = bytes_zstd(&plain);
	_cleanup_(cleanup_image_close_) struct image *image = NULL;
	int fd = bytes_fd(&packed, packed.size);

	ck_assert_int_eq(image_open_fd(fd, "test/vmlinux.zst", &image, NULL), 0);
	ck_assert_int_eq(image_info(image)->format, IMAGE_ELF);
	ck_assert_str_eq(image_info(image)->container, "zstd");
	check_loads(image, &rows[_i].elf);
}
END_TEST

/* A vmlinux starts with the Image header, which knows more. */
START_TEST(test_image_header)
{
	static const struct elf_file elf = {
		.type = ET_DYN,
		.machine = EM_AARCH64,
		.entry = KIMAGE,
		.segment_count = 1,
		.segments = {{KIMAGE, KIMAGE, 512, 1024}},
	};
	_cleanup_bytes_ struct bytes bytes = bytes_elf(&elf);
	_cleanup_bytes_ struct bytes header = bytes_arm64(64, 0, 0x3000, 0xc);
	_cleanup_(cleanup_image_close_) struct image *image = NULL;
	int fd;

	memcpy(bytes.data + elf_segment_offset(&elf, 0), header.data, header.size);
	fd = bytes_fd(&bytes, bytes.size);
	ck_assert_int_eq(image_open_fd(fd, "test/vmlinux", &image, NULL), 0);
	ck_assert_int_eq(image_info(image)->format, IMAGE_ELF);
	ck_assert_uint_eq(image_info(image)->memory_size, 0x3000);
	ck_assert_uint_eq(image_info(image)->granule, 16 * KIB);
	ck_assert(image_info(image)->anywhere);
}
END_TEST

#define SEGMENT                                \
	{                                      \
		0x40000000, 0x40000000, 64, 64 \
	}

static const struct {
	struct elf_file elf;
	size_t patch_at; /* 0: none */
	size_t patch_size;
	uint64_t patch;
	int code;
	const char *word;
} refusals[] = {
	{{false, ET_EXEC, EM_X86_64, 0, 1, {SEGMENT}}, 0, 0, 0, -ENOEXEC, "x86-64"},
	{{true, ET_EXEC, EM_S390, 0, 1, {SEGMENT}}, 0, 0, 0, -ENOEXEC, "s390x"},
	{{false, ET_EXEC, EM_ARM, 0, 1, {SEGMENT}}, 0, 0, 0, -ENOEXEC, "32-bit Arm"},
	{{false, ET_EXEC, EM_RISCV, 0, 1, {SEGMENT}}, 0, 0, 0, -ENOEXEC, "RISC-V"},
	{{false, ET_EXEC, 12345, 0, 1, {SEGMENT}}, 0, 0, 0, -ENOEXEC, "another machine"},
	{{false, ET_REL, EM_AARCH64, 0, 1, {SEGMENT}}, 0, 0, 0, -ENOEXEC, "object file"},
	{{false, ET_CORE, EM_AARCH64, 0, 1, {SEGMENT}}, 0, 0, 0, -ENOEXEC, "core dump"},
	{{false, ET_NONE, EM_AARCH64, 0, 1, {SEGMENT}}, 0, 0, 0, -ENOEXEC, "executable type"},
	{{false, ET_EXEC, EM_AARCH64, 0x40000000, 1, {SEGMENT}},
	 EI_CLASS,
	 1,
	 ELFCLASS32,
	 -ENOEXEC,
	 "32-bit"},
	{{false, ET_EXEC, EM_AARCH64, 0x40000000, 0, {{0}}}, 0, 0, 0, -EINVAL, "no segment"},
	{{false, ET_EXEC, EM_AARCH64, 0x50000000, 1, {SEGMENT}}, 0, 0, 0, -EINVAL, "entry point"},
	{{false, ET_EXEC, EM_AARCH64, 0x40000000, 1, {{0x40000000, 0x40000000, 64, 63}}},
	 0,
	 0,
	 0,
	 -EINVAL,
	 "larger in the file"},
	{{false, ET_EXEC, EM_AARCH64, 0, 1, {{0, ~UINT64_C(0) - 62, 64, 64}}},
	 0,
	 0,
	 0,
	 -EINVAL,
	 "wraps"},
	{{false, ET_EXEC, EM_AARCH64, 0, 2, {{0, 0, 64, 64}, {0, TIB, 64, 64}}},
	 0,
	 0,
	 0,
	 -EINVAL,
	 "1 TiB"},
	{{false, ET_EXEC, EM_AARCH64, 0x40000000, 1, {SEGMENT}},
	 offsetof(Elf64_Ehdr, e_phnum),
	 2,
	 257,
	 -EINVAL,
	 "256 segments"},
	{{false, ET_EXEC, EM_AARCH64, 0x40000000, 1, {SEGMENT}},
	 offsetof(Elf64_Ehdr, e_phentsize),
	 2,
	 32,
	 -EINVAL,
	 "wrong size"},
	{{false, ET_EXEC, EM_AARCH64, 0x40000000, 1, {SEGMENT}},
	 offsetof(Elf64_Ehdr, e_phoff),
	 8,
	 ~UINT64_C(0),
	 -EINVAL,
	 "cut off"},
	{{false, ET_EXEC, EM_AARCH64, 0x40000000, 1, {SEGMENT}},
	 sizeof(Elf64_Ehdr) + offsetof(Elf64_Phdr, p_offset),
	 8,
	 ~UINT64_C(0),
	 -EINVAL,
	 "cut off"},
};

START_TEST(test_refusals)
{
	_cleanup_bytes_ struct bytes bytes = bytes_elf(&refusals[_i].elf);
	struct image *image = NULL;
	struct error err = {0};
	int r;

	if (refusals[_i].patch_at)
		bytes_put(&bytes, refusals[_i].patch_at, refusals[_i].patch_size,
			  refusals[_i].patch);
	r = image_open_fd(bytes_fd(&bytes, bytes.size), "test/vmlinux", &image, &err);
	ck_assert_int_eq(r, refusals[_i].code);
	ck_assert_ptr_null(image);
	ck_assert_msg(strstr(err.text, refusals[_i].word), "%s", err.text);
	ck_assert_msg(strstr(err.text, "kernel 'test/vmlinux' "), "%s", err.text);
	ck_assert_msg(strstr(err.text, "; "), "no way to mend: %s", err.text);
}
END_TEST

/* Shorter than its magic it is a raw binary; from there on it is refused. */
START_TEST(test_truncated)
{
	_cleanup_bytes_ struct bytes bytes = bytes_elf(&rows[_i].elf);

	for (size_t size = EI_NIDENT; size < bytes.size; size++) {
		struct image *image = NULL;
		struct error err = {0};
		int r = image_open_fd(bytes_fd(&bytes, size), "test/vmlinux", &image, &err);

		ck_assert_int_eq(r, -EINVAL);
		ck_assert_msg(strstr(err.text, "cut off"), "%s", err.text);
	}
}
END_TEST

const char unit_name[] = "image_elf";
const struct unit_case unit_cases[] = {
	UNIT_LOOP(test_info, ARRAY_SIZE(rows)),
	UNIT_LOOP(test_load, ARRAY_SIZE(rows)),
	UNIT_LOOP(test_packed, ARRAY_SIZE(rows)),
	UNIT_CASE(test_image_header),
	UNIT_LOOP(test_refusals, ARRAY_SIZE(refusals)),
	UNIT_LOOP(test_truncated, ARRAY_SIZE(rows)),
	{0},
};
