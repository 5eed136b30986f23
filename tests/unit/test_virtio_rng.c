/* SPDX-License-Identifier: Apache-2.0 */
#include "virtio/virtio_rng.h"

#include <string.h>

#include "unit.h"
#include "virtio_bench.h"

static int create(struct virtio_bench *bench, struct virtio_device **ret)
{
	const struct virtio_rng_options options = {
		.name = "rng0",
		.mem = bench->mem,
		.loop = bench->loop,
	};

	return virtio_rng_create(&options, ret);
}

static const struct virtio_kind kind = {
	.bench_size = sizeof(struct virtio_bench),
	.create = create,
};

/* Bytes that differ from zero; random ones are, but for one in 256. */
static unsigned count_set(struct virtio_bench *bench, gpa_t addr, uint32_t size)
{
	const uint8_t *at = virtio_bench_ram(bench, addr, size);
	unsigned count = 0;

	for (uint32_t i = 0; i < size; i++)
		count += at[i] != 0;
	return count;
}

START_TEST(test_fills)
{
	struct virtio_bench *bench = virtio_bench_open(&kind);
	uint64_t token;
	uint32_t length;
	gpa_t room;

	ck_assert_uint_eq(virtio_bench_get(bench, VIRTIO_MMIO_DEVICE_ID), VIRTIO_ID_RNG);
	virtio_bench_drive(bench, UINT64_MAX);
	room = virtio_bench_room(bench, 0, 1000, 1);
	virtio_bench_kick(bench, 0);
	virtio_bench_run(bench);
	ck_assert(virtio_bench_used(bench, 0, &token, &length));
	ck_assert_uint_eq(length, 1000);
	ck_assert_uint_gt(count_set(bench, room, 1000), 900);
	ck_assert_uint_eq(virtio_bench_interrupts(bench), 1);
	virtio_bench_close(bench);
}
END_TEST

/* More than it gives at once, in pieces; bytes to be read are none of its business. */
START_TEST(test_limit)
{
	struct virtio_bench *bench = virtio_bench_open(&kind);
	struct driver_piece pieces[4];
	uint64_t token;
	uint32_t length;

	virtio_bench_drive(bench, UINT64_MAX);
	for (unsigned i = 0; i < ARRAY_SIZE(pieces); i++)
		pieces[i] = (struct driver_piece){virtio_bench_alloc(bench, 40 * KIB, 1), 40 * KIB};
	ck_assert(virtio_bench_add(bench, 0, pieces, 1, 3, 1));
	ck_assert(virtio_bench_add(bench, 0, pieces, 1, 0, 2));
	virtio_bench_kick(bench, 0);
	virtio_bench_run(bench);
	ck_assert(virtio_bench_used(bench, 0, &token, &length));
	ck_assert_uint_eq(token, 1);
	ck_assert_uint_eq(length, 64 * KIB);
	ck_assert_uint_eq(count_set(bench, pieces[0].addr, 40 * KIB), 0);
	ck_assert_uint_gt(count_set(bench, pieces[2].addr, 24 * KIB), 20 * KIB);
	ck_assert_uint_eq(count_set(bench, pieces[2].addr + 24 * KIB, 16 * KIB), 0);
	ck_assert(virtio_bench_used(bench, 0, &token, &length));
	ck_assert_uint_eq(token, 2);
	ck_assert_uint_eq(length, 0);
	virtio_bench_close(bench);
}
END_TEST

START_TEST(test_random)
{
	virtio_check_random(&kind, (uint64_t)_i + 1, 1000);
}
END_TEST

/* What is random is not saved, so the twin's work differs, but not its state. */
START_TEST(test_save)
{
	virtio_check_save(&kind, (uint64_t)_i + 1);
}
END_TEST

START_TEST(test_reset)
{
	virtio_check_reset(&kind, (uint64_t)_i + 1);
}
END_TEST

START_TEST(test_hostile_state)
{
	virtio_check_hostile_state(&kind, (uint64_t)_i + 1);
}
END_TEST

const char unit_name[] = "virtio_rng";
const struct unit_case unit_cases[] = {
	UNIT_CASE(test_fills),
	UNIT_CASE(test_limit),
	UNIT_LOOP(test_random, 4),
	UNIT_LOOP(test_save, 10),
	UNIT_LOOP(test_reset, 10),
	UNIT_LOOP(test_hostile_state, 2),
	{0},
};
