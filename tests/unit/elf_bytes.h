/* SPDX-License-Identifier: Apache-2.0 */
/* A vmlinux of nothing but symbols, as small as it can be. */
#ifndef ARMLET_TESTS_UNIT_ELF_BYTES_H
#define ARMLET_TESTS_UNIT_ELF_BYTES_H

#include <elf.h>

#include "base/util.h"

#define ELF_BYTES_MAX 4096

struct elf_bytes_symbol {
	const char *name;
	uint64_t address;
	uint64_t size;
	unsigned char type; /* STT_NOTYPE, ... */
};

/* The file: its header, two section headers, symbols up to one without a name, their names. */
struct elf_bytes {
	Elf64_Ehdr header;
	Elf64_Shdr table, names;
	uint8_t rest[ELF_BYTES_MAX];
};

/* Returns how many bytes of @ret are the file. */
size_t elf_bytes_make(struct elf_bytes *ret, const struct elf_bytes_symbol *symbols);

#endif
