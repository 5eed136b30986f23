/* SPDX-License-Identifier: Apache-2.0 */
/*
 * symbols <SYMBOLS >FILE: an object file for gdb, of lines as /proc/kallsyms has them. It has
 * nothing but the symbols, each a function or an object as its letter says, and how frames
 * are unwound: by X29, as all of the kernel keeps it (AAPCS64, 6.4.6).
 */
#include <ctype.h>
#include <elf.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SYMBOLS_MAX (256 * 1024)
#define NAMES_MAX   (16 * 1024 * 1024)

static Elf64_Sym symbols[SYMBOLS_MAX];
static char names[NAMES_MAX];
static const char sections[] = "\0.text\0.symtab\0.strtab\0.shstrtab\0.debug_frame";

/* All that there can be of a kernel. */
#define KERNEL      UINT64_C(0xffff800000000000)
#define KERNEL_SIZE UINT64_C(0x00007fff00000000)

/* DWARF 4, 6.4.1: X29 and X30 are where X29 points, and the frame's end is behind them. */
static const struct __attribute__((packed)) {
	uint32_t cie_length;
	uint32_t cie_id;
	uint8_t version, augmentation, address_size, segment_size;
	uint8_t code_alignment, data_alignment, return_register;
	uint8_t rules[9];
	uint32_t fde_length;
	uint32_t cie;
	uint64_t begin, size;
} frames = {
	.cie_length = 20,
	.cie_id = UINT32_MAX,
	.version = 4,
	.address_size = 8,
	.code_alignment = 1,
	.data_alignment = 0x78, /* -8 */
	.return_register = 30,
	.rules = {0x0c, 29, 16, /* DW_CFA_def_cfa X29 + 16 */
		  0x80 | 29, 2, /* DW_CFA_offset: at CFA - 16 */
		  0x80 | 30, 1},
	.fde_length = 20,
	.cie = 0,
	.begin = KERNEL,
	.size = KERNEL_SIZE,
};
_Static_assert(sizeof(frames) == 48, "no padding");

int main(void)
{
	size_t count = 1, size = 1;
	unsigned long long addr;
	char name[256], letter;
	Elf64_Ehdr header = {.e_ident = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64,
					 ELFDATA2LSB, EV_CURRENT},
			     .e_type = ET_EXEC,
			     .e_machine = EM_AARCH64,
			     .e_version = EV_CURRENT,
			     .e_shoff = sizeof(header),
			     .e_ehsize = sizeof(header),
			     .e_shentsize = sizeof(Elf64_Shdr),
			     .e_shnum = 6,
			     .e_shstrndx = 4};
	Elf64_Shdr shdr[6] = {
		[1] = {.sh_name = 1, .sh_type = SHT_NOBITS, .sh_flags = SHF_ALLOC | SHF_EXECINSTR},
		[2] = {.sh_name = 7,
		       .sh_type = SHT_SYMTAB,
		       .sh_link = 3,
		       .sh_info = 1,
		       .sh_entsize = sizeof(Elf64_Sym)},
		[3] = {.sh_name = 15, .sh_type = SHT_STRTAB},
		[4] = {.sh_name = 23, .sh_type = SHT_STRTAB, .sh_size = sizeof(sections)},
		[5] = {.sh_name = 33, .sh_type = SHT_PROGBITS, .sh_size = sizeof(frames)},
	};

	shdr[1].sh_addr = KERNEL;
	shdr[1].sh_size = KERNEL_SIZE;
	while (count < SYMBOLS_MAX && scanf("%llx %c %255s%*[^\n]", &addr, &letter, name) == 3) {
		int type = tolower((unsigned char)letter) == 't' ? STT_FUNC : STT_OBJECT;

		if (size + strlen(name) + 1 > NAMES_MAX)
			return EXIT_FAILURE;
		symbols[count++] =
			(Elf64_Sym){.st_name = (Elf64_Word)size,
				    .st_info = (unsigned char)ELF64_ST_INFO(STB_GLOBAL, type),
				    .st_shndx = 1,
				    .st_value = addr};
		strcpy(names + size, name);
		size += strlen(name) + 1;
	}
	shdr[2].sh_offset = sizeof(header) + sizeof(shdr);
	shdr[2].sh_size = count * sizeof(symbols[0]);
	shdr[3].sh_offset = shdr[2].sh_offset + shdr[2].sh_size;
	shdr[3].sh_size = size;
	shdr[4].sh_offset = shdr[3].sh_offset + size;
	shdr[5].sh_offset = shdr[4].sh_offset + sizeof(sections);
	fwrite(&header, sizeof(header), 1, stdout);
	fwrite(shdr, sizeof(shdr), 1, stdout);
	fwrite(symbols, sizeof(symbols[0]), count, stdout);
	fwrite(names, 1, size, stdout);
	fwrite(sections, sizeof(sections), 1, stdout);
	fwrite(&frames, sizeof(frames), 1, stdout);
	return count > 1 && fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
