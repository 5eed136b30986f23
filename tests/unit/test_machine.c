/* SPDX-License-Identifier: Apache-2.0 */
/* The life of a machine, from power-on to the end, with a guest that is a script. */
#include <stdatomic.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "devices/pl011.h"
#include "devices/pl031.h"
#include "devices/pl061.h"
#include "devices/pvpanic.h"
#include "machine/layout.h"
#include "machine_bench.h"
#include "unit.h"

#define DEFAULT_CR (UARTCR_UARTEN | UARTCR_TXE)

#define PANIC "[    0.5] Kernel panic - not syncing: VFS\r\n"

static const struct fake_step shut_down[] = {GUEST_EXITS(VCPU_EXIT_SHUTDOWN)};
static const struct fake_step resets[] = {GUEST_EXITS(VCPU_EXIT_RESET)};
static const struct fake_step panics_and_resets[] = {
	GUEST_PRINTS(PANIC),
	GUEST_EXITS(VCPU_EXIT_RESET),
};
static const struct fake_step panics_and_shuts_down[] = {
	GUEST_PRINTS(PANIC),
	GUEST_EXITS(VCPU_EXIT_SHUTDOWN),
};
static const struct fake_step tells_and_resets[] = {
	GUEST_READS(LAYOUT_PVPANIC, 1, PVPANIC_ALL),
	GUEST_WRITES(LAYOUT_PVPANIC, 1, PVPANIC_PANICKED),
	GUEST_EXITS(VCPU_EXIT_RESET),
};
static const struct fake_step tells_of_crash[] = {
	GUEST_WRITES(LAYOUT_PVPANIC, 1, PVPANIC_CRASH_LOADED),
	GUEST_EXITS(VCPU_EXIT_RESET),
};
static const struct fake_step wants_to_be_off[] = {
	GUEST_WRITES(LAYOUT_PVPANIC, 1, PVPANIC_SHUTDOWN),
};
static const struct fake_step fails[] = {
	GUEST_PRINTS("last words\r\n"),
	GUEST_EXITS_AT(VCPU_EXIT_FAIL_ENTRY, 0, 7),
};

#define PROGRAM(boot, vcpu, steps) fake_program(boot, vcpu, steps, ARRAY_SIZE(steps))

struct life_row {
	const struct fake_step *steps;
	size_t count;
	bool no_reboot;
	enum machine_outcome outcome;
	unsigned boots;
};

#define LIFE(table) .steps = (table), .count = ARRAY_SIZE(table)

static const struct life_row life_rows[] = {
	{LIFE(shut_down), false, MACHINE_POWERED_OFF, 1},
	{LIFE(shut_down), true, MACHINE_POWERED_OFF, 1},
	{LIFE(resets), true, MACHINE_RESET, 1},
	{LIFE(resets), false, MACHINE_POWERED_OFF, 2},
	{LIFE(panics_and_resets), true, MACHINE_PANICKED, 1},
	{LIFE(panics_and_resets), false, MACHINE_POWERED_OFF, 2},
	{LIFE(panics_and_shuts_down), true, MACHINE_POWERED_OFF, 1},
	{LIFE(tells_and_resets), true, MACHINE_PANICKED, 1},
	{LIFE(tells_and_resets), false, MACHINE_POWERED_OFF, 2},
	{LIFE(tells_of_crash), true, MACHINE_PANICKED, 1},
	{LIFE(wants_to_be_off), false, MACHINE_POWERED_OFF, 1},
	{LIFE(fails), false, MACHINE_FAILED, 1},
	{LIFE(fails), true, MACHINE_FAILED, 1},
};

START_TEST(test_life)
{
	const struct life_row *row = &life_rows[_i];
	struct machine_bench bench;
	const char *text;

	machine_bench_open(&bench);
	bench.config.no_reboot = row->no_reboot;
	fake_program(0, 0, row->steps, row->count);
	PROGRAM(1, 0, shut_down);
	capture_stderr();
	ck_assert_int_eq(machine_bench_run(&bench), row->outcome);
	text = captured_stderr();
	ck_assert_uint_eq(fake_count(FAKE_VM, FAKE_ANY), row->boots);
	ck_assert_uint_ge(bench.port.drains, row->boots);
	if (row->outcome == MACHINE_FAILED) {
		ck_assert_ptr_nonnull(strstr(text, "FAIL_ENTRY, detail 0x7"));
		ck_assert_ptr_nonnull(strstr(text, "PSTATE"));
		ck_assert_ptr_nonnull(strstr(text, "armlet: last words\n"));
	} else {
		ck_assert_str_eq(text, "");
	}
	machine_bench_close(&bench);
}
END_TEST

/* The second boot finds everything as a machine that was just switched on has it. */
START_TEST(test_reboot_is_fresh)
{
	static const struct fake_step first[] = {
		GUEST_READS(LAYOUT_PL011 + UARTCR, 4, DEFAULT_CR),
		GUEST_WRITES(LAYOUT_PL011 + UARTCR, 4, DEFAULT_CR | UARTCR_RXE | UARTCR_DTR),
		GUEST_WRITES(LAYOUT_PL011 + UARTIMSC, 4, UARTINT_TX),
		GUEST_WRITES(LAYOUT_PL011 + UARTDR, 4, '1'),
		GUEST_WAITS_IRQ(LAYOUT_SPI_PL011, 1),
		GUEST_WRITES(LAYOUT_PL031 + RTCMR, 4, 5),
		GUEST_WRITES(LAYOUT_PL061 + GPIODIR, 4, 0xff),
		GUEST_READS(LAYOUT_PL061 + GPIODIR, 4, 0xff),
		GUEST_EXITS(VCPU_EXIT_RESET),
	};
	static const struct fake_step second[] = {
		GUEST_WAITS_IRQ(LAYOUT_SPI_PL011, 0),
		GUEST_READS(LAYOUT_PL011 + UARTCR, 4, DEFAULT_CR),
		GUEST_READS(LAYOUT_PL011 + UARTIMSC, 4, 0),
		GUEST_READS(LAYOUT_PL011 + UARTRIS, 4, 0),
		GUEST_READS(LAYOUT_PL031 + RTCMR, 4, 0),
		GUEST_READS(LAYOUT_PL061 + GPIODIR, 4, 0),
		GUEST_WRITES(LAYOUT_PL011 + UARTDR, 4, '2'),
		GUEST_EXITS(VCPU_EXIT_SHUTDOWN),
	};
	struct machine_bench bench;

	machine_bench_open(&bench);
	bench.config.cpus = 2;
	PROGRAM(0, 0, first);
	PROGRAM(1, 0, second);
	ck_assert_int_eq(machine_bench_run(&bench), MACHINE_POWERED_OFF);
	ck_assert_str_eq(bench.port.output, "12");
	/* Both boots: the second vCPU off, and the first at the kernel with its tree. */
	for (unsigned boot = 0; boot < 2; boot++) {
		ck_assert_uint_eq(fake_find(FAKE_VCPU, 0, boot)->b, false);
		ck_assert_uint_eq(fake_find(FAKE_VCPU, 1, boot)->b, true);
		ck_assert_uint_eq(fake_find(FAKE_SET_REG, HYP_REG_PC, boot)->b,
				  LAYOUT_RAM + 0x80000);
		ck_assert(is_aligned(fake_find(FAKE_SET_REG, HYP_REG_X0, boot)->b, 2 * MIB));
		ck_assert_uint_eq(fake_find(FAKE_SET_REG, HYP_REG_X0, boot)->c, 0);
	}
	machine_bench_close(&bench);
}
END_TEST

/* But for the clock, which has a battery of its own: it stays as the guest has set it. */
START_TEST(test_clock_stays_set)
{
	static const struct fake_step first[] = {
		GUEST_WRITES(LAYOUT_PL031 + RTCLR, 4, 0x12345600),
		GUEST_READS_MASKED(LAYOUT_PL031 + RTCDR, 4, 0xffffff00, 0x12345600),
		GUEST_EXITS(VCPU_EXIT_RESET),
	};
	static const struct fake_step second[] = {
		GUEST_READS_MASKED(LAYOUT_PL031 + RTCDR, 4, 0xffffff00, 0x12345600),
		GUEST_EXITS(VCPU_EXIT_SHUTDOWN),
	};
	struct machine_bench bench;

	machine_bench_open(&bench);
	PROGRAM(0, 0, first);
	PROGRAM(1, 0, second);
	ck_assert_int_eq(machine_bench_run(&bench), MACHINE_POWERED_OFF);
	machine_bench_close(&bench);
}
END_TEST

START_TEST(test_many_reboots)
{
	struct machine_bench bench;

	machine_bench_open(&bench);
	for (unsigned boot = 0; boot + 1 < FAKE_BOOTS; boot++)
		PROGRAM(boot, 0, resets);
	PROGRAM(FAKE_BOOTS - 1, 0, shut_down);
	ck_assert_int_eq(machine_bench_run(&bench), MACHINE_POWERED_OFF);
	ck_assert_uint_eq(fake_count(FAKE_VM, FAKE_ANY), FAKE_BOOTS);
	machine_bench_close(&bench);
}
END_TEST

/* A panic of the boot before is not one of this boot. */
START_TEST(test_panic_is_of_its_boot)
{
	struct machine_bench bench;
	struct machine *machine;

	machine_bench_open(&bench);
	PROGRAM(0, 0, panics_and_resets);
	PROGRAM(1, 0, shut_down);
	machine = machine_bench_create(&bench);
	ck_assert_int_eq(machine_bench_run(&bench), MACHINE_POWERED_OFF);
	ck_assert(!machine->console.panicked);
	machine_bench_close(&bench);
}
END_TEST

/* Any vCPU may end the machine; all the others come out of the guest. */
START_TEST(test_other_vcpu_ends)
{
	static const struct fake_step later[] = {GUEST_WAITS_MS(20),
						 GUEST_EXITS(VCPU_EXIT_SHUTDOWN)};
	struct machine_bench bench;

	machine_bench_open(&bench);
	bench.config.cpus = 17;
	PROGRAM(0, 16, later);
	ck_assert_int_eq(machine_bench_run(&bench), MACHINE_POWERED_OFF);
	for (uint32_t i = 0; i < 17; i++)
		ck_assert_uint_ge(fake_count(FAKE_KICK, i), 1);
	machine_bench_close(&bench);
}
END_TEST

/* A guest that ends while its other vCPUs are still being started. */
START_TEST(test_ends_while_starting)
{
	struct machine_bench bench;

	machine_bench_open(&bench);
	bench.config.cpus = 64;
	PROGRAM(0, 0, shut_down);
	ck_assert_int_eq(machine_bench_run(&bench), MACHINE_POWERED_OFF);
	machine_bench_close(&bench);
}
END_TEST

/* Callbacks of the main thread while the guest runs: a timer that calls a function. */
struct later {
	struct event_source timer;
	struct machine_bench *bench;
	void (*call)(struct machine *machine);
	unsigned calls;
};

static void on_later(void *data, unsigned events)
{
	struct later *later = data;

	(void)events;
	later->calls++;
	later->call(later->bench->machine);
}

static void call_later(struct later *later, struct machine_bench *bench, unsigned ms,
		       void (*call)(struct machine *machine))
{
	*later = (struct later){.bench = bench, .call = call};
	later->timer = (struct event_source){.fd = -1, .callback = on_later, .data = later};
	ck_assert_int_eq(event_loop_add_timer(bench->loop, &later->timer, CLOCK_MONOTONIC), 0);
	ck_assert_int_eq(event_timer_set(&later->timer, ms * UINT64_C(1000000), 0), 0);
}

START_TEST(test_stop)
{
	struct machine_bench bench;
	struct later later;

	machine_bench_open(&bench);
	bench.config.cpus = 2;
	call_later(&later, &bench, 20, machine_stop);
	ck_assert_int_eq(machine_bench_run(&bench), MACHINE_STOPPED);
	event_source_remove(&later.timer);
	machine_bench_close(&bench);
}
END_TEST

/* A stop that comes when the guest has just reset: it does not boot again. */
static void reset_then_stop(struct machine *machine)
{
	machine_end_reset(machine);
	machine_stop(machine);
}

static void stop_then_reset(struct machine *machine)
{
	machine_stop(machine);
	machine_end_reset(machine);
}

START_TEST(test_stop_beats_reset)
{
	struct machine_bench bench;
	struct later later;

	machine_bench_open(&bench);
	call_later(&later, &bench, 20, _i ? reset_then_stop : stop_then_reset);
	ck_assert_int_eq(machine_bench_run(&bench), MACHINE_STOPPED);
	ck_assert_uint_eq(fake_count(FAKE_VM, FAKE_ANY), 1);
	event_source_remove(&later.timer);
	machine_bench_close(&bench);
}
END_TEST

/* A pause: when it has begun nobody is in the guest, and nothing is printed until it ends. */
#define PAUSES       20
#define PIECE        100 /* bytes */
#define PRINTS_PIECE GUEST_PRINTS_TIMES("x", PIECE), GUEST_WAITS_MS(1)
#define PIECES       12

static unsigned written(void)
{
	return fake_count(FAKE_QUEUED, FAKE_ANY) + fake_count(FAKE_TRAPPED, FAKE_ANY);
}

static atomic_int paused_enough;
static unsigned pauses;

static void hold_a_while(struct machine *machine)
{
	unsigned before;

	if (paused_enough) /* the guest ends meanwhile */
		return;
	machine_pause(machine);
	before = written();
	for (uint32_t i = 0; i < machine->board.vcpu_count; i++)
		ck_assert(!machine->board.vcpus[i].inside);
	/* It stays out of the guest no longer than it has to: it is not kicked for ever. */
	for (uint32_t i = 0; i < machine->board.vcpu_count; i++)
		ck_assert_uint_le(machine->board.vcpus[i].exits[VCPU_EXIT_INTERRUPTED],
				  4 * (pauses + 1));
	if (pauses % 2)
		usleep(2000);
	ck_assert_uint_eq(written(), before);
	ck_assert(machine_paused(machine));
	machine_resume(machine);
	if (++pauses == PAUSES)
		paused_enough = true;
}

START_TEST(test_pause)
{
	static const struct fake_step steps[] = {
		PRINTS_PIECE,
		PRINTS_PIECE,
		PRINTS_PIECE,
		PRINTS_PIECE,
		PRINTS_PIECE,
		PRINTS_PIECE,
		PRINTS_PIECE,
		PRINTS_PIECE,
		PRINTS_PIECE,
		PRINTS_PIECE,
		PRINTS_PIECE,
		PRINTS_PIECE,
		GUEST_WAITS_FOR(&paused_enough),
		GUEST_EXITS(VCPU_EXIT_SHUTDOWN),
	};
	struct machine_bench bench;
	struct later later;

	machine_bench_open(&bench);
	bench.config.cpus = 3;
	PROGRAM(0, 0, steps);
	call_later(&later, &bench, 1, hold_a_while);
	event_timer_set(&later.timer, 1000000, 1000000);
	ck_assert_int_eq(machine_bench_run(&bench), MACHINE_POWERED_OFF);
	ck_assert_uint_ge(pauses, PAUSES);
	ck_assert_uint_eq(written(), PIECES * PIECE);
	event_source_remove(&later.timer);
	machine_bench_close(&bench);
}
END_TEST

/* An SError for the first vCPU, whether the machine runs or is paused, which it stays. */
static void inject(struct machine *machine)
{
	ck_assert_int_eq(machine_inject_serror(machine, NULL), 0);
	ck_assert(!machine_paused(machine));
	machine_pause(machine);
	ck_assert_int_eq(machine_inject_serror(machine, NULL), 0);
	ck_assert(machine_paused(machine));
	machine_resume(machine);
	machine_stop(machine);
}

START_TEST(test_serror)
{
	struct machine_bench bench;
	struct later later;

	machine_bench_open(&bench);
	bench.config.cpus = 2;
	machine_bench_create(&bench);
	ck_assert_int_eq(machine_inject_serror(bench.machine, &bench.err), -ESRCH);
	call_later(&later, &bench, 20, inject);
	ck_assert_int_eq(machine_bench_run(&bench), MACHINE_STOPPED);
	ck_assert_uint_eq(fake_count(FAKE_SERROR, 0), 2);
	ck_assert_uint_eq(fake_count(FAKE_SERROR, 1), 0);
	event_source_remove(&later.timer);
	machine_bench_close(&bench);
}
END_TEST

/* The power key goes down, which interrupts a guest that listens, and up again. */
#define POWER_KEY     BIT(PL061_POWER_KEY_LINE)
#define POWER_KEY_REG (LAYOUT_PL061 + GPIODATA + (POWER_KEY << 2))

/* The guest has looked: now it may be pressed, once, by the main thread. */
static atomic_bool key_awaited;

static void await_key(void *data)
{
	(void)data;
	key_awaited = true;
}

static void press_when_awaited(struct machine *machine)
{
	if (atomic_exchange(&key_awaited, false))
		machine_press_power_key(machine);
}

static void press_later(struct later *later, struct machine_bench *bench)
{
	key_awaited = false;
	call_later(later, bench, 1, press_when_awaited);
	ck_assert_int_eq(event_timer_set(&later->timer, 1000000, 1000000), 0);
}

START_TEST(test_power_key)
{
	static const struct fake_step steps[] = {
		GUEST_WRITES(LAYOUT_PL061 + GPIOIEV, 4, POWER_KEY),
		GUEST_WRITES(LAYOUT_PL061 + GPIOIE, 4, POWER_KEY),
		GUEST_READS(POWER_KEY_REG, 4, 0),
		GUEST_CALLS(await_key, NULL),
		GUEST_WAITS_IRQ(LAYOUT_SPI_PL061, 1),
		GUEST_READS(LAYOUT_PL061 + GPIOMIS, 4, POWER_KEY),
		GUEST_WRITES(LAYOUT_PL061 + GPIOIEV, 4, 0),
		GUEST_WRITES(LAYOUT_PL061 + GPIOIS, 4, POWER_KEY), /* low level */
		GUEST_WRITES(LAYOUT_PL061 + GPIOIC, 4, POWER_KEY),
		GUEST_WAITS_IRQ(LAYOUT_SPI_PL061, 1),
		GUEST_READS(POWER_KEY_REG, 4, 0),
		GUEST_EXITS(VCPU_EXIT_SHUTDOWN),
	};
	struct machine_bench bench;
	struct machine *machine;
	struct later later;

	machine_bench_open(&bench);
	PROGRAM(0, 0, steps);
	machine = machine_bench_create(&bench);
	ck_assert(!machine_has_power_key(machine));
	machine_press_power_key(machine); /* nothing to press yet */
	press_later(&later, &bench);
	ck_assert_int_eq(machine_bench_run(&bench), MACHINE_POWERED_OFF);
	ck_assert(!machine_has_power_key(machine));
	machine_press_power_key(machine);
	event_source_remove(&later.timer);
	machine_bench_close(&bench);
}
END_TEST

static void check_no_power_key(struct machine *machine)
{
	ck_assert(!machine_has_power_key(machine));
	machine_press_power_key(machine);
	machine_stop(machine);
}

START_TEST(test_no_power_key_with_nodefaults)
{
	struct machine_bench bench;
	struct later later;

	machine_bench_open(&bench);
	bench.config.nodefaults = true;
	call_later(&later, &bench, 20, check_no_power_key);
	ck_assert_int_eq(machine_bench_run(&bench), MACHINE_STOPPED);
	ck_assert_uint_eq(later.calls, 1);
	event_source_remove(&later.timer);
	machine_bench_close(&bench);
}
END_TEST

/* The key is down when the guest resets: the next boot's is not. */
START_TEST(test_power_key_across_reset)
{
	static const struct fake_step first[] = {
		GUEST_WRITES(LAYOUT_PL061 + GPIOIEV, 4, POWER_KEY),
		GUEST_WRITES(LAYOUT_PL061 + GPIOIE, 4, POWER_KEY),
		GUEST_CALLS(await_key, NULL),
		GUEST_WAITS_IRQ(LAYOUT_SPI_PL061, 1),
		GUEST_EXITS(VCPU_EXIT_RESET),
	};
	static const struct fake_step second[] = {
		GUEST_READS(POWER_KEY_REG, 4, 0),
		GUEST_WAITS_MS(150),
		GUEST_EXITS(VCPU_EXIT_SHUTDOWN),
	};
	struct machine_bench bench;
	struct later later;

	machine_bench_open(&bench);
	PROGRAM(0, 0, first);
	PROGRAM(1, 0, second);
	press_later(&later, &bench);
	ck_assert_int_eq(machine_bench_run(&bench), MACHINE_POWERED_OFF);
	event_source_remove(&later.timer);
	machine_bench_close(&bench);
}
END_TEST

/* Input that was there before the machine, and a break, reach a guest that asks. */
static struct machine_bench input_bench;

static void send_break(void *data)
{
	struct machine_bench *bench = data;

	machine_send_break(bench->machine);
}

static const struct fake_step takes_input[] = {
	GUEST_WRITES(LAYOUT_PL011 + UARTIMSC, 4, UARTINT_RX | UARTINT_RT),
	GUEST_WRITES(LAYOUT_PL011 + UARTCR, 4, DEFAULT_CR | UARTCR_RXE),
	GUEST_WAITS_IRQ(LAYOUT_SPI_PL011, 1),
	GUEST_READS(LAYOUT_PL011 + UARTDR, 4, 'h'),
	GUEST_READS(LAYOUT_PL011 + UARTDR, 4, 'i'),
	GUEST_READS(LAYOUT_PL011 + UARTFR, 4, UARTFR_TXFE | UARTFR_RXFE),
	GUEST_WAITS_IRQ(LAYOUT_SPI_PL011, 0),
	GUEST_CALLS(send_break, &input_bench),
	GUEST_WAITS_IRQ(LAYOUT_SPI_PL011, 1),
	GUEST_READS(LAYOUT_PL011 + UARTDR, 4, UARTDR_BE),
	GUEST_EXITS(VCPU_EXIT_SHUTDOWN),
};

START_TEST(test_input)
{
	struct machine_bench *bench = &input_bench;
	struct machine *machine;

	machine_bench_open(bench);
	PROGRAM(0, 0, takes_input);
	bench->port.input = "hi";
	machine = machine_bench_create(bench);
	machine_input_ready(machine); /* before there is a board */
	machine_send_break(machine);
	ck_assert_int_eq(machine_bench_run(bench), MACHINE_POWERED_OFF);
	machine_bench_close(bench);
}
END_TEST

/* Without the ring, and without read-only memory, all works by exits alone. */
START_TEST(test_host_without_short_cuts)
{
	static const struct fake_step steps[] = {
		GUEST_PRINTS("slow but sure\n"),
		GUEST_READS(LAYOUT_PL011 + UARTFR, 4, UARTFR_TXFE | UARTFR_RXFE),
		GUEST_EXITS(VCPU_EXIT_SHUTDOWN),
	};
	struct machine_bench bench;

	machine_bench_open(&bench);
	fake_host.no_ring = true;
	fake_host.shadow_error = EINVAL;
	PROGRAM(0, 0, steps);
	capture_stderr();
	ck_assert_int_eq(machine_bench_run(&bench), MACHINE_POWERED_OFF);
	ck_assert_uint_eq(count_text(captured_stderr(), "cannot be shadowed"), 2);
	ck_assert_str_eq(bench.port.output, "slow but sure\n");
	ck_assert_uint_eq(fake_count(FAKE_QUEUED, FAKE_ANY), 0);
	ck_assert_uint_eq(fake_count(FAKE_DIRECT, FAKE_ANY), 0);
	machine_bench_close(&bench);
}
END_TEST

const struct unit_case unit_cases[] = {
	UNIT_LOOP(test_life, ARRAY_SIZE(life_rows)),
	UNIT_CASE(test_reboot_is_fresh),
	UNIT_CASE(test_clock_stays_set),
	UNIT_CASE(test_many_reboots),
	UNIT_CASE(test_panic_is_of_its_boot),
	UNIT_CASE(test_other_vcpu_ends),
	UNIT_CASE(test_ends_while_starting),
	UNIT_CASE(test_stop),
	UNIT_LOOP(test_stop_beats_reset, 2),
	UNIT_CASE(test_pause),
	UNIT_CASE(test_serror),
	UNIT_CASE(test_power_key),
	UNIT_CASE(test_no_power_key_with_nodefaults),
	UNIT_CASE(test_power_key_across_reset),
	UNIT_CASE(test_input),
	UNIT_CASE(test_host_without_short_cuts),
	{0},
};
const char unit_name[] = "machine";
