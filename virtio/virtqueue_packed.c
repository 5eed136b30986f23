/* SPDX-License-Identifier: Apache-2.0 */
/* Packed rings: virtio 1.3, 2.8. */
#include "virtqueue_private.h"

#define FLAG_AVAIL (1U << VRING_PACKED_DESC_F_AVAIL)
#define FLAG_USED  (1U << VRING_PACKED_DESC_F_USED)

/*
 * An event suppression structure (2.8.14) as the one word that it is read and
 * written as: the place in the lower half, how to suppress in the upper.
 */
#define EVENT_SLOT   0x7fffU
#define EVENT_WRAP   (1U << VRING_PACKED_EVENT_F_WRAP_CTR)
#define EVENT_HOW(w) ((w) >> 16 & 3)
#define EVENT_IS(h)  ((uint32_t)(h) << 16)

static struct vring_packed_desc *slot_at(const struct virtqueue *vq, uint16_t slot)
{
	return (struct vring_packed_desc *)vq->desc_ring + slot;
}

/* 2.8.1: the driver sets AVAIL to its wrap counter, and USED to the inverse. */
static bool is_available(uint16_t flags, bool wrap)
{
	return !!(flags & FLAG_AVAIL) == wrap && !!(flags & FLAG_USED) != wrap;
}

static uint16_t used_flags(bool wrap, bool data)
{
	return (uint16_t)((wrap ? FLAG_AVAIL | FLAG_USED : 0) | (data ? VRING_DESC_F_WRITE : 0));
}

bool virtq_packed_empty(const struct virtqueue *vq)
{
	uint16_t flags = __atomic_load_n(&slot_at(vq, vq->avail)->flags, __ATOMIC_ACQUIRE);

	return !is_available(flags, vq->avail_wrap);
}

/*
 * The descriptors of a table follow each other. Of their flags only WRITE
 * counts (2.8.7), and none but that may be set (2.8.19): NEXT, which is true of
 * all but the last, is forgiven, INDIRECT is not.
 */
static int walk_table(struct virtq_walk *walk, const struct vring_packed_desc *ref)
{
	const uint8_t *table = NULL;
	uint32_t count = 0;
	int r = virtq_walk_table(walk, ref->addr, ref->len, &table, &count);

	for (uint32_t i = 0; r == 0 && i < count; i++) {
		struct vring_packed_desc desc;

		read_once(&desc, table + i * sizeof(desc), sizeof(desc));
		if (desc.flags & VRING_DESC_F_INDIRECT)
			return virtq_fault(walk->vq, "an indirect table refers to another");
		r = virtq_walk_add(walk, desc.addr, desc.len, desc.flags & VRING_DESC_F_WRITE);
	}
	return r;
}

/* The descriptor at @slot, whose flags were read: 1 if another follows, 0 if none does. */
static int walk_slot(struct virtq_walk *walk, uint16_t slot, uint16_t flags)
{
	struct virtq_chain *chain = walk->chain;
	struct vring_packed_desc desc;
	int r;

	read_once(&desc, slot_at(walk->vq, slot), offsetof(struct vring_packed_desc, flags));
	chain->id = desc.id; /* the last one's counts (2.8.6) */
	chain->slots++;
	if (flags & VRING_DESC_F_INDIRECT) {
		/* 2.8.19 */
		if (flags & VRING_DESC_F_NEXT)
			return virtq_fault(walk->vq, "an indirect descriptor has a next one");
		if (chain->slots > 1)
			return virtq_fault(walk->vq, "an indirect descriptor is a next one");
		return walk_table(walk, &desc);
	}
	r = virtq_walk_add(walk, desc.addr, desc.len, flags & VRING_DESC_F_WRITE);
	return r < 0 ? r : !!(flags & VRING_DESC_F_NEXT);
}

int virtq_packed_pop(struct virtq_walk *walk)
{
	struct virtqueue *vq = walk->vq;
	struct virtq_place place = virtq_avail(vq);
	uint16_t flags = __atomic_load_n(&slot_at(vq, place.at)->flags, __ATOMIC_ACQUIRE);
	uint32_t max;
	int r = 1;

	if (!is_available(flags, place.wrap))
		return 0;
	max = virtq_offered_max(vq);
	walk->chain->slots = 0;
	while (r > 0) {
		if (walk->chain->slots == max)
			return virtq_fault(vq, "more descriptors are available than there can be");
		/* The driver has written the first one's flags last (2.8.17). */
		if (walk->chain->slots)
			flags = __atomic_load_n(&slot_at(vq, place.at)->flags, __ATOMIC_RELAXED);
		r = walk_slot(walk, place.at, flags);
		place = virtq_forward(vq, place, 1);
	}
	return r < 0 ? r : 1;
}

void virtq_packed_push(struct virtqueue *vq, uint16_t id, uint32_t written)
{
	struct vring_packed_desc *desc = slot_at(vq, vq->used);

	__atomic_store_n(&desc->id, id, __ATOMIC_RELAXED);
	__atomic_store_n(&desc->len, written, __ATOMIC_RELAXED);
	/* The driver goes from one to the next, so the first one's flags hide all. */
	if (!vq->unflushed)
		vq->unflushed_data = written;
	else
		__atomic_store_n(&desc->flags, used_flags(vq->used_wrap, written),
				 __ATOMIC_RELAXED);
}

void virtq_packed_publish(struct virtqueue *vq)
{
	__atomic_store_n(&slot_at(vq, vq->signaled)->flags,
			 used_flags(vq->signaled_wrap, vq->unflushed_data), __ATOMIC_RELEASE);
}

/* 2.8.10 */
bool virtq_packed_wants(const struct virtqueue *vq)
{
	uint32_t event = __atomic_load_n((const uint32_t *)vq->driver_area, __ATOMIC_RELAXED);
	struct virtq_place place = {event & EVENT_SLOT, event & EVENT_WRAP};

	if (EVENT_HOW(event) == VRING_PACKED_EVENT_FLAG_DISABLE)
		return false;
	if (EVENT_HOW(event) != VRING_PACKED_EVENT_FLAG_DESC || !vq->event_idx)
		return true;
	/* Whether it is one of those that were pushed. */
	return virtq_distance(vq, virtq_signaled(vq), place) < vq->unflushed;
}

void virtq_packed_ask(struct virtqueue *vq, bool on)
{
	uint32_t event = EVENT_IS(VRING_PACKED_EVENT_FLAG_DISABLE);

	if (on && vq->event_idx)
		event = EVENT_IS(VRING_PACKED_EVENT_FLAG_DESC) | (vq->avail_wrap ? EVENT_WRAP : 0) |
			vq->avail;
	else if (on)
		event = EVENT_IS(VRING_PACKED_EVENT_FLAG_ENABLE);
	__atomic_store_n((uint32_t *)vq->device_area, event, __ATOMIC_RELAXED);
}
