/* SPDX-License-Identifier: Apache-2.0 */
/* What the files that make up an image share; see boot/image.h and image.c. */
#ifndef ARMLET_BOOT_IMAGE_PRIVATE_H
#define ARMLET_BOOT_IMAGE_PRIVATE_H

#include "boot/boot_file.h"
#include "boot/image.h"
#include "unpacker.h"

#define IMAGE_HEAD_SIZE 4096      /* enough for all headers that are looked at */
#define IMAGE_ALIGN     (2 * MIB) /* booting.rst: "2MB aligned base address" */
#define IMAGE_SPAN_MAX  (1 * TIB) /* larger sizes and offsets are damage, not kernels */

/* The first bytes of a kernel, unpacked. */
struct image_head {
	size_t size;
	uint8_t bytes[IMAGE_HEAD_SIZE];
};

/* A PT_LOAD segment. */
struct image_segment {
	uint64_t offset; /* in the file */
	uint64_t file_size;
	uint64_t memory_size;
	uint64_t virtual_address;
	uint64_t address; /* p_paddr */
};

struct image {
	struct boot_file file; /* the user's, or in memory what it unpacked to */
	struct image_info info;
	struct packed packed; /* method other than none: unpacked at each load */
	uint64_t present;     /* bytes that must be there: all sections of the PE header */
	struct image_segment *segments; /* of an ELF file */
	size_t segment_count;
	bool loaded; /* once: memory may be dirty */
};

/* Refuse: "kernel PATH is @what; @mend", or "unpacks to" if it came out of a container. */
int image_refuse(const struct image *image, const char *what, const char *mend, struct error *err);

/* Refuse as truncated; @why is the rest of "kernel PATH is cut off: ". */
int image_cut_off(const struct image *image, const char *why, struct error *err);

/* image_pe.c: PE/COFF headers, as EFI programs have them. */
#define IMAGE_PE_ARM64 0xaa64

struct image_pe {
	uint16_t machine;
	uint64_t raw_end; /* end of the sections' data in the file */
};

bool image_pe_parse(const struct image_head *head, struct image_pe *ret);
const char *image_pe_machine_name(uint16_t machine);

/* image_arm64.c */
bool image_arm64_recognise(const struct image_head *head);
/* Fill info and present from the header; memory_size is 0 if the header does not tell it. */
int image_arm64_parse(struct image *image, const struct image_head *head, struct error *err);

/* image_zboot.c */
bool image_zboot_recognise(const struct image_head *head);
/* Fill packed and info.container. */
int image_zboot_parse(struct image *image, const struct image_head *head, struct error *err);

/* image_elf.c */
bool image_elf_recognise(const struct image_head *head);
/* Refuse what is not ELF64 for AArch64, from the header alone. */
int image_elf_check(const struct image *image, const struct image_head *head, struct error *err);
/* Read the segments and fill info; the file is not packed. */
int image_elf_parse(struct image *image, const struct image_head *head, struct error *err);
/* @reload: memory is dirty. @host is where the lowest segment goes. */
int image_elf_load(const struct image *image, uint8_t *host, bool reload, struct error *err);

/* image_foreign.c: refuse what is known to be something else; 0 if it is not. */
int image_foreign_refuse(const struct image *image, const struct image_head *head,
			 struct error *err);

#endif
