/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DOC: Virtio over MMIO
 *
 * The transport of virtio 1.3, 4.2, version 2. Until DRIVER_OK, and after a
 * reset, every access traps. From DRIVER_OK on nothing that a driver does for
 * a request leaves the kernel:
 *
 * - QueueNotify is an ioeventfd for each queue, which signals its kick_fd.
 * - The interrupt is an edge, signalled through an irqfd.
 * - All registers are shadowed (core/mmio_shadow.h). InterruptStatus has bit 0
 *   (used buffer) set for as long as the device is live: an interrupt for a
 *   queue changes no register, and a driver that finds the bit set looks into
 *   its queues, which are the truth. Bit 1 (configuration change) is set and
 *   cleared as it happens.
 * - So InterruptACK of bit 0 changes nothing, and such writes are dropped; one
 *   that has bit 1 traps.
 *
 * Threads: as virtio/virtio_device.h.
 */
#ifndef ARMLET_VIRTIO_VIRTIO_MMIO_H
#define ARMLET_VIRTIO_VIRTIO_MMIO_H

#include <linux/virtio_mmio.h>

#include "core/eventfd_ops.h"
#include "core/mmio.h"
#include "core/mmio_shadow.h"
#include "virtio/virtio_device.h"

#define VIRTIO_MMIO_SIZE 0x200

/* What linux/virtio_mmio.h of Debian 12 lacks (4.2.2). */
#define VIRTIO_MMIO_QUEUE_RESET 0x0c0
#define VIRTIO_MMIO_MAGIC       0x74726976 /* "virt" */
#define VIRTIO_MMIO_VERSION_2   2
#define VIRTIO_MMIO_VENDOR      0x4d4c5241 /* "ARLM": any value does */

struct virtio_mmio_options {
	struct virtio_device *device;
	const struct eventfd_ops *eventfds;
	const struct mmio_shadow_ops *shadow_ops;
	void *hyp;  /* of both */
	gpa_t base; /* aligned to the host's page */
	uint32_t intid;
};

/* Give @options->device its transport, which it then owns. -ENOMEM. */
int virtio_mmio_create(const struct virtio_mmio_options *options);

/* Of a region whose device is the struct virtio_device's. */
extern const struct mmio_ops virtio_mmio_ops;

#endif
