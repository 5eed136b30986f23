/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any memory of a guest, of 4 pages, as a kernel's VMCOREINFO: it is found, read and put
 * into a file's header, without reaching outside. The input is what the memory begins
 * with; its first byte says at which page.
 */
#include <stdlib.h>
#include <string.h>

#include "core/vmcore.h"
#include "fuzz.h"

#define PAGE     4096
#define PAGES    4
#define RAM_BASE UINT64_C(0x40000000)

static void check_header(const struct vmcoreinfo *info)
{
	static const struct vmcore_cpu cpu;
	const struct vmcore_options options = {.base = RAM_BASE,
					       .size = (uint64_t)PAGES * PAGE,
					       .cpus = &cpu,
					       .cpu_count = 1,
					       .info = info,
					       .paging = info->has_mapping,
					       .image = RAM_BASE,
					       .image_size = PAGE};
	void *header = NULL;
	size_t size = 0;

	FUZZ_ASSERT(vmcore_header(&options, &header, &size) == 0);
	FUZZ_ASSERT(size % VMCORE_ALIGN == 0 && size > info->note_size);
	free(header);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t at = size ? (data[0] % PAGES) * (size_t)PAGE : 0;
	size_t used = size ? size - 1 : 0;
	/* Of its own, so that a byte behind it is noticed. */
	uint8_t *ram = calloc(PAGES, PAGE);
	const struct guest_mem mem = {
		.base = RAM_BASE, .size = (uint64_t)PAGES * PAGE, .host = ram};
	struct vmcoreinfo info;
	gpa_t from = RAM_BASE;

	FUZZ_ASSERT(ram);
	if (used > PAGES * PAGE - at)
		used = PAGES * PAGE - at;
	if (used)
		memcpy(ram + at, data + 1, used);
	while (vmcoreinfo_next(&mem, &from, &info)) {
		FUZZ_ASSERT(info.note_size <= (size_t)PAGES * PAGE);
		check_header(&info);
		vmcoreinfo_finish(&info);
	}
	free(ram);
	return 0;
}
