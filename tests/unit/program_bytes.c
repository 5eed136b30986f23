/* SPDX-License-Identifier: Apache-2.0 */
#include "program_bytes.h"

#include <assert.h>
#include <string.h>

#define AT(member) offsetof(struct program_file_bytes, member)

/* Where in the strings @text is. */
static size_t add_text(struct program_file_bytes *file, size_t *used, const char *text)
{
	size_t at = *used;

	assert(at + strlen(text) + 1 <= sizeof(file->strings));
	memcpy(file->strings + at, text, strlen(text) + 1);
	*used += strlen(text) + 1;
	return at;
}

void program_bytes_make(const struct program_bytes *from, struct program_file_bytes *ret)
{
	Elf64_Dyn *entry = ret->dynamic;
	size_t used = 1;

	*ret = (struct program_file_bytes){
		.header = {.e_ident = ELFMAG,
			   .e_type = ET_DYN,
			   .e_machine = EM_AARCH64,
			   .e_version = EV_CURRENT,
			   .e_phoff = AT(segments),
			   .e_ehsize = sizeof(Elf64_Ehdr),
			   .e_phentsize = sizeof(Elf64_Phdr),
			   .e_phnum = 3},
		.segments = {{.p_type = PT_LOAD,
			      .p_vaddr = PROGRAM_BYTES_ADDRESS,
			      .p_filesz = sizeof(*ret),
			      .p_memsz = sizeof(*ret)},
			     {.p_type = PT_DYNAMIC,
			      .p_offset = AT(dynamic),
			      .p_filesz = sizeof(ret->dynamic)}},
	};
	ret->header.e_ident[EI_CLASS] = ELFCLASS64;
	ret->header.e_ident[EI_DATA] = ELFDATA2LSB;
	for (size_t i = 0; from->libraries[i]; i++)
		*entry++ = (Elf64_Dyn){DT_NEEDED, {add_text(ret, &used, from->libraries[i])}};
	if (from->rpath)
		*entry++ = (Elf64_Dyn){DT_RPATH, {add_text(ret, &used, from->rpath)}};
	if (from->runpath)
		*entry++ = (Elf64_Dyn){DT_RUNPATH, {add_text(ret, &used, from->runpath)}};
	*entry = (Elf64_Dyn){DT_STRTAB, {PROGRAM_BYTES_ADDRESS + AT(strings)}};
	if (from->interpreter) {
		ret->segments[2] = (Elf64_Phdr){
			.p_type = PT_INTERP,
			.p_offset = AT(strings) + add_text(ret, &used, from->interpreter)};
	}
}
