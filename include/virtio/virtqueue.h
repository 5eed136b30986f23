/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DOC: Virtqueues
 *
 * A ring in the guest's memory through which a driver hands buffers to its
 * device and gets them back: split (virtio 1.3, 2.7) or packed (2.8), which
 * those who use it need not know. A buffer is a chain of pieces, first those
 * that the device reads, then those that it writes.
 *
 *	virtqueue_disable_notify(vq);
 *	do {
 *		while ((r = virtqueue_pop(vq, &chain)) > 0)
 *			virtqueue_push(vq, &chain, serve(&chain));
 *	} while (r == 0 && virtqueue_enable_notify(vq));
 *	if (virtqueue_flush(vq))
 *		interrupt the driver
 *
 * The guest is an adversary: all that it writes is read once and checked.
 * What breaks the rules ends in -EPROTO, with vq->fault saying what it was; a
 * queue with a fault gives no more buffers until it is enabled anew. Pieces
 * stay the guest's memory, which changes under the device's eyes. Whatever the
 * driver does, the buffers that were popped and not pushed take no more slots
 * than the queue has, so there are at most vq->size of them.
 *
 * Threads: configuration (enable, disable, restore) under the device's lock
 * with nobody using the queue; all else by one thread at a time.
 */
#ifndef ARMLET_VIRTIO_VIRTQUEUE_H
#define ARMLET_VIRTIO_VIRTQUEUE_H

#include "core/guest_mem.h"
#include "core/iov.h"
#include "core/state.h"

#define VIRTQUEUE_SIZE_MAX 32768 /* 2.6: Queue Size is at most 2^15 */

struct virtqueue {
	uint16_t max; /* the device's: QueueSizeMax, a power of two; set once */

	/* The driver's, as the transport took them; checked by virtqueue_enable(). */
	uint16_t size; /* QueueSize */
	bool ready;    /* QueueReady */
	gpa_t desc;    /* Descriptor Area */
	gpa_t driver;  /* Driver Area: the available ring, or its event suppression */
	gpa_t device;  /* Device Area: the used ring, or its event suppression */

	/* Where the device is. Split: counters modulo 2^16. Packed: slots, with wrap counters. */
	uint16_t avail;    /* next to be popped */
	uint16_t used;     /* next to be pushed */
	uint16_t signaled; /* @used at the last flush: what the driver was shown */
	bool avail_wrap;
	bool used_wrap;
	bool signaled_wrap;
	bool notify_off; /* the driver was asked not to notify */

	/* What was negotiated, and the areas in our memory. */
	const struct guest_mem *mem;
	bool packed;    /* VIRTIO_F_RING_PACKED */
	bool indirect;  /* VIRTIO_F_INDIRECT_DESC */
	bool event_idx; /* VIRTIO_F_EVENT_IDX */
	void *desc_ring;
	void *driver_area;
	void *device_area;

	uint16_t unflushed;  /* slots pushed and not yet flushed: from @signaled to @used */
	bool unflushed_data; /* packed: the first of them holds data; its flags are due */
	const char *fault;   /* how the driver broke the rules; NULL: it has not */
};

/* A buffer that was popped. The caller sets @iov and @iov_max, once. */
struct virtq_chain {
	struct iovec *iov;  /* @out_count pieces to be read, then @in_count to be written */
	uint16_t iov_max;   /* a chain of more pieces is a fault */
	uint16_t out_count; /* empty pieces are left out */
	uint16_t in_count;
	uint16_t id;       /* the driver's name for it: any number, perhaps that of another */
	uint16_t slots;    /* of the ring, that it took */
	uint32_t out_size; /* bytes to be read */
	uint32_t in_size;  /* bytes to be written; a chain of more than 2^32 - 1 is a fault */
};

/*
 * The driver has set the queue up (QueueReady = 1): check size, alignment and
 * that all areas are RAM, and begin from the start. @features are those
 * negotiated. Returns NULL, or what is wrong, and then the queue is not ready.
 */
const char *virtqueue_enable(struct virtqueue *vq, const struct guest_mem *mem, uint64_t features);

/* Not ready; all but @max forgotten. */
void virtqueue_reset(struct virtqueue *vq);

/*
 * After virtqueue_state was loaded: as virtqueue_enable(), if it was ready, but
 * going on where it was.
 */
const char *virtqueue_restore(struct virtqueue *vq, const struct guest_mem *mem, uint64_t features);

/* The saved state of a struct virtqueue. */
extern const struct state_table virtqueue_state;

/* 1: @chain is the next buffer; 0: there is none (or the queue is not ready); -EPROTO. */
int virtqueue_pop(struct virtqueue *vq, struct virtq_chain *chain);

/* Undo the last pop; nothing was popped since. */
void virtqueue_unpop(struct virtqueue *vq, const struct virtq_chain *chain);

/* Whether virtqueue_pop() would find nothing. */
bool virtqueue_empty(const struct virtqueue *vq);

/*
 * Give a buffer back, @written bytes of which (from the first piece that may
 * be written) hold data; in any order. The driver sees it after virtqueue_flush()
 * at the latest.
 */
void virtqueue_push(struct virtqueue *vq, const struct virtq_chain *chain, uint32_t written);

/* Show the driver what was pushed; whether it wants an interrupt for that. */
bool virtqueue_flush(struct virtqueue *vq);

/*
 * Ask the driver not to notify (a hint), or to notify of the next buffer: true
 * if one has come meanwhile, for which no notification may come.
 */
void virtqueue_disable_notify(struct virtqueue *vq);
bool virtqueue_enable_notify(struct virtqueue *vq);

/* Bytes out of, or into, the pieces of @chain; as iov_read() and iov_write(). */
static inline size_t virtq_chain_read(const struct virtq_chain *chain, size_t offset, void *data,
				      size_t size)
{
	return iov_read(chain->iov, chain->out_count, offset, data, size);
}

static inline size_t virtq_chain_write(const struct virtq_chain *chain, size_t offset,
				       const void *data, size_t size)
{
	return iov_write(chain->iov + chain->out_count, chain->in_count, offset, data, size);
}

#endif
