/* SPDX-License-Identifier: Apache-2.0 */
#include "base/footprint.h"

#include <link.h>
#include <malloc.h>
#include <sys/mman.h>

#include "base/util.h"

/* Called for each object that is loaded; the first is the program itself. */
static int trim_object(struct dl_phdr_info *info, size_t size, void *data)
{
	uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);

	(void)size;
	(void)data;
	for (size_t i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *segment = &info->dlpi_phdr[i];
		uintptr_t start = align_up(info->dlpi_addr + segment->p_vaddr, page);
		uintptr_t end =
			align_down(info->dlpi_addr + segment->p_vaddr + segment->p_memsz, page);

		/* Never written to, so the file has all of it. */
		if (segment->p_type == PT_LOAD && !(segment->p_flags & PF_W) && start < end)
			madvise((void *)start, end - start, MADV_DONTNEED);
	}
	return 1;
}

void footprint_trim(void)
{
	malloc_trim(0);
	dl_iterate_phdr(trim_object, NULL);
}
