/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DOC: Virtqueues, inside
 *
 * virtqueue.c has what split and packed rings share: places in the ring, the
 * checks of every piece, the life of a queue. virtqueue_split.c and
 * virtqueue_packed.c know what the rings look like.
 *
 * Three places follow each other round the ring: @avail, up to which buffers
 * were popped; @used, up to which they were given back; @signaled, up to which
 * the driver was shown that. What lies from @signaled to @avail is ours, and
 * never more than the ring: a driver that offers more is at fault.
 *
 * The guest's memory is read in two ways, both of which read a value once: what
 * the two sides tell each other by (indices, flags, events) with __atomic
 * builtins, what they guard (descriptors) by read_once(). Both sides are
 * little-endian.
 */
#ifndef ARMLET_VIRTIO_VIRTQUEUE_PRIVATE_H
#define ARMLET_VIRTIO_VIRTQUEUE_PRIVATE_H

#include <linux/virtio_ring.h>
#include <string.h>

#include "virtio/virtqueue.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "rings are used as they lie in memory");

/* A copy of guest memory; what is read from it later cannot have changed. */
static inline void read_once(void *to, const void *from, size_t size)
{
	memcpy(to, from, size);
	/* Or the compiler might leave out the copy and read the guest's memory twice. */
	__asm__ volatile("" : : "r"(to) : "memory");
}

/* A place in the ring: a counter modulo 2^16 (split), or a slot and its wrap counter (packed). */
struct virtq_place {
	uint16_t at;
	bool wrap;
};

/* Slots from one place up to another; less than twice the ring. */
uint32_t virtq_distance(const struct virtqueue *vq, struct virtq_place from, struct virtq_place to);

/* @slots further round the ring, or back. */
struct virtq_place virtq_forward(const struct virtqueue *vq, struct virtq_place place,
				 uint16_t slots);
struct virtq_place virtq_back(const struct virtqueue *vq, struct virtq_place place, uint16_t slots);

static inline struct virtq_place virtq_avail(const struct virtqueue *vq)
{
	return (struct virtq_place){vq->avail, vq->avail_wrap};
}

static inline struct virtq_place virtq_used(const struct virtqueue *vq)
{
	return (struct virtq_place){vq->used, vq->used_wrap};
}

static inline struct virtq_place virtq_signaled(const struct virtqueue *vq)
{
	return (struct virtq_place){vq->signaled, vq->signaled_wrap};
}

/* Slots that the driver may have filled and that were not popped. */
static inline uint32_t virtq_offered_max(const struct virtqueue *vq)
{
	return vq->size - virtq_distance(vq, virtq_signaled(vq), virtq_avail(vq));
}

/* The driver broke the rules; returns -EPROTO. @fault is a literal, read behind "queue N: ". */
int virtq_fault(struct virtqueue *vq, const char *fault);

/* A buffer while its pieces are found. */
struct virtq_walk {
	struct virtqueue *vq;
	struct virtq_chain *chain;
	uint32_t length; /* descriptors so far, without those that refer to tables */
	bool writing;    /* a writable piece has come */
};

/* Begin with no pieces in @chain. */
struct virtq_walk virtq_walk_begin(struct virtqueue *vq, struct virtq_chain *chain);

/* The next descriptor's piece: into the chain, if all is right with it. 0 or -EPROTO. */
int virtq_walk_add(struct virtq_walk *walk, gpa_t addr, uint32_t size, bool writable);

/* The indirect table (of descriptors of 16 bytes) at [@addr, @addr + @size). 0 or -EPROTO. */
int virtq_walk_table(struct virtq_walk *walk, gpa_t addr, uint32_t size, const uint8_t **ret,
		     uint32_t *ret_count);

/* What each kind of ring does; virtqueue.c advances the places. */

/* Pop: 1 if the next buffer is in @walk's chain; 0, or -EPROTO. */
int virtq_split_pop(struct virtq_walk *walk);
int virtq_packed_pop(struct virtq_walk *walk);

bool virtq_split_empty(const struct virtqueue *vq);
bool virtq_packed_empty(const struct virtqueue *vq);

/* Write a used buffer at @used, which the driver does not see yet. */
void virtq_split_push(struct virtqueue *vq, uint16_t id, uint32_t written);
void virtq_packed_push(struct virtqueue *vq, uint16_t id, uint32_t written);

/* Show the driver all up to @used. */
void virtq_split_publish(struct virtqueue *vq);
void virtq_packed_publish(struct virtqueue *vq);

/* Whether it wants an interrupt for what lies from @signaled to @used. */
bool virtq_split_wants(const struct virtqueue *vq);
bool virtq_packed_wants(const struct virtqueue *vq);

/* Ask for a notification when something comes at @avail, or for none. */
void virtq_split_ask(struct virtqueue *vq, bool on);
void virtq_packed_ask(struct virtqueue *vq, bool on);

#endif
