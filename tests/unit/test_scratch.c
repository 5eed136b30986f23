/* SPDX-License-Identifier: Apache-2.0 */
#include "devices/scratch.h"

#include <string.h>

#include "unit.h"

struct bench {
	struct mmio_bus *bus;
	struct device *device;
	const struct mmio_region *last;
};

static void open_bench(struct bench *bench)
{
	*bench = (struct bench){0};
	ck_assert_int_eq(scratch_create("scratch0", &bench->device), 0);
	ck_assert_int_eq(mmio_bus_create(&bench->bus), 0);
	ck_assert_int_eq(mmio_bus_add(bench->bus, &(struct mmio_region){.base = 0x10000,
									.size = SCRATCH_SIZE,
									.ops = &scratch_mmio_ops,
									.device = bench->device}),
			 0);
	mmio_bus_seal(bench->bus);
}

static void close_bench(struct bench *bench)
{
	mmio_bus_destroy(bench->bus);
	device_destroy(bench->device);
}

static uint64_t access_at(struct bench *bench, uint64_t offset, unsigned size, bool is_write,
			  uint64_t value)
{
	struct mmio_access access = {
		.addr = 0x10000 + offset, .size = size, .is_write = is_write, .value = value};

	ck_assert_int_eq(mmio_bus_access(bench->bus, &access, &bench->last), MMIO_HANDLED);
	return access.value;
}

/* Memory of every width, at every place, up to the last byte. */
START_TEST(test_keeps)
{
	static const uint64_t offsets[] = {0, 1, 0x7ff9, SCRATCH_SIZE - 8};
	struct bench bench;

	open_bench(&bench);
	for (size_t i = 0; i < ARRAY_SIZE(offsets); i++) {
		uint64_t at = offsets[i];

		ck_assert_uint_eq(access_at(&bench, at, 8, false, 0), 0);
		access_at(&bench, at, 8, true, UINT64_C(0x8877665544332211));
		access_at(&bench, at + 2, 2, true, 0xaabb);
		access_at(&bench, at + 7, 1, true, 0xcc);
		ck_assert_uint_eq(access_at(&bench, at, 8, false, 0), 0xcc776655aabb2211);
		ck_assert_uint_eq(access_at(&bench, at + 4, 4, false, 0), 0xcc776655);
		access_at(&bench, at, 8, true, 0);
	}
	close_bench(&bench);
}
END_TEST

START_TEST(test_save_and_reset)
{
	const struct state_table *table;
	struct error err = {0};
	struct bench bench;
	struct bench twin;
	uint8_t *saved;
	uint8_t *again;
	size_t size;
	size_t again_size;

	open_bench(&bench);
	open_bench(&twin);
	table = bench.device->ops->state;
	for (unsigned i = 0; i < SCRATCH_SIZE; i += 8)
		access_at(&bench, i, 8, true, i * UINT64_C(0x9e3779b97f4a7c15));
	ck_assert_int_eq(state_save(table, bench.device, &saved, &size), 0);
	ck_assert_int_eq(state_load(table, twin.device, saved, size, &err), 0);
	ck_assert_int_eq(state_save(table, twin.device, &again, &again_size), 0);
	ck_assert_uint_eq(size, again_size);
	ck_assert_mem_eq(saved, again, size);
	free(again);
	ck_assert_int_lt(state_load(table, twin.device, saved, size - 1, &err), 0);
	bench.device->ops->reset(bench.device);
	ck_assert_uint_eq(access_at(&bench, 0x1230, 8, false, 0), 0);
	free(saved);
	close_bench(&bench);
	close_bench(&twin);
}
END_TEST

/* mmio_bus_update(), on a device that shows what comes of it. */
static bool add_one(uint8_t *bytes, const void *data)
{
	const unsigned *size = data;

	for (unsigned i = 0; i < *size; i++)
		bytes[i]++;
	return true;
}

static bool leave(uint8_t *bytes, const void *data)
{
	(void)data;
	bytes[0] = 0xff;
	return false;
}

START_TEST(test_update)
{
	unsigned size = 16;
	struct mmio_update update = {
		.addr = 0x10010, .size = 8, .count = 2, .combine = add_one, .data = &size};
	struct bench bench;

	open_bench(&bench);
	access_at(&bench, 0x10, 8, true, UINT64_C(0x0807060504030201));
	ck_assert_int_eq(mmio_bus_update(bench.bus, &update, &bench.last), MMIO_HANDLED);
	ck_assert_uint_eq(access_at(&bench, 0x10, 8, false, 0), 0x0908070605040302);
	ck_assert_uint_eq(access_at(&bench, 0x18, 8, false, 0), 0x0101010101010101);
	update.combine = leave;
	ck_assert_int_eq(mmio_bus_update(bench.bus, &update, &bench.last), MMIO_HANDLED);
	ck_assert_uint_eq(access_at(&bench, 0x10, 8, false, 0), 0x0908070605040302);
	update.size = 1;
	update.count = 1;
	update.combine = add_one;
	size = 1;
	ck_assert_int_eq(mmio_bus_update(bench.bus, &update, &bench.last), MMIO_HANDLED);
	ck_assert_uint_eq(access_at(&bench, 0x10, 8, false, 0), 0x0908070605040303);
	/* Partly behind the end: nobody's. */
	update = (struct mmio_update){.addr = 0x10000 + SCRATCH_SIZE - 8,
				      .size = 8,
				      .count = 2,
				      .combine = add_one,
				      .data = &size};
	ck_assert_int_eq(mmio_bus_update(bench.bus, &update, &bench.last), MMIO_UNCLAIMED);
	close_bench(&bench);
}
END_TEST

const struct unit_case unit_cases[] = {
	UNIT_CASE(test_keeps),
	UNIT_CASE(test_save_and_reset),
	UNIT_CASE(test_update),
	{0},
};
const char unit_name[] = "scratch";
