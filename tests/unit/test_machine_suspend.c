/* SPDX-License-Identifier: Apache-2.0 */
/* PSCI SYSTEM_SUSPEND: who may, what wakes, and where the guest goes on. */
#include <string.h>

#include "machine/layout.h"
#include "machine_bench.h"
#include "unit.h"

#define SUSPEND_64 UINT64_C(0xc400000e)
#define SUSPEND_32 UINT64_C(0x8400000e)
#define ENTRY      (LAYOUT_RAM + 0x1234560)
#define CONTEXT    UINT64_C(0x1122334455667788)
#define DENIED     ((uint64_t)-3)
#define NOWHERE    ((uint64_t)-9)

#define SUSPENDS  GUEST_EXITS(VCPU_EXIT_SUSPEND)
#define WAKES     GUEST_EXITS(VCPU_EXIT_WAKEUP)
#define POWER_OFF GUEST_EXITS(VCPU_EXIT_SHUTDOWN)

#define PROGRAM(boot, vcpu, steps) fake_program(boot, vcpu, steps, ARRAY_SIZE(steps))

static char story[256]; /* what was told, a letter each */
static void (*on_suspended)(struct machine_bench *bench);

static void on_event(void *data, enum machine_event event)
{
	static const char letters[] = {
		[MACHINE_EVENT_STARTED] = 'B', [MACHINE_EVENT_SUSPENDED] = 's',
		[MACHINE_EVENT_WOKEN] = 'w',   [MACHINE_EVENT_PAUSED] = 'p',
		[MACHINE_EVENT_RESUMED] = 'r', [MACHINE_EVENT_DEVICE_LEAVES] = 0,
	};
	struct machine_bench *bench = data;
	size_t length = strlen(story);

	if (event < ARRAY_SIZE(letters) && letters[event]) {
		story[length] = letters[event];
		story[length + 1] = '\0';
	}
	if (event == MACHINE_EVENT_SUSPENDED && on_suspended)
		on_suspended(bench);
}

static void open_bench(struct machine_bench *bench)
{
	machine_bench_open(bench);
	bench->config.mem = 64 * MIB;
	bench->event = on_event;
	bench->event_data = bench;
	fake_host.on = 1;
	fake_host.call[0] = SUSPEND_64;
	fake_host.call[1] = ENTRY;
	fake_host.call[2] = CONTEXT;
	story[0] = '\0';
	on_suspended = NULL;
}

/* The last that X0, or PC, of the vCPU was set to. */
static uint64_t last_set(enum hyp_reg reg)
{
	const struct fake_record *found = NULL, *next;

	for (unsigned i = 0; (next = fake_find(FAKE_SET_REG, reg, i)); i++)
		found = next;
	ck_assert_ptr_nonnull(found);
	return found->b;
}

START_TEST(test_wakes)
{
	static const struct fake_step steps[] = {SUSPENDS, WAKES, SUSPENDS, WAKES, POWER_OFF};
	struct machine_bench bench;

	open_bench(&bench);
	PROGRAM(0, 0, steps);
	ck_assert_int_eq(machine_bench_run(&bench), MACHINE_POWERED_OFF);
	ck_assert_uint_eq(fake_count(FAKE_SUSPEND, 0), 2);
	ck_assert_uint_eq(fake_count(FAKE_RESET, 0), 2);
	ck_assert_uint_eq(last_set(HYP_REG_PC), ENTRY);
	ck_assert_uint_eq(last_set(HYP_REG_X0), CONTEXT);
	/* The end of the boot may be faster than the last word. */
	ck_assert_msg(!strncmp(story, "Bsws", 4), "%s", story);
	machine_bench_close(&bench);
}
END_TEST

static const struct refused_row {
	uint64_t function;
	uint64_t entry;
	uint64_t on;
	uint64_t answer; /* 0: it is granted, and goes on at @at with @context */
	uint64_t at;
	uint64_t context;
} refused_rows[] = {
	{SUSPEND_64, ENTRY, 3, DENIED, 0, 0},
	{SUSPEND_64, ENTRY, 5, DENIED, 0, 0},
	{SUSPEND_64, 0, 1, NOWHERE, 0, 0},
	{SUSPEND_64, LAYOUT_RAM - 4, 1, NOWHERE, 0, 0},
	{SUSPEND_64, LAYOUT_RAM + 64 * MIB, 1, NOWHERE, 0, 0},
	{SUSPEND_64, ENTRY + 2, 1, NOWHERE, 0, 0},
	{SUSPEND_64, ENTRY | BIT(32), 1, NOWHERE, 0, 0},
	{SUSPEND_64, UINT64_MAX - 3, 1, NOWHERE, 0, 0},
	{SUSPEND_64, LAYOUT_RAM, 1, 0, LAYOUT_RAM, CONTEXT},
	{SUSPEND_64, LAYOUT_RAM + 64 * MIB - 4, 1, 0, LAYOUT_RAM + 64 * MIB - 4, CONTEXT},
	{SUSPEND_32, ENTRY | BIT(32), 1, 0, ENTRY, CONTEXT &UINT32_MAX},
};

START_TEST(test_answers)
{
	static const struct fake_step steps[] = {SUSPENDS, WAKES, POWER_OFF};
	const struct refused_row *row = &refused_rows[_i];
	struct machine_bench bench;

	open_bench(&bench);
	bench.config.cpus = 3;
	fake_host.on = row->on;
	fake_host.call[0] = row->function;
	fake_host.call[1] = row->entry;
	PROGRAM(0, 0, steps);
	ck_assert_int_eq(machine_bench_run(&bench), MACHINE_POWERED_OFF);
	ck_assert_uint_eq(fake_count(FAKE_SUSPEND, 0), !row->answer);
	ck_assert_uint_eq(fake_count(FAKE_RESET, 0), !row->answer);
	ck_assert_uint_eq(last_set(HYP_REG_X0), row->answer ? row->answer : row->context);
	if (!row->answer)
		ck_assert_uint_eq(last_set(HYP_REG_PC), row->at);
	else
		ck_assert_str_eq(story, "B");
	machine_bench_close(&bench);
}
END_TEST

/* Two that call at once are both on. */
START_TEST(test_both)
{
	static const struct fake_step steps[] = {SUSPENDS, SUSPENDS, SUSPENDS, POWER_OFF};
	struct machine_bench bench;

	open_bench(&bench);
	bench.config.cpus = 2;
	fake_host.on = 3;
	PROGRAM(0, 0, steps);
	PROGRAM(0, 1, steps);
	ck_assert_int_eq(machine_bench_run(&bench), MACHINE_POWERED_OFF);
	ck_assert_uint_eq(fake_count(FAKE_SUSPEND, 0) + fake_count(FAKE_SUSPEND, 1), 0);
	ck_assert_uint_eq(last_set(HYP_REG_X0), DENIED);
	machine_bench_close(&bench);
}
END_TEST

static void wake(struct machine_bench *bench)
{
	ck_assert(machine_suspended(bench->machine));
	ck_assert_int_eq(machine_wakeup(bench->machine, &bench->err), 0);
	ck_assert(!machine_suspended(bench->machine));
	ck_assert_int_eq(machine_wakeup(bench->machine, &bench->err), -EINVAL);
	machine_stop(bench->machine);
}

static void wake_paused(struct machine_bench *bench)
{
	machine_pause(bench->machine);
	wake(bench);
}

static void reset_it(struct machine_bench *bench)
{
	on_suspended = NULL;
	machine_reset(bench->machine);
}

/* From outside; of a machine that is paused meanwhile, too. */
START_TEST(test_wakeup)
{
	static const struct fake_step steps[] = {SUSPENDS};
	struct machine_bench bench;

	open_bench(&bench);
	on_suspended = _i ? wake_paused : wake;
	PROGRAM(0, 0, steps);
	ck_assert_int_eq(machine_bench_run(&bench), MACHINE_STOPPED);
	ck_assert_uint_eq(fake_count(FAKE_RESET, 0), 1);
	ck_assert_uint_eq(last_set(HYP_REG_PC), ENTRY);
	ck_assert_uint_eq(last_set(HYP_REG_X0), CONTEXT);
	ck_assert_str_eq(story, _i ? "Bspw" : "Bsw");
	machine_bench_close(&bench);
}
END_TEST

/* What boots after a reset is awake, and a wake-up that comes late is none. */
START_TEST(test_reset)
{
	static const struct fake_step first[] = {SUSPENDS};
	static const struct fake_step second[] = {WAKES, POWER_OFF};
	struct machine_bench bench;

	open_bench(&bench);
	on_suspended = reset_it;
	PROGRAM(0, 0, first);
	PROGRAM(1, 0, second);
	ck_assert_int_eq(machine_bench_run(&bench), MACHINE_POWERED_OFF);
	ck_assert_uint_eq(fake_count(FAKE_RESET, 0), 0);
	ck_assert_str_eq(story, "BsB");
	machine_bench_close(&bench);
}
END_TEST

const struct unit_case unit_cases[] = {
	UNIT_CASE(test_wakes), UNIT_LOOP(test_answers, ARRAY_SIZE(refused_rows)),
	UNIT_CASE(test_both),  UNIT_LOOP(test_wakeup, 2),
	UNIT_CASE(test_reset), {0},
};
const char unit_name[] = "machine_suspend";
