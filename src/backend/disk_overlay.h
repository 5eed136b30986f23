/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DOC: Overlays
 *
 * What is written to an ephemeral disk goes to a sparse file without a name,
 * by clusters of 64 KiB; a bitmap tells which clusters are there. A cluster
 * that is there is read and written as any file is. One that is missing is
 * read from the file below, and filled by the disk's thread itself, at once
 * and one after the other: so no two requests can fill the same one, and
 * nothing else is under way to a cluster of the overlay before it is filled.
 *
 * Threads: the disk's.
 */
#ifndef ARMLET_BACKEND_DISK_OVERLAY_H
#define ARMLET_BACKEND_DISK_OVERLAY_H

#include <sys/uio.h>

#include "base/error.h"

struct disk_overlay;

/* A file without a name and of no size in $TMPDIR or /var/tmp; returns it, or fails with a
 * sentence. */
int disk_overlay_file(const char *path, struct error *err);

/*
 * A copy without a name of the file @fd (@path) that shares its space, where the
 * file system can make such: the copy's descriptor, or -errno.
 */
int disk_overlay_clone(const char *path, int fd);

/* Over @base_fd, of @size bytes; both descriptors are its own now, also on failure. */
int disk_overlay_create(int base_fd, int fd, uint64_t size, struct disk_overlay **ret);
void disk_overlay_destroy(struct disk_overlay *overlay); /* takes NULL */

/*
 * How many bytes from @offset on, at most @size, are in one file: *@ret_fd, and
 * whether that is the overlay's.
 */
uint64_t disk_overlay_run(const struct disk_overlay *overlay, uint64_t offset, uint64_t size,
			  int *ret_fd, bool *ret_present);

/*
 * Fill the missing cluster of @offset, and take as many bytes as it has of @size
 * from @iov, zeroes if that is NULL; returns their number, or -errno.
 */
int64_t disk_overlay_fill(struct disk_overlay *overlay, uint64_t offset, uint64_t size,
			  const struct iovec *iov, uint32_t iov_count);

#endif
