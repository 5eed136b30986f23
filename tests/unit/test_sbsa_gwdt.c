/* SPDX-License-Identifier: Apache-2.0 */
#include "devices/sbsa_gwdt.h"

#include <libfdt.h>

#include "core/fdt_builder.h"
#include "device_table.h"
#include "unit.h"

#define FREQUENCY         1000 /* the counter is in ms, from the bench's beginning */
#define NS_PER_MS         INT64_C(1000000)
#define START_NS          (INT64_C(1700000000) * NS_PER_S + 123456789)
#define BEFORE            5000 /* that it has counted before */
#define REFRESH_REGISTERS 2    /* the first of the table; the others are the control frame's */
#define ON                (WCS_EN)
#define WARNS             (WCS_EN | WCS_WS0)
#define BITES             (WCS_EN | WCS_WS0 | WCS_WS1)

struct bench {
	struct device_bench bench;
	unsigned bites;
	uint64_t seconds; /* of the last */
};

static uint64_t counter(void *data)
{
	struct bench *bench = data;

	return BEFORE + (uint64_t)((clock_now(&bench->bench.clock) - START_NS) / NS_PER_MS);
}

static void bite(void *data, uint64_t seconds)
{
	struct bench *bench = data;

	bench->bites++;
	bench->seconds = seconds;
}

static int create(struct device_bench *bench, struct device **ret)
{
	const struct sbsa_gwdt_options options = {
		.name = "dog",
		.irq = bench->irq,
		.clock = &bench->clock,
		.counter = counter,
		.frequency = FREQUENCY,
		.bite = bite,
		.data = bench,
	};

	return sbsa_gwdt_create(&options, ret);
}

static void hold(struct device_bench *bench, const char *text)
{
	sbsa_gwdt_hold(bench->device, text);
}

static void disturb(struct device_bench *bench)
{
	switch (device_random(bench, 4)) {
	case 0:
		clock_advance(&bench->clock, device_random(bench, 10000) * NS_PER_MS);
		break;
	case 1:
		device_write(bench, WOR, 4, device_random(bench, 5000));
		break;
	case 2:
		device_write(bench, WOR_HIGH, 4, 0);
		break;
	default:
		device_write(bench, WCS, 4, WCS_EN);
	}
}

static const struct device_register registers[] = {
	{WRR, REG_WO, 0, 0},
	{WRR_W_IIDR, REG_RO, 0x00010000, 0},
	{WCS, REG_RW, 0, 1},
	{WOR, REG_RW, 0, 0xffffffff},
	{WOR_HIGH, REG_RW, 0, 0xffff},
	{WCV, REG_RW, 0, 0xffffffff},
	{WCV_HIGH, REG_RW, 0, 0xffffffff},
	{W_IIDR, REG_RO, 0x00010000, 0},
};

static const struct device_kind kind = {
	.bench_size = sizeof(struct bench),
	.size = SBSA_GWDT_SIZE,
	.ops = &sbsa_gwdt_mmio_ops,
	.registers = registers,
	.register_count = ARRAY_SIZE(registers),
	.create = create,
	.disturb = disturb,
};

/* Returns how often it has bitten. */
static unsigned run(const struct device_step *steps, size_t count, uint64_t *ret_seconds)
{
	struct device_bench *device = device_bench_open(&kind);
	const struct bench *bench = (const struct bench *)device;
	unsigned bites;

	device_run(device, steps, count);
	bites = bench->bites;
	*ret_seconds = bench->seconds;
	device_bench_close(device);
	return bites;
}

static void reset(struct device_bench *bench, const char *text)
{
	(void)text;
	bench->device->ops->reset(bench->device);
}

/* Word by word, the two frames; what is between them is read below. */
static const struct device_kind refresh_kind = {
	.bench_size = sizeof(struct bench),
	.size = SBSA_GWDT_FRAME,
	.ops = &sbsa_gwdt_mmio_ops,
	.registers = registers,
	.register_count = REFRESH_REGISTERS,
	.create = create,
};

static uint64_t control_read(struct device *device, uint64_t offset, unsigned size)
{
	return sbsa_gwdt_mmio_ops.read(device, SBSA_GWDT_CONTROL + offset, size);
}

static void control_write(struct device *device, uint64_t offset, unsigned size, uint64_t value)
{
	sbsa_gwdt_mmio_ops.write(device, SBSA_GWDT_CONTROL + offset, size, value);
}

static const struct mmio_ops control_ops = {.read = control_read, .write = control_write};

START_TEST(test_registers)
{
	struct device_register control[ARRAY_SIZE(registers) - REFRESH_REGISTERS];
	struct device_kind control_kind = refresh_kind;

	device_check_registers(&refresh_kind);
	for (size_t i = 0; i < ARRAY_SIZE(control); i++) {
		control[i] = registers[REFRESH_REGISTERS + i];
		control[i].offset -= SBSA_GWDT_CONTROL;
	}
	control_kind.ops = &control_ops;
	control_kind.registers = control;
	control_kind.register_count = ARRAY_SIZE(control);
	device_check_registers(&control_kind);
}
END_TEST

START_TEST(test_between)
{
	struct device_bench *bench = device_bench_open(&kind);

	for (uint32_t at = SBSA_GWDT_FRAME; at < SBSA_GWDT_CONTROL; at += 4) {
		device_write(bench, at, 4, UINT32_MAX);
		ck_assert_uint_eq(device_read(bench, at, 4), 0);
	}
	ck_assert_uint_eq(device_read(bench, WCS, 4), 0);
	device_bench_close(bench);
}
END_TEST

START_TEST(test_signals)
{
	static const struct device_step steps[] = {
		W(WOR, 4, 4000),
		R(WCV, 4, 0), /* it is off */
		WAIT_MS(100000),
		R(WCS, 4, 0),
		W(WCS, 4, WCS_EN),
		R(WCV, 4, BEFORE + 104000),
		R(WCV, 8, BEFORE + 104000),
		WAIT_MS(4000), /* up to it, not beyond */
		R(WCS, 4, ON),
		IRQ(0),
		WAIT_MS(2), /* by the alarm alone */
		IRQ(1),
		R(WCS, 4, WARNS),
		WAIT_MS(3990),
		R(WCS, 4, WARNS),
		WAIT_MS(20),
		IRQ(1),
		R(WCS, 4, BITES),
		WAIT_MS(1000000), /* once */
		R(WCS, 4, BITES),
	};
	uint64_t seconds;

	ck_assert_uint_eq(run(steps, ARRAY_SIZE(steps), &seconds), 1);
	ck_assert_uint_eq(seconds, 8);
}
END_TEST

/* Each of the ways to refresh it, before and behind each signal. */
static const struct device_step refreshes[] = {
	W(WRR, 4, 0),      W(WRR, 4, 0xffffffff), W(WRR, 2, 7),
	W(WCS, 4, WCS_EN), W(WOR, 4, 1000),       W(WOR_HIGH, 4, 0),
};

START_TEST(test_refreshes)
{
	const struct device_step by = refreshes[_i];
	const struct device_step steps[] = {
		W(WOR, 4, 1000),
		W(WCS, 4, WCS_EN),
		WAIT_MS(900),
		by,
		WAIT_MS(900),
		IRQ(0),
		R(WCS, 4, ON),
		WAIT_MS(200),
		IRQ(1),
		by,
		IRQ(0),
		R(WCS, 4, ON),
		WAIT_MS(1100),
		IRQ(1),
		WAIT_MS(1100),
		R(WCS, 4, BITES),
		by,
		R(WCS, 4, ON),
		IRQ(0),
		WAIT_MS(2100),
		R(WCS, 4, BITES),
	};
	uint64_t seconds;

	ck_assert_uint_eq(run(steps, ARRAY_SIZE(steps), &seconds), 2);
	ck_assert_uint_eq(seconds, 2);
}
END_TEST

START_TEST(test_others_do_not_refresh)
{
	static const struct device_step steps[] = {
		W(WOR, 4, 1000),
		W(WCS, 4, WCS_EN),
		WAIT_MS(900),
		R(WRR, 4, 0),
		W(WRR + 4, 4, 1),
		W(WRR, 8, 1),
		W(W_IIDR, 4, 1),
		W(WCS, 8, 0),
		WAIT_MS(200),
		R(WCS, 4, WARNS),
		/* WCV is the guest's to set, too. */
		W(WCV, 4, 0xffffffff),
		WAIT_MS(10000),
		R(WCS, 4, WARNS),
		W(WCV, 4, 0),
		R(WCS, 4, BITES),
	};
	uint64_t seconds;

	ck_assert_uint_eq(run(steps, ARRAY_SIZE(steps), &seconds), 1);
}
END_TEST

START_TEST(test_stops)
{
	static const struct device_step steps[] = {
		W(WOR, 4, 1000),
		W(WCS, 4, WCS_EN),
		WAIT_MS(1100),
		IRQ(1),
		W(WCS, 4, 0),
		IRQ(0),
		R(WCS, 4, 0),
		WAIT_MS(100000),
		R(WCS, 4, 0),
		W(WCS, 4, WCS_EN),
		WAIT_MS(500),
		DO(reset, NULL),
		WAIT_MS(100000),
		R(WCS, 4, 0),
		R(WOR, 4, 0),
		IRQ(0),
		/* The longest time there is, and the shortest. */
		W(WOR, 4, 0xffffffff),
		W(WOR_HIGH, 4, 0xffffffff),
		W(WCS, 4, WCS_EN),
		WAIT_MS(UINT64_C(0xffffffff) * 1000),
		R(WCS, 4, ON),
		IRQ(0),
		W(WCV_HIGH, 4, 0xffffffff),
		R(WCS, 4, ON),
		W(WOR, 4, 0),
		W(WOR_HIGH, 4, 0),
		WAIT_MS(10),
		R(WCS, 4, BITES),
	};
	uint64_t seconds;

	ck_assert_uint_eq(run(steps, ARRAY_SIZE(steps), &seconds), 1);
	ck_assert_uint_eq(seconds, 0);
}
END_TEST

/* While the machine is held nothing counts, whatever the counter does. */
START_TEST(test_hold)
{
	static const struct device_step steps[] = {
		DO(hold, "on"), DO(hold, NULL),   W(WOR, 4, 1000), W(WCS, 4, WCS_EN),
		WAIT_MS(400),   DO(hold, "on"),   DO(hold, "on"),  WAIT_MS(100000),
		IRQ(0),         DO(hold, NULL),   R(WCS, 4, ON),   R(WCV, 4, BEFORE + 101000),
		WAIT_MS(590),   IRQ(0),           WAIT_MS(20),     IRQ(1),
		DO(hold, "on"), WAIT_MS(100000),  DO(hold, NULL),  R(WCS, 4, WARNS),
		WAIT_MS(1100),  R(WCS, 4, BITES),
	};
	uint64_t seconds;

	ck_assert_uint_eq(run(steps, ARRAY_SIZE(steps), &seconds), 1);
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
}
END_TEST

START_TEST(test_impossible_state)
{
	device_check_refused(&kind, "wcs", WCS_WS0);
	device_check_refused(&kind, "wcs", WCS_EN | WCS_WS1);
	device_check_refused(&kind, "wcs", 8);
	device_check_refused(&kind, "wcs", 15);
}
END_TEST

START_TEST(test_device_tree)
{
	const struct device_slot slot = {.base = 0x9060000, .size = SBSA_GWDT_SIZE, .intid = 42};
	static const uint32_t reg[] = {0, 0x9070000, 0, 0x1000, 0, 0x9060000, 0, 0x1000};
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
	node = fdt_path_offset(tree, "/watchdog@9070000");
	ck_assert_int_ge(node, 0);
	ck_assert_int_eq(fdt_node_check_compatible(tree, node, "arm,sbsa-gwdt"), 0);
	cells = fdt_getprop(tree, node, "reg", &length);
	ck_assert_int_eq(length, sizeof(reg));
	for (size_t i = 0; i < ARRAY_SIZE(reg); i++)
		ck_assert_uint_eq(fdt32_to_cpu(cells[i]), reg[i]);
	cells = fdt_getprop(tree, node, "interrupts", &length);
	ck_assert_uint_eq(fdt32_to_cpu(cells[1]), 42 - 32);
	free(tree);
	fdt_builder_destroy(fdt);
	device_bench_close(bench);
}
END_TEST

const char unit_name[] = "sbsa_gwdt";
const struct unit_case unit_cases[] = {
	UNIT_CASE(test_registers),
	UNIT_CASE(test_between),
	UNIT_CASE(test_signals),
	UNIT_LOOP(test_refreshes, ARRAY_SIZE(refreshes)),
	UNIT_CASE(test_others_do_not_refresh),
	UNIT_CASE(test_stops),
	UNIT_CASE(test_hold),
	UNIT_LOOP(test_random, 4),
	UNIT_LOOP(test_save_and_reset, 50),
	UNIT_LOOP(test_hostile_state, 3),
	UNIT_CASE(test_impossible_state),
	UNIT_CASE(test_device_tree),
	{0},
};
