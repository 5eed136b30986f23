/* SPDX-License-Identifier: Apache-2.0 */
/* What a queue does for a driver that keeps the rules; each test in every mode. */
#include "virtio/virtqueue.h"

#include <string.h>

#include "queue_bench.h"
#include "unit.h"

#define SIZE 8

static struct queue_bench *open_mode(int mode)
{
	return queue_bench_open(mode, SIZE, QUEUE_RAM_SIZE);
}

START_TEST(test_round_trip)
{
	static const struct driver_piece pieces[] = {
		{QUEUE_DATA, 6},        {0, 0}, {QUEUE_RAM_BASE + QUEUE_RAM_SIZE - 5, 5},
		{QUEUE_DATA + 0x64, 8}, {0, 0}, {QUEUE_DATA + 0x31, 24},
	};
	struct queue_bench *bench = open_mode(_i);
	char text[12] = "";

	memcpy(queue_at(bench, pieces[0].addr, 6), "hello ", 6);
	memcpy(queue_at(bench, pieces[2].addr, 5), "world", 5);
	ck_assert(driver_ring_add(&bench->ring, pieces, 3, 3, 77, bench->indirect));
	ck_assert(driver_ring_kick(&bench->ring));

	ck_assert(!virtqueue_empty(&bench->vq));
	queue_pop(bench);
	ck_assert_uint_eq(bench->chain.out_count, 2);
	ck_assert_uint_eq(bench->chain.in_count, 2);
	ck_assert_uint_eq(bench->chain.out_size, 11);
	ck_assert_uint_eq(bench->chain.in_size, 32);
	ck_assert_uint_eq(virtq_chain_read(&bench->chain, 0, text, sizeof(text)), 11);
	ck_assert_str_eq(text, "hello world");
	ck_assert_uint_eq(virtq_chain_write(&bench->chain, 0, "here I answer", 13), 13);
	ck_assert(virtqueue_empty(&bench->vq));
	ck_assert_int_eq(virtqueue_pop(&bench->vq, &bench->chain), 0);

	virtqueue_push(&bench->vq, &bench->chain, 13);
	queue_expect_none(bench);
	ck_assert(virtqueue_flush(&bench->vq));
	queue_expect_used(bench, 77, 13);
	queue_expect_none(bench);
	ck_assert(!memcmp(queue_at(bench, pieces[3].addr, 8), "here I a", 8));
	ck_assert(!memcmp(queue_at(bench, pieces[5].addr, 5), "nswer", 5));
	queue_bench_close(bench);
}
END_TEST

/* All that fit, given back in another order, the first three in one flush. */
START_TEST(test_out_of_order)
{
	static const uint8_t order[SIZE] = {3, 1, 7, 0, 6, 2, 5, 4};
	struct queue_bench *bench = open_mode(_i);
	struct iovec iov[SIZE][QUEUE_PIECES];
	struct virtq_chain chains[SIZE];

	for (unsigned i = 0; i < SIZE; i++)
		ck_assert(queue_add(bench, 0, 1, i));
	ck_assert(!queue_add(bench, 0, 1, SIZE));
	for (unsigned i = 0; i < SIZE; i++) {
		chains[i] = queue_chain(iov[i]);
		ck_assert_int_eq(virtqueue_pop(&bench->vq, &chains[i]), 1);
	}
	ck_assert_int_eq(virtqueue_pop(&bench->vq, &bench->chain), 0);
	for (unsigned i = 0; i < SIZE; i++) {
		virtqueue_push(&bench->vq, &chains[order[i]], i);
		queue_expect_none(bench);
		if (i < 2)
			continue;
		virtqueue_flush(&bench->vq);
		if (i == 2) {
			queue_expect_used(bench, order[0], 0);
			queue_expect_used(bench, order[1], 1);
		}
		queue_expect_used(bench, order[i], i);
	}
	queue_expect_none(bench);
	queue_bench_close(bench);
}
END_TEST

/* Many times round the ring, with buffers of one to three pieces, two at a time. */
START_TEST(test_wrap)
{
	struct queue_bench *bench = open_mode(_i);

	for (unsigned round = 0; round < 1000; round++) {
		unsigned first = 1 + round % 3;
		unsigned second = 1 + round / 3 % 3;

		quick_assert(queue_add(bench, first, 0, 2 * round));
		quick_assert(queue_add(bench, 0, second, 2 * round + 1));
		queue_pop(bench);
		quick_assert(bench->chain.out_count == first);
		quick_assert(bench->chain.in_count == 0);
		virtqueue_push(&bench->vq, &bench->chain, 0);
		queue_pop(bench);
		quick_assert(bench->chain.out_count == 0);
		quick_assert(bench->chain.in_size == 16 * second);
		virtqueue_push(&bench->vq, &bench->chain, round % 17);
		virtqueue_flush(&bench->vq);
		queue_expect_used(bench, 2 * round, 0);
		queue_expect_used(bench, 2 * round + 1, round % 17);
		queue_expect_none(bench);
	}
	queue_bench_close(bench);
}
END_TEST

/* Past 2^16: neither the counters nor a size that is no power of two (packed) matter. */
START_TEST(test_counter_wrap)
{
	struct queue_bench *bench = queue_bench_open(_i, _i & QUEUE_PACKED ? 5 : 4, QUEUE_RAM_SIZE);

	for (unsigned round = 0; round < 66000; round++) {
		quick_assert(queue_add(bench, 1, 0, round));
		queue_pop(bench);
		virtqueue_push(&bench->vq, &bench->chain, 0);
		driver_ring_interrupts(&bench->ring, 0);
		quick_assert(virtqueue_flush(&bench->vq));
		queue_expect_used(bench, round, 0);
	}
	queue_bench_close(bench);
}
END_TEST

static void serve(struct queue_bench *bench)
{
	while (virtqueue_pop(&bench->vq, &bench->chain) > 0)
		virtqueue_push(&bench->vq, &bench->chain, 0);
}

/* The driver notifies when it is asked to, and not when it is asked not to. */
START_TEST(test_notify)
{
	struct queue_bench *bench = open_mode(_i);

	/* Whatever the place in the ring. */
	for (unsigned round = 0; round < 3 * SIZE; round++) {
		uint64_t token;
		uint32_t len;

		quick_assert(queue_add(bench, 1, 0, 0));
		quick_assert(driver_ring_kick(&bench->ring));
		virtqueue_disable_notify(&bench->vq);
		quick_assert(queue_add(bench, 1, 0, 0));
		quick_assert(!driver_ring_kick(&bench->ring));
		quick_assert(virtqueue_enable_notify(&bench->vq));
		virtqueue_disable_notify(&bench->vq);
		serve(bench);
		quick_assert(!virtqueue_enable_notify(&bench->vq));
		quick_assert(queue_add(bench, 1, 0, 0));
		quick_assert(queue_add(bench, 1, 0, 0));
		quick_assert(driver_ring_kick(&bench->ring));
		quick_assert(queue_add(bench, 1, 0, 0));
		/* With an event only the first one counts; without, it is asked to until further
		 * notice. */
		quick_assert(driver_ring_kick(&bench->ring) != bench->ring.event_idx);
		serve(bench);
		virtqueue_flush(&bench->vq);
		quick_assert(!virtqueue_enable_notify(&bench->vq));
		while (driver_ring_used(&bench->ring, &token, &len))
			;
	}
	queue_bench_close(bench);
}
END_TEST

/* Whether a flush of @count buffers wants an interrupt. */
static bool flush_some(struct queue_bench *bench, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		quick_assert(queue_add(bench, 1, 0, 0));
		queue_pop(bench);
		virtqueue_push(&bench->vq, &bench->chain, 0);
	}
	return virtqueue_flush(&bench->vq);
}

static void take_used(struct queue_bench *bench, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		queue_expect_used(bench, 0, 0);
	queue_expect_none(bench);
}

START_TEST(test_interrupts)
{
	struct queue_bench *bench = open_mode(_i);
	bool event_idx = bench->ring.event_idx;

	for (unsigned round = 0; round < 3 * SIZE; round++) {
		driver_ring_no_interrupts(&bench->ring);
		quick_assert(!flush_some(bench, 1));
		quick_assert(!flush_some(bench, 2));
		quick_assert(driver_ring_interrupts(&bench->ring, 0));
		quick_assert(!virtqueue_flush(&bench->vq));
		take_used(bench, 3);
		quick_assert(!driver_ring_interrupts(&bench->ring, 0));
		quick_assert(flush_some(bench, 2));
		take_used(bench, 2);

		/* The third from here, one by one, then together with others. */
		driver_ring_interrupts(&bench->ring, 2);
		quick_assert(flush_some(bench, 1) != event_idx);
		quick_assert(flush_some(bench, 1) != event_idx);
		quick_assert(flush_some(bench, 1));
		quick_assert(flush_some(bench, 1) != event_idx);
		take_used(bench, 4);
		driver_ring_interrupts(&bench->ring, 2);
		quick_assert(flush_some(bench, 2) != event_idx);
		quick_assert(flush_some(bench, 2));
		take_used(bench, 4);
	}
	queue_bench_close(bench);
}
END_TEST

START_TEST(test_unpop)
{
	struct queue_bench *bench = open_mode(_i);

	for (unsigned round = 0; round < 5 * SIZE; round++) {
		struct virtqueue before;
		uint16_t id;

		quick_assert(queue_add(bench, 1, 0, 1));
		quick_assert(queue_add(bench, 1, 2, 2));
		quick_assert(queue_add(bench, 0, 1, 3));
		queue_pop(bench);
		virtqueue_push(&bench->vq, &bench->chain, 0);
		before = bench->vq;
		queue_pop(bench);
		id = bench->chain.id;
		virtqueue_unpop(&bench->vq, &bench->chain);
		quick_assert(!memcmp(&before, &bench->vq, sizeof(before)));
		queue_pop(bench);
		quick_assert(bench->chain.id == id);
		quick_assert(bench->chain.in_size == 32);
		virtqueue_push(&bench->vq, &bench->chain, 5);
		queue_pop(bench);
		virtqueue_push(&bench->vq, &bench->chain, 6);
		virtqueue_flush(&bench->vq);
		queue_expect_used(bench, 1, 0);
		queue_expect_used(bench, 2, 5);
		queue_expect_used(bench, 3, 6);
	}
	queue_bench_close(bench);
}
END_TEST

/* To another queue of the same device, which goes on. */
static void move(struct queue_bench *bench)
{
	struct virtqueue copy = {.max = QUEUE_MAX};
	uint8_t *data;
	size_t size;

	ck_assert_int_eq(state_save(&virtqueue_state, &bench->vq, &data, &size), 0);
	ck_assert_int_eq(state_load(&virtqueue_state, &copy, data, size, NULL), 0);
	ck_assert_ptr_null(virtqueue_restore(&copy, &bench->mem, bench->features));
	copy.fault = bench->vq.fault;
	quick_assert(!memcmp(&copy, &bench->vq, sizeof(copy)));
	bench->vq = copy;
	free(data);
}

/* One each that was flushed, pushed, popped, and not even that. */
START_TEST(test_restore)
{
	struct queue_bench *bench = open_mode(_i);

	for (unsigned round = 0; round < 5 * SIZE; round++) {
		for (unsigned i = 0; i < 4; i++)
			quick_assert(queue_add(bench, i / 2, 1, i));
		queue_pop(bench);
		virtqueue_push(&bench->vq, &bench->chain, 1);
		virtqueue_flush(&bench->vq);
		queue_pop(bench);
		virtqueue_push(&bench->vq, &bench->chain, 2);
		queue_pop(bench);
		if (round % 2)
			virtqueue_disable_notify(&bench->vq);
		else
			virtqueue_enable_notify(&bench->vq);
		move(bench);
		virtqueue_push(&bench->vq, &bench->chain, 3);
		queue_expect_used(bench, 0, 1);
		queue_expect_none(bench);
		virtqueue_flush(&bench->vq);
		queue_expect_used(bench, 1, 2);
		queue_expect_used(bench, 2, 3);
		queue_pop(bench);
		virtqueue_push(&bench->vq, &bench->chain, 0);
		virtqueue_flush(&bench->vq);
		queue_expect_used(bench, 3, 0);
	}
	queue_bench_close(bench);
}
END_TEST

/* A queue that is not ready does nothing at all. */
START_TEST(test_not_ready)
{
	struct queue_bench *bench = open_mode(_i);
	struct virtqueue empty;

	quick_assert(queue_add(bench, 1, 0, 0));
	queue_pop(bench);
	virtqueue_reset(&bench->vq);
	memset(&empty, 0, sizeof(empty));
	empty.max = QUEUE_MAX;
	quick_assert(!memcmp(&empty, &bench->vq, sizeof(empty)));
	virtqueue_push(&bench->vq, &bench->chain, 0);
	virtqueue_unpop(&bench->vq, &bench->chain);
	quick_assert(!virtqueue_flush(&bench->vq));
	ck_assert_int_eq(virtqueue_pop(&bench->vq, &bench->chain), 0);
	quick_assert(virtqueue_empty(&bench->vq));
	virtqueue_disable_notify(&bench->vq);
	quick_assert(!virtqueue_enable_notify(&bench->vq));
	move(bench);
	queue_expect_none(bench);
	quick_assert(!memcmp(&empty, &bench->vq, sizeof(empty)));
	queue_bench_close(bench);
}
END_TEST

/* Indirect tables were negotiated, and only some of the buffers use them. */
START_TEST(test_mixed)
{
	struct queue_bench *bench = open_mode(_i | QUEUE_INDIRECT);

	for (unsigned round = 0; round < 5 * SIZE; round++) {
		for (unsigned i = 0; i < 4; i++) {
			bench->indirect = (round >> i) & 1;
			quick_assert(queue_add(bench, 1, i & 1, i));
		}
		for (unsigned i = 0; i < 4; i++) {
			queue_pop(bench);
			quick_assert(bench->chain.in_count == (i & 1));
			virtqueue_push(&bench->vq, &bench->chain, i & 1);
		}
		virtqueue_flush(&bench->vq);
		for (unsigned i = 0; i < 4; i++)
			queue_expect_used(bench, i, i & 1);
	}
	queue_bench_close(bench);
}
END_TEST

const char unit_name[] = "virtqueue";
const struct unit_case unit_cases[] = {
	UNIT_LOOP(test_round_trip, QUEUE_MODES),
	UNIT_LOOP(test_out_of_order, QUEUE_MODES),
	UNIT_LOOP(test_wrap, QUEUE_MODES),
	UNIT_LOOP(test_counter_wrap, QUEUE_MODES),
	UNIT_LOOP(test_notify, QUEUE_MODES),
	UNIT_LOOP(test_interrupts, QUEUE_MODES),
	UNIT_LOOP(test_unpop, QUEUE_MODES),
	UNIT_LOOP(test_restore, QUEUE_MODES),
	UNIT_LOOP(test_not_ready, QUEUE_MODES),
	UNIT_LOOP(test_mixed, QUEUE_INDIRECT),
	{0},
};
