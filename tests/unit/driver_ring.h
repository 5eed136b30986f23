/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The driver's side of a virtqueue, split or packed, for tests of devices: a
 * well-behaved driver that works on the guest's memory as the guest would.
 *
 *	driver_ring_init(&ring, mem, base, 8, packed, event_idx);
 *	... tell the device driver_ring_desc(&ring), _driver(), _device() ...
 *	driver_ring_add(&ring, pieces, n_out, n_in, token, indirect);
 *	if (driver_ring_kick(&ring))
 *		... notify the device ...
 *	while (driver_ring_used(&ring, &token, &len))
 *		...
 *
 * A device that breaks the rules fails the test. The device may run in another
 * thread; the ring is used by one.
 */
#ifndef ARMLET_TESTS_DRIVER_RING_H
#define ARMLET_TESTS_DRIVER_RING_H

#include <check.h>

#include "core/guest_mem.h"

/* ck_assert() tells the parent process of each check; this is for those made by the million. */
#define quick_assert(condition)                         \
	do {                                            \
		if (!(condition))                       \
			ck_abort_msg("%s", #condition); \
	} while (0)

#define DRIVER_RING_MAX   256 /* slots at most */
#define DRIVER_RING_TABLE 32  /* pieces of an indirect buffer at most */

struct driver_piece {
	gpa_t addr;
	uint32_t size;
};

struct driver_ring {
	const struct guest_mem *mem;
	gpa_t base;
	uint16_t size;
	bool packed;
	bool event_idx;

	/* Split: counters modulo 2^16. Packed: slots, with wrap counters. */
	uint16_t avail;  /* next to be made available */
	uint16_t used;   /* next to be looked at */
	uint16_t kicked; /* @avail when driver_ring_kick() was last asked */
	bool avail_wrap;
	bool used_wrap;
	bool kicked_wrap;

	uint16_t free_slots;
	uint16_t next[DRIVER_RING_MAX];    /* split: the free descriptors; packed: the free ids */
	uint16_t first_free;               /* of @next */
	uint16_t slots[DRIVER_RING_MAX];   /* by id: taken by the buffer; 0: it is free */
	uint64_t tokens[DRIVER_RING_MAX];  /* by id */
	uint64_t in_size[DRIVER_RING_MAX]; /* by id: bytes that the device may write */
};

/* A ring of @size slots in [@base, @base + driver_ring_bytes(@size)) of @mem, aligned to 16. */
void driver_ring_init(struct driver_ring *ring, const struct guest_mem *mem, gpa_t base,
		      uint16_t size, bool packed, bool event_idx);
uint64_t driver_ring_bytes(uint16_t size);

/* What the driver has negotiated, with VIRTIO_F_VERSION_1; with indirect tables or without. */
uint64_t driver_ring_features(const struct driver_ring *ring, bool indirect);

/* The three areas. */
gpa_t driver_ring_desc(const struct driver_ring *ring);
gpa_t driver_ring_driver(const struct driver_ring *ring);
gpa_t driver_ring_device(const struct driver_ring *ring);

/*
 * Make a buffer available: @n_out pieces that the device reads, then @n_in that
 * it writes, at least one in all. @token is what driver_ring_used() gives back.
 * False if there is no room, or would never be: a buffer has at most as many
 * pieces as the ring has slots.
 */
bool driver_ring_add(struct driver_ring *ring, const struct driver_piece *pieces, unsigned n_out,
		     unsigned n_in, uint64_t token, bool indirect);

/* Whether the device wants to be notified of what was added since this was last asked. */
bool driver_ring_kick(struct driver_ring *ring);

/* The next buffer that the device has used, and the bytes written; false if there is none. */
bool driver_ring_used(struct driver_ring *ring, uint64_t *ret_token, uint32_t *ret_len);

/*
 * Ask for no interrupts, or for one when @after more slots than the next are
 * used (without event_idx: for the next). True if there are used buffers, for
 * which no interrupt may come. A split ring's buffer is one slot, and a packed
 * one's as many as it has pieces.
 */
void driver_ring_no_interrupts(struct driver_ring *ring);
bool driver_ring_interrupts(struct driver_ring *ring, uint16_t after);

#endif
