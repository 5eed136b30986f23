/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The guest's memory as an ELF core file, which gdb and crash open: what stands in front
 * of the memory, and what the guest's kernel tells of itself for those who read it.
 *
 *	ELF header | program headers | notes | padding | memory, from its first byte
 *
 * Notes: NT_PRSTATUS of each vCPU, as Linux's arm64 writes it (include/uapi/linux/elfcore.h),
 * and the kernel's own VMCOREINFO (kernel/vmcore_info.c).
 *
 * Threads: any. The guest may run, and change what is read: each is read once.
 */
#ifndef ARMLET_CORE_VMCORE_H
#define ARMLET_CORE_VMCORE_H

#include "core/guest_mem.h"

/* The memory begins at a multiple of this in the file: the largest page there is. */
#define VMCORE_ALIGN (64 * KIB)

/*
 * The note that Linux keeps at the start of a page, with text in it: VMCOREINFO_NOTE_SIZE
 * is at most a page and its header.
 */
struct vmcoreinfo {
	uint8_t *note; /* with its header; malloc()ed */
	size_t note_size;

	/* From the text, if it has them: where the kernel and its linear map are. */
	bool has_mapping;
	uint64_t kimage_voffset; /* of the image: virtual minus physical address */
	uint64_t phys_offset;    /* the physical address that PAGE_OFFSET maps; modulo 2^64 */
	unsigned va_bits;
};

#define VMCOREINFO_INIT ((struct vmcoreinfo){0})

/*
 * The next such note from *@at upward, a page's address; *@at is then behind it. False:
 * there is none. Memory keeps its contents over a reset, so the first may be of a kernel
 * that no longer runs. @ret is to be finished.
 */
bool vmcoreinfo_next(const struct guest_mem *mem, gpa_t *at, struct vmcoreinfo *ret);
void vmcoreinfo_finish(struct vmcoreinfo *info);

/* Read the text of the note, @size bytes, for what is behind @note_size. */
void vmcoreinfo_parse(const char *text, size_t size, struct vmcoreinfo *ret);

struct vmcore_cpu {
	uint64_t x[31];
	uint64_t sp;
	uint64_t pc;
	uint64_t pstate;
};

struct vmcore_options {
	gpa_t base; /* the memory: multiples of 4 KiB */
	uint64_t size;
	const struct vmcore_cpu *cpus;
	uint32_t cpu_count;
	const struct vmcoreinfo *info; /* NULL: not known */

	/*
	 * Virtual addresses: of the kernel's image, [@image, @image + @image_size), and of all
	 * memory in the linear map. @info has to have its mapping.
	 */
	bool paging;
	gpa_t image;
	uint64_t image_size;
};

/* All that stands in front of the memory; malloc()ed. -ENOMEM. */
int vmcore_header(const struct vmcore_options *options, void **ret, size_t *ret_size);

#endif
