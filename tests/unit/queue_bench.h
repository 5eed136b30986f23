/* SPDX-License-Identifier: Apache-2.0 */
/* A virtqueue, the driver at its other end, and the memory between them. */
#ifndef ARMLET_TESTS_QUEUE_BENCH_H
#define ARMLET_TESTS_QUEUE_BENCH_H

#include "driver_ring.h"
#include "virtio/virtqueue.h"

#define QUEUE_RAM_BASE UINT64_C(0x40000000)
#define QUEUE_RAM_SIZE MIB
#define QUEUE_DATA     (QUEUE_RAM_BASE + 512 * KIB) /* free for buffers, up to the end */
#define QUEUE_MAX      256                          /* QueueSizeMax */
#define QUEUE_PIECES   40

/* Every kind of queue: a loop test's row. */
#define QUEUE_PACKED    1
#define QUEUE_EVENT_IDX 2
#define QUEUE_INDIRECT  4 /* negotiated, and used for every buffer */
#define QUEUE_MODES     8

struct queue_bench {
	struct guest_mem mem; /* inaccessible on either side */
	struct driver_ring ring;
	struct virtqueue vq; /* enabled */
	bool indirect;
	uint64_t features;
	struct iovec iov[QUEUE_PIECES];
	struct virtq_chain chain;
};

struct queue_bench *queue_bench_open(int mode, uint16_t size, uint64_t ram_size);
void queue_bench_close(struct queue_bench *bench);

/* Enable the queue anew, on the same rings. */
const char *queue_bench_enable(struct queue_bench *bench);

/* Forget what was popped last: @chain with room for all pieces. */
struct virtq_chain queue_chain(struct iovec iov[QUEUE_PIECES]);

/* Bytes of the guest's memory. */
void *queue_at(const struct queue_bench *bench, gpa_t addr, uint64_t size);

/* Add a buffer of pieces of 16 bytes at QUEUE_DATA. */
bool queue_add(struct queue_bench *bench, unsigned n_out, unsigned n_in, uint64_t token);

/* The next buffer is there, into bench->chain. */
void queue_pop(struct queue_bench *bench);

/* The driver finds the buffer of @token, of which @len bytes were written; or nothing. */
void queue_expect_used(struct queue_bench *bench, uint64_t token, uint32_t len);
void queue_expect_none(struct queue_bench *bench);

#endif
