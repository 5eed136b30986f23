/* SPDX-License-Identifier: Apache-2.0 */
#include "disk_nbd.h"

#include <inttypes.h>
#include <string.h>

#define SECTOR    512
#define BLOCK_MAX 65536
#define DATA_MAX  (32 * MIB) /* that every server takes in one command */
#define RANGE_MAX GIB        /* zeroed or trimmed in one command: lengths have 32 bits */
#define GRACE_MS  10000      /* for a qemu-nbd of ours to write out what it keeps */

struct disk_nbd {
	struct disk_jobs jobs;
	struct disk_nbd_connection connection;
};

static int nbd_refresh(struct disk *disk)
{
	/* The protocol tells the size once. */
	(void)disk;
	return 0;
}

static void nbd_destroy(struct disk *disk)
{
	struct disk_nbd *nbd = container_of(disk, struct disk_nbd, jobs.disk);

	/* Not nbd_shutdown(), which would wait for a server that may be stuck. */
	nbd_aio_disconnect(nbd->connection.handle, 0);
	nbd_close(nbd->connection.handle);
	helper_process_end(nbd->connection.helper, GRACE_MS);
	disk_jobs_finish(&nbd->jobs);
	free(nbd);
}

static const struct disk_ops nbd_ops = {
	.start = disk_jobs_start,
	.submit = disk_jobs_submit,
	.stop = disk_jobs_stop,
	.refresh = nbd_refresh,
	.destroy = nbd_destroy,
};

static int set_blocks(struct disk_nbd *nbd, const struct disk_options *options, struct error *err)
{
	struct disk_info *info = &nbd->jobs.disk.info;
	uint64_t least = nbd->connection.export.block_minimum;
	uint64_t preferred = nbd->connection.export.block_preferred;
	uint64_t most = nbd->connection.export.block_maximum;

	if (least > BLOCK_MAX || (options->block_size && options->block_size < least))
		return error_set(err, EINVAL,
				 "--disk %s: the server has blocks of %" PRIu64 " bytes, which "
				 "cannot be split; let it export smaller ones",
				 options->path, least);
	info->logical_block =
		options->block_size ? options->block_size : (uint32_t)max_u64(SECTOR, least);
	info->physical_block = options->physical_block_size;
	if (!info->physical_block && is_power_of_two(preferred))
		info->physical_block = (uint32_t)min_u64(preferred, BLOCK_MAX);
	info->physical_block = (uint32_t)max_u64(info->physical_block, info->logical_block);
	nbd->jobs.max_data =
		align_down(min_u64(most ? most : DATA_MAX, DATA_MAX), info->logical_block);
	nbd->jobs.max_range = RANGE_MAX;
	if (!nbd->jobs.max_data)
		return error_set(err, EINVAL,
				 "--disk %s: the server takes %" PRIu64 " bytes at once, which is "
				 "less than a block",
				 options->path, most);
	return 0;
}

/* What the export is able to do. */
static int set_abilities(struct disk_nbd *nbd, const struct disk_options *options,
			 struct error *err)
{
	struct disk_jobs *jobs = &nbd->jobs;
	struct disk_info *info = &jobs->disk.info;
	const struct disk_nbd_export *export = &nbd->connection.export;

	info->format = "nbd";
	if (export->read_only && !info->read_only)
		return error_set(err, EROFS,
				 "--disk %s: the server lets nobody write; add ,ro to use it "
				 "without writing",
				 options->path);
	if (!export->flush)
		jobs->ignore_flush = true;
	jobs->syncs_writes = !export->fua && !jobs->ignore_flush;
	if (!export->fua && jobs->ignore_flush)
		jobs->writethrough = false;
	jobs->no_punch = !export->zero;
	jobs->no_zero = jobs->no_punch;
	if (!export->trim)
		jobs->ignore_discard = true;
	if (!jobs->ignore_discard && !info->read_only)
		info->discard_granularity = info->physical_block;
	info->write_zeroes = !info->read_only;
	return 0;
}

static int set_size(struct disk_nbd *nbd, struct error *err)
{
	struct disk_info *info = &nbd->jobs.disk.info;
	int64_t size = nbd->connection.export.size;

	if (size < 0)
		return error_set(err, EIO, "--disk %s: the server does not tell its size: %s",
				 nbd->jobs.path, nbd_get_error());
	if (!size || (uint64_t)size % info->logical_block)
		return error_set(err, EINVAL,
				 "--disk %s: the server has %" PRId64 " bytes, which is no whole "
				 "number of blocks of %" PRIu32 "; let it export whole blocks",
				 nbd->jobs.path, size, info->logical_block);
	info->size = (uint64_t)size;
	return 0;
}

int disk_nbd_create(const struct disk_options *options, struct nbd_handle *handle,
		    struct helper_process *helper, struct disk **ret, struct error *err)
{
	struct disk_nbd *nbd = (struct disk_nbd *)disk_jobs_new(options, sizeof(*nbd), err);
	_cleanup_(cleanup_disk_destroy_) struct disk *disk = NULL;
	int r;

	if (!nbd) {
		nbd_close(handle);
		helper_process_end(helper, 0);
		return -ENOMEM;
	}
	disk = &nbd->jobs.disk;
	disk->ops = &nbd_ops;
	nbd->connection = (struct disk_nbd_connection){.handle = handle,
						       .path = nbd->jobs.path,
						       .helper = helper,
						       .export = disk_nbd_examine(handle)};
	nbd->jobs.engine = &disk_nbd_engine;
	nbd->jobs.context = &nbd->connection;
	nbd->jobs.contiguous = true;
	r = set_blocks(nbd, options, err);
	if (r == 0)
		r = set_abilities(nbd, options, err);
	nbd->connection.flushes = !nbd->jobs.ignore_flush;
	if (r == 0)
		r = set_size(nbd, err);
	if (r < 0)
		return r;
	*ret = steal_ptr(&disk);
	return 0;
}

int disk_nbd_open(const struct disk_options *options, struct disk **ret, struct error *err)
{
	struct nbd_handle *handle;
	int r;

	if (options->ephemeral)
		return error_set(
			err, EINVAL,
			"--disk %s: an NBD server's disk cannot be ephemeral here; let the "
			"server do it, as by nbdkit --filter=cow",
			options->path);
	r = disk_nbd_connect(options->path, &handle);
	if (r == -ETIMEDOUT)
		return error_set(err, ETIMEDOUT,
				 "--disk %s: the NBD server does not answer; look whether it is "
				 "one, and whether it is stuck",
				 options->path);
	if (r < 0)
		return error_set(err, -r, "--disk %s: the NBD server cannot be reached: %s",
				 options->path, nbd_get_error());
	return disk_nbd_create(options, handle, NULL, ret, err);
}
