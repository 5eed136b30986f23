/* SPDX-License-Identifier: Apache-2.0 */
/* Split rings: virtio 1.3, 2.7. */
#include "virtqueue_private.h"

static struct vring_avail *avail_ring(const struct virtqueue *vq)
{
	return vq->driver_area;
}

static struct vring_used *used_ring(const struct virtqueue *vq)
{
	return vq->device_area;
}

/* used_event, behind the available ring: where the driver wants an interrupt (2.7.7). */
static const uint16_t *used_event(const struct virtqueue *vq)
{
	return &avail_ring(vq)->ring[vq->size];
}

/* avail_event, behind the used ring: where we want a notification (2.7.10). */
static uint16_t *avail_event(const struct virtqueue *vq)
{
	void *behind = &used_ring(vq)->ring[vq->size];

	return behind;
}

/* Buffers between what was popped and the driver's index. */
static uint16_t offered(const struct virtqueue *vq)
{
	uint16_t idx = __atomic_load_n(&avail_ring(vq)->idx, __ATOMIC_ACQUIRE);

	return (uint16_t)(idx - vq->avail);
}

bool virtq_split_empty(const struct virtqueue *vq)
{
	return offered(vq) == 0;
}

/* Follow the chain from @index in the descriptor area, and into a table at its end (2.7.5). */
static int walk_chain(struct virtq_walk *walk, uint16_t index)
{
	struct virtqueue *vq = walk->vq;
	const uint8_t *table = vq->desc_ring;
	uint32_t count = vq->size;
	bool indirect = false;

	for (;;) {
		struct vring_desc desc;
		int r;

		read_once(&desc, table + index * sizeof(desc), sizeof(desc));
		if (desc.flags & VRING_DESC_F_INDIRECT) {
			/* 2.7.5.3.1. Whether such a descriptor is writable says nothing. */
			if (indirect)
				return virtq_fault(vq, "an indirect table refers to another");
			if (desc.flags & VRING_DESC_F_NEXT)
				return virtq_fault(vq, "an indirect descriptor has a next one");
			r = virtq_walk_table(walk, desc.addr, desc.len, &table, &count);
			if (r < 0)
				return r;
			indirect = true;
			index = 0;
			continue;
		}
		r = virtq_walk_add(walk, desc.addr, desc.len, desc.flags & VRING_DESC_F_WRITE);
		if (r < 0 || !(desc.flags & VRING_DESC_F_NEXT))
			return r;
		if (desc.next >= count)
			return virtq_fault(vq, "a descriptor's next is out of range");
		index = desc.next;
	}
}

int virtq_split_pop(struct virtq_walk *walk)
{
	struct virtqueue *vq = walk->vq;
	uint16_t count = offered(vq);
	uint16_t head;
	int r;

	if (!count)
		return 0;
	if (count > virtq_offered_max(vq))
		return virtq_fault(vq, "the available index is too far ahead");
	head = __atomic_load_n(&avail_ring(vq)->ring[vq->avail & (vq->size - 1)], __ATOMIC_RELAXED);
	if (head >= vq->size)
		return virtq_fault(vq, "the head of a chain is out of range");
	r = walk_chain(walk, head);
	if (r < 0)
		return r;
	walk->chain->id = head;
	walk->chain->slots = 1;
	return 1;
}

void virtq_split_push(struct virtqueue *vq, uint16_t id, uint32_t written)
{
	vring_used_elem_t *elem = &used_ring(vq)->ring[vq->used & (vq->size - 1)];

	__atomic_store_n(&elem->id, id, __ATOMIC_RELAXED);
	__atomic_store_n(&elem->len, written, __ATOMIC_RELAXED);
}

void virtq_split_publish(struct virtqueue *vq)
{
	__atomic_store_n(&used_ring(vq)->idx, vq->used, __ATOMIC_RELEASE);
}

/* 2.7.7.2 */
bool virtq_split_wants(const struct virtqueue *vq)
{
	uint16_t value;

	if (!vq->event_idx) {
		value = __atomic_load_n(&avail_ring(vq)->flags, __ATOMIC_RELAXED);
		return !(value & VRING_AVAIL_F_NO_INTERRUPT);
	}
	value = __atomic_load_n(used_event(vq), __ATOMIC_RELAXED);
	return vring_need_event(value, vq->used, vq->signaled);
}

/* 2.7.10. With events, an index that is left behind asks for none. */
void virtq_split_ask(struct virtqueue *vq, bool on)
{
	if (!vq->event_idx)
		__atomic_store_n(&used_ring(vq)->flags, on ? 0 : VRING_USED_F_NO_NOTIFY,
				 __ATOMIC_RELAXED);
	else if (on)
		__atomic_store_n(avail_event(vq), vq->avail, __ATOMIC_RELAXED);
}
