/* SPDX-License-Identifier: Apache-2.0 */
#include "devices/pl061.h"

#include <libfdt.h>

#include "device_table.h"
#include "unit.h"

#define DATA_OF(mask) (GPIODATA + ((mask) << 2))
#define DATA_ALL      DATA_OF(0xff)

static int create(struct device_bench *bench, struct device **ret)
{
	const struct pl061_options options = {
		.name = "gpio",
		.irq = bench->irq,
		.shadow = bench->shadow,
	};

	return pl061_create(&options, ret);
}

static void set_input(struct device_bench *bench, unsigned line, bool level)
{
	device_lock(bench->device);
	pl061_set_input(bench->device, line, level);
	device_unlock(bench->device);
}

static void disturb(struct device_bench *bench)
{
	set_input(bench, device_random(bench, PL061_LINES), device_random(bench, 2));
}

/* A reset does not reach what drives the inputs. */
static void calm(struct device_bench *bench)
{
	for (unsigned line = 0; line < PL061_LINES; line++)
		set_input(bench, line, false);
}

/* An input reads zero and ignores writes, so of 256 words of GPIODATA one is enough here. */
static const struct device_register registers[] = {
	{GPIODIR, REG_RW, 0, 0xff},
	{GPIOIS, REG_RW, 0, 0xff},
	{GPIOIBE, REG_RW, 0, 0xff},
	{GPIOIEV, REG_RW, 0, 0xff},
	{GPIOIE, REG_RW, 0, 0xff},
	{GPIORIS, REG_RO, 0, 0},
	{GPIOMIS, REG_RO, 0, 0},
	{GPIOIC, REG_WO, 0, 0},
	{GPIOAFSEL, REG_RW, 0, 0xff},
	{GPIOPeriphID0, REG_RO, 0x61, 0},
	{GPIOPeriphID0 + 4, REG_RO, 0x10, 0},
	{GPIOPeriphID0 + 8, REG_RO, 0x04, 0},
	{GPIOPeriphID0 + 12, REG_RO, 0x00, 0},
	{GPIOPCellID0, REG_RO, 0x0d, 0},
	{GPIOPCellID0 + 4, REG_RO, 0xf0, 0},
	{GPIOPCellID0 + 8, REG_RO, 0x05, 0},
	{GPIOPCellID0 + 12, REG_RO, 0xb1, 0},
	{DATA_ALL, REG_RO, 0, 0},
};

static const struct device_kind kind = {
	.bench_size = sizeof(struct device_bench),
	.size = PL061_SIZE,
	.ops = &pl061_mmio_ops,
	.registers = registers,
	.register_count = ARRAY_SIZE(registers),
	.shadowed = true,
	.create = create,
	.disturb = disturb,
	.calm = calm,
};

static void run(const struct device_step *steps, size_t count)
{
	struct device_bench *bench = device_bench_open(&kind);

	device_run(bench, steps, count);
	device_bench_close(bench);
}

/* Steps: DO(raise, "3"). */
static void raise(struct device_bench *bench, const char *line)
{
	pl061_set_input(bench->device, (unsigned)(line[0] - '0'), true);
}

static void lower(struct device_bench *bench, const char *line)
{
	pl061_set_input(bench->device, (unsigned)(line[0] - '0'), false);
}

static void reset(struct device_bench *bench, const char *text)
{
	(void)text;
	bench->device->ops->reset(bench->device);
}

START_TEST(test_registers)
{
	device_check_registers(&kind);
}
END_TEST

START_TEST(test_data)
{
	static const struct device_step steps[] = {
		/* An input cannot be written, an output can, and only through the mask. */
		W(DATA_ALL, 4, 0xff),
		R(DATA_ALL, 4, 0),
		W(GPIODIR, 4, 0xf0),
		R(DATA_ALL, 4, 0),
		W(DATA_OF(0x30), 4, 0xff),
		R(DATA_ALL, 4, 0x30),
		W(DATA_OF(0x50), 1, 0x40),
		R(DATA_ALL, 4, 0x60),
		R(DATA_OF(0x20), 4, 0x20),
		R(DATA_OF(0x9f), 4, 0),
		W(DATA_OF(0), 4, 0xff),
		R(DATA_ALL, 4, 0x60),
		/* Inputs read as driven, and not as written once they turn round. */
		DO(raise, "0"),
		DO(raise, "7"), /* an output: hides what is driven */
		R(DATA_ALL, 4, 0x61),
		W(GPIODIR, 4, 0),
		R(DATA_ALL, 4, 0x81),
		R(DATA_OF(0x80), 4, 0x80),
		W(GPIODIR, 4, 0xff),
		R(DATA_ALL, 4, 0x60),
		W(GPIOAFSEL, 4, 0xff), /* takes no line away */
		R(DATA_ALL, 4, 0x60),
		SHOWN(1),
		DO(reset, NULL),
		R(DATA_ALL, 4, 0x81),
		SHOWN(1),
	};

	run(steps, ARRAY_SIZE(steps));
}
END_TEST

START_TEST(test_edges)
{
	static const struct {
		uint8_t ibe;
		uint8_t iev;
		bool rising;
		bool falling;
	} rows[] = {
		{0x00, 0x00, false, true},
		{0x00, 0x08, true, false},
		{0x08, 0x00, true, true},
		{0x08, 0x08, true, true},
	};
	const uint32_t rise = rows[_i].rising ? 0x08 : 0;
	const uint32_t fall = rows[_i].falling ? 0x08 : 0;
	const struct device_step steps[] = {
		W(GPIOIBE, 4, rows[_i].ibe),
		W(GPIOIEV, 4, rows[_i].iev),
		W(GPIOIE, 4, 0x08),
		DO(raise, "3"),
		R(GPIORIS, 4, rise),
		R(GPIOMIS, 4, rise),
		IRQ(rows[_i].rising),
		DO(raise, "3"), /* no edge */
		W(GPIOIC, 4, 0xf7),
		R(GPIORIS, 4, rise),
		W(GPIOIC, 4, 0x08),
		R(GPIORIS, 4, 0),
		IRQ(0),
		DO(lower, "3"),
		R(GPIORIS, 4, fall),
		IRQ(rows[_i].falling),
		W(GPIOIE, 4, 0xf7),
		R(GPIOMIS, 4, 0),
		IRQ(0),
		W(GPIOIC, 4, 0xff),
		/* Nothing of an output. */
		W(GPIODIR, 4, 0x08),
		DO(raise, "3"),
		DO(lower, "3"),
		R(GPIORIS, 4, 0),
	};

	run(steps, ARRAY_SIZE(steps));
}
END_TEST

START_TEST(test_levels)
{
	static const struct device_step steps[] = {
		W(GPIOIS, 4, 0x02),
		R(GPIORIS, 4, 0x02), /* low is what GPIOIEV asks for */
		IRQ(0),
		W(GPIOIE, 4, 0x02),
		IRQ(1),
		W(GPIOIC, 4, 0xff), /* a level is not to be cleared */
		IRQ(1),
		DO(raise, "1"),
		IRQ(0),
		W(GPIOIEV, 4, 0x02),
		IRQ(1),
		R(GPIOMIS, 4, 0x02),
		W(GPIODIR, 4, 0x02),
		IRQ(0),
		W(GPIODIR, 4, 0),
		IRQ(1),
		DO(lower, "1"),
		IRQ(0),
		R(GPIORIS, 4, 0),
	};

	run(steps, ARRAY_SIZE(steps));
}
END_TEST

/* A press and release of the power key, as Linux's gpio-keys sets the line up: both edges. */
START_TEST(test_power_key)
{
	static const struct device_step steps[] = {
		W(GPIOIBE, 1, 0x08),
		W(GPIOIE, 1, 0x08),
		DO(raise, "3"),
		IRQ(1),
		R(DATA_OF(0x08), 1, 0x08),
		W(GPIOIC, 1, 0x08),
		IRQ(0),
		DO(lower, "3"),
		IRQ(1),
		R(DATA_OF(0x08), 1, 0),
	};

	run(steps, ARRAY_SIZE(steps));
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

static uint32_t cell(const void *tree, const char *path, const char *name, int index)
{
	int node = fdt_path_offset(tree, path);
	int length = 0;
	const fdt32_t *cells;

	ck_assert_int_ge(node, 0);
	cells = fdt_getprop(tree, node, name, &length);
	ck_assert_msg(cells && length > 4 * index, "%s has no %s", path, name);
	return fdt32_to_cpu(cells[index]);
}

START_TEST(test_device_tree)
{
	struct fdt_builder *fdt;
	void *tree;
	size_t size;

	device_check_node(&kind, "/gpio@9000000", 0x00041061);
	ck_assert_int_eq(fdt_builder_create(&fdt), 0);
	fdt_begin(fdt, "%s", "");
	pl061_describe_power_key(fdt);
	fdt_end(fdt);
	ck_assert_int_eq(fdt_builder_finish(fdt, &tree, &size, NULL), 0);
	ck_assert_uint_eq(cell(tree, "/gpio-keys/key-power", "linux,code", 0), 116);
	ck_assert_uint_eq(cell(tree, "/gpio-keys/key-power", "gpios", 0), FDT_PHANDLE_PL061);
	ck_assert_uint_eq(cell(tree, "/gpio-keys/key-power", "gpios", 1), 3);
	ck_assert_uint_eq(cell(tree, "/gpio-keys/key-power", "gpios", 2), 0);
	free(tree);
	fdt_builder_destroy(fdt);
}
END_TEST

const char unit_name[] = "pl061";
const struct unit_case unit_cases[] = {
	UNIT_CASE(test_registers),          UNIT_CASE(test_data),
	UNIT_LOOP(test_edges, 4),           UNIT_CASE(test_levels),
	UNIT_CASE(test_power_key),          UNIT_LOOP(test_random, 4),
	UNIT_LOOP(test_save_and_reset, 50), UNIT_LOOP(test_hostile_state, 3),
	UNIT_CASE(test_device_tree),        {0},
};
