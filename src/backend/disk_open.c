/* SPDX-License-Identifier: Apache-2.0 */
#include "disk_open.h"

#include <inttypes.h>
#include <string.h>

#define BLOCK_MIN 512
#define BLOCK_MAX 65536

static bool is_block_size(uint32_t size)
{
	return !size || (is_power_of_two(size) && size >= BLOCK_MIN && size <= BLOCK_MAX);
}

static int check_block_sizes(const struct disk_options *options, struct error *err)
{
	uint32_t block = options->block_size, physical = options->physical_block_size;

	if (!is_block_size(block) || !is_block_size(physical))
		return error_set(err, EINVAL,
				 "--disk %s: blocks cannot have %" PRIu32 " bytes; give a power of "
				 "two from 512 to 65536",
				 options->path, is_block_size(block) ? physical : block);
	if (physical && block > physical)
		return error_set(err, EINVAL,
				 "--disk %s: a physical block of %" PRIu32 " bytes cannot hold a "
				 "logical one of %" PRIu32 "; give it at least that size",
				 options->path, physical, block);
	return 0;
}

struct disk_jobs *disk_jobs_new(const struct disk_options *options, size_t size, struct error *err)
{
	struct disk_jobs *jobs = calloc(1, size);
	char *path = strdup(options->path);

	if (!jobs || !path) {
		free(jobs);
		free(path);
		error_set_errno(err, ENOMEM, "--disk %s", options->path);
		return NULL;
	}
	jobs->path = path;
	jobs->fd = -EBADF;
	jobs->aio = options->aio;
	jobs->ignore_flush = options->cache == DISK_CACHE_UNSAFE;
	jobs->writethrough = options->cache == DISK_CACHE_WRITETHROUGH;
	jobs->ignore_discard = options->no_discard;
	jobs->disk.info.read_only = options->read_only && !options->ephemeral;
	jobs->disk.info.format = "raw";
	jobs->disk.info.write_cache = !jobs->writethrough;
	return jobs;
}

int disk_check_size(const struct disk_jobs *jobs, uint64_t size, struct error *err)
{
	uint32_t block = jobs->disk.info.logical_block;
	uint64_t excess = size % block;

	if (!size)
		return error_set(
			err, ENODATA,
			"--disk %s: it has no bytes; give it a size, as by truncate -s 10G",
			jobs->path);
	if (excess)
		return error_set(err, EINVAL,
				 "--disk %s: its size is %" PRIu64 " bytes more than a multiple of "
				 "%" PRIu32 "; lengthen it by truncate -s %" PRIu64,
				 jobs->path, excess, block, size - excess + block);
	return 0;
}

static bool is_nbd(const char *path)
{
	static const char *const schemes[] = {"nbd://", "nbds://", "nbd+unix://", "nbds+unix://"};

	for (size_t i = 0; i < ARRAY_SIZE(schemes); i++) {
		if (strncmp(path, schemes[i], strlen(schemes[i])) == 0)
			return true;
	}
	return false;
}

int disk_open(const struct disk_options *options, struct disk **ret, struct error *err)
{
	const char *format = options->format ? options->format : DISK_FORMAT_AUTO;
	int r = check_block_sizes(options, err);

	if (r < 0)
		return r;
	if (is_nbd(options->path))
		return disk_nbd_open(options, ret, err);
	if (strcmp(format, DISK_FORMAT_AUTO) == 0 || strcmp(format, DISK_FORMAT_RAW) == 0) {
		struct disk *disk = NULL;

		format = NULL;
		r = disk_file_open(options, &disk, &format, err);
		if (r < 0)
			return r;
		if (!format) {
			*ret = disk;
			return 0;
		}
	}
	return disk_image_open(options, format, ret, err);
}
