/* SPDX-License-Identifier: Apache-2.0 */
#include "core/clock.h"

#include "core/device.h"
#include "unit.h"

#define MS INT64_C(1000000)

/* What an alarm that fires leaves behind. */
struct bell {
	struct clock *clock;
	struct clock_alarm alarm;
	struct device device; /* the owner */
	unsigned rings;
	int64_t rung_at;
	unsigned order;
	unsigned *counter;
	int64_t again; /* re-arm this much later, if not 0 */
};

static void ring(void *data)
{
	struct bell *bell = data;

	ck_assert(!lock_try(&bell->device.lock));
	ck_assert(!bell->alarm.armed);
	bell->rings++;
	bell->rung_at = clock_now(bell->clock);
	if (bell->counter)
		bell->order = ++*bell->counter;
	if (bell->again)
		clock_arm(bell->clock, &bell->alarm, bell->rung_at + bell->again);
	if (bell->clock->loop)
		event_loop_stop(bell->clock->loop);
}

static void bell_init(struct bell *bell, struct clock *clock)
{
	*bell = (struct bell){.clock = clock};
	device_init(&bell->device, NULL, "bell");
	bell->alarm = (struct clock_alarm){.fire = ring, .data = bell, .owner = &bell->device};
}

START_TEST(test_manual)
{
	struct clock clock;
	struct bell bell;

	clock_init_manual(&clock, 1000);
	bell_init(&bell, &clock);
	ck_assert_int_eq(clock_now(&clock), 1000);
	clock_arm(&clock, &bell.alarm, 1500);
	clock_advance(&clock, 499);
	ck_assert_uint_eq(bell.rings, 0);
	clock_advance(&clock, 1);
	ck_assert_uint_eq(bell.rings, 1);
	ck_assert_int_eq(bell.rung_at, 1500);
	clock_advance(&clock, 10000);
	ck_assert_uint_eq(bell.rings, 1);
	ck_assert_int_eq(clock_now(&clock), 11500);
	/* Fired when due, though the step goes further. */
	clock_arm(&clock, &bell.alarm, 12000);
	clock_arm(&clock, &bell.alarm, 13000); /* replaces */
	clock_advance(&clock, 5000);
	ck_assert_uint_eq(bell.rings, 2);
	ck_assert_int_eq(bell.rung_at, 13000);
	ck_assert_int_eq(clock_now(&clock), 16500);
	/* Passed already: soon, but not from within. */
	clock_arm(&clock, &bell.alarm, 1);
	ck_assert_uint_eq(bell.rings, 2);
	clock_advance(&clock, 0);
	ck_assert_uint_eq(bell.rings, 3);
	ck_assert_int_eq(bell.rung_at, 16500);
	clock_arm(&clock, &bell.alarm, 20000);
	clock_disarm(&clock, &bell.alarm);
	clock_disarm(&clock, &bell.alarm);
	clock_advance(&clock, 100000);
	ck_assert_uint_eq(bell.rings, 3);
	clock_advance(&clock, -100000);
	ck_assert_int_eq(clock_now(&clock), 16500);
	device_finish(&bell.device);
}
END_TEST

START_TEST(test_manual_order)
{
	struct clock clock;
	struct bell bells[3];
	unsigned counter = 0;

	clock_init_manual(&clock, 0);
	for (size_t i = 0; i < ARRAY_SIZE(bells); i++) {
		bell_init(&bells[i], &clock);
		bells[i].counter = &counter;
	}
	clock_arm(&clock, &bells[0].alarm, 300);
	clock_arm(&clock, &bells[2].alarm, 200);
	clock_arm(&clock, &bells[1].alarm, 100);
	bells[1].again = 150;
	clock_advance(&clock, 260);
	ck_assert_uint_eq(bells[2].order, 2);
	ck_assert_uint_eq(bells[1].order, 3); /* once more, at 250 */
	ck_assert_uint_eq(bells[0].rings, 0);
	bells[1].again = 0;
	clock_advance(&clock, 1000);
	ck_assert_uint_eq(bells[0].order, 4);
	ck_assert_uint_eq(bells[1].rings, 3);
	for (size_t i = 0; i < ARRAY_SIZE(bells); i++)
		device_finish(&bells[i].device);
}
END_TEST

/* Wait in the loop until the bell stops it. */
static void wait_for(struct bell *bell, unsigned rings)
{
	while (bell->rings < rings)
		ck_assert_int_eq(event_loop_run(bell->clock->loop), 0);
}

START_TEST(test_host)
{
	static const int64_t offsets[] = {20 * MS, 0, -5 * MS, -3600 * NS_PER_S};
	struct event_loop *loop;
	struct clock clock;
	struct bell bell;
	int64_t start, deadline;

	ck_assert_int_eq(event_loop_create(&loop, NULL), 0);
	clock_init_host(&clock, loop);
	bell_init(&bell, &clock);
	start = clock_now(&clock);
	ck_assert_int_gt(start, INT64_C(1600000000) * NS_PER_S);
	deadline = start + offsets[_i];
	device_lock(&bell.device);
	clock_arm(&clock, &bell.alarm, deadline);
	ck_assert_uint_eq(bell.rings, 0);
	device_unlock(&bell.device);
	wait_for(&bell, 1);
	ck_assert_int_ge(bell.rung_at, deadline);
	ck_assert_int_lt(bell.rung_at, start + 10 * NS_PER_S);
	ck_assert(!bell.alarm.armed);
	clock_disarm(&clock, &bell.alarm);
	ck_assert_ptr_null(bell.alarm.source.loop);
	event_loop_destroy(loop);
	device_finish(&bell.device);
}
END_TEST

START_TEST(test_host_replace_and_disarm)
{
	struct event_loop *loop;
	struct clock clock;
	struct bell first, second;
	int64_t now;

	ck_assert_int_eq(event_loop_create(&loop, NULL), 0);
	clock_init_host(&clock, loop);
	bell_init(&first, &clock);
	bell_init(&second, &clock);
	now = clock_now(&clock);
	clock_arm(&clock, &first.alarm, now + 3600 * NS_PER_S);
	clock_arm(&clock, &first.alarm, now + 3600 * NS_PER_S);
	clock_arm(&clock, &first.alarm, now + 10 * MS); /* replaces */
	clock_arm(&clock, &second.alarm, now + 5 * MS);
	clock_disarm(&clock, &second.alarm);
	clock_disarm(&clock, &second.alarm);
	wait_for(&first, 1);
	ck_assert_uint_eq(second.rings, 0);
	/* From within its own callback. */
	first.again = 2 * MS;
	clock_arm(&clock, &first.alarm, INT64_MIN);
	wait_for(&first, 3);
	/* The end of time is far. */
	clock_arm(&clock, &second.alarm, INT64_MAX);
	ck_assert(second.alarm.armed);
	clock_disarm(&clock, &first.alarm);
	clock_disarm(&clock, &second.alarm);
	event_loop_destroy(loop);
	device_finish(&first.device);
	device_finish(&second.device);
}
END_TEST

const char unit_name[] = "clock";
const struct unit_case unit_cases[] = {
	UNIT_CASE(test_manual),
	UNIT_CASE(test_manual_order),
	UNIT_LOOP(test_host, 4),
	UNIT_CASE(test_host_replace_and_disarm),
	{0},
};
