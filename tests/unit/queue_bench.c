/* SPDX-License-Identifier: Apache-2.0 */
#include "queue_bench.h"

#include <check.h>
#include <sys/mman.h>

#define GUARD (64 * KIB)

struct queue_bench *queue_bench_open(int mode, uint16_t size, uint64_t ram_size)
{
	struct queue_bench *bench = calloc(1, sizeof(*bench));
	uint8_t *mapped = mmap(NULL, ram_size + 2 * GUARD, PROT_NONE,
			       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	ck_assert(bench && mapped != MAP_FAILED);
	ck_assert_int_eq(mprotect(mapped + GUARD, ram_size, PROT_READ | PROT_WRITE), 0);
	bench->mem = (struct guest_mem){
		.base = QUEUE_RAM_BASE, .size = ram_size, .host = mapped + GUARD};
	bench->indirect = mode & QUEUE_INDIRECT;
	driver_ring_init(&bench->ring, &bench->mem, QUEUE_RAM_BASE, size, mode & QUEUE_PACKED,
			 mode & QUEUE_EVENT_IDX);
	bench->features = driver_ring_features(&bench->ring, bench->indirect);
	bench->vq.max = QUEUE_MAX;
	bench->chain = queue_chain(bench->iov);
	ck_assert_ptr_null(queue_bench_enable(bench));
	return bench;
}

void queue_bench_close(struct queue_bench *bench)
{
	munmap(bench->mem.host - GUARD, bench->mem.size + 2 * GUARD);
	free(bench);
}

const char *queue_bench_enable(struct queue_bench *bench)
{
	virtqueue_reset(&bench->vq);
	bench->vq.size = bench->ring.size;
	bench->vq.desc = driver_ring_desc(&bench->ring);
	bench->vq.driver = driver_ring_driver(&bench->ring);
	bench->vq.device = driver_ring_device(&bench->ring);
	return virtqueue_enable(&bench->vq, &bench->mem, bench->features);
}

struct virtq_chain queue_chain(struct iovec iov[QUEUE_PIECES])
{
	return (struct virtq_chain){.iov = iov, .iov_max = QUEUE_PIECES};
}

void *queue_at(const struct queue_bench *bench, gpa_t addr, uint64_t size)
{
	void *at = guest_mem_at(&bench->mem, addr, size);

	quick_assert(at);
	return at;
}

bool queue_add(struct queue_bench *bench, unsigned n_out, unsigned n_in, uint64_t token)
{
	struct driver_piece pieces[DRIVER_RING_TABLE];

	quick_assert(n_out + n_in <= DRIVER_RING_TABLE);
	for (unsigned i = 0; i < n_out + n_in; i++)
		pieces[i] = (struct driver_piece){QUEUE_DATA + 16 * i, 16};
	return driver_ring_add(&bench->ring, pieces, n_out, n_in, token, bench->indirect);
}

void queue_pop(struct queue_bench *bench)
{
	int r = virtqueue_pop(&bench->vq, &bench->chain);

	if (r != 1)
		ck_abort_msg("pop: %d, %s", r, bench->vq.fault ? bench->vq.fault : "no fault");
}

void queue_expect_used(struct queue_bench *bench, uint64_t token, uint32_t len)
{
	uint64_t got_token;
	uint32_t got_len;

	quick_assert(driver_ring_used(&bench->ring, &got_token, &got_len));
	quick_assert(got_token == token);
	quick_assert(got_len == len);
}

void queue_expect_none(struct queue_bench *bench)
{
	uint64_t token;
	uint32_t len;

	quick_assert(!driver_ring_used(&bench->ring, &token, &len));
}
