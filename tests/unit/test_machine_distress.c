/* SPDX-License-Identifier: Apache-2.0 */
/* What a guest tells of itself by pvpanic and by watchdogs, and what becomes of it then. */
#include <stdatomic.h>
#include <unistd.h>

#include "devices/pvpanic.h"
#include "devices/sbsa_gwdt.h"
#include "devices/stall_detector.h"
#include "machine/layout.h"
#include "machine_bench.h"
#include "unit.h"

#define PROGRAM(boot, vcpu, steps) fake_program(boot, vcpu, steps, ARRAY_SIZE(steps))

#define PANIC "Kernel panic - not syncing: VFS\r\n"

static const struct fake_step shut_down[] = {GUEST_EXITS(VCPU_EXIT_SHUTDOWN)};

/* What pvpanic tells is known while the guest runs, and once. */
static atomic_uint panics;

static void count_panics(void *data, enum machine_event event)
{
	(void)data;
	panics += event == MACHINE_EVENT_PANICKED;
}

static void await_panic(void *data)
{
	(void)data;
	while (!panics)
		usleep(1000);
}

START_TEST(test_panic_is_told_at_once)
{
	static const struct fake_step steps[] = {
		GUEST_WRITES(LAYOUT_PVPANIC, 1, PVPANIC_PANICKED),
		GUEST_CALLS(await_panic, NULL),
		GUEST_WRITES(LAYOUT_PVPANIC, 1, PVPANIC_PANICKED),
		GUEST_PRINTS(PANIC),
		GUEST_EXITS(VCPU_EXIT_RESET),
	};
	struct machine_bench bench;

	panics = 0;
	machine_bench_open(&bench);
	bench.config.no_reboot = true;
	bench.event = count_panics;
	PROGRAM(0, 0, steps);
	ck_assert_int_eq(machine_bench_run(&bench), MACHINE_PANICKED);
	ck_assert_uint_eq(panics, 1);
	machine_bench_close(&bench);
}
END_TEST

/* A watchdog that has bitten, by what is to follow. */
static atomic_uint bites;

static void count_bites(void *data, enum machine_event event)
{
	struct machine_bench *bench = data;

	bites += event == MACHINE_EVENT_WATCHDOG;
	if (event == MACHINE_EVENT_PAUSED)
		machine_resume(bench->machine);
}

static void await_bite(void *data)
{
	(void)data;
	while (!bites)
		usleep(1000);
}

static const struct {
	enum config_watchdog action;
	bool no_reboot;
	enum machine_outcome outcome;
	unsigned boots;
	unsigned bites;
} bite_rows[] = {
	{CONFIG_WATCHDOG_RESET, false, MACHINE_POWERED_OFF, 2, 1},
	{CONFIG_WATCHDOG_RESET, true, MACHINE_HUNG, 1, 1},
	{CONFIG_WATCHDOG_POWEROFF, false, MACHINE_HUNG, 1, 1},
	{CONFIG_WATCHDOG_PAUSE, false, MACHINE_POWERED_OFF, 1, 1},
	{CONFIG_WATCHDOG_NONE, false, MACHINE_POWERED_OFF, 1, 1},
};

START_TEST(test_bite)
{
	static const struct fake_step hangs[] = {
		GUEST_WRITES(LAYOUT_SBSA_GWDT + WCS, 4, WCS_EN), /* with no time at all */
		GUEST_CALLS(await_bite, NULL),
		GUEST_WAITS_MS(50),
		GUEST_EXITS(VCPU_EXIT_SHUTDOWN),
	};
	struct machine_bench bench;

	bites = 0;
	machine_bench_open(&bench);
	bench.config.watchdog = bite_rows[_i].action;
	bench.config.no_reboot = bite_rows[_i].no_reboot;
	bench.event = count_bites;
	bench.event_data = &bench;
	PROGRAM(0, 0, hangs);
	PROGRAM(1, 0, shut_down);
	ck_assert_int_eq(machine_bench_run(&bench), bite_rows[_i].outcome);
	ck_assert_uint_eq(fake_count(FAKE_VM, FAKE_ANY), bite_rows[_i].boots);
	ck_assert_uint_eq(bites, bite_rows[_i].bites);
	machine_bench_close(&bench);
}
END_TEST

/* A vCPU that runs, and the one that it is told of. */
static void run_on(void *data)
{
	volatile unsigned turns = 0;

	(void)data;
	while (!bites)
		turns++;
}

START_TEST(test_stall)
{
	static const struct fake_step stalls[] = {
		GUEST_WRITES(LAYOUT_STALL_DETECTOR + 16 + STALL_CLOCK_FREQ_HZ, 4, 10),
		GUEST_WRITES(LAYOUT_STALL_DETECTOR + 16 + STALL_LOAD_CNT, 4, 3),
		GUEST_WRITES(LAYOUT_STALL_DETECTOR + 16 + STALL_STATUS, 4, 1),
		GUEST_CALLS(run_on, NULL),
	};
	struct machine_bench bench;
	struct machine_hang hang;

	bites = 0;
	machine_bench_open(&bench);
	bench.config.watchdog = CONFIG_WATCHDOG_POWEROFF;
	bench.config.cpus = 2;
	bench.event = count_bites;
	bench.event_data = &bench;
	PROGRAM(0, 1, stalls);
	ck_assert_int_eq(machine_bench_run(&bench), MACHINE_HUNG);
	machine_hang(bench.machine, &hang);
	ck_assert_int_eq(hang.cpu, 1);
	machine_bench_close(&bench);
}
END_TEST

/* There is none that was not asked for. */
START_TEST(test_no_watchdog)
{
	static const struct fake_step steps[] = {
		GUEST_WRITES(LAYOUT_SBSA_GWDT + WCS, 4, WCS_EN),
		GUEST_READS(LAYOUT_SBSA_GWDT + WCS, 4, 0),
		GUEST_EXITS(VCPU_EXIT_SHUTDOWN),
	};
	struct machine_bench bench;

	machine_bench_open(&bench);
	PROGRAM(0, 0, steps);
	ck_assert_int_eq(machine_bench_run(&bench), MACHINE_POWERED_OFF);
	machine_bench_close(&bench);
}
END_TEST

const char unit_name[] = "machine_distress";
const struct unit_case unit_cases[] = {
	UNIT_CASE(test_panic_is_told_at_once),
	UNIT_LOOP(test_bite, ARRAY_SIZE(bite_rows)),
	UNIT_CASE(test_stall),
	UNIT_CASE(test_no_watchdog),
	{0},
};
