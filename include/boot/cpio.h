/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An initramfs that is made in memory: an archive as the kernel unpacks it at boot (Linux,
 * Documentation/driver-api/early-userspace/buffer-format.rst; cpio's "newc"). Several
 * archives may stand one behind the other, so what is made here may be put in front of, or
 * behind, one that is there.
 *
 * Everything is root's, and of time 0: the same content is the same bytes.
 *
 * Threads: one at a time.
 */
#ifndef ARMLET_BOOT_CPIO_H
#define ARMLET_BOOT_CPIO_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/util.h"

struct cpio;

int cpio_create(struct cpio **ret);
void cpio_destroy(struct cpio *cpio); /* takes NULL */

DEFINE_CLEANUP(struct cpio *, cpio_destroy)

/*
 * Add what is called @path, "bin/init", without a slash in front; the folders that it is in
 * are added first, once. @mode has permissions alone. -EINVAL: no such path, as "", "a//b"
 * or "../c"; -EFBIG: the format's size is 32 bits; -ENOMEM. What failed is not there.
 */
int cpio_add_file(struct cpio *cpio, const char *path, mode_t mode, const void *data, size_t size);
int cpio_add_folder(struct cpio *cpio, const char *path, mode_t mode);
int cpio_add_link(struct cpio *cpio, const char *path, const char *target);

/* A character device. */
int cpio_add_device(struct cpio *cpio, const char *path, mode_t mode, unsigned major,
		    unsigned minor);

/* The end of it: whole, of a size that is a multiple of 512. Nothing is added any more. */
int cpio_finish(struct cpio *cpio, const void **ret, size_t *ret_size);

#endif
