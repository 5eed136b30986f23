/* SPDX-License-Identifier: Apache-2.0 */
#include "base/footprint.h"

#include <link.h>
#include <malloc.h>
#include <sys/mman.h>

#include "base/util.h"

#define SEGMENTS_MAX 8

struct segments {
	struct {
		void *start;
		size_t size;
	} rows[SEGMENTS_MAX];
	unsigned count;
};

/* Called for each object that is loaded; the first is the program itself. */
static int find_segments(struct dl_phdr_info *info, size_t size, void *data)
{
	uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
	struct segments *segments = data;

	(void)size;
	for (size_t i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *segment = &info->dlpi_phdr[i];
		uintptr_t start = align_up(info->dlpi_addr + segment->p_vaddr, page);
		uintptr_t end =
			align_down(info->dlpi_addr + segment->p_vaddr + segment->p_memsz, page);

		/* Never written to, so the file has all of it. */
		if (segment->p_type != PT_LOAD || segment->p_flags & PF_W || start >= end ||
		    segments->count == SEGMENTS_MAX)
			continue;
		segments->rows[segments->count].start = (void *)start;
		segments->rows[segments->count++].size = end - start;
	}
	return 1;
}

void footprint_trim(void)
{
	struct segments segments = {.count = 0};

	malloc_trim(0);
	dl_iterate_phdr(find_segments, &segments);
	/* From here on each function that is called brings its neighbours back. */
	for (unsigned i = 0; i < segments.count; i++)
		madvise(segments.rows[i].start, segments.rows[i].size, MADV_DONTNEED);
}
