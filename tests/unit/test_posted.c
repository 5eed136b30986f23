/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Posted writes: performed in order and before any other exit, parked when
 * idle, begun again by the write that traps.
 */
#include "posted.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "devices/pl011.h"
#include "machine/layout.h"
#include "machine_bench.h"
#include "unit.h"

#define DR                         (LAYOUT_PL011 + UARTDR)
#define PROGRAM(boot, vcpu, steps) fake_program(boot, vcpu, steps, ARRAY_SIZE(steps))
/* Milliseconds after which an idle range is parked, with much to spare. */

static void write_dr(struct vcpu *vcpu, char byte)
{
	struct vcpu_exit exit = {.reason = VCPU_EXIT_MMIO,
				 .addr = DR,
				 .size = 4,
				 .is_write = true,
				 .value = (uint8_t)byte};

	vcpu_handle_exit(vcpu, &exit);
}

/* The first write traps and begins it; then nothing traps while the ring has room. */
START_TEST(test_begins_with_a_trap)
{
	struct machine_bench bench;
	struct machine *machine;

	machine_bench_open(&bench);
	machine = machine_bench_build(&bench);
	write_dr(&machine->board.vcpus[0], 'a'); /* TXRIS rises: not yet unseen */
	write_dr(&machine->board.vcpus[0], 'b');
	ck_assert_uint_eq(fake_count(FAKE_POST, DR), 1);
	ck_assert_uint_eq(fake_find(FAKE_POST, DR, 0)->b, 4);
	ck_assert(machine->board.posted.ticking);
	ck_assert_str_eq(bench.port.output, "ab");
	machine_bench_close(&bench);
}
END_TEST

START_TEST(test_drains_in_order)
{
	struct machine_bench bench;
	struct machine *machine;
	char expected[2 * FAKE_RING + 1] = "";

	machine_bench_open(&bench);
	machine = machine_bench_build(&bench);
	ck_assert_uint_eq(posted_drain(&machine->board.posted), 0);
	/* Twice, so that the ring goes round. */
	for (unsigned i = 0; i < 2 * (FAKE_RING - 1); i++) {
		expected[i] = (char)('A' + i);
		ck_assert(fake_queue_write(machine->board.hyp, DR, 4, (uint64_t)expected[i]));
		if (i % (FAKE_RING - 1) == FAKE_RING - 2) {
			ck_assert(!fake_queue_write(machine->board.hyp, DR, 4, 'x'));
			ck_assert_uint_eq(posted_drain(&machine->board.posted), FAKE_RING - 1);
		}
	}
	ck_assert_str_eq(bench.port.output, expected);
	machine_bench_close(&bench);
}
END_TEST

/* Entries to several places keep their order; one to nowhere is ignored. */
START_TEST(test_drains_mixed)
{
	struct machine_bench bench;
	struct machine *machine;
	struct hyp *hyp;

	machine_bench_open(&bench);
	machine = machine_bench_build(&bench);
	hyp = machine->board.hyp;
	ck_assert(fake_queue_write(hyp, DR, 4, 'a'));
	ck_assert(fake_queue_write(hyp, DR, 1, 'b'));
	ck_assert(fake_queue_write(hyp, LAYOUT_PL011 + UARTIMSC, 4, UARTINT_TX));
	ck_assert(fake_queue_write(hyp, 0x10, 4, 'x'));
	ck_assert(fake_queue_write(hyp, LAYOUT_PL011 + UARTICR, 4, UARTINT_TX));
	ck_assert(fake_queue_write(hyp, DR, 4, 'c'));
	ck_assert_uint_eq(posted_drain(&machine->board.posted), 6);
	ck_assert_str_eq(bench.port.output, "abc");
	ck_assert_uint_eq(fake_find(FAKE_IRQ, LAYOUT_SPI_PL011, 0)->b, 1);
	ck_assert_uint_eq(fake_find(FAKE_IRQ, LAYOUT_SPI_PL011, 1)->b, 0);
	ck_assert_uint_eq(fake_find(FAKE_IRQ, LAYOUT_SPI_PL011, 2)->b, 1);
	machine_bench_close(&bench);
}
END_TEST

/* A guest that prints and then reads sees its bytes sent: nothing overtakes them. */
START_TEST(test_before_the_exit)
{
	static const struct fake_step steps[] = {
		GUEST_PRINTS("12345678"),
		/* A write that traps: what it does comes behind the bytes. */
		GUEST_WRITES(LAYOUT_PL011 + UARTCR, 4,
			     UARTCR_UARTEN | UARTCR_TXE | UARTCR_RXE | UARTCR_LBE),
		GUEST_WRITES(DR, 4, 'l'), /* looped back, not sent */
		GUEST_READS(DR, 4, 'l'),
		GUEST_WRITES(LAYOUT_PL011 + UARTCR, 4, UARTCR_UARTEN | UARTCR_TXE),
		GUEST_PRINTS("9"),
		GUEST_EXITS(VCPU_EXIT_SHUTDOWN),
	};
	struct machine_bench bench;

	machine_bench_open(&bench);
	PROGRAM(0, 0, steps);
	ck_assert_int_eq(machine_bench_run(&bench), MACHINE_POWERED_OFF);
	ck_assert_str_eq(bench.port.output, "123456789");
	ck_assert_uint_gt(fake_count(FAKE_QUEUED, DR), 0);
	/* Loopback makes a write visible: it is not posted then. */
	ck_assert_uint_eq(fake_count(FAKE_POST, DR), 2);
	ck_assert_uint_ge(fake_count(FAKE_UNPOST, DR), 1);
	machine_bench_close(&bench);
}
END_TEST

/* Long output from two vCPUs: all there, each vCPU's in its order, few exits. */
START_TEST(test_two_vcpus)
{
	static const struct fake_step lower[] = {GUEST_PRINTS_TIMES("abcdefgh", 100),
						 GUEST_WAITS_MS(10000)};
	static const struct fake_step upper[] = {GUEST_PRINTS_TIMES("ABCDEFGH", 100),
						 GUEST_WAITS_MS(300),
						 GUEST_EXITS(VCPU_EXIT_SHUTDOWN)};
	unsigned lowers = 0;
	unsigned uppers = 0;
	struct machine_bench bench;

	machine_bench_open(&bench);
	bench.config.cpus = 2;
	PROGRAM(0, 0, lower);
	PROGRAM(0, 1, upper);
	ck_assert_int_eq(machine_bench_run(&bench), MACHINE_POWERED_OFF);
	ck_assert_uint_eq(bench.port.output_count, 1600);
	for (size_t i = 0; i < 1600; i++) {
		char c = bench.port.output[i];

		if (c >= 'a')
			ck_assert_int_eq(c, 'a' + (char)(lowers++ % 8));
		else
			ck_assert_int_eq(c, 'A' + (char)(uppers++ % 8));
	}
	ck_assert_uint_eq(lowers, 800);
	ck_assert_uint_eq(uppers, 800);
	ck_assert_uint_lt(fake_count(FAKE_TRAPPED, DR), 1600 / 4);
	machine_bench_close(&bench);
}
END_TEST

/* A byte that nothing follows is out within a tick or two, with no exit to push it. */
static atomic_int byte_is_out;

static void look_for_byte(void *data, unsigned events)
{
	struct machine_bench *bench = data;

	(void)events;
	pthread_mutex_lock(&bench->port.lock);
	if (strchr(bench->port.output, 'z'))
		byte_is_out = 1;
	pthread_mutex_unlock(&bench->port.lock);
}

START_TEST(test_ticks_bring_it_out)
{
	static const struct fake_step steps[] = {
		GUEST_PRINTS("xyz"),
		GUEST_WAITS_FOR(&byte_is_out),
		GUEST_EXITS(VCPU_EXIT_SHUTDOWN),
	};
	struct machine_bench bench;
	struct event_source timer = {.fd = -1, .callback = look_for_byte, .data = &bench};

	machine_bench_open(&bench);
	PROGRAM(0, 0, steps);
	ck_assert_int_eq(event_loop_add_timer(bench.loop, &timer, CLOCK_MONOTONIC), 0);
	ck_assert_int_eq(event_timer_set(&timer, 1000000, 1000000), 0);
	ck_assert_int_eq(machine_bench_run(&bench), MACHINE_POWERED_OFF);
	ck_assert_uint_eq(fake_find(FAKE_QUEUED, DR, 0)->c, 'y');
	event_source_remove(&timer);
	machine_bench_close(&bench);
}
END_TEST

/* Idle: posting ends; the next write traps and begins it anew. */
/* As often as *@data says; how long that takes is up to the machine. */
static void wait_parked(void *data)
{
	const unsigned *times = data;

	for (unsigned i = 0; i < 60000 && fake_count(FAKE_UNPOST, DR) < *times; i++)
		usleep(1000);
}

START_TEST(test_parks_and_unparks)
{
	static unsigned once = 1;
	static unsigned twice = 2;
	static const struct fake_step steps[] = {
		GUEST_PRINTS("first"),           GUEST_CALLS(wait_parked, &once),
		GUEST_PRINTS("second"),          GUEST_CALLS(wait_parked, &twice),
		GUEST_EXITS(VCPU_EXIT_SHUTDOWN),
	};
	struct machine_bench bench;
	const struct fake_record *trapped;

	machine_bench_open(&bench);
	PROGRAM(0, 0, steps);
	ck_assert_int_eq(machine_bench_run(&bench), MACHINE_POWERED_OFF);
	ck_assert_str_eq(bench.port.output, "firstsecond");
	ck_assert_uint_eq(fake_count(FAKE_POST, DR), 2);
	ck_assert_uint_eq(fake_count(FAKE_UNPOST, DR), 2);
	ck_assert_uint_eq(fake_count(FAKE_TRAPPED, DR), 2);
	trapped = fake_find(FAKE_TRAPPED, DR, 1);
	ck_assert_uint_eq(trapped->c, 's');
	machine_bench_close(&bench);
}
END_TEST

/* While the world does not read, the ring is left full: then the guest must wait. */
START_TEST(test_reader_that_stalls)
{
	struct machine_bench bench;
	struct machine *machine;
	struct posted *posted;

	machine_bench_open(&bench);
	machine = machine_bench_build(&bench);
	posted = &machine->board.posted;
	write_dr(&machine->board.vcpus[0], 'a');
	ck_assert(fake_queue_write(machine->board.hyp, DR, 4, 'b'));
	bench.port.settled = false;
	for (unsigned i = 0; i < 2 * POSTED_IDLE_TICKS; i++)
		posted->timer.callback(posted->timer.data, EVENT_READ);
	ck_assert_str_eq(bench.port.output, "a");
	ck_assert_uint_eq(fake_count(FAKE_UNPOST, DR), 0);
	bench.port.settled = true;
	posted->timer.callback(posted->timer.data, EVENT_READ);
	ck_assert_str_eq(bench.port.output, "ab");
	machine_bench_close(&bench);
}
END_TEST

/* A write that slips in between the last look and the end of posting is not lost. */
START_TEST(test_write_while_parking)
{
	struct machine_bench bench;
	struct machine *machine;
	struct posted *posted;

	machine_bench_open(&bench);
	machine = machine_bench_build(&bench);
	posted = &machine->board.posted;
	write_dr(&machine->board.vcpus[0], 'a');
	for (unsigned i = 0; i + 1 < POSTED_IDLE_TICKS; i++)
		posted->timer.callback(posted->timer.data, EVENT_READ);
	ck_assert_uint_eq(fake_count(FAKE_UNPOST, DR), 0);
	/* hyp_posted_pending() of the tick is before, the drain behind parking is after. */
	posted->timer.callback(posted->timer.data, EVENT_READ);
	ck_assert_uint_eq(fake_count(FAKE_UNPOST, DR), 1);
	ck_assert(!posted->ticking);
	ck_assert(fake_queue_write(machine->board.hyp, DR, 4, 'b'));
	write_dr(&machine->board.vcpus[0], 'c');
	ck_assert_uint_eq(fake_count(FAKE_POST, DR), 2);
	machine_bench_close(&bench);
}
END_TEST

/* A reset leaves nothing behind: what was queued is out, posting starts anew. */
START_TEST(test_across_reset)
{
	static const struct fake_step first[] = {GUEST_PRINTS("before "),
						 GUEST_EXITS(VCPU_EXIT_RESET)};
	static const struct fake_step second[] = {GUEST_PRINTS("after"),
						  GUEST_EXITS(VCPU_EXIT_SHUTDOWN)};
	struct machine_bench bench;

	machine_bench_open(&bench);
	PROGRAM(0, 0, first);
	PROGRAM(1, 0, second);
	ck_assert_int_eq(machine_bench_run(&bench), MACHINE_POWERED_OFF);
	ck_assert_str_eq(bench.port.output, "before after");
	ck_assert_uint_eq(fake_find(FAKE_POST, DR, 0)->boot, 0);
	ck_assert_uint_eq(fake_find(FAKE_POST, DR, 1)->boot, 1);
	machine_bench_close(&bench);
}
END_TEST

/* More ranges than there is room for are simply not posted. */
START_TEST(test_too_many_ranges)
{
	struct machine_bench bench;
	struct posted *posted;

	machine_bench_open(&bench);
	posted = &machine_bench_build(&bench)->board.posted;
	for (unsigned i = 0; i < POSTED_RANGES; i++)
		ck_assert_int_eq(posted_permit(posted, 0x1000 + 16 * i, 4, true), 0);
	ck_assert_int_eq(posted_permit(posted, 0x2000, 4, true), -ENOSPC);
	ck_assert_int_eq(posted_permit(posted, 0x1000, 4, false), 0);
	ck_assert_int_eq(posted_permit(posted, 0x2000, 4, true), 0);
	ck_assert_int_eq(posted_permit(posted, 0x2000, 4, true), 0); /* has it already */
	posted_trapped(posted, 0x2004);                              /* next to it */
	ck_assert_uint_eq(fake_count(FAKE_POST, FAKE_ANY), 0);
	posted_trapped(posted, 0x2003);
	ck_assert_uint_eq(fake_count(FAKE_POST, 0x2000), 1);
	posted_trapped(posted, 0x2000);
	ck_assert_uint_eq(fake_count(FAKE_POST, 0x2000), 1);
	ck_assert_int_eq(posted_permit(posted, 0x2000, 4, false), 0);
	ck_assert_uint_eq(fake_count(FAKE_UNPOST, 0x2000), 1);
	ck_assert_int_eq(posted_permit(posted, 0x2000, 4, false), 0);
	machine_bench_close(&bench);
}
END_TEST

const struct unit_case unit_cases[] = {
	UNIT_CASE(test_begins_with_a_trap),  UNIT_CASE(test_drains_in_order),
	UNIT_CASE(test_drains_mixed),        UNIT_CASE(test_before_the_exit),
	UNIT_CASE(test_two_vcpus),           UNIT_CASE(test_ticks_bring_it_out),
	UNIT_CASE(test_parks_and_unparks),   UNIT_CASE(test_reader_that_stalls),
	UNIT_CASE(test_write_while_parking), UNIT_CASE(test_across_reset),
	UNIT_CASE(test_too_many_ranges),     {0},
};
const char unit_name[] = "posted";
