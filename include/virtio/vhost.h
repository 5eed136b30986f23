/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DOC: Vhost
 *
 * Somebody else serves a device's queues: the kernel (vhost_kernel_*() here),
 * or another process. Notifications go straight to it, and interrupts come
 * straight from it, through the eventfds of each queue; no instruction of ours
 * is run for a buffer.
 *
 * The operations are those of the vhost protocol, with the rings of one vhost
 * counted from zero. Between vhost_start() and vhost_stop() the other side owns
 * the rings; struct virtqueue's indices say where it began. vhost_stop() makes
 * them say where it ended, so that the state of a stopped device is complete,
 * whoever served it. A ring that vhost finds broken breaks its device, as if we
 * had found that ourselves.
 *
 * Threads: under the device's lock.
 */
#ifndef ARMLET_VIRTIO_VHOST_H
#define ARMLET_VIRTIO_VHOST_H

#include "virtio/virtio_device.h"

struct vhost;

struct vhost_vring {
	uint16_t size;      /* descriptors */
	const void *desc;   /* the three areas, in our address space */
	const void *driver; /* "avail" */
	const void *device; /* "used" */
	/*
	 * Where to go on. Split: the index of the next available buffer.
	 * Packed: bits 14..0 the slot of the next available descriptor, 15 its
	 * wrap counter; 31..16 the same of the next used one.
	 */
	uint32_t base;
	int kick_fd;
	int call_fd;
	int err_fd; /* to be signalled if the ring turns out to be broken; -1: nobody looks */
};

/* Each returns 0 or -errno. */
struct vhost_ops {
	/* Required: the features that it has: of the ring, and of its kind of device. */
	int (*get_features)(struct vhost *vhost, uint64_t *ret);
	/* Required; only while all rings are stopped, as is set_memory. */
	int (*set_features)(struct vhost *vhost, uint64_t features);
	/* Required: the guest's memory, which the rings' buffers lie in. */
	int (*set_memory)(struct vhost *vhost, const struct guest_mem *mem);
	/* Required: all of ring @index, which is stopped. */
	int (*set_vring)(struct vhost *vhost, unsigned index, const struct vhost_vring *vring);
	/* Optional: begin with ring @index. */
	int (*start_vring)(struct vhost *vhost, unsigned index);
	/* Required: end; no buffer of the ring is under way any more. @ret_base: where it was. */
	int (*stop_vring)(struct vhost *vhost, unsigned index, uint32_t *ret_base);
	/* Optional: around all of the rings: on when all are set up and started. */
	int (*run)(struct vhost *vhost, bool on);
	/* Required. */
	void (*destroy)(struct vhost *vhost);
};

/* What an implementation's structure begins with. */
struct vhost {
	const struct vhost_ops *ops;
	uint64_t features; /* what get_features gave */
	uint64_t started;  /* a bit for each ring, between start and stop */
};

/* For implementations: fill @vhost, and ask for its features. */
int vhost_init(struct vhost *vhost, const struct vhost_ops *ops);

/* Takes NULL; it has been stopped. */
void vhost_destroy(struct vhost *vhost);

DEFINE_CLEANUP(struct vhost *, vhost_destroy)

/* For virtio_device_options.lacks: features of the ring that it does not have. */
uint64_t vhost_lacks(const struct vhost *vhost);

/*
 * Serve those of the queues [@first, @first + @count) of @virtio that are ready,
 * as rings 0 and up. For virtio_ops.start and .stop. Fails with a sentence, and
 * has then started nothing.
 */
int vhost_start(struct vhost *vhost, struct virtio_device *virtio, unsigned first, unsigned count,
		struct error *err);
void vhost_stop(struct vhost *vhost, struct virtio_device *virtio, unsigned first);

/*
 * Whether the other side has buffers of these queues, which are split; @ret_done is
 * another number after each that it gives back.
 */
bool vhost_waits(const struct vhost *vhost, const struct virtio_device *virtio, unsigned first,
		 uint64_t *ret_done);

/*
 * Whoever served the queue is lost: go on, with virtqueue_*(), after what it has
 * given back, as if that had been in order. False for a packed ring, which does not
 * tell.
 */
bool vhost_take_over(struct virtqueue *ring);

/*
 * A queue that the main thread serves although its device has no notify, since
 * vhost serves the others. Embed it, zeroed.
 */
struct vhost_own_queue {
	struct event_source kick;
	struct virtio_device *virtio;
	unsigned index;
	void (*serve)(struct virtio_device *virtio, unsigned index);
};

/* Does nothing if the queue is not ready. -errno. */
int vhost_own_queue_start(struct vhost_own_queue *own, struct virtio_device *virtio, unsigned index,
			  void (*serve)(struct virtio_device *virtio, unsigned index));
void vhost_own_queue_stop(struct vhost_own_queue *own);

/* The kernel's. All take over @fd, which is fresh, even when they fail (-errno). */

/* /dev/vhost-net: a pair of queues, receiving and sending, with @tap_fd behind it. */
int vhost_kernel_net_create(int fd, int tap_fd, struct vhost **ret);

/* /dev/vhost-vsock: -EADDRINUSE if another machine has @cid. */
int vhost_kernel_vsock_create(int fd, uint64_t cid, struct vhost **ret);

#endif
