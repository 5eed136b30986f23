/* SPDX-License-Identifier: Apache-2.0 */
/* That a driver of the guest's works is told, once in each boot. */
#include <linux/virtio_mmio.h>

#include "machine/layout.h"
#include "machine_bench.h"
#include "unit.h"

#define SOURCE    (LAYOUT_VIRTIO) /* of entropy, as no other device is asked for */
#define STATUS    (SOURCE + VIRTIO_MMIO_STATUS)
#define FEATURES  (VIRTIO_CONFIG_S_ACKNOWLEDGE | VIRTIO_CONFIG_S_DRIVER)
#define CHECKED   (FEATURES | VIRTIO_CONFIG_S_FEATURES_OK)
#define DRIVER_OK (CHECKED | VIRTIO_CONFIG_S_DRIVER_OK)

#define DRIVE                                                                 \
	GUEST_WRITES(STATUS, 4, 0), GUEST_WRITES(STATUS, 4, FEATURES),        \
		GUEST_WRITES(SOURCE + VIRTIO_MMIO_DRIVER_FEATURES_SEL, 4, 1), \
		GUEST_WRITES(SOURCE + VIRTIO_MMIO_DRIVER_FEATURES, 4,         \
			     1U << (VIRTIO_F_VERSION_1 - 32)),                \
		GUEST_WRITES(STATUS, 4, CHECKED), GUEST_WRITES(STATUS, 4, DRIVER_OK)

#define PROGRAM(boot, steps) fake_program(boot, 0, steps, ARRAY_SIZE(steps))

static unsigned started, drivers, boots;

static void on_event(void *data, enum machine_event event)
{
	const struct machine_bench *bench = data;

	if (event == MACHINE_EVENT_STARTED)
		started++;
	if (event != MACHINE_EVENT_DRIVER)
		return;
	drivers++;
	ck_assert_uint_eq(started, drivers);
	if (drivers < boots)
		machine_reset(bench->machine);
	else
		machine_stop(bench->machine);
}

static void open_bench(struct machine_bench *bench)
{
	machine_bench_open(bench);
	bench->event = on_event;
	bench->event_data = bench;
	bench->tell_driver = true;
	started = drivers = 0;
	boots = 2;
}

/* A driver that begins twice in a boot is told of once. */
START_TEST(test_driver)
{
	static const struct fake_step steps[] = {DRIVE, DRIVE};
	struct machine_bench bench;

	open_bench(&bench);
	PROGRAM(0, steps);
	PROGRAM(1, steps);
	ck_assert_int_eq(machine_bench_run(&bench), MACHINE_STOPPED);
	ck_assert_uint_eq(drivers, 2);
	machine_bench_close(&bench);
}
END_TEST

START_TEST(test_no_device)
{
	struct machine_bench bench;

	open_bench(&bench);
	bench.config.nodefaults = true;
	ck_assert_int_eq(machine_bench_run(&bench), MACHINE_STOPPED);
	ck_assert_uint_eq(drivers, 2);
	machine_bench_close(&bench);
}
END_TEST

/* Nor does it matter that the boot ends at once. */
START_TEST(test_not_asked)
{
	static const struct fake_step steps[] = {DRIVE, GUEST_EXITS(VCPU_EXIT_SHUTDOWN)};
	struct machine_bench bench;

	open_bench(&bench);
	bench.tell_driver = _i;
	bench.config.nodefaults = !_i;
	boots = 1;
	PROGRAM(0, steps);
	capture_stderr();
	machine_bench_run(&bench);
	captured_stderr(); /* without the device its accesses are strays */
	ck_assert_uint_eq(started, 1);
	ck_assert_uint_le(drivers, (unsigned)_i);
	machine_bench_close(&bench);
}
END_TEST

/* What the driver does wrong is no beginning. */
START_TEST(test_refused)
{
	static const struct fake_step steps[] = {
		GUEST_WRITES(STATUS, 4, FEATURES),
		GUEST_WRITES(STATUS, 4, FEATURES | VIRTIO_CONFIG_S_DRIVER_OK),
		GUEST_WAITS_MS(20),
		GUEST_EXITS(VCPU_EXIT_SHUTDOWN),
	};
	struct machine_bench bench;

	open_bench(&bench);
	PROGRAM(0, steps);
	capture_stderr();
	ck_assert_int_eq(machine_bench_run(&bench), MACHINE_POWERED_OFF);
	captured_stderr();
	ck_assert_uint_eq(drivers, 0);
	machine_bench_close(&bench);
}
END_TEST

const struct unit_case unit_cases[] = {
	UNIT_CASE(test_driver),
	UNIT_CASE(test_no_device),
	UNIT_LOOP(test_not_asked, 2),
	UNIT_CASE(test_refused),
	{0},
};
const char unit_name[] = "machine_driver";
