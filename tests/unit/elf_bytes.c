/* SPDX-License-Identifier: Apache-2.0 */
#include "elf_bytes.h"

#include <string.h>

size_t elf_bytes_make(struct elf_bytes *ret, const struct elf_bytes_symbol *symbols)
{
	size_t count = 0, at, first = offsetof(struct elf_bytes, rest);

	while (symbols[count].name)
		count++;
	at = count * sizeof(Elf64_Sym);
	*ret = (struct elf_bytes){
		.header = {.e_ident = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB,
				       EV_CURRENT},
			   .e_machine = EM_AARCH64,
			   .e_shoff = offsetof(struct elf_bytes, table),
			   .e_shentsize = sizeof(Elf64_Shdr),
			   .e_shnum = 2},
		.table = {.sh_type = SHT_SYMTAB, .sh_link = 1, .sh_offset = first, .sh_size = at},
		.names = {.sh_type = SHT_STRTAB, .sh_offset = first + at},
	};
	for (size_t i = 0; i < count; i++) {
		size_t length = strlen(symbols[i].name) + 1;
		const Elf64_Sym symbol = {
			.st_name = (Elf64_Word)(at - count * sizeof(symbol)),
			.st_info = symbols[i].type,
			.st_shndx = 1,
			.st_value = symbols[i].address,
			.st_size = symbols[i].size,
		};

		memcpy(ret->rest + i * sizeof(symbol), &symbol, sizeof(symbol));
		memcpy(ret->rest + at, symbols[i].name, length);
		at += length;
	}
	ret->names.sh_size = at - count * sizeof(Elf64_Sym);
	return first + at;
}
