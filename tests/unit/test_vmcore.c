/* SPDX-License-Identifier: Apache-2.0 */
/* Core files of a guest: what stands in front of the memory, and what its kernel tells. */
#include <elf.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/vmcore.h"
#include "unit.h"

#define RAM_BASE UINT64_C(0x40000000)
#define RAM_SIZE (1 * MIB)
#define PAGE     (4 * KIB)

static uint8_t ram[RAM_SIZE];
static const struct guest_mem mem = {.base = RAM_BASE, .size = RAM_SIZE, .host = ram};

#define MAPPING                                       \
	"NUMBER(VA_BITS)=48\n"                        \
	"NUMBER(kimage_voffset)=0xffff7fffc8000000\n" \
	"NUMBER(PHYS_OFFSET)=0x40000000\n"

struct parse_row {
	const char *text;
	bool has_mapping;
};

static const struct parse_row parse_rows[] = {
	{MAPPING, true},
	{"OSRELEASE=6.1.0\nPAGESIZE=4096\n" MAPPING "KERNELOFFSET=0\n", true},
	{"", false},
	{"\n\n\n", false},
	/* Each of the three is needed, at the start of a line, with its end. */
	{"NUMBER(VA_BITS)=48\nNUMBER(kimage_voffset)=0x1000\n", false},
	{"NUMBER(VA_BITS)=48\nNUMBER(PHYS_OFFSET)=0x1000\n", false},
	{"NUMBER(kimage_voffset)=0x1\nNUMBER(PHYS_OFFSET)=0x1000\n", false},
	{"X" MAPPING, false},
	{"NUMBER(kimage_voffset)=0x1\nNUMBER(PHYS_OFFSET)=0x1000\nNUMBER(VA_BITS)=48", false},
	/* No numbers. */
	{"NUMBER(VA_BITS)=\n" MAPPING, false},
	{"NUMBER(VA_BITS)=forty\n" MAPPING, false},
	{"NUMBER(VA_BITS)=48 bits\n" MAPPING, false},
	{"NUMBER(VA_BITS)=00000000000000000000000000000048\n" MAPPING, false},
	/* No size of an address space. */
	{"NUMBER(VA_BITS)=35\n" MAPPING, false},
	{"NUMBER(VA_BITS)=53\n" MAPPING, false},
	{"NUMBER(VA_BITS)=64\n" MAPPING, false},
};

START_TEST(test_parse)
{
	const struct parse_row *row = &parse_rows[_i];
	struct vmcoreinfo info = VMCOREINFO_INIT;

	vmcoreinfo_parse(row->text, strlen(row->text), &info);
	ck_assert_msg(info.has_mapping == row->has_mapping, "%s", row->text);
	if (!row->has_mapping)
		return;
	ck_assert_uint_eq(info.va_bits, 48);
	ck_assert_uint_eq(info.kimage_voffset, 0xffff7fffc8000000);
	ck_assert_uint_eq(info.phys_offset, RAM_BASE);
}
END_TEST

/* A note as the kernel makes it, at byte @at of the memory. */
static void write_note(size_t at, const char *text)
{
	const Elf64_Nhdr header = {.n_namesz = 11, .n_descsz = (Elf64_Word)strlen(text)};

	memcpy(ram + at, &header, sizeof(header));
	memcpy(ram + at + sizeof(header), "VMCOREINFO", 11);
	for (size_t i = 0; text[i]; i++)
		ram[at + sizeof(header) + 12 + i] = (uint8_t)text[i];
}

START_TEST(test_find)
{
	struct vmcoreinfo info = VMCOREINFO_INIT;
	gpa_t at = RAM_BASE;

	memset(ram, 0, sizeof(ram));
	ck_assert(!vmcoreinfo_next(&mem, &at, &info));
	write_note(3 * PAGE, "OSRELEASE=6.1.0\n" MAPPING);
	write_note(5 * PAGE + 64, "OSRELEASE=not at a page\n");
	write_note(9 * PAGE, "CRASHTIME=not the first line\n");
	write_note(RAM_SIZE - PAGE, "OSRELEASE=6.12\n");
	at = RAM_BASE;
	ck_assert(vmcoreinfo_next(&mem, &at, &info));
	ck_assert_uint_eq(at, RAM_BASE + 4 * PAGE);
	ck_assert(info.has_mapping);
	ck_assert_uint_eq(info.note_size % 4, 0);
	ck_assert_mem_eq(info.note, ram + 3 * PAGE, 24 + 16);
	vmcoreinfo_finish(&info);
	ck_assert(vmcoreinfo_next(&mem, &at, &info));
	ck_assert_uint_eq(at, RAM_BASE + RAM_SIZE);
	ck_assert(!info.has_mapping);
	vmcoreinfo_finish(&info);
	ck_assert(!vmcoreinfo_next(&mem, &at, &info));
}
END_TEST

/* Notes that would lead out of the memory, or be larger than any. */
START_TEST(test_find_broken)
{
	static const Elf64_Word sizes[] = {0, 2 * PAGE, 64 * KIB + 1, UINT32_MAX};
	Elf64_Nhdr header = {.n_namesz = 11, .n_descsz = sizes[_i]};
	struct vmcoreinfo info = VMCOREINFO_INIT;
	gpa_t at = RAM_BASE;

	memset(ram, 0, sizeof(ram));
	write_note(RAM_SIZE - PAGE, "OSRELEASE=6.12\n");
	memcpy(ram + RAM_SIZE - PAGE, &header, sizeof(header));
	ck_assert(!vmcoreinfo_next(&mem, &at, &info));
}
END_TEST

/* Files. */

static const struct vmcore_cpu cpus[] = {
	{.x = {[0] = 0xa0, [30] = 0xa30}, .sp = 0xa31, .pc = 0xa32, .pstate = 0x3c5},
	{.x = {[0] = 0xb0, [30] = 0xb30}, .sp = 0xb31, .pc = 0xb32, .pstate = 0x3c4},
};

struct file_row {
	gpa_t image;
	uint64_t image_size;
	unsigned loads;
	bool paging;
	bool with_info;
	struct {
		uint64_t vaddr;
		gpa_t paddr;
		uint64_t size;
	} load[2];
};

#define LINEAR UINT64_C(0xffff000000000000)
#define KIMAGE UINT64_C(0xffff7fffc8000000)

static const struct file_row file_rows[] = {
	{.loads = 1, .load = {{0, RAM_BASE, RAM_SIZE}}},
	{.with_info = true, .loads = 1, .load = {{0, RAM_BASE, RAM_SIZE}}},
	{.paging = true,
	 .with_info = true,
	 .image = RAM_BASE + 0x10000,
	 .image_size = 0x20000,
	 .loads = 2,
	 .load = {{RAM_BASE + 0x10000 + KIMAGE, RAM_BASE + 0x10000, 0x20000},
		  {LINEAR, RAM_BASE, RAM_SIZE}}},
	/* An image that is not all in what is dumped, or not at all. */
	{.paging = true,
	 .with_info = true,
	 .image = RAM_BASE + RAM_SIZE - 0x1000,
	 .image_size = 0x20000,
	 .loads = 2,
	 .load = {{RAM_BASE + RAM_SIZE - 0x1000 + KIMAGE, RAM_BASE + RAM_SIZE - 0x1000, 0x1000},
		  {LINEAR, RAM_BASE, RAM_SIZE}}},
	{.paging = true,
	 .with_info = true,
	 .image = RAM_BASE - 0x1000,
	 .image_size = 0x20000,
	 .loads = 1,
	 .load = {{LINEAR, RAM_BASE, RAM_SIZE}}},
};

/* The notes of @file, which are as its first program header says. */
static void check_notes(const uint8_t *file, const Elf64_Phdr *notes, const struct vmcoreinfo *info)
{
	const uint8_t *at = file + notes->p_offset;

	for (unsigned i = 0; i < ARRAY_SIZE(cpus); i++) {
		const Elf64_Nhdr *header = (const Elf64_Nhdr *)at;

		ck_assert_uint_eq(header->n_type, NT_PRSTATUS);
		ck_assert_uint_eq(header->n_namesz, 5);
		ck_assert_uint_eq(header->n_descsz, 392);
		ck_assert_str_eq((const char *)at + 12, "CORE");
		ck_assert_uint_eq(at[20 + 32], i + 1);
		ck_assert(!memcmp(at + 20 + 112, &cpus[i], sizeof(cpus[i])));
		at += 20 + 392;
	}
	if (info)
		ck_assert(!memcmp(at, info->note, info->note_size));
	ck_assert_uint_eq((size_t)(at - file) + (info ? info->note_size : 0),
			  notes->p_offset + notes->p_filesz);
}

START_TEST(test_file)
{
	const struct file_row *row = &file_rows[_i];
	struct vmcoreinfo info = VMCOREINFO_INIT;
	struct vmcore_options options = {.base = RAM_BASE,
					 .size = RAM_SIZE,
					 .cpus = cpus,
					 .cpu_count = ARRAY_SIZE(cpus),
					 .paging = row->paging,
					 .image = row->image,
					 .image_size = row->image_size};
	gpa_t from = RAM_BASE;
	const Elf64_Ehdr *header;
	const Elf64_Phdr *phdr;
	void *file = NULL;
	size_t size = 0;

	memset(ram, 0, sizeof(ram));
	write_note(0, "OSRELEASE=6.1.0\n" MAPPING);
	ck_assert(vmcoreinfo_next(&mem, &from, &info));
	options.info = row->with_info ? &info : NULL;
	ck_assert_int_eq(vmcore_header(&options, &file, &size), 0);
	ck_assert_uint_eq(size % VMCORE_ALIGN, 0);
	header = file;
	ck_assert_mem_eq(header->e_ident, "\177ELF\2\1\1", 7);
	ck_assert_uint_eq(header->e_type, ET_CORE);
	ck_assert_uint_eq(header->e_machine, EM_AARCH64);
	ck_assert_uint_eq(header->e_phnum, 1 + row->loads);
	phdr = (const Elf64_Phdr *)((const uint8_t *)file + header->e_phoff);
	ck_assert_uint_eq(phdr->p_type, PT_NOTE);
	check_notes(file, phdr, options.info);
	for (unsigned i = 0; i < row->loads; i++) {
		phdr++;
		ck_assert_uint_eq(phdr->p_type, PT_LOAD);
		ck_assert_uint_eq(phdr->p_vaddr, row->load[i].vaddr);
		ck_assert_uint_eq(phdr->p_paddr, row->load[i].paddr);
		ck_assert_uint_eq(phdr->p_filesz, row->load[i].size);
		ck_assert_uint_eq(phdr->p_memsz, row->load[i].size);
		ck_assert_uint_eq(phdr->p_offset, size + (row->load[i].paddr - RAM_BASE));
	}
	free(file);
	vmcoreinfo_finish(&info);
}
END_TEST

const struct unit_case unit_cases[] = {
	UNIT_LOOP(test_parse, ARRAY_SIZE(parse_rows)),
	UNIT_CASE(test_find),
	UNIT_LOOP(test_find_broken, 4),
	UNIT_LOOP(test_file, ARRAY_SIZE(file_rows)),
	{0},
};
const char unit_name[] = "vmcore";
