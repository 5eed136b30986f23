/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DOC: The block device of virtio 1.3, 5.2
 *
 * Its queues are served by the thread of the disk behind it (core/disk.h), so
 * the way of a request is: the driver's notification signals that thread, which
 * takes requests from the queues and submits them; when they are done it gives
 * them back, and interrupts the driver once for all of a round. No lock is
 * taken on the way.
 *
 * A request that the host cannot carry out ends as VIRTIO_BLK_S_IOERR. Or it
 * is held, if the owner wants that: the owner is told, stops the machine until
 * the host has what was missing, and the request is tried again when the
 * device starts anew. The guest never knows.
 */
#ifndef ARMLET_VIRTIO_VIRTIO_BLK_H
#define ARMLET_VIRTIO_VIRTIO_BLK_H

#include "core/disk.h"
#include "virtio/virtio_device.h"

#define VIRTIO_BLK_QUEUES_MAX 16

enum virtio_blk_on_error {
	VIRTIO_BLK_REPORT,       /* the guest gets an error */
	VIRTIO_BLK_HOLD,         /* every failed request is held */
	VIRTIO_BLK_HOLD_NO_SPACE /* those that failed as the host has no space (ENOSPC, EDQUOT) */
};

struct virtio_blk_options {
	const char *name;
	const struct guest_mem *mem;
	struct event_loop *loop;
	struct disk *disk;  /* the owner's, who destroys it after the device */
	const char *serial; /* at most VIRTIO_BLK_ID_BYTES (20) count; NULL: @name */
	uint32_t queues;    /* 1 to VIRTIO_BLK_QUEUES_MAX */
	enum virtio_blk_on_error on_error;
	/*
	 * With HOLD: requests are held, the first for @code (positive errno); told
	 * once a start. Main thread, under the device's lock.
	 */
	void (*held)(void *data, struct virtio_device *virtio, int code);
	void *data;
};

/* -ENOMEM. */
int virtio_blk_create(const struct virtio_blk_options *options, struct virtio_device **ret);

/*
 * The file behind the disk may have grown or shrunk: look, and tell the driver.
 * Under the device's lock.
 */
int virtio_blk_resize(struct virtio_device *virtio);

#endif
