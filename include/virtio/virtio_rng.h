/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The entropy device of virtio 1.3, 5.4: random bytes from the host's
 * getrandom(2), in any amount.
 */
#ifndef ARMLET_VIRTIO_VIRTIO_RNG_H
#define ARMLET_VIRTIO_VIRTIO_RNG_H

#include "virtio/virtio_device.h"

struct virtio_rng_options {
	const char *name;
	const struct guest_mem *mem;
	struct event_loop *loop;
};

/* -ENOMEM. */
int virtio_rng_create(const struct virtio_rng_options *options, struct virtio_device **ret);

#endif
