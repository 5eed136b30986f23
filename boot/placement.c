/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DOC: Placement
 *
 *	RAM base                                                        RAM end
 *	| text_offset | kernel, BSS |   free for the guest   | FDT | initrd |
 *
 * The kernel lies as low as it may, the initrd as high as it may, the device
 * tree at the highest 2 MiB boundary below it. If memory is so short that this
 * does not fit, the tree takes only the room that it needs; and if there is
 * none above a kernel that is linked for a high address, both go below it.
 *
 * "As high as it may": an initrd must lie within 32 GiB of the kernel, counted
 * from a 1 GiB boundary; and before Linux 4.2 the tree had to be in the first
 * 512 MiB from the base of the image. Kernels that can be placed anywhere (4.6
 * on) have no such limit, so all that cannot are treated as old.
 */
#include "boot/placement.h"

#include <inttypes.h>
#include <stdio.h>

#define FDT_ALIGN_ROOMY    (2 * MIB)
#define FDT_ALIGN_TIGHT    (4 * KIB)  /* the protocol asks for 8 bytes */
#define INITRD_ALIGN       (64 * KIB) /* the largest page that a guest may have */
#define WINDOW_ALIGN       (1 * GIB)
#define WINDOW_SIZE        (32 * GIB)
#define OLD_FDT_WINDOW     (512 * MIB)
#define SMALLEST_RAM_TRIED (16 * MIB)

/* [start, end) */
struct range {
	gpa_t start;
	gpa_t end;
};

/* Take @size bytes off the end of @range, at a multiple of @align; false if it has no room. */
static bool take_top(struct range *range, uint64_t size, uint64_t align, gpa_t *ret)
{
	gpa_t start;

	if (range->end < range->start || range->end - range->start < size)
		return false;
	start = align_down(range->end - size, align);
	if (start < range->start)
		return false;
	range->end = start;
	*ret = start;
	return true;
}

static bool is_linked_into(const struct image_info *image, gpa_t base, gpa_t end)
{
	return image->link_address >= base && image->link_address <= end &&
	       image->memory_size <= end - image->link_address;
}

static bool place_kernel(const struct placement_request *request, struct placement *placement)
{
	const struct image_info *image = request->image;
	gpa_t end = request->ram_base + request->ram_size;
	gpa_t start = align_up(request->ram_base, image->align) + image->text_offset;

	if (image->link_address && is_linked_into(image, request->ram_base, end))
		start = image->link_address;
	else if (!image->relocatable || start > end || image->memory_size > end - start)
		return false;
	placement->kernel = start;
	placement->entry = start + image->entry_offset;
	return true;
}

/* Put tree and initrd into @room, the tree at a multiple of @fdt_align. */
static bool place_aligned(const struct placement_request *request, struct range room,
			  uint64_t fdt_align, struct placement *placement)
{
	gpa_t window_end = align_down(placement->kernel, WINDOW_ALIGN) + WINDOW_SIZE;
	gpa_t old_end = placement->kernel - request->image->text_offset + OLD_FDT_WINDOW;

	room.end = min_u64(room.end, window_end);
	if (request->initrd_size &&
	    !take_top(&room, request->initrd_size, INITRD_ALIGN, &placement->initrd))
		return false;
	if (request->image->format == IMAGE_ARM64 && !request->image->anywhere)
		room.end = min_u64(room.end, old_end);
	return take_top(&room, request->fdt_size, fdt_align, &placement->fdt);
}

static bool place_data(const struct placement_request *request, struct range room,
		       struct placement *placement)
{
	return place_aligned(request, room, FDT_ALIGN_ROOMY, placement) ||
	       place_aligned(request, room, FDT_ALIGN_TIGHT, placement);
}

/* The plan, or false if there is none. */
static bool try_plan(const struct placement_request *request, struct placement *ret)
{
	struct placement placement = {0};
	struct range above, below;

	if (!place_kernel(request, &placement))
		return false;
	above.start = placement.kernel + request->image->memory_size;
	above.end = request->ram_base + request->ram_size;
	below.start = request->ram_base;
	below.end = placement.kernel;
	if (!place_data(request, above, &placement) && !place_data(request, below, &placement))
		return false;
	*ret = placement;
	return true;
}

/* The smallest RAM of a power of two that would do; 0 if none would. */
static uint64_t enough_ram(const struct placement_request *request)
{
	struct placement_request larger = *request;
	struct placement placement;

	for (larger.ram_size = SMALLEST_RAM_TRIED; larger.ram_size <= TIB; larger.ram_size *= 2) {
		if (try_plan(&larger, &placement))
			return larger.ram_size;
	}
	return 0;
}

/* From the base of the RAM to the end of the kernel, in MiB. */
static uint64_t kernel_mib(const struct placement_request *request)
{
	const struct image_info *image = request->image;
	uint64_t end = image->text_offset + image->memory_size;

	if (!image->relocatable)
		end = image->link_address + image->memory_size - request->ram_base;
	return align_up(end, MIB) / MIB;
}

static int refuse(const struct placement_request *request, struct error *err)
{
	const struct image_info *image = request->image;
	uint64_t enough = enough_ram(request) / MIB;
	char initrd[48] = "";

	if (!image->relocatable && (image->link_address < request->ram_base || !enough))
		return error_set(err, EADDRNOTAVAIL,
				 "the kernel is linked for address 0x%" PRIx64
				 ", but the machine's memory starts at 0x%" PRIx64
				 "; link it for an address in there, or as position-independent",
				 image->link_address, request->ram_base);
	if (request->initrd_size)
		snprintf(initrd, sizeof(initrd), " and the initrd %" PRIu64 " MiB",
			 align_up(request->initrd_size, MIB) / MIB);
	if (!enough)
		return error_set(err, ENOMEM,
				 "the kernel needs %" PRIu64 " MiB%s, which fits into no machine; "
				 "give smaller ones",
				 kernel_mib(request), initrd);
	return error_set(err, ENOMEM,
			 "the kernel needs %" PRIu64 " MiB%s, but the machine has %" PRIu64
			 " MiB of memory; give it at least --mem %" PRIu64 "M",
			 kernel_mib(request), initrd, request->ram_size / MIB, enough);
}

int placement_plan(const struct placement_request *request, struct placement *ret,
		   struct error *err)
{
	if (request->fdt_size > PLACEMENT_FDT_MAX)
		return error_set(err, EFBIG,
				 "the device tree has %" PRIu64
				 " bytes, but a kernel takes no more "
				 "than 2 MiB; leave out nodes or overlays",
				 request->fdt_size);
	if (!try_plan(request, ret))
		return refuse(request, err);
	return 0;
}
