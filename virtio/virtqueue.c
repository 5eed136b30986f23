/* SPDX-License-Identifier: Apache-2.0 */
#include "virtio/virtqueue.h"

#include <assert.h>
#include <linux/virtio_config.h>

#include "virtqueue_private.h"

#define DESC_SIZE 16 /* of either kind */

_Static_assert(sizeof(struct vring_desc) == DESC_SIZE, "virtio 1.3, 2.7.5");
_Static_assert(sizeof(struct vring_packed_desc) == DESC_SIZE, "virtio 1.3, 2.8.13");

uint32_t virtq_distance(const struct virtqueue *vq, struct virtq_place from, struct virtq_place to)
{
	int32_t slots = to.at - from.at;

	if (!vq->packed)
		return (uint16_t)slots;
	/* With its wrap counter, a place is one of two rounds. */
	if (from.wrap != to.wrap)
		slots += vq->size;
	return (uint32_t)(slots < 0 ? slots + 2 * vq->size : slots);
}

struct virtq_place virtq_forward(const struct virtqueue *vq, struct virtq_place place,
				 uint16_t slots)
{
	uint32_t at = (uint32_t)place.at + slots;

	if (!vq->packed)
		return (struct virtq_place){.at = (uint16_t)at};
	if (at < vq->size)
		return (struct virtq_place){(uint16_t)at, place.wrap};
	return (struct virtq_place){(uint16_t)(at - vq->size), !place.wrap};
}

struct virtq_place virtq_back(const struct virtqueue *vq, struct virtq_place place, uint16_t slots)
{
	if (!vq->packed)
		return (struct virtq_place){.at = (uint16_t)(place.at - slots)};
	if (place.at >= slots)
		return (struct virtq_place){(uint16_t)(place.at - slots), place.wrap};
	return (struct virtq_place){(uint16_t)(place.at + vq->size - slots), !place.wrap};
}

int virtq_fault(struct virtqueue *vq, const char *fault)
{
	vq->fault = fault;
	return -EPROTO;
}

/* Building a chain. */

struct virtq_walk virtq_walk_begin(struct virtqueue *vq, struct virtq_chain *chain)
{
	chain->out_count = 0;
	chain->in_count = 0;
	chain->out_size = 0;
	chain->in_size = 0;
	return (struct virtq_walk){.vq = vq, .chain = chain};
}

int virtq_walk_add(struct virtq_walk *walk, gpa_t addr, uint32_t size, bool writable)
{
	struct virtq_chain *chain = walk->chain;
	uint32_t count = (uint32_t)chain->out_count + chain->in_count;
	void *at;

	/* A loop ends here, too. virtio 1.3, 2.7.5.3.1 and 2.8.17 */
	if (++walk->length > walk->vq->size)
		return virtq_fault(walk->vq, "a chain is longer than the queue");
	if (walk->writing && !writable)
		return virtq_fault(walk->vq, "a readable piece stands behind a writable one");
	walk->writing = writable;
	/* The address of nothing is nobody's business. */
	if (!size)
		return 0;
	at = guest_mem_at(walk->vq->mem, addr, size);
	if (!at)
		return virtq_fault(walk->vq, "a piece is not in RAM");
	if (count == chain->iov_max)
		return virtq_fault(walk->vq, "a chain has more pieces than the device takes");
	if (size > UINT32_MAX - chain->out_size - chain->in_size)
		return virtq_fault(walk->vq, "a chain has more than 2^32 - 1 bytes");
	chain->iov[count] = (struct iovec){.iov_base = at, .iov_len = size};
	if (writable) {
		chain->in_count++;
		chain->in_size += size;
	} else {
		chain->out_count++;
		chain->out_size += size;
	}
	return 0;
}

int virtq_walk_table(struct virtq_walk *walk, gpa_t addr, uint32_t size, const uint8_t **ret,
		     uint32_t *ret_count)
{
	struct virtqueue *vq = walk->vq;
	const uint8_t *table;

	if (!vq->indirect)
		return virtq_fault(vq, "an indirect descriptor, which was not negotiated");
	if (!size || size % DESC_SIZE)
		return virtq_fault(vq, "an indirect table's size is not that of descriptors");
	if (size / DESC_SIZE > vq->size)
		return virtq_fault(vq, "an indirect table is longer than the queue");
	table = guest_mem_at(vq->mem, addr, size);
	if (!table)
		return virtq_fault(vq, "an indirect table is not in RAM");
	*ret = table;
	*ret_count = size / DESC_SIZE;
	return 0;
}

/* The life of a queue. */

/* One of the three areas, with what is wrong with it. */
struct area {
	gpa_t addr;
	uint64_t size;
	unsigned align;
	void **at;
	const char *not_aligned;
	const char *not_ram;
};

static const char *map_area(const struct virtqueue *vq, const struct area *area)
{
	if (!is_aligned(area->addr, area->align))
		return area->not_aligned;
	*area->at = guest_mem_at(vq->mem, area->addr, area->size);
	return *area->at ? NULL : area->not_ram;
}

/* Sizes and alignments: virtio 1.3, 2.7 and 2.8. */
static const char *map_areas(struct virtqueue *vq)
{
	const uint64_t size = vq->size;
	const struct area areas[] = {
		{vq->desc, DESC_SIZE * size, VRING_DESC_ALIGN_SIZE, &vq->desc_ring,
		 "its descriptor area is not aligned", "its descriptor area is not in RAM"},
		{vq->driver, vq->packed ? 4 : 6 + 2 * size, vq->packed ? 4 : VRING_AVAIL_ALIGN_SIZE,
		 &vq->driver_area, "its driver area is not aligned",
		 "its driver area is not in RAM"},
		{vq->device, vq->packed ? 4 : 6 + 8 * size, VRING_USED_ALIGN_SIZE, &vq->device_area,
		 "its device area is not aligned", "its device area is not in RAM"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(areas); i++) {
		const char *wrong = map_area(vq, &areas[i]);

		if (wrong)
			return wrong;
	}
	return NULL;
}

/* What the driver has set, but for its places. */
static const char *set_up(struct virtqueue *vq, const struct guest_mem *mem, uint64_t features)
{
	vq->mem = mem;
	vq->packed = features & BIT(VIRTIO_F_RING_PACKED);
	vq->indirect = features & BIT(VIRTIO_RING_F_INDIRECT_DESC);
	vq->event_idx = features & BIT(VIRTIO_RING_F_EVENT_IDX);
	vq->fault = NULL;
	if (!vq->size)
		return "its size is 0";
	if (vq->size > vq->max)
		return "its size is more than the device's";
	if (!vq->packed && !is_power_of_two(vq->size))
		return "its size is not a power of two";
	return map_areas(vq);
}

/* Not ready, but the driver's settings stay. */
static void stop(struct virtqueue *vq)
{
	*vq = (struct virtqueue){
		.max = vq->max,
		.size = vq->size,
		.desc = vq->desc,
		.driver = vq->driver,
		.device = vq->device,
	};
}

const char *virtqueue_enable(struct virtqueue *vq, const struct guest_mem *mem, uint64_t features)
{
	const char *wrong;

	stop(vq);
	wrong = set_up(vq, mem, features);
	if (wrong) {
		stop(vq);
		return wrong;
	}
	vq->avail_wrap = vq->used_wrap = vq->signaled_wrap = vq->packed;
	vq->ready = true;
	return NULL;
}

void virtqueue_reset(struct virtqueue *vq)
{
	*vq = (struct virtqueue){.max = vq->max};
}

static bool place_possible(const struct virtqueue *vq, struct virtq_place place)
{
	return vq->packed ? place.at < vq->size : !place.wrap;
}

static const char *check_places(const struct virtqueue *vq)
{
	uint32_t ours, pushed;

	if (!place_possible(vq, virtq_avail(vq)) || !place_possible(vq, virtq_used(vq)) ||
	    !place_possible(vq, virtq_signaled(vq)))
		return "the device is at a place that the queue does not have";
	ours = virtq_distance(vq, virtq_signaled(vq), virtq_avail(vq));
	pushed = virtq_distance(vq, virtq_signaled(vq), virtq_used(vq));
	if (ours > vq->size || pushed > ours)
		return "the device has more buffers than there are";
	return NULL;
}

const char *virtqueue_restore(struct virtqueue *vq, const struct guest_mem *mem, uint64_t features)
{
	const char *wrong;

	if (!vq->ready) {
		stop(vq);
		return NULL;
	}
	wrong = set_up(vq, mem, features);
	if (!wrong)
		wrong = check_places(vq);
	if (wrong) {
		stop(vq);
		return wrong;
	}
	vq->unflushed = (uint16_t)virtq_distance(vq, virtq_signaled(vq), virtq_used(vq));
	return NULL;
}

/* What needs no knowledge of the features; virtqueue_restore() checks the rest. */
static int validate(const void *object, struct error *err)
{
	const struct virtqueue *vq = object;

	if (vq->ready && (!vq->size || vq->size > VIRTQUEUE_SIZE_MAX))
		return error_set(err, EINVAL, "a virtqueue of size %u cannot be ready", vq->size);
	return 0;
}

/*
 * A fault is not saved: DEVICE_NEEDS_RESET is in the device's status then, and
 * the queue is left alone. If it were not, the same bytes in memory would give
 * the same fault, for a pop that fails moves nothing.
 */
static const struct state_field virtqueue_fields[] = {
	STATE_FIELD(struct virtqueue, size, STATE_U16),
	STATE_FIELD(struct virtqueue, ready, STATE_BOOL),
	STATE_FIELD(struct virtqueue, desc, STATE_U64),
	STATE_FIELD(struct virtqueue, driver, STATE_U64),
	STATE_FIELD(struct virtqueue, device, STATE_U64),
	STATE_FIELD(struct virtqueue, avail, STATE_U16),
	STATE_FIELD(struct virtqueue, used, STATE_U16),
	STATE_FIELD(struct virtqueue, signaled, STATE_U16),
	STATE_FIELD(struct virtqueue, avail_wrap, STATE_BOOL),
	STATE_FIELD(struct virtqueue, used_wrap, STATE_BOOL),
	STATE_FIELD(struct virtqueue, signaled_wrap, STATE_BOOL),
	STATE_FIELD(struct virtqueue, notify_off, STATE_BOOL),
	STATE_FIELD(struct virtqueue, unflushed_data, STATE_BOOL),
};

const struct state_table virtqueue_state = {
	.name = "a virtqueue",
	.fields = virtqueue_fields,
	.field_count = ARRAY_SIZE(virtqueue_fields),
	.object_size = sizeof(struct virtqueue),
	.validate = validate,
};

/* Its use. */

static void set_avail(struct virtqueue *vq, struct virtq_place place)
{
	vq->avail = place.at;
	vq->avail_wrap = place.wrap;
}

int virtqueue_pop(struct virtqueue *vq, struct virtq_chain *chain)
{
	struct virtq_walk walk;
	int r;

	if (!vq->ready)
		return 0;
	if (vq->fault)
		return -EPROTO;
	walk = virtq_walk_begin(vq, chain);
	r = vq->packed ? virtq_packed_pop(&walk) : virtq_split_pop(&walk);
	if (r > 0)
		set_avail(vq, virtq_forward(vq, virtq_avail(vq), chain->slots));
	return r;
}

void virtqueue_unpop(struct virtqueue *vq, const struct virtq_chain *chain)
{
	if (!vq->ready)
		return;
	assert(chain->slots <= virtq_distance(vq, virtq_used(vq), virtq_avail(vq)));
	set_avail(vq, virtq_back(vq, virtq_avail(vq), chain->slots));
}

bool virtqueue_empty(const struct virtqueue *vq)
{
	if (!vq->ready || vq->fault)
		return true;
	return vq->packed ? virtq_packed_empty(vq) : virtq_split_empty(vq);
}

void virtqueue_push(struct virtqueue *vq, const struct virtq_chain *chain, uint32_t written)
{
	struct virtq_place used = virtq_used(vq);

	if (!vq->ready)
		return;
	assert(chain->slots <= virtq_distance(vq, used, virtq_avail(vq)));
	if (vq->packed)
		virtq_packed_push(vq, chain->id, written);
	else
		virtq_split_push(vq, chain->id, written);
	used = virtq_forward(vq, used, chain->slots);
	vq->used = used.at;
	vq->used_wrap = used.wrap;
	vq->unflushed = (uint16_t)(vq->unflushed + chain->slots);
}

bool virtqueue_flush(struct virtqueue *vq)
{
	bool wants;

	if (!vq->ready || !vq->unflushed)
		return false;
	if (vq->packed)
		virtq_packed_publish(vq);
	else
		virtq_split_publish(vq);
	/* The driver asks for an interrupt, then looks for buffers; one of us sees the other. */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	wants = vq->packed ? virtq_packed_wants(vq) : virtq_split_wants(vq);
	vq->signaled = vq->used;
	vq->signaled_wrap = vq->used_wrap;
	vq->unflushed = 0;
	vq->unflushed_data = false;
	return wants;
}

void virtqueue_disable_notify(struct virtqueue *vq)
{
	if (!vq->ready || vq->notify_off)
		return;
	vq->notify_off = true;
	if (vq->packed)
		virtq_packed_ask(vq, false);
	else
		virtq_split_ask(vq, false);
}

bool virtqueue_enable_notify(struct virtqueue *vq)
{
	if (!vq->ready || vq->fault)
		return false;
	vq->notify_off = false;
	if (vq->packed)
		virtq_packed_ask(vq, true);
	else
		virtq_split_ask(vq, true);
	/* The driver makes a buffer available, then looks whether to notify: as above. */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	return !virtqueue_empty(vq);
}
