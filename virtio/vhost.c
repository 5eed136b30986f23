/* SPDX-License-Identifier: Apache-2.0 */
#include "virtio/vhost.h"

#include <assert.h>
#include <string.h>

/* What a ring may look like, and so whoever serves it has to know. */
#define RING_LAYOUT_FEATURES                                               \
	(BIT(VIRTIO_RING_F_INDIRECT_DESC) | BIT(VIRTIO_RING_F_EVENT_IDX) | \
	 BIT(VIRTIO_F_RING_PACKED) | BIT(VIRTIO_F_IN_ORDER))

#define PACKED_SLOT     0x7fffU
#define PACKED_WRAP     BIT(15)
#define PACKED_USED_BIT 16

#define LOST "who served it has lost its place"

int vhost_init(struct vhost *vhost, const struct vhost_ops *ops)
{
	*vhost = (struct vhost){.ops = ops};
	return ops->get_features(vhost, &vhost->features);
}

void vhost_destroy(struct vhost *vhost)
{
	if (vhost)
		vhost->ops->destroy(vhost);
}

uint64_t vhost_lacks(const struct vhost *vhost)
{
	return RING_LAYOUT_FEATURES & ~vhost->features;
}

/* Where a ring is. */

static uint32_t packed_position(uint16_t slot, bool wrap)
{
	return (slot & PACKED_SLOT) | (wrap ? (uint32_t)PACKED_WRAP : 0);
}

static uint32_t base_of(const struct virtqueue *ring)
{
	if (!ring->packed)
		return ring->avail;
	return packed_position(ring->avail, ring->avail_wrap) |
	       packed_position(ring->used, ring->used_wrap) << PACKED_USED_BIT;
}

/* Of struct vring_avail and vring_used: flags, then the index (2.7.6, 2.7.8). */
static uint16_t area_index(const void *area)
{
	return *(const volatile uint16_t *)((const uint8_t *)area + sizeof(uint16_t));
}

static uint16_t used_index(const struct virtqueue *ring)
{
	return area_index(ring->device_area);
}

/*
 * The used ring is the guest's memory, which may hold anything by now: what no
 * device can have reached counts as having given everything back.
 */
static void go_on_from_split(struct virtqueue *ring, uint32_t base)
{
	ring->avail = (uint16_t)base;
	ring->used = used_index(ring);
	if ((uint16_t)(ring->avail - ring->used) > ring->size)
		ring->used = ring->avail;
}

bool vhost_take_over(struct virtqueue *ring)
{
	if (ring->packed)
		return false;
	ring->avail = used_index(ring);
	ring->used = ring->avail;
	ring->signaled = ring->used;
	ring->unflushed = 0;
	ring->unflushed_data = false;
	return true;
}

bool vhost_waits(const struct vhost *vhost, const struct virtio_device *virtio, unsigned first,
		 uint64_t *ret_done)
{
	bool waits = false;

	*ret_done = 0;
	for (unsigned i = 0; i < 64; i++) {
		const struct virtqueue *ring;

		if (!(vhost->started & BIT(i)))
			continue;
		ring = &virtio->queues[first + i].ring;
		if (ring->packed)
			continue;
		waits |= area_index(ring->driver_area) != used_index(ring);
		*ret_done = (*ret_done << 16) + used_index(ring);
	}
	return waits;
}

static void go_on_from_packed(struct virtqueue *ring, uint32_t base)
{
	uint32_t used = base >> PACKED_USED_BIT;

	if ((base & PACKED_SLOT) >= ring->size || (used & PACKED_SLOT) >= ring->size) {
		ring->fault = LOST;
		return;
	}
	ring->avail = base & PACKED_SLOT;
	ring->avail_wrap = base & PACKED_WRAP;
	ring->used = used & PACKED_SLOT;
	ring->used_wrap = used & PACKED_WRAP;
}

static void go_on_from(struct virtqueue *ring, uint32_t base)
{
	if (ring->packed)
		go_on_from_packed(ring, base);
	else
		go_on_from_split(ring, base);
	ring->signaled = ring->used;
	ring->signaled_wrap = ring->used_wrap;
	ring->unflushed = 0;
	ring->unflushed_data = false;
}

/* Starting and stopping. */

static int start_ring(struct vhost *vhost, unsigned index, const struct virtio_queue *queue)
{
	const struct virtqueue *ring = &queue->ring;
	const struct vhost_vring vring = {
		.size = ring->size,
		.desc = ring->desc_ring,
		.driver = ring->driver_area,
		.device = ring->device_area,
		.base = base_of(ring),
		.kick_fd = queue->kick_fd,
		.call_fd = queue->call_fd,
		.err_fd = queue->virtio->attention.fd,
	};
	int r = vhost->ops->set_vring(vhost, index, &vring);

	if (r == 0 && vhost->ops->start_vring)
		r = vhost->ops->start_vring(vhost, index);
	if (r == 0)
		vhost->started |= BIT(index);
	return r;
}

static int refuse(int code, const char *what, struct error *err)
{
	return error_set_errno(err, -code, "vhost does not take %s", what);
}

int vhost_start(struct vhost *vhost, struct virtio_device *virtio, unsigned first, unsigned count,
		struct error *err)
{
	int r = vhost->ops->set_features(vhost, virtio->driver_features & vhost->features);

	assert(!vhost->started && count <= 64);
	if (r < 0)
		return refuse(r, "the features that the driver has chosen", err);
	r = vhost->ops->set_memory(vhost, virtio->mem);
	if (r < 0)
		return refuse(r, "the guest's memory", err);
	for (unsigned i = 0; i < count && r == 0; i++) {
		if (virtio->queues[first + i].ring.ready)
			r = start_ring(vhost, i, &virtio->queues[first + i]);
	}
	if (r == 0 && vhost->started && vhost->ops->run)
		r = vhost->ops->run(vhost, true);
	if (r < 0) {
		vhost_stop(vhost, virtio, first);
		return refuse(r, "a queue", err);
	}
	return 0;
}

void vhost_stop(struct vhost *vhost, struct virtio_device *virtio, unsigned first)
{
	int r = 0;

	if (vhost->started && vhost->ops->run)
		r = vhost->ops->run(vhost, false);
	for (unsigned i = 0; vhost->started; i++) {
		struct virtqueue *ring = &virtio->queues[first + i].ring;
		uint32_t base = base_of(ring);
		int stopped;

		if (!(vhost->started & BIT(i)))
			continue;
		vhost->started &= ~BIT(i);
		stopped = vhost->ops->stop_vring(vhost, i, &base);
		if (stopped == 0)
			go_on_from(ring, base);
		else
			ring->fault = LOST;
		r = r ? r : stopped;
	}
	if (r < 0)
		log_error("%s: vhost does not stop: %s", virtio->device.name, strerror(-r));
}

/* Queues of our own beside them. */

static void on_own_kick(void *data, unsigned events)
{
	struct vhost_own_queue *own = data;
	uint64_t value;

	(void)events;
	if (read(own->kick.fd, &value, sizeof(value)) < 0)
		return; /* it was seen already */
	own->serve(own->virtio, own->index);
}

int vhost_own_queue_start(struct vhost_own_queue *own, struct virtio_device *virtio, unsigned index,
			  void (*serve)(struct virtio_device *virtio, unsigned index))
{
	const struct virtio_queue *queue = &virtio->queues[index];

	if (!queue->ring.ready)
		return 0;
	*own = (struct vhost_own_queue){
		.kick = {.owner = &virtio->device, .callback = on_own_kick, .data = own, .fd = -1},
		.virtio = virtio,
		.index = index,
		.serve = serve,
	};
	return event_loop_add(virtio->loop, &own->kick, queue->kick_fd, EVENT_READ);
}

void vhost_own_queue_stop(struct vhost_own_queue *own)
{
	event_source_remove(&own->kick);
}
