/* SPDX-License-Identifier: Apache-2.0 */
#include "machine_bench.h"

#include <check.h>

void machine_bench_open(struct machine_bench *bench)
{
	fake_reset();
	*bench = (struct machine_bench){0};
	machine_config_init(&bench->config);
	bench->config.kernel = raw_kernel();
	bench->config.mem = MACHINE_MIN_MEM;
	test_port_init(&bench->port);
	bench->console = test_port_of(&bench->port);
	ck_assert_int_eq(event_loop_create(&bench->loop, &bench->err), 0);
}

void machine_bench_close(struct machine_bench *bench)
{
	machine_destroy(bench->machine);
	event_loop_destroy(bench->loop);
	ck_assert_uint_eq(fake_open_vms(), 0);
}

static int create(struct machine_bench *bench)
{
	const struct machine_options options = {
		.config = &bench->config,
		.loop = bench->loop,
		.console = bench->console,
		.event = bench->event,
		.event_data = bench->event_data,
		.tell_driver = bench->tell_driver,
	};

	return machine_create(&options, &bench->machine, &bench->err);
}

struct machine *machine_bench_create(struct machine_bench *bench)
{
	ck_assert_msg(create(bench) == 0, "%s", bench->err.text);
	return bench->machine;
}

struct machine *machine_bench_build(struct machine_bench *bench)
{
	struct machine *machine = machine_bench_create(bench);

	ck_assert_msg(board_build(machine, &bench->err) == 0, "%s", bench->err.text);
	machine->outcome = MACHINE_RUNNING;
	return machine;
}

enum machine_outcome machine_bench_run(struct machine_bench *bench)
{
	enum machine_outcome outcome = MACHINE_FAILED;
	struct machine *machine = bench->machine ? bench->machine : machine_bench_create(bench);
	int r = machine_run(machine, &outcome, &bench->err);

	ck_assert_msg(r == 0, "%s", bench->err.text);
	return outcome;
}

void machine_bench_run_refused(struct machine_bench *bench)
{
	enum machine_outcome outcome = MACHINE_FAILED;
	int r = create(bench);

	if (r == 0)
		r = machine_run(bench->machine, &outcome, &bench->err);
	ck_assert_int_lt(r, 0);
	ck_assert_int_eq(r, -bench->err.code);
	ck_assert_str_ne(bench->err.text, "");
}
