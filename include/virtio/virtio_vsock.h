/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The socket device of virtio 1.3, 5.10: AF_VSOCK between host and guest. The
 * kernel (/dev/vhost-vsock) serves the two queues with the data; the event
 * queue is ours, and tells the guest after a restore that its connections are
 * gone.
 */
#ifndef ARMLET_VIRTIO_VIRTIO_VSOCK_H
#define ARMLET_VIRTIO_VIRTIO_VSOCK_H

#include "virtio/virtio_device.h"

struct vhost;

/* 0 to 2 have meanings of their own, and 2^32 - 1 is "any". */
#define VSOCK_CID_MIN 3
#define VSOCK_CID_MAX (UINT32_MAX - 1)

struct virtio_vsock_options {
	const char *name;
	const struct guest_mem *mem;
	struct event_loop *loop;
	uint64_t cid;        /* the guest's */
	struct vhost *vhost; /* NULL: the kernel's, opened here; else becomes the device's */
};

/* Fails with a sentence that begins "--vsock: ". */
int virtio_vsock_create(const struct virtio_vsock_options *options, struct virtio_device **ret,
			struct error *err);

#endif
