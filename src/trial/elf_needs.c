/* SPDX-License-Identifier: Apache-2.0 */
#include "trial/elf_needs.h"

#include <elf.h>
#include <string.h>

#include "base/util.h"

#define TEXT_MAX    4096
#define ENTRIES_MAX 65536 /* of the dynamic section: so that damage costs no time */

/* A file, and what its headers tell of it. */
struct elf {
	const char *bytes;
	size_t size;
	Elf64_Ehdr header;
	uint64_t dynamic; /* where PT_DYNAMIC is, and how much */
	uint64_t dynamic_size;
	uint64_t strings; /* where DT_STRTAB is in the file */
};

static bool get(const struct elf *elf, uint64_t offset, void *ret, size_t size)
{
	if (offset > elf->size || size > elf->size - offset)
		return false;
	memcpy(ret, elf->bytes + offset, size);
	return true;
}

/* The text at @offset, if it ends within the file, and soon. */
static const char *text_at(const struct elf *elf, uint64_t offset)
{
	if (offset >= elf->size ||
	    !memchr(elf->bytes + offset, '\0', min_u64(elf->size - offset, TEXT_MAX)))
		return NULL;
	return elf->bytes + offset;
}

/* The program header @i; false: there is none in the file. */
static bool get_segment(const struct elf *elf, unsigned i, Elf64_Phdr *ret)
{
	/* e_phoff may be any number: a sum that wraps must not come back into the file. */
	return elf->header.e_phoff <= elf->size &&
	       get(elf, elf->header.e_phoff + (uint64_t)i * sizeof(*ret), ret, sizeof(*ret));
}

static int read_segments(struct elf *elf, struct elf_needs *needs)
{
	Elf64_Phdr segment;

	if (elf->header.e_phnum && elf->header.e_phentsize != sizeof(segment))
		return -EINVAL;
	for (unsigned i = 0; i < elf->header.e_phnum; i++) {
		if (!get_segment(elf, i, &segment))
			return -EINVAL;
		if (segment.p_type == PT_INTERP) {
			needs->interpreter = text_at(elf, segment.p_offset);
			if (!needs->interpreter)
				return -EINVAL;
		} else if (segment.p_type == PT_DYNAMIC) {
			elf->dynamic = segment.p_offset;
			elf->dynamic_size = segment.p_filesz;
		}
	}
	return 0;
}

/* Where in the file what is loaded at @address is. */
static bool find_address(const struct elf *elf, uint64_t address, uint64_t *ret)
{
	Elf64_Phdr segment;

	for (unsigned i = 0; get_segment(elf, i, &segment) && i < elf->header.e_phnum; i++) {
		if (segment.p_type != PT_LOAD || address < segment.p_vaddr ||
		    address - segment.p_vaddr >= segment.p_filesz)
			continue;
		*ret = segment.p_offset + (address - segment.p_vaddr);
		return *ret >= segment.p_offset;
	}
	return false;
}

/* The entry @i of the dynamic section; false: that has ended. */
static bool get_entry(const struct elf *elf, uint64_t i, Elf64_Dyn *ret)
{
	return elf->dynamic <= elf->size && i < ENTRIES_MAX &&
	       i < elf->dynamic_size / sizeof(*ret) &&
	       get(elf, elf->dynamic + i * sizeof(*ret), ret, sizeof(*ret)) &&
	       ret->d_tag != DT_NULL;
}

static int take_entry(const struct elf *elf, const Elf64_Dyn *entry, struct elf_needs *needs)
{
	uint64_t offset = elf->strings + entry->d_un.d_val;
	const char *text;

	if (entry->d_tag != DT_NEEDED && entry->d_tag != DT_RUNPATH && entry->d_tag != DT_RPATH)
		return 0;
	text = offset >= elf->strings ? text_at(elf, offset) : NULL;
	if (!text)
		return -EINVAL;
	if (entry->d_tag == DT_RUNPATH || (entry->d_tag == DT_RPATH && !needs->path))
		needs->path = text;
	if (entry->d_tag != DT_NEEDED)
		return 0;
	if (needs->count == ELF_NEEDS_MAX)
		return -EINVAL;
	needs->libraries[needs->count++] = text;
	return 0;
}

static int read_dynamic(struct elf *elf, struct elf_needs *needs)
{
	bool found = false;
	Elf64_Dyn entry;
	int r = 0;

	for (uint64_t i = 0; !found && get_entry(elf, i, &entry); i++)
		found = entry.d_tag == DT_STRTAB;
	found = found && find_address(elf, entry.d_un.d_ptr, &elf->strings);
	for (uint64_t i = 0; found && r == 0 && get_entry(elf, i, &entry); i++)
		r = take_entry(elf, &entry, needs);
	return r;
}

int elf_needs_read(const void *bytes, size_t size, struct elf_needs *ret)
{
	struct elf elf = {.bytes = bytes, .size = size};
	int r;

	*ret = (struct elf_needs){0};
	if (!get(&elf, 0, &elf.header, sizeof(elf.header)) ||
	    memcmp(elf.header.e_ident, ELFMAG, SELFMAG) != 0 ||
	    elf.header.e_ident[EI_CLASS] != ELFCLASS64 ||
	    elf.header.e_ident[EI_DATA] != ELFDATA2LSB || elf.header.e_machine != EM_AARCH64)
		return -ENOEXEC;
	r = read_segments(&elf, ret);
	if (r == 0)
		r = read_dynamic(&elf, ret);
	if (r < 0)
		*ret = (struct elf_needs){0};
	return r;
}
