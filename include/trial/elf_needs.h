/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a program or shared library for arm64 needs of others: ELF-64 Object File Format 1.5 and
 * the gABI, chapter 5, "Dynamic Linking". Nothing is allocated, and any bytes may be looked at.
 */
#ifndef ARMLET_TRIAL_ELF_NEEDS_H
#define ARMLET_TRIAL_ELF_NEEDS_H

#include <stddef.h>
#include <stdint.h>

#define ELF_NEEDS_MAX 256 /* libraries of one file */

/* Texts within the file's bytes. */
struct elf_needs {
	const char *interpreter; /* NULL: none */
	const char *path;        /* DT_RUNPATH, else DT_RPATH; NULL: none */
	const char *libraries[ELF_NEEDS_MAX];
	size_t count;
};

/*
 * -ENOEXEC: not of ELF, or not for 64-bit little-endian arm64; -EINVAL: damaged, or it needs more
 * than there is room for. @ret has nothing then.
 */
int elf_needs_read(const void *bytes, size_t size, struct elf_needs *ret);

#endif
