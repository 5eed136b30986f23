/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any file as kernel: open it, place it, load it, load it again. Whatever it
 * is, a refusal has a sentence, and a load writes nothing outside its place.
 */
#include <string.h>
#include <sys/mman.h>

#include "boot/image.h"
#include "boot/placement.h"
#include "fuzz.h"
#include "kernel_bytes.h"

#define RAM_BASE UINT64_C(0x40000000)
#define RAM_SIZE (3 * MIB)
#define GUARD    (4 * KIB) /* looked at on either side of the image */
#define DIRT     0xa5

static struct guest_mem *ram(void)
{
	static struct guest_mem mem = {.base = RAM_BASE, .size = RAM_SIZE};

	if (!mem.host) {
		mem.host = mmap(NULL, RAM_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
				-1, 0);
		FUZZ_ASSERT(mem.host != MAP_FAILED);
	}
	return &mem;
}

/* The guard before or behind the image, as far as there is RAM: fill it, or check it. */
static void guard(const struct guest_mem *mem, gpa_t start, gpa_t end, bool check)
{
	start = max_u64(start, mem->base);
	end = min_u64(end, guest_mem_end(mem));
	for (gpa_t at = start; at < end; at++) {
		uint8_t *byte = mem->host + (at - mem->base);

		FUZZ_ASSERT(!check || *byte == DIRT);
		*byte = DIRT;
	}
}

static void load(struct image *image, const struct guest_mem *mem, gpa_t start)
{
	gpa_t end = start + image_info(image)->memory_size;
	struct error err = {0};
	int r;

	guard(mem, start - GUARD, start, false);
	guard(mem, end, end + GUARD, false);
	r = image_load(image, mem, start, &err);
	FUZZ_ASSERT(r == 0 || (r == -err.code && err.text[0]));
	guard(mem, start - GUARD, start, true);
	guard(mem, end, end + GUARD, true);
}

static void try_image(struct image *image)
{
	const struct guest_mem *mem = ram();
	const struct placement_request request = {
		.ram_base = mem->base,
		.ram_size = mem->size,
		.image = image_info(image),
		.fdt_size = 64 * KIB,
		.initrd_size = 64 * KIB,
	};
	struct placement plan = {0};
	struct error err = {0};
	int r = placement_plan(&request, &plan, &err);

	FUZZ_ASSERT(r == 0 || (r == -err.code && err.text[0]));
	if (r < 0)
		return;
	FUZZ_ASSERT(guest_mem_at(mem, plan.kernel, request.image->memory_size));
	FUZZ_ASSERT(plan.entry - plan.kernel < request.image->memory_size);
	load(image, mem, plan.kernel);
	load(image, mem, plan.kernel);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes bytes = {.data = (uint8_t *)data, .size = size};
	struct image *image = NULL;
	struct error err = {0};
	int r = image_open_fd(bytes_fd(&bytes, size), "fuzz", &image, &err);

	FUZZ_ASSERT((r == 0) == (image != NULL));
	FUZZ_ASSERT(r == 0 || (r == -err.code && strstr(err.text, "'fuzz'")));
	if (image)
		try_image(image);
	image_close(image);
	return 0;
}
