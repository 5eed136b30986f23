/* SPDX-License-Identifier: Apache-2.0 */
#include "devices/stall_detector.h"

#include <libfdt.h>

#include "core/fdt_builder.h"
#include "device_table.h"
#include "unit.h"

#define CPUS      3
#define NS_PER_MS INT64_C(1000000)
#define START_NS  (INT64_C(1700000000) * NS_PER_S + 123456789)

#define OF(cpu, reg) (STALL_DETECTOR_CPU_SIZE * (cpu) + (reg))

/* The first vCPU idles, the second has the half of a CPU, the third one for itself. */
struct bench {
	struct device_bench bench;
	unsigned stalls[CPUS];
	uint32_t seconds; /* of the last */
};

static uint64_t ran(void *data, uint32_t cpu)
{
	struct bench *bench = data;
	uint64_t ns = (uint64_t)(clock_now(&bench->bench.clock) - START_NS);

	ck_assert_uint_lt(cpu, CPUS);
	return ns * cpu / 2;
}

static void stalled(void *data, uint32_t cpu, uint32_t seconds)
{
	struct bench *bench = data;

	bench->stalls[cpu]++;
	bench->seconds = seconds;
}

static int create(struct device_bench *bench, struct device **ret)
{
	const struct stall_detector_options options = {
		.name = "stall",
		.clock = &bench->clock,
		.cpus = CPUS,
		.ran = ran,
		.stalled = stalled,
		.data = bench,
	};

	return stall_detector_create(&options, ret);
}

static void disturb(struct device_bench *bench)
{
	uint32_t at = STALL_DETECTOR_CPU_SIZE * device_random(bench, CPUS);

	switch (device_random(bench, 4)) {
	case 0:
		clock_advance(&bench->clock, device_random(bench, 10000) * NS_PER_MS);
		break;
	case 1:
		device_write(bench, at + STALL_CLOCK_FREQ_HZ, 4, device_random(bench, 100));
		break;
	case 2:
		device_write(bench, at + STALL_LOAD_CNT, 4, device_random(bench, 1000));
		break;
	default:
		device_write(bench, at + STALL_STATUS, 4, 1);
	}
}

#define CPU_REGISTERS(cpu)                                                                       \
	{OF(cpu, STALL_STATUS), REG_RW, 0, 1}, {OF(cpu, STALL_LOAD_CNT), REG_RW, 0, 0xffffffff}, \
		{OF(cpu, STALL_CURRENT_CNT), REG_RO, 0, 0},                                      \
	{                                                                                        \
		OF(cpu, STALL_CLOCK_FREQ_HZ), REG_RW, 0, 0xffffffff                              \
	}

static const struct device_register registers[] = {
	CPU_REGISTERS(0),
	CPU_REGISTERS(1),
	CPU_REGISTERS(2),
};

static const struct device_kind kind = {
	.bench_size = sizeof(struct bench),
	.size = CPUS * STALL_DETECTOR_CPU_SIZE,
	.ops = &stall_detector_mmio_ops,
	.registers = registers,
	.register_count = ARRAY_SIZE(registers),
	.create = create,
	.disturb = disturb,
};

static struct bench run(const struct device_step *steps, size_t count)
{
	struct device_bench *device = device_bench_open(&kind);
	struct bench after;

	device_run(device, steps, count);
	after = *(const struct bench *)device;
	device_bench_close(device);
	return after;
}

static void reset(struct device_bench *bench, const char *text)
{
	(void)text;
	bench->device->ops->reset(bench->device);
}

/* As Linux begins. */
#define STARTS(cpu, seconds)                                                                   \
	W(OF(cpu, STALL_CLOCK_FREQ_HZ), 4, 10), W(OF(cpu, STALL_LOAD_CNT), 4, 10 * (seconds)), \
		W(OF(cpu, STALL_STATUS), 4, 1)

START_TEST(test_registers)
{
	device_check_registers(&kind);
}
END_TEST

START_TEST(test_stalls)
{
	static const struct device_step steps[] = {
		STARTS(0, 8),
		STARTS(1, 8),
		STARTS(2, 8),
		R(OF(2, STALL_CURRENT_CNT), 4, 80),
		WAIT_MS(4000),
		R(OF(0, STALL_CURRENT_CNT), 4, 80), /* it idles */
		R(OF(1, STALL_CURRENT_CNT), 4, 60), /* it has the half of a CPU */
		R(OF(2, STALL_CURRENT_CNT), 4, 40),
		WAIT_MS(3900),
		R(OF(2, STALL_STATUS), 4, 1),
		WAIT_MS(200),
		R(OF(2, STALL_STATUS), 4, 0), /* told, and so it is off */
		R(OF(1, STALL_STATUS), 4, 1),
		WAIT_MS(7800),
		R(OF(1, STALL_STATUS), 4, 1),
		WAIT_MS(200),
		R(OF(1, STALL_STATUS), 4, 0),
		WAIT_MS(1000000),
		R(OF(0, STALL_CURRENT_CNT), 4, 80),
		R(OF(0, STALL_STATUS), 4, 1),
	};
	const struct bench after = run(steps, ARRAY_SIZE(steps));

	ck_assert_uint_eq(after.stalls[0], 0);
	ck_assert_uint_eq(after.stalls[1], 1);
	ck_assert_uint_eq(after.stalls[2], 1);
	ck_assert_uint_eq(after.seconds, 8);
}
END_TEST

START_TEST(test_loads)
{
	static const struct device_step steps[] = {
		STARTS(2, 8),
		WAIT_MS(7900),
		W(OF(2, STALL_LOAD_CNT), 4, 80),
		WAIT_MS(7900),
		W(OF(2, STALL_LOAD_CNT), 4, 80),
		W(OF(2, STALL_CURRENT_CNT), 4, 5), /* is not written */
		R(OF(2, STALL_CURRENT_CNT), 4, 80),
		WAIT_MS(7900),
		/* Off, and another time. */
		W(OF(2, STALL_STATUS), 4, 0),
		WAIT_MS(100000),
		R(OF(2, STALL_CURRENT_CNT), 4, 80),
		STARTS(2, 2),
		WAIT_MS(1900),
		R(OF(2, STALL_STATUS), 4, 1),
		W(OF(2, STALL_LOAD_CNT), 4, 30),
		WAIT_MS(2900),
		R(OF(2, STALL_STATUS), 4, 1),
		DO(reset, NULL),
		R(OF(2, STALL_LOAD_CNT), 4, 0),
		WAIT_MS(100000),
		/* Without a frequency nothing counts. */
		W(OF(2, STALL_LOAD_CNT), 4, 1),
		W(OF(2, STALL_STATUS), 4, 1),
		WAIT_MS(100000),
		R(OF(2, STALL_CURRENT_CNT), 4, 1),
		W(OF(2, STALL_CLOCK_FREQ_HZ), 4, 3),
		R(OF(2, STALL_CURRENT_CNT), 4, 1),
	};
	const struct bench after = run(steps, ARRAY_SIZE(steps));

	ck_assert_uint_eq(after.stalls[2], 0);
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
	device_check_refused(&kind, "status", 2);
}
END_TEST

START_TEST(test_device_tree)
{
	const struct device_slot slot = {.base = 0x9080000, .size = kind.size};
	struct device_bench *bench = device_bench_open(&kind);
	struct fdt_builder *fdt;
	const fdt32_t *cells;
	int node, length;
	void *tree;
	size_t size;

	ck_assert_int_eq(fdt_builder_create(&fdt), 0);
	fdt_begin(fdt, "%s", "");
	bench->device->ops->describe(bench->device, &slot, fdt);
	fdt_end(fdt);
	ck_assert_int_eq(fdt_builder_finish(fdt, &tree, &size, NULL), 0);
	node = fdt_path_offset(tree, "/vmwdt@9080000");
	ck_assert_int_ge(node, 0);
	ck_assert_int_eq(fdt_node_check_compatible(tree, node, "qemu,vcpu-stall-detector"), 0);
	cells = fdt_getprop(tree, node, "reg", &length);
	ck_assert_uint_eq(fdt32_to_cpu(cells[1]), 0x9080000);
	ck_assert_uint_eq(fdt32_to_cpu(cells[3]), CPUS * STALL_DETECTOR_CPU_SIZE);
	free(tree);
	fdt_builder_destroy(fdt);
	device_bench_close(bench);
}
END_TEST

const char unit_name[] = "stall_detector";
const struct unit_case unit_cases[] = {
	UNIT_CASE(test_registers),
	UNIT_CASE(test_stalls),
	UNIT_CASE(test_loads),
	UNIT_LOOP(test_random, 4),
	UNIT_LOOP(test_save_and_reset, 50),
	UNIT_LOOP(test_hostile_state, 3),
	UNIT_CASE(test_device_tree),
	{0},
};
