/* SPDX-License-Identifier: Apache-2.0 */
#include "virtio/virtio_blk.h"

#include <fcntl.h>
#include <linux/virtio_blk.h>
#include <stdio.h>
#include <string.h>

#include "backend/disk.h"
#include "mem_disk.h"
#include "unit.h"
#include "virtio_bench.h"

#define SIZE    (256 * KIB)
#define SECTORS (SIZE / 512)
#define QUEUES  2
#define NO_ROOM 0xff /* a status that no device writes */

struct blk_bench {
	struct virtio_bench bench; /* first */
	struct mem_disk *mem;
	struct disk *file; /* in place of @mem */
	unsigned held;     /* calls of the hook */
	int held_code;
};

static struct blk_bench *to_blk_bench(struct virtio_bench *bench)
{
	return (struct blk_bench *)bench;
}

/* What the next bench is to have; that of a test's own process. */
static enum virtio_blk_on_error on_error = VIRTIO_BLK_REPORT;
static bool read_only;
static const char *path; /* a real disk of this file */

static void held(void *data, struct virtio_device *virtio, int code)
{
	struct blk_bench *blk = data;

	ck_assert_ptr_eq(virtio, blk->bench.virtio);
	blk->held++;
	blk->held_code = code;
}

static struct disk *make_disk(struct blk_bench *blk)
{
	const struct disk_options options = {.path = path, .format = DISK_FORMAT_RAW};
	struct error err = {0};

	if (path) {
		ck_assert_msg(disk_open(&options, &blk->file, &err) == 0, "%s", err.text);
		return blk->file;
	}
	blk->mem = mem_disk_create(SIZE);
	blk->mem->disk.info.read_only = read_only;
	for (unsigned i = 0; i < SIZE; i++)
		blk->mem->bytes[i] = (uint8_t)(i % 251 + i / 512);
	return &blk->mem->disk;
}

static int create(struct virtio_bench *bench, struct virtio_device **ret)
{
	struct blk_bench *blk = to_blk_bench(bench);
	const struct virtio_blk_options options = {
		.name = "disk0",
		.mem = bench->mem,
		.loop = bench->loop,
		.disk = make_disk(blk),
		.serial = "a serial of 20 chars",
		.queues = QUEUES,
		.on_error = on_error,
		.held = held,
		.data = blk,
	};

	return virtio_blk_create(&options, ret);
}

static void finish(struct virtio_bench *bench)
{
	disk_destroy(path ? to_blk_bench(bench)->file : &to_blk_bench(bench)->mem->disk);
}

/* The disk's thread, and now and then trouble for it. */
static void work(struct virtio_bench *bench)
{
	struct mem_disk *mem = to_blk_bench(bench)->mem;

	if (virtio_bench_random(bench, 8) == 0)
		mem->fail = virtio_bench_random(bench, 2) ? EIO : 0;
	mem_disk_run(mem, virtio_bench_random(bench, 4));
}

/* And another size. */
static void disturb(struct virtio_bench *bench)
{
	struct mem_disk *mem = to_blk_bench(bench)->mem;

	work(bench);
	if (virtio_bench_random(bench, 8) == 0) {
		mem->refresh_size = virtio_bench_random(bench, SECTORS) * 512;
		device_lock(&bench->virtio->device);
		virtio_blk_resize(bench->virtio);
		device_unlock(&bench->virtio->device);
	}
}

static void calm(struct virtio_bench *bench)
{
	struct blk_bench *blk = to_blk_bench(bench);

	blk->mem->fail = 0;
	blk->mem->refresh_size = SIZE;
	device_lock(&bench->virtio->device);
	virtio_blk_resize(bench->virtio);
	device_unlock(&bench->virtio->device);
}

static const struct virtio_kind kind = {
	.bench_size = sizeof(struct blk_bench),
	.create = create,
	.finish = finish,
	.disturb = disturb,
	.calm = calm,
};

/* The size is the host's, and so in no saved state. */
static const struct virtio_kind steady_kind = {
	.bench_size = sizeof(struct blk_bench),
	.create = create,
	.finish = finish,
	.disturb = work,
};

static struct blk_bench *open_driven(void)
{
	struct virtio_bench *bench = virtio_bench_open(&steady_kind);

	virtio_bench_drive(bench, UINT64_MAX);
	return to_blk_bench(bench);
}

/* ---- Requests ------------------------------------------------------------- */

/* One of them in the guest's memory: header, data in two pieces, status. */
struct call {
	gpa_t data;
	gpa_t status;
	uint32_t size;
	unsigned queue;
};

static bool is_out(uint32_t type)
{
	return type == VIRTIO_BLK_T_OUT || type == VIRTIO_BLK_T_DISCARD ||
	       type == VIRTIO_BLK_T_WRITE_ZEROES;
}

static struct call ask(struct blk_bench *blk, uint32_t type, uint64_t sector, const void *out,
		       uint32_t size)
{
	struct virtio_bench *bench = &blk->bench;
	const struct virtio_blk_outhdr header = {.type = type, .sector = sector};
	gpa_t at = virtio_bench_alloc(bench, sizeof(header) + size + 1, 8);
	struct call call = {
		.data = at + sizeof(header), .status = at + sizeof(header) + size, .size = size};
	/* The header's piece has the first of the data, and the status follows the last. */
	uint32_t first = size / 3;
	struct driver_piece pieces[] = {
		{at, sizeof(header)},
		{call.data, first},
		{call.data + first, size - first},
		{call.status, 1},
	};

	memcpy(virtio_bench_ram(bench, at, sizeof(header)), &header, sizeof(header));
	if (out)
		memcpy(virtio_bench_ram(bench, call.data, size), out, size);
	*(uint8_t *)virtio_bench_ram(bench, call.status, 1) = NO_ROOM;
	call.queue = size % QUEUES;
	ck_assert(virtio_bench_add(bench, call.queue, pieces, is_out(type) ? 3 : 1,
				   is_out(type) ? 1 : 3, call.status));
	virtio_bench_kick(bench, call.queue);
	return call;
}

static uint8_t status_of(struct blk_bench *blk, const struct call *call)
{
	return *(uint8_t *)virtio_bench_ram(&blk->bench, call->status, 1);
}

/* The device gives @call back next, with @length bytes written. */
static void expect_answer(struct blk_bench *blk, const struct call *call, uint8_t status,
			  uint32_t length)
{
	uint64_t token;
	uint32_t written;

	ck_assert(virtio_bench_used(&blk->bench, call->queue, &token, &written));
	ck_assert_uint_eq(token, call->status);
	ck_assert_uint_eq(status_of(blk, call), status);
	ck_assert_uint_eq(written, length);
}

static void run(struct blk_bench *blk)
{
	mem_disk_run(blk->mem, UINT32_MAX);
	virtio_bench_run(&blk->bench);
}

/* Ask, and wait for the answer: the status. */
static uint8_t do_call(struct blk_bench *blk, uint32_t type, uint64_t sector, const void *out,
		       uint32_t size, struct call *ret)
{
	struct call call = ask(blk, type, sector, out, size);
	bool data = type == VIRTIO_BLK_T_IN || type == VIRTIO_BLK_T_GET_ID;
	uint8_t status;

	run(blk);
	status = status_of(blk, &call);
	if (type == VIRTIO_BLK_T_GET_ID && size > VIRTIO_BLK_ID_BYTES)
		size = VIRTIO_BLK_ID_BYTES;
	expect_answer(blk, &call, status, 1 + (data && status == VIRTIO_BLK_S_OK ? size : 0));
	if (ret)
		*ret = call;
	return status;
}

static const void *data_of(struct blk_bench *blk, const struct call *call)
{
	return virtio_bench_ram(&blk->bench, call->data, call->size);
}

/* ---- What it does ---------------------------------------------------------- */

START_TEST(test_config)
{
	struct virtio_bench *bench = virtio_bench_open(&kind);
	struct virtio_blk_config config;
	uint64_t offered = virtio_bench_offered(bench);

	for (unsigned i = 0; i < sizeof(config); i++)
		((uint8_t *)&config)[i] =
			(uint8_t)virtio_bench_read(bench, VIRTIO_MMIO_CONFIG + i, 1);
	ck_assert_uint_eq(virtio_bench_get(bench, VIRTIO_MMIO_DEVICE_ID), VIRTIO_ID_BLOCK);
	ck_assert_uint_eq(config.capacity, SECTORS);
	ck_assert_uint_eq(config.blk_size, 512);
	ck_assert_uint_eq(config.physical_block_exp, 3);
	ck_assert_uint_eq(config.num_queues, QUEUES);
	ck_assert_uint_eq(config.discard_sector_alignment, 8);
	ck_assert(offered & BIT(VIRTIO_BLK_F_FLUSH) && offered & BIT(VIRTIO_BLK_F_MQ));
	ck_assert(offered & BIT(VIRTIO_BLK_F_DISCARD) && offered & BIT(VIRTIO_BLK_F_WRITE_ZEROES));
	ck_assert(!(offered & BIT(VIRTIO_BLK_F_RO)));
	virtio_bench_close(bench);
}
END_TEST

START_TEST(test_read_and_write)
{
	static const struct disk_counters wanted[] = {{1, 1, 2048}, {1, 0, 1536}, {1, 0, 0}};
	struct blk_bench *blk = open_driven();
	uint8_t data[1536];
	struct call call;

	ck_assert_uint_eq(do_call(blk, VIRTIO_BLK_T_IN, 3, NULL, 2048, &call), VIRTIO_BLK_S_OK);
	ck_assert_mem_eq(data_of(blk, &call), blk->mem->bytes + 3 * 512, 2048);
	memset(data, 0x5a, sizeof(data));
	ck_assert_uint_eq(do_call(blk, VIRTIO_BLK_T_OUT, SECTORS - 3, data, sizeof(data), NULL),
			  VIRTIO_BLK_S_OK);
	ck_assert_mem_eq(blk->mem->bytes + SIZE - sizeof(data), data, sizeof(data));
	ck_assert_uint_ne(blk->mem->bytes[SIZE - sizeof(data) - 1], 0x5a);
	ck_assert_uint_eq(do_call(blk, VIRTIO_BLK_T_FLUSH, 0, NULL, 0, NULL), VIRTIO_BLK_S_OK);
	ck_assert_uint_eq(blk->mem->flushes, 1);
	blk->mem->fail = EIO;
	do_call(blk, VIRTIO_BLK_T_IN, 0, NULL, 512, NULL);
	ck_assert_mem_eq(blk->mem->disk.counters, wanted, sizeof(wanted));
	virtio_bench_close(&blk->bench);
}
END_TEST

static const struct {
	uint32_t type;
	uint64_t sector;
	uint32_t size;
	uint8_t status;
} refusals[] = {
	{VIRTIO_BLK_T_IN, SECTORS - 1, 512, VIRTIO_BLK_S_OK},
	{VIRTIO_BLK_T_IN, SECTORS - 1, 1024, VIRTIO_BLK_S_IOERR},
	{VIRTIO_BLK_T_IN, SECTORS, 512, VIRTIO_BLK_S_IOERR},
	{VIRTIO_BLK_T_IN, UINT64_MAX / 512 + 1, 512, VIRTIO_BLK_S_IOERR}, /* as bytes it wraps */
	{VIRTIO_BLK_T_IN, UINT64_MAX, 512, VIRTIO_BLK_S_IOERR},
	{VIRTIO_BLK_T_IN, 0, 500, VIRTIO_BLK_S_IOERR}, /* no whole block */
	{VIRTIO_BLK_T_OUT, SECTORS, 512, VIRTIO_BLK_S_IOERR},
	{VIRTIO_BLK_T_OUT, 0, 513, VIRTIO_BLK_S_IOERR},
	{VIRTIO_BLK_T_GET_ID, 0, 20, VIRTIO_BLK_S_OK},
	{VIRTIO_BLK_T_GET_ID, 0, 4, VIRTIO_BLK_S_OK},
	{VIRTIO_BLK_T_GET_ID, 0, 40, VIRTIO_BLK_S_OK},
	{VIRTIO_BLK_T_SCSI_CMD, 0, 512, VIRTIO_BLK_S_UNSUPP},
	{99, 0, 512, VIRTIO_BLK_S_UNSUPP},
	/* No range at all. */
	{VIRTIO_BLK_T_DISCARD, 0, 15, VIRTIO_BLK_S_IOERR},
	{VIRTIO_BLK_T_DISCARD, 0, 32, VIRTIO_BLK_S_IOERR},
};

START_TEST(test_refusals)
{
	struct blk_bench *blk = open_driven();
	struct call call;

	ck_assert_uint_eq(do_call(blk, refusals[_i].type, refusals[_i].sector, NULL,
				  refusals[_i].size, &call),
			  refusals[_i].status);
	if (refusals[_i].type == VIRTIO_BLK_T_GET_ID)
		ck_assert(strncmp(data_of(blk, &call), "a serial of 20 chars",
				  min_u64(call.size, 20)) == 0);
	/* It goes on. */
	ck_assert_uint_eq(do_call(blk, VIRTIO_BLK_T_IN, 0, NULL, 512, NULL), VIRTIO_BLK_S_OK);
	virtio_bench_close(&blk->bench);
}
END_TEST

static const struct {
	uint32_t type;
	struct virtio_blk_discard_write_zeroes range;
	uint8_t status;
} ranges[] = {
	{VIRTIO_BLK_T_DISCARD, {8, 16, 0}, VIRTIO_BLK_S_OK},
	{VIRTIO_BLK_T_DISCARD, {8, 16, VIRTIO_BLK_WRITE_ZEROES_FLAG_UNMAP}, VIRTIO_BLK_S_UNSUPP},
	{VIRTIO_BLK_T_WRITE_ZEROES, {8, 16, 0}, VIRTIO_BLK_S_OK},
	{VIRTIO_BLK_T_WRITE_ZEROES, {8, 16, VIRTIO_BLK_WRITE_ZEROES_FLAG_UNMAP}, VIRTIO_BLK_S_OK},
	{VIRTIO_BLK_T_WRITE_ZEROES, {8, 16, 2}, VIRTIO_BLK_S_UNSUPP},
	{VIRTIO_BLK_T_WRITE_ZEROES, {SECTORS - 15, 16, 0}, VIRTIO_BLK_S_IOERR},
	{VIRTIO_BLK_T_WRITE_ZEROES, {UINT64_MAX, 16, 0}, VIRTIO_BLK_S_IOERR},
	{VIRTIO_BLK_T_DISCARD, {0, UINT32_MAX, 0}, VIRTIO_BLK_S_IOERR},
};

START_TEST(test_ranges)
{
	static const uint8_t zeroes[16 * 512];
	struct blk_bench *blk = open_driven();
	const uint8_t *at = blk->mem->bytes + 8 * 512;

	ck_assert_uint_eq(
		do_call(blk, ranges[_i].type, 0, &ranges[_i].range, sizeof(ranges[_i].range), NULL),
		ranges[_i].status);
	ck_assert_int_eq(memcmp(at, zeroes, sizeof(zeroes)) == 0,
			 ranges[_i].status == VIRTIO_BLK_S_OK);
	ck_assert_uint_ne(at[-1], 0);
	ck_assert_uint_ne(at[sizeof(zeroes)], 0);
	virtio_bench_close(&blk->bench);
}
END_TEST

/* What the driver has not accepted is not there (5.2.6.2). */
START_TEST(test_not_negotiated)
{
	struct virtio_bench *bench = virtio_bench_open(&steady_kind);
	const struct virtio_blk_discard_write_zeroes range = {.num_sectors = 8};
	struct blk_bench *blk = to_blk_bench(bench);

	virtio_bench_drive(bench, 0);
	ck_assert_uint_eq(do_call(blk, VIRTIO_BLK_T_DISCARD, 0, &range, sizeof(range), NULL),
			  VIRTIO_BLK_S_UNSUPP);
	ck_assert_uint_eq(do_call(blk, VIRTIO_BLK_T_WRITE_ZEROES, 0, &range, sizeof(range), NULL),
			  VIRTIO_BLK_S_UNSUPP);
	virtio_bench_close(bench);
}
END_TEST

START_TEST(test_read_only)
{
	uint8_t data[512] = {0};
	struct blk_bench *blk;

	read_only = true;
	blk = open_driven();
	ck_assert(blk->bench.features & BIT(VIRTIO_BLK_F_RO));
	ck_assert(!(blk->bench.features & BIT(VIRTIO_BLK_F_DISCARD)));
	ck_assert(!(blk->bench.features & BIT(VIRTIO_BLK_F_WRITE_ZEROES)));
	ck_assert_uint_eq(do_call(blk, VIRTIO_BLK_T_OUT, 0, data, sizeof(data), NULL),
			  VIRTIO_BLK_S_IOERR);
	ck_assert_uint_ne(blk->mem->bytes[1], 0);
	ck_assert_uint_eq(do_call(blk, VIRTIO_BLK_T_IN, 0, NULL, 512, NULL), VIRTIO_BLK_S_OK);
	virtio_bench_close(&blk->bench);
}
END_TEST

/* Several at once are answered together, and with one interrupt. */
START_TEST(test_many)
{
	struct blk_bench *blk = open_driven();
	struct call calls[3];

	for (unsigned i = 0; i < ARRAY_SIZE(calls); i++)
		calls[i] = ask(blk, VIRTIO_BLK_T_IN, 10 * i, NULL, 512);
	virtio_bench_interrupts(&blk->bench);
	mem_disk_run(blk->mem, 0);
	ck_assert_uint_eq(virtio_bench_interrupts(&blk->bench), 0);
	mem_disk_run(blk->mem, 3);
	ck_assert_uint_eq(virtio_bench_interrupts(&blk->bench), 1);
	for (unsigned i = 0; i < ARRAY_SIZE(calls); i++) {
		expect_answer(blk, &calls[i], VIRTIO_BLK_S_OK, 513);
		ck_assert_mem_eq(data_of(blk, &calls[i]), blk->mem->bytes + 5120 * i, 512);
	}
	virtio_bench_close(&blk->bench);
}
END_TEST

/* A chain that is no request breaks the device, and the next reset mends it. */
START_TEST(test_no_request)
{
	static const struct {
		uint32_t out, in;
	} shapes[] = {{15, 1}, {16, 0}, {0, 512}};

	for (unsigned i = 0; i < ARRAY_SIZE(shapes); i++) {
		struct blk_bench *blk = open_driven();
		struct virtio_bench *bench = &blk->bench;
		gpa_t at = virtio_bench_alloc(bench, 1024, 16);
		struct driver_piece pieces[] = {{at, shapes[i].out}, {at + 512, shapes[i].in}};
		bool out = shapes[i].out, in = shapes[i].in;

		ck_assert(virtio_bench_add(bench, 0, pieces + !out, out, in, 1));
		virtio_bench_kick(bench, 0);
		run(blk);
		ck_assert(virtio_bench_get(bench, VIRTIO_MMIO_STATUS) &
			  VIRTIO_CONFIG_S_NEEDS_RESET);
		virtio_bench_drive(bench, UINT64_MAX);
		ck_assert_uint_eq(do_call(blk, VIRTIO_BLK_T_IN, 0, NULL, 512, NULL),
				  VIRTIO_BLK_S_OK);
		virtio_bench_close(bench);
	}
}
END_TEST

/* The driver hears of another size, and what is beyond it is refused. */
START_TEST(test_resize)
{
	struct blk_bench *blk = open_driven();
	struct virtio_bench *bench = &blk->bench;
	uint32_t generation = virtio_bench_get(bench, VIRTIO_MMIO_CONFIG_GENERATION);

	virtio_bench_interrupts(bench);
	blk->mem->refresh_size = SIZE / 2;
	device_lock(&bench->virtio->device);
	ck_assert_int_eq(virtio_blk_resize(bench->virtio), 0);
	ck_assert_int_eq(virtio_blk_resize(bench->virtio), 0);
	device_unlock(&bench->virtio->device);
	ck_assert_uint_eq(virtio_bench_get(bench, VIRTIO_MMIO_CONFIG_GENERATION), generation + 1);
	ck_assert_uint_eq(virtio_bench_interrupts(bench), 1);
	ck_assert_uint_eq(virtio_bench_get(bench, VIRTIO_MMIO_INTERRUPT_STATUS), 3);
	ck_assert_uint_eq(virtio_bench_get(bench, VIRTIO_MMIO_CONFIG), SECTORS / 2);
	ck_assert_uint_eq(do_call(blk, VIRTIO_BLK_T_IN, SECTORS / 2, NULL, 512, NULL),
			  VIRTIO_BLK_S_IOERR);
	virtio_bench_close(bench);
}
END_TEST

/* A disk whose thread cannot be started breaks the device, which says so. */
START_TEST(test_no_start)
{
	struct virtio_bench *bench = virtio_bench_open(&steady_kind);

	to_blk_bench(bench)->mem->cannot_start = true;
	virtio_bench_negotiate(bench, UINT64_MAX);
	virtio_bench_queue(bench, 0, 4);
	virtio_bench_set(bench, VIRTIO_MMIO_STATUS, 15);
	ck_assert(virtio_bench_get(bench, VIRTIO_MMIO_STATUS) & VIRTIO_CONFIG_S_NEEDS_RESET);
	virtio_bench_close(bench);
}
END_TEST

/* ---- Errors of the host ----------------------------------------------------- */

START_TEST(test_error_reported)
{
	struct blk_bench *blk = open_driven();
	struct call call;

	blk->mem->fail = EIO;
	ck_assert_uint_eq(do_call(blk, VIRTIO_BLK_T_IN, 0, NULL, 512, &call), VIRTIO_BLK_S_IOERR);
	ck_assert_uint_eq(do_call(blk, VIRTIO_BLK_T_FLUSH, 0, NULL, 0, NULL), VIRTIO_BLK_S_IOERR);
	blk->mem->fail = 0;
	ck_assert_uint_eq(do_call(blk, VIRTIO_BLK_T_IN, 0, NULL, 512, NULL), VIRTIO_BLK_S_OK);
	ck_assert_uint_eq(blk->held, 0);
	virtio_bench_close(&blk->bench);
}
END_TEST

static void set_paused(struct blk_bench *blk, bool on)
{
	device_lock(&blk->bench.virtio->device);
	if (on)
		virtio_device_pause(blk->bench.virtio);
	else
		virtio_device_resume(blk->bench.virtio);
	device_unlock(&blk->bench.virtio->device);
}

/* The owner is told once a start, and the guest of nothing but the success. */
START_TEST(test_held)
{
	struct call calls[3];
	struct blk_bench *blk;

	on_error = VIRTIO_BLK_HOLD;
	blk = open_driven();
	blk->mem->fail = ENOSPC;
	/* Not a flush whose data is lost: the next would succeed. */
	blk->mem->loses = true;
	ck_assert_uint_eq(do_call(blk, VIRTIO_BLK_T_FLUSH, 0, NULL, 0, NULL), VIRTIO_BLK_S_IOERR);
	ck_assert_uint_eq(blk->held, 0);
	for (unsigned i = 0; i < ARRAY_SIZE(calls); i++)
		calls[i] = ask(blk, VIRTIO_BLK_T_IN, 100 + i, NULL, 512 * (i + 1));
	run(blk);
	ck_assert_uint_eq(blk->held, 1);
	ck_assert_int_eq(blk->held_code, ENOSPC);
	for (unsigned i = 0; i < ARRAY_SIZE(calls); i++)
		ck_assert_uint_eq(status_of(blk, &calls[i]), NO_ROOM);
	/* It is no better yet. */
	set_paused(blk, true);
	set_paused(blk, false);
	run(blk);
	ck_assert_uint_eq(blk->held, 2);
	set_paused(blk, true);
	blk->mem->fail = 0;
	set_paused(blk, false);
	run(blk);
	for (unsigned i = 0; i < ARRAY_SIZE(calls); i++) {
		ck_assert_uint_eq(status_of(blk, &calls[i]), VIRTIO_BLK_S_OK);
		ck_assert_mem_eq(data_of(blk, &calls[i]), blk->mem->bytes + 512 * (100 + i),
				 512 * (i + 1));
	}
	ck_assert_uint_eq(blk->held, 2);
	virtio_bench_close(&blk->bench);
}
END_TEST

/* Only what is for lack of space; and a reset by the driver forgets what is held. */
START_TEST(test_held_no_space)
{
	struct blk_bench *blk;
	struct call call;

	on_error = VIRTIO_BLK_HOLD_NO_SPACE;
	blk = open_driven();
	blk->mem->fail = EIO;
	ck_assert_uint_eq(do_call(blk, VIRTIO_BLK_T_IN, 0, NULL, 512, NULL), VIRTIO_BLK_S_IOERR);
	blk->mem->fail = EDQUOT;
	call = ask(blk, VIRTIO_BLK_T_IN, 0, NULL, 512);
	run(blk);
	ck_assert_uint_eq(blk->held, 1);
	ck_assert_uint_eq(status_of(blk, &call), NO_ROOM);
	blk->mem->fail = 0;
	virtio_bench_drive(&blk->bench, UINT64_MAX);
	run(blk);
	ck_assert(!virtio_bench_used(&blk->bench, 0, &(uint64_t){0}, &(uint32_t){0}));
	ck_assert_uint_eq(do_call(blk, VIRTIO_BLK_T_IN, 0, NULL, 512, NULL), VIRTIO_BLK_S_OK);
	virtio_bench_close(&blk->bench);
}
END_TEST

/* ---- In front of a real disk ------------------------------------------------ */

/* Reads and writes by its own thread, around pauses. */
START_TEST(test_file)
{
	char name[] = "/var/tmp/armlet-blk-XXXXXX";
	int fd = mkstemp(name);
	struct blk_bench *blk;

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(ftruncate(fd, SIZE), 0);
	path = name;
	blk = open_driven();
	for (unsigned i = 0; i < 200; i++) {
		uint8_t data[1024];
		struct call call;
		uint64_t token;
		uint32_t length;

		memset(data, (int)i, sizeof(data));
		call = ask(blk, VIRTIO_BLK_T_OUT, i, data, sizeof(data));
		ck_assert(virtio_bench_wait(&blk->bench, call.queue, &token, &length));
		ck_assert_uint_eq(status_of(blk, &call), VIRTIO_BLK_S_OK);
		set_paused(blk, true);
		set_paused(blk, false);
		call = ask(blk, VIRTIO_BLK_T_IN, i, NULL, sizeof(data));
		ck_assert(virtio_bench_wait(&blk->bench, call.queue, &token, &length));
		ck_assert_mem_eq(data_of(blk, &call), data, sizeof(data));
		ck_assert_int_eq(pread(fd, data, 1, 512 * i), 1);
		ck_assert_uint_eq(data[0], (uint8_t)i);
	}
	virtio_bench_close(&blk->bench);
	close(fd);
	unlink(name);
}
END_TEST

/* ---- What every device is --------------------------------------------------- */

START_TEST(test_random)
{
	on_error = _i % 2 ? VIRTIO_BLK_HOLD : VIRTIO_BLK_REPORT;
	virtio_check_random(&kind, (uint64_t)_i + 1, 3000);
}
END_TEST

START_TEST(test_save)
{
	virtio_check_save(&steady_kind, (uint64_t)_i + 1);
}
END_TEST

START_TEST(test_reset)
{
	on_error = _i % 2 ? VIRTIO_BLK_HOLD : VIRTIO_BLK_REPORT;
	virtio_check_reset(&kind, (uint64_t)_i + 1);
}
END_TEST

START_TEST(test_hostile_state)
{
	virtio_check_hostile_state(&kind, (uint64_t)_i + 1);
}
END_TEST

const char unit_name[] = "virtio_blk";
const struct unit_case unit_cases[] = {
	UNIT_CASE(test_config),
	UNIT_CASE(test_read_and_write),
	UNIT_LOOP(test_refusals, ARRAY_SIZE(refusals)),
	UNIT_LOOP(test_ranges, ARRAY_SIZE(ranges)),
	UNIT_CASE(test_not_negotiated),
	UNIT_CASE(test_read_only),
	UNIT_CASE(test_many),
	UNIT_CASE(test_no_request),
	UNIT_CASE(test_resize),
	UNIT_CASE(test_no_start),
	UNIT_CASE(test_error_reported),
	UNIT_CASE(test_held),
	UNIT_CASE(test_held_no_space),
	UNIT_CASE(test_file),
	UNIT_LOOP(test_random, 6),
	UNIT_LOOP(test_save, 10),
	UNIT_LOOP(test_reset, 10),
	UNIT_LOOP(test_hostile_state, 2),
	{0},
};
