/* SPDX-License-Identifier: Apache-2.0 */
#include "core/vmcore.h"

#include <elf.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define PAGE           (4 * KIB)
#define INFO_NAME      "VMCOREINFO"
#define INFO_NAME_SIZE sizeof(INFO_NAME)         /* with its end */
#define INFO_HEADER    (sizeof(Elf64_Nhdr) + 12) /* the name is padded */
#define INFO_TEXT_MAX  (64 * KIB)                /* VMCOREINFO_BYTES: a page */
#define INFO_BEGINS    "OSRELEASE="              /* the first line of the text */

/* What the kernel tells. */

/* The number behind "NAME=" at the start of a line; 0x begins a hexadecimal one. */
static bool find_number(const char *text, size_t size, const char *name, uint64_t *ret)
{
	const char *end = text + size;
	size_t name_size = strlen(name);

	for (const char *line = text; line < end;) {
		const char *stop = memchr(line, '\n', (size_t)(end - line));
		char number[32] = "";
		char *behind;

		if (!stop)
			return false;
		if ((size_t)(stop - line) >= name_size && !memcmp(line, name, name_size)) {
			size_t digits = (size_t)(stop - line) - name_size;

			if (digits >= sizeof(number))
				return false;
			memcpy(number, line + name_size, digits);
			*ret = strtoull(number, &behind, 0);
			return *number && !*behind;
		}
		line = stop + 1;
	}
	return false;
}

void vmcoreinfo_parse(const char *text, size_t size, struct vmcoreinfo *ret)
{
	uint64_t va_bits = 0;

	ret->has_mapping =
		find_number(text, size, "NUMBER(kimage_voffset)=", &ret->kimage_voffset) &&
		find_number(text, size, "NUMBER(PHYS_OFFSET)=", &ret->phys_offset) &&
		find_number(text, size, "NUMBER(VA_BITS)=", &va_bits) && va_bits >= 36 &&
		va_bits <= 52;
	ret->va_bits = (unsigned)va_bits;
}

/* The size of the note whose header is at the start of a page, or 0: there is none. */
static size_t note_size_at(const struct guest_mem *mem, gpa_t at)
{
	uint8_t copy[INFO_HEADER + sizeof(INFO_BEGINS) - 1];
	Elf64_Nhdr header;

	if (guest_mem_read(mem, at, copy, sizeof(copy)) < 0)
		return 0;
	memcpy(&header, copy, sizeof(header));
	if (header.n_namesz != INFO_NAME_SIZE || header.n_type != 0 || header.n_descsz == 0 ||
	    header.n_descsz > INFO_TEXT_MAX ||
	    memcmp(copy + sizeof(header), INFO_NAME, INFO_NAME_SIZE) ||
	    memcmp(copy + INFO_HEADER, INFO_BEGINS, sizeof(INFO_BEGINS) - 1))
		return 0;
	return INFO_HEADER + align_up(header.n_descsz, 4);
}

static bool copy_note(const struct guest_mem *mem, gpa_t at, size_t size, struct vmcoreinfo *ret)
{
	Elf64_Nhdr header;

	*ret = (struct vmcoreinfo){.note = malloc(size), .note_size = size};
	if (!ret->note || guest_mem_read(mem, at, ret->note, size) < 0) {
		vmcoreinfo_finish(ret);
		return false;
	}
	/* The guest may have changed it since. */
	memcpy(&header, ret->note, sizeof(header));
	header.n_namesz = INFO_NAME_SIZE;
	header.n_descsz = (Elf64_Word)(size - INFO_HEADER);
	memcpy(ret->note, &header, sizeof(header));
	vmcoreinfo_parse((const char *)ret->note + INFO_HEADER, size - INFO_HEADER, ret);
	return true;
}

bool vmcoreinfo_next(const struct guest_mem *mem, gpa_t *at, struct vmcoreinfo *ret)
{
	while (*at < guest_mem_end(mem)) {
		size_t size = note_size_at(mem, *at);
		gpa_t here = *at;

		*at += PAGE;
		if (size && copy_note(mem, here, size, ret))
			return true;
	}
	return false;
}

void vmcoreinfo_finish(struct vmcoreinfo *info)
{
	free(info->note);
	*info = VMCOREINFO_INIT;
}

/* The file. */

/* struct elf_prstatus of arm64 (include/uapi/linux/elfcore.h). */
struct prstatus {
	int32_t signal[3];
	int16_t current_signal;
	uint64_t pending;
	uint64_t held;
	int32_t pid;
	int32_t parent;
	int32_t group;
	int32_t session;
	uint64_t times[8];
	struct vmcore_cpu registers;
	int32_t fp_valid;
};

_Static_assert(offsetof(struct prstatus, registers) == 112 && sizeof(struct prstatus) == 392,
	       "elf_prstatus of arm64");

#define CORE_NAME     "CORE"
#define PRSTATUS_SIZE (sizeof(Elf64_Nhdr) + 8 + sizeof(struct prstatus))

static uint8_t *put(uint8_t *at, const void *data, size_t size)
{
	memcpy(at, data, size);
	return at + size;
}

/* As QEMU does: the "process" is the vCPU's number, from 1. */
static uint8_t *put_prstatus(uint8_t *at, const struct vmcore_cpu *cpu, uint32_t index)
{
	const Elf64_Nhdr header = {.n_namesz = sizeof(CORE_NAME),
				   .n_descsz = sizeof(struct prstatus),
				   .n_type = NT_PRSTATUS};
	const struct prstatus status = {.pid = (int32_t)index + 1, .registers = *cpu};

	at = put(at, &header, sizeof(header));
	memcpy(at, CORE_NAME, sizeof(CORE_NAME));
	return put(at + 8, &status, sizeof(status));
}

static size_t notes_size(const struct vmcore_options *options)
{
	return options->cpu_count * PRSTATUS_SIZE + (options->info ? options->info->note_size : 0);
}

/* The program header of [@paddr, @paddr + @size) of the memory. */
static Elf64_Phdr load(const struct vmcore_options *options, uint64_t file_offset, gpa_t paddr,
		       uint64_t size)
{
	return (Elf64_Phdr){.p_type = PT_LOAD,
			    .p_flags = PF_R | PF_W | PF_X,
			    .p_offset = file_offset + (paddr - options->base),
			    .p_paddr = paddr,
			    .p_filesz = size,
			    .p_memsz = size};
}

/* Those of the memory: one, or two with virtual addresses. Returns how many. */
static unsigned loads(const struct vmcore_options *options, uint64_t file_offset,
		      Elf64_Phdr ret[static 2])
{
	const struct vmcoreinfo *info = options->info;
	gpa_t end = options->base + options->size;
	unsigned count = 0;

	if (options->paging && options->image >= options->base && options->image < end) {
		ret[count] = load(options, file_offset, options->image,
				  min_u64(options->image_size, end - options->image));
		ret[count++].p_vaddr = options->image + info->kimage_voffset;
	}
	ret[count] = load(options, file_offset, options->base, options->size);
	/* __phys_to_virt() (arch/arm64/include/asm/memory.h). */
	if (options->paging)
		ret[count].p_vaddr =
			(options->base - info->phys_offset) | (UINT64_MAX << info->va_bits);
	return count + 1;
}

int vmcore_header(const struct vmcore_options *options, void **ret, size_t *ret_size)
{
	Elf64_Phdr segments[3] = {{.p_type = PT_NOTE}};
	Elf64_Ehdr header = {
		.e_ident = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB,
			    EV_CURRENT},
		.e_type = ET_CORE,
		.e_machine = EM_AARCH64,
		.e_version = EV_CURRENT,
		.e_phoff = sizeof(Elf64_Ehdr),
		.e_ehsize = sizeof(Elf64_Ehdr),
		.e_phentsize = sizeof(Elf64_Phdr),
	};
	size_t notes = sizeof(header) + sizeof(segments);
	size_t size = align_up(notes + notes_size(options), VMCORE_ALIGN);
	uint8_t *file = calloc(1, size);
	uint8_t *at;

	if (!file)
		return -ENOMEM;
	segments[0].p_offset = notes;
	segments[0].p_filesz = segments[0].p_memsz = notes_size(options);
	header.e_phnum = (Elf64_Half)(1 + loads(options, size, segments + 1));
	at = put(file, &header, sizeof(header));
	put(at, segments, sizeof(segments));
	at = file + notes;
	for (uint32_t i = 0; i < options->cpu_count; i++)
		at = put_prstatus(at, &options->cpus[i], i);
	if (options->info)
		put(at, options->info->note, options->info->note_size);
	*ret = file;
	*ret_size = size;
	return 0;
}
