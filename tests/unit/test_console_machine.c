/* SPDX-License-Identifier: Apache-2.0 */
/* A machine whose console nobody reads, or reads late. */
#include <fcntl.h>
#include <pthread.h>

#include "console_bench.h"
#include "machine_bench.h"
#include "unit.h"

/*
 * A machine that ends while one of its vCPUs waits for a reader: the output
 * still comes out, and the end comes when it has.
 */
static const struct fake_step prints_much[] = {GUEST_PRINTS_TIMES("0123456789abcdef", 16384)};
static const struct fake_step ends_soon[] = {GUEST_WAITS_MS(200), GUEST_EXITS(VCPU_EXIT_SHUTDOWN)};
static const struct fake_step prints_and_ends[] = {
	GUEST_PRINTS_TIMES("0123456789abcdef", 16384),
	GUEST_EXITS(VCPU_EXIT_SHUTDOWN),
};

struct text_reader {
	int fd;
	size_t got;
	bool wrong;
};

static void *read_text(void *data)
{
	struct text_reader *reader = data;
	char bytes[4096];
	ssize_t n;

	usleep(500000);
	while ((n = read(reader->fd, bytes, sizeof(bytes))) > 0) {
		for (ssize_t i = 0; i < n; i++)
			reader->wrong |=
				bytes[i] != "0123456789abcdef"[(reader->got + (size_t)i) % 16];
		reader->got += (size_t)n;
	}
	return NULL;
}

static void open_machine(struct machine_bench *machine, int out_fd)
{
	struct error err = {0};
	int null_fd = open("/dev/null", O_RDWR);

	machine_bench_open(machine);
	bench = (struct console_bench){.timer.fd = -1, .loop = machine->loop};
	ck_assert_int_eq(console_create(machine->loop, null_fd, out_fd, &bench.console, &err), 0);
	machine->console = console_port(bench.console);
}

START_TEST(test_machine_ends_while_a_vcpu_waits)
{
	struct machine_bench machine;
	struct text_reader reader = {0};
	pthread_t thread;
	int fds[2];

	open_sink(SINK_PIPE, fds);
	reader.fd = fds[0];
	open_machine(&machine, fds[1]);
	machine.config.cpus = 2;
	if (_i) {
		fake_program(0, 0, prints_and_ends, ARRAY_SIZE(prints_and_ends));
	} else {
		fake_program(0, 0, prints_much, ARRAY_SIZE(prints_much));
		fake_program(0, 1, ends_soon, ARRAY_SIZE(ends_soon));
	}
	pthread_create(&thread, NULL, read_text, &reader);
	ck_assert_int_eq(machine_bench_run(&machine), MACHINE_POWERED_OFF);
	console_destroy(bench.console);
	close(fds[1]);
	pthread_join(thread, NULL);
	ck_assert(!reader.wrong);
	if (_i)
		ck_assert_uint_eq(reader.got, 16 * 16384);
	else
		ck_assert_uint_gt(reader.got, 0);
	machine_bench_close(&machine);
}
END_TEST

/* Nobody ever reads: the machine can still be stopped, before and after its end. */
static struct machine_bench stuck;

static void on_stop(void *data, unsigned events)
{
	(void)data;
	(void)events;
	console_abandon(bench.console);
	machine_stop(stuck.machine);
}

START_TEST(test_stop_while_a_vcpu_waits)
{
	struct event_source timer = {.fd = -1, .callback = on_stop};
	int fds[2];

	open_sink(SINK_PIPE, fds);
	open_machine(&stuck, fds[1]);
	stuck.config.cpus = 2;
	fake_program(0, 0, prints_much, ARRAY_SIZE(prints_much));
	if (_i)
		fake_program(0, 1, ends_soon, ARRAY_SIZE(ends_soon));
	event_loop_add_timer(stuck.loop, &timer, CLOCK_MONOTONIC);
	event_timer_set(&timer, 500000000, 0);
	capture_stderr();
	ck_assert_int_eq(machine_bench_run(&stuck), _i ? MACHINE_POWERED_OFF : MACHINE_STOPPED);
	event_source_remove(&timer);
	console_destroy(bench.console);
	captured_stderr();
	machine_bench_close(&stuck);
}
END_TEST

const struct unit_case unit_cases[] = {
	UNIT_LOOP(test_machine_ends_while_a_vcpu_waits, 2),
	UNIT_LOOP(test_stop_while_a_vcpu_waits, 2),
	{0},
};
const char unit_name[] = "console_machine";
