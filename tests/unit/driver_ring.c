/* SPDX-License-Identifier: Apache-2.0 */
#include "driver_ring.h"

#include <linux/virtio_config.h>
#include <linux/virtio_ring.h>
#include <string.h>

#define NONE       UINT16_MAX
#define TABLE_SIZE (DRIVER_RING_TABLE * sizeof(struct vring_desc))
#define FLAG_AVAIL (1U << VRING_PACKED_DESC_F_AVAIL)
#define FLAG_USED  (1U << VRING_PACKED_DESC_F_USED)

/* Where things are: the areas behind each other, then a table for each id. */

gpa_t driver_ring_desc(const struct driver_ring *ring)
{
	return ring->base;
}

gpa_t driver_ring_driver(const struct driver_ring *ring)
{
	return ring->base + ring->size * sizeof(struct vring_desc);
}

gpa_t driver_ring_device(const struct driver_ring *ring)
{
	return align_up(driver_ring_driver(ring) + 6 + 2U * ring->size, 4);
}

static gpa_t table_of(const struct driver_ring *ring, uint16_t id)
{
	return align_up(driver_ring_device(ring) + 6 + 8U * ring->size, 16) + id * TABLE_SIZE;
}

uint64_t driver_ring_bytes(uint16_t size)
{
	const struct driver_ring ring = {.size = size};

	return table_of(&ring, size);
}

uint64_t driver_ring_features(const struct driver_ring *ring, bool indirect)
{
	return BIT(VIRTIO_F_VERSION_1) | (ring->packed ? BIT(VIRTIO_F_RING_PACKED) : 0) |
	       (ring->event_idx ? BIT(VIRTIO_RING_F_EVENT_IDX) : 0) |
	       (indirect ? BIT(VIRTIO_RING_F_INDIRECT_DESC) : 0);
}

static void *at(const struct driver_ring *ring, gpa_t addr, uint64_t size)
{
	void *host = guest_mem_at(ring->mem, addr, size);

	quick_assert(host);
	return host;
}

static struct vring_avail *avail_ring(const struct driver_ring *ring)
{
	return at(ring, driver_ring_driver(ring), 6 + 2U * ring->size);
}

static struct vring_used *used_ring(const struct driver_ring *ring)
{
	return at(ring, driver_ring_device(ring), 6 + 8U * ring->size);
}

static struct vring_packed_desc *packed_slot(const struct driver_ring *ring, uint16_t slot)
{
	struct vring_packed_desc *desc = at(ring, ring->base, ring->size * sizeof(*desc));

	return desc + slot;
}

void driver_ring_init(struct driver_ring *ring, const struct guest_mem *mem, gpa_t base,
		      uint16_t size, bool packed, bool event_idx)
{
	quick_assert(size && size <= DRIVER_RING_MAX);
	memset(ring, 0, sizeof(*ring));
	ring->mem = mem;
	ring->base = base;
	ring->size = size;
	ring->packed = packed;
	ring->event_idx = event_idx;
	ring->avail_wrap = ring->used_wrap = ring->kicked_wrap = packed;
	ring->free_slots = size;
	for (uint16_t i = 0; i < size; i++)
		ring->next[i] = (uint16_t)(i + 1);
	ring->next[size - 1] = NONE;
	memset(at(ring, base, driver_ring_bytes(size)), 0, driver_ring_bytes(size));
}

static uint16_t take_free(struct driver_ring *ring)
{
	uint16_t id = ring->first_free;

	quick_assert(id != NONE);
	ring->first_free = ring->next[id];
	return id;
}

static void give_free(struct driver_ring *ring, uint16_t id)
{
	ring->next[id] = ring->first_free;
	ring->first_free = id;
}

static void advance(const struct driver_ring *ring, uint16_t *slot, bool *wrap, uint16_t count)
{
	*slot = (uint16_t)(*slot + count);
	if (ring->packed && *slot >= ring->size) {
		*slot = (uint16_t)(*slot - ring->size);
		*wrap = !*wrap;
	}
}

/* Flags of piece @index: which way, and whether there is another. */
static uint16_t piece_flags(unsigned index, unsigned n_out, unsigned n_in)
{
	return (uint16_t)((index >= n_out ? VRING_DESC_F_WRITE : 0) |
			  (index + 1 < n_out + n_in ? VRING_DESC_F_NEXT : 0));
}

/* The pieces as an indirect table of @id. */
static struct driver_piece make_table(const struct driver_ring *ring, uint16_t id,
				      const struct driver_piece *pieces, unsigned n_out,
				      unsigned n_in)
{
	const gpa_t addr = table_of(ring, id);
	struct vring_desc *split = at(ring, addr, TABLE_SIZE);
	struct vring_packed_desc *packed = (void *)split;

	quick_assert(n_out + n_in <= DRIVER_RING_TABLE);
	for (unsigned i = 0; i < n_out + n_in; i++) {
		uint16_t flags = piece_flags(i, n_out, n_in);

		if (ring->packed)
			packed[i] = (struct vring_packed_desc){.addr = pieces[i].addr,
							       .len = pieces[i].size,
							       .flags = flags & VRING_DESC_F_WRITE};
		else
			split[i] = (struct vring_desc){.addr = pieces[i].addr,
						       .len = pieces[i].size,
						       .flags = flags,
						       .next = (uint16_t)(i + 1)};
	}
	return (struct driver_piece){addr, (uint32_t)((n_out + n_in) * sizeof(*split))};
}

static void add_split(struct driver_ring *ring, uint16_t head, const struct driver_piece *pieces,
		      unsigned n_out, unsigned n_in, uint16_t flags)
{
	struct vring_desc *table = at(ring, ring->base, ring->size * sizeof(*table));
	struct vring_avail *avail = avail_ring(ring);
	uint16_t index = head;

	for (unsigned i = 0; i < n_out + n_in; i++) {
		uint16_t more = piece_flags(i, n_out, n_in);

		table[index] = (struct vring_desc){
			.addr = pieces[i].addr, .len = pieces[i].size, .flags = flags | more};
		if (!(more & VRING_DESC_F_NEXT))
			break;
		table[index].next = take_free(ring);
		index = table[index].next;
	}
	avail->ring[ring->avail % ring->size] = head;
	advance(ring, &ring->avail, &ring->avail_wrap, 1);
	__atomic_store_n(&avail->idx, ring->avail, __ATOMIC_RELEASE);
}

static void add_packed(struct driver_ring *ring, uint16_t id, const struct driver_piece *pieces,
		       unsigned n_out, unsigned n_in, uint16_t flags)
{
	struct vring_packed_desc *first = packed_slot(ring, ring->avail);
	uint16_t first_flags = 0;

	for (unsigned i = 0; i < n_out + n_in; i++) {
		struct vring_packed_desc *desc = packed_slot(ring, ring->avail);
		uint16_t all = (uint16_t)(flags | piece_flags(i, n_out, n_in) |
					  (ring->avail_wrap ? FLAG_AVAIL : FLAG_USED));

		desc->addr = pieces[i].addr;
		desc->len = pieces[i].size;
		/* Only the last one's counts. */
		desc->id = i + 1 < n_out + n_in ? 0xeeee : id;
		if (i == 0)
			first_flags = all;
		else
			__atomic_store_n(&desc->flags, all, __ATOMIC_RELAXED);
		advance(ring, &ring->avail, &ring->avail_wrap, 1);
	}
	__atomic_store_n(&first->flags, first_flags, __ATOMIC_RELEASE);
}

bool driver_ring_add(struct driver_ring *ring, const struct driver_piece *pieces, unsigned n_out,
		     unsigned n_in, uint64_t token, bool indirect)
{
	unsigned slots = indirect ? 1 : n_out + n_in;
	struct driver_piece table;
	uint16_t flags = 0;
	uint16_t id;

	quick_assert(slots > 0);
	if (slots > ring->free_slots || n_out + n_in > ring->size)
		return false;
	id = take_free(ring);
	ring->free_slots = (uint16_t)(ring->free_slots - slots);
	ring->slots[id] = (uint16_t)slots;
	ring->tokens[id] = token;
	ring->in_size[id] = 0;
	for (unsigned i = n_out; i < n_out + n_in; i++)
		ring->in_size[id] += pieces[i].size;
	if (indirect) {
		table = make_table(ring, id, pieces, n_out, n_in);
		pieces = &table;
		n_out = 1;
		n_in = 0;
		flags = VRING_DESC_F_INDIRECT;
	}
	if (ring->packed)
		add_packed(ring, id, pieces, n_out, n_in, flags);
	else
		add_split(ring, id, pieces, n_out, n_in, flags);
	return true;
}

/* Slots from one place up to another. */
static uint16_t distance(const struct driver_ring *ring, uint16_t from, bool from_wrap, uint16_t to,
			 bool to_wrap)
{
	unsigned round = 2U * ring->size;

	if (!ring->packed)
		return (uint16_t)(to - from);
	return (uint16_t)((to + (to_wrap == from_wrap ? 0U : ring->size) + round - from) % round);
}

static bool wants_kick(const struct driver_ring *ring)
{
	uint16_t added =
		distance(ring, ring->kicked, ring->kicked_wrap, ring->avail, ring->avail_wrap);
	uint32_t event;
	uint16_t value, how;

	if (!ring->packed && !ring->event_idx) {
		value = __atomic_load_n(&used_ring(ring)->flags, __ATOMIC_RELAXED);
		return !(value & VRING_USED_F_NO_NOTIFY);
	}
	if (!ring->packed) {
		quick_assert(used_ring(ring)->flags == 0); /* 2.7.10.2 */
		value = __atomic_load_n((uint16_t *)(void *)&used_ring(ring)->ring[ring->size],
					__ATOMIC_RELAXED);
		return (uint16_t)(value - ring->kicked) < added;
	}
	event = __atomic_load_n((uint32_t *)at(ring, driver_ring_device(ring), 4),
				__ATOMIC_RELAXED);
	how = (uint16_t)(event >> 16);
	if (how != VRING_PACKED_EVENT_FLAG_DESC)
		return how == VRING_PACKED_EVENT_FLAG_ENABLE;
	quick_assert(ring->event_idx);
	value = event & 0x7fff;
	quick_assert(value < ring->size);
	return distance(ring, ring->kicked, ring->kicked_wrap, value,
			event & BIT(VRING_PACKED_EVENT_F_WRAP_CTR)) < added;
}

bool driver_ring_kick(struct driver_ring *ring)
{
	bool added = ring->kicked != ring->avail || ring->kicked_wrap != ring->avail_wrap;
	bool wants;

	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	wants = added && wants_kick(ring);
	ring->kicked = ring->avail;
	ring->kicked_wrap = ring->avail_wrap;
	return wants;
}

/* The id and length at @used, if it is used. */
static bool look(const struct driver_ring *ring, uint32_t *ret_id, uint32_t *ret_len)
{
	const struct vring_packed_desc *desc;
	const struct vring_used *used;
	uint16_t flags;

	if (!ring->packed) {
		used = used_ring(ring);
		if (__atomic_load_n(&used->idx, __ATOMIC_ACQUIRE) == ring->used)
			return false;
		*ret_id = used->ring[ring->used % ring->size].id;
		*ret_len = used->ring[ring->used % ring->size].len;
		return true;
	}
	desc = packed_slot(ring, ring->used);
	flags = __atomic_load_n(&desc->flags, __ATOMIC_ACQUIRE);
	if (!!(flags & FLAG_AVAIL) != ring->used_wrap || !!(flags & FLAG_USED) != ring->used_wrap)
		return false;
	*ret_id = desc->id;
	*ret_len = desc->len;
	quick_assert(!!(flags & VRING_DESC_F_WRITE) == !!desc->len); /* 2.8.3 */
	return true;
}

/* The descriptors of the chain at @head, which the device cannot have changed. */
static void free_split(struct driver_ring *ring, uint16_t head)
{
	const struct vring_desc *table = at(ring, ring->base, ring->size * sizeof(*table));
	uint16_t index = head;

	for (unsigned left = ring->slots[head]; left > 0; left--) {
		uint16_t next = table[index].next;

		give_free(ring, index);
		index = next;
	}
}

bool driver_ring_used(struct driver_ring *ring, uint64_t *ret_token, uint32_t *ret_len)
{
	uint16_t slots;
	uint32_t id;

	if (!look(ring, &id, ret_len))
		return false;
	quick_assert(id < ring->size && ring->slots[id]);
	quick_assert(*ret_len <= ring->in_size[id]);
	*ret_token = ring->tokens[id];
	slots = ring->slots[id];
	if (ring->packed)
		give_free(ring, (uint16_t)id);
	else
		free_split(ring, (uint16_t)id);
	advance(ring, &ring->used, &ring->used_wrap, ring->packed ? slots : 1);
	ring->free_slots = (uint16_t)(ring->free_slots + slots);
	ring->slots[id] = 0;
	return true;
}

static void set_packed_event(struct driver_ring *ring, uint16_t how, uint16_t slot, bool wrap)
{
	uint32_t event =
		(uint32_t)how << 16 | (uint32_t)wrap << VRING_PACKED_EVENT_F_WRAP_CTR | slot;

	__atomic_store_n((uint32_t *)at(ring, driver_ring_driver(ring), 4), event,
			 __ATOMIC_RELAXED);
}

void driver_ring_no_interrupts(struct driver_ring *ring)
{
	if (ring->packed)
		set_packed_event(ring, VRING_PACKED_EVENT_FLAG_DISABLE, 0, false);
	else if (!ring->event_idx)
		__atomic_store_n(&avail_ring(ring)->flags, VRING_AVAIL_F_NO_INTERRUPT,
				 __ATOMIC_RELAXED);
	else /* the place farthest from being reached */
		__atomic_store_n(&avail_ring(ring)->ring[ring->size], (uint16_t)(ring->used - 1),
				 __ATOMIC_RELAXED);
}

bool driver_ring_interrupts(struct driver_ring *ring, uint16_t after)
{
	uint16_t slot = ring->used;
	bool wrap = ring->used_wrap;
	uint32_t id, len;

	quick_assert(after < ring->size);
	advance(ring, &slot, &wrap, after);
	if (ring->packed && ring->event_idx)
		set_packed_event(ring, VRING_PACKED_EVENT_FLAG_DESC, slot, wrap);
	else if (ring->packed)
		set_packed_event(ring, VRING_PACKED_EVENT_FLAG_ENABLE, 0, false);
	else if (ring->event_idx)
		__atomic_store_n(&avail_ring(ring)->ring[ring->size], slot, __ATOMIC_RELAXED);
	else
		__atomic_store_n(&avail_ring(ring)->flags, 0, __ATOMIC_RELAXED);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	return look(ring, &id, &len);
}
