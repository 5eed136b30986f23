/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DOC: ELF kernels
 *
 * Segments go where p_paddr says, as seen from the lowest. Where that is not
 * RAM, two sorts of kernel are moved as a whole: position-independent ones
 * (ET_DYN), and those whose "physical" addresses are none. Linux's vmlinux is
 * both: the linker script leaves p_paddr equal to p_vaddr, an address of the
 * kernel's upper half. It is the Image in another wrapping, so it is placed as
 * the Image is, with its lowest segment at a multiple of 2 MiB plus the offset
 * that it is linked at modulo 2 MiB (text_offset, in kernels that have one).
 * An ET_EXEC linked for another board's RAM is not moved: it would run into
 * absolute addresses that are not there, silently.
 *
 * A vmlinux also starts with the Image header. Its image_size counts page
 * tables that lie behind the BSS in no segment, and it tells page size and
 * placement, so it is used where it is there.
 *
 * ELF-64 Object File Format, version 1.5; ELF for the Arm 64-bit Architecture
 * (AAELF64).
 */
#include <byteswap.h>
#include <elf.h>
#include <inttypes.h>
#include <string.h>

#include "base/cursor.h"
#include "image_private.h"

#define ELF_SEGMENTS_MAX 256
#define ELF_MACHINE_AT   (EI_NIDENT + sizeof(uint16_t))
/* From here on p_paddr is no physical address: FEAT_LPA's largest has 52 bits. */
#define PHYSICAL_END BIT(52)

struct elf_cursor {
	struct cursor at;
	bool big_endian;
};

static const struct {
	uint16_t machine;
	const char *name;
} elf_machines[] = {
	{EM_386, "32-bit x86"},     {EM_ARM, "32-bit Arm"},      {EM_X86_64, "x86-64"},
	{EM_RISCV, "RISC-V"},       {EM_LOONGARCH, "LoongArch"}, {EM_MIPS, "MIPS"},
	{EM_PPC, "32-bit PowerPC"}, {EM_PPC64, "PowerPC"},       {EM_S390, "s390x"},
	{EM_SPARCV9, "SPARC"},
};

static uint64_t elf_read(struct elf_cursor *c, size_t size)
{
	uint64_t value = cursor_le(&c->at, size);

	return c->big_endian ? bswap_64(value) >> (64 - 8 * size) : value;
}

static uint16_t elf_half(struct elf_cursor *c)
{
	return (uint16_t)elf_read(c, sizeof(Elf64_Half));
}

static uint32_t elf_word(struct elf_cursor *c)
{
	return (uint32_t)elf_read(c, sizeof(Elf64_Word));
}

static uint64_t elf_xword(struct elf_cursor *c)
{
	return elf_read(c, sizeof(Elf64_Xword));
}

static struct elf_cursor elf_cursor_init(const struct image_head *head)
{
	return (struct elf_cursor){
		.at = cursor_init(head->bytes, head->size),
		.big_endian = head->bytes[EI_DATA] == ELFDATA2MSB,
	};
}

bool image_elf_recognise(const struct image_head *head)
{
	return head->size >= EI_NIDENT && memcmp(head->bytes, ELFMAG, SELFMAG) == 0;
}

static int refuse_machine(const struct image *image, uint16_t machine, struct error *err)
{
	const char *name = "another machine";

	for (size_t i = 0; i < ARRAY_SIZE(elf_machines); i++) {
		if (elf_machines[i].machine == machine)
			name = elf_machines[i].name;
	}
	return error_set(
		err, ENOEXEC,
		"kernel '%s' is an ELF file for %s, not for arm64; build or download it for "
		"arm64",
		image->file.path, name);
}

int image_elf_check(const struct image *image, const struct image_head *head, struct error *err)
{
	struct elf_cursor c = elf_cursor_init(head);
	uint16_t type, machine;

	cursor_take(&c.at, EI_NIDENT);
	type = elf_half(&c);
	machine = elf_half(&c);
	if (head->size < sizeof(Elf64_Ehdr))
		return image_cut_off(image, "it ends within its ELF header", err);
	if (machine != EM_AARCH64)
		return refuse_machine(image, machine, err);
	if (head->bytes[EI_CLASS] != ELFCLASS64)
		return image_refuse(image, "a 32-bit (ILP32) ELF file", "build it as 64-bit", err);
	if (type == ET_REL)
		return image_refuse(image, "an ELF object file", "link it first", err);
	if (type == ET_CORE)
		return image_refuse(image, "a core dump", "give the kernel that it came from", err);
	if (type != ET_EXEC && type != ET_DYN)
		return image_refuse(image, "an ELF file of no executable type",
				    "link it as an executable", err);
	return 0;
}

static int refuse_segments(const struct image *image, const char *why, struct error *err)
{
	return error_set(err, EINVAL,
			 "kernel '%s' is damaged: its ELF %s; build or download it again",
			 image->file.path, why);
}

/* Read one program header; *ret_load tells whether it is a segment to load. */
static int parse_segment(const struct image *image, struct elf_cursor *c, struct image_segment *ret,
			 bool *ret_load, struct error *err)
{
	uint32_t type = elf_word(c);
	struct image_segment s;

	elf_word(c); /* p_flags */
	s.offset = elf_xword(c);
	s.virtual_address = elf_xword(c);
	s.address = elf_xword(c);
	s.file_size = elf_xword(c);
	s.memory_size = elf_xword(c);
	elf_xword(c); /* p_align */
	*ret_load = type == PT_LOAD && s.memory_size;
	if (!*ret_load)
		return 0;
	if (s.file_size > s.memory_size)
		return refuse_segments(image, "segment is larger in the file than in memory", err);
	if (s.address + s.memory_size < s.address)
		return refuse_segments(image, "segment wraps at the end of memory", err);
	if (s.offset > image->file.size || s.file_size > image->file.size - s.offset)
		return image_cut_off(image, "its ELF segments lie behind its end", err);
	*ret = s;
	return 0;
}

/* Read the program headers: @count of them at @offset. */
static int parse_segments(struct image *image, uint64_t offset, uint16_t count, bool big_endian,
			  struct error *err)
{
	_cleanup_free_ uint8_t *headers = NULL;
	size_t size = count * sizeof(Elf64_Phdr);
	struct elf_cursor c = {.big_endian = big_endian};
	int r;

	if (count > ELF_SEGMENTS_MAX)
		return refuse_segments(image, "header names more than 256 segments", err);
	if (offset > image->file.size || size > image->file.size - offset)
		return image_cut_off(image, "its ELF program headers lie behind its end", err);
	headers = malloc(size + 1);
	image->segments = calloc(count + 1U, sizeof(*image->segments));
	if (!headers || !image->segments)
		return error_set_errno(err, ENOMEM, "kernel '%s' cannot be read", image->file.path);
	r = boot_file_read(&image->file, offset, headers, size, err);
	if (r < 0)
		return r;
	c.at = cursor_init(headers, size);
	for (uint16_t i = 0; i < count; i++) {
		bool load;

		r = parse_segment(image, &c, &image->segments[image->segment_count], &load, err);
		if (r < 0)
			return r;
		image->segment_count += load;
	}
	if (!image->segment_count)
		return refuse_segments(image, "file has no segment to load", err);
	return 0;
}

static const struct image_segment *lowest_segment(const struct image *image)
{
	const struct image_segment *lowest = &image->segments[0];

	for (size_t i = 1; i < image->segment_count; i++) {
		if (image->segments[i].address < lowest->address)
			lowest = &image->segments[i];
	}
	return lowest;
}

static uint64_t segments_end(const struct image *image)
{
	uint64_t end = 0;

	for (size_t i = 0; i < image->segment_count; i++)
		end = max_u64(end, image->segments[i].address + image->segments[i].memory_size);
	return end;
}

/* e_entry is virtual; for bare-metal programs that is often the same. */
static int find_entry(struct image *image, uint64_t entry, struct error *err)
{
	uint64_t base = lowest_segment(image)->address;

	for (size_t i = 0; i < image->segment_count; i++) {
		const struct image_segment *s = &image->segments[i];

		if (entry - s->virtual_address < s->memory_size) {
			image->info.entry_offset = entry - s->virtual_address + s->address - base;
			return 0;
		}
	}
	if (entry - base < segments_end(image) - base) {
		image->info.entry_offset = entry - base;
		return 0;
	}
	return refuse_segments(image, "entry point lies in none of its segments", err);
}

/* What the Image header at the start of a vmlinux tells beyond its segments. */
static void apply_image_header(struct image *image, const struct image_segment *lowest)
{
	struct image probe = {.file = image->file};
	struct image_head head = {.size = min_u64(lowest->file_size, IMAGE_HEAD_SIZE)};
	struct image_info *info = &image->info;

	if (boot_file_read(&image->file, lowest->offset, head.bytes, head.size, NULL) < 0)
		return;
	if (!image_arm64_recognise(&head) || image_arm64_parse(&probe, &head, NULL) < 0)
		return;
	info->memory_size = max_u64(info->memory_size, probe.info.memory_size);
	info->anywhere = probe.info.anywhere;
	info->granule = probe.info.granule;
}

int image_elf_parse(struct image *image, const struct image_head *head, struct error *err)
{
	struct elf_cursor c = elf_cursor_init(head);
	struct image_info *info = &image->info;
	const struct image_segment *lowest;
	uint64_t entry, offset;
	uint16_t type, entry_size, count;
	int r;

	cursor_take(&c.at, EI_NIDENT);
	type = elf_half(&c);
	cursor_take(&c.at, sizeof(Elf64_Half) + sizeof(Elf64_Word)); /* e_machine, e_version */
	entry = elf_xword(&c);
	offset = elf_xword(&c);
	cursor_take(&c.at, sizeof(Elf64_Off) + sizeof(Elf64_Word) + sizeof(Elf64_Half));
	entry_size = elf_half(&c);
	count = elf_half(&c);
	if (count && entry_size != sizeof(Elf64_Phdr))
		return refuse_segments(image, "header has program headers of a wrong size", err);
	r = parse_segments(image, offset, count, c.big_endian, err);
	if (r < 0)
		return r;
	lowest = lowest_segment(image);
	info->format = IMAGE_ELF;
	info->align = IMAGE_ALIGN;
	info->link_address = lowest->address;
	info->text_offset = lowest->address % IMAGE_ALIGN;
	info->relocatable = type == ET_DYN || lowest->address >= PHYSICAL_END;
	info->memory_size = segments_end(image) - lowest->address;
	info->big_endian = c.big_endian;
	if (info->memory_size >= IMAGE_SPAN_MAX)
		return refuse_segments(image, "segments lie more than 1 TiB apart", err);
	apply_image_header(image, lowest);
	return find_entry(image, entry, err);
}

int image_elf_load(const struct image *image, uint8_t *host, bool reload, struct error *err)
{
	uint64_t base = image->info.link_address;

	for (size_t i = 0; i < image->segment_count; i++) {
		const struct image_segment *s = &image->segments[i];
		uint8_t *to = host + (s->address - base);
		int r = boot_file_read(&image->file, s->offset, to, s->file_size, err);

		if (r < 0)
			return r;
		if (reload)
			memset(to + s->file_size, 0, s->memory_size - s->file_size);
	}
	return 0;
}
