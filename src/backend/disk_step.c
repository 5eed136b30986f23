/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>

#include "disk_engine.h"

int disk_step_fallocate_mode(enum disk_step_kind kind)
{
	int how = kind == DISK_STEP_ZERO ? FALLOC_FL_ZERO_RANGE : FALLOC_FL_PUNCH_HOLE;

	return how | FALLOC_FL_KEEP_SIZE;
}

static int64_t allocate(const struct disk_step *step)
{
	uint64_t range[2] = {step->offset, step->size};

	/* A hole in a block device would be zeroes, which is more than a discard promises. */
	if (step->kind == DISK_STEP_DISCARD && step->block_device)
		return ioctl(step->fd, BLKDISCARD, range);
	return fallocate(step->fd, disk_step_fallocate_mode(step->kind), (off_t)step->offset,
			 (off_t)step->size);
}

void disk_step_perform(struct disk_step *step)
{
	int64_t result = 0;

	switch (step->kind) {
	case DISK_STEP_NONE:
		return;
	case DISK_STEP_READ:
		result = preadv(step->fd, step->iov, (int)step->iov_count, (off_t)step->offset);
		break;
	case DISK_STEP_WRITE:
		result = pwritev2(step->fd, step->iov, (int)step->iov_count, (off_t)step->offset,
				  step->durable ? RWF_DSYNC : 0);
		break;
	case DISK_STEP_SYNC:
		result = fdatasync(step->fd);
		step->lost = result < 0;
		break;
	case DISK_STEP_DISCARD:
	case DISK_STEP_PUNCH:
	case DISK_STEP_ZERO:
		result = allocate(step);
		break;
	}
	step->result = result < 0 ? -errno : result;
}
