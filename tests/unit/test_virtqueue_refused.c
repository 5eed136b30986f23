/* SPDX-License-Identifier: Apache-2.0 */
/* What a queue does to a driver that breaks the rules, and to saved state that cannot be. */
#include <linux/virtio_config.h>
#include <linux/virtio_ring.h>
#include <string.h>

#include "queue_bench.h"
#include "unit.h"
#include "virtio/virtqueue.h"

#define SIZE   4
#define PIECES 3 /* iov_max */
#define RAM    (3 * GIB)
#define END    (QUEUE_RAM_BASE + RAM)
#define TABLE  (QUEUE_DATA + 4 * KIB)

#define N VRING_DESC_F_NEXT
#define W VRING_DESC_F_WRITE
#define I VRING_DESC_F_INDIRECT

/* A descriptor of either ring; @next is for a split one. */
struct raw {
	gpa_t addr;
	uint32_t size;
	uint16_t flags;
	uint16_t next;
};

enum { SPLIT = 1, PACKED = 2, BOTH = SPLIT | PACKED };

#define GOOD       QUEUE_DATA, 16
#define REF(count) TABLE, (count)*16

/* A buffer at the start of the ring, perhaps with a table; NULL: it is not at fault. */
static const struct {
	const char *fault;
	unsigned kinds;
	struct raw ring[SIZE];
	struct raw table[SIZE];
	gpa_t table_at; /* 0: at TABLE */
} chain_rows[] = {
	{.kinds = BOTH, .ring = {{GOOD, 0, 0}}},
	{.kinds = BOTH, .ring = {{GOOD, N, 1}, {GOOD, N | W, 2}, {GOOD, W, 0}}},
	{.kinds = BOTH, .ring = {{0, 0, N, 1}, {GOOD, N, 2}, {1, 0, N, 3}, {UINT64_MAX, 0, 0, 0}}},
	{.kinds = BOTH, .ring = {{QUEUE_RAM_BASE, 1, N, 1}, {END - 1, 1, 0, 0}}},

	/* The chain. */
	{.fault = "a chain has more pieces than the device takes",
	 .kinds = SPLIT,
	 .ring = {{GOOD, N, 0}}},
	{.fault = "a chain is longer than the queue",
	 .kinds = SPLIT,
	 .ring = {{GOOD, N, 1}, {0, 0, N, 0}}},
	{.fault = "a chain is longer than the queue", .kinds = SPLIT, .ring = {{0, 0, N, 0}}},
	{.fault = "more descriptors are available than there can be",
	 .kinds = PACKED,
	 .ring = {{0, 0, N, 0}, {0, 0, N, 0}, {0, 0, N, 0}, {0, 0, N, 0}}},
	{.fault = "a descriptor's next is out of range", .kinds = SPLIT, .ring = {{GOOD, N, SIZE}}},
	{.fault = "a descriptor's next is out of range",
	 .kinds = SPLIT,
	 .ring = {{GOOD, N, 1}, {GOOD, N, 0xffff}}},
	{.fault = "a chain has more pieces than the device takes",
	 .kinds = BOTH,
	 .ring = {{GOOD, N, 1}, {GOOD, N, 2}, {GOOD, N, 3}, {GOOD, 0, 0}}},
	{.fault = "a chain has more pieces than the device takes",
	 .kinds = BOTH,
	 .ring = {{GOOD, N, 1}, {GOOD, N | W, 2}, {GOOD, N | W, 3}, {GOOD, W, 0}}},
	{.fault = "a readable piece stands behind a writable one",
	 .kinds = BOTH,
	 .ring = {{GOOD, N, 1}, {GOOD, N | W, 2}, {GOOD, 0, 0}}},
	{.fault = "a readable piece stands behind a writable one",
	 .kinds = BOTH,
	 .ring = {{GOOD, N, 1}, {0, 0, N | W, 2}, {0, 0, 0, 0}}},

	/* Its pieces. */
	{.fault = "a piece is not in RAM", .kinds = BOTH, .ring = {{QUEUE_RAM_BASE - 1, 1, 0, 0}}},
	{.fault = "a piece is not in RAM", .kinds = BOTH, .ring = {{QUEUE_RAM_BASE - 1, 2, W, 0}}},
	{.fault = "a piece is not in RAM", .kinds = BOTH, .ring = {{END, 1, 0, 0}}},
	{.fault = "a piece is not in RAM", .kinds = BOTH, .ring = {{END - 1, 2, 0, 0}}},
	{.fault = "a piece is not in RAM", .kinds = BOTH, .ring = {{QUEUE_DATA, UINT32_MAX, 0, 0}}},
	{.fault = "a piece is not in RAM", .kinds = BOTH, .ring = {{UINT64_MAX, 1, 0, 0}}},
	{.fault = "a piece is not in RAM",
	 .kinds = BOTH,
	 .ring = {{UINT64_MAX - 0xfff, UINT32_MAX, W, 0}}},
	{.fault = "a piece is not in RAM", .kinds = BOTH, .ring = {{GOOD, N, 1}, {0, 1, W, 0}}},
	{.kinds = BOTH,
	 .ring = {{QUEUE_RAM_BASE, 1U << 31, N, 1}, {QUEUE_RAM_BASE, INT32_MAX, W, 0}}},
	{.fault = "a chain has more than 2^32 - 1 bytes",
	 .kinds = BOTH,
	 .ring = {{QUEUE_RAM_BASE, 1U << 31, N, 1}, {QUEUE_RAM_BASE, 1U << 31, W, 0}}},
	{.fault = "a chain has more than 2^32 - 1 bytes",
	 .kinds = BOTH,
	 .ring = {{QUEUE_RAM_BASE, INT32_MAX, N | W, 1},
		  {QUEUE_RAM_BASE, INT32_MAX, N | W, 2},
		  {QUEUE_RAM_BASE, 2, W, 0}}},

	/* Indirect tables. */
	{.kinds = BOTH, .ring = {{REF(2), I, 0}}, .table = {{GOOD, N, 1}, {GOOD, W, 0}}},
	{.kinds = BOTH, .ring = {{REF(2), I | W, 0}}, .table = {{GOOD, N, 1}, {GOOD, 0, 0}}},
	{.kinds = BOTH,
	 .ring = {{REF(4), I, 0}},
	 .table = {{0, 0, N, 1}, {GOOD, N, 2}, {GOOD, N, 3}, {GOOD, 0, 0}}},
	{.kinds = BOTH,
	 .ring = {{TABLE + 3, 32, I, 0}},
	 .table = {{GOOD, N, 1}, {GOOD, W, 0}},
	 .table_at = TABLE + 3},
	{.kinds = PACKED, .ring = {{REF(2), I, 0}}, .table = {{GOOD, N, 99}, {GOOD, W, 99}}},
	{.kinds = SPLIT,
	 .ring = {{GOOD, N, 2}, {0}, {REF(3), I, 0}},
	 .table = {{GOOD, N, 2}, {0}, {GOOD, W, 0}}},
	{.kinds = SPLIT, .ring = {{REF(4), I, 0}}, .table = {{GOOD, W, 0}}},
	{.fault = "an indirect descriptor has a next one",
	 .kinds = BOTH,
	 .ring = {{REF(1), I | N, 1}},
	 .table = {{GOOD, 0, 0}}},
	{.fault = "an indirect descriptor is a next one",
	 .kinds = PACKED,
	 .ring = {{GOOD, N, 0}, {REF(1), I, 0}},
	 .table = {{GOOD, 0, 0}}},
	{.fault = "an indirect table refers to another",
	 .kinds = BOTH,
	 .ring = {{REF(1), I, 0}},
	 .table = {{REF(1), I, 0}}},
	{.fault = "an indirect table refers to another",
	 .kinds = BOTH,
	 .ring = {{REF(2), I, 0}},
	 .table = {{GOOD, N, 1}, {REF(1), I, 0}}},
	{.fault = "an indirect table's size is not that of descriptors",
	 .kinds = BOTH,
	 .ring = {{TABLE, 0, I, 0}}},
	{.fault = "an indirect table's size is not that of descriptors",
	 .kinds = BOTH,
	 .ring = {{TABLE, 8, I, 0}}},
	{.fault = "an indirect table's size is not that of descriptors",
	 .kinds = BOTH,
	 .ring = {{TABLE, 33, I, 0}}},
	{.fault = "an indirect table is longer than the queue",
	 .kinds = BOTH,
	 .ring = {{REF(5), I, 0}},
	 .table = {{GOOD, 0, 0}}},
	{.fault = "an indirect table is longer than the queue",
	 .kinds = BOTH,
	 .ring = {{TABLE, 0xfffffff0, I, 0}}},
	{.fault = "an indirect table is not in RAM", .kinds = BOTH, .ring = {{END - 16, 32, I, 0}}},
	{.fault = "an indirect table is not in RAM",
	 .kinds = BOTH,
	 .ring = {{QUEUE_RAM_BASE - 16, 32, I, 0}}},
	{.fault = "an indirect table is not in RAM",
	 .kinds = BOTH,
	 .ring = {{UINT64_MAX - 15, 32, I, 0}}},
	{.fault = "a descriptor's next is out of range",
	 .kinds = SPLIT,
	 .ring = {{REF(2), I, 0}},
	 .table = {{GOOD, N, 2}}},
	{.fault = "a chain is longer than the queue",
	 .kinds = SPLIT,
	 .ring = {{REF(2), I, 0}},
	 .table = {{0, 0, N, 1}, {0, 0, N, 0}}},
	{.fault = "a chain is longer than the queue",
	 .kinds = SPLIT,
	 .ring = {{0, 0, N, 1}, {0, 0, N, 2}, {REF(3), I, 0}},
	 .table = {{0, 0, N, 1}, {0, 0, N, 2}, {0, 0, 0, 0}}},
	{.fault = "a readable piece stands behind a writable one",
	 .kinds = BOTH,
	 .ring = {{REF(2), I, 0}},
	 .table = {{GOOD, N | W, 1}, {GOOD, 0, 0}}},
	{.fault = "a piece is not in RAM",
	 .kinds = BOTH,
	 .ring = {{REF(1), I, 0}},
	 .table = {{0, 1, 0, 0}}},
	{.fault = "a chain has more pieces than the device takes",
	 .kinds = BOTH,
	 .ring = {{REF(4), I, 0}},
	 .table = {{GOOD, N, 1}, {GOOD, N, 2}, {GOOD, N, 3}, {GOOD, 0, 0}}},
};

static struct queue_bench *open_small(bool packed, int more)
{
	struct queue_bench *bench = queue_bench_open((packed ? QUEUE_PACKED : 0) | more, SIZE, RAM);

	bench->chain.iov_max = PIECES;
	return bench;
}

static void write_split(const struct queue_bench *bench, gpa_t addr, const struct raw *raw)
{
	for (unsigned i = 0; i < SIZE; i++, addr += sizeof(struct vring_desc)) {
		const struct vring_desc desc = {.addr = raw[i].addr,
						.len = raw[i].size,
						.flags = raw[i].flags,
						.next = raw[i].next};

		memcpy(queue_at(bench, addr, sizeof(desc)), &desc, sizeof(desc));
	}
}

static void write_packed(const struct queue_bench *bench, gpa_t addr, const struct raw *raw,
			 uint16_t flags)
{
	for (unsigned i = 0; i < SIZE; i++, addr += sizeof(struct vring_packed_desc)) {
		const struct vring_packed_desc desc = {.addr = raw[i].addr,
						       .len = raw[i].size,
						       .id = (uint16_t)(1000 + i),
						       .flags = raw[i].flags | flags};

		memcpy(queue_at(bench, addr, sizeof(desc)), &desc, sizeof(desc));
	}
}

static void set_avail(const struct queue_bench *bench, uint16_t idx, uint16_t head)
{
	struct vring_avail *avail = queue_at(bench, bench->vq.driver, 6 + 2 * SIZE);

	for (unsigned i = 0; i < SIZE; i++)
		avail->ring[i] = head;
	avail->idx = idx;
}

/* The queue is at fault, and nothing comes out of it until it is enabled anew. */
static void expect_fault(struct queue_bench *bench, const char *fault)
{
	struct virtqueue before = bench->vq;

	for (unsigned i = 0; i < 2; i++) {
		ck_assert_int_eq(virtqueue_pop(&bench->vq, &bench->chain), -EPROTO);
		ck_assert_str_eq(bench->vq.fault, fault);
	}
	ck_assert(virtqueue_empty(&bench->vq));
	ck_assert(!virtqueue_enable_notify(&bench->vq));
	before.fault = bench->vq.fault;
	ck_assert(!memcmp(&before, &bench->vq, sizeof(before)));
	ck_assert_ptr_null(queue_bench_enable(bench));
	ck_assert_ptr_null(bench->vq.fault);
}

/* Both kinds of ring, one after the other. */
START_TEST(test_chain)
{
	bool packed = _i % 2;
	int row = _i / 2;
	struct queue_bench *bench;

	if (!(chain_rows[row].kinds & (packed ? PACKED : SPLIT)))
		return;
	bench = open_small(packed, QUEUE_INDIRECT);
	if (packed) {
		write_packed(bench, bench->vq.desc, chain_rows[row].ring,
			     1 << VRING_PACKED_DESC_F_AVAIL);
		write_packed(bench, chain_rows[row].table_at ? chain_rows[row].table_at : TABLE,
			     chain_rows[row].table, 0);
	} else {
		write_split(bench, bench->vq.desc, chain_rows[row].ring);
		write_split(bench, chain_rows[row].table_at ? chain_rows[row].table_at : TABLE,
			    chain_rows[row].table);
		set_avail(bench, 1, 0);
	}
	if (chain_rows[row].fault)
		expect_fault(bench, chain_rows[row].fault);
	else
		queue_pop(bench);
	queue_bench_close(bench);
}
END_TEST

START_TEST(test_indirect_not_negotiated)
{
	static const struct raw ring[SIZE] = {{TABLE, 16, I, 0}};
	struct queue_bench *bench = open_small(_i, 0);

	if (_i)
		write_packed(bench, bench->vq.desc, ring, 1 << VRING_PACKED_DESC_F_AVAIL);
	else
		write_split(bench, bench->vq.desc, ring);
	if (!_i)
		set_avail(bench, 1, 0);
	expect_fault(bench, "an indirect descriptor, which was not negotiated");
	queue_bench_close(bench);
}
END_TEST

#define TOO_FAR "the available index is too far ahead"
#define NO_HEAD "the head of a chain is out of range"

/* The available ring's index, and its elements; @popped and @pushed buffers came before. */
static const struct {
	uint16_t idx;
	uint16_t head;
	const char *fault;
	uint8_t popped;
	uint8_t pushed;
} idx_rows[] = {
	{0, 0, NULL, 0, 0},           {1, SIZE - 1, NULL, 0, 0},
	{1, SIZE, NO_HEAD, 0, 0},     {1, 0xffff, NO_HEAD, 0, 0},
	{SIZE, 0, NULL, 0, 0},        {SIZE + 1, 0, TOO_FAR, 0, 0},
	{0x8000, 0, TOO_FAR, 0, 0},   {0xffff, 0, TOO_FAR, 0, 0},
	{SIZE, 0, NULL, 1, 0},        {SIZE + 1, 0, TOO_FAR, 1, 0},
	{SIZE, 0, NULL, 4, 0},        {SIZE + 1, 0, TOO_FAR, 4, 0},
	{SIZE - 1, 0, TOO_FAR, 4, 0}, /* backwards */
	{SIZE + 1, 0, NULL, 4, 1},    {SIZE + 2, 0, TOO_FAR, 4, 1},
	{2 * SIZE, 0, NULL, 4, 4},    {2 * SIZE + 1, 0, TOO_FAR, 4, 4},
};

START_TEST(test_available_index)
{
	static const struct raw ring[SIZE] = {
		{GOOD, 0, 0}, {GOOD, 0, 0}, {GOOD, 0, 0}, {GOOD, 0, 0}};
	struct queue_bench *bench = open_small(false, 0);
	uint16_t left;

	write_split(bench, bench->vq.desc, ring);
	set_avail(bench, idx_rows[_i].popped, 0);
	for (unsigned i = 0; i < idx_rows[_i].popped; i++)
		queue_pop(bench);
	for (unsigned i = 0; i < idx_rows[_i].pushed; i++)
		virtqueue_push(&bench->vq, &bench->chain, 0);
	virtqueue_flush(&bench->vq);
	set_avail(bench, idx_rows[_i].idx, idx_rows[_i].head);
	if (idx_rows[_i].fault) {
		ck_assert(!virtqueue_empty(&bench->vq));
		ck_assert(virtqueue_enable_notify(&bench->vq));
		expect_fault(bench, idx_rows[_i].fault);
		queue_bench_close(bench);
		return;
	}
	left = (uint16_t)(idx_rows[_i].idx - idx_rows[_i].popped);
	for (uint16_t i = 0; i < left; i++)
		queue_pop(bench);
	ck_assert_int_eq(virtqueue_pop(&bench->vq, &bench->chain), 0);
	queue_bench_close(bench);
}
END_TEST

/* A driver that offers slots which it has not been given back: not even if they were pushed. */
START_TEST(test_more_than_there_are)
{
	struct raw ring[SIZE] = {{GOOD, 0, 0}, {GOOD, 0, 0}, {GOOD, 0, 0}, {GOOD, 0, 0}};
	struct queue_bench *bench = open_small(true, 0);

	write_packed(bench, bench->vq.desc, ring, 1 << VRING_PACKED_DESC_F_AVAIL);
	for (unsigned i = 0; i < SIZE; i++)
		queue_pop(bench);
	ck_assert_int_eq(virtqueue_pop(&bench->vq, &bench->chain), 0);
	virtqueue_push(&bench->vq, &bench->chain, 0);
	ck_assert_int_eq(virtqueue_pop(&bench->vq, &bench->chain), 0);
	write_packed(bench, bench->vq.desc, ring, 1 << VRING_PACKED_DESC_F_USED);
	if (_i == 0) {
		expect_fault(bench, "more descriptors are available than there can be");
		queue_bench_close(bench);
		return;
	}
	/* One was given back, so a chain of one slot is good, and of two is not. */
	ring[0].flags = _i == 1 ? 0 : N;
	virtqueue_flush(&bench->vq);
	write_packed(bench, bench->vq.desc, ring, 1 << VRING_PACKED_DESC_F_USED);
	if (_i == 1)
		queue_pop(bench);
	expect_fault(bench, "more descriptors are available than there can be");
	queue_bench_close(bench);
}
END_TEST

/* What was popped before a fault can be given back after it. */
START_TEST(test_push_after_fault)
{
	struct queue_bench *bench = open_small(_i, QUEUE_INDIRECT);
	const struct driver_piece bad = {0, 1};

	ck_assert(queue_add(bench, 0, 1, 5));
	ck_assert(driver_ring_add(&bench->ring, &bad, 1, 0, 6, false));
	queue_pop(bench);
	ck_assert_int_eq(virtqueue_pop(&bench->vq, &(struct virtq_chain){0}), -EPROTO);
	virtqueue_push(&bench->vq, &bench->chain, 7);
	ck_assert(virtqueue_flush(&bench->vq));
	queue_expect_used(bench, 5, 7);
	queue_bench_close(bench);
}
END_TEST

/* Set up anew: areas in pages of their own, some of them wrong. */
#define AT(page) (QUEUE_DATA + (page)*1024 * KIB)
#define AREAS    AT(1), AT(2), AT(3)

static const struct {
	const char *wrong;
	unsigned kinds;
	uint16_t size;
	uint16_t max;
	gpa_t desc;
	gpa_t driver;
	gpa_t device;
} enable_rows[] = {
	{NULL, BOTH, 256, 256, AREAS},
	{NULL, BOTH, 1, 256, AREAS},
	{NULL, BOTH, 32768, 32768, AREAS},
	{NULL, BOTH, 2, 256, AT(1), AT(1) + 32, AT(1) + 44},
	{"its size is 0", BOTH, 0, 256, AREAS},
	{"its size is more than the device's", BOTH, 512, 256, AREAS},
	{"its size is more than the device's", BOTH, 32769, 32768, AREAS},
	{"its size is not a power of two", SPLIT, 5, 256, AREAS},
	{"its size is not a power of two", SPLIT, 255, 256, AREAS},
	{NULL, PACKED, 5, 256, AREAS},
	{NULL, PACKED, 255, 256, AREAS},
	{"its descriptor area is not aligned", BOTH, 4, 256, AT(1) + 8, AT(2), AT(3)},
	{"its descriptor area is not aligned", BOTH, 4, 256, AT(1) + 1, AT(2), AT(3)},
	{"its driver area is not aligned", BOTH, 4, 256, AT(1), AT(2) + 1, AT(3)},
	{"its driver area is not aligned", PACKED, 4, 256, AT(1), AT(2) + 2, AT(3)},
	{NULL, SPLIT, 4, 256, AT(1) + 16, AT(2) + 2, AT(3) + 4},
	{NULL, PACKED, 4, 256, AT(1) + 16, AT(2) + 4, AT(3) + 4},
	{"its device area is not aligned", BOTH, 4, 256, AT(1), AT(2), AT(3) + 2},
	{"its descriptor area is not in RAM", BOTH, 4, 256, 0, AT(2), AT(3)},
	{"its descriptor area is not in RAM", BOTH, 4, 256, END - 48, AT(2), AT(3)},
	{NULL, BOTH, 4, 256, END - 64, AT(2), AT(3)},
	{"its driver area is not in RAM", BOTH, 4, 256, AT(1), END, AT(3)},
	{"its driver area is not in RAM", SPLIT, 4, 256, AT(1), END - 12, AT(3)},
	{NULL, SPLIT, 4, 256, AT(1), END - 14, AT(3)},
	{NULL, PACKED, 4, 256, AT(1), END - 4, AT(3)},
	{"its device area is not in RAM", BOTH, 4, 256, AT(1), AT(2), UINT64_MAX - 3},
	{"its device area is not in RAM", SPLIT, 4, 256, AT(1), AT(2), END - 36},
	{NULL, SPLIT, 4, 256, AT(1), AT(2), END - 40},
	{NULL, PACKED, 4, 256, AT(1), AT(2), END - 4},
};

START_TEST(test_enable)
{
	for (unsigned kind = SPLIT; kind <= PACKED; kind++) {
		struct queue_bench *bench = open_small(kind == PACKED, 0);
		struct virtqueue *vq = &bench->vq;
		const char *wrong;

		if (!(enable_rows[_i].kinds & kind)) {
			queue_bench_close(bench);
			continue;
		}
		vq->size = enable_rows[_i].size;
		vq->max = enable_rows[_i].max;
		vq->desc = enable_rows[_i].desc;
		vq->driver = enable_rows[_i].driver;
		vq->device = enable_rows[_i].device;
		wrong = virtqueue_enable(vq, &bench->mem, bench->features);
		ck_assert(vq->ready == !enable_rows[_i].wrong);
		if (enable_rows[_i].wrong)
			ck_assert_str_eq(wrong, enable_rows[_i].wrong);
		else
			ck_assert_ptr_null(wrong);
		ck_assert_int_eq(virtqueue_pop(vq, &bench->chain), 0);
		/* The settings stay, for the driver to read. */
		ck_assert_uint_eq(vq->size, enable_rows[_i].size);
		ck_assert_uint_eq(vq->max, enable_rows[_i].max);
		ck_assert_uint_eq(vq->device, enable_rows[_i].device);
		queue_bench_close(bench);
	}
}
END_TEST

#define NO_PLACE "the device is at a place that the queue does not have"
#define TOO_MANY "the device has more buffers than there are"

/* A queue of 4 slots that was saved where it cannot have been. */
static const struct {
	const char *wrong;
	unsigned kinds;
	struct virtqueue saved;
} restore_rows[] = {
	{NULL, SPLIT, {.size = 4, .avail = 3, .used = 2, .signaled = 0xffff}},
	{NULL, SPLIT, {.size = 4, .avail = 0x8003, .used = 0x8000, .signaled = 0x8000}},
	{TOO_MANY, SPLIT, {.size = 4, .avail = 5}},
	{TOO_MANY, SPLIT, {.size = 4, .avail = 5, .used = 4}},
	{TOO_MANY, SPLIT, {.size = 4, .avail = 1, .used = 2}},
	{TOO_MANY, SPLIT, {.size = 4, .avail = 1, .used = 1, .signaled = 2}},
	{NO_PLACE, SPLIT, {.size = 4, .avail_wrap = true}},
	{NO_PLACE, SPLIT, {.size = 4, .used_wrap = true}},
	{NO_PLACE, SPLIT, {.size = 4, .signaled_wrap = true}},
	{NULL, PACKED, {.size = 4}},
	{NULL, PACKED, {.size = 4, .avail_wrap = true}},
	{NULL, PACKED, {.size = 4, .avail = 2, .used = 3, .signaled = 2, .avail_wrap = true}},
	{TOO_MANY, PACKED, {.size = 4, .avail = 3, .used = 2, .signaled = 2, .avail_wrap = true}},
	{TOO_MANY, PACKED, {.size = 4, .avail = 2, .used = 3}},
	{TOO_MANY, PACKED, {.size = 4, .used_wrap = true}},
	{TOO_MANY, PACKED, {.size = 4, .signaled = 1}},
	{NO_PLACE, PACKED, {.size = 4, .avail = 4}},
	{NO_PLACE, PACKED, {.size = 4, .avail = 1, .used = 4, .signaled = 4}},
	{NO_PLACE, PACKED, {.size = 4, .avail = 1, .signaled = 0xffff}},
	{"its size is more than the device's", BOTH, {.size = 512}},
	{"its size is not a power of two", SPLIT, {.size = 3}},
	{"its descriptor area is not aligned", BOTH, {.size = 4, .desc = 1}},
	{"its driver area is not in RAM", BOTH, {.size = 4, .driver = 4}},
};

/* Saved as @saved, but for its areas, if they are not said. */
static uint8_t *save(const struct queue_bench *bench, const struct virtqueue *saved,
		     size_t *ret_size)
{
	struct virtqueue vq = *saved;
	uint8_t *data;

	vq.ready = true;
	vq.desc = saved->desc ? saved->desc : bench->vq.desc;
	vq.driver = saved->driver ? saved->driver : bench->vq.driver;
	vq.device = bench->vq.device;
	ck_assert_int_eq(state_save(&virtqueue_state, &vq, &data, ret_size), 0);
	return data;
}

START_TEST(test_restore)
{
	for (unsigned kind = SPLIT; kind <= PACKED; kind++) {
		struct queue_bench *bench = open_small(kind == PACKED, 0);
		struct virtqueue vq = {.max = QUEUE_MAX};
		const char *wrong;
		uint8_t *data;
		size_t size;

		if (!(restore_rows[_i].kinds & kind)) {
			queue_bench_close(bench);
			continue;
		}
		data = save(bench, &restore_rows[_i].saved, &size);
		ck_assert_int_eq(state_load(&virtqueue_state, &vq, data, size, NULL), 0);
		wrong = virtqueue_restore(&vq, &bench->mem, bench->features);
		ck_assert(vq.ready == !restore_rows[_i].wrong);
		if (restore_rows[_i].wrong)
			ck_assert_str_eq(wrong, restore_rows[_i].wrong);
		else
			ck_assert_ptr_null(wrong);
		free(data);
		queue_bench_close(bench);
	}
}
END_TEST

/* Ready with a size that no queue can have; not ready, a size is only what the driver wrote. */
START_TEST(test_validate)
{
	static const uint16_t sizes[] = {0, 32769, 0xffff};

	for (unsigned i = 0; i < ARRAY_SIZE(sizes); i++) {
		struct virtqueue saved = {.size = sizes[i], .ready = true};
		struct virtqueue vq = {.max = QUEUE_MAX};
		struct error err = {0};
		uint8_t *data;
		size_t size;

		ck_assert_int_eq(state_save(&virtqueue_state, &saved, &data, &size), 0);
		ck_assert_int_eq(state_load(&virtqueue_state, &vq, data, size, &err), -EINVAL);
		ck_assert_ptr_nonnull(strstr(err.text, "cannot be ready"));
		ck_assert_uint_eq(vq.size, 0);
		free(data);

		saved.ready = false;
		ck_assert_int_eq(state_save(&virtqueue_state, &saved, &data, &size), 0);
		ck_assert_int_eq(state_load(&virtqueue_state, &vq, data, size, &err), 0);
		ck_assert_ptr_null(virtqueue_restore(&vq, NULL, 0));
		ck_assert_uint_eq(vq.size, sizes[i]);
		free(data);
	}
}
END_TEST

const char unit_name[] = "virtqueue_refused";
const struct unit_case unit_cases[] = {
	UNIT_LOOP(test_chain, 2 * ARRAY_SIZE(chain_rows)),
	UNIT_LOOP(test_indirect_not_negotiated, 2),
	UNIT_LOOP(test_available_index, ARRAY_SIZE(idx_rows)),
	UNIT_LOOP(test_more_than_there_are, 3),
	UNIT_LOOP(test_push_after_fault, 2),
	UNIT_LOOP(test_enable, ARRAY_SIZE(enable_rows)),
	UNIT_LOOP(test_restore, ARRAY_SIZE(restore_rows)),
	UNIT_CASE(test_validate),
	{0},
};
