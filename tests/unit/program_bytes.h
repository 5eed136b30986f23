/* SPDX-License-Identifier: Apache-2.0 */
/* Programs and libraries for arm64, as small as they can be, for tests. */
#ifndef ARMLET_TESTS_UNIT_PROGRAM_BYTES_H
#define ARMLET_TESTS_UNIT_PROGRAM_BYTES_H

#include <elf.h>
#include <stddef.h>

#define PROGRAM_BYTES_LIBRARIES 4
#define PROGRAM_BYTES_ADDRESS   0x400000 /* of the file's first byte */

struct program_bytes {
	const char *interpreter; /* NULL: none */
	const char *runpath;
	const char *rpath;
	const char *libraries[PROGRAM_BYTES_LIBRARIES + 1]; /* NULL behind the last */
};

/* Laid out thus; all but the strings is of a fixed place. */
struct program_file_bytes {
	Elf64_Ehdr header;
	Elf64_Phdr segments[3]; /* PT_LOAD of all, PT_DYNAMIC, PT_INTERP or PT_NULL */
	Elf64_Dyn dynamic[PROGRAM_BYTES_LIBRARIES + 4];
	char strings[512];
};

void program_bytes_make(const struct program_bytes *from, struct program_file_bytes *ret);

#endif
