/* SPDX-License-Identifier: Apache-2.0 */
/* The kinds of disks among which disk_open() chooses; each fails with a sentence. */
#ifndef ARMLET_BACKEND_DISK_OPEN_H
#define ARMLET_BACKEND_DISK_OPEN_H

#include "disk_job.h"

/*
 * The bytes of a file or block device, which @options->format does not name as
 * anything else. Its content may: then *@ret_format is set, and no disk.
 */
int disk_file_open(const struct disk_options *options, struct disk **ret, const char **ret_format,
		   struct error *err);

/* The export of an NBD server. */
int disk_nbd_open(const struct disk_options *options, struct disk **ret, struct error *err);

/* An image of @format, by a qemu-nbd. */
int disk_image_open(const struct disk_options *options, const char *format, struct disk **ret,
		    struct error *err);

/* What all of them have of @options; NULL, and a sentence, if there is no memory. */
struct disk_jobs *disk_jobs_new(const struct disk_options *options, size_t size, struct error *err);

/* The block sizes of @options, and a size that is a whole number of blocks; else a sentence. */
int disk_check_size(const struct disk_jobs *jobs, uint64_t size, struct error *err);

#endif
