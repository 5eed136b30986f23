/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Finished device trees: read from the user, changed by overlays, told what
 * this boot needs, written out.
 */
#ifndef ARMLET_BOOT_DTB_H
#define ARMLET_BOOT_DTB_H

#include "base/error.h"
#include "boot/chosen.h"

#define DTB_SIZE_MAX    (2 * MIB) /* booting.rst: a larger one is not mapped by the kernel */
#define DTB_DEPTH_MAX   64        /* Linux, drivers/of/fdt.c: deeper nodes are left out */
#define DTB_VERSION_MIN 16        /* of the blob: Devicetree Specification 5.2 */

/* A device tree blob, valid as libfdt's fdt_check_full() sees it. malloc()ed. */
struct dtb {
	void *blob;
	size_t size;
};

/* A dtb that dtb_finish() takes. */
#define DTB_INIT  \
	{         \
		0 \
	}

void dtb_finish(struct dtb *dtb);

/* The tree in the file at @path. */
int dtb_read(const char *path, struct dtb *ret, struct error *err);

/* Apply the overlay in the file at @path; @dtb is as it was on failure. */
int dtb_apply_overlay(struct dtb *dtb, const char *path, struct error *err);

/*
 * Set what @chosen makes in /chosen, which is made if there is none. What the
 * tree says of an initrd goes if @chosen has none; all else stays. @dtb is as
 * it was on failure.
 */
int dtb_set_chosen(struct dtb *dtb, const struct boot_chosen *chosen, struct error *err);

/*
 * Set the initrd's address in a tree that has @chosen already, with another
 * one: numbers keep their width, so the tree keeps its size.
 */
int dtb_move_initrd(struct dtb *dtb, const struct boot_chosen *chosen, struct error *err);

/* Write it to @path: whole, or not at all; a pipe or device is written to directly. */
int dtb_write(const struct dtb *dtb, const char *path, struct error *err);

#endif
