/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where kernel, device tree and initrd go, decided before any of them is
 * loaded: none overlaps another, all lie in RAM, and the rules of the boot
 * protocol hold (Linux, Documentation/arch/arm64/booting.rst). Pure arithmetic.
 */
#ifndef ARMLET_BOOT_PLACEMENT_H
#define ARMLET_BOOT_PLACEMENT_H

#include "base/error.h"
#include "boot/image.h"
#include "core/types.h"

#define PLACEMENT_FDT_MAX (2 * MIB) /* booting.rst, "Setup the device tree" */

struct placement_request {
	gpa_t ram_base;
	uint64_t ram_size;
	const struct image_info *image;
	uint64_t initrd_size; /* 0: none */
	uint64_t fdt_size;    /* at most; up to PLACEMENT_FDT_MAX */
};

struct placement {
	gpa_t kernel; /* the image's first byte */
	gpa_t entry;
	gpa_t fdt;
	gpa_t initrd; /* 0: none */
};

/*
 * -ENOMEM with a sentence that names what needs how much, and the --mem that
 * would do; -EADDRNOTAVAIL if the kernel is linked for addresses that are not
 * RAM; -EFBIG if the device tree is too large.
 */
int placement_plan(const struct placement_request *request, struct placement *ret,
		   struct error *err);

#endif
