/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is in a slot of virtio-mmio that has no device: one of DeviceID 0, which a driver
 * leaves alone without a word (virtio 1.3, 4.2.2 and 4.2.3.1.1). It has no queues, and
 * takes no features.
 */
#ifndef ARMLET_VIRTIO_VIRTIO_EMPTY_H
#define ARMLET_VIRTIO_VIRTIO_EMPTY_H

#include "virtio/virtio_device.h"

struct virtio_empty_options {
	const char *name; /* of the slot */
	const struct guest_mem *mem;
	struct event_loop *loop;
};

/* -ENOMEM. */
int virtio_empty_create(const struct virtio_empty_options *options, struct virtio_device **ret);

#endif
