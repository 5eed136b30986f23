/* SPDX-License-Identifier: Apache-2.0 */
#include "devices/pl031.h"

#include "device_table.h"
#include "unit.h"

#define START UINT32_C(1700000000) /* the second at which a bench's clock starts */

static int create(struct device_bench *bench, struct device **ret)
{
	const struct pl031_options options = {
		.name = "rtc",
		.irq = bench->irq,
		.clock = &bench->clock,
	};

	return pl031_create(&options, ret);
}

static void disturb(struct device_bench *bench)
{
	uint32_t now = (uint32_t)(clock_now(&bench->clock) / NS_PER_S);

	switch (device_random(bench, 4)) {
	case 0:
		clock_advance(&bench->clock, device_random(bench, 10) * NS_PER_S);
		break;
	case 1:
		clock_advance(&bench->clock, device_random(bench, 1000) * -NS_PER_S);
		break;
	case 2:
		device_write(bench, RTCLR, 4, now);
		break;
	default:
		device_write(bench, RTCMR, 4, now + device_random(bench, 10));
	}
}

/* A reset keeps the time of day: make it that of a new device. */
static void calm(struct device_bench *bench)
{
	device_write(bench, RTCLR, 4, (uint64_t)(clock_now(&bench->clock) / NS_PER_S));
}

static const struct device_register registers[] = {
	{RTCDR, REG_RO, START, 0},
	{RTCMR, REG_RW, 0, 0xffffffff},
	{RTCLR, REG_RW, 0, 0xffffffff},
	{RTCCR, REG_RO, 1, 0},
	{RTCIMSC, REG_RW, 0, 1},
	{RTCRIS, REG_RO, 0, 0},
	{RTCMIS, REG_RO, 0, 0},
	{RTCICR, REG_WO, 0, 0},
	{RTCPeriphID0, REG_RO, 0x31, 0},
	{RTCPeriphID0 + 4, REG_RO, 0x10, 0},
	{RTCPeriphID0 + 8, REG_RO, 0x04, 0},
	{RTCPeriphID0 + 12, REG_RO, 0x00, 0},
	{RTCPCellID0, REG_RO, 0x0d, 0},
	{RTCPCellID0 + 4, REG_RO, 0xf0, 0},
	{RTCPCellID0 + 8, REG_RO, 0x05, 0},
	{RTCPCellID0 + 12, REG_RO, 0xb1, 0},
};

static const struct device_kind kind = {
	.bench_size = sizeof(struct device_bench),
	.size = PL031_SIZE,
	.ops = &pl031_mmio_ops,
	.registers = registers,
	.register_count = ARRAY_SIZE(registers),
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

START_TEST(test_counts)
{
	static const struct device_step steps[] = {
		R(RTCDR, 4, START),
		WAIT_MS(5000),
		R(RTCDR, 4, START + 5),
		W(RTCLR, 4, 1000),
		R(RTCDR, 4, 1000),
		WAIT_MS(7000),
		R(RTCDR, 4, 1007),
		R(RTCLR, 4, 1000),
		/* It cannot be stopped. */
		W(RTCCR, 4, 0),
		R(RTCCR, 4, RTCCR_START),
		WAIT_MS(1000),
		R(RTCDR, 4, 1008),
		WAIT_MS(3000),
		W(RTCLR, 4, 0xffffffff),
		WAIT_MS(2000),
		R(RTCDR, 4, 1), /* wraps */
		/* A reset clears the registers and keeps the time. */
		DO(reset, NULL),
		R(RTCDR, 4, 1),
		R(RTCLR, 4, 0),
	};

	run(steps, ARRAY_SIZE(steps));
}
END_TEST

START_TEST(test_match)
{
	static const struct device_step steps[] = {
		W(RTCMR, 4, START + 3),
		W(RTCIMSC, 4, RTCINT),
		WAIT_MS(2800), /* the bench's clock stands between two seconds */
		IRQ(0),
		WAIT_MS(100),
		IRQ(1), /* by the alarm alone */
		R(RTCRIS, 4, RTCINT),
		R(RTCMIS, 4, RTCINT),
		W(RTCIMSC, 4, 0),
		IRQ(0),
		R(RTCRIS, 4, RTCINT),
		R(RTCMIS, 4, 0),
		W(RTCIMSC, 4, RTCINT),
		IRQ(1),
		W(RTCICR, 4, 0),
		IRQ(1),
		W(RTCICR, 4, RTCINT),
		IRQ(0),
		R(RTCRIS, 4, 0), /* still the same second: matched once */
		WAIT_MS(10000),
		IRQ(0),
		/* What has passed comes again only when the counter has wrapped. */
		W(RTCMR, 4, START),
		WAIT_MS(10000),
		IRQ(0),
		/* A match that has come is not forgotten because RTCMR changes. */
		W(RTCIMSC, 4, 0),
		W(RTCMR, 4, START + 25),
		WAIT_MS(4000),
		W(RTCMR, 4, 0),
		R(RTCRIS, 4, RTCINT),
		W(RTCICR, 4, RTCINT),
		/* While masked, a match is seen when somebody looks. */
		W(RTCMR, 4, START + 30),
		WAIT_MS(20000),
		IRQ(0),
		R(RTCRIS, 4, RTCINT),
	};

	run(steps, ARRAY_SIZE(steps));
}
END_TEST

START_TEST(test_match_by_writing)
{
	static const struct device_step steps[] = {
		W(RTCIMSC, 4, RTCINT),
		W(RTCMR, 4, START), /* equal by this */
		IRQ(1),
		W(RTCICR, 4, RTCINT),
		IRQ(0),
		W(RTCMR, 4, 77),
		IRQ(0),
		W(RTCLR, 4, 77), /* and by this */
		IRQ(1),
		W(RTCICR, 4, RTCINT),
		/* Across the counter's wrap. */
		W(RTCLR, 4, 0xfffffffe),
		W(RTCMR, 4, 1),
		WAIT_MS(2000),
		IRQ(0),
		WAIT_MS(1000),
		IRQ(1),
		W(RTCICR, 4, RTCINT),
		/* Once around. */
		W(RTCLR, 4, 2),
		WAIT_MS(UINT64_C(4294967294) * 1000),
		IRQ(0),
		WAIT_MS(1000),
		IRQ(1),
	};

	run(steps, ARRAY_SIZE(steps));
}
END_TEST

START_TEST(test_clock_set_back)
{
	static const struct device_step steps[] = {
		W(RTCMR, 4, START + 10), W(RTCIMSC, 4, RTCINT),
		WAIT_MS(5000),           WAIT_MS(-100000),
		R(RTCDR, 4, START - 95), R(RTCRIS, 4, 0),
		WAIT_MS(104000),         IRQ(0),
		WAIT_MS(1000),           IRQ(1),
	};

	run(steps, ARRAY_SIZE(steps));
}
END_TEST

/* A machine that was saved sleeps past its alarm: the interrupt comes when it wakes. */
START_TEST(test_match_while_saved)
{
	struct device_bench *before = device_bench_open(&kind);
	struct device_bench *after = device_bench_open(&kind);
	const struct state_table *table = before->device->ops->state;
	uint8_t *data;
	size_t size;

	device_write(before, RTCMR, 4, START + 10);
	device_write(before, RTCIMSC, 4, RTCINT);
	ck_assert_int_eq(state_save(table, before->device, &data, &size), 0);
	clock_advance(&after->clock, 60 * NS_PER_S);
	ck_assert_int_eq(state_load(table, after->device, data, size, NULL), 0);
	device_lock(after->device);
	ck_assert_int_eq(after->device->ops->loaded(after->device, NULL), 0);
	device_unlock(after->device);
	clock_advance(&after->clock, 0);
	ck_assert(after->irq_level);
	ck_assert_uint_eq(device_read(after, RTCDR, 4), START + 60);
	free(data);
	device_bench_close(after);
	device_bench_close(before);
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
	device_check_refused(&kind, "imsc", 2);
	device_check_refused(&kind, "ris", 2);
}
END_TEST

START_TEST(test_device_tree)
{
	device_check_node(&kind, "/rtc@9000000", 0x00041031);
}
END_TEST

const char unit_name[] = "pl031";
const struct unit_case unit_cases[] = {
	UNIT_CASE(test_registers),
	UNIT_CASE(test_counts),
	UNIT_CASE(test_match),
	UNIT_CASE(test_match_by_writing),
	UNIT_CASE(test_clock_set_back),
	UNIT_CASE(test_match_while_saved),
	UNIT_LOOP(test_random, 4),
	UNIT_LOOP(test_save_and_reset, 50),
	UNIT_LOOP(test_hostile_state, 3),
	UNIT_CASE(test_impossible_state),
	UNIT_CASE(test_device_tree),
	{0},
};
