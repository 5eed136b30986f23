/* SPDX-License-Identifier: Apache-2.0 */
#include "devices/pvpanic.h"

#include "device_table.h"
#include "unit.h"

struct bench {
	struct device_bench bench;
	unsigned told; /* the last that came, and how often any has */
	unsigned times;
};

static void tell(void *data, unsigned events)
{
	struct bench *bench = data;

	ck_assert(events && events <= PVPANIC_ALL);
	bench->told = events;
	bench->times++;
}

static int create(struct device_bench *bench, struct device **ret)
{
	const struct pvpanic_options options = {.name = "panic", .tell = tell, .data = bench};

	return pvpanic_create(&options, ret);
}

static const struct device_register registers[] = {
	{PVPANIC_EVENTS, REG_WO, PVPANIC_ALL, 0},
};

static const struct device_kind kind = {
	.bench_size = sizeof(struct bench),
	.size = PVPANIC_SIZE,
	.ops = &pvpanic_mmio_ops,
	.registers = registers,
	.register_count = ARRAY_SIZE(registers),
	.create = create,
};

START_TEST(test_registers)
{
	device_check_registers(&kind);
}
END_TEST

static const struct {
	uint64_t offset;
	unsigned size;
	uint64_t value;
	unsigned told; /* 0: nothing */
} write_rows[] = {
	{0, 1, PVPANIC_PANICKED, PVPANIC_PANICKED},
	{0, 1, PVPANIC_CRASH_LOADED, PVPANIC_CRASH_LOADED},
	{0, 1, PVPANIC_SHUTDOWN, PVPANIC_SHUTDOWN},
	{0, 1, 3, 3},
	{0, 1, 0xff, PVPANIC_ALL}, /* with some that there are not */
	{0, 1, 0xf8, 0},
	{0, 1, 0, 0},
	{0, 2, 0x101, PVPANIC_PANICKED},
	{0, 2, 0x100, 0},
	{0, 4, 1, PVPANIC_PANICKED},
	{0, 8, 1, 0},
	{1, 1, 1, 0},
	{2, 2, 1, 0},
	{4, 4, 1, 0},
	{PVPANIC_SIZE - 1, 1, 1, 0},
};

START_TEST(test_writes)
{
	struct device_bench *device = device_bench_open(&kind);
	const struct bench *bench = (const struct bench *)device;

	device_write(device, write_rows[_i].offset, write_rows[_i].size, write_rows[_i].value);
	ck_assert_uint_eq(bench->told, write_rows[_i].told);
	ck_assert_uint_eq(bench->times, write_rows[_i].told != 0);
	device_write(device, write_rows[_i].offset, write_rows[_i].size, write_rows[_i].value);
	ck_assert_uint_eq(bench->times, write_rows[_i].told != 0);
	device_bench_close(device);
}
END_TEST

START_TEST(test_random)
{
	device_check_random(&kind, (uint64_t)_i + 1, 3000);
}
END_TEST

START_TEST(test_save_and_reset)
{
	device_check_save_and_reset(&kind, (uint64_t)_i + 1);
}
END_TEST

START_TEST(test_hostile_state)
{
	device_check_hostile_state(&kind, (uint64_t)_i + 1);
	device_check_refused(&kind, "told", PVPANIC_ALL + 1);
}
END_TEST

const char unit_name[] = "pvpanic";
const struct unit_case unit_cases[] = {
	UNIT_CASE(test_registers),        UNIT_LOOP(test_writes, ARRAY_SIZE(write_rows)),
	UNIT_LOOP(test_random, 4),        UNIT_LOOP(test_save_and_reset, 20),
	UNIT_LOOP(test_hostile_state, 3), {0},
};
