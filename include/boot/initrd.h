/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The initial ramdisk: any file, loaded as it is. The kernel knows its format.
 *
 * Threads: one at a time.
 */
#ifndef ARMLET_BOOT_INITRD_H
#define ARMLET_BOOT_INITRD_H

#include "base/error.h"
#include "core/guest_mem.h"

struct initrd;

/* Refused with a sentence: what boot_file_open() refuses. */
int initrd_open(const char *path, struct initrd **ret, struct error *err);
void initrd_close(struct initrd *initrd); /* takes NULL */

DEFINE_CLEANUP(struct initrd *, initrd_close)

uint64_t initrd_size(const struct initrd *initrd);

/* Write it to @base; again at each reset. -ESTALE if the file was changed in between. */
int initrd_load(struct initrd *initrd, const struct guest_mem *mem, gpa_t base, struct error *err);

#endif
